"""Give a finished run a larger budget. It then resumes from its checkpoint, as a paused run does.

Every schedule goes by the whole budget. So the rates rise to the values that a run with the larger budget has
at this point, and fall again until the new end.
"""

import time
from pathlib import Path
from typing import Any

from gan.config import Settings, check_field
from gan.errors import UserError
from gan.files import read_lines, read_object
from gan.runs.store import CHECKPOINTS
from gan.worker.events import RESTARTED
from gan.worker.growth import grow

EVENTS = ("more_minutes", "more_images")


def extend(run_dir: Path, config: Settings, more: Any) -> None:
    """Give a run a larger budget, and note it among its events. The run is then paused.

    more: in minutes; in thousands of images or steps, where they are the budget. The caller starts the run.
    Raises UserError for a run without a checkpoint, an impossible number, or a budget above the limits.
    """
    if not any((run_dir / "state" / name).is_file() for name in CHECKPOINTS):
        raise UserError("runs.more_without_checkpoint")
    check_field(type(config), "minutes", more)
    longer = config.longer(float(more))
    in_minutes = not config.budget_images
    total = longer.minutes if in_minutes else longer.budget_images / 1000
    gained = total - (config.minutes if in_minutes else config.budget_images / 1000)
    images = read_object(run_dir / "status.json").get("images", 0)
    event = {
        "key": EVENTS[0] if in_minutes else EVENTS[1],
        "values": {"more": f"{gained:g}", "total": f"{total:g}", "images": images},
    }
    grow(run_dir, config, longer, {"time": round(time.time(), 3), **event})


def extensions(run_dir: Path) -> list[dict[str, Any]]:
    """Return each growth of the budget for a card: "at_images", and the "minutes" or "kimg" added.

    A run that restarts keeps its larger budget, but has it from the start.
    """
    found: list[dict[str, Any]] = []
    for event in read_lines(run_dir / "events.jsonl")[0]:
        if isinstance(event, dict) and event.get("key") == RESTARTED:
            found = []
        if isinstance(event, dict) and event.get("key") in EVENTS and isinstance(event.get("values"), dict):
            unit = "minutes" if event["key"] == EVENTS[0] else "kimg"
            values = event["values"]
            found.append({"at_images": values.get("images"), unit: float(values.get("more", 0))})
    return found
