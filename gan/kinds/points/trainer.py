"""The object that advances a run on points, step by step; the step itself is gan/train/step.py.

`PointsTrainer` holds an MLP pair, two Adams, the EMA generator and one counter. It reads no clock and touches
no file. All randomness of a step is a function of (seed, step), the order of the points a function of (seed,
points seen), and every schedule a function of points seen over `total_images`.
"""

import copy
import math

import torch
from torch import nn

from gan.kinds.points.data import PointSet
from gan.kinds.points.messages import PointsError
from gan.kinds.points.metrics import SAMPLES, Scores, score
from gan.kinds.points.models import Discriminator, Generator
from gan.kinds.points.recipes import PointsConfig
from gan.kinds.points.sheet import SHOWN, Sheet, draw_sheet
from gan.train import step
from gan.train.adam import Adam
from gan.train.trainer import EMA_RAMP, EXPLODED, METRICS, SMOOTHED, seed_for


class PointsTrainer:
    """A run in memory, on the CPU. Raises PointsError where the batch is larger than the set."""

    def __init__(self, config: PointsConfig, points: PointSet):
        if config.batch > len(points.points):
            raise PointsError("points.batch", batch=config.batch, count=len(points.points))
        self.config, self.points = config, points
        torch.manual_seed(seed_for(config.seed, "weights"))
        self.G, self.D = (
            Generator(config.z_dim, config.width, config.depth),
            Discriminator(config.width, config.depth),
        )
        self.ema = copy.deepcopy(self.G).requires_grad_(False)
        self.lr_g, self.lr_d = torch.tensor(0.0), torch.tensor(0.0)
        self.opt_g, self.opt_d = (
            Adam(net.parameters(), lr, (config.beta1, config.beta2))
            for net, lr in ((self.G, self.lr_g), (self.D, self.lr_d))
        )
        self.rng = torch.Generator()
        self.means = torch.zeros(len(METRICS))
        self.step = 0
        self.lr_factor = 1.0  # learning-rate multiplier, halved after each rollback
        self.total_images = float(config.budget_images) or math.inf
        self._order: tuple[int, torch.Tensor] | None = None
        self.fixed_z = torch.randn(
            SAMPLES, config.z_dim, generator=torch.Generator().manual_seed(seed_for(config.seed, "grid"))
        )

    @property
    def images_seen(self) -> int:
        """Real points shown to D so far: the counter behind schedules, data order and randomness."""
        return self.step * self.config.batch * self.config.d_steps

    @property
    def progress(self) -> float:
        """Part of the budget that has passed, 0 to 1."""
        return min(1.0, self.images_seen / self.total_images)

    def advance(self, steps: int) -> dict[str, float]:
        """Take `steps` training steps and return METRICS:

        running averages that are a function of the step.
        """
        for _ in range(steps):
            result = self._next_step()
            self.means.lerp_(result, max(1 / self.step, 1 / SMOOTHED))
        return dict(zip(METRICS, self.means.tolist(), strict=True))

    def healthy(self) -> bool:
        """Whether all that a checkpoint holds is finite, and no statistic and no norm of a weight has
        exploded.
        """
        largest = torch.stack(
            [*torch._foreach_norm([*self.G.parameters(), *self.D.parameters()]), self.means.abs().max()]
        )
        return bool((largest < EXPLODED).all()) and all(
            bool(t.isfinite().all()) for t in self.state().values() if t.dtype == torch.float32
        )

    def state(self) -> dict[str, torch.Tensor]:
        """Everything that exact resumption needs, by name;

        tensors on the CPU that training goes on to change.
        """
        tensors = {
            f"{name}.{key}": t
            for name, net in self._networks().items()
            for key, t in net.state_dict().items()
        }
        tensors |= {
            f"{name}.{key}": t
            for name, optimizer in self._optimizers().items()
            for key, t in optimizer.tensors().items()
        }
        counters = torch.tensor([self.step, self.total_images, self.lr_factor], dtype=torch.float64)
        return {**tensors, "means": self.means, "counters": counters}

    def load(self, state: dict[str, torch.Tensor]) -> None:
        """Put back what `state` gave.

        Raises RuntimeError, KeyError or ValueError for tensors of other networks.
        """

        def part(prefix: str) -> dict[str, torch.Tensor]:
            return {
                key[len(prefix) + 1 :]: value for key, value in state.items() if key.startswith(prefix + ".")
            }

        for name, network in self._networks().items():
            network.load_state_dict(part(name))
        for name, optimizer in self._optimizers().items():
            optimizer.load(part(name))
        self.means.copy_(state["means"])
        at, self.total_images, self.lr_factor = state["counters"].tolist()
        self.step = int(at)

    def _networks(self) -> dict[str, nn.Module]:
        return {"G": self.G, "D": self.D, "ema": self.ema}

    def _optimizers(self) -> dict[str, Adam]:
        return {"opt_g": self.opt_g, "opt_d": self.opt_d}

    @torch.inference_mode()
    def sample(self, z: torch.Tensor) -> torch.Tensor:
        """Points (N, 2) of the EMA generator for z (N, z_dim), in the units of the networks."""
        return self.ema(z)

    def scores(self) -> Scores:
        """The metrics of the EMA generator's samples for the run's fixed latents."""
        return score(self.points, self.sample(self.fixed_z))

    def sample_sheet(self) -> Sheet:
        """A scatter of real points and of samples of SHOWN fixed latents over D's field, as WebP."""
        return draw_sheet(self.points, self.sample(self.fixed_z[:SHOWN]), self.D, self.config.loss)

    def published(self) -> dict[str, torch.Tensor]:
        """The EMA generator's weights by name: what Explore reads."""
        return {name: t.detach().clone() for name, t in self.ema.state_dict().items()}

    def _set_schedule(self) -> tuple[float, torch.Tensor]:
        """Set the learning rates; return gamma and the EMA's decay () for the next step.

        Rates fall by a cosine from 1 to their end factor (R3GAN). Gamma falls by equal factors: D must become
        steep for narrow modes, but not before G covers them. The EMA's half-life ramps up with the points
        seen (StyleGAN2-ADA).
        """
        config, falling = self.config, 0.5 + 0.5 * math.cos(math.pi * self.progress)
        lr = self.lr_factor * (config.lr_end + (1 - config.lr_end) * falling)
        self.lr_g.fill_(config.lr_g * lr), self.lr_d.fill_(config.lr_d * lr)
        halflife = min(config.ema * 1000, EMA_RAMP * self.images_seen)
        decay = 0.5 ** (config.batch * config.d_steps / halflife) if halflife > 0 else 0.0
        return config.gamma * config.gamma_end**self.progress, torch.tensor(decay)

    def _next_step(self) -> torch.Tensor:
        """One step: d_steps updates of D, g_steps of G, one of the EMA. Returns METRICS (6,)."""
        gamma, decay = self._set_schedule()
        self.rng.manual_seed(seed_for(self.config.seed, "step", self.step))
        game = step.Game(self._generate, self._judge, self.config.loss, self.rng)
        for turn in range(self.config.d_steps):
            batch = self._batch(self.step * self.config.d_steps + turn)
            with torch.no_grad():
                fake = game.generate(batch)
            told = step.update_d(self.D, self.opt_d, game, [batch], [fake], self.config.penalty, 0.5 * gamma)
        for turn in range(self.config.g_steps):
            loss_g = step.update_g(
                self.D, self.opt_g, game, [self._with_new_z(batch) if turn else batch], None
            )
        step.update_ema(self.ema, self.G, decay)
        self.step += 1
        pair = (told.on_real > told.on_fake).float().mean()
        return torch.stack([told.loss, loss_g, told.on_real.mean(), told.on_fake.mean(), pair, told.penalty])

    def _batch(self, index: int) -> step.MicroBatch:
        """Real batch number `index` of the run:

        every epoch is a permutation drawn from (seed, epoch), its remainder dropped.
        """
        size = self.config.batch
        epoch, place = divmod(index, len(self.points.points) // size)
        if self._order is None or self._order[0] != epoch:
            rng = torch.Generator().manual_seed(seed_for(self.config.seed, "epoch", epoch))
            self._order = epoch, torch.randperm(len(self.points.points), generator=rng)
        rows = self._order[1][place * size : (place + 1) * size]
        real = self.points.points[rows][
            :, :, None, None
        ]  # (N, 2, 1, 1): gan.losses interpolates between four-dimensional tensors
        return step.MicroBatch(real, None, torch.randn(size, self.config.z_dim, generator=self.rng))

    def _with_new_z(self, batch: step.MicroBatch) -> step.MicroBatch:
        return batch._replace(z=torch.randn(batch.z.shape, generator=self.rng))

    def _generate(self, batch: step.MicroBatch) -> torch.Tensor:
        return self.G(batch.z)[:, :, None, None]

    def _judge(self, points: torch.Tensor, groups: step.Groups) -> torch.Tensor:
        return self.D(points.flatten(1))
