"""Define the routes of the Train tab: run state, sample grids, commands, and the choices of the form."""

import functools
from collections.abc import Callable
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute

from gan import data
from gan.data.own.archives import SUFFIXES
from gan.errors import UserError
from gan.hub.sets import CAP, MOST
from gan.kinds import DEFAULT
from gan.kinds.points import thumbnail as points_thumbnail
from gan.kinds.points.reading import ARRAY, MEGABYTES, TEXT
from gan.kinds.points.recipes import COUNT
from gan.kinds.points.recipes import NAMES as POINT_SETS
from gan.mirror.jobs.hub import SPARE_MINUTES
from gan.objectives import LOSSES, PENALTIES
from gan.recipes import GPU_RECIPES, USER_DATA
from gan.runs.disk import writing
from gan.train.autotune.machine import count_gpus, has_gpu
from gan.ui.server.requests.concurrency import LIMITS
from gan.ui.server.requests.http import get, json_body, post, with_etag
from gan.ui.server.requests.static_files import FOREVER
from gan.ui.server.requests.uploads import MAX_FILE, MAX_FILES, MAX_REQUEST
from gan.ui.server.services import Services
from gan.ui.train import eyes, fields, form, moving, own, own_hub, own_points, reals
from gan.ui.train.cost import cost, cost_of_run
from gan.ui.train.run_feed import RunFeed, without_paths
from gan.ui.train.take_away import take_away_routes

MAX_STEP = 10**15  # no run gets there; a longer number is no file name


def train_routes(services: Services) -> list[BaseRoute]:
    """Return the routes of the tab."""
    handlers = _Routes(services)
    return [
        get("poll", handlers.poll),
        get("runs/older", handlers.older),
        get("runs/{id}/samples/{step:int}.webp", handlers.sample),
        get("runs/{id}/log", handlers.log),
        *take_away_routes(services),
        *eyes.routes(services),
        *reals.routes(services),
        post("pictures", handlers.pictures),
        post("pictures/pull", lambda request: own_hub.pull(services, json_body(request), own.WAIT)),
        post("points", handlers.points),
        post("runs", handlers.submit),
        get("runs/{id}/file", lambda request: moving.download(services, request)),
        post("runs/arrive", handlers.arrive),
        post("runs/{id}/rename", handlers.rename),
        *(services.zero.routes(services, handlers.feed.forget) if services.zero else []),
        post("runs/{id}/{command}", handlers.command),
        get("jobs", handlers.jobs),
        get("cost", handlers.cost),
        get("catalogue", lambda request: with_etag(request, options(services.lends))),
        get("thumbnails/{name}.webp", _thumbnail),
    ]


