"""Measure the images per second of training, and compare them with the arithmetic limit: python -m
tests.benchmarks.speed.throughput

Every recipe trains on random pixels of each size that GANarium has. It uses the settings for digits (28x28
grey), cifar10 (32x32 colour), landscapes (64x64) and landscapes-128 (128x128). It runs in each precision and
step mode that the machine has. There are two references:
    (a) the DCGAN of PyTorch's tutorial, batch 64, 64x64, on images with as many channels
    (b) each recipe's networks, loss and penalty in a plain eager float32 loop (plain.py)

All take turns, so that other load on the machine hits all of them alike. A turn is never shorter than one
step, or than the steps from one penalty to the next. So a turn of the largest steps takes longer on a CPU.
Options change settings:

    python -m tests.benchmarks.speed.throughput --data digits --variants modern modern:penalty_every=4 modern:precision=bf16

Columns:
    images/s, range             images shown to D: the median over the rounds, and the range
    x tutorial, x plain         the rate over each reference's: the median of the ratios within rounds
    D ms, G ms                  milliseconds of a step in D's updates, and in G's with its fakes
    GFLOP                       of a step
    floor, by, of floor         images/s at the arithmetic floor (floor.py), its bound (FLOP or bytes), and
                                the share of it that the entrant reaches
D ms and G ms are separate measurements with a wait for the device around each part, so graphs have none. The
plain loop draws fakes twice, once in each part.
"""  # noqa: E501

import argparse
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import torch

from gan.config import RunConfig
from gan.data.dataset import Dataset
from gan.device import Device
from gan.errors import UserError
from gan.models import count_parameters
from gan.recipes import RECIPES
from gan.train.autotune.machine import PRECISIONS
from gan.train.autotune.measure import native_bf16
from gan.train.trainer import Trainer
from tests.benchmarks import tutorial
from tests.benchmarks.options import at_least
from tests.benchmarks.speed.floor import Cost, count, floor_seconds, machine, synchronise
from tests.benchmarks.speed.plain import Plain
from tests.benchmarks.tables import markdown
from tests.benchmarks.variants import Variant, config_of, device_of, parse, this_machine


class Shape(NamedTuple):
    """The shape of images, and the settings for them."""

    data: str  # the data set whose settings apply
    size: int
    channels: int


