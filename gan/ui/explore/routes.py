"""Define the routes of the Explore tab.

Images and sheets come as bytes. A browser draws its own images from the generator as ONNX and the directions,
little-endian float32 (K, z_dim). Other families of directions come as JSON, with what is known about them.
Downloads are the generator as a web page, or as ONNX with its card.

A URL with the model's version (v=) never changes, so browsers cache it; all others are not cached. Handlers
run under concurrency limits (gan.ui.server.requests.concurrency). The models take turns image by image.
"""

import dataclasses
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute

from gan.errors import UserError
from gan.latent.catalogue import MODEL_ID, file_name
from gan.latent.directions import saved
from gan.latent.directions.saved import Choice
from gan.latent.map.layout import METHODS, methods
from gan.latent.point import (
    MAX_LAYER,
    MAX_UNIT,
    Point,
    direction_id,
    parse_count,
    parse_label,
    parse_mix,
    parse_psi,
    parse_seed,
    parse_step,
    parse_units,
    whole,
)
from gan.latent.snapshots import axis, parse_steps
from gan.runs.disk import writing
from gan.ui.server.requests.http import get, json_body, post, with_etag
from gan.ui.server.requests.static_files import FOREVER
from gan.ui.server.services import Services
from gan.ui.train.run_feed import public_data

if TYPE_CHECKING:
    from gan.latent.generator import Model


RUN_FACTS = ("name", "number", "data", "recipe", "minutes", "kimg", "state", "created")
ASK, NEVER = "no-cache", "no-store"
# Error of a model file -> the error that visitors see.
UNREADABLE = {f"models.{key}": f"latent.{key}" for key in ("damaged", "other_version", "not_finite")}
# Parameters of a generator that browsers draw with: 16 MB. Phones don't draw a larger one smoothly.
MAX_PARAMETERS = 2**23


def explore_routes(services: Services) -> list[BaseRoute]:
    """Return the routes of the tab. `services` opens the models."""
    handlers = _Routes(services)
    return [
        get("models", lambda request: with_etag(request, list_models(services))),
        get("model", handlers.model),
        get("latent", handlers.latent),
        *(get(name, handlers.answering(make, media_type)) for name, (make, media_type) in FROM_MODEL.items()),
        post("directions/save", handlers.save),
        get("times", handlers.times),
        get("time", handlers.answering(lambda model, request: _time(services, model, request), "image/png")),
        get("take/{form}", handlers.take),
        get("checkpoints/{name}/preview.webp", handlers.preview),
    ]


class _Routes:
    """The handlers that need the `services`."""

    def __init__(self, services: Services):
        self.services = services

    def answering(
        self, make: Callable[["Model", Request], bytes], media_type: str
    ) -> Callable[[Request], Response]:
        """Return a handler that answers what `make` makes of a model. Browsers cache it by version."""

        def handler(request: Request) -> Response:
            model = open_model(self.services, request)
            lasting = request.query_params.get("v") == model.version
            headers = {"Cache-Control": FOREVER if lasting else NEVER, "X-Model-Version": model.version}
            return Response(make(model, request), media_type=media_type, headers=headers)

        return handler

    def model(self, request: Request) -> Any:
        model = open_model(self.services, request)
        return {**model.describe(), "saved": _as_json(self._saved(model))}

    def _saved(self, model: "Model") -> Choice | None:
        return saved.read(saved.place(model.entry, self.services.store.root), model)

    def save(self, request: Request) -> Any:
        """Save, for all visitors, which directions have sliders. An empty choice deletes the saved one."""
        model, wanted = open_model(self.services, request), saved.parse(json_body(request))
        with writing():
            saved.save(saved.place(model.entry, self.services.store.root), model, wanted)
        return {"saved": _as_json(self._saved(model))}

    def latent(self, request: Request) -> Any:
        model = open_model(self.services, request)
        return {"z": [round(float(number), 4) for number in model.latent(_point(model, request))]}

    def preview(self, request: Request) -> Response:
        name = request.path_params["name"]
        path = self.services.checkpoints / name / "preview.webp"
        if not MODEL_ID.fullmatch(f"shipped:{name}") or not path.is_file():
            raise UserError("latent.unknown_model", name=name[:120])
        return FileResponse(
            path,
            media_type="image/webp",
            headers={"Cache-Control": FOREVER if "v" in request.query_params else ASK},
        )

    def take(self, request: Request) -> Response:
        model, form = open_model(self.services, request), request.path_params["form"]
        if form not in _FORMS:
            raise UserError("latent.unknown_file", name=form[:40], choices=", ".join(_FORMS))
        make, media_type = _FORMS[form]
        name = f"ganarium-{file_name(model.entry.id)}.{form}"
        headers = {"Cache-Control": NEVER, "Content-Disposition": f'attachment; filename="{name}"'}
        return Response(
            make(model, lambda: _choice(request) or self._saved(model)),
            media_type=media_type,
            headers=headers,
        )

    def times(self, request: Request) -> Any:
        return self.services.explorer().snapshots.known(request.query_params.get("id", ""))


