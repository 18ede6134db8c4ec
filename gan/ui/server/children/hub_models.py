"""Pull models of the Hub in a child process, which ends when it takes too long.

The child sends no token: the server's own one would open its owner's private models to every visitor.
"""

import subprocess
import sys
from typing import Any

from gan.errors import UserError
from gan.runs.processes import checked
from gan.ui.server.children.processes import Children

COMMAND = (sys.executable, "-m", "gan.hub.pull")
MINUTES = 15.0  # for one pull


class HubModels:
    """The pulls of one server. The route's concurrency limit lets one run at a time."""

    def __init__(self) -> None:
        self._children = Children()
        self.ask = self._children.ask
        self.close = self._children.close

    def pull(self, name: str) -> dict[str, Any]:
        """Pull a model, and return its id and the ids "dropped" for it. Raises UserError."""
        try:
            answer = self.ask([*COMMAND, "--", name], 60 * MINUTES)
        except subprocess.TimeoutExpired as error:
            raise UserError("hub.timeout", name=name) from error
        except (ValueError, RecursionError) as error:  # the child was killed, or failed: the log has it
            raise UserError("hub.broken", name=name) from error
        return checked(answer, "hub.broken", name=name)
