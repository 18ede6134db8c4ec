"""GET map: the samples of a model laid out by what they show, as gan.latent.atlas writes them."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from gan.errors import UserError
from gan.latent.layout import METHODS, methods
from gan.latent.point import whole
from gan.ui.explore_routes import NEVER, open_model
from gan.ui.routes import FOREVER, get
from gan.ui.services import Services

MOST = 10**6


def map_routes(services: Services) -> list[BaseRoute]:
    """The route. It keeps the models' own `remember`, and nothing itself."""

    def laid_out(request: Request) -> Response:
        query = request.query_params
        method, known = query.get("by") or methods()[0], whole(query.get("known") or "0", "known", 0, MOST)
        if method not in methods():
            raise UserError("latent.unknown_layout", name=method[:40], choices=", ".join(name for name in METHODS if name in methods()))
        model = open_model(services, request)
        from gan.latent.atlas import atlas  # imports torch

        same = query.get("v") == model.version
        body, lasting = atlas(model, method, known if same else 0)
        headers = {"Cache-Control": FOREVER if lasting and same else NEVER, "X-Model-Version": model.version}
        return Response(body, media_type="application/octet-stream", headers=headers)

    return [get("map", laid_out)]
