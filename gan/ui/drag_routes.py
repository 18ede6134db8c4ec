"""Points of the large picture that a visitor drags: POST drag brings them, POST drag/on asks how it goes, a few times a second.

Work goes on only while somebody asks. No token is needed for it: nothing is written, and nobody else sees it.
"""

from typing import Any

from starlette.requests import Request
from starlette.routing import BaseRoute

from gan.latent.jobs import Jobs
from gan.latent.point import Point
from gan.ui.explore_routes import open_model
from gan.ui.find_routes import go_on
from gan.ui.routes import json_body, post
from gan.ui.services import Services


def drag_routes(services: Services, jobs: Jobs) -> list[BaseRoute]:
    """The routes; `jobs` has the drags that go on, and may have other work."""

    def begin(request: Request) -> dict[str, Any]:
        model = open_model(services, request)  # imports torch
        from gan.latent.dragged import Dragged, read_pairs

        pairs = read_pairs(json_body(request).get("pairs"))
        return {"job": jobs.add(Dragged(model, Point.parse(request.query_params, model.spec), pairs))}

    return [post("drag", begin), post("drag/on", go_on(jobs))]
