"""Score runs that are over in child processes, one at a time, and keep the scores with them."""

import logging
import subprocess
import sys
import threading
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from gan.errors import UserError
from gan.export.kept_scores import keep
from gan.latent.catalogue import read_scores
from gan.runs.disk import writing
from gan.runs.processes import checked
from gan.runs.store import Store
from gan.ui.server.children.processes import Children

COMMAND = (sys.executable, "-m", "gan.export.kept_scores")
MINUTES = 15.0  # for one run
WAITING = 8  # runs that wait or are at work
FAILURES = 100  # that are remembered
_log = logging.getLogger(__name__)


@dataclass
class Scoring:
    """A run that is scored: for whom, "" for somebody who controls all runs, and its stage."""

    visitor: str
    stage: str = "wait"  # or "score"


class Scorings:
    """The scorings of one server. Any thread may call the methods."""

    def __init__(self) -> None:
        self._children = Children()
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="scores")
        self._lock = threading.Lock()
        self._running: dict[str, Scoring] = {}
        self._failed: OrderedDict[str, UserError] = OrderedDict()

    def start(self, store: Store, run_id: str, visitor: str) -> None:
        """Score a run, unless that is under way. Returns at once.

        visitor: the mark of the visitor who asks, who may have one run scored at a time; "" for somebody who
        controls all runs. Raises UserError beyond that, and where too many wait.
        """
        with self._lock:
            if run_id in self._running:
                return
            if visitor and any(one.visitor == visitor for one in self._running.values()):
                raise UserError("access.one_score")
            if len(self._running) >= WAITING:
                raise UserError("runs.many_scores")
            self._failed.pop(run_id, None)
            self._running[run_id] = Scoring(visitor)
            self._threads.submit(self._work, store, run_id)

    def state(self, run_id: str) -> tuple[str | None, UserError | None]:
        """Return the stage of a run that is scored, or None, and why the last try failed, or None."""
        with self._lock:
            one = self._running.get(run_id)
            return one.stage if one else None, self._failed.get(run_id)

    def close(self) -> None:
        """Kill the running child, and start no more."""
        self._children.close()
        self._threads.shutdown(cancel_futures=True)

    def _work(self, store: Store, run_id: str) -> None:
        error: UserError | None = UserError("runs.score_failed")
        try:
            found = self._ask(store, run_id)
            with writing():
                keep(store.path(run_id), found)
            error = None
        except UserError as known:
            error = known
        except Exception:
            _log.exception("the run %s could not be scored", run_id)
        finally:  # the page must not wait for ever
            with self._lock:
                del self._running[run_id]
                if error is not None:
                    self._failed[run_id] = error
                    while len(self._failed) > FAILURES:
                        self._failed.popitem(last=False)

    def _ask(self, store: Store, run_id: str) -> dict[str, Any]:
        """Return what the child found. Raises UserError."""
        with self._lock:
            self._running[run_id].stage = "score"
        try:
            answer = self._children.ask([*COMMAND, str(store.path(run_id))], 60 * MINUTES)
        except subprocess.TimeoutExpired as error:
            raise UserError("runs.score_late", minutes=round(MINUTES)) from error
        except (ValueError, RecursionError) as error:  # it was killed, or failed: the log has it
            raise UserError("runs.score_failed") from error
        found = checked(answer, "runs.score_failed")
        if read_scores(found) is None:
            raise UserError("runs.score_failed")
        return found
