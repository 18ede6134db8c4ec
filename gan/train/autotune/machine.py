"""What is known of this machine: how it trains fastest, and how fast that is. Measured once by the self-test
and kept in the user's cache folder.

This module reads and writes that knowledge without torch, so that the web server can tell what a run will
cost. What is kept belongs to one processor, one number of cores and one torch; where any of them changes the
self-test measures again.
"""

import contextlib
import dataclasses
import functools
import hashlib
import importlib.metadata
import json
import math
import os
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gan.data.cache import cache_dir
from gan.device import Device, cpu_label, cpu_quota
from gan.files import read_json, write_json

FORMAT = 2  # of the file; a change of what the self-test measures is a change of the format too
PRECISIONS = ("float32", "bf16")
_CPU_LINES = (
    "model name",
    "cpu family",
    "model",
    "stepping",
    "flags",
    "Features",
    "CPU implementer",
    "CPU part",
)


@dataclass(frozen=True)
class Work:
    """What a piece of training asks of a machine: calls of torch's operations, and
    floating-point operations.
    """

    calls: float
    flops: float

    def __add__(self, other: "Work") -> "Work":
        return Work(self.calls + other.calls, self.flops + other.flops)

    def __mul__(self, factor: float) -> "Work":
        return Work(self.calls * factor, self.flops * factor)


@dataclass(frozen=True)
class Speed:
    """Seconds that each of them takes on a machine.

    Bytes moved would be a third, but they grow with the operations so evenly that a few short timings can't
    tell the two apart.
    """

    call: float
    flop: float

    def seconds(self, work: Work) -> float:
        """How long that work takes."""
        return self.call * work.calls + self.flop * work.flops


@dataclass(frozen=True)
class Trial:
    """One way to train that was tried, and the least seconds of a step of each workload; what was given up on
    has none.
    """

    threads: int
    precision: str
    channels_last: bool
    seconds: dict[str, float]


@dataclass(frozen=True)
class Machine:
    """What the self-test found for the device called `label`.

    base: bytes of memory that a worker takes before it has a run. quiet: false where other programs kept the
    cores busy meanwhile.
    """

    label: str
    torch_name: str
    threads: int
    precision: str
    channels_last: bool
    speed: Speed
    base: int
    quiet: bool = True
    trials: tuple[Trial, ...] = ()

    def device(self, picked: Device) -> Device:
        """The device that `pick_device` gave, set up as this machine trains fastest."""
        return set_up(picked, self.threads, self.precision, self.channels_last)


def set_up(device: Device, threads: int, precision: str, channels_last: bool) -> Device:
    """A device that takes its steps in another way."""
    label = cpu_label(threads) if device.torch_name == "cpu" else device.label
    return dataclasses.replace(
        device, label=label, threads=threads, precision=precision, channels_last=channels_last
    )


def compute(device: Device) -> dict[str, Any]:
    """What of a device the results of a run depend on: stands in its status and in its checkpoints, there
    with the device's kind.
    """
    return {"threads": device.threads, "precision": device.precision, "channels_last": device.channels_last}


def same_compute(device: Device, recorded: Any) -> Device | None:
    """The device set up as a run has begun on it, or None where this machine can't do that, or where nothing
    sensible was recorded.

    recorded: `compute` with an entry "device", torch's name of it, as the worker keeps it in the checkpoint.
    """
    if not isinstance(recorded, dict) or recorded.get("device") != device.torch_name:
        return None
    threads, precision, layout = (recorded.get(name) for name in ("threads", "precision", "channels_last"))
    if (
        type(threads) is not int
        or not 1 <= threads <= cpu_quota()
        or precision not in PRECISIONS
        or type(layout) is not bool
    ):
        return None
    return set_up(device, threads, precision, layout)


@functools.cache
def _cpu() -> str:
    """What the system says of the first core, or the kind of processor where it says nothing; a name alone is
    shared by processors that differ.
    """
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text().partition("\n\n")[0].splitlines()
        found = sorted(line for line in lines if line.partition(":")[0].strip() in _CPU_LINES)
        if found:
            return "\n".join(found)
    return f"{platform.machine()} {platform.processor()}"


def path() -> Path:
    """Where this machine is remembered. The GPU's name stands inside the file, because asking for it would
    start CUDA in the web server.
    """
    try:
        torch = importlib.metadata.version("torch")
    except importlib.metadata.PackageNotFoundError:
        torch = "?"
    parts = (FORMAT, _cpu(), cpu_quota(), torch, os.environ.get("CUDA_VISIBLE_DEVICES"))
    return cache_dir() / f"machine-{hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]}.json"


def load_profile() -> Machine | None:
    """What was measured on this machine before, or None: never measured, or its file is damaged."""
    try:
        return _parse(read_json(path()))
    except (OSError, ValueError, TypeError, KeyError):
        return None


_GPUS = ("/dev/nvidiactl", "/dev/dxg", "/dev/kfd")  # NVIDIA's driver, that of Windows below Linux, AMD's


def has_gpu() -> bool:
    """Whether training runs on a GPU here: as was measured, else whether the system has one. Imports no
    torch, which takes seconds.
    """
    known = load_profile()
    return known.torch_name == "cuda" if known else any(Path(place).exists() for place in _GPUS)


def save_profile(machine: Machine) -> None:
    """Remember it. A cache that can't be written is no reason to stop: the next start then measures again."""
    with contextlib.suppress(OSError):
        write_json(path(), dataclasses.asdict(machine))


def _parse(value: dict[str, Any]) -> Machine:
    """Raises ValueError, TypeError or KeyError where a file holds anything that a run or an estimate could
    stumble over.
    """
    trials = tuple(Trial(**trial) for trial in value["trials"])
    machine = Machine(**{**value, "speed": Speed(**value["speed"]), "trials": trials})
    speed = dataclasses.astuple(machine.speed)
    texts = (machine.label, machine.torch_name)
    if (
        not all(type(x) in (int, float) and math.isfinite(x) and x >= 0 for x in speed)
        or not sum(speed) > 0
        or not all(isinstance(x, str) for x in texts)
    ):
        raise ValueError("speed")
    if (
        any(type(x) is not int or x < 1 for x in (machine.threads, machine.base))
        or machine.precision not in PRECISIONS
    ):
        raise ValueError("threads")
    if type(machine.channels_last) is not bool or type(machine.quiet) is not bool:
        raise ValueError("layout")
    return machine
