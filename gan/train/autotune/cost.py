"""Estimate a run before it starts: parameters, images per second, images in the budget, memory.

It runs the trainer's own networks and losses on torch's "meta" device and counts the operations. Tensors
there have shapes but no data. The self-test has measured how long this machine takes for an operation
(gan.train.autotune.machine).
"""

import functools
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry

from gan.config import RunConfig
from gan.data.pixels import held
from gan.models import ModelSpec, build_discriminator, build_generator, count_parameters, without_memory
from gan.train.autotune.machine import Machine, Work
from gan.train.inputs.augment import augment
from gan.train.step import Game, MicroBatch, accumulate_g_gradients, d_objective, generate
from gan.train.throttle import CHUNK_SECONDS, GRID_SECONDS, GRID_SHARE
from gan.train.trainer import SAMPLED, model_spec

# The settings that a step's operations depend on. A change of any other setting needs no new count.
COUNTED = (
    "size", "channels", "architecture", "loss", "penalty", "penalty_every", "d_steps", "batch", "width",
    "z_dim", "augment", "pixel", "conditional", "clusters",
)  # fmt: skip
GRID = 64  # images in a grid
ENCODE_SECONDS, ENCODE_BYTE = 5e-3, 3e-8  # seconds to encode and write a grid: fixed, and per byte
FILES_SHARE = 0.01  # fraction of the time for checkpoints, the live generator and the status
KEPT_IN_BF16 = 0.6  # memory of the activations relative to float32
# float32 values in memory per parameter. D: itself, its gradient, Adam's two moments. G: also its EMA, and a
# copy of that for writing.
KEPT_G, KEPT_D = 6, 4


@dataclass(frozen=True)
class Step:
    """The cost of one training step, averaged over steps with and without a penalty, and of a grid."""

    parameters_g: int
    parameters_d: int
    work: Work
    grid: Work
    activations: float  # peak bytes, without weights and data


@dataclass(frozen=True)
class Cost:
    """The estimate for a run. The fields with a default are None if the machine has not been measured."""

    parameters_g: int
    parameters_d: int
    images_per_second: float | None = None
    kimg: float | None = None  # thousands of real images that D sees in the whole run
    memory_bytes: int | None = None  # peak of the GPU, or of the worker process on a CPU


def estimate(config: RunConfig, known: Machine | None, count: int, classes: int = 0) -> Cost:
    """Return the cost of a run on `count` images with so many classes, on a measured machine or None."""
    step = count_step(config, classes)
    if known is None:
        return Cost(step.parameters_g, step.parameters_d)
    seconds = known.speed.seconds(step.work)
    rate = (
        config.batch
        * config.d_steps
        / seconds
        * (1 - FILES_SHARE - _grids_share(seconds, known.speed.seconds(step.grid), config))
    )
    kimg = config.kimg or rate * 60 * config.minutes / 1000
    return Cost(step.parameters_g, step.parameters_d, rate, kimg, _memory(config, known, step, count))


def _grids_share(step: float, drawing: float, config: RunConfig) -> float:
    """Return the fraction of the time that sampling and writing grids takes.

    Grids start between chunks of steps, and become rarer if they take long (gan.train.throttle).
    """
    grid = drawing + ENCODE_SECONDS + ENCODE_BYTE * GRID * config.channels * config.size**2
    return grid / (max(GRID_SECONDS, grid / GRID_SHARE) + max(CHUNK_SECONDS, step) / 2)


def _memory(config: RunConfig, known: Machine, step: Step, count: int) -> int:
    """Return the peak bytes of a run.

    While a CPU changes the layout of the images, two copies of them exist, but nothing else does yet. Images
    beyond a quarter of a CPU's memory stay in a file. A GPU's memory is unknown here, so there they count.
    """
    pictures = count * config.channels * config.size**2
    if known.torch_name == "cpu" and not held(pictures):
        pictures = 0
    networks = 4 * (KEPT_G * step.parameters_g + KEPT_D * step.parameters_d)
    activations = step.activations * (KEPT_IN_BF16 if known.precision == "bf16" else 1)
    return round(
        known.base
        + max(pictures + networks + activations, pictures * (2 if known.torch_name == "cpu" else 1))
    )


