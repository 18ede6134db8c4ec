"""What a server and its job leave for each other in the mirror's place, beside the run's files.

| file of RUN | who writes it | content |
|---|---|---|
| order/config.json, order/start/ | the server | a run that has no checkpoint yet |
| commands/NUMBER-NAME.json | the server | a command to the worker |
| ended.json | the job | how the worker ended |
"""

import json
import re
import time
from pathlib import Path
from typing import Any

from gan.errors import MESSAGES, UserError
from gan.files import read_json
from gan.mirror.capture import short_text
from gan.mirror.remote import Remote, Source
from gan.runs.store import COMMANDS, STATES
from gan.train.origin import DISCRIMINATOR, GENERATOR, RECORD, START

ORDER, ENDED = "order", "ended.json"
_ORDERED = ("config.json", *(f"{START}/{name}" for name in (GENERATOR, DISCRIMINATOR, RECORD)))
_COMMAND = re.compile(rf"commands/[0-9]{{1,20}}-({'|'.join(COMMANDS)})\.json", re.ASCII)
_SMALL = 2**14  # bytes of a message


def send_order(remote: Remote, run_id: str, run_dir: Path) -> None:
    """Leave the settings of a new run, and the model that it starts from. Raises UserError."""
    files: dict[str, Source] = {
        f"{run_id}/{ORDER}/{name}": run_dir / name for name in _ORDERED if (run_dir / name).is_file()
    }
    remote.replace(files, {}, [])


def take_order(remote: Remote, run_id: str, run_dir: Path) -> None:
    """Write what `send_order` left to a run's directory. Raises UserError."""
    listing = remote.listing(f"{run_id}/{ORDER}")
    wanted = {}
    for name in _ORDERED:
        entry = listing.get(f"{run_id}/{ORDER}/{name}")
        if entry is not None:
            (run_dir / name).parent.mkdir(parents=True, exist_ok=True)
            wanted[f"{run_id}/{ORDER}/{name}"] = (entry, run_dir / name)
    if f"{run_id}/{ORDER}/config.json" not in wanted:
        raise UserError("jobs.no_order", id=run_id)
    remote.fetch(wanted)


def send_commands(remote: Remote, run_id: str, commands: list[str]) -> None:
    """Leave commands for the job. Raises UserError."""
    content = json.dumps({"commands": commands}).encode()
    now = time.time_ns()
    files: dict[str, Source] = {
        f"{run_id}/commands/{now + number}-{name}.json": content for number, name in enumerate(commands)
    }
    remote.replace(files, {}, [])


def take_commands(remote: Remote, run_id: str) -> list[str]:
    """Return the commands that wait, oldest first, and delete them. Raises UserError."""
    paths = sorted(remote.listing(f"{run_id}/commands"))
    found = [match[1] for path in paths if (match := _COMMAND.fullmatch(path.removeprefix(f"{run_id}/")))]
    if paths:
        remote.replace({}, {}, paths)
    return found


def send_end(remote: Remote, run_id: str, state: str, error: dict[str, Any] | None) -> None:
    """Say how the worker ended. The error's values lose the paths of this machine. Raises UserError."""
    plain = error and {
        "key": error["key"],
        "values": {name: short_text(str(value)) for name, value in error["values"].items()},
    }
    content = json.dumps({"state": state, "error": plain}).encode()
    remote.replace({}, {f"{run_id}/{ENDED}": content}, [])


def read_end(remote: Remote, run_id: str, folder: Path) -> tuple[str, UserError | None] | None:
    """Return the last state of a run in a job and its error; None where the job left none.

    The file lies in `folder` meanwhile. Raises UserError for a fault of the place.
    """
    path = f"{run_id}/{ENDED}"
    entry = remote.listing(run_id).get(path)
    if entry is None or not entry.size <= _SMALL:
        return None
    remote.fetch({path: (entry, folder / ENDED)})
    try:
        value = read_json(folder / ENDED)
        state, error = value["state"], value["error"]
        if state not in STATES:
            return None
        return state, _error(error) if error else None
    except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError):
        return None


def clear(remote: Remote, run_id: str) -> None:
    """Delete all messages about a run. Raises UserError."""
    places = (f"{run_id}/{ORDER}/", f"{run_id}/commands/", f"{run_id}/{ENDED}")
    gone = [path for path in remote.listing(run_id) if path.startswith(places)]
    if gone:
        remote.replace({}, {}, sorted(gone))


def _error(error: dict[str, Any]) -> UserError:
    """Return a job's error. One of another version is told as a defect."""
    if error["key"] not in MESSAGES:
        return UserError("runs.defect")
    return UserError(error["key"], **{str(name): str(text)[:200] for name, text in error["values"].items()})
