"""What a run will cost and give, before it is started: numbers learnt, images a second, images in the budget,
memory.

The arithmetic of a step is counted on torch's "meta" device, where tensors have shapes and no contents, by
the very networks and losses that the trainer uses. How long that takes is what the self-test measured for
this machine (gan.train.autotune.machine).
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
from gan.models import ModelSpec, build_discriminator, build_generator, count_parameters
from gan.train.augment import augment
from gan.train.autotune.machine import Machine, Work
from gan.train.step import Game, MicroBatch, accumulate_g_gradients, d_objective, generate
from gan.train.throttle import CHUNK_SECONDS, GRID_SECONDS, GRID_SHARE
from gan.train.trainer import SAMPLED, model_spec

# The settings that decide what a step does; the others can be moved without counting again.
COUNTED = (
    "size", "channels", "architecture", "loss", "penalty", "penalty_every", "d_steps", "batch", "width",
    "z_dim", "augment", "pixel", "conditional", "clusters",
)  # fmt: skip
GRID = 64  # images of a grid
ENCODE_SECONDS, ENCODE_BYTE = 5e-3, 3e-8  # a grid's way to its file
FILES_SHARE = 0.01  # of the time, for checkpoints, the live generator and the status
KEPT_IN_BF16 = 0.6  # part of the activations' bytes where convolutions work in half of them
# Numbers of 4 bytes kept for each one learnt: G has its gradient, two moments, the average and the one that
# is being written; D has no average.
KEPT_G, KEPT_D = 6, 4


@dataclass(frozen=True)
class Step:
    """One training step, averaged over those with and without a penalty, and one grid of samples."""

    parameters_g: int
    parameters_d: int
    work: Work
    grid: Work
    activations: float  # bytes that are alive at once at most, beside weights and data


@dataclass(frozen=True)
class Cost:
    """What a run will take and give. What hangs on the machine is None where it has not been measured yet."""

    parameters_g: int
    parameters_d: int
    images_per_second: float | None = None
    kimg: float | None = None  # thousand images shown to D in the whole run
    # at most at once: of the GPU where it trains there, else of the worker process
    memory_bytes: int | None = None


def estimate(config: RunConfig, known: Machine | None, count: int, classes: int = 0) -> Cost:
    """The cost of a run on `count` pictures with so many class labels, on the machine that is
    known, if any.
    """
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
    """Part of the time that goes into grids: they begin between chunks of steps, and rest after they took
    long (gan.train.throttle).
    """
    grid = drawing + ENCODE_SECONDS + ENCODE_BYTE * GRID * config.channels * config.size**2
    return grid / (max(GRID_SECONDS, grid / GRID_SHARE) + max(CHUNK_SECONDS, step) / 2)


def _memory(config: RunConfig, known: Machine, step: Step, count: int) -> int:
    """Bytes. While the pictures are put in place on a CPU there are two copies of them, before there is
    anything else.
    """
    pictures = count * config.channels * config.size**2
    networks = 4 * (KEPT_G * step.parameters_g + KEPT_D * step.parameters_d)
    activations = step.activations * (KEPT_IN_BF16 if known.precision == "bf16" else 1)
    return round(
        known.base
        + max(pictures + networks + activations, pictures * (2 if known.torch_name == "cpu" else 1))
    )


class Tally(TorchDispatchMode):
    """Counts calls, floating-point operations and bytes of new tensors, of all that runs inside it, and bytes
    that its matrix operations read and write.

    The formulas are those of torch's FlopCounterMode, which itself can't be used here: its module hooks
    refuse torch.autograd.grad.
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
        """What was counted, as a machine is asked for it."""
        return Work(self.calls, self.flops)


def _bytes(values: Iterable[Any]) -> int:
    return sum(value.nbytes for value in values if isinstance(value, torch.Tensor))


def count_step(config: RunConfig, classes: int = 0) -> Step:
    """What one step of this config does, with so many class labels where it is conditional. Takes some 0.1 s
    the first time, nothing afterwards.
    """
    labels = classes if config.conditional else 0
    return _count(RunConfig(**{name: getattr(config, name) for name in COUNTED}), labels)


@functools.lru_cache(maxsize=256)
def _count(config: RunConfig, classes: int) -> Step:
    spec = model_spec(config, classes)
    with torch.device("meta"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # weights from a file can't be put into shapes
        G, D = build_generator(spec), build_discriminator(spec)
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
    """The work of one step with this penalty, without the optimizers' own, and the bytes alive before D's
    backward pass: gan.train.step on shapes alone.

    D's updates are all alike, so that one is counted, however many there are: a stranger may ask for the
    most.
    """
    z, groups = _latents(config.batch, config.z_dim, spec.groups)
    batch = MicroBatch(
        torch.empty(config.batch, config.channels, config.size, config.size, device="meta"), groups, z
    )
    game = Game(
        generate=lambda batch: generate(G, batch),
        judge=lambda images, groups: D(augment(images, config.augment, None), groups),
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
