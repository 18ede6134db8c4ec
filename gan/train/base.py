"""What the trainers of all kinds share: counters, statistics, schedules, order of the data, resumable state.

A subclass brings networks, data and the step. Nothing here reads a clock or touches a file.

Everything depends on one counter, so that a run can resume bit for bit. The data order is a function of
(seed, images seen), and each schedule one of images seen / `total_images`. "Images" are the examples of any
kind.
"""

import functools
import hashlib
import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from gan.train.actions import Action, factor_at
from gan.train.optim import Adam
from gan.train.parallel.parts import RunningStatistics
from gan.train.parallel.team import ALONE, Team
from gan.train.step import Groups, MicroBatch, UpdateOfD

METRICS = ("loss_d", "loss_g", "real", "fake", "pair", "penalty")  # all of the step's last update of D
SMOOTHED = 16  # steps in the moving average of the statistics
# A statistic or weight norm above this means divergence. In the first steps on digits and landscapes,
# statistics reached 61 with wasserstein and 10 with the other recipes. Weight norms reached 82. Diverged runs
# (learning rate 0.1) reached statistics of 12,500 to 49,000 and stayed there.
EXPLODED = 1e4
EMA_RAMP = 0.05  # maximum half-life of the EMA as a fraction of the images seen so far (StyleGAN2-ADA)


def seed_for(*parts: object) -> int:
    """Return a 63-bit seed that depends on all parts and on nothing else (BLAKE2b of their text)."""
    return (
        int.from_bytes(hashlib.blake2b(":".join(map(str, parts)).encode(), digest_size=8).digest(), "little")
        >> 1
    )


@functools.lru_cache(maxsize=2)  # a batch that is gathered ahead may belong to the next epoch
def epoch_order(seed: int, epoch: int, count: int) -> torch.Tensor:
    """Return the order of the examples in an epoch: a permutation (count,) int64 from (seed, epoch)."""
    rng = torch.Generator().manual_seed(seed_for(seed, "epoch", epoch))
    return torch.randperm(count, generator=rng)


