"""Define the route of the real images that the page shows beside a run's samples."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from gan.errors import UserError
from gan.ui.server.requests.http import get
from gan.ui.server.services import Services
from gan.worker.run_dir import REALS


def routes(services: Services) -> list[BaseRoute]:
    """Return the route."""
    return [get("runs/{id}/reals.webp", lambda request: _reals(services, request))]


def _reals(services: Services, request: Request) -> Response:
    """Return 4x4 images that the run learns from, as WebP.

    Somebody's own images follow the rule of `Services.check_shows`. Raises UserError for a run without them:
    of points, or of an older version.
    """
    run_id = request.path_params["id"]
    config = services.store.config(run_id)
    services.check_shows(request, run_id, config.data)
    try:
        picture = (services.store.path(run_id) / REALS).read_bytes()
    except OSError as error:
        raise UserError("runs.no_reals") from error
    return Response(picture, media_type="image/webp", headers={"Cache-Control": "private, max-age=60"})
