"""Define the routes of Find and Drag: POST find or drag starts a job, POST find/on or drag/on advances it.

A job runs only while its page polls, a few times a second. Find and Drag need no token: they write nothing,
and nobody else sees them. The body of `find` is the picture itself, so that the size limit of a POST applies.
"""

import base64
from collections.abc import Awaitable, Callable
from typing import Any

import numpy as np
from starlette.requests import Request
from starlette.routing import BaseRoute

from gan.errors import UserError
from gan.latent.point import Point
from gan.latent.search.jobs import Jobs
from gan.ui.explore.routes import open_model
from gan.ui.server.requests.concurrency import LIMITS, ConcurrencyLimit
from gan.ui.server.requests.http import json_body, post
from gan.ui.server.services import Services

MAX_PIXELS = 2**22  # the page sends 2^16


def find_routes(services: Services, jobs: Jobs) -> list[BaseRoute]:
    """Return the routes of Find. `jobs` may also hold other jobs."""

    def begin(request: Request) -> dict[str, Any]:
        model = open_model(services, request)  # imports torch
        from gan.data.decode.pictures import read_picture
        from gan.latent.search.inversion_job import InversionJob

        target = read_picture(request.state.body, model.spec.size, model.spec.channels, MAX_PIXELS)
        return {"job": jobs.add(InversionJob(model, target)), "target": _png(target)}

    return [post("find", begin), post("find/on", go_on(jobs, LIMITS["find/on"]))]


def go_on(jobs: Jobs, limit: ConcurrencyLimit) -> Callable[[Request], Awaitable[Any]]:
    """Return the handler of find/on and drag/on.

    {"job": name} advances a job by one step. {"job": name, "end": true} ends it.
    A request that waits under the `limit`, or is refused by it, keeps its job too.
    """

    async def answer(request: Request) -> Any:
        name = json_body(request).get("job")
        if not isinstance(name, str):
            raise UserError("ui.bad_form")
        with jobs.kept(name):
            return await limit.run(lambda request: advance(request, name), request)

    def advance(request: Request, name: str) -> dict[str, Any]:
        asked = json_body(request)
        if asked.get("end") is True:
            jobs.end(name)
            return {"state": "ended"}
        with jobs.asked(name) as (work, ahead):
            if ahead:
                return {"state": "waiting", "ahead": ahead}
            status = work.advance()
        if status["state"] == "done":
            jobs.end(name)
        return status

    return answer


def _png(pixels: np.ndarray) -> str:
    """Return the target of Find, uint8 (C, H, W), as a data URL."""
    import torch

    from gan.images import encode_png

    return f"data:image/png;base64,{base64.b64encode(encode_png(torch.from_numpy(pixels))).decode()}"


def drag_routes(services: Services, jobs: Jobs) -> list[BaseRoute]:
    """Return the routes of Drag. `jobs` may also hold other jobs."""

    def begin(request: Request) -> dict[str, Any]:
        model = open_model(services, request)  # imports torch
        from gan.latent.search.drag_job import DragJob, read_pairs

        pairs = read_pairs(json_body(request).get("pairs"))
        return {"job": jobs.add(DragJob(model, Point.parse(request.query_params, model.spec), pairs))}

    return [post("drag", begin), post("drag/on", go_on(jobs, LIMITS["drag/on"]))]