class Tally(TorchDispatchMode):
    """Counts the calls, floating-point operations and bytes of new tensors of all torch operations inside it.

    It also counts the bytes that matrix operations read and write. The formulas are those of torch's
    FlopCounterMode. That class does not work here, because its module hooks refuse torch.autograd.grad.
    """

    def __init__(self) -> None:
        super().__init__()
        self.calls = self.flops = self.made = self.moved = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        kwargs = kwargs or {}
        out = func(*args, **kwargs)
        if func.is_view:
            return out
        made = _bytes(tree_leaves(out))
        self.calls += 1
        self.made += made
        count = flop_registry.get(func._overloadpacket)
        if count is not None:
            self.flops += count(*args, **kwargs, out_val=out)
            self.moved += _bytes(args) + made
        return out

    def work(self) -> Work:
        """Return the calls and floating-point operations counted."""
        return Work(self.calls, self.flops)


def _bytes(values: Iterable[Any]) -> int:
    return sum(value.nbytes for value in values if isinstance(value, torch.Tensor))


def count_networks(config: RunConfig, classes: int = 0) -> tuple[int, int]:
    """Return the numbers of parameters of G and D, with so many classes if the config is conditional."""
    return _count_networks(*_counted(config, classes))


def count_step(config: RunConfig, classes: int = 0) -> Step:
    """Return the cost of one step of this config, with so many classes if it is conditional.

    The first count takes about 0.1 s; later calls read the cache.
    """
    return _count(*_counted(config, classes))


def _counted(config: RunConfig, classes: int) -> tuple[RunConfig, int]:
    """Return the settings that a count depends on, as a key of the caches."""
    return RunConfig(**{name: getattr(config, name) for name in COUNTED}), classes * config.conditional


@functools.lru_cache(maxsize=1024)
def _count_networks(config: RunConfig, classes: int) -> tuple[int, int]:
    G, D = _networks(model_spec(config, classes))
    return count_parameters(G), count_parameters(D)


def _networks(spec: ModelSpec) -> tuple[Any, Any]:
    """Return G and D on the meta device."""
    with without_memory(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # meta tensors can't hold weights loaded from a file
        return build_generator(spec), build_discriminator(spec)


@functools.lru_cache(maxsize=256)
def _count(config: RunConfig, classes: int) -> Step:
    spec = model_spec(config, classes)
    G, D = _networks(spec)
    numbers_g, numbers_d = count_parameters(G), count_parameters(D)
    penalised, activations = _walk(config, G, D, spec, config.penalty)
    often = 0 if config.penalty == "none" else 1 / config.penalty_every
    work = penalised if often == 1 else penalised * often + _walk(config, G, D, spec, "none")[0] * (1 - often)
    with torch.no_grad(), Tally() as drawn:
        G(*_latents(SAMPLED, config.z_dim, classes))
    return Step(numbers_g, numbers_d, work, drawn.work() * (GRID / SAMPLED), activations)


def _latents(count: int, z_dim: int, classes: int) -> tuple[torch.Tensor, torch.Tensor | None]:
    labels = torch.empty(count, dtype=torch.int64, device="meta") if classes else None
    return torch.empty(count, z_dim, device="meta"), labels


def _walk(config: RunConfig, G: Any, D: Any, spec: ModelSpec, penalty: str) -> tuple[Work, int]:
    """Return the work of a step with this penalty, and the bytes alive before D's backward pass.

    It runs gan.train.step on shapes alone, without the optimizers. All updates of D cost the same, so it
    counts one and multiplies: a stranger may ask for the maximum.
    """
    z, groups = _latents(config.batch, config.z_dim, spec.groups)
    batch = MicroBatch(
        torch.empty(config.batch, config.channels, config.size, config.size, device="meta"), groups, z
    )
    game = Game(
        generate=lambda batch: generate(G, batch),
        judge=lambda images, batch: D(augment(images, config.augment, None), batch.groups),
        loss=config.loss,
    )
    G.requires_grad_(True), D.requires_grad_(True)
    with Tally() as turn:
        fake = game.generate(batch)
        objective, _ = d_objective(game, batch, fake.detach(), penalty, 1.0)
        activations = turn.made
        objective.backward(inputs=list(D.parameters()))
    D.requires_grad_(False)
    with Tally() as last:
        accumulate_g_gradients(game, batch, fake)
    return turn.work() * config.d_steps + last.work(), activations
