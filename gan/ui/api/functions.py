"""Answer what programs ask: plain functions over the services, without Gradio.

Every argument comes from the network, so each function checks its own. Images come as PNG in base64, or as
addresses of our own routes, relative to the address of the page. Raises UserError for every mistake.
"""

import base64
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from gan.data import catalogue
from gan.data.names import HUB
from gan.errors import UserError
from gan.kinds.points.recipes import NAMES as POINT_SETS
from gan.latent.catalogue import EXPLORED, class_index
from gan.latent.point import Point, whole
from gan.recipes import USER_DATA
from gan.ui.explore.routes import list_models, open_named
from gan.ui.server.requests.http import PREFIX
from gan.ui.server.services import Services
from gan.ui.train import fields, form, own_hub
from gan.ui.train.routes import start_named
from gan.ui.train.run_feed import for_visitors, public_data, without_paths

if TYPE_CHECKING:
    from gan.latent.generator import Model

ADDRESS, PNG = FORMATS = ("address", "png")
MAX_SAMPLES, MAX_FRAMES = 64, 60
MAX_BASE64 = 2**19  # characters of all images of one answer
MAX_RUNS = 60  # runs of one answer, newest first
_MODEL = ("id", "title", "kind", "live", "size", "channels", "z_dim", "classes", "data", "recipe", "scored")
_RUN = (
    "id", "name", "state", "kind", "recipe", "size", "created", "minutes", "progress", "elapsed", "eta",
    "step", "images", "rate",
)  # fmt: skip


def models(services: Services) -> list[dict[str, Any]]:
    """Return every generator: those that ship by name, then the runs' own, newest first."""
    return [
        {
            **{name: model.get(name) for name in _MODEL},
            "preview": model["preview"] and _route(model["preview"]),
        }
        for model in list_models(services)
    ]


def sample(
    services: Services, model: Any, seed: Any, count: Any, psi: Any, label: Any, format: Any
) -> dict[str, Any]:
    """Return the samples of `count` seeds from `seed` on: {"model", "size", "channels", "images"}.

    label: a class by its name or number, "" to let each seed choose one. Each of "images" has its "seed", its
    "class" (or None), and its "address" or "png".
    """
    first, number = _whole(seed, "seed"), whole(str(count), "count", 1, MAX_SAMPLES)
    opened, query = _open(services, model, psi, label)
    asked = [{**query, "seed": str(first + place)} for place in range(number)]
    return _answer(opened, asked, format, lambda place: {"seed": first + place})


def interpolate(
    services: Services,
    model: Any,
    seed_a: Any,
    seed_b: Any,
    frames: Any,
    psi: Any,
    label: Any,
    format: Any,
) -> dict[str, Any]:
    """Return the samples along the great circle from the z of one seed to that of another.

    The answer is that of `sample`, but each image has its place "t" in [0, 1] in place of a seed.
    """
    number = whole(str(frames), "frames", 2, MAX_FRAMES)
    first, last = _whole(seed_a, "seed_a"), _whole(seed_b, "seed_b")
    opened, query = _open(services, model, psi, label)
    places = [round(place / (number - 1), 6) for place in range(number)]
    asked = [{**query, "seed": str(first), "to": str(last), "t": f"{place:.6f}"} for place in places]
    return _answer(opened, asked, format, lambda place: {"t": places[place]})


def status(services: Services, run: Any) -> dict[str, Any]:
    """Return {"active", "queue", "runs"}: the run that trains, those that wait, and what is known of each.

    run: the id of a run, "" for the newest MAX_RUNS.
    """
    wanted = _text(run, "run")
    summaries = services.store.list()
    found = [one for one in summaries if one["id"] == wanted] if wanted else summaries[:MAX_RUNS]
    if wanted and not found:
        raise UserError("runs.unknown", id=wanted[:100])
    boss = services.supervisor
    return {"active": boss.active(), "queue": boss.queue(), "runs": [_run(services, one) for one in found]}


