"""Take in a carried run: check every file, write its texts anew, and give it a free id.

Nothing of it is trusted. Only fields with known names and types pass. It arrives as paused, stopped or
finished, never at work.
"""

import json
import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gan.config import Settings
from gan.data import public_name
from gan.data.names import MOVED, kept_name
from gan.errors import UserError, refuse_if_full
from gan.export.event_file import FILE, FOLDER, whole_size
from gan.files import append_line, read_json, read_object, write_bytes, write_json
from gan.kinds import get_kind, parse_config
from gan.latent.origins import KINDS_OF_IDS
from gan.mirror.capture import CARRIED, LIVE, lines_of, public_event, step_of
from gan.mirror.contents import CHECKPOINT, Manifest, digest
from gan.runs import disk, names
from gan.runs.readers import is_number
from gan.runs.store import ENDED, Store
from gan.spec import read_header
from gan.train.origin import RECORD, START, plain_record
from gan.worker.health import VERDICTS

RESTORED = "restored"
MAX_TEXT, MAX_CLASSES, MAX_GPUS = 200, 1000, 1024
_LEVELS = re.compile(r"[a-z_]{1,20}")


def settle(store: Store, folder: Path, manifest: Manifest, place: str = "") -> str:
    """Turn the files of a carried run in `folder` into a run of the store, and return its id.

    folder: in the store's root, with exactly the files of the manifest. place: the mirror from which the run
    is restored, which its events then name. Raises UserError where one of the files is not what it should be,
    and for a full store. The caller deletes the folder after an error.
    """
    store.usage.check()
    store.check_counts(new=True)
    status = check(folder, manifest)
    if place:
        _note_restored(folder, place, status["step"])
    for path in folder.rglob("*"):  # temporary folders and files are private
        os.chmod(path, 0o755 if path.is_dir() else 0o644)
    return store.take_in(folder, manifest.id, status)


def check(folder: Path, manifest: Manifest) -> dict[str, Any]:
    """Check the files of a carried run in `folder`, write its texts anew, and return its status here.

    Raises UserError where a file is not what it should be.
    """
    for name, file in manifest.files.items():
        path = folder / name
        if path.stat().st_size != file.size or digest(path) != file.sha256:
            raise UserError("mirror.damaged", name=name)
    config = _config(folder)
    step = _check_weights(folder, config["batch"])
    status = _status(folder, step)
    _rewrite(folder / "stats.jsonl", lambda line: _stats(line, step))
    _rewrite(folder / "events.jsonl", public_event)
    _check_rest(folder)
    (folder / "card.json").unlink(missing_ok=True)  # told to people; a run makes its card when it is exported
    write_json(folder / "config.json", config)
    return status


def read_settings(folder: Path) -> Settings:
    """Return the settings of a carried run. Raises UserError where they can't be read."""
    try:
        return parse_config(read_json(folder / "config.json"))
    except (OSError, ValueError) as error:
        raise UserError("mirror.damaged", name="config.json") from error


def _config(folder: Path) -> dict[str, Any]:
    """Return the run's settings. Data that is no known set becomes a place where nothing lies.

    Otherwise a carried run could name any folder of this machine as its images.
    """
    config = read_settings(folder)
    start = getattr(config, "start_from", "")  # runs on images have it; GANarium writes an id
    if start and start.partition(":")[0] not in KINDS_OF_IDS:
        raise UserError("mirror.damaged", name="config.json")
    if start and not (folder / START / RECORD).exists():  # a restart would look for the model anew
        raise UserError("mirror.lacks", name=f"{START}/{RECORD}")
    known = get_kind(config.kind).is_named(config.data)
    data = config.data if known else f"{MOVED}/{kept_name(public_name(config.data))[:200]}"
    return {**config.to_json(), "data": data}


def _check_weights(folder: Path, batch: int) -> int:
    """Check the checkpoint's digest and numbers, and the headers of all generators. Returns its step."""
    from gan.train.checkpoint import (  # imports torch, without which the server starts
        is_plausible,
        read_state,
    )

    try:
        if not is_plausible(read_state(folder / CHECKPOINT)[1], batch):
            raise ValueError("no numbers of a run")
    except Exception as error:  # a damaged file may fail in safetensors, json or torch
        refuse_if_full(error)
        raise UserError("mirror.damaged", name=CHECKPOINT) from error
    step = step_of(folder / CHECKPOINT)
    if step < 0:
        raise UserError("mirror.damaged", name=CHECKPOINT)
    for path in [*folder.glob("*/*.safetensors"), *folder.glob(LIVE)]:
        try:
            read_header(path)
        except (OSError, ValueError) as error:
            raise UserError("mirror.damaged", name=path.relative_to(folder).as_posix()) from error
    return step


