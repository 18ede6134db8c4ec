"""Let a process that trains on a CPU keep its memory, in large pages.

Every step allocates the same tensors, and frees them. By default glibc gives freed memory back to the kernel,
and each tensor gets it again page by page, thousands of 4 KiB pages a step. With these settings the memory
stays with the process, in pages of 2 MiB. The bits of a run do not change.

`python -m tests.benchmarks.speed.allocation` measures the gain. Other C libraries ignore the variable.
"""

import os
import platform
import sys

VARIABLE = "GLIBC_TUNABLES"  # glibc reads it at the start of a process, and never later
KEPT = 1 << 40  # bytes: more than a process frees
SETTINGS = {
    "glibc.malloc.hugetlb": 1,  # asks the kernel for large pages
    "glibc.malloc.trim_threshold": KEPT,  # free memory above which the heap shrinks
    "glibc.malloc.mmap_threshold": 1 << 30,  # bytes of an allocation that returns to the kernel when freed
}


def environment() -> dict[str, str]:
    """Return what a process that trains adds to its environment: nothing where the user has set it."""
    if VARIABLE in os.environ:
        return {}
    return {VARIABLE: ":".join(f"{name}={value}" for name, value in SETTINGS.items())}


def restart() -> None:
    """Run this program anew, as the same process, with `environment`. It returns where that changes nothing.

    A program calls it first, before it has imported torch or opened files.
    """
    added = environment()
    if added and platform.libc_ver()[0] == "glibc":
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], {**os.environ, **added})