def train(
    services: Services, data: Any, recipe: Any, minutes: Any, start_from: Any, cap: Any
) -> dict[str, str]:
    """Start a run with the settings that the page would suggest. Returns {"run": its id}.

    data: a data set of the catalogue, or hub:OWNER/NAME for at most `cap` pictures of one of the Hub, which
    this waits for. start_from: the id of the model whose weights it begins with, "" for new weights. Only for
    somebody who controls all runs.
    """
    name, chosen = _text(data, "data"), _text(recipe, "recipe")
    asked = {"recipe": chosen, "minutes": minutes, "start": _text(start_from, "start_from"), "gpus": 1}
    origin = form.origin(services, asked)
    shape = origin.spec.shape() if origin else {}
    if name.startswith(HUB):
        pulled = own_hub.pull(services, {"id": name, "cap": cap}, seconds=None)
        values = _values(USER_DATA, chosen, {**pulled["suggestions"].get(chosen, {}), **shape})
        asked |= {"data": USER_DATA, "hub": pulled["set"], "values": values}
        return {"run": own_hub.start(services, asked, "")}
    # the form's names for uploads need one, which a browser makes
    if name in (USER_DATA, fields.USER_POINTS) or name not in (*catalogue(), *fields.part_of(name).sets):
        raise UserError("api.data", name=name[:100], choices=", ".join((*catalogue(), *POINT_SETS)))
    return {"run": start_named(services, {**asked, "data": name, "values": _values(name, chosen, shape)})}


def _values(data: str, recipe: str, changes: dict[str, Any]) -> list[Any]:
    """Return the values of the form's controls: the defaults of data and recipe, with some changes."""
    values = dict(zip(fields.keys(), form.defaults(data, recipe), strict=True))
    return [changes.get(key, value) for key, value in values.items()]


def command(services: Services, run: Any, name: Any, amount: Any) -> dict[str, str]:
    """Send a command to a run, such as "pause". Returns {"done": its name}.

    "more" gives a finished run `amount` more minutes, or thousands of images where these are its budget.
    """
    wanted, asked = _text(run, "run"), _text(name, "name")
    if asked == "more":
        services.extend(wanted, amount)
    else:
        services.command(wanted, asked)
    return {"done": asked}


def _open(services: Services, model: Any, psi: Any, label: Any) -> tuple["Model", dict[str, str]]:
    """Open a model. Returns it with the values of a query that all of its images share."""
    opened = open_named(services, _text(model, "model"))
    index = class_index(str(label)[:100], opened.entry)
    shared = {"psi": str(psi), **({} if index is None else {"label": str(index)})}
    return opened, shared


def _answer(
    opened: "Model", asked: list[dict[str, str]], format: Any, place: Callable[[int], dict[str, Any]]
) -> dict[str, Any]:
    """Return the answer for the images of queries; `place(k)` says which image the k-th one is."""
    if format not in FORMATS:
        raise UserError("api.format", name=str(format)[:40], choices=", ".join(FORMATS))
    points = [Point.parse(query, opened.spec) for query in asked]
    drawn = _drawn(opened, points) if format == PNG else _addresses(opened, asked)
    classes = opened.entry.classes
    images = []
    for number, (point, image) in enumerate(zip(points, drawn, strict=True)):
        index = point.class_label(opened.spec.num_classes)
        images.append(
            {**place(number), "class": None if index is None else classes[index], str(format): image}
        )
    shape = {"size": opened.spec.size, "channels": opened.spec.channels}
    return {"model": opened.entry.id, **shape, "images": images}


def _drawn(opened: "Model", points: list[Point]) -> list[str]:
    """Return the images of points as PNG in base64. Raises UserError where all are more than MAX_BASE64."""
    found, total = [], 0
    for point in points:
        found.append(base64.b64encode(opened.image(point)).decode())
        total += len(found[-1])
        if total > MAX_BASE64:
            raise UserError("api.too_heavy", count=len(points), kilobytes=MAX_BASE64 >> 10)
    return found


def _addresses(opened: "Model", asked: list[dict[str, str]]) -> list[str]:
    """Return the address of each image. It holds the model's version, so browsers may keep the image."""
    named = {"id": opened.entry.id, "v": opened.version}
    return [_route(f"image?{urlencode({**named, **query})}") for query in asked]


def _run(services: Services, summary: dict[str, Any]) -> dict[str, Any]:
    """Return what a program is told of a run, without the server's paths."""
    error = without_paths(services, for_visitors(summary["error"]))
    verdict, step = summary["verdict"], summary["sample_step"]
    explored = summary["kind"] == EXPLORED and summary["live_step"] is not None
    return {
        **{name: summary[name] for name in _RUN},
        "data": public_data(summary["data"]),
        "verdict": verdict and verdict["key"],
        "error": error and error["text"],
        "grid": None if step is None else _route(f"runs/{summary['id']}/samples/{step}.webp"),
        "model": f"run:{summary['id']}" if explored else None,
    }


def _route(path: str) -> str:
    """Return the address of one of our routes, relative to the address of the page."""
    return f"{PREFIX.lstrip('/')}/{path}"


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str):
        raise UserError("api.not_text", name=name, value=str(value)[:40])
    return value


def _whole(value: Any, name: str) -> int:
    """Return a seed. `Point.parse` checks its limits."""
    return whole(str(value), name, 0, 10**18)
