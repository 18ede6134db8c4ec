"""How much of the machine a process takes beside the page."""

import contextlib
import os
from pathlib import Path


def be_nice(nice: int) -> None:
    """Lower this process's priority by `nice` (0 to 19), so that the page beside it stays quick; nothing where the system has no such thing, as Windows.

    Linux schedules sessions as groups (sched_autogroup) where it is so configured, and a worker has a session of its own: there the nice value of a
    process means nothing to other sessions, and that of its group has to be set as well.
    """
    if not nice or not hasattr(os, "nice"):
        return
    with contextlib.suppress(OSError):
        os.nice(nice)
    with contextlib.suppress(OSError):
        Path("/proc/self/autogroup").write_text(str(nice), encoding="ascii")