class _Routes:
    """The handlers that need the `services`."""

    def __init__(self, services: Services):
        self.services = services
        self.feed = RunFeed(services)

    def poll(self, request: Request) -> Any:
        query = request.query_params
        text = lambda name: query.get(name, "")  # noqa: E731
        answer = self.feed.poll(
            text("run"), text("had"), _whole(text("since")), text("list"), text("version"), text("last")
        )
        access = self.services.access
        if access.needed:
            return {**answer, "control": access.lets(request)}
        if access.by_visitor:
            mine = self.feed.of_visitor(self.services.visitors.mark(request))
            return {**answer, "control": access.lets(request), "mine": mine}
        return answer

    def older(self, request: Request) -> Any:
        return self.feed.older(_whole(request.query_params.get("count")))

    def pictures(self, request: Request) -> Any:
        return own.pictures(self.services, json_body(request), self.services.visitor(request))

    def points(self, request: Request) -> Any:
        return own_points.points(self.services, json_body(request), self.services.visitor(request))

    async def submit(self, request: Request) -> Any:
        asked, visitor = form.read(json_body(request)), self.services.visitor(request)
        if asked["flavor"] and asked["data"] in (USER_DATA, fields.USER_POINTS):
            raise UserError("jobs.own_data", name=asked["data"])
        if asked["data"] == USER_DATA:
            # A survey of the pictures may have to finish first.
            start = own.start if asked.get("hub") is None else own_hub.start
            return await LIMITS["pictures"].run(lambda _: self._begin(start, asked, visitor), request)
        if asked["data"] == fields.USER_POINTS:
            return await LIMITS["points"].run(
                lambda _: self._begin(own_points.start, asked, visitor), request
            )
        if visitor:  # their limits are counted, as the costs of the form are
            return await LIMITS["cost"].run(lambda _: self._begin(start_named, asked, visitor), request)
        return await run_in_threadpool(self._begin, start_named, asked, visitor)

    def _begin(
        self, start: Callable[[Services, dict[str, Any], str], str], asked: dict[str, Any], visitor: str
    ) -> dict[str, Any]:
        """Start the run. It runs in a thread, because the feed's lock may wait for the disk."""
        run_id = start(self.services, asked, visitor)
        self.feed.forget()
        return {"run": run_id}

    def jobs(self, request: Request) -> Any:
        """Return where runs can train besides this machine, for somebody who controls all runs.

        {flavors: [{name, title, price, gpus}], owner, spare}: US dollars an hour, who pays, and the minutes
        after the budget that end a job. Without jobs, or for others, there are no flavors.
        """
        jobs = self.services.jobs
        if jobs is None or not self.services.access.lets(request):
            return {"flavors": [], "owner": None, "spare": SPARE_MINUTES}
        flavors = [flavor._asdict() for flavor in jobs.hub.flavors()]
        return {"flavors": flavors, "owner": jobs.hub.owner, "spare": SPARE_MINUTES}

    def arrive(self, request: Request) -> Any:
        run_id = moving.arrive(self.services, json_body(request), self.services.visitor(request))
        self.feed.forget()
        return {"run": run_id}

    def sample(self, request: Request) -> Response:
        step = request.path_params["step"]
        if step > MAX_STEP:
            raise UserError("runs.no_sample", step=MAX_STEP)
        try:  # read before the answer starts: a sample may be thinned or deleted meanwhile
            picture = self.services.store.sample_path(request.path_params["id"], step).read_bytes()
        except OSError as error:
            raise UserError("runs.no_sample", step=step) from error
        return Response(picture, media_type="image/webp", headers={"Cache-Control": FOREVER})

    def cost(self, request: Request) -> Any:
        """Return the cost of the form, or that of a run as it was estimated before it began."""
        run_id, asked = request.query_params.get("run"), request.query_params.get("form", "")
        return cost_of_run(self.services, run_id) if run_id else cost(self.services, asked)

    def log(self, request: Request) -> Any:
        lines = self.services.store.log_tail(request.path_params["id"], 200)
        return {"lines": without_paths(self.services, lines)}

    def command(self, request: Request) -> Any:
        run_id, name = request.path_params["id"], request.path_params["command"]
        visitor = self.services.visitor(request)
        if name == "more":
            self.services.extend(run_id, _number(request.query_params.get("amount")), visitor)
        elif name == "adjust":
            asked = request.query_params
            self.services.adjust(run_id, asked.get("name", ""), _number(asked.get("factor")), visitor)
        elif name == "score":
            self.services.score(run_id, visitor)
        elif name == "job":
            self.services.jobs_for(visitor).resume(run_id, request.query_params.get("flavor", ""))
        else:
            self.services.command(run_id, name, visitor)
        self.feed.forget()
        return {"done": name}

    def rename(self, request: Request) -> Any:
        with writing():
            name = self.services.store.rename(request.path_params["id"], request.query_params.get("name", ""))
        self.feed.forget()
        return {"name": name or None}