def list_models(services: Services) -> list[dict[str, Any]]:
    """Return every model as the picker shows it.

    Runs also have `RUN_FACTS`. Imports no torch.
    """
    runs = {
        f"run:{run['id']}": {
            **{name: run.get(name) for name in RUN_FACTS},
            "data": public_data(run.get("data")),
        }
        for run in services.store.list()
    }
    return [{**model, **runs.get(model["id"], {})} for model in services.explorer().models()]


def open_model(services: Services, request: Request) -> "Model":
    """Open the model that a request names. Raises UserError as `open_named` does."""
    return open_named(services, request.query_params.get("id", ""))


def open_named(services: Services, name: str) -> "Model":
    """Open the model with this id.

    An error about its file names the model, never the server's path or Python's message.
    """
    try:
        return services.explorer().open(name)
    except UserError as error:
        if "path" not in error.values:
            raise
        raise UserError(UNREADABLE[error.key], name=called(services, name)) from error


def called(services: Services, model_id: str) -> str:
    """Return the display name of a model that can't be opened.

    This is the run's name, or its data with its number, and recipe; for a shipped model, its own name.
    """
    kind, _, name = model_id.partition(":")
    run = next((run for run in services.store.list() if run["id"] == name), {}) if kind == "run" else {}
    data, number = public_data(run.get("data")), run.get("number")
    numbered = f"{data} #{number}" if data and number else data
    return run.get("name") or " · ".join(filter(None, (numbered, run.get("recipe")))) or name


def _point(model: "Model", request: Request) -> Point:
    return Point.parse(request.query_params, model.spec)


def _neighbours(model: "Model", request: Request) -> bytes:
    query = request.query_params
    i, j = (direction_id(query.get(name) or usual) for name, usual in (("i", "p0"), ("j", "p1")))
    return model.chart(_point(model, request), i, j, parse_step(query))


def _strip(model: "Model", request: Request) -> bytes:
    query = request.query_params
    return model.strip(_point(model, request), parse_seed(query, "to"), parse_count(query))


def _along(model: "Model", request: Request) -> bytes:
    return model.along(_point(model, request), direction_id(request.query_params.get("k", "")))


def _wall(model: "Model", request: Request) -> bytes:
    query = request.query_params
    return model.wall(
        parse_seed(query, "seed"),
        parse_psi(query),
        parse_label(query, model.spec),
        *parse_mix(query, model.spec),
        parse_units(query),
    )


