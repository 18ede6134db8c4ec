"""Look closer at the samples of runs in child processes, one at a time, and remember what they found.

A child reads weights of strangers and needs torch, and its answer is the same for a whole class.
"""

import logging
import subprocess
import sys
import threading
import time
from collections import OrderedDict
from pathlib import Path
from typing import Any

from gan.errors import UserError
from gan.runs.processes import checked
from gan.runs.store import CHECKPOINTS
from gan.ui.server.children.processes import Children, Shared

COMMAND = (sys.executable, "-m", "gan.export.tiles")
SECONDS = 120  # for one look
FRESH = 30.0  # seconds for which an answer about older weights of a run that trains will do
KEPT = 64  # answers; one has at most some 100 KB
_log = logging.getLogger(__name__)

Key = tuple[Path, tuple[str, ...]]  # the directory of a run, and the options of the command


class TileLooks:
    """The looks of one server. Any thread may call the methods."""

    def __init__(self) -> None:
        self._children = Children()
        self._shared: Shared[Key, dict[str, Any]] = Shared(1, "tiles")
        self._lock = threading.Lock()
        # key -> when it was found, the mark of the checkpoint by which it was found, and the answer
        self._found: OrderedDict[Key, tuple[float, int, dict[str, Any]]] = OrderedDict()

    def saliency(self, run_dir: Path, tile: int) -> dict[str, Any]:
        """Return what `gan.export.tiles.look` finds. Raises UserError."""
        return self._answer((run_dir, ("--tile", str(tile))))

    def nearest(self, run_dir: Path) -> dict[str, Any]:
        """Return what `gan.export.tiles.find_nearest` finds. Raises UserError.

        The caller has checked that the sender may see the images of the run.
        """
        return self._answer((run_dir, ()))

    def pairs(self, run_dir: Path) -> dict[str, Any]:
        """Return what `gan.export.tiles.draw_pairs` finds; otherwise as `nearest`."""
        return self._answer((run_dir, ("--pairs",)))

    def close(self) -> None:
        """Kill the running child, and start no more."""
        self._children.close()
        self._shared.close()

    def _answer(self, key: Key) -> dict[str, Any]:
        found = self._shared.result(key, lambda: self._work(key), known=lambda: self._known(key))
        assert found is not None, "without a deadline there is an answer or an error"
        return found

    def _known(self, key: Key) -> dict[str, Any] | None:
        """Return an answer that was found by the newest checkpoint, or a moment ago, or None."""
        with self._lock:
            found = self._found.get(key)
        if found is None:
            return None
        at, mark, answer = found
        return answer if mark == _mark(key[0]) or time.monotonic() < at + FRESH else None

    def _work(self, key: Key) -> dict[str, Any]:
        run_dir, options = key
        mark = _mark(run_dir)
        try:
            answer = self._children.ask([*COMMAND, str(run_dir), *options], SECONDS)
        except subprocess.TimeoutExpired as error:
            raise UserError("runs.look_late", seconds=SECONDS) from error
        except (ValueError, RecursionError) as error:  # it was killed, or failed: the log has it
            raise UserError("runs.look_failed") from error
        found = checked(answer, "runs.look_failed")
        with self._lock:
            self._found[key] = (time.monotonic(), mark, found)
            self._found.move_to_end(key)
            while len(self._found) > KEPT:
                self._found.popitem(last=False)
        return found


def _mark(run_dir: Path) -> int:
    """Return a number that changes with the newest checkpoint; 0 without one."""
    try:
        return (run_dir / "state" / CHECKPOINTS[0]).stat().st_mtime_ns
    except OSError:
        return 0
