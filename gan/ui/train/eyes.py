"""Define the routes that look closer at samples: what D reacts to, and the nearest training images."""

from typing import Any

from starlette.requests import Request
from starlette.routing import BaseRoute

from gan.config import RunConfig
from gan.errors import UserError
from gan.runs.eyes import TILES
from gan.ui.server.requests.http import get
from gan.ui.server.services import Services


def routes(services: Services) -> list[BaseRoute]:
    """Return the routes."""
    return [
        get("runs/{id}/saliency/{tile:int}", lambda request: _saliency(services, request)),
        get("runs/{id}/nearest", lambda request: _nearest(services, request)),
    ]


def _saliency(services: Services, request: Request) -> dict[str, Any]:
    """Return what D reacts to in a sample. Everybody sees the samples, so everybody may ask."""
    run_id, tile = request.path_params["id"], request.path_params["tile"]
    _config(services, run_id)
    if not 0 <= tile < TILES:
        raise UserError("runs.no_sample", step=str(tile)[:20])
    return services.tile_looks.saliency(services.store.path(run_id), tile)


def _nearest(services: Services, request: Request) -> dict[str, Any]:
    """Return the training images nearest to each sample.

    Somebody's own images follow the rule of `Services.check_shows`.
    """
    run_id = request.path_params["id"]
    services.check_shows(request, run_id, _config(services, run_id).data)
    return services.tile_looks.nearest(services.store.path(run_id))


def _config(services: Services, run_id: str) -> RunConfig:
    """Return the settings of a run of images. Raises UserError for another run."""
    config = services.store.config(run_id)
    if not isinstance(config, RunConfig):
        raise UserError("latent.other_kind", name=run_id, kind=config.kind)
    return config
