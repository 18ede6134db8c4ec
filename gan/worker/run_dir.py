"""Write a run directory as its worker, and clean up what a crash left unfinished."""

import contextlib
import json
import logging
import math
import os
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from gan.config import Settings
from gan.errors import UserError
from gan.files import append_line, read_json, read_lines, read_object, write_bytes, write_json
from gan.kinds import parse_config
from gan.train.actions import Action, read_actions
from gan.worker.events import EVENTS, RESTARTED


def surplus(steps: Sequence[int], keep: int, newest: int = 1) -> list[int]:
    """Return the steps to delete so that `keep` (more than `newest`) remain: dense early, log-spaced later.

    Early steps stay dense because training changes most there. The first step and the `newest` always stay.
    Greedy: of the others, delete the step whose removal leaves the smallest gap in log(step + last / 20).
    """
    left = sorted(steps)
    offset = left[-1] / 20 + 1 if left else 1
    place = [math.log(step + offset) for step in left]
    gone = []
    while len(left) > keep:
        index = min(range(1, len(left) - newest), key=lambda i: place[i + 1] - place[i - 1])
        gone.append(left.pop(index))
        place.pop(index)
    return sorted(gone)


KEEP_GRIDS, MAX_GRIDS = 160, 240
GRIDS_NEWEST = 10  # never deleted: a slow page may still request a grid that a poll has just announced
MAX_SNAPSHOTS = 32
DECODED = ".decoded.safetensors"  # the images of a run that has not ended (gan.worker.decoded)
EYES = "eyes.json"  # what D makes of images, fakes and a sheet's tiles; gan.runs.eyes reads it
REALS = "reals.webp"  # some images that the run learns from, beside which the page shows samples
LEASE = "lease"  # the reason of a pause: the run waits for its next lease of a GPU
OVER = ("finished", "stopped", "failed")
COMMANDS = ("pause", "stop", "sample", "save", "adjust")
BEAT = 5.0  # seconds between heartbeats while the images load
RESERVE_BYTES = 1 << 16  # disk space reserved for the last status of a run when the disk is full
# Temporary files that a crash leaves behind, only where no other process writes: the server writes commands
# and names.
UNFINISHED = (
    *(f"{folder}/.*.tmp" for folder in ("samples", "snapshots", "state")),
    ".live.*.tmp",
    ".eyes.*.tmp",
    ".stats.*.tmp",
    ".status.*.tmp",
)
_log = logging.getLogger(__name__)


def read_config(run_dir: Path) -> Settings:
    """Read the run's config, of any kind. Raises UserError if it is missing or invalid."""
    try:
        value = read_json(run_dir / "config.json")
    except (OSError, ValueError) as error:
        raise UserError("train.not_a_run", path=run_dir) from error
    return parse_config(value)


def noted_actions(run_dir: Path) -> list[Action]:
    """Return the changes of settings among the events of a run, since it last began anew."""
    return read_actions(read_lines(run_dir / "events.jsonl")[0], RESTARTED)


def _is_stats(line: Any) -> bool:
    """Return whether a parsed line of stats.jsonl is valid: a damaged file must not end the run."""
    numbers = ("step", "images", "seconds", "pair", "loss_d", "loss_g")
    return isinstance(line, dict) and all(isinstance(line.get(name), (int, float)) for name in numbers)


