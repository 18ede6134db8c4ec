"""Define the routes of *What D sees*: D's saliency, the nearest training images, and a game against D."""

import threading
from collections import OrderedDict
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.routing import BaseRoute

from gan.config import RunConfig
from gan.errors import UserError
from gan.runs.eyes import TILES
from gan.runs.store import RUNS
from gan.ui.server.requests.http import get, json_body, post
from gan.ui.server.services import Services

ROUNDS = 10  # pairs of a game, as in gan.export.tiles, which imports torch


def routes(services: Services) -> list[BaseRoute]:
    """Return the routes."""
    totals = Totals()
    return [
        get("runs/{id}/saliency/{tile:int}", lambda request: _saliency(services, request)),
        get("runs/{id}/nearest", lambda request: services.tile_looks.nearest(_shown(services, request))),
        get("runs/{id}/pairs", lambda request: services.tile_looks.pairs(_shown(services, request))),
        post("played", lambda request: _played(services, totals, request)),
    ]


def _saliency(services: Services, request: Request) -> dict[str, Any]:
    """Return what D reacts to in a sample. Everybody sees the samples, so everybody may ask."""
    run_id, tile = request.path_params["id"], request.path_params["tile"]
    _config(services, run_id)
    if not 0 <= tile < TILES:
        raise UserError("runs.no_sample", step=str(tile)[:20])
    return services.tile_looks.saliency(services.store.path(run_id), tile)


def _shown(services: Services, request: Request) -> Path:
    """Return the directory of the run whose images the sender of a request may see.

    Somebody's own images follow the rule of `Services.check_shows`.
    """
    run_id = request.path_params["id"]
    services.check_shows(request, run_id, _config(services, run_id).data)
    return services.store.path(run_id)


class Totals:
    """What all players of a run together have got right, since the server started. Nothing else is kept."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._runs: OrderedDict[str, dict[str, int]] = OrderedDict()

    def add(self, run_id: str, right: int, by_d: int) -> dict[str, int]:
        """Count a game of ROUNDS pairs. Returns {games, right, d}, the sums of this run."""
        with self._lock:
            one = self._runs.setdefault(run_id, {"games": 0, "right": 0, "d": 0})
            self._runs.move_to_end(run_id)
            while len(self._runs) > RUNS:
                self._runs.popitem(last=False)
            one["games"] += 1
            one["right"] += right
            one["d"] += by_d
            return dict(one)


def _played(services: Services, totals: Totals, request: Request) -> dict[str, int]:
    """Count a game that was played in the sender's browser, and return the sums of its run."""
    asked = json_body(request)
    run_id: Any = asked.get("run")
    right, by_d = (_count(asked.get(name)) for name in ("right", "d"))
    _config(services, run_id)
    return totals.add(run_id, right, by_d)


def _count(value: Any) -> int:
    """Return how many pairs of a game were right. Raises UserError for anything else."""
    if type(value) is not int or not 0 <= value <= ROUNDS:
        raise UserError("ui.bad_form")
    return value


def _config(services: Services, run_id: str) -> RunConfig:
    """Return the settings of a run of images. Raises UserError for another run."""
    config = services.store.config(run_id)
    if not isinstance(config, RunConfig):
        raise UserError("latent.other_kind", name=run_id, kind=config.kind)
    return config
