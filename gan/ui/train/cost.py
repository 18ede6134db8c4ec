"""Estimate the cost of the run in the form.

The page asks while the form is being filled in, so nothing here trains or measures.
"""

import json
import threading
from typing import Any

from gan import data as data_room
from gan.errors import UserError
from gan.recipes import USER_DATA
from gan.train.autotune import machine
from gan.ui.train import form

# A class of thirty sends the same request at once. One computes the estimate; the others find it cached.
_one_at_a_time = threading.Lock()


def cost(text: str) -> dict[str, Any]:
    """Return the cost of the form in a JSON text {data, recipe, minutes, values, own}.

    own: the number of uploaded pictures, where the page knows it.
    The answer is {parameters: {G, D}, rate, kimg, minutes, passes, memory, gpu}:
        rate      images a second
        kimg      thousands of images
        passes    epochs over the data
        memory    bytes
    Values that depend on the machine are None until its self-test has run. Raises UserError for what Train
    would refuse, and where the text is no form.
    """
    asked = _read(text)
    data, own = asked["data"], asked.get("own")
    info = None if data == USER_DATA else data_room.info(data)
    made = form.settings(data, asked.get("recipe"), asked.get("minutes"), asked["values"])
    count = info.count if info else own if type(own) is int and own >= 0 else None
    if count:
        form.check_pictures(made, count)
    from gan.train.autotune.cost import estimate  # imports torch, at the first request

    known = machine.load_profile()
    with _one_at_a_time:
        found = estimate(made, known, count or 0, len(info.classes) if info else 0)
    return {
        "parameters": {"G": found.parameters_g, "D": found.parameters_d}, "rate": found.images_per_second,
        "kimg": found.kimg, "minutes": made.minutes,
        "passes": 1000 * found.kimg / count if count and found.kimg else None, "memory": found.memory_bytes,
        "gpu": known is not None and known.torch_name == "cuda",
    }  # fmt: skip


def _read(text: str) -> dict[str, Any]:
    try:
        return form.read(json.loads(text))
    except (ValueError, RecursionError) as error:
        raise UserError("ui.bad_form") from error
