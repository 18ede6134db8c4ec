"""The run store: read the run directories, create them, and leave commands in them.

While a worker lives, it writes its run's directory. The store writes a status only for a run without a
worker. Files may be damaged, missing or half-written: readers then report the state "damaged" with a reason,
and never raise.
"""

from __future__ import annotations

import itertools
import os
import re
import shutil
import threading
import time
from collections import OrderedDict
from pathlib import Path
from typing import Any

from gan.config import Settings
from gan.errors import UserError
from gan.files import read_json, write_bytes, write_json
from gan.kinds import parse_config
from gan.runs import disk, eyes, marks, names
from gan.runs.disk import Usage
from gan.runs.readers import (
    CachedFile,
    StatsFile,
    is_number,
    listing,
    parse_events,
    parse_json,
    parse_samples,
)
from gan.train.origin import Origin
from gan.worker.run_dir import DECODED, EYES

LIVE = ("starting", "running")
ENDED = ("finished", "stopped")  # states in which a run has its last weights
STATES = ("queued", *LIVE, "paused", "finished", "stopped", "failed")
COMMANDS = ("pause", "stop", "sample", "save", "adjust")
# limits on queued runs and on all runs: the server checks each run's small files several times a second
QUEUED, RUNS = 100, 1000
STATS_LIMIT = 1500  # lines of statistics in one answer
STATS_BYTES = 1 << 26  # memory for the readers of statistics: some hundred long runs at once
LOG_BYTES = 1 << 16  # read from the end of a log

_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,99}")
# the names in gan/train/checkpoint.py, which imports torch
CHECKPOINTS, _DAMAGED = ("checkpoint.safetensors", "previous.safetensors"), "damaged.safetensors"
# a traceback with its last line, which names the exception
_TRACEBACK = re.compile(
    r"^[ |+]*(?:\w+ )*Traceback \(most recent call last\):\n(?:(?:[ \t].*)?\n)*(?:\S.*\n?)?", re.MULTILINE
)
_BETWEEN = re.compile(
    r"^(?:During handling of the above exception|The above exception was the direct cause).*\n?", re.MULTILINE
)
_STATUS: dict[str, Any] = {
    "state": "queued", "number": 0, "created": 0.0, "queued_at": 0.0, "step": 0, "images": 0, "progress": 0.0,
    "elapsed": 0.0, "eta": None, "rate": None, "device": None, "parameters": None, "classes": [],
    "modes": None, "held_out": 0,
    "heartbeat": 0.0, "pid": None, "pid_started": None, "error": None, "verdict": None,
    "sample_step": None, "live_step": None, "step_seconds": 0.0,
    "interrupted": False, "interruptions": 0, "interrupted_at": -1, "gpus": 1, "where": None,
    "reason": None, "leased": False, "on_cpu": False,
}  # fmt: skip
_SHOWN = {
    "verdict": ("key", "level", "values"), "error": ("key", "values", "text"), "parameters": ("G", "D"),
    "where": ("kind", "id", "flavor"),
}  # fmt: skip
SUMMARY_STATUS = (
    "state", "number", "created", "queued_at", "step", "images", "progress", "elapsed", "eta", "rate",
    "error", "verdict", "sample_step", "live_step", "heartbeat", "step_seconds", "where",
)  # fmt: skip
# a setting that a kind lacks is None
SUMMARY_CONFIG = ("kind", "data", "recipe", "size", "channels", "conditional", "minutes", "kimg")


def default_root() -> Path:
    """Return the directory of runs: $GANARIUM_RUNS, or "runs" in the current directory."""
    return Path(os.environ.get("GANARIUM_RUNS") or "runs")


def error_json(error: UserError) -> dict[str, Any]:
    """Return a UserError as status.json and the server's answers hold it."""
    return {"key": error.key, "values": error.values, "text": str(error)}


