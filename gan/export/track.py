"""Send a run to a tracker: its curves by images, every tenth sample sheet, and its configuration once.

Everything stands in the run's directory, so this module only reads it, and the trainer knows no tracker. A
tracker says which point it holds last. So sending again adds what is missing, and nothing twice. Where a run
went back to an older checkpoint, a tracker keeps the points that it has, and goes on behind them. Two runs of
one name, or a run that restarts from scratch, must not meet there: see `name_of`.

The packages are optional: see the extras in pyproject.toml.
"""

import argparse
import contextlib
import hashlib
import importlib.util
import io
import json
import math
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from PIL import Image, PngImagePlugin

from gan import console
from gan.data import public_name
from gan.errors import UserError
from gan.export.event_file import FILE, FOLDER, EventFile, records
from gan.files import read_lines, read_object
from gan.provenance import MAKER, XMP
from gan.worker.events import RESTARTED
from gan.worker.run_dir import RunDir, read_config

SHEETS_EVERY = 10
PAUSE = 2.0  # seconds between two looks at a run that trains
LOOK = 0.1  # seconds between two looks whether its worker has begun
GOING_ON = ("queued", "starting", "running")
ENDS_WITHIN = 10.0  # seconds that a worker waits for its tracker; the server waits 30 s for the worker
PROJECT = "ganarium"  # where the setting `track` sends a run in trackio
CHILD_WITHIN = 100.0  # seconds in which a child of the server sends what one lease of a GPU has trained
# tracker -> the module that it needs, and how pip calls it; the same ranges as in pyproject.toml
NEEDS = {
    "tensorboard": ("tensorboardX", "tensorboardX>=2.6,<3"),
    "trackio": ("trackio", "trackio>=0.43,<1"),
}
_COUNTERS = ("step", "images", "seconds")


class Point(NamedTuple):
    """What a tracker receives at a number of images."""

    images: int
    time: float  # seconds since the epoch, without pauses
    curves: dict[str, float]
    sheet: Path | None  # a sample sheet (WebP)


class Tracker(Protocol):
    """A tracker, opened for one run."""

    last: int | None  # images of the newest point that it holds

    def write(self, point: Point) -> None:
        """Add a point."""
        ...

    def flush(self) -> None:
        """Hand all points over."""
        ...

    def close(self) -> None:
        """Hand all points over, and end."""
        ...


def refuse_missing(tracker: str) -> None:
    """Raise UserError if this tracker's package is not installed. "none" needs no package."""
    if tracker in NEEDS and importlib.util.find_spec(NEEDS[tracker][0]) is None:
        raise UserError("track.missing", tracker=tracker, package=f'"{NEEDS[tracker][1]}"')


def configuration(run_dir: Path) -> dict[str, Any]:
    """Return a run's settings for a tracker: its data by public name, without paths."""
    config = read_config(run_dir)
    return {**config.to_json(), "data": public_name(config.data)}


def name_of(run_dir: Path) -> str:
    """Return the name of a run in a tracker: its folder's, and 8 digits that tell when it began.

    Another run in a folder of the same name has other digits, and so has this one after a restart.
    """
    events = read_lines(run_dir / "events.jsonl")[0]
    restarts = [one.get("time") for one in events if isinstance(one, dict) and one.get("key") == RESTARTED]
    began = [read_object(run_dir / "status.json").get("created"), *restarts[-1:]]
    return f"{run_dir.absolute().name}-{hashlib.sha256(json.dumps(began).encode()).hexdigest()[:8]}"


