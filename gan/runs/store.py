"""The run store: runs are directories, and everything here reads them, creates them, or leaves a command in
them.

A worker process writes its run's directory while it lives; the store writes a status only for runs without a
worker. What readers find may be damaged, missing or half-written, and is then reported as the state "damaged"
with a sentence, never as an exception.
"""

from __future__ import annotations  # Store.list hides the builtin in annotations

import itertools
import os
import re
import shutil
import tempfile
import threading
import time
from collections import OrderedDict
from pathlib import Path
from typing import Any

from gan.config import RunConfig
from gan.errors import UserError
from gan.files import read_json, write_bytes, write_json
from gan.runs import disk, names
from gan.runs.disk import Usage
from gan.runs.readers import CachedFile, StatsFile, is_number, listing, parse_json

LIVE = ("starting", "running")
STATES = ("queued", *LIVE, "paused", "finished", "stopped", "failed")
COMMANDS = ("pause", "stop", "sample", "save")
# at most: runs that wait, and runs in all, whose small files are looked at several times a second
QUEUED, RUNS = 100, 1000
STATS_LIMIT = 1500
# of memory for where lines of statistics stand: those of some hundred long runs at once
STATS_BYTES = 1 << 26
LOG_BYTES = 1 << 16
EVENTS_SHOWN = 20  # the newest ones

_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,99}")
# as in gan/train/checkpoint.py, which needs torch
CHECKPOINTS, _DAMAGED = ("checkpoint.safetensors", "previous.safetensors"), "damaged.safetensors"
# and the exception's own line
_TRACEBACK = re.compile(
    r"^[ |+]*(?:\w+ )*Traceback \(most recent call last\):\n(?:(?:[ \t].*)?\n)*(?:\S.*\n?)?", re.MULTILINE
)
_BETWEEN = re.compile(
    r"^(?:During handling of the above exception|The above exception was the direct cause).*\n?", re.MULTILINE
)
_SAMPLE = re.compile(r"([0-9]{8,})\.webp")
_STATUS: dict[str, Any] = {
    "state": "queued", "created": 0.0, "queued_at": 0.0, "step": 0, "images": 0, "progress": 0.0,
    "elapsed": 0.0, "eta": None, "rate": None,
    "device": None, "parameters": None, "classes": [], "heartbeat": 0.0, "pid": None, "pid_started": None,
    "error": None, "verdict": None,
    "sample_step": None, "live_step": None, "step_seconds": 0.0, "interrupted": False,
    "interruptions": 0, "interrupted_at": -1,
}  # fmt: skip
_SHOWN = {"verdict": ("key", "level", "values"), "error": ("key", "values", "text"), "parameters": ("G", "D")}
SUMMARY_STATUS = (
    "state", "created", "queued_at", "step", "images", "progress", "elapsed", "eta", "rate", "error",
    "verdict", "sample_step", "live_step", "heartbeat",
    "step_seconds",
)  # fmt: skip
SUMMARY_CONFIG = ("data", "recipe", "size", "channels", "conditional", "minutes", "kimg")


def default_root() -> Path:
    """Where runs are kept: $GANARIUM_RUNS, or the folder "runs" of the current directory."""
    return Path(os.environ.get("GANARIUM_RUNS") or "runs")


def error_json(error: UserError) -> dict[str, Any]:
    """A UserError as status.json and the page's answers hold it."""
    return {"key": error.key, "values": error.values, "text": str(error)}


