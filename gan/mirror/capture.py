"""Copy a run as it is at its newest checkpoint, also while it trains.

The worker replaces its files and never changes one in place, except that it appends lines. So hard links hold
a checkpoint still, and everything later than that checkpoint's step is left out. The copy carries no path of
this machine, no process and no error text.
"""

import contextlib
import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, NamedTuple

from gan.data import public_name
from gan.errors import UserError
from gan.export.card import MARK, origin
from gan.export.event_file import FILE, FOLDER, whole_size
from gan.files import read_object, write_json
from gan.kinds import RECORD
from gan.mirror.contents import CHECKPOINT, ID, most
from gan.mirror.fitting import fit
from gan.runs import names
from gan.runs.store import ENDED
from gan.runs.store import LIVE as LIVE_STATES
from gan.spec import read_header
from gan.train.origin import DISCRIMINATOR, GENERATOR, START
from gan.train.origin import RECORD as RECORD_OF_START
from gan.worker.events import EVENTS
from gan.worker.run_dir import read_config

TRIES = 5  # a rollback while the files are read makes the copy begin anew
LIVE = "live.safetensors"
# fields of a status that mean the same on another machine
CARRIED = (
    "number", "created", "step", "images", "progress", "elapsed", "rate", "device", "parameters", "classes",
    "modes", "held_out", "verdict", "live_step", "step_seconds", "gpus",
)  # fmt: skip
_CHECKPOINTS = ("checkpoint", "previous")  # newest first
_AS_THEY_ARE = (names.FILE, "directions.json", RECORD)
_START = tuple(f"{START}/{name}" for name in (GENERATOR, DISCRIMINATOR, RECORD_OF_START))
_FOLDERS = (("samples", ".webp"), ("snapshots", ".safetensors"))


class Captured(NamedTuple):
    """A copy of a run: its id, the step of its checkpoint, and whether its status said that it was over."""

    id: str
    step: int
    over: bool


def capture(run: Path, into: Path) -> Captured:
    """Copy the run in directory `run` into the empty folder `into`, which is on the same disk.

    Snapshots that would make it too large are left out.
    Raises UserError for no run, for a run without a checkpoint, and for one that is too large all the same.
    """
    for _ in range(TRIES):
        config = read_config(run)
        step, counters = _take_checkpoint(run, into)
        status = read_object(run / "status.json")
        over = status.get("state") in ENDED and status.get("step") == step
        images = _copy_stats(run, into, step)
        _copy_events(run, into)
        for folder, suffix in _FOLDERS:
            _link_until(run, into, folder, suffix, step)
        for name in (LIVE, *_AS_THEY_ARE, *_START):
            link(run / name, into / name)
        if status.get("state") not in LIVE_STATES:
            copy_events_of_tracker(run, into)
        write_json(into / "config.json", {**config.to_json(), "data": public_name(config.data)})
        carried = {name: status[name] for name in CARRIED if name in status}
        if not over:
            carried |= {"step": step, "elapsed": counters.get("elapsed", 0.0)}
            carried |= {"images": images} if images is not None else {}
        write_json(into / "status.json", {"state": status["state"] if over else "paused", **carried})
        write_json(into / "card.json", _card(run, config, carried))
        if newest_step(run) >= step:
            fit(into, run.absolute().name)
            return Captured(id_of(run), step, over)
        shutil.rmtree(into)
        into.mkdir()
    raise UserError("mirror.restless", name=run.name)


def step_of(checkpoint: Path) -> int:
    """Return the step of a checkpoint file, or -1 if it has no readable header."""
    return _trainer(checkpoint).get("step", -1)


def newest_step(run: Path) -> int:
    """Return the step of a run's newest readable checkpoint, or -1."""
    steps = (step_of(run / "state" / f"{name}.safetensors") for name in _CHECKPOINTS)
    return next((step for step in steps if step >= 0), -1)


def id_of(run: Path) -> str:
    """Return a directory's name as a run id. A run of the terminal may have any name."""
    name = re.sub(r"[^a-z0-9]+", "-", run.absolute().name.lower()).strip("-")[:90]
    return name if ID.fullmatch(name) else "run"


def _trainer(checkpoint: Path) -> dict[str, Any]:
    """Return a checkpoint's facts about its trainer; {} if the file is none."""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError, RecursionError):
        value = json.loads(read_header(checkpoint)[1]["trainer"])
        if isinstance(value, dict) and type(value.get("step")) is int:
            return value
    return {}


