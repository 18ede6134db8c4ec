"""What the run in the form would cost: asked for while the form is being filled in, so that nothing here
trains or measures.
"""

import json
import threading
from typing import Any

from gan import data as data_room
from gan.errors import UserError
from gan.recipes import USER_DATA
from gan.train.autotune import machine
from gan.ui.train import form

# a class of thirty asks the same at once: one counts, the others find it counted
_one_at_a_time = threading.Lock()


def cost(text: str) -> dict[str, Any]:
    """The cost of the form in a JSON text {data, recipe, minutes, values, own}: `own` is how many pictures
    were added, where that is known.

    {parameters: {G, D}, rate, kimg, minutes, passes, memory, gpu}: images a second, thousand images, the
    time, passes over the data, bytes. What hangs on the machine is None until the self-test has measured it.
    Raises UserError with the sentence that Train would give, and for what is no form at all.
    """
    asked = _read(text)
    data, own = asked["data"], asked.get("own")
    info = None if data == USER_DATA else data_room.info(data)
    made = form.settings(data, asked.get("recipe"), asked.get("minutes"), asked["values"])
    count = info.count if info else own if type(own) is int and own >= 0 else None
    if count:
        form.check_pictures(made, count)
    from gan.train.autotune.cost import estimate  # torch: imported in a thread, at the first question

    known = machine.load_profile()
    with _one_at_a_time:
        found = estimate(made, known, count or 0, len(info.classes) if info else 0)
    return {
        "parameters": {"G": found.parameters_g, "D": found.parameters_d}, "rate": found.images_per_second,
        "kimg": found.kimg, "minutes": made.minutes,
        "passes": 1000 * found.kimg / count if count and found.kimg else None, "memory": found.memory_bytes,
        "gpu": bool(known) and known.torch_name == "cuda",
    }  # fmt: skip


def _read(text: str) -> dict[str, Any]:
    try:
        return form.read(json.loads(text))
    except (ValueError, RecursionError) as error:
        raise UserError("ui.bad_form") from error