class Store:
    """The runs under `root`. Safe to use from many threads.

    Every method that takes an id raises UserError if the run does not exist. allowed: the quota in bytes (see
    Usage); 0 means no limit.
    """

    def __init__(self, root: Path, allowed: int = 0):
        self.root = Path(root).absolute()
        self.usage = Usage(self.root, allowed)
        self._files: dict[str, _RunFiles] = {}
        self._stats: OrderedDict[str, StatsFile] = OrderedDict()
        self._stats_lock = threading.Lock()

    # Readers

    def ids(self) -> list[str]:
        """Return the ids of all runs, in no order. Raises OSError if the directory is unreadable."""
        return [entry.name for entry in os.scandir(self.root) if _ID.fullmatch(entry.name) and entry.is_dir()]

    def get(self, run_id: str) -> dict[str, Any]:
        """Return everything that a page shows of one run, except its statistics.

        The keys are id, name (or None), config (None if damaged), status, samples (steps), events and log.
        The events are oldest first. The log is the end of worker.log if the run failed.
        """
        files = self._run(run_id)
        config, status = files.config(), files.status()
        log = self.log_tail(run_id) if status["state"] in ("failed", "damaged") else []
        config_json = None if isinstance(config, UserError) else config.to_json()
        shown = {"samples": files.samples(), "events": files.events(), "log": log}
        return {"id": run_id, "name": files.name(), "config": config_json, "status": status, **shown}

    def config(self, run_id: str) -> Settings:
        """Return the run's settings, of any kind. Raises UserError if they can't be read."""
        config = self._run(run_id).config()
        if isinstance(config, UserError):
            raise config
        return config

    def status(self, run_id: str) -> dict[str, Any]:
        """Return the run's status.json with every field. The state is "damaged" if a file is unreadable."""
        return self._run(run_id).status()

    def state(self, run_id: str) -> str | None:
        """Return the run's state, or None if somebody has deleted its directory."""
        try:
            return self.status(run_id)["state"]
        except UserError:
            return None

    def stats(self, run_id: str, since: int = 0) -> tuple[list[dict[str, Any]], int]:
        """Return the statistics after the first `since` lines, and the next `since`. See `follow`."""
        lines, count, _ = self.follow(run_id, since)
        return lines, count

    def follow(self, run_id: str, since: int, last: str = "") -> tuple[list[dict[str, Any]], int, int]:
        """Return the statistics after the first `since` lines, the number of lines, and the `since` used.

        last: the `mark` of line `since`. A run that resumed from an older checkpoint has fewer or other
        lines. The `since` returned is then 0, and these lines replace all earlier ones. More than STATS_LIMIT
        lines are thinned evenly, with the first and the last kept.
        """
        reader = self._stats_file(run_id)
        held = reader.held
        found = reader.follow(since, last, STATS_LIMIT)
        if reader.held != held:
            self._let_go()
        return found

    def samples(self, run_id: str) -> list[int]:
        """Return the steps with a sample grid, ascending."""
        return self._run(run_id).samples()

    def eyes(self, run_id: str) -> dict[str, Any] | None:
        """Return what D makes of the run's images and samples (see gan.runs.eyes), or None."""
        return self._run(run_id).eyes()

    def check_counts(self, new: bool) -> None:
        """Raise UserError if the queue is full, or if a `new` run would exceed RUNS."""
        states = [summary["state"] for summary in self.list()]
        if states.count("queued") >= QUEUED:
            raise UserError("runs.queue_full", most=QUEUED)
        if new and len(states) >= RUNS:
            raise UserError("runs.too_many", most=RUNS)

    def sample_path(self, run_id: str, step: int) -> Path:
        """Return the file of a sample grid (WebP). Raises UserError if there is none."""
        path = self.path(run_id) / "samples" / f"{int(step):08d}.webp"
        if step < 0 or not path.is_file():
            raise UserError("runs.no_sample", step=step)
        return path

    def log_tail(self, run_id: str, lines: int = 20) -> list[str]:
        """Return the last lines of worker.log, oldest first, without tracebacks; [] without a log."""
        try:
            with open(self.path(run_id) / "worker.log", "rb") as file:
                file.seek(max(0, os.fstat(file.fileno()).st_size - LOG_BYTES))
                text = file.read().decode("utf-8", "replace")
        except OSError:
            return []
        plain = _BETWEEN.sub("", _TRACEBACK.sub("", "\n".join(text.splitlines()) + "\n"))
        # drops indented lines too: a traceback may have lost its first line to the limit of LOG_BYTES
        return [line.rstrip() for line in plain.split("\n") if line.strip() and not line[0].isspace()][
            -lines:
        ]

    def resumable(self, run_id: str) -> bool:
        """Return whether the run has a checkpoint file. Does not check the content."""
        return any((self.path(run_id) / "state" / name).is_file() for name in CHECKPOINTS)

    def spoilt(self, run_id: str) -> bool:
        """Return whether a run has learnt something but lost its checkpoints, so that it can only restart."""
        if self.resumable(run_id):
            return False
        path = self.path(run_id)
        learnt = (
            any((path / "snapshots").glob("*.safetensors"))
            or any(self.samples(run_id)[-1:])
            or self.stats(run_id)[1] > 0
        )
        return learnt or (path / "state" / _DAMAGED).is_file()

    def visitor(self, run_id: str) -> str:
        """Return the mark of the visitor who started the run, or "" where no visitor did (see marks)."""
        return self._run(run_id).visitor()

    def path(self, run_id: str) -> Path:
        """Return the run's directory."""
        return Path(self._run(run_id).directory)

    # Writers

    def create(self, config: Settings, visitor: str = "", start: Origin | None = None, **status: Any) -> str:
        """Create a new run in the state "queued" and return its id: <date>-<time>-<data>-<recipe>.

        visitor: the mark of the visitor who starts it, "" for none. start: the model whose weights it begins
        with. status: fields that differ from those of a queued run.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        now = time.time()
        stem = f"{time.strftime('%Y%m%d-%H%M%S', time.localtime(now))}-{_slug(Path(config.data).stem)}-{_slug(config.recipe)}"  # noqa: E501
        # filled under a hidden name and then renamed, so that nobody lists half a run
        temporary = disk.fresh(self.root)
        try:
            write_json(temporary / "config.json", config.to_json())
            if visitor:
                write_bytes(temporary / marks.FILE, visitor.encode())
            if start is not None:
                start.copy_to(temporary)
            number = names.free_number(self.list(), config.data)
            fresh = {**_STATUS, "number": number, "created": now, "queued_at": now, **status}
            write_json(temporary / "status.json", fresh)
            temporary.chmod(0o755)
            return self._claim(temporary, stem)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise

    def take_in(self, directory: Path, run_id: str, status: dict[str, Any]) -> str:
        """Make a filled directory of `disk.fresh` a run with this status, and return its id.

        That is `run_id`, or one with a number where the run exists. Raises UserError for a name that is no
        id.
        """
        if not _ID.fullmatch(run_id):
            raise UserError("runs.unknown", id=run_id[:100])
        data = read_json(directory / "config.json")["data"]
        number = names.free_number(self.list(), data, status.get("number", 0))
        write_json(directory / "status.json", {**_STATUS, **status, "number": number})
        directory.chmod(0o755)
        taken = self._claim(directory, run_id)
        self.usage.forget()
        return taken

    def _claim(self, temporary: Path, stem: str) -> str:
        """Rename `temporary` to the first free name of stem, stem-2, stem-3..."""
        for number in itertools.count(1):
            run_id = stem if number == 1 else f"{stem}-{number}"
            target = self.root / run_id
            if target.exists():
                continue
            try:
                os.rename(temporary, target)
            except OSError:
                if target.exists():  # another process was faster
                    continue
                raise
            return run_id
        raise AssertionError("unreachable: count() does not end")

    def update_status(self, run_id: str, **changes: Any) -> None:
        """Replace fields of status.json. Only for a run without a living worker, which writes it too.

        A run that ends needs its decoded images no more.
        """
        path = self.path(run_id) / "status.json"
        try:
            current = read_json(path)
        except (OSError, ValueError):
            current = None
        write_json(path, {**_STATUS, **(current if isinstance(current, dict) else {}), **changes})
        if changes.get("state") in ("stopped", "failed"):
            (path.parent / DECODED).unlink(missing_ok=True)

    def send(self, run_id: str, command: str, **values: Any) -> None:
        """Leave a command for the run's worker, which reads it between steps. Raises UserError if invalid."""
        if command not in COMMANDS:
            raise UserError("runs.unknown_command", name=command)
        place = self.path(run_id) / "commands" / f"{time.time_ns()}-{command}.json"
        write_json(place, {"command": command, **values})

    def commands(self, run_id: str) -> set[str]:
        """Return the names of the commands that no worker has taken."""
        return {path.stem.split("-", 1)[-1] for path in (self.path(run_id) / "commands").glob("*.json")}

    def drop_commands(self, run_id: str) -> set[str]:
        """Remove the commands that no worker has taken, and return their names.

        They were meant for the last worker, and the next one must not obey them.
        """
        left = set()
        for path in (self.path(run_id) / "commands").glob("*.json"):
            left.add(path.stem.split("-", 1)[-1])
            path.unlink(missing_ok=True)
        return left

    def rename(self, run_id: str, name: str) -> str:
        """Set the run's title, "" for the default, and return it as saved. Raises UserError if too long."""
        path, kept = self.path(run_id) / names.FILE, names.checked(name)
        if kept:
            write_bytes(path, kept.encode())
        else:
            path.unlink(missing_ok=True)
        return kept

    def begin_anew(self, run_id: str) -> None:
        """Delete what a run has learnt, and queue it as a new run, on as many GPUs as before.

        Only for a run without a living worker.
        """
        before = self.status(run_id)
        disk.empty(self.path(run_id))
        kept = {name: before[name] for name in ("number", "created", "gpus")}
        write_json(self.path(run_id) / "status.json", {**_STATUS, **kept, "queued_at": time.time()})
        self.usage.forget()

    def hide(self, run_id: str) -> None:
        """Hide a run until `sweep` deletes it. Only for a run without a living worker, which writes files."""
        disk.hide(self.path(run_id))
        self._files.pop(run_id, None)
        with self._stats_lock:
            self._stats.pop(run_id, None)

    def sweep(self, crashed: bool = False) -> None:
        """Delete hidden runs from the disk. `crashed`: also runs that a crashed server had half created."""
        disk.sweep(self.root, disk.GONE, *([disk.NEW] if crashed else []))
        self.usage.forget()

    # Helpers

    def _run(self, run_id: str) -> _RunFiles:
        """Return the files of an existing run. Ids come from the network: check them before disk access."""
        if not isinstance(run_id, str) or not _ID.fullmatch(run_id) or not (self.root / run_id).is_dir():
            raise UserError("runs.unknown", id=str(run_id)[:100])
        return self._open(run_id)

    def _open(self, run_id: str) -> _RunFiles:
        files = self._files.get(run_id)
        return files or self._files.setdefault(run_id, _RunFiles(run_id, f"{self.root}/{run_id}"))

    def _stats_file(self, run_id: str) -> StatsFile:
        path = self.path(run_id) / "stats.jsonl"
        with self._stats_lock:
            reader = self._stats.setdefault(run_id, StatsFile(str(path)))
            self._stats.move_to_end(run_id)
        return reader

    def _let_go(self) -> None:
        """Drop the readers used longest ago while all take over STATS_BYTES. Rereading takes a moment."""
        with self._stats_lock:
            held = sum(reader.held for reader in self._stats.values())
            while held > STATS_BYTES and len(self._stats) > 1:
                held -= self._stats.popitem(last=False)[1].held

    # Last, because the name hides the builtin in the annotations that follow

    def list(self) -> list[dict[str, Any]]:
        """Return a summary of each run, newest first, as a flat dict.

        It holds "id", "name" (None if unset), the settings in SUMMARY_CONFIG and the status in
        SUMMARY_STATUS. A damaged run has the state "damaged" and the reason under "error".
        """
        try:
            ids = self.ids()
        except OSError:
            ids = []
        for gone in set(self._files) - set(ids):
            self._files.pop(gone, None)
        summaries = [self._open(name).summary() for name in ids]
        return sorted(summaries, key=lambda summary: (summary["created"], summary["id"]), reverse=True)