class TensorBoard:
    """A file of events for TensorBoard, in the folder of one run, which is created in an existing one.

    A point is one record, so that a kill loses a whole point or none.
    """

    def __init__(self, folder: Path, settings: dict[str, Any]):
        refuse_missing("tensorboard")
        from tensorboardX.proto.event_pb2 import Event

        folder.mkdir(exist_ok=True)
        path = folder / FILE
        known = [Event.FromString(content) for _, content in records(path)] if path.exists() else []
        self.last = max((event.step for event in known if _is_point(event)), default=None)
        self._file = EventFile(path)
        if not known:
            self._write(Event(wall_time=time.time(), file_version="brain.Event:2"))
            self._configure(settings)

    def _configure(self, settings: dict[str, Any]) -> None:
        from tensorboardX.proto.event_pb2 import Event
        from tensorboardX.summary import text

        lines = [f"    {line}" for line in json.dumps(settings, indent=1, ensure_ascii=False).splitlines()]
        summary = text("configuration", "\n".join(lines))  # indented: Markdown shows it as it is
        self._write(Event(wall_time=time.time(), step=0, summary=summary))

    def _write(self, event: Any) -> None:
        self._file.write(event.SerializeToString())

    def write(self, point: Point) -> None:
        from tensorboardX.proto.event_pb2 import Event
        from tensorboardX.proto.summary_pb2 import Summary

        values = [Summary.Value(tag=name, simple_value=value) for name, value in point.curves.items()]
        if point.sheet is not None:
            values.append(Summary.Value(tag="samples", image=Summary.Image(**_png(point.sheet))))
        self._write(Event(wall_time=point.time, step=point.images, summary=Summary(value=values)))

    def flush(self) -> None:
        self._file.flush()

    def close(self) -> None:
        self._file.close()


def _is_point(event: Any) -> bool:
    """Return whether an event has curves or a sheet. Others are the version of the file and the settings."""
    return any(not value.HasField("tensor") for value in event.summary.value)


def _png(sheet: Path) -> dict[str, Any]:
    """Return a sample sheet as the fields of a TensorBoard image, which can't be WebP."""
    info = PngImagePlugin.PngInfo()
    info.add_text("Software", MAKER)
    info.add_itxt("XML:com.adobe.xmp", XMP)
    data = io.BytesIO()
    with Image.open(sheet) as picture:
        plain = picture.convert("RGB")
    plain.save(data, "PNG", pnginfo=info)
    return {
        "height": plain.height,
        "width": plain.width,
        "colorspace": 3,
        "encoded_image_string": data.getvalue(),
    }


class Trackio:
    """A run in a project of trackio's: on this machine, or in a Space of the person who is signed in.

    public: whether everybody may see a Space that this creates.
    """

    def __init__(
        self,
        project: str,
        name: str,
        settings: dict[str, Any],
        space: str | None = None,
        public: bool = False,
    ):
        refuse_missing("trackio")
        import trackio

        self._trackio = trackio
        self._run = trackio.init(
            project,
            name,
            space_id=space,
            config=settings,
            resume="allow",
            private=not public,
            embed=False,
            auto_log_gpu=False,
            auto_log_cpu=False,
        )
        # trackio asks its database, or its Space, for the newest step; it has no public name for that
        following = self._run._next_step
        self.last = following - 1 if following else None

    def write(self, point: Point) -> None:
        values: dict[str, Any] = dict(point.curves)
        if point.sheet is not None:
            values["samples"] = self._trackio.Image(str(point.sheet))
        self._run.log(values, step=point.images)

    def flush(self) -> None:
        """Do nothing: trackio hands points over by itself, twice a second."""

    def close(self) -> None:
        self._trackio.finish()


