"""What this machine can do. Importing it touches neither torch nor a GPU."""

import contextlib
import math
import os
from dataclasses import dataclass
from pathlib import Path


def cpu_quota() -> int:
    """Whole cores that this process may use: the smallest of its affinity, its cgroup's quota and
    OMP_NUM_THREADS, at least 1.

    os.cpu_count() is the host's figure and makes a container of two cores start 64 threads.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)
    asked = os.environ.get("OMP_NUM_THREADS", "")
    return max(1, min(cores, _cgroup_cores(), int(asked) if asked.isdigit() else cores))


def _cgroup_cores() -> int:
    """The cgroup's CPU limit in whole cores (v2's cpu.max, then v1's quota), or a large number where there is
    none.
    """
    unlimited = 1 << 16
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        return unlimited if quota == "max" else math.ceil(int(quota) / int(period))
    except (OSError, ValueError):
        pass
    try:
        quota = int(Path("/sys/fs/cgroup/cpu/cpu.cfs_quota_us").read_text())
        period = int(Path("/sys/fs/cgroup/cpu/cpu.cfs_period_us").read_text())
        return unlimited if quota <= 0 else math.ceil(quota / period)
    except (OSError, ValueError):
        return unlimited


@dataclass(frozen=True)
class Device:
    """Where and how a run trains: torch's name ("cpu" or "cuda"), a name for people, CPU threads, "float32"
    or "bf16" arithmetic, memory format.
    """

    torch_name: str
    label: str
    threads: int
    precision: str = "float32"
    channels_last: bool = True
    graph: bool = False  # whether the step runs as a captured CUDA graph


def pick_device() -> Device:
    """The GPU where torch sees one, else the CPU. Initialises CUDA, so only a worker or a terminal command
    may call it.

    On a GPU it also has cuDNN and cuBLAS take only algorithms that give the same bits each time: a resumed
    run is to end as one that was left alone.
    """
    import torch

    threads = cpu_quota()
    if torch.cuda.is_available():
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # read when cuBLAS is first used
        torch.backends.cudnn.deterministic = True
        return Device("cuda", torch.cuda.get_device_name(0), threads, graph=True)
    return Device("cpu", cpu_label(threads), threads)


def cpu_label(threads: int) -> str:
    """A CPU's name for people."""
    return f"CPU, {threads} threads" if threads > 1 else "CPU, 1 thread"


def be_nice(nice: int) -> None:
    """Lower this process's priority by `nice` (0 to 19), so that the page beside it stays quick; nothing
    where the system has no such thing, as Windows.

    Linux schedules sessions as groups (sched_autogroup) where it is so configured, and a worker has a session
    of its own: there the nice value of a process means nothing to other sessions, and that of its group has
    to be set as well.
    """
    if not nice or not hasattr(os, "nice"):
        return
    with contextlib.suppress(OSError):
        os.nice(nice)
    with contextlib.suppress(OSError):
        Path("/proc/self/autogroup").write_text(str(nice), encoding="ascii")