class Store:
    """The runs under `root`. Safe to use from many threads; every method that takes an id raises UserError
    for one that is not there.

    allowed: how many bytes the directory may hold (see Usage), 0 for any number.
    """

    def __init__(self, root: Path, allowed: int = 0):
        self.root = Path(root).absolute()
        self.usage = Usage(self.root, allowed)
        self._files: dict[str, _RunFiles] = {}
        self._stats: OrderedDict[str, StatsFile] = OrderedDict()
        self._stats_lock = threading.Lock()

    # Readers

    def ids(self) -> list[str]:
        """The ids of all runs, in no order. Raises OSError where the directory can't be read: not to be taken
        for one without runs.
        """
        return [entry.name for entry in os.scandir(self.root) if _ID.fullmatch(entry.name) and entry.is_dir()]

    def list(self) -> list[dict[str, Any]]:
        """A summary of each run, newest first, as a flat dict: "id", "name" (None where nobody gave it one),
        the settings in `SUMMARY_CONFIG` and the status in `SUMMARY_STATUS`.

        A directory that can't be understood is listed with the state "damaged" and the reason under "error".
        """
        try:
            ids = self.ids()
        except OSError:
            ids = []
        for gone in set(self._files) - set(ids):
            self._files.pop(gone, None)
        summaries = [self._open(name).summary() for name in ids]
        return sorted(summaries, key=lambda summary: (summary["created"], summary["id"]), reverse=True)

    def get(self, run_id: str) -> dict[str, Any]:
        """Everything a page shows of one run but its statistics.

        id, name (or None), config (None where damaged), status, samples, events (what befell it beside
        training, oldest first), and the log's end where it failed.
        """
        files = self._run(run_id)
        config, status = files.config(), files.status()
        log = self.log_tail(run_id) if status["state"] in ("failed", "damaged") else []
        config_json = None if isinstance(config, UserError) else config.to_json()
        shown = {"samples": files.samples(), "events": files.events(), "log": log}
        return {"id": run_id, "name": files.name(), "config": config_json, "status": status, **shown}

    def config(self, run_id: str) -> RunConfig:
        """The run's settings. Raises UserError where they can't be read."""
        config = self._run(run_id).config()
        if isinstance(config, UserError):
            raise config
        return config

    def status(self, run_id: str) -> dict[str, Any]:
        """The run's status.json, with every field present. The state "damaged", with the reason under
        "error", where it or the config can't be read.
        """
        return self._run(run_id).status()

    def stats(self, run_id: str, since: int = 0) -> tuple[list[dict[str, Any]], int]:
        """Statistics after the first `since` lines, and how many lines there are: pass that as the next
        `since`. See `follow`.
        """
        lines, count, _ = self.follow(run_id, since)
        return lines, count

    def follow(self, run_id: str, since: int, last: str = "") -> tuple[list[dict[str, Any]], int, int]:
        """Statistics after the first `since` lines, how many lines there are, and the `since` that they
        follow.

        last: the `mark` of the last of those first lines. A run that went on from an older checkpoint has
        fewer lines, or others in their place: then that `since` is 0, and what is returned replaces what was
        returned before. More than 1500 lines are thinned evenly, keeping the first and the last.
        """
        reader = self._stats_file(run_id)
        held = reader.held
        found = reader.follow(since, last, STATS_LIMIT)
        if reader.held != held:
            self._let_go()
        return found

    def samples(self, run_id: str) -> list[int]:
        """Steps of which a sample grid exists, ascending."""
        return self._run(run_id).samples()

    def check_counts(self, new: bool) -> None:
        """Raises UserError where no more runs may wait, or there may be none that is `new`."""
        states = [summary["state"] for summary in self.list()]
        if states.count("queued") >= QUEUED:
            raise UserError("runs.queue_full", most=QUEUED)
        if new and len(states) >= RUNS:
            raise UserError("runs.too_many", most=RUNS)

    def sample_path(self, run_id: str, step: int) -> Path:
        """The file of one sample grid (WebP). Raises UserError where there is none."""
        path = self.path(run_id) / "samples" / f"{int(step):08d}.webp"
        if step < 0 or not path.is_file():
            raise UserError("runs.no_sample", step=step)
        return path

    def log_tail(self, run_id: str, lines: int = 20) -> list[str]:
        """The last plain lines of worker.log, oldest first, without the tracebacks, which are for who reads
        the file; empty where there is no log.
        """
        try:
            with open(self.path(run_id) / "worker.log", "rb") as file:
                file.seek(max(0, os.fstat(file.fileno()).st_size - LOG_BYTES))
                text = file.read().decode("utf-8", "replace")
        except OSError:
            return []
        plain = _BETWEEN.sub("", _TRACEBACK.sub("", "\n".join(text.splitlines()) + "\n"))
        # a cut one may have lost its first line
        return [line.rstrip() for line in plain.split("\n") if line.strip() and not line[0].isspace()][
            -lines:
        ]

    def resumable(self, run_id: str) -> bool:
        """Whether the run has written a checkpoint to go on from, as far as names can tell."""
        return any((self.path(run_id) / "state" / name).is_file() for name in CHECKPOINTS)

    def spoilt(self, run_id: str) -> bool:
        """Whether of a run that has learnt something no checkpoint is left but one that proved damaged: it
        can only start again from nothing.
        """
        if self.resumable(run_id):
            return False
        path = self.path(run_id)
        learnt = (
            any((path / "snapshots").glob("*.safetensors"))
            or any(self.samples(run_id)[-1:])
            or self.stats(run_id)[1] > 0
        )
        return learnt or (path / "state" / _DAMAGED).is_file()

    def path(self, run_id: str) -> Path:
        """The run's directory."""
        return Path(self._run(run_id).directory)

    # Writers

    def create(self, config: RunConfig) -> str:
        """Make the directory of a new run, in the state "queued", and return its id:
        <date>-<time>-<data>-<recipe>.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        now = time.time()
        stem = f"{time.strftime('%Y%m%d-%H%M%S', time.localtime(now))}-{_slug(Path(config.data).stem)}-{_slug(config.recipe)}"  # noqa: E501
        # Filled under a hidden name and then renamed, so that nobody ever lists half a run.
        temporary = Path(tempfile.mkdtemp(prefix=disk.NEW, dir=self.root))
        try:
            write_json(temporary / "config.json", config.to_json())
            write_json(temporary / "status.json", {**_STATUS, "created": now, "queued_at": now})
            temporary.chmod(0o755)
            return self._claim(temporary, stem)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise

    def _claim(self, temporary: Path, stem: str) -> str:
        """Rename `temporary` to the first free name among stem, stem-2, stem-3..."""
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
        """Replace fields of status.json. Only for a run without a living worker: the two would overwrite each
        other.
        """
        path = self.path(run_id) / "status.json"
        try:
            current = read_json(path)
        except (OSError, ValueError):
            current = None
        write_json(path, {**_STATUS, **(current if isinstance(current, dict) else {}), **changes})

    def send(self, run_id: str, command: str) -> None:
        """Leave a command for the run's worker, which takes it between two steps. Raises UserError for an
        unknown one.
        """
        if command not in COMMANDS:
            raise UserError("runs.unknown_command", name=command)
        write_json(self.path(run_id) / "commands" / f"{time.time_ns()}-{command}.json", {"command": command})

    def commands(self, run_id: str) -> set[str]:
        """The names of the commands that nobody took yet."""
        return {path.stem.split("-", 1)[-1] for path in (self.path(run_id) / "commands").glob("*.json")}

    def drop_commands(self, run_id: str) -> set[str]:
        """Remove commands that nobody took, so that a run that is started again does not obey what was meant
        for its last worker. Returns their names.
        """
        left = set()
        for path in (self.path(run_id) / "commands").glob("*.json"):
            left.add(path.stem.split("-", 1)[-1])
            path.unlink(missing_ok=True)
        return left

    def rename(self, run_id: str, name: str) -> str:
        """Give the run a title and return it as it is kept; an empty one gives it back its default name.
        Raises UserError for one that is too long.
        """
        path, kept = self.path(run_id) / names.FILE, names.checked(name)
        if kept:
            write_bytes(path, kept.encode())
        else:
            path.unlink(missing_ok=True)
        return kept

    def begin_anew(self, run_id: str) -> None:
        """Remove what a run has learnt, and put it into the queue as if it were new. Only for a run without a
        living worker.
        """
        disk.empty(self.path(run_id))
        now = time.time()
        write_json(
            self.path(run_id) / "status.json",
            {**_STATUS, "created": self.status(run_id)["created"], "queued_at": now},
        )
        self.usage.forget()

    def hide(self, run_id: str) -> None:
        """Make a run vanish; `sweep` removes it from the disk. Only for a run without a living worker, which
        would write the directory anew.
        """
        disk.hide(self.path(run_id))
        self._files.pop(run_id, None)
        with self._stats_lock:
            self._stats.pop(run_id, None)

    def sweep(self, crashed: bool = False) -> None:
        """Remove hidden runs from the disk. `crashed`: and those that somebody did not come to the end of
        making, who must be gone.
        """
        disk.sweep(self.root, disk.GONE, *([disk.NEW] if crashed else []))
        self.usage.forget()

    # Helpers

    def _run(self, run_id: str) -> _RunFiles:
        """The files of a run that exists; ids are checked before they touch the disk, as they come from the
        network.
        """
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
        """Forget the statistics of the runs that were looked at longest ago, where all take more than
        STATS_BYTES. To read them again takes a moment each.
        """
        with self._stats_lock:
            held = sum(reader.held for reader in self._stats.values())
            while held > STATS_BYTES and len(self._stats) > 1:
                held -= self._stats.popitem(last=False)[1].held


class _RunFiles:
    """The cached readers of one run."""

    def __init__(self, run_id: str, directory: str):
        self.id, self.directory = run_id, directory
        self._name = CachedFile(f"{directory}/{names.FILE}", names.parse)
        self._config = CachedFile(f"{directory}/config.json", _parse_config)
        self._status = CachedFile(f"{directory}/status.json", _parse_status)
        self._samples = CachedFile(f"{directory}/samples", _parse_samples, listing)
        self._events = CachedFile(f"{directory}/events.jsonl", _parse_events)

    def name(self) -> str | None:
        return self._name.read()

    def config(self) -> RunConfig | UserError:
        return self._config.read()

    def samples(self) -> list[int]:
        return list(self._samples.read())

    def events(self) -> list[dict[str, Any]]:
        return list(self._events.read())

    def status(self) -> dict[str, Any]:
        status, config = self._status.read(), self._config.read()
        if isinstance(config, UserError) and status["state"] != "damaged":
            return {**status, "state": "damaged", "error": error_json(config)}
        return dict(status)

    def summary(self) -> dict[str, Any]:
        config, status = self._config.read(), self.status()
        settings = {
            name: None if isinstance(config, UserError) else getattr(config, name) for name in SUMMARY_CONFIG
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


def _parse_config(data: bytes | None) -> RunConfig | UserError:
    try:
        return RunConfig.from_json(parse_json(data))
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
    """Whether what others calculate with is a number, and what the page shows is of the kind that it can
    show.
    """
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
    """Whether a part of a status that may be absent is an object with these keys."""
    return value is None or (isinstance(value, dict) and all(key in value for key in keys))


def _parse_samples(names: bytes | None) -> list[int]:
    found = (_SAMPLE.fullmatch(name) for name in (names or b"").decode("utf-8", "replace").split("\n"))
    return sorted(int(match[1]) for match in found if match)


def _parse_events(data: bytes | None) -> list[dict[str, Any]]:
    events = []
    for raw in (data or b"").splitlines()[-EVENTS_SHOWN:]:
        try:
            event = parse_json(raw)
        except ValueError:
            continue
        if (
            isinstance(event, dict)
            and is_number(event.get("time"))
            and isinstance(event.get("key"), str)
            and isinstance(event.get("values"), dict)
        ):
            events.append({name: event[name] for name in ("time", "key", "values")})
    return events


def _slug(text: str) -> str:
    """`text` as a part of an id: at most 24 of a-z, 0-9 and -; "pictures" where nothing is left."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower())[:24].strip("-") or "pictures"
