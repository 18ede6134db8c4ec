"""Send runs that train in leases to the tracker of their setting, from a child process after each lease.

The lease is paid by its second, so it sends nothing itself. A thread of the server would break the forks of
later leases.
"""

import contextlib
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from gan.export.track import CHILD_WITHIN, NEEDS
from gan.files import read_object
from gan.ui.server.children.processes import Children

SECONDS = CHILD_WITHIN + 60  # for the child, which also starts and imports


class Trackers:
    """The children of one server, one at a time."""

    def __init__(self) -> None:
        self._children = Children()
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="trackers")

    def send(self, run_dir: Path) -> None:
        """Send what is new of a run, if its setting names a tracker. Returns at once."""
        if read_object(run_dir / "config.json").get("track") in NEEDS:
            self._threads.submit(self._send, run_dir.absolute())

    def _send(self, run_dir: Path) -> None:
        # the next lease sends the rest, and the log has what the child said
        with contextlib.suppress(ValueError, RecursionError, OSError, subprocess.TimeoutExpired):
            self._children.ask([sys.executable, "-m", "gan.export.track", str(run_dir)], SECONDS)

    def close(self) -> None:
        """Kill the running child, and start no more."""
        self._children.close()
        self._threads.shutdown(cancel_futures=True)
