"""Define the routes that look closer at samples: what D reacts to, and the nearest training images."""

from typing import Any

from starlette.requests import Request
from starlette.routing import BaseRoute

from gan.config import RunConfig
from gan.data import is_named
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

    Everybody has the images of a named data set. Somebody's own images are shown to those who control the
    run, where not everybody does. Raises UserError for others.
    """
    run_id = request.path_params["id"]
    if not is_named(_config(services, run_id).data):
        if not services.shows_own:
            raise UserError("access.own_images")
        services.check_control(request, run_id)
    return services.tile_looks.nearest(services.store.path(run_id))


def _config(services: Services, run_id: str) -> RunConfig:
    """Return the settings of a run of images. Raises UserError for another run."""
    config = services.store.config(run_id)
    if not isinstance(config, RunConfig):
        raise UserError("latent.other_kind", name=run_id, kind=config.kind)
    return config
