"""Train a GAN in memory: networks, optimizers, EMA generator, schedules and data order.

The step itself is in step.py. `advance(steps)` takes that many steps. The trainer reads no clock and touches
no file, so a worker process, a test or a notebook can each drive it.

Everything depends on one counter, so that a run can resume bit for bit. A step's randomness is a function of
(seed, step). The data order is a function of (seed, images seen), and each schedule one of images seen /
`total_images`. Values that change over a run are in device tensors. A step never waits for the device: the
host reads statistics once a chunk.
"""

import copy
import functools
import gc
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import nn

from gan.config import RunConfig
from gan.data.own.report import no_classes
from gan.device import Device
from gan.errors import UserError
from gan.models import ImageGenerator, ModelSpec, build_discriminator, build_generator
from gan.train import step
from gan.train.base import BaseTrainer, part_of, seed_for
from gan.train.cuda_graph import GraphedStep
from gan.train.inputs.augment import adapt, augment
from gan.train.inputs.batches import make_batches
from gan.train.inputs.clusters import find_clusters
from gan.train.inputs.held_out import split
from gan.train.optim import Adam
from gan.train.parallel.parts import RunningStatistics
from gan.train.parallel.team import ALONE, Team

if TYPE_CHECKING:
    from gan.data import Dataset

SAMPLED = 16  # images sampled at a time: their activations fit into the CPU's cache, those of 64 do not


def model_spec(config: RunConfig, classes: int) -> ModelSpec:
    """Return the spec of a run's networks for a data set with so many classes."""
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


def tell_groups(
    G: ImageGenerator, config: RunConfig, dataset: "Dataset", team: Team = ALONE
) -> torch.Tensor | None:
    """Return the group of each image (N,), on G's device, or None without conditioning.

    With clusters, it also gives G each cluster's share of its class, by which z selects a cluster. Rank 0 of
    a team finds the clusters.
    """
    groups = dataset.labels if config.conditional else None
    if config.clusters > 1:
        classes = len(dataset.classes) if config.conditional else 0
        # "looks" names a random stream; another name would change every run's clusters
        if team.first:
            groups, shares = find_clusters(
                dataset.images, groups, classes, config.clusters, seed_for(config.seed, "looks")
            )
        else:
            groups = torch.empty(len(dataset.images), dtype=torch.int64)
            shares = torch.empty(max(1, classes), config.clusters, dtype=torch.float64)
        team.share(groups)
        team.share(shares)
        G.class_conditioning().set_shares(shares)
    return None if groups is None else groups.to(next(G.parameters()).device)


