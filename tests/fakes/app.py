"""Serve the page as app.py does, with changes that save time in tests.

As a program, it is the server without a spare worker, and without torch until somebody explores.
"""

import sys

from gan.cli.serve import run
from gan.latent.serving.model_cache import Explorer
from gan.runs import recovery
from gan.runs.launcher import Launcher
from tests.fakes.runs import FAKE_WORKER


def whole() -> None:
    """Change nothing."""


def bare() -> None:
    """Start no spare worker and draw nothing in advance, for tests that neither train nor explore."""
    Explorer.warm_up = lambda self: None
    Launcher.keep_spare = lambda self, now, active: None


def light() -> None:
    """Keep the fake worker as the spare, and draw nothing in advance: neither imports torch."""
    Explorer.warm_up = lambda self: None
    start = Launcher.__init__
    Launcher.__init__ = lambda self, store, command: start(self, store, FAKE_WORKER)


def cut_off() -> None:
    """Let Gradio's request to its own server fail in a way that nobody thought of."""
    import httpx

    def get(*_: object, **__: object) -> httpx.Response:
        raise httpx.ReadError("cut off")

    httpx.get = get


def impatient() -> None:
    """Call a run stalled after 5 seconds, not after a minute."""
    recovery.SILENT = 5.0


if __name__ == "__main__":
    bare()
    run(sys.argv[1:])
