"""What is in the pictures that people bring, before anything is trained: read once by a child process, and
kept beside them.

A stranger's pictures are decoded there and not in the server, with lower priority, few at a time, and not for
longer than SECONDS.
"""

import contextlib
import dataclasses
import json
import logging
import os
import subprocess
import sys
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as StillReading
from pathlib import Path
from typing import Any

import gan
from gan.data.own.report import Report
from gan.errors import MESSAGES, UserError
from gan.files import read_json, write_json
from gan.runs.disk import writing

COMMAND = (sys.executable, "-m", "gan.data.own.survey")
FILE = "report.json"  # beside the kept pictures
ABREAST = 2  # surveys at once; others wait for their turn
# of one: it stops by itself after a minute of its own, which beside busy neighbours takes longer
SECONDS = 150
NICE = 10
_PLAIN = Report(0)
_log = logging.getLogger(__name__)


class Surveys:
    """The surveys of a server: one for each kept upload, whoever asks."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(ABREAST, thread_name_prefix="survey")
        self._running: dict[Path, Future[Report]] = {}
        self._children: set[subprocess.Popen] = set()
        self._lock = threading.RLock()  # a future that is done at once calls back in the thread that asks
        self._closed = False

    def report(self, kept: Path, seconds: float | None = None) -> Report | None:
        """The report on a kept zip or folder, at once where it was made before; None where it is not made
        within these seconds.

        Raises UserError where the pictures can't be used at all, and where they can't be read in time.
        """
        with self._lock:
            future = self._running.get(kept)
            if future is None:
                known = _remembered(kept)
                if known is not None:
                    return known
                future = self._running[kept] = self._threads.submit(self._make, kept)
                future.add_done_callback(lambda _: self._forget(kept))
        try:
            return future.result(seconds)
        except StillReading:
            return None

    def close(self) -> None:
        """End what is being read."""
        with self._lock:
            self._closed = True
            for child in self._children:
                child.kill()
        self._threads.shutdown(cancel_futures=True)

    def _forget(self, kept: Path) -> None:
        with self._lock:
            self._running.pop(kept, None)

    def _make(self, kept: Path) -> Report:
        """Have a child read the pictures, and keep what it says."""
        told = self._ask(kept)
        if isinstance(told, dict) and isinstance(told.get("error"), dict):
            raise _refusal(told["error"])
        report = _parsed(told)
        if report is None:
            raise UserError("ui.no_survey")
        with writing():
            write_json(kept.parent / FILE, report.to_json())
        return report

    def _ask(self, kept: Path) -> Any:
        """What the child prints. Raises UserError where it takes too long, or says nothing that
        can be read.
        """
        root = Path(gan.__file__).resolve().parents[1]
        with self._lock:
            if self._closed:
                raise UserError("ui.no_survey")
            child = subprocess.Popen(
                [*COMMAND, str(kept)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=root,
            )
            self._children.add(child)
        try:
            with contextlib.suppress(OSError, AttributeError):  # ended already, or Windows
                os.setpriority(os.PRIO_PROCESS, child.pid, NICE)
            said, complaint = child.communicate(timeout=SECONDS)
            return json.loads(said)
        except subprocess.TimeoutExpired as error:
            raise UserError("ui.survey_too_slow") from error
        except (ValueError, RecursionError) as error:
            _log.error(
                "a survey of pictures ended with status %s: %s",
                child.poll(),
                complaint.decode("utf-8", "replace")[-2000:],
            )
            raise UserError("ui.no_survey") from error
        finally:
            with self._lock:
                self._children.discard(child)
            child.kill()
            child.communicate()


def _remembered(kept: Path) -> Report | None:
    """The report that an earlier survey left, None where there is none that can be read."""
    try:
        return _parsed(read_json(kept.parent / FILE))
    except (OSError, ValueError):
        return None


def _parsed(value: Any) -> Report | None:
    """The report in a JSON value, None where anything in it is of a wrong kind."""
    try:
        report = Report.from_json(value)
    except (TypeError, KeyError, ValueError, AttributeError):
        return None
    kinds = (
        (getattr(report, field.name), getattr(_PLAIN, field.name)) for field in dataclasses.fields(Report)
    )
    return report if all(type(found) is type(wanted) for found, wanted in kinds) else None


def _refusal(error: dict[str, Any]) -> UserError:
    """A refusal that a child printed, as an error of ours."""
    key, values = error.get("key"), error.get("values")
    try:
        # not where the server keeps it
        values = {**values, "path": Path(values["path"]).name} if "path" in values else values
        return UserError(key, **values) if key in MESSAGES else UserError("ui.no_survey")
    except (TypeError, KeyError, IndexError):
        return UserError("ui.no_survey")
