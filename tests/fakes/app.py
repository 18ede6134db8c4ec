"""Serve the page as app.py does, with changes that save time in tests.

As a program, it is the server without a spare worker, and without torch until somebody explores.
"""

import sys

from gan.cli.serve import run
from gan.latent.serving.model_cache import Explorer
from gan.runs import recovery
from gan.runs.launcher import Launcher


def whole() -> None:
    """Change nothing."""


def bare() -> None:
    """Start no spare worker and draw nothing in advance, for tests that neither train nor explore."""
    Explorer.warm_up = lambda self: None
    Launcher.keep_spare = lambda self, now, active: None


def impatient() -> None:
    """Call a run stalled after 5 seconds, not after a minute."""
    recovery.SILENT = 5.0


if __name__ == "__main__":
    bare()
    run(sys.argv[1:])