def _take_checkpoint(run: Path, into: Path) -> tuple[int, dict[str, Any]]:
    """Link the newest readable checkpoint. Returns its step and its counters. Raises UserError for none."""
    for name in _CHECKPOINTS:
        target = into / CHECKPOINT
        target.unlink(missing_ok=True)
        if link(run / "state" / f"{name}.safetensors", target) and (facts := _trainer(target)):
            counters = facts.get("counters")
            return facts["step"], counters if isinstance(counters, dict) else {}
    raise UserError("mirror.no_checkpoint", name=run.absolute().name)


def link(source: Path, target: Path) -> bool:
    """Link a file, or copy it where the disk has no links. Returns False for a missing file."""
    target.parent.mkdir(exist_ok=True)
    try:
        os.link(source, target)
    except FileNotFoundError:
        return False
    except OSError:
        try:
            shutil.copyfile(source, target)
        except FileNotFoundError:
            target.unlink(missing_ok=True)
            return False
    return True


def _link_until(run: Path, into: Path, folder: str, suffix: str, step: int) -> None:
    """Link the files of a folder that are named by steps up to `step`."""
    for path in (run / folder).glob(f"[0-9]*{suffix}"):
        if most(f"{folder}/{path.name}") and int(path.stem) <= step:
            link(path, into / folder / path.name)


def lines_of(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the JSON objects on the whole lines of a file; nothing for a missing file."""
    with contextlib.suppress(FileNotFoundError), open(path, "rb") as file:
        for raw in file:
            with contextlib.suppress(ValueError, RecursionError):
                value = json.loads(raw) if raw.endswith(b"\n") else None
                if isinstance(value, dict):
                    yield value


def _copy_stats(run: Path, into: Path, step: int) -> int | None:
    """Copy the statistics up to a step. Returns the images of the last line, or None without a line."""
    images = None
    with open(into / "stats.jsonl", "w", encoding="utf-8") as copy:
        for line in lines_of(run / "stats.jsonl"):
            if isinstance(line.get("step"), int) and line["step"] <= step:
                copy.write(json.dumps(line, separators=(",", ":")) + "\n")
                images = line["images"] if isinstance(line.get("images"), int) else images
    return images


def copy_events_of_tracker(run: Path, into: Path) -> None:
    """Copy the whole records that the tracker TensorBoard holds; it may still append the last ones.

    The tracker sends again what is missing there, so a file beyond its limit is left out.
    """
    name = f"{FOLDER}/{FILE}"
    if not (run / name).is_file() or (size := whole_size(run / name)) > (most(name) or 0):
        return
    (into / FOLDER).mkdir()
    with open(run / name, "rb") as source, open(into / name, "wb") as copy:
        shutil.copyfileobj(source, copy)
        copy.truncate(size)


def _copy_events(run: Path, into: Path) -> None:
    with open(into / "events.jsonl", "w", encoding="utf-8") as copy:
        for event in map(public_event, lines_of(run / "events.jsonl")):
            if event is not None:
                copy.write(json.dumps(event) + "\n")


def public_event(event: dict[str, Any]) -> dict[str, Any] | None:
    """Return an event with plain values, paths shortened to their last part; None if it is no event."""
    key, values, time = (event.get(name) for name in ("key", "values", "time"))
    if key not in EVENTS or not isinstance(values, dict) or type(time) not in (int, float):
        return None
    plain = {
        str(name)[:40]: short_text(value) if isinstance(value, str) else value
        for name, value in values.items()
        if isinstance(value, (str, int, float))
    }
    return {"time": time, "key": key, "values": plain}


def short_text(text: str) -> str:
    """Shorten an absolute path to its last part; keep any other text, up to 1,000 characters."""
    absolute = PurePosixPath(text).is_absolute() or PureWindowsPath(text).is_absolute()
    return PureWindowsPath(text).name if absolute else text[:1000]


def _card(run: Path, config: Any, status: dict[str, Any]) -> dict[str, Any]:
    """Return the facts of a run for people who open the file."""
    name = names.parse((run / names.FILE).read_bytes()) if (run / names.FILE).exists() else None
    return {
        "title": name or public_name(config.data), "kind": config.kind, **origin(config.data, run),
        "recipe": config.recipe, "images": status.get("images"), "seconds": status.get("elapsed"),
        "hardware": status.get("device"), "mark": MARK,
    }  # fmt: skip