def fixed_latents(
    config: RunConfig, classes: int, device: torch.device, count: int = 64
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Return z (count, z_dim) and class labels of the samples on a run's sheets; None without classes."""
    rng = torch.Generator().manual_seed(seed_for(config.seed, "grid"))
    z = torch.randn(count, config.z_dim, generator=rng).to(device)
    return z, torch.arange(count, device=device) % classes if classes else None


@dataclass
class Schedule:
    """Values that change over a run, as device tensors () float32 that the step reads."""

    lr_g: torch.Tensor
    lr_d: torch.Tensor
    gamma: torch.Tensor
    ema_beta: torch.Tensor


class Trainer(BaseTrainer):
    """A run in memory. Raises UserError if the config does not fit the data set."""

    G: ImageGenerator
    ema: ImageGenerator

    def __init__(self, config: RunConfig, dataset: "Dataset", device: Device, team: Team = ALONE):
        check_data(config, dataset)
        self.split = split(len(dataset.images), dataset.labels, config.batch, config.images)
        self.held_out = len(self.split.held_out)
        super().__init__(config, torch.device(device.torch_name), self.split.trained, team)
        self.ema_ramps = not config.start_from
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
        self.batches = make_batches(
            dataset.images, self.device, layout, (config.d_steps, config.batch), self._rows_on_host
        )
        torch.manual_seed(seed_for(config.seed, "weights"))
        G, D = build_generator(self.spec), build_discriminator(self.spec)
        self.G = G.to(self.device).to(memory_format=layout)
        self.D = D.to(self.device).to(memory_format=layout)
        self.groups = tell_groups(self.G, config, dataset, team)
        self.running = RunningStatistics((self.G, self.D))
        self.ema = copy.deepcopy(self.G).eval().requires_grad_(False)
        self.schedule = Schedule(*(torch.tensor(0.0, device=self.device) for _ in range(4)))
        self.opt_g = self._adam(self.G, self.schedule.lr_g)
        self.opt_d = self._adam(self.D, self.schedule.lr_d)
        self.rows = torch.zeros(config.d_steps, config.batch, dtype=torch.int64, device=self.device)
        self.augmentation = {
            name: torch.tensor(0.0, device=self.device) for name in ("probability", "overfit")
        }
        # called with whether the step has a penalty
        self.run_step: GraphedStep[bool] | Callable[[bool], torch.Tensor] = (
            GraphedStep(self._train_step, self.rngs) if device.graph else self._train_step
        )
        self.modes: int | None = None  # nobody can count the modes of images
        self.fixed_z, self.fixed_labels = fixed_latents(config, len(self.classes), self.device)

    def _adam(self, module: nn.Module, lr: torch.Tensor) -> Adam:
        return Adam(
            module.parameters(),
            lr,
            (self.config.beta1, self.config.beta2),
            capturable=self.device.type == "cuda",
        )

    def reset_step_state(self) -> None:
        """Drop gradients, optimizer state and captured graphs, also those of a step that failed half-way.

        The memory that this frees makes room for the checkpoint.
        """
        super().reset_step_state()
        self.batches.forget()
        if isinstance(self.run_step, GraphedStep):
            # a generator may stay bound to a capture that failed, so make a new one
            self.rngs = [torch.Generator(self.device)]
            self.run_step = GraphedStep(self._train_step, self.rngs, self.run_step.recorder)
        gc.collect()
        if self.device.type == "cuda":
            torch.cuda.empty_cache()  # also frees the allocator's unused blocks

    def state(self) -> dict[str, torch.Tensor]:
        """Return all tensors that the next step depends on, by name, with augmentation and groups."""
        tensors = super().state()
        tensors |= {f"augmentation.{name}": t for name, t in self.augmentation.items()}
        if self.groups is not None:  # another SciPy version may find other clusters
            tensors["groups"] = self.groups.int()
        return tensors

    def load(self, tensors: dict[str, torch.Tensor]) -> None:
        """Restore what `state` returned, from tensors on the device.

        Raises RuntimeError, KeyError or ValueError for tensors of other networks or images.
        """
        super().load(tensors)
        for name, value in part_of(tensors, "augmentation").items():
            self.augmentation[name].copy_(value)
        if self.groups is not None:
            self.groups.copy_(tensors["groups"])

    def sample(self, z: torch.Tensor, labels: torch.Tensor | None) -> torch.Tensor:
        """Return images of the EMA generator for z (N, z_dim): (N, C, H, W) in [-1, 1]."""
        parts = z.split(SAMPLED)
        classes = [None] * len(parts) if labels is None else labels.split(SAMPLED)
        with torch.inference_mode():
            return torch.cat([self.ema(part, of_part) for part, of_part in zip(parts, classes, strict=True)])

    def sample_grid(self) -> torch.Tensor:
        """Return the 64 images of the run's fixed latents, from the EMA generator."""
        return self.sample(self.fixed_z, self.fixed_labels)

    def _set_schedule(self) -> None:
        """Set this step's learning rates, gamma and EMA decay. Gamma falls by the rates' cosine."""
        config = self.config
        lr = self._lr_share()
        self.schedule.lr_g.fill_(config.lr_g * lr * self._changed("lr_g"))
        self.schedule.lr_d.fill_(config.lr_d * lr * self._changed("lr_d"))
        self.schedule.gamma.fill_(config.gamma * self._cosine(config.gamma_end) * self._changed("gamma"))
        self.schedule.ema_beta.fill_(self._ema_decay())

    def _next_step(self) -> torch.Tensor:
        """Write this step's schedule, rows and seed into the device tensors, and take it.

        Returns METRICS (6,) on the device; the next step overwrites them.
        """
        self._set_schedule()
        for turn in range(self.config.d_steps):
            self._place_batch(turn, self.step * self.config.d_steps + turn)
        self._seed()
        result = self.run_step(self.step % self.config.penalty_every == 0)
        self.step += 1
        return result

    def _place_batch(self, turn: int, index: int) -> None:
        """Prepare batch number `index` of the run for the update of D number `turn`."""
        self.rows[turn] = self._rows(index)
        self.batches.place(turn, index)

    def _batch(self, turn: int) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Return the real images that were placed for an update of D, in [-1, 1], and their groups."""
        rows = self.rows[turn]
        real = self.batches.batch(turn, rows).float().div_(127.5).sub_(1)
        if self.config.flip:
            real = torch.where(
                torch.rand(len(rows), 1, 1, 1, device=self.device, generator=self.rng) < 0.5,
                real.flip(3),
                real,
            )
        return real, None if self.groups is None else self.groups[rows]

    def _generate(self, batch: step.MicroBatch) -> torch.Tensor:
        """Return G's samples for a micro-batch's latents, conditioned on its groups."""
        self.running.use(batch.part)
        with self.autocast():
            return step.generate(self.G, batch).float()

    def _judge(self, images: torch.Tensor, batch: step.MicroBatch) -> torch.Tensor:
        """Return D's logits on images of a micro-batch, augmented as the config says."""
        self.running.use(batch.part)
        images = augment(
            images,
            self.config.augment,
            batch.rng,
            self.augmentation["probability"] if self.config.adaptive else None,
        )
        with self.autocast():
            return self.D(images, batch.groups).float()

    def _train_step(self, penalised: bool) -> torch.Tensor:
        """Take one step: d_steps updates of D, then one of G on D's last fakes. Returns METRICS (6,)."""
        kind = self.config.penalty if penalised else "none"
        self.running.begin(self.parts)
        for turn in range(self.config.d_steps):
            batches = self._micro_batches(*self._batch(turn))
            kept = turn == self.config.d_steps - 1 and self.splits == 1
            with torch.set_grad_enabled(kept):
                fakes = [self._generate(batch) for batch in batches]
            updated = self._update_d(batches, [fake.detach() for fake in fakes], kind)
        self._update_g(batches, fakes if kept else None)
        step.update_ema(self.ema, self.G, self.schedule.ema_beta)
        if self.config.adaptive:
            probability, overfit = self.augmentation["probability"], self.augmentation["overfit"]
            adapt(probability, overfit, updated.sign, self.config.batch)
        return updated.metrics()

    def _micro_batches(self, real: torch.Tensor, groups: step.Groups) -> list[step.MicroBatch]:
        """Return this rank's micro-batches of a real batch with fresh latents."""
        z = torch.randn(len(real), self.config.z_dim, device=self.device, generator=self.rng)
        return self._split(real, groups, z)

    @property
    def _game(self) -> step.Game:
        return step.Game(self._generate, self._judge, self.config.loss, self._add_up)

    def _update_d(
        self, batches: list[step.MicroBatch], fakes: list[torch.Tensor], kind: str
    ) -> step.UpdateOfD:
        # penalty_every compensates for the steps without a penalty ("lazy regularization", StyleGAN2)
        return step.update_d(
            self.D,
            self.opt_d,
            self._game,
            batches,
            fakes,
            kind,
            0.5 * self.schedule.gamma * self.config.penalty_every,
        )

    def _update_g(self, batches: list[step.MicroBatch], fakes: list[torch.Tensor] | None) -> None:
        step.update_g(self.D, self.opt_g, self._game, batches, fakes)


def check_data(config: RunConfig, dataset: "Dataset") -> None:
    """Raise UserError if the data set is smaller than a batch, or lacks the labels that the config needs."""
    if config.batch > len(dataset.images):
        raise UserError("train.batch_too_large", batch=config.batch, count=len(dataset.images))
    if config.conditional and (dataset.labels is None or not dataset.classes):
        raise no_classes(dataset.report, config.data)
