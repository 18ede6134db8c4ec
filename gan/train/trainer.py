"""The object that advances a run, step by step; the step itself is gan/train/step.py.

`Trainer` holds two networks, their optimizers, the EMA generator and one counter. `advance(steps)` takes that
many steps and hands back; it reads no clock and touches no file, so that a worker process, a test, a notebook
or a short GPU lease can each drive it. All randomness of a step is a function of (seed, step), the order of
the data a function of (seed, images seen), and every schedule a function of images seen over `total_images`.
Settings that change over a run live in device tensors, and the step never waits for the device; statistics
are read once a chunk.
"""

import copy
import functools
import gc
import hashlib
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import nn

from gan.config import RunConfig
from gan.data.own.report import no_classes
from gan.device import Device
from gan.errors import UserError
from gan.models import ModelSpec, build_discriminator, build_generator
from gan.objectives import LOSSES
from gan.train import step
from gan.train.augment import adapt, augment
from gan.train.clusters import find_clusters
from gan.train.cuda_graph import GraphedStep
from gan.train.optim import Adam

if TYPE_CHECKING:
    from gan.data import Dataset

METRICS = ("loss_d", "loss_g", "real", "fake", "pair", "penalty")
SMOOTHED = 16  # steps that the statistics look back over, roughly
# images drawn at a time: their activations stay in the processor's cache, where those of 64 do not
SAMPLED = 16
# First steps of each recipe on digits and landscapes: statistics to 61 (wasserstein, the others to 10), norms
# of weights to 82. Runs that had plainly exploded, with learning rates of 0.1, reached statistics of 12,500
# to 49,000 and stayed there.
EXPLODED = 1e4
EMA_RAMP = 0.05  # StyleGAN2-ADA: the half-life never exceeds this part of the images seen so far


def seed_for(*parts: object) -> int:
    """A 63-bit seed that depends on all parts and on nothing else (BLAKE2b of their text)."""
    return (
        int.from_bytes(hashlib.blake2b(":".join(map(str, parts)).encode(), digest_size=8).digest(), "little")
        >> 1
    )


def model_spec(config: RunConfig, classes: int) -> ModelSpec:
    """The networks of a run whose data set has so many classes."""
    labels = classes if config.conditional else 0
    return ModelSpec(
        config.architecture,
        config.size,
        config.channels,
        config.z_dim,
        config.width,
        labels,
        config.pixel,
        config.clusters,
    )


def tell_groups(G: nn.Module, config: RunConfig, dataset: "Dataset") -> torch.Tensor | None:
    """What D is to be told of each picture (N,), on G's device, None where it is nothing; G learns how
    frequent each cluster is.
    """
    groups = dataset.labels if config.conditional else None
    if config.clusters > 1:
        classes = len(dataset.classes) if config.conditional else 0
        # the name of a stream of random numbers, which stays
        groups, shares = find_clusters(
            dataset.images, groups, classes, config.clusters, seed_for(config.seed, "looks")
        )
        G.conditioning.set_shares(shares)
    return None if groups is None else groups.to(next(G.parameters()).device)


@dataclass
class Schedule:
    """Settings that change over a run, as device tensors that the step reads: shapes () float32."""

    lr_g: torch.Tensor
    lr_d: torch.Tensor
    gamma: torch.Tensor
    ema_beta: torch.Tensor