class RunDir:
    """A run directory, as its worker writes it. `status` is the dict that `write_status` publishes."""

    def __init__(self, path: Path):
        self.path = path
        try:
            previous = read_json(path / "status.json")
        except (OSError, ValueError):
            previous = {}
        previous = previous if isinstance(previous, dict) else {}
        self.status: dict[str, Any] = {
            "state": "starting", "created": time.time(), "step": 0, "images": 0, "progress": 0.0,
            "elapsed": 0.0, "eta": None, "rate": None, "device": None, "parameters": None, "classes": [],
            "modes": None,
            "verdict": None, "sample_step": None, "live_step": None,
            **previous, "error": None, "interrupted": False, "reason": None, "leased": False,
        }  # fmt: skip
        self._found = {**self.status, "error": previous.get("error")}

    def write_status(self, **changes: Any) -> None:
        """Update `status` with `changes`, set a fresh heartbeat, and write status.json."""
        self.status |= changes
        self.status["heartbeat"] = time.time()
        write_json(self.path / "status.json", self.status)

    def stay_as_it_was(self, error: dict[str, Any] | None) -> None:
        """Restore the status from before this worker.

        A run that was not over becomes paused, with `error` if there is one.
        """
        self.status = dict(self._found)
        if self.status["state"] not in OVER:
            self.status |= {"state": "paused", "eta": None, "error": error or self.status["error"]}
        self.write_status()

    @contextlib.contextmanager
    def signs_of_life(self) -> Iterator[None]:
        """Renew the heartbeat from a thread: decoding thousands of large images takes minutes without a hang.

        The caller must not write the status meanwhile.
        """
        over = threading.Event()

        def beat() -> None:
            while not over.wait(BEAT):
                with contextlib.suppress(OSError):
                    self.write_status()

        thread = threading.Thread(target=beat, name="heartbeat", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def write_stats(self, line: dict[str, Any]) -> None:
        """Append a line to stats.jsonl."""
        append_line(self.path / "stats.jsonl", line)

    def note(self, key: str, **values: Any) -> None:
        """Append one of EVENTS to events.jsonl, and log it."""
        _log.warning(EVENTS[key].format(**values))
        append_line(self.path / "events.jsonl", {"time": round(time.time(), 3), "key": key, "values": values})

    def reserve(self) -> None:
        """Create the file that reserves disk space. Raises OSError when the disk is full."""
        if not (self.path / ".reserve").exists():
            write_bytes(self.path / ".reserve", bytes(RESERVE_BYTES))

    def give_up_reserve(self) -> None:
        """Free the reserved space, so that the last status fits on a full disk."""
        (self.path / ".reserve").unlink(missing_ok=True)

    def write_sheet(self, step: int, data: bytes) -> None:
        """Write the sample sheet (WebP) of a step, and thin the older ones."""
        write_bytes(self.path / "samples" / f"{step:08d}.webp", data)
        self.status["sample_step"] = step
        self._thin("samples", ".webp", MAX_GRIDS, KEEP_GRIDS, GRIDS_NEWEST)

    def write_eyes(self, step: int, images: int, eyes: dict[str, Any]) -> None:
        """Write what D made of everything at a step; its tiles are those of the newest sheet."""
        told = {"step": step, "images": images, "sheet": self.status["sample_step"], **eyes}
        write_bytes(self.path / EYES, json.dumps(told, separators=(",", ":")).encode())

    def write_reals(self, data: bytes | None) -> None:
        """Write a picture of examples that the run learns from, unless it is there or the kind has none."""
        if data is not None and not (self.path / REALS).exists():
            write_bytes(self.path / REALS, data)

    def write_live(self, step: int, data: bytes) -> None:
        """Publish the generator (safetensors) of this step for Explore and other readers."""
        write_bytes(self.path / "live.safetensors", data)
        self.status["live_step"] = step

    def write_snapshot(self, step: int, data: bytes) -> None:
        """Save the generator (safetensors) of a step, and thin the older snapshots."""
        write_bytes(self.path / "snapshots" / f"{step:08d}.safetensors", data)
        self._thin("snapshots", ".safetensors", MAX_SNAPSHOTS, MAX_SNAPSHOTS)

    def _steps(self, folder: str, suffix: str) -> list[int]:
        return sorted(int(p.stem) for p in (self.path / folder).glob("*" + suffix) if p.stem.isdigit())

    def _thin(self, folder: str, suffix: str, most: int, keep: int, newest: int = 1) -> None:
        steps = self._steps(folder, suffix)
        if len(steps) > most:
            # the page shows the tiles of this sheet beside D's answers
            spared = read_object(self.path / EYES).get("sheet") if folder == "samples" else None
            for step in surplus([step for step in steps if step != spared], keep, newest):
                (self.path / folder / f"{step:08d}{suffix}").unlink(missing_ok=True)

    def rewind(self, step: int) -> None:
        """Delete what was written after `step`, and a crash's temporary files.

        These are statistics, grids, snapshots, and what D saw.
        """
        for pattern in UNFINISHED:
            for path in self.path.glob(pattern):
                path.unlink(missing_ok=True)
        stats = self.path / "stats.jsonl"
        lines, _ = read_lines(stats)
        kept = [line for line in lines if _is_stats(line) and line["step"] <= step]
        if len(kept) < len(lines):
            write_bytes(
                stats, "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in kept).encode()
            )
        for folder, suffix in (("samples", ".webp"), ("snapshots", ".safetensors")):
            for late in self._steps(folder, suffix):
                if late > step:
                    (self.path / folder / f"{late:08d}{suffix}").unlink(missing_ok=True)
        self.status["sample_step"] = max(self._steps("samples", ".webp"), default=None)
        seen = read_object(self.path / EYES).get("step")
        if not isinstance(seen, int) or seen > step:
            (self.path / EYES).unlink(missing_ok=True)

    def has_learnt(self) -> bool:
        """Return whether the directory holds statistics, a grid or a snapshot after step 0."""
        late = any(
            step > 0
            for folder, suffix in (("samples", ".webp"), ("snapshots", ".safetensors"))
            for step in self._steps(folder, suffix)
        )
        return late or any(
            _is_stats(line) and line["step"] > 0 for line in read_lines(self.path / "stats.jsonl")[0]
        )

    def stats(self) -> list[dict[str, Any]]:
        """Return the lines of stats.jsonl."""
        return read_lines(self.path / "stats.jsonl")[0]

    def take_commands(self) -> list[dict[str, Any]]:
        """Remove the files in commands/ and return their contents, oldest first, ignoring invalid files.

        Each has one of COMMANDS under "command".
        """
        try:
            names = sorted(
                entry.name for entry in os.scandir(self.path / "commands") if entry.name.endswith(".json")
            )
        except FileNotFoundError:
            return []
        commands = []
        for name in names:
            path = self.path / "commands" / name
            try:
                value = read_json(path)
            except (OSError, ValueError):
                value = None
            path.unlink(missing_ok=True)
            if isinstance(value, dict) and value.get("command") in COMMANDS:
                commands.append(value)
        return commands