class Reader:
    """The points of a run behind `last` images, as they come."""

    def __init__(self, run_dir: Path, last: int | None):
        self._dir, self.last = run_dir, last
        self._offset, self._file = 0, -1
        self._waiting: list[dict[str, Any]] = []
        self._sheets = 0 if last is None else 1  # seen so far; the first one is sent

    def read(self, over: bool) -> Iterator[Point]:
        """Yield the points since the last call. over: the run writes nothing more for now.

        Until then the newest line waits, because its sample sheet may still be written.
        """
        new = self._new_lines()  # this may drop what waits
        self._waiting += new
        ready = self._waiting if over else self._waiting[:-1]
        self._waiting = [] if over else self._waiting[-1:]
        ready = [line for line in ready if self.last is None or line["images"] > self.last]
        if not ready:
            return
        began = read_object(self._dir / "status.json").get("created", 0.0)
        sheets = {int(path.stem): path for path in (self._dir / "samples").glob("[0-9]*.webp")}
        if self.last is None and 0 in sheets:
            self._sheets = 1
            yield Point(0, began, {}, sheets[0])
        for line in ready:
            sheet = sheets.get(line["step"])
            chosen = sheet is not None and (self._sheets % SHEETS_EVERY == 0 or (over and line is ready[-1]))
            self._sheets += sheet is not None
            self.last = line["images"]
            yield Point(line["images"], began + line["seconds"], _curves(line), sheet if chosen else None)

    def _new_lines(self) -> list[dict[str, Any]]:
        path = self._dir / "stats.jsonl"
        with contextlib.suppress(FileNotFoundError):
            found = path.stat()
            if found.st_ino != self._file or found.st_size < self._offset:  # the run went back
                self._file, self._offset, self._waiting = found.st_ino, 0, []
        lines, self._offset = read_lines(path, self._offset)
        return [
            line
            for line in lines
            if isinstance(line, dict) and all(_is_number(line.get(n)) for n in _COUNTERS)
        ]


def _curves(line: dict[str, Any]) -> dict[str, float]:
    return {name: value for name, value in line.items() if name not in _COUNTERS and _is_number(value)}


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def send(run_dir: Path, tracker: Tracker, goes_on: Callable[[], bool], stop: threading.Event) -> int:
    """Send a run until `stop` is set or the run no longer `goes_on`. Returns the number of points."""
    reader, sent = Reader(run_dir, tracker.last), 0
    while True:
        over = stop.is_set() or not goes_on()
        for point in reader.read(over):
            tracker.write(point)
            sent += 1
        tracker.flush()
        if over:
            return sent
        stop.wait(PAUSE)


def trains(run_dir: Path) -> bool:
    """Return whether a run trains or waits to train."""
    return read_object(run_dir / "status.json").get("state") in GOING_ON


def has_begun(run_dir: Path) -> bool:
    """Return whether a run has a status, which says when it was made."""
    return "created" in read_object(run_dir / "status.json")


def _of_setting(run_dir: Path, name: str) -> Tracker:
    """Open the tracker that a run's setting `track` names."""
    settings = configuration(run_dir)
    return (
        TensorBoard(run_dir / FOLDER, settings)
        if name == "tensorboard"
        else Trackio(PROJECT, name_of(run_dir), settings)
    )


@contextlib.contextmanager
def tracking(run_dir: Path, within: float = ENDS_WITHIN) -> Iterator[None]:
    """While the block trains a run, send it to the tracker of its setting `track`, from a thread.

    within: seconds after the block in which the rest is sent. A failure ends only the tracking, and is noted
    among the run's events.
    """
    name = read_object(run_dir / "config.json").get("track")
    if name not in NEEDS:
        yield
        return
    stop = threading.Event()

    def beside() -> None:
        while not has_begun(run_dir):  # until then it has no name
            if stop.wait(LOOK) and not has_begun(run_dir):  # a short run begins and ends within one wait
                return
        try:
            tracker = _of_setting(run_dir, name)
            try:
                send(run_dir, tracker, lambda: True, stop)
            finally:
                tracker.close()
        except Exception as error:  # whatever a tracker raises, the run goes on
            # other errors may name a path, which visitors must not see
            reason = str(error) if isinstance(error, UserError) else type(error).__name__
            with contextlib.suppress(OSError):
                RunDir(run_dir).note("tracker_failed", tracker=name, reason=reason)

    thread = threading.Thread(target=beside, name="tracker", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(within)


def main(arguments: list[str] | None = None) -> int:
    """Send what is new of a run to the tracker of its setting, and print {}. Returns the exit status.

    The server calls this as a process of its own. A failure is among the run's events.
    """
    console.prepare()
    parser = argparse.ArgumentParser(
        prog="python -m gan.export.track",
        description="Send what is new of a run to its tracker.",
    )
    parser.add_argument("run", type=Path, help="directory of the run")
    run = parser.parse_args(arguments).run
    with contextlib.redirect_stdout(sys.stderr), tracking(run, CHILD_WITHIN):
        pass
    print("{}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
