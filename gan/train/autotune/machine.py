"""The profile of this machine: its fastest training settings and their speed, in the user's cache folder.

The self-test measures it once. This module reads and writes it without torch, so that the web server can
estimate the cost of a run. A profile belongs to one processor, one number of cores and one torch version. If
any of them changes, the self-test measures again.
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

FORMAT = 2  # of the file; raise it also when the self-test measures something else
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
    """The cost of a piece of training: calls of torch operations, and floating-point operations."""

    calls: float
    flops: float

    def __add__(self, other: "Work") -> "Work":
        return Work(self.calls + other.calls, self.flops + other.flops)

    def __mul__(self, factor: float) -> "Work":
        return Work(self.calls * factor, self.flops * factor)


@dataclass(frozen=True)
class Speed:
    """Seconds per call and per floating-point operation on a machine.

    Bytes moved would be a third term. But they grow in proportion to the operations, so a few short timings
    can't separate the two.
    """

    call: float
    flop: float

    def seconds(self, work: Work) -> float:
        """Return how long this work takes."""
        return self.call * work.calls + self.flop * work.flops


@dataclass(frozen=True)
class Trial:
    """Settings that the self-test tried, and the minimum seconds of a step of each workload it finished."""

    threads: int
    precision: str
    channels_last: bool
    seconds: dict[str, float]


@dataclass(frozen=True)
class Machine:
    """The self-test's result for the device called `label`.

    base: bytes of memory that a worker uses before it has a run. quiet: False if other programs used the
    cores during the measurement.
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
        """Return the device from `pick_device` with this machine's fastest settings."""
        return set_up(picked, self.threads, self.precision, self.channels_last)


def set_up(device: Device, threads: int, precision: str, channels_last: bool) -> Device:
    """Return the device with other settings."""
    label = cpu_label(threads) if device.torch_name == "cpu" else device.label
    return dataclasses.replace(
        device, label=label, threads=threads, precision=precision, channels_last=channels_last
    )


def compute(device: Device) -> dict[str, Any]:
    """Return the settings of a device that a run's results depend on, for its status and checkpoints.

    A checkpoint stores the kind of device with them.
    """
    return {"threads": device.threads, "precision": device.precision, "channels_last": device.channels_last}


def same_compute(device: Device, recorded: Any) -> Device | None:
    """Return the device with the settings of a run's checkpoint, or None if this machine can't have them.

    recorded: `compute` with an entry "device" (torch's name), as the worker writes it; None if it makes no
    sense.
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
    """Return the system's description of the first core, else the kind of processor.

    Different processors share a name, so the name alone is not enough.
    """
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text().partition("\n\n")[0].splitlines()
        found = sorted(line for line in lines if line.partition(":")[0].strip() in _CPU_LINES)
        if found:
            return "\n".join(found)
    return f"{platform.machine()} {platform.processor()}"


def path() -> Path:
    """Return the file of this machine's profile.

    The GPU's name is inside the file, because asking for it would start CUDA in the web server. Which of
    several GPUs this process may see makes no difference: pools and clusters name another one each time.
    """
    try:
        torch = importlib.metadata.version("torch")
    except importlib.metadata.PackageNotFoundError:
        torch = "?"
    # not which GPU is visible: those of a pool are alike, and the file names its own
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES", "all").strip() in ("", "-1")
    parts = (FORMAT, _cpu(), cpu_quota(), torch, hidden)
    return cache_dir() / f"machine-{hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]}.json"


def load_profile() -> Machine | None:
    """Return the profile of this machine, or None if it is missing or damaged."""
    try:
        return _parse(read_json(path()))
    except (OSError, ValueError, TypeError, KeyError):
        return None


_GPUS = ("/dev/nvidiactl", "/dev/dxg", "/dev/kfd")  # the drivers of NVIDIA, WSL and AMD


def has_gpu() -> bool:
    """Return whether training runs on a GPU, by the profile, else by the system's drivers.

    It does not import torch, which takes seconds.
    """
    known = load_profile()
    return known.torch_name == "cuda" if known else any(Path(place).exists() for place in _GPUS)


def count_gpus() -> int:
    """Return how many NVIDIA GPUs a worker would see, without torch: by the drivers' files.

    CUDA_VISIBLE_DEVICES limits them.
    """
    shown = os.environ.get("CUDA_VISIBLE_DEVICES")
    found = sum(path.name[6:].isdigit() for path in Path("/dev").glob("nvidia*"))
    return found if shown is None else min(found, sum(bool(name.strip()) for name in shown.split(",")))


def save_profile(machine: Machine) -> None:
    """Write the profile. If the cache is not writable, the next start measures again."""
    with contextlib.suppress(OSError):
        write_json(path(), dataclasses.asdict(machine))


def _parse(value: dict[str, Any]) -> Machine:
    """Parse a profile. Raises ValueError, TypeError or KeyError for a value that a run could not use."""
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
