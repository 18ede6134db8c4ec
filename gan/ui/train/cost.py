"""Estimate the cost of the run in the form.

The page asks while the form is being filled in, so nothing here trains or measures.
"""

import functools
import json
import threading
from typing import Any

from gan import data as data_room
from gan.config import RunConfig, Settings
from gan.errors import UserError
from gan.kinds import DEFAULT
from gan.kinds.points.recipes import PointsConfig
from gan.recipes import RECIPES, USER_DATA
from gan.train.autotune import machine
from gan.ui.server.services import Services
from gan.ui.train import fields, form

# A class of thirty sends the same request at once. One computes the estimate; the others find it cached.
_one_at_a_time = threading.Lock()


def cost(services: Services, text: str) -> dict[str, Any]:
    """Return the cost of the form in a JSON text {data, recipe, minutes, start, values, own}.

    own: the number of uploaded pictures, where the page knows it.
    The answer is {kind, parameters: {G, D}, recipes, rate, kimg, minutes, passes, memory, gpu}:
        recipes   parameters of G and D together that each recipe has on this data set, by name
        rate      images a second
        kimg      thousands of images
        minutes   the budget, or how long a budget in images takes
        passes    epochs over the data
        memory    bytes
    A run on points has only kind, parameters and minutes, because a step takes milliseconds on any machine.
    Values that depend on the machine are None until its self-test has run. Raises UserError for what Train
    would refuse, and where the text is no form.
    """
    asked = _read(text)
    data = asked["data"]
    info = data_room.info(data) if data != USER_DATA and fields.part_of(data).kind == DEFAULT else None
    made = form.settings(
        data,
        asked.get("recipe"),
        asked.get("minutes"),
        asked["values"],
        form.origin(services, asked),
        services.lends,
    )
    if isinstance(made, RunConfig):
        return {**_of_images(made, info, asked.get("own")), "recipes": _sizes(data)}
    return {"kind": made.kind, "parameters": _parameters(made), "minutes": made.minutes}


def cost_of_run(services: Services, run_id: str) -> dict[str, Any]:
    """Return what `cost` returned for the form that began this run, without `recipes`.

    Raises UserError for a run that is missing or damaged.
    """
    made = services.store.config(run_id)
    if isinstance(made, RunConfig):
        return _of_images(made, data_room.catalogue().get(made.data), None)
    return {"kind": made.kind, "parameters": _parameters(made), "minutes": made.minutes}


def _of_images(made: RunConfig, info: data_room.Info | None, own: Any) -> dict[str, Any]:
    """Return the cost of a run on images, of a named set or of somebody's own."""
    count = info.count if info else own if type(own) is int and own >= 0 else None
    if count:
        form.check_pictures(made, count)
    from gan.train.autotune.cost import estimate  # imports torch, at the first request

    known = machine.load_profile()
    with _one_at_a_time:
        found = estimate(made, known, count or 0, len(info.classes) if info else 0)
    return {
        "kind": DEFAULT,
        "parameters": {"G": found.parameters_g, "D": found.parameters_d}, "rate": found.images_per_second,
        "kimg": found.kimg, "minutes": _minutes(made, found.images_per_second),
        "passes": 1000 * found.kimg / count if count and found.kimg else None, "memory": found.memory_bytes,
        "gpu": known is not None and known.torch_name == "cuda",
    }  # fmt: skip


def _minutes(made: RunConfig, rate: float | None) -> float | None:
    """Return how long the run takes: its budget, or what its images take at this rate, if that is known."""
    if not made.budget_images:
        return made.minutes
    return made.budget_images / rate / 60 if rate else None


@functools.lru_cache(maxsize=100)
def _sizes(data: str) -> dict[str, int]:
    """Return the parameters of each recipe's networks with the defaults for a data set, G and D together."""
    from gan.train.autotune.cost import count_networks  # imports torch, at the first request

    info = data_room.catalogue().get(data)
    made = {name: form.start(data, name) for name in RECIPES}
    classes = len(info.classes) if info else 0
    return {
        name: sum(count_networks(one, classes)) for name, one in made.items() if isinstance(one, RunConfig)
    }


def _parameters(made: Settings) -> dict[str, int]:
    """Return the numbers of parameters of a run on points."""
    from gan.kinds.points.models import count_parameters  # imports torch, at the first request

    assert isinstance(made, PointsConfig)
    return count_parameters(made)


def _read(text: str) -> dict[str, Any]:
    try:
        return form.read(json.loads(text))
    except (ValueError, RecursionError) as error:
        raise UserError("ui.bad_form") from error
