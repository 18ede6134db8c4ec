"""Define the routes by which everybody may take a run's statistics and report away.

They hold what the page shows of a run to everybody: settings, statistics, sample sheets and events.
"""

from collections.abc import AsyncGenerator

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute

from gan.errors import UserError
from gan.export.report import statistics
from gan.ui.server.requests.concurrency import ConcurrencyLimit
from gan.ui.server.requests.http import get
from gan.ui.server.requests.sending import unhurried
from gan.ui.server.services import Services
from gan.ui.strings import pick_language

SENT = ConcurrencyLimit(2, 200)  # bodies of statistics at a time: each line is parsed and written anew


def take_away_routes(services: Services) -> list[BaseRoute]:
    """Return the routes."""
    return [
        get("runs/{id}/statistics.{form}", lambda request: _statistics(services, request)),
        get("runs/{id}/report", lambda request: _report(services, request)),
    ]


def _statistics(services: Services, request: Request) -> Response:
    """Return a run's statistics as CSV or JSON Lines. Raises UserError for a run without any."""
    run, form = services.store.path(request.path_params["id"]), request.path_params["form"]
    if form not in statistics.FORMS:
        choices = ", ".join(statistics.FORMS)
        raise UserError("export.unknown_statistics", name=form[:40], choices=choices)
    written = statistics.write(run, form)

    async def body() -> AsyncGenerator[bytes, None]:
        async with SENT.hold():
            async for piece in unhurried(lambda: next(written, b"")):
                yield piece

    return StreamingResponse(
        body(),
        media_type=statistics.FORMS[form].media_type,
        headers=_as_file(f"{run.name}.{form}"),
    )


def _report(services: Services, request: Request) -> Response:
    """Return a run's report in the language of the page. Raises UserError for a damaged run."""
    run_id, lang = request.path_params["id"], request.query_params.get("lang", "")
    services.store.config(run_id)  # raises where the child could only fail
    written = services.reports.write(services.store.path(run_id), pick_language(lang))
    return Response(written, media_type="text/html", headers=_as_file(f"{run_id}.html"))


def _as_file(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