def _inside(model: "Model", request: Request) -> bytes:
    from gan.latent.dissection import SHOWN, open_layer  # imports torch

    query = request.query_params
    point, last = _point(model, request), len(model.dissection().widths) - 1
    layer = whole(query.get("layer") or str(last), "layer", 0, MAX_LAYER)
    page = whole(query.get("page") or "0", "page", 0, MAX_UNIT // SHOWN)
    # Changed units of a layer leave that layer's own maps as they are.
    seen = dataclasses.replace(point, units=tuple(unit for unit in point.units if unit[0] != layer))
    return model.remember(("inside", seen, layer, page), lambda: open_layer(model, seen, layer, page))


def _time(services: Services, model: "Model", request: Request) -> bytes:
    """Draw a point with several snapshots of its run, one row a snapshot.

    With a direction `i`, each row continues along that axis to the right.
    """
    query = request.query_params
    point, steps = _point(model, request), parse_steps(query.get("steps", ""))
    if model.entry.kind != "run":
        raise UserError("latent.no_snapshots", name=model.entry.id)
    name = query.get("i")
    if name:
        model.vector(direction_id(name))  # raises for a direction that this model lacks
    return services.explorer().snapshots.sheet(model, steps, axis(point, name) if name else [point])


def _choice(request: Request) -> Choice | None:
    """Return the sliders in a query's JSON, or None without them. Raises UserError for anything else."""
    text = request.query_params.get("sliders")
    if not text:
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise UserError("latent.bad_choice")
    return saved.parse(value)


def _as_json(chosen: Choice | None) -> dict[str, Any] | None:
    return chosen.to_json() if chosen else None


def _family(model: "Model", name: str) -> bytes:
    return json.dumps(model.family(name), ensure_ascii=False, allow_nan=False).encode()


def _generator(model: "Model", request: Request) -> bytes:
    """Return the generator as ONNX for a browser to draw with.

    Raises UserError for one with too many parameters.
    """
    from gan.export.onnx import generator_onnx  # imports torch

    _check_size(model)
    return model.remember(("generator",), lambda: generator_onnx(model.generator, model.spec))


def _onnx(model: "Model", _: Callable[[], Choice | None]) -> bytes:
    """Return the generator as ONNX with its provenance. Raises UserError as `_generator` does."""
    from gan.export.card import onnx_facts
    from gan.export.onnx import generator_onnx

    _check_size(model)
    return model.remember(
        ("onnx",), lambda: generator_onnx(model.generator, model.spec, onnx_facts(model.entry))
    )


def _page(model: "Model", chosen: Callable[[], Choice | None]) -> bytes:
    """Return the generator as one web page with the chosen sliders.

    Raises UserError as `_generator` and `webpage` do.
    """
    from gan.export.card import short_card
    from gan.export.webpage import webpage

    _check_size(model)
    return webpage(model, short_card(model.entry), chosen())


def _check_size(model: "Model") -> None:
    from gan.models import count_parameters

    if count_parameters(model.generator) > MAX_PARAMETERS:
        raise UserError("latent.too_large", most=MAX_PARAMETERS >> 20)


BINARY = "application/octet-stream"
# Route -> what answers it from a model, and the media type.
FROM_MODEL: dict[str, tuple[Callable[["Model", Request], bytes], str]] = {
    "image": (lambda model, request: model.image(_point(model, request)), "image/png"),
    "neighbours": (_neighbours, "image/png"),
    "strip": (_strip, "image/png"),
    "along": (_along, "image/png"),
    "wall": (_wall, "image/webp"),
    "inside": (_inside, BINARY),
    "generator": (_generator, BINARY),
    "directions": (lambda model, _: model.directions().vectors.astype("<f4").tobytes(), BINARY),
    "factors": (lambda model, _: _family(model, "factors"), "application/json"),
    "attributes": (lambda model, _: _family(model, "attributes"), "application/json"),
}
# File suffix -> how to export the generator, and the media type.
_FORMS: dict[str, tuple[Callable[["Model", Callable[[], Choice | None]], bytes], str]] = {
    "html": (_page, "text/html"),
    "onnx": (_onnx, BINARY),
}


MAX_KNOWN = 10**6  # samples that a browser can say it has


def map_routes(services: Services) -> list[BaseRoute]:
    """Return the route of the map. It caches through the model's `remember`, and keeps no state."""

    def laid_out(request: Request) -> Response:
        query = request.query_params
        method = query.get("by") or methods()[0]
        known = whole(query.get("known") or "0", "known", 0, MAX_KNOWN)
        if method not in methods():
            raise UserError(
                "latent.unknown_layout",
                name=method[:40],
                choices=", ".join(name for name in METHODS if name in methods()),
            )
        model = open_model(services, request)
        from gan.latent.map.sample_map import atlas  # imports torch

        same = query.get("v") == model.version
        body, lasting = atlas(model, method, known if same else 0)
        headers = {"Cache-Control": FOREVER if lasting and same else NEVER, "X-Model-Version": model.version}
        return Response(body, media_type=BINARY, headers=headers)

    return [get("map", laid_out)]
