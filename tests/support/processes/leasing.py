"""Serve a Space with ZeroGPU and the fake of its device service, and lease GPUs as a visitor."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import httpx

from gan.files import write_bytes, write_json
from gan.runs import marks
from gan.runs.store import Store
from gan.ui.server.people.visitors import COOKIE, Visitors, find_key
from gan.ui.server.requests.http import PREFIX
from gan.worker.leased import prepare
from tests.fakes import gpus
from tests.fakes.runs import tiny
from tests.support.page.browsing import SPACE, serve_program

STEPS = 3 * gpus.SLICE  # of a run whose leases take a third each


class ZeroSpace(NamedTuple):
    """A served Space, the fake of its service, and its runs. `visit` is the cookie of a visitor."""

    address: str
    service: gpus.Gpus
    store: Store

    def marks(self, visit: str, run: Path) -> None:
        """Make a run this visitor's."""
        mark = Visitors(find_key(self.store.root))._hash("mark", visit.partition(".")[0])
        write_bytes(run / marks.FILE, mark.encode())

    def owns(self, visit: str, run: Path) -> str:
        """Move a prepared run of this visitor into the server's folder. Returns its id."""
        self.marks(visit, run)
        run.rename(self.store.root / run.name)
        return run.name


class Visitor:
    """A browser of somebody who is signed in at Hugging Face, so that its proxy adds a token."""

    def __init__(self, space: ZeroSpace):
        self.space, self.service, self.store = space, space.service, space.store
        self.http = httpx.Client(base_url=space.address.rstrip("/") + PREFIX, timeout=600)
        given = self.http.get("/access").headers["set-cookie"]
        self.visit = re.search(rf"{COOKIE}=([^;]+)", given)[1]
        self.http.headers.update({"cookie": f"{COOKIE}={self.visit}", "x-ip-token": gpus.TOKEN})

    def marks(self, run: Path) -> None:
        """Make a run this visitor's."""
        self.space.marks(self.visit, run)

    def owns(self, run: Path) -> str:
        """Move a prepared run of this visitor into the server's folder. Returns its id."""
        return self.space.owns(self.visit, run)

    def lease(self, run_id: str, seconds: object = 60, **headers: str) -> tuple[int, dict[str, Any]]:
        """Lease a run for some seconds; None: as long as the server thinks right."""
        asked = {} if seconds is None else {"seconds": seconds}
        answer = self.http.post(f"/runs/{run_id}/lease", params=asked, headers=headers)
        return answer.status_code, answer.json()

    def refused(self, run_id: str, seconds: object = 30, **headers: str) -> tuple[int, dict[str, Any]]:
        """Lease a run in vain. Returns the status and the key of the error, which the run then shows."""
        status, answer = self.lease(run_id, seconds, **headers)
        shown = self.store.status(run_id)
        assert (shown["state"], shown["error"]["key"], shown["reason"]) == (
            "paused",
            answer["error"]["key"],
            None,
        )
        return status, answer["error"]


@contextmanager
def zero_space(folder: Path, runs: Path | None = None) -> Iterator[ZeroSpace]:
    """Serve a Space with ZeroGPU and its fake service. Its log is the file `log` in the folder.

    runs: its folder of runs, else a new one.
    """
    runs = runs or folder / "runs"
    secret = {"OAUTH_CLIENT_SECRET": "secret"}  # the key of the visitors follows from it
    with gpus.gpus() as (service, variables), mock.patch.dict(os.environ, secret):
        more = {**variables, **SPACE, **secret}
        with serve_program(runs, program=gpus.PROGRAM, more=more, log=folder / "log") as address:
            yield ZeroSpace(address, service, Store(runs))


@contextmanager
def visited_space(folder: Path, runs: Path | None = None) -> Iterator[Visitor]:
    """Serve a Space as `zero_space` does. Yields one visitor of it."""
    with zero_space(folder, runs) as space:
        yield Visitor(space)


def made(folder: Path, name: str, steps: int = STEPS, seed: int = gpus.SLICED) -> Path:
    """Prepare a run that then waits for its first lease. Returns its folder."""
    run = folder / name
    write_json(run / "config.json", tiny(steps, seed=seed).to_json())
    prepare(run)
    return run
