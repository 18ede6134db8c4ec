"""A Space with ZeroGPU, and runs of its visitors."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from unittest import mock

from gan.files import write_bytes, write_json
from gan.runs import marks
from gan.runs.store import Store
from gan.ui.server.visitors import Visitors, find_key
from gan.worker.leased import prepare
from tests.fakes import gpus
from tests.fakes.runs import tiny
from tests.support.browsing import SPACE, serve_program

STEPS = 3 * gpus.SLICE  # of a run whose leases take a third each


class ZeroSpace(NamedTuple):
    """A served Space, the fake of its service, and its runs."""

    address: str
    service: gpus.Gpus
    store: Store

    def owns(self, visit: str, run: Path) -> str:
        """Move a prepared run into the server's folder, as one of the visitor with this cookie. Returns its
        id.
        """
        mark = Visitors(find_key(self.store.root))._hash("mark", visit.partition(".")[0])
        write_bytes(run / marks.FILE, mark.encode())
        run.rename(self.store.root / run.name)
        return run.name


@contextlib.contextmanager
def zero_space(folder: Path) -> Iterator[ZeroSpace]:
    """Serve a Space with ZeroGPU and its fake service. The server's log is the file `log` in the folder."""
    secret = {"OAUTH_CLIENT_SECRET": "secret"}  # the key of the visitors follows from it
    with gpus.gpus() as (service, variables), mock.patch.dict(os.environ, secret):
        more = {**variables, **SPACE, **secret}
        runs = folder / "runs"
        with serve_program(runs, program=gpus.PROGRAM, more=more, log=folder / "log") as address:
            yield ZeroSpace(address, service, Store(runs))


def made(folder: Path, name: str, steps: int = STEPS, seed: int = gpus.SLICED) -> Path:
    """Prepare a run that then waits for its first lease. Returns its folder."""
    run = folder / name
    write_json(run / "config.json", tiny(steps, seed=seed).to_json())
    prepare(run)
    return run