def part_of(tensors: dict[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    """Return the tensors whose name begins with `prefix` and a dot, without these."""
    return {key[len(prefix) + 1 :]: value for key, value in tensors.items() if key.startswith(prefix + ".")}


class BaseTrainer:
    """A run in memory. A subclass sets the attributes without a value, and defines `_next_step`.

    With a team, this is one rank's share of the run. All ranks must make the same calls.
    """

    G: nn.Module
    D: nn.Module
    ema: nn.Module
    opt_g: Adam
    opt_d: Adam
    running: RunningStatistics

    g_steps = 1  # updates of G in each step

    def __init__(self, config: Any, device: torch.device, examples: torch.Tensor, team: Team = ALONE):
        """config: a gan.config.Settings with both networks' rates.

        examples: the indices (N,) int64 of the real examples that it trains on.
        """
        self.config, self.device, self.examples, self.team = config, device, examples, team
        self.parts = 1  # micro-batches per rank; doubled when memory runs out
        # the first draws for the whole batch; further ones draw for one part each, if there are several
        self.rngs = [torch.Generator(device)]
        self._goal = self._sent = 0  # the step after this chunk; sums that this step has made
        self.means = torch.zeros(len(METRICS), device=device)
        self.step = 0
        self.actions: list[Action] = []  # changes of settings while the run trains
        self.lr_factor = 1.0  # multiplies both learning rates; halved after each divergence
        self.ema_ramps = True
        self.total_images = float(config.budget_images) or math.inf
        self._order: tuple[int, torch.Tensor] | None = None

    @property
    def rng(self) -> torch.Generator:
        """The random stream of the whole batch, equal on all ranks."""
        return self.rngs[0]

    @property
    def splits(self) -> int:
        """Micro-batches per batch, of all ranks together. Setting it keeps at least one per rank."""
        return self.parts * self.team.size

    @splits.setter
    def splits(self, number: int) -> None:
        self.parts = max(1, number // self.team.size)

    @property
    def images_seen(self) -> int:
        """Real images that D has seen: the counter behind schedules, data order and randomness."""
        return self.step * self.config.batch * self.config.d_steps

    @property
    def progress(self) -> float:
        """Fraction of the budget used, in [0, 1]."""
        return min(1.0, self.images_seen / self.total_images)

    def advance(self, steps: int) -> dict[str, float]:
        """Take `steps` training steps and return METRICS, averaged over about SMOOTHED steps.

        The averages are exponential, so they depend on the step and not on the length of a chunk. The only
        wait for the device is at the end.
        """
        self.G.train(), self.D.train()
        self._goal = self.step + steps
        for _ in range(steps):
            self._sent = 0
            result = self._next_step()
            self.means.lerp_(result, max(1 / self.step, 1 / SMOOTHED))
        return dict(zip(METRICS, self.means.tolist(), strict=True))

    def break_off(self) -> None:
        """Make the sums that the other ranks still wait for in this chunk, with NaN, after an error in it."""
        if self.team.size > 1:
            of_d = sum(p.numel() for p in self.opt_d.parameters) + len(UpdateOfD._fields)
            of_g = sum(t.numel() for t in (*self.opt_g.parameters, *self.running.averaged()))
            sizes = [of_d] * self.config.d_steps + [of_g] * self.g_steps
            for size in (sizes * (self._goal - self.step))[self._sent :]:
                self.team.add_up([torch.full((size,), math.nan, device=self.device)])

    def healthy(self) -> bool:
        """Return whether the whole state is finite, and weights and statistics are below EXPLODED.

        Waits for the device.
        """
        largest = torch.stack(
            [*torch._foreach_norm([*self.G.parameters(), *self.D.parameters()]), self.means.abs().max()]
        )
        nets, optimizers = (self.G, self.D, self.ema), (self.opt_g, self.opt_d)
        rest = [
            *self.ema.parameters(),
            *(t for net in nets for t in net.buffers()),
            *(t for optimizer in optimizers for t in optimizer.tensors().values()),
        ]
        # Euclidean norms: 15 times as fast here as the maximum of each tensor
        sizes = torch.stack(torch._foreach_norm([t for t in rest if t.is_floating_point()]))
        return bool((largest < EXPLODED).all() & sizes.isfinite().all())  # false for NaN as well

    def reset_step_state(self) -> None:
        """Drop gradients, optimizer state and the order of the data, also those of a step that failed.

        A checkpoint then replaces weights, counters and optimizer state, so the next step depends on it
        alone.
        """
        for net, optimizer in ((self.G, self.opt_g), (self.D, self.opt_d)):
            net.requires_grad_(True)
            optimizer.zero_grad()
            optimizer.load({})
        self._order = None
        self.running.use(0)

    def state(self) -> dict[str, torch.Tensor]:
        """Return all tensors that the next step depends on, by name; training goes on to change them.

        They are networks, EMA, optimizer states and statistics. Random states are missing, because a step's
        randomness is a function of (seed, step).
        """
        tensors = {
            f"{part}.{name}": t
            for part, net in self._networks().items()
            for name, t in net.state_dict().items()
        }
        for part, optimizer in self._optimizers().items():
            tensors |= {f"{part}.{name}": t for name, t in optimizer.tensors().items()}
        return {**tensors, "means": self.means}

    def load(self, tensors: dict[str, torch.Tensor]) -> None:
        """Restore what `state` returned, from tensors on the device.

        Raises RuntimeError, KeyError or ValueError for tensors of other networks.
        """
        for name, net in self._networks().items():
            net.load_state_dict(part_of(tensors, name))
        for name, optimizer in self._optimizers().items():
            optimizer.load(part_of(tensors, name))
        self.means.copy_(tensors["means"])

    def _next_step(self) -> torch.Tensor:
        """Take one step, count it, and return METRICS (6,) on the device."""
        raise NotImplementedError

    def _seed(self) -> None:
        """Seed the random streams of the next step: of the whole batch, and of each part if there are more.

        A part's stream depends on its place in the batch, so it is the same on whichever rank.
        """
        self.rng.manual_seed(seed_for(self.config.seed, "step", self.step))
        if self.splits > 1:
            while len(self.rngs) <= self.parts:
                self.rngs.append(torch.Generator(self.device))
            for part, rng in enumerate(self.rngs[1:]):
                place = self.team.rank * self.parts + part
                rng.manual_seed(seed_for(self.config.seed, "step", self.step, "part", place))

    def _split(self, real: torch.Tensor, groups: Groups, z: torch.Tensor) -> list[MicroBatch]:
        """Split a whole batch, and return this rank's micro-batches."""
        if self.splits == 1:
            return [MicroBatch(real, groups, z, rng=self.rng)]
        count, begin = self.splits, self.team.rank * self.parts
        mine = slice(begin, begin + self.parts)
        of_groups = [None] * self.parts if groups is None else groups.tensor_split(count)[mine]
        parts = zip(real.tensor_split(count)[mine], of_groups, z.tensor_split(count)[mine], strict=True)
        return [
            MicroBatch(*each, len(each[0]) / len(real), self.rngs[1 + part], part)
            for part, each in enumerate(parts)
        ]

    def _add_up(self, optimizer: Adam, statistics: Sequence[torch.Tensor]) -> None:
        """Add up over the team an update's gradients and statistics, in place.

        With G's, merge the running statistics of all parts, because no later forward pass changes them.
        """
        ends = optimizer is self.opt_g
        if ends:
            self.running.merge(self.parts, self.splits)
        if self.team.size == 1:
            return
        slopes = [torch.zeros_like(p) if p.grad is None else p.grad for p in optimizer.parameters]
        self.team.add_up([*slopes, *statistics, *(self.running.averaged() if ends else [])])
        if self.device.type != "cuda" or not torch.cuda.is_current_stream_capturing():
            self._sent += 1

    def _networks(self) -> dict[str, nn.Module]:
        return {"G": self.G, "D": self.D, "ema": self.ema}

    def _optimizers(self) -> dict[str, Adam]:
        return {"opt_g": self.opt_g, "opt_d": self.opt_d}

    def _cosine(self, end: float) -> float:
        """Return the factor that falls from 1 to `end` over the run, by half a cosine (R3GAN)."""
        falling = 0.5 + 0.5 * math.cos(math.pi * self.progress)
        return end + (1 - end) * falling

    def _lr_share(self) -> float:
        """Return the learning rates of this step, as a fraction of their settings."""
        return self.lr_factor * self._cosine(self.config.lr_end)

    def _changed(self, name: str) -> float:
        """Return by how much actions multiply a setting at this step."""
        return factor_at(self.actions, name, self.step)

    def _ema_decay(self) -> float:
        """Return the EMA's decay for this step.

        Its half-life grows with the images seen, except where the run began with a trained G: there the first
        average is as good as any later one (both as in StyleGAN2-ADA).
        """
        halflife = self.config.ema * 1000
        if self.ema_ramps:
            halflife = min(halflife, EMA_RAMP * self.images_seen)
        return 0.5 ** (self.config.batch * self.config.d_steps / halflife) if halflife > 0 else 0.0

    def _rows(self, index: int) -> torch.Tensor:
        """Return the indices of the examples in real batch number `index` of the run, on the device."""
        epoch, place = self._place(index)
        if self._order is None or self._order[0] != epoch:
            order = self.examples[epoch_order(self.config.seed, epoch, len(self.examples))]
            if self.device.type == "cuda":
                order = order.pin_memory()  # a copy from pageable memory would wait for the device
            self._order = epoch, order.to(self.device, non_blocking=True)
        return self._order[1][place]

    def _rows_on_host(self, index: int) -> torch.Tensor:
        """Return what `_rows` returns, on the host."""
        epoch, place = self._place(index)
        return self.examples[epoch_order(self.config.seed, epoch, len(self.examples))[place]]

    def _place(self, index: int) -> tuple[int, slice]:
        """Return the epoch of a batch, and its place in that. A remainder smaller than a batch is dropped."""
        batch = self.config.batch
        epoch, place = divmod(index, len(self.examples) // batch)
        return epoch, slice(place * batch, (place + 1) * batch)