class Trainer:
    """A run in memory. Raises UserError where config and data set do not fit together."""

    def __init__(self, config: RunConfig, dataset: "Dataset", device: Device):
        check_data(config, dataset)
        self.config, self.device = config, torch.device(device.torch_name)
        self.classes = dataset.classes if config.conditional else ()
        self.spec = model_spec(config, len(self.classes))
        layout = torch.channels_last if device.channels_last else torch.contiguous_format
        self.autocast = functools.partial(
            torch.autocast,
            self.device.type,
            torch.bfloat16,
            enabled=device.precision == "bf16",
            cache_enabled=False,
        )
        self.images = dataset.images.to(self.device, memory_format=layout)
        torch.manual_seed(seed_for(config.seed, "weights"))
        self.G, self.D = (
            net.to(self.device, memory_format=layout)
            for net in (build_generator(self.spec), build_discriminator(self.spec))
        )
        self.groups = tell_groups(self.G, config, dataset)
        self.ema = copy.deepcopy(self.G).eval().requires_grad_(False)
        self.schedule = Schedule(*(torch.tensor(0.0, device=self.device) for _ in range(4)))
        self.opt_g = self._adam(self.G, self.schedule.lr_g)
        self.opt_d = self._adam(self.D, self.schedule.lr_d)
        self.rng = torch.Generator(self.device)
        self.rows = torch.zeros(config.d_steps, config.batch, dtype=torch.int64, device=self.device)
        self.augmentation = {
            name: torch.tensor(0.0, device=self.device) for name in ("probability", "overfit")
        }
        self.run_step = GraphedStep(self._train_step, self.rng) if device.graph else self._train_step
        self.means = torch.zeros(len(METRICS), device=self.device)
        self.step = 0
        self.lr_factor = 1.0  # what a run that diverged before goes on with
        self.parts = 1  # a batch is worked on in so many parts, each of which needs a part of the memory
        self.total_images = float(config.budget_images) or math.inf
        self._order: tuple[int, torch.Tensor] | None = None
        self.fixed_z, self.fixed_labels = self._fixed_latents(64)

    def _adam(self, module: nn.Module, lr: torch.Tensor) -> Adam:
        return Adam(
            module.parameters(),
            lr,
            (self.config.beta1, self.config.beta2),
            capturable=self.device.type == "cuda",
        )

    def _fixed_latents(self, count: int) -> tuple[torch.Tensor, torch.Tensor | None]:
        rng = torch.Generator().manual_seed(seed_for(self.config.seed, "grid"))
        z = torch.randn(count, self.config.z_dim, generator=rng).to(self.device)
        labels = torch.arange(count, device=self.device) % len(self.classes) if self.classes else None
        return z, labels

    @property
    def images_seen(self) -> int:
        """Real images shown to D so far: the counter behind schedules, data order and randomness."""
        return self.step * self.config.batch * self.config.d_steps

    @property
    def progress(self) -> float:
        """Part of the budget that has passed, 0 to 1."""
        return min(1.0, self.images_seen / self.total_images)

    def advance(self, steps: int) -> dict[str, float]:
        """Take `steps` training steps and return METRICS: averages that forget, so that they are a function
        of the step, whenever one looks.

        The only wait for the device is at the end.
        """
        self.G.train(), self.D.train()
        for _ in range(steps):
            result = self._next_step()
            self.means.lerp_(result, max(1 / self.step, 1 / SMOOTHED))
        return dict(zip(METRICS, self.means.tolist(), strict=True))

    def healthy(self) -> bool:
        """Whether everything that a checkpoint holds is finite, and no statistic and no weight has exploded.
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
        # Euclidean: 15 times as fast here as the largest number of each
        sizes = torch.stack(torch._foreach_norm([t for t in rest if t.is_floating_point()]))
        return bool((largest < EXPLODED).all() & sizes.isfinite().all())  # false for NaN as well

    def reset_step_state(self) -> None:
        """Drop all that a step can leave behind but weights and counters, wherever it broke off: gradients,
        the optimizers' moments, captured graphs.

        The state of a checkpoint is put in its place, which then is all that the next step depends on, and
        the memory has room for it.
        """
        for net, optimizer in ((self.G, self.opt_g), (self.D, self.opt_d)):
            net.requires_grad_(True)
            optimizer.zero_grad()
            optimizer.load({})
        self._order = None
        if isinstance(self.run_step, GraphedStep):
            # one that was registered with a capture which broke off may stay bound to it
            self.rng = torch.Generator(self.device)
            self.run_step = GraphedStep(self._train_step, self.rng, self.run_step.recorder)
        gc.collect()
        if self.device.type == "cuda":
            torch.cuda.empty_cache()  # what is only kept for later

    def sample(self, z: torch.Tensor, labels: torch.Tensor | None) -> torch.Tensor:
        """Images of the EMA generator for z (N, z_dim): (N, C, H, W) in [-1, 1]."""
        parts = z.split(SAMPLED)
        classes = [None] * len(parts) if labels is None else labels.split(SAMPLED)
        with torch.inference_mode():
            return torch.cat([self.ema(part, of_part) for part, of_part in zip(parts, classes, strict=True)])

    def sample_grid(self) -> torch.Tensor:
        """The 64 images of the run's fixed latents, by the EMA generator."""
        return self.sample(self.fixed_z, self.fixed_labels)

    def _set_schedule(self) -> None:
        """Cosine from 1 to the end factor for learning rates and gamma (R3GAN); the EMA's half-life ramps up
        with the images seen (StyleGAN2-ADA).
        """
        config, falling = self.config, 0.5 + 0.5 * math.cos(math.pi * self.progress)
        lr = self.lr_factor * (config.lr_end + (1 - config.lr_end) * falling)
        self.schedule.lr_g.fill_(config.lr_g * lr)
        self.schedule.lr_d.fill_(config.lr_d * lr)
        self.schedule.gamma.fill_(config.gamma * (config.gamma_end + (1 - config.gamma_end) * falling))
        halflife = min(config.ema * 1000, EMA_RAMP * self.images_seen)
        self.schedule.ema_beta.fill_(
            0.5 ** (config.batch * config.d_steps / halflife) if halflife > 0 else 0.0
        )

    def _next_step(self) -> torch.Tensor:
        """Put what differs from step to step where the step reads it, and take it. Returns METRICS (6,) on
        the device, good until the next step.
        """
        self._set_schedule()
        for turn in range(self.config.d_steps):
            self.rows[turn] = self._rows(self.step * self.config.d_steps + turn)
        self.rng.manual_seed(seed_for(self.config.seed, "step", self.step))
        result = self.run_step(self.step % self.config.penalty_every == 0)
        self.step += 1
        return result

    def _rows(self, index: int) -> torch.Tensor:
        """Which pictures are in real batch number `index` of the run: every epoch is a permutation drawn from
        (seed, epoch), its remainder dropped.
        """
        batch = self.config.batch
        per_epoch = len(self.images) // batch
        epoch, place = divmod(index, per_epoch)
        if self._order is None or self._order[0] != epoch:
            rng = torch.Generator().manual_seed(seed_for(self.config.seed, "epoch", epoch))
            order = torch.randperm(len(self.images), generator=rng)
            if self.device.type == "cuda":
                order = order.pin_memory()  # from other memory the copy would wait for the device
            self._order = epoch, order.to(self.device, non_blocking=True)
        return self._order[1][place * batch : (place + 1) * batch]

    def _batch(self, rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor | None]:
        """The real images in [-1, 1] of those rows, and their groups."""
        real = self.images[rows].float().div_(127.5).sub_(1)
        if self.config.flip:
            real = torch.where(
                torch.rand(len(rows), 1, 1, 1, device=self.device, generator=self.rng) < 0.5,
                real.flip(3),
                real,
            )
        return real, None if self.groups is None else self.groups[rows]

    def _generate(self, batch: step.MicroBatch) -> torch.Tensor:
        """G's samples for a micro-batch's latents, each as if of its group."""
        with self.autocast():
            return step.generate(self.G, batch).float()

    def _judge(self, images: torch.Tensor, groups: step.Groups) -> torch.Tensor:
        """D's logits on images, as augmented as the run wants it."""
        images = augment(
            images,
            self.config.augment,
            self.rng,
            self.augmentation["probability"] if self.config.adaptive else None,
        )
        with self.autocast():
            return self.D(images, groups).float()

    def _train_step(self, penalised: bool) -> torch.Tensor:
        """One step: d_steps updates of D, then one of G on the last of D's fakes. Returns METRICS as a tensor
        (6,) on the device.
        """
        kind = self.config.penalty if penalised else "none"
        for turn in range(self.config.d_steps):
            batches = self._micro_batches(*self._batch(self.rows[turn]))
            kept = turn == self.config.d_steps - 1 and len(batches) == 1
            with torch.set_grad_enabled(kept):
                fakes = [self._generate(batch) for batch in batches]
            told = self._update_d(batches, [fake.detach() for fake in fakes], kind)
        loss_g = self._update_g(batches, fakes if kept else None)
        step.update_ema(self.ema, self.G, self.schedule.ema_beta)
        _, penalty, on_real, on_fake = told
        if self.config.adaptive:
            facts = LOSSES[self.config.loss]
            # above 0 where D takes a real image for one
            believed = on_real - (on_fake if facts.paired else facts.undecided or 0.0)
            adapt(*self.augmentation.values(), believed.sign().mean(), self.config.batch)
        return torch.stack(
            [told.loss, loss_g, on_real.mean(), on_fake.mean(), (on_real > on_fake).float().mean(), penalty]
        )

    def _micro_batches(self, real: torch.Tensor, groups: step.Groups) -> list[step.MicroBatch]:
        """A real batch with fresh latents, in the parts that are worked on one after the other."""
        z = torch.randn(len(real), self.config.z_dim, device=self.device, generator=self.rng)
        split = [None] * self.parts if groups is None else groups.tensor_split(self.parts)
        whole = zip(real.tensor_split(self.parts), split, z.tensor_split(self.parts), strict=True)
        return [step.MicroBatch(*each, len(each[0]) / len(real)) for each in whole]

    @property
    def _game(self) -> step.Game:
        return step.Game(self._generate, self._judge, self.config.loss, self.rng)

    def _update_d(
        self, batches: list[step.MicroBatch], fakes: list[torch.Tensor], kind: str
    ) -> step.UpdateOfD:
        # The weight makes up for the steps without a penalty ("lazy regularization", StyleGAN2).
        return step.update_d(
            self.D,
            self.opt_d,
            self._game,
            batches,
            fakes,
            kind,
            0.5 * self.schedule.gamma * self.config.penalty_every,
        )

    def _update_g(self, batches: list[step.MicroBatch], fakes: list[torch.Tensor] | None) -> torch.Tensor:
        return step.update_g(self.D, self.opt_g, self._game, batches, fakes)


def check_data(config: RunConfig, dataset: "Dataset") -> None:
    """Raises UserError where the batch does not fit the data set, or labels are asked for that it lacks."""
    if config.batch > len(dataset.images):
        raise UserError("train.batch_too_large", batch=config.batch, count=len(dataset.images))
    if config.conditional and (dataset.labels is None or not dataset.classes):
        raise no_classes(dataset.report, config.data)
