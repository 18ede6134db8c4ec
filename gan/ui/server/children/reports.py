"""Write the reports of runs in child processes: a stranger's sample sheets are decoded there."""

import logging
import subprocess
import sys
from pathlib import Path

from gan.errors import UserError
from gan.ui.server.children.processes import Children

SECONDS = 150  # for one report; a run of a week, with 2.4 million lines, takes about 28 s of a core
_log = logging.getLogger(__name__)


class Reports:
    """The children of one server. The limit of the route says how many run at once."""

    def __init__(self) -> None:
        self._children = Children()

    def write(self, run_dir: Path, language: str) -> bytes:
        """Return the report of a run as HTML. Raises UserError where the child fails or takes too long."""
        command = [sys.executable, "-m", "gan.cli.report", str(run_dir), "--out", "-"]
        try:
            return self._children.read([*command, "--language", language], SECONDS)
        except (ValueError, subprocess.TimeoutExpired) as error:
            _log.error("no report of %s: %s", run_dir, error)
            raise UserError("export.no_report", name=run_dir.name) from error

    def close(self) -> None:
        """Kill the running children, and start no more."""
        self._children.close()
