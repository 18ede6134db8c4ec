"""Find out what this machine can do. Importing this module touches neither torch nor a GPU."""

import contextlib
import math
import os
from dataclasses import dataclass
from pathlib import Path


def cpu_quota() -> int:
    """Return the whole cores that this process may use, at least 1.

    It is the minimum of the affinity, the cgroup's quota and OMP_NUM_THREADS. os.cpu_count() counts the
    host's cores: a container with two cores would start 64 threads.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)
    asked = os.environ.get("OMP_NUM_THREADS", "")
    return max(1, min(cores, _cgroup_cores(), int(asked) if asked.isdigit() else cores))


def _cgroup_cores() -> int:
    """Return the cgroup's CPU limit in whole cores, 65,536 if there is none (v2's cpu.max or v1's quota)."""
    unlimited = 1 << 16
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        return unlimited if quota == "max" else math.ceil(int(quota) / int(period))
    except (OSError, ValueError):
        pass
    try:
        given = int(Path("/sys/fs/cgroup/cpu/cpu.cfs_quota_us").read_text())
        every = int(Path("/sys/fs/cgroup/cpu/cpu.cfs_period_us").read_text())
        return unlimited if given <= 0 else math.ceil(given / every)
    except (OSError, ValueError):
        return unlimited


def memory_limit() -> int:
    """Return the bytes of memory that this process may use: the machine's, or the cgroup's limit (v2, v1)."""
    import psutil

    found = [psutil.virtual_memory().total]
    for place in ("memory.max", "memory/memory.limit_in_bytes"):
        with contextlib.suppress(OSError, ValueError):  # no such cgroup, or "max"
            found.append(int((Path("/sys/fs/cgroup") / place).read_text()))
    return min(found)


@dataclass(frozen=True)
class Device:
    """Where and how a run trains."""

    torch_name: str  # "cpu" or "cuda"
    label: str  # a name for people
    threads: int  # of the CPU
    precision: str = "float32"  # or "bf16"
    channels_last: bool = True  # memory format
    graph: bool = False  # whether the step runs as a captured CUDA graph


def pick_device() -> Device:
    """Return the GPU if torch sees one, else the CPU. Call it only in a worker or command: it starts CUDA.

    On a GPU it restricts cuDNN and cuBLAS to deterministic algorithms, so that a resumed run ends like an
    uninterrupted one.
    """
    import torch

    threads = cpu_quota()
    if torch.cuda.is_available():
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS reads it at its first use
        torch.backends.cudnn.deterministic = True
        return Device("cuda", torch.cuda.get_device_name(), threads, graph=True)
    return Device("cpu", cpu_label(threads), threads)


def cpu_label(threads: int) -> str:
    """Return a CPU's name for people."""
    return f"CPU, {threads} threads" if threads > 1 else "CPU, 1 thread"


def be_nice(nice: int) -> None:
    """Lower this process's priority by `nice` (0 to 19), so that the page stays responsive. No-op on Windows.

    Linux may schedule whole sessions as groups (sched_autogroup), and a worker has its own session. The nice
    value of a process then has no effect on other sessions, so this sets that of the group too.
    """
    if not nice or not hasattr(os, "nice"):
        return
    with contextlib.suppress(OSError):
        os.nice(nice)
    with contextlib.suppress(OSError):
        Path("/proc/self/autogroup").write_text(str(nice), encoding="ascii")
