"""Serve the page as app.py does, without a spare worker, and without torch until somebody explores.

Tests that neither train nor explore start this. It saves 8 s of a core at each start.
"""

import sys

from gan.cli.serve import run
from gan.latent.model_cache import Explorer
from gan.runs.supervisor import Supervisor

if __name__ == "__main__":
    Explorer.warm_up = lambda self: None
    Supervisor._keep_spare = lambda self, now: None
    run(sys.argv[1:])