def start_named(services: Services, asked: dict[str, Any], visitor: str = "") -> str:
    """Start a run on a named data set, for a visitor as Services.submit does. Returns its id."""
    if fields.part_of(asked["data"]).kind == DEFAULT:
        # info() raises for names outside the catalogue: a path would be read from the server's disk.
        data.info(asked["data"])
    start = form.origin(services, asked)
    made = form.config(
        asked["data"],
        asked.get("recipe"),
        asked.get("minutes"),
        asked["values"],
        origin=start,
        lends=services.lends,
    )
    return services.submit(made, visitor, start, asked.get("gpus", 1), asked.get("flavor", ""))


def _thumbnail(request: Request) -> Response:
    name = request.path_params["name"]
    path = points_thumbnail(name) if name in POINT_SETS else data.info(name).thumbnail
    if path is None or not path.is_file():
        raise UserError("data.unknown", name=name, choices=", ".join(data.catalogue()))
    return FileResponse(path, media_type="image/webp", headers={"Cache-Control": "max-age=3600"})


def options(lends: bool = False) -> dict[str, Any]:
    """Return the choices of the form: data sets and recipes, and the default settings for each pair.

    Recipes that need a GPU are marked where there is none. lends: whether GPUs are lent.
    """
    absent = () if lends or has_gpu() else GPU_RECIPES
    recipes = [
        {**one, "needs_gpu": one["kind"] == DEFAULT and one["name"] in absent}
        for one in _options()["recipes"]
    ]
    return {**_options(), "recipes": recipes, "gpus": count_gpus()}


@functools.cache
def _options() -> dict[str, Any]:
    """Return the part of `options` that never changes."""
    sets: list[dict[str, Any]] = [
        {
            "name": info.name,
            "kind": DEFAULT,
            "source": info.source,
            "size": info.size,
            "channels": info.channels,
            "count": info.count,
            "classes": len(info.classes),
            "licence": info.licence,
            "credit": info.credit,
            "picture": info.thumbnail is not None,
        }
        for info in data.catalogue().values()
    ]
    sets += [
        {"name": name, "kind": "points", "source": "drawn", "count": COUNT, "classes": 0, "picture": True}
        for name in POINT_SETS
    ]
    names = [one["name"] for one in sets]
    defaults = {
        name: {recipe: form.defaults(name, recipe) for recipe in fields.part_of(name).recipes}
        for name in (*names, USER_DATA, fields.USER_POINTS)
    }
    limits = {"files": MAX_FILES, "file": MAX_FILE, "together": MAX_REQUEST}
    points_limits = {"files": 1, "file": MEGABYTES * 2**20, "together": MEGABYTES * 2**20}
    return {
        "data": sets,
        "recipes": [one for part in fields.PARTS.values() for one in _recipes(part)],
        "losses": {name: facts._asdict() for name, facts in LOSSES.items()},
        "penalties": {name: facts._asdict() for name, facts in PENALTIES.items()},
        "defaults": defaults,
        "fields": fields.keys(),
        "suffixes": [*SUFFIXES, ".zip"],
        "points_suffixes": [*TEXT, ARRAY],
        "points_limits": points_limits,
        "limits": limits,
        "hub": {"cap": CAP, "most": MOST},
    }


def _recipes(part: fields.Part) -> list[dict[str, Any]]:
    """Return the recipes of a kind.

    `main` marks those that the page shows without a click, `failing` those that show a failure.
    """
    configs = [part.make("", recipe) for recipe in part.recipes]  # their loss and penalty depend on no data
    return [
        {"kind": part.kind, "name": one.recipe, "loss": one.loss, "penalty": one.penalty}
        | {"main": one.recipe in part.main, "failing": one.recipe in part.failing}
        for one in configs
    ]


def _number(text: str | None) -> float:
    """Return a number; whoever gets it checks whether it makes sense. Raises UserError for another text."""
    try:
        return float(text or "")
    except ValueError as error:
        raise UserError("ui.bad_form") from error


def _whole(text: str | None) -> int:
    return int(text) if text and text.isdecimal() and len(text) < 16 else 0