SHAPES = {
    "digits": Shape("digits", 28, 1),
    "cifar10": Shape("cifar10", 32, 3),
    "landscapes": Shape("landscapes", 64, 3),
    "landscapes-128": Shape("landscapes", 128, 3),
}
PICTURES, CLASSES = 512, 10
LOOK = 0.25  # seconds between readings of the clock
SPLIT_SECONDS = 0.5
HEADER = (
    "entrant", "pictures", "arithmetic", "step", "parameters", "images/s", "range", "x tutorial", "x plain",
    "D ms", "G ms", "GFLOP", "floor", "by", "of floor",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Line:
    """A line of the table: a training, and its properties."""

    name: str
    data: str  # a key of SHAPES
    shape: str
    precision: str
    mode: str  # a key of STEP_MODES, or the name of a reference
    device: Device
    images: int  # in a step
    cycle: int  # steps after which the costs of steps repeat
    parameters: int
    advance: Callable[[int], Any]
    split: Callable[[], tuple[float, float]] | None = None  # milliseconds of D and G in a step
    cost: Cost | None = None


# Step mode -> the fields of Device that it changes. Only CUDA has graphs.
STEP_MODES: dict[str, dict[str, Any]] = {"eager": {"graph": False}, "graph": {"graph": True}}


def step_modes(device: Device) -> list[str]:
    """Return the step modes that a device has."""
    return list(STEP_MODES) if device.torch_name == "cuda" else ["eager"]


def precisions(device: Device) -> list[str]:
    """Return the precisions that a device computes in natively."""
    return list(PRECISIONS) if native_bf16(device.torch_name) else ["float32"]


@contextmanager
def timed(owner: Any, parts: dict[str, Sequence[str]], device: str) -> Iterator[dict[str, float]]:
    """Add up the seconds that methods of `owner` take until the end of the block.

    `parts` maps a part to the names of its methods. They must not call each other.
    """
    spent = dict.fromkeys(parts, 0.0)

    def watched(part: str, method: Callable) -> Callable:
        def call(*args: Any, **kwargs: Any) -> Any:
            synchronise(device)
            start = time.perf_counter()
            result = method(*args, **kwargs)
            synchronise(device)
            spent[part] += time.perf_counter() - start
            return result

        return call

    names = [name for methods in parts.values() for name in methods]
    for part, methods in parts.items():
        for name in methods:
            setattr(owner, name, watched(part, getattr(owner, name)))
    try:
        yield spent
    finally:
        for name in names:
            delattr(owner, name)  # uncovers the class's own method


def split_of(
    owner: Any, d: Sequence[str], g: Sequence[str], device: str, cycle: int
) -> Callable[[], tuple[float, float]]:
    """Return a function that measures milliseconds of D and of G in a step of `owner`.

    `owner` has advance(steps). The function takes whole cycles of steps.
    """

    def measure() -> tuple[float, float]:
        steps, end = 0, time.perf_counter() + SPLIT_SECONDS
        with timed(owner, {"D": d, "G": g}, device) as spent:
            while not steps or time.perf_counter() < end:
                owner.advance(cycle)
                steps += cycle
        return 1000 * spent["D"] / steps, 1000 * spent["G"] / steps

    return measure


def pictures(count: int, size: int, channels: int) -> Dataset:
    """Return random pixels to train on, with labels for conditional recipes."""
    images = torch.randint(0, 256, (count, channels, size, size), dtype=torch.uint8)
    return Dataset("noise", images, torch.randint(CLASSES, (count,)), tuple(map(str, range(CLASSES))))


def tutorial_line(data: str, usual: Device) -> Line:
    """Return the line of the tutorial's DCGAN, reference (a), for a data set."""
    channels, device = SHAPES[data].channels, device_of(None, usual)
    pupil = tutorial.Tutorial(pictures(PICTURES, tutorial.SIZE, channels).images, 0, device.torch_name)
    generator, discriminator = count_parameters(pupil.generator), count_parameters(pupil.discriminator)
    cost = count(pupil.advance, 1, generator + discriminator, 0)
    shape = f"{tutorial.SIZE}x{tutorial.SIZE}x{channels}"
    return Line(
        "tutorial",
        data,
        shape,
        "float32",
        "tutorial",
        device,
        tutorial.BATCH,
        1,
        generator + discriminator,
        pupil.advance,
        None,
        cost,
    )


def variant_lines(
    variant: Variant, config: RunConfig, device: Device, data: str, chosen: Sequence[str]
) -> list[Line]:
    """Return the lines of a variant: reference (b), then every precision and step mode.

    There are none where the variant's size is not the data set's.
    """
    _, size, channels = SHAPES[data]
    if config.size != size:
        return []
    dataset, plainly = pictures(max(PICTURES, config.batch), size, channels), device_of(None, device)
    pupil = Plain(config, dataset, device.torch_name)
    common = {
        "name": variant.name,
        "data": data,
        "shape": f"{size}x{size}x{channels}",
        "images": config.batch * config.d_steps,
        "cycle": config.penalty_every,
    }
    common["parameters"] = count_parameters(pupil.G) + count_parameters(pupil.D)
    cost = count(pupil.advance, config.penalty_every, *weights_touched(config, pupil))
    split = split_of(pupil, ["_update_d"], ["_update_g"], device.torch_name, config.penalty_every)
    lines = [
        Line(
            **common,
            precision="float32",
            mode="plain",
            device=plainly,
            advance=pupil.advance,
            split=split,
            cost=cost,
        )
    ]
    for precision in [variant.how["precision"]] if "precision" in variant.how else chosen:
        lines += our_lines(config, dataset, replace(device, precision=precision), common)
    return lines


def our_lines(config: RunConfig, dataset: Dataset, device: Device, common: dict[str, Any]) -> list[Line]:
    """Return a variant's lines in one precision and every step mode.

    The cost of a step is counted without a graph.
    """
    lines: list[Line] = []
    for mode in step_modes(device):
        how = replace(device, **STEP_MODES[mode])
        trainer = Trainer(config, dataset, how)
        split = None
        if mode == "eager":
            cost = count(trainer.advance, config.penalty_every, *weights_touched(config, trainer))
            split = split_of(
                trainer, ["_update_d"], ["_generate", "_update_g"], device.torch_name, config.penalty_every
            )
        lines.append(
            Line(
                **common,
                precision=device.precision,
                mode=mode,
                device=how,
                advance=trainer.advance,
                split=split,
                cost=cost,
            )
        )
    return lines


def weights_touched(config: RunConfig, pupil: Plain | Trainer) -> tuple[int, int]:
    """Return the numbers of weights that Adam and the EMA touch in a step."""
    generator, discriminator = count_parameters(pupil.G), count_parameters(pupil.D)
    return generator + config.d_steps * discriminator, generator


def rate(line: Line, seconds: float) -> float:
    """Measure images per second over about `seconds`, in whole cycles.

    At least one cycle runs, however long it takes.
    """
    torch.set_num_threads(line.device.threads)
    steps, done, start = line.cycle, 0, time.perf_counter()
    while (spent := time.perf_counter() - start) < seconds:
        if done:
            steps = line.cycle * max(1, round(done / spent * min(LOOK, seconds - spent) / line.cycle))
        line.advance(steps)
        synchronise(line.device.torch_name)
        done += steps
    return done * line.images / spent


def times(line: Line, mode: str, rounds: Sequence[dict[Line, float]]) -> str:
    """Return the median ratio of a line's rate to its reference's rate in the same round.

    `mode` names the reference.
    """
    others = [
        other
        for other in rounds[0]
        if (other.mode, other.data) == (mode, line.data) and other.name in (line.name, "tutorial")
    ]
    return f"{statistics.median(rates[line] / rates[others[0]] for rates in rounds):.2f}" if others else "–"


def row(line: Line, rounds: Sequence[dict[Line, float]]) -> list[str]:
    """Return the cells of a line, from the images/s of all lines in each round."""
    mine = [rates[line] for rates in rounds]
    split = [f"{ms:.1f}" for ms in line.split()] if line.split else ["–", "–"]
    seconds, bound = floor_seconds(
        line.cost, machine(line.device.torch_name, line.precision, line.device.threads)
    )
    most = line.images / seconds
    return [
        line.name, f"{line.data} {line.shape}", line.precision, line.mode, f"{line.parameters:,}",
        f"{statistics.median(mine):.1f}", f"{min(mine):.1f}-{max(mine):.1f}", times(line, "tutorial", rounds),
        times(line, "plain", rounds),
        *split, f"{line.cost.flops / 1e9:.2f}", f"{most:.0f}", bound, f"{statistics.median(mine) / most:.0%}",
    ]  # fmt: skip


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", choices=list(SHAPES), nargs="+", default=list(SHAPES))
    parser.add_argument(
        "--variants",
        type=parse,
        nargs="+",
        metavar="RECIPE[:SETTING=VALUE,...]",
        help=(
            "default: all recipes, and on a GPU the tutorial's networks at its batch in our step, "
            "dcgan:batch=64"
        ),
    )
    parser.add_argument(
        "--precisions",
        choices=PRECISIONS,
        nargs="+",
        help="default: those that the machine calculates in natively",
    )
    parser.add_argument("--rounds", type=at_least(1, int), default=5)
    parser.add_argument("--seconds", type=at_least(0.01), default=4.0, help="time for each line in a round")
    return parser


def main(words: Sequence[str] | None = None) -> None:
    """Measure, and print the table."""
    parser = arguments()
    options = parser.parse_args(words)
    device = this_machine()
    torch.set_num_threads(device.threads)
    torch.set_flush_denormal(True)
    variants = options.variants or [
        parse(name) for name in (*RECIPES, *(["dcgan:batch=64"] if device.torch_name == "cuda" else []))
    ]
    lines: list[Line] = []
    try:
        # Makes all configs first, so that mistakes are reported before anything is built.
        plans = {
            data: [
                (variant, config_of(variant, *SHAPES[data]), device_of(variant, device))
                for variant in variants
            ]
            for data in options.data
        }
        for data, plan in plans.items():
            lines.append(tutorial_line(data, device))
            for variant, config, how in plan:
                lines += variant_lines(variant, config, how, data, options.precisions or precisions(device))
    except (UserError, argparse.ArgumentTypeError) as error:
        parser.error(str(error))
    for line in lines:
        rate(line, min(1.0, options.seconds))  # the first steps choose kernels and capture graphs
    rounds = [{line: rate(line, options.seconds) for line in lines} for _ in range(options.rounds)]
    rows = [row(line, rounds) for line in lines]
    print(f"{device.label}, torch {torch.__version__}, {options.rounds} rounds of {options.seconds:g} s")
    for precision in sorted({line.precision for line in lines}):
        able = machine(device.torch_name, precision, device.threads)
        print(
            f"{precision}: matrix products {able.flops / 1e9:,.0f} GFLOP/s with {device.threads} "
            f"threads, copies {able.bytes / 1e9:.0f} GB/s"
        )
    print("\n" + markdown(HEADER, rows))


if __name__ == "__main__":
    main()