class _RunFiles:
    """The cached readers of one run."""

    def __init__(self, run_id: str, directory: str):
        self.id, self.directory = run_id, directory
        self._name = CachedFile(f"{directory}/{names.FILE}", names.parse)
        self._visitor = CachedFile(f"{directory}/{marks.FILE}", marks.parse)
        self._config = CachedFile(f"{directory}/config.json", _parse_config)
        self._status = CachedFile(f"{directory}/status.json", _parse_status)
        self._samples = CachedFile(f"{directory}/samples", parse_samples, listing)
        self._events = CachedFile(f"{directory}/events.jsonl", parse_events)
        self._eyes = CachedFile(f"{directory}/{EYES}", eyes.parse)

    def name(self) -> str | None:
        return self._name.read()

    def visitor(self) -> str:
        return self._visitor.read()

    def config(self) -> Settings | UserError:
        return self._config.read()

    def samples(self) -> list[int]:
        return list(self._samples.read())

    def events(self) -> list[dict[str, Any]]:
        return list(self._events.read())

    def eyes(self) -> dict[str, Any] | None:
        return self._eyes.read()

    def status(self) -> dict[str, Any]:
        status, config = self._status.read(), self._config.read()
        if isinstance(config, UserError) and status["state"] != "damaged":
            return {**status, "state": "damaged", "error": error_json(config)}
        return dict(status)

    def summary(self) -> dict[str, Any]:
        config, status = self._config.read(), self.status()
        settings = {
            name: None if isinstance(config, UserError) else getattr(config, name, None)
            for name in SUMMARY_CONFIG
        }
        summary = {
            "id": self.id,
            "name": self.name(),
            **settings,
            **{name: status[name] for name in SUMMARY_STATUS},
        }
        if not summary["created"]:
            try:
                summary["created"] = os.stat(self.directory).st_mtime
            except OSError:  # removed since it was listed
                summary["created"] = 0.0
        return summary


