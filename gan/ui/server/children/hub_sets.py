"""Pull data sets of the Hub in a child process, one at a time, and store them beside the uploads.

The child sends no token: the server's own one would open its owner's private sets to every visitor.
"""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gan.errors import UserError
from gan.files import free_bytes
from gan.runs.disk import writing
from gan.runs.processes import checked
from gan.ui.server.children.processes import Children, Shared

COMMAND = (sys.executable, "-m", "gan.hub.sets")
MINUTES = 15.0  # for one pull
# Bytes that must be free before a pull: the largest set, and what stays free in any case. The child checks
# whether a zip needs more.
ROOM = 3 * 2**30
STAGING = ".pulls"  # the folder beside the uploads in which the child writes


class HubSets:
    """The pulls of one server: one for each name and number of pictures, shared by all who ask for it."""

    def __init__(self) -> None:
        self._children = Children()
        self.ask = self._children.ask
        self._shared: Shared[tuple[str, int], Any] = Shared(1, "hub-set")

    def pulled(
        self, name: str, cap: int, uploads: Path, settle: Callable[[Path], Any], seconds: float | None
    ) -> Any | None:
        """Return what `settle` makes of the zip of a set, or None where that takes longer than `seconds`;
        with None it waits for the end.

        name: see gan.hub.sets.parse. settle: takes the zip from its staging folder, if it is there, in the
        thread of the pull. Raises UserError.
        """
        work = lambda: settle(self._pull(name, cap, uploads))  # noqa: E731
        return self._shared.result((name, cap), work, seconds)

    def close(self) -> None:
        """Kill the running pull."""
        self._children.close()
        self._shared.close()

    def _pull(self, name: str, cap: int, uploads: Path) -> Path:
        if free_bytes(uploads.parent) < ROOM:
            raise UserError("ui.no_room")
        staging = uploads.parent / STAGING
        command = [*COMMAND, name, "--cap", str(cap), "--into", str(staging), "--known", str(uploads)]
        try:
            answer = self.ask(command, 60 * MINUTES)
        except subprocess.TimeoutExpired as error:
            shutil.rmtree(staging, ignore_errors=True)
            raise UserError("hub.set_too_slow", name=name, minutes=round(MINUTES)) from error
        except (ValueError, RecursionError) as error:
            shutil.rmtree(staging, ignore_errors=True)  # the child was killed, also by a full memory
            raise UserError("hub.set_not_read", name=name) from error
        return Path(checked(answer, "hub.set_not_read", name=name)["path"])


def settle(path: Path, uploads: Path) -> Path:
    """Move the folder of a pulled zip from the staging folder to the uploads. Returns the zip's new path."""
    target = uploads / path.parent.name
    if path.parent != target:
        with writing():
            uploads.mkdir(parents=True, exist_ok=True)
            path.parent.replace(target)
    return target / path.name
