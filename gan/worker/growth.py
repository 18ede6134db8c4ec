"""Give a run a larger budget in one step, which a kill can delay but neither lose nor double.

One write of status.json takes the run out of "finished" and holds the new budget with its event. Settings and
events follow from it. Whoever takes the run next writes what a kill left unwritten.
"""

import dataclasses
from pathlib import Path
from typing import Any

from gan.config import Settings
from gan.errors import UserError
from gan.files import append_line, read_lines, read_object, write_json
from gan.worker.run_dir import read_config

FIELD = "growth"  # of status.json, until settings and events have it


def grow(run_dir: Path, config: Settings, longer: Settings, event: dict[str, Any]) -> None:
    """Pause a run with the settings `config`, and give it the budget of `longer`. event: its line.

    Only for a run without a living worker.
    """
    before = config.to_json()
    budget = {name: value for name, value in longer.to_json().items() if value != before[name]}
    status = read_object(run_dir / "status.json")
    write_json(
        run_dir / "status.json", {**status, "state": "paused", FIELD: {"budget": budget, "event": event}}
    )
    settle(run_dir)


def settle(run_dir: Path) -> None:
    """Write the budget and the event that a status still holds, if it does, each once.

    Only for a run without a living worker. Raises UserError for a damaged file of the run.
    """
    status = read_object(run_dir / "status.json")
    growth = status.pop(FIELD, None)
    if growth is None:
        return
    config, events = read_config(run_dir), run_dir / "events.jsonl"
    try:
        budget, event = dict(growth["budget"]), dict(growth["event"])
        longer = dataclasses.replace(config, **budget)
    except (TypeError, KeyError, ValueError) as error:
        raise UserError("runs.damaged", file="status.json") from error
    if event not in read_lines(events)[0]:
        append_line(events, event)
    write_json(run_dir / "config.json", longer.to_json())
    write_json(run_dir / "status.json", status)