def _parse_config(data: bytes | None) -> Settings | UserError:
    try:
        return parse_config(parse_json(data))
    except UserError as error:
        return error
    except (ValueError, TypeError, OverflowError):
        return UserError("runs.damaged", file="config.json")


def _parse_status(data: bytes | None) -> dict[str, Any]:
    try:
        status = parse_json(data)
        if isinstance(status, dict) and status.get("state") in STATES and _well_typed(status):
            return {**_STATUS, **status}
    except (ValueError, TypeError):
        pass
    return {**_STATUS, "state": "damaged", "error": error_json(UserError("runs.damaged", file="status.json"))}


def _well_typed(status: dict[str, Any]) -> bool:
    """Return whether the status has numbers where the code calculates, and types that the page can show."""
    numbers = all(is_number(status.get(name, 0)) for name, default in _STATUS.items() if is_number(default))
    maybe_numbers = all(
        status.get(name) is None or is_number(status[name])
        for name in ("eta", "rate", "sample_step", "live_step")
    )
    texts = isinstance(status.get("device"), str | None) and isinstance(status.get("classes", []), list)
    return (
        numbers
        and maybe_numbers
        and texts
        and all(_has(status.get(name), *keys) for name, keys in _SHOWN.items())
    )


def _has(value: Any, *keys: str) -> bool:
    """Return whether an optional field of a status is an object with these keys."""
    return value is None or (isinstance(value, dict) and all(key in value for key in keys))


def _slug(text: str) -> str:
    """Return `text` as a part of an id: at most 24 of a-z, 0-9 and -; "pictures" if nothing is left."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower())[:24].strip("-") or "pictures"
