"""Serve a Space with ZeroGPU and the fake of its device service, and lease GPUs as a visitor."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from gan.files import write_bytes
from gan.runs import marks
from gan.runs.store import Store
from gan.ui.server.http import PREFIX
from gan.ui.server.visitors import COOKIE, Visitors, find_key
from tests.fakes import gpus
from tests.support.browsing import SPACE, serve_program


class Visitor:
    """A browser of somebody who is signed in at Hugging Face, so that its proxy adds a token."""

    service: gpus.Gpus

    def __init__(self, address: str, runs: Path):
        self.store = Store(runs)
        self.http = httpx.Client(base_url=address.rstrip("/") + PREFIX, timeout=600)
        given = self.http.get("/access").headers["set-cookie"]
        visit = re.search(rf"{COOKIE}=([^;]+)", given)[1]
        self.http.headers.update({"cookie": f"{COOKIE}={visit}", "x-ip-token": gpus.TOKEN})
        self.mark = Visitors(find_key(runs))._hash("mark", visit.partition(".")[0])

    def marks(self, run: Path) -> None:
        """Make a run this visitor's."""
        write_bytes(run / marks.FILE, self.mark.encode())

    def owns(self, run: Path) -> str:
        """Move a prepared run of this visitor into the server's folder. Returns its id."""
        self.marks(run)
        run.rename(self.store.root / run.name)
        return run.name

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
def zero_space(folder: Path, runs: Path | None = None) -> Iterator[Visitor]:
    """Serve a Space with ZeroGPU and its fake service. Yields one visitor of it.

    Its log goes to `folder`. runs: its folder of runs, else a new one.
    """
    runs = runs or folder / "runs"
    with gpus.gpus() as (service, variables), pytest.MonkeyPatch.context() as patch:
        more = {**variables, **SPACE, "OAUTH_CLIENT_SECRET": "secret"}
        patch.setenv("OAUTH_CLIENT_SECRET", "secret")  # the key of the visitors follows from it
        with serve_program(runs, program=gpus.PROGRAM, more=more, log=folder / "log") as address:
            visitor = Visitor(address, runs)
            visitor.service = service
            yield visitor