def _check_rest(folder: Path) -> None:
    """Check grids and the small texts. Grids and snapshots after the checkpoint go: a resume would too."""
    for path in (folder / "samples").glob("*"):
        with open(path, "rb") as file:
            head = file.read(12)
        if head[:4] != b"RIFF" or head[8:] != b"WEBP":
            raise UserError("mirror.damaged", name=f"samples/{path.name}")
    events = folder / FOLDER / FILE
    if events.exists() and whole_size(events) != events.stat().st_size:
        raise UserError("mirror.damaged", name=f"{FOLDER}/{FILE}")
    record = folder / START / RECORD
    if record.exists():
        write_json(record, plain_record(read_object(record)))
    title = folder / names.FILE
    if title.exists():
        name = names.parse(title.read_bytes())
        title.unlink()
        if name:
            write_bytes(title, name.encode())


def _rewrite(path: Path, plain: Callable[[dict[str, Any]], dict[str, Any] | None]) -> None:
    """Write the lines of a file anew, as `plain` returns them; None leaves a line out."""
    if not path.exists():
        return
    fresh = path.with_name(f".{path.name}.tmp")
    with open(fresh, "w", encoding="utf-8") as file:
        for line in map(plain, lines_of(path)):
            if line is not None:
                file.write(json.dumps(line, separators=(",", ":")) + "\n")
    fresh.replace(path)


def _note_restored(folder: Path, place: str, step: int) -> None:
    """Note among the events where the run comes from. A Space restores at each start; the last one counts."""
    events = folder / "events.jsonl"
    _rewrite(events, lambda event: None if event["key"] == RESTORED else event)
    values = {"place": place, "step": step}
    append_line(events, {"time": round(time.time(), 3), "key": RESTORED, "values": values})


def _stats(line: dict[str, Any], step: int) -> dict[str, Any] | None:
    """Return the numbers on a line of statistics up to a step."""
    found = {
        name[:40]: number for name, number in line.items() if number is None or is_number(number)
    }  # fmt: skip
    return found if type(found.get("step")) is int and found["step"] <= step else None


def _status(folder: Path, step: int) -> dict[str, Any]:
    """Return the status of the run here. A field of an unexpected type is left out."""
    try:
        value = read_json(folder / "status.json")
    except (OSError, ValueError) as error:
        raise UserError("mirror.damaged", name="status.json") from error
    if not isinstance(value, dict):
        raise UserError("mirror.damaged", name="status.json")
    found = {name: value[name] for name in CARRIED if name in value and _FIELDS[name](value[name])}
    now = time.time()
    grids = [int(path.stem) for path in (folder / "samples").glob("*.webp")]
    return {
        **found,
        "state": value["state"] if value.get("state") in ENDED else "paused",
        "created": min(found.get("created", now), now),
        "queued_at": now,
        "step": step,
        "sample_step": max(grids, default=None),
        "live_step": found.get("live_step", step) if (folder / LIVE).exists() else None,
    }


def _number(value: Any) -> bool:
    return is_number(value) and 0 <= value < 10**15


def _maybe(value: Any) -> bool:
    return value is None or _number(value)


def _whole(value: Any) -> bool:
    return _number(value) and type(value) is int


def _text(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= MAX_TEXT


def _players(value: Any) -> bool:
    return value is None or (
        isinstance(value, dict) and set(value) == {"G", "D"} and all(map(_whole, value.values()))
    )


def _verdict(value: Any) -> bool:
    return value is None or (
        isinstance(value, dict)
        and set(value) == {"key", "level", "values", "sure"}
        and isinstance(value["sure"], bool)
        and value["key"] in VERDICTS
        and isinstance(value["level"], str)
        and bool(_LEVELS.fullmatch(value["level"]))
        and isinstance(value["values"], dict)
        and len(value["values"]) <= 20
        and all(_text(part) or is_number(part) for part in value["values"].values())
    )


# name of a field of CARRIED -> whether a value has its type
_FIELDS: dict[str, Callable[[Any], bool]] = {
    "number": lambda value: _whole(value) and value <= names.MAX_NUMBER,
    "created": _number, "step": _whole, "images": _whole, "elapsed": _number, "step_seconds": _number,
    "progress": lambda value: is_number(value) and 0 <= value <= 1, "rate": _maybe, "modes": _maybe,
    "held_out": _whole,
    "live_step": lambda value: value is None or _whole(value),
    "device": lambda value: value is None or _text(value), "parameters": _players, "verdict": _verdict,
    "classes": lambda value: (
        isinstance(value, list) and len(value) <= MAX_CLASSES and all(map(_text, value))
    ),
    "gpus": lambda value: _whole(value) and 1 <= value <= MAX_GPUS,
}  # fmt: skip


def fresh_folder(store: Store) -> Path:
    """Return a new hidden folder in the store's root. After a crash, the next server deletes it."""
    return disk.fresh(store.root)
