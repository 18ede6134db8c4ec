"""Lend GPUs on ZeroGPU of Hugging Face Spaces: each request of a visitor trains their run for some seconds.

The one module that imports `spaces`. That package forks this process for a lease, and runs the task in a
thread of the child, which alone sees the GPU. It finds the visitor's token in the request that Gradio's
LocalContext holds. It reports a refusal as a gr.Error, whose title says what kind it is.
"""

import spaces  # isort: skip  # it patches Gradio and torch, so it comes first

import contextlib
import logging
import math
import multiprocessing
import os
import re
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any

import gradio as gr
from gradio.context import LocalContext
from starlette.requests import Request
from starlette.routing import BaseRoute

from gan.errors import UserError
from gan.kinds import DEFAULT, get_kind
from gan.runs.processes import end_with
from gan.runs.supervisor import Supervisor
from gan.ui.server.requests.http import post
from gan.ui.server.services import Services
from gan.ui.trackers import Trackers
from gan.worker.leased import MARGIN, lease

# Seconds of a lease. ZeroGPU admits no more than a couple of minutes, and counts leases too.
LEAST, USUAL, MOST = 15, 30, 60
TRAINS = 24  # seconds of training in a lease, where loading and the checkpoint leave as much
FAREWELL = 15.0  # seconds that close() waits for the checkpoints of the leases
_NUMBERS = re.compile(r"\((\d+)s requested vs\. (-?\d+)s left\)(?:.*?Try again in ([^.]+))?", re.DOTALL)
_REQUESTED = re.compile(r"\((\d+)s\)")
_SERVER = os.getpid()
_log = logging.getLogger(__name__)


def _task(path: str, seconds: float, margin: float) -> dict[str, Any]:
    """Run in the child: train a run as gan.worker.leased.lease does."""
    if os.getpid() != _SERVER:
        end_with(_SERVER)
    return lease(path, seconds, margin)


def _seconds(path: str, seconds: float, margin: float) -> float:
    """Return the duration that the package asks for."""
    return seconds


class Zero:
    """The leases of one server. Any thread may call the methods."""

    def __init__(self) -> None:
        # The package sends its startup report only where a function is decorated.
        self._lend = spaces.GPU(_task, duration=_seconds)
        # Run -> its last seconds until the first step and after the last one.
        self._times: dict[str, tuple[float, float]] = {}
        self._closing = threading.Event()
        self._importing = threading.Lock()
        self._trackers = Trackers()

    def routes(self, services: Services, changed: Callable[[], None]) -> list[BaseRoute]:
        """Return the route of a lease. `changed` is called after each change of a run."""

        def handler(request: Request) -> Any:
            try:
                return self.lease(services, request)
            finally:
                changed()

        return [post("runs/{id}/lease", handler)]

    def state(self, at_work: set[str]) -> dict[str, Any]:
        """Return what the page needs: the limits of a lease, and the runs that wait for one or use one."""
        return {"least": LEAST, "usual": USUAL, "most": MOST, "runs": sorted(at_work)}

    def lease(self, services: Services, request: Request) -> dict[str, Any]:
        """Train a run for one lease, which the sender of the request pays, and return its end.

        The query may say how many `seconds`. Returns what gan.worker.leased.lease returns, with "seconds".
        Raises UserError for a run of somebody else, for one that can't train now, and where the lease is
        refused or cut off. The run is then paused with the same sentence.
        """
        run_id = request.path_params["id"]
        services.check_control(request, run_id)
        services.check_room(services.visitor(request))
        path = services.store.path(run_id)
        if self._closing.is_set():
            raise UserError("ui.busy")
        seconds, supervisor = self._asked(run_id, request.query_params.get("seconds")), services.supervisor
        supervisor.begin_lease(run_id)
        refused = None
        try:
            margin = self._times[run_id][1] + 2 if run_id in self._times else MARGIN
            answer = self._apart(request, str(path), seconds, margin)
            self._times[run_id] = answer["prepare"], answer["end"]
            return {**answer, "seconds": seconds}
        except gr.Error as error:
            refused = refusal(getattr(error, "title", ""), str(error.message), seconds)
            raise refused from error
        except Exception as error:  # the package's own: the network, or a visitor who left the queue
            _log.exception("no lease for %s", run_id)
            refused = UserError("lease.refused", reason=type(error).__name__)
            raise refused from error
        finally:
            supervisor.end_lease(run_id, refused)
            if refused is None or refused.key == "lease.cut":
                self._trackers.send(path)

    def _asked(self, run_id: str, text: str | None) -> int:
        """Return the seconds of a lease: those asked for, else as many as this run needs."""
        if text is None:
            return min(MOST, max(USUAL, math.ceil(sum(self._times.get(run_id, ())) + TRAINS + 2)))
        if not re.fullmatch("[0-9]{1,4}", text) or not LEAST <= int(text) <= MOST:
            raise UserError("lease.seconds", least=LEAST, most=MOST, value=text[:20])
        return int(text)

    def _apart(self, request: Request, *arguments: Any) -> dict[str, Any]:
        """Call the decorated task in a fresh thread, with the request and the page where it looks for them.

        A thread that has drawn holds a pool of OpenMP's threads, which a fork would break.
        """
        self.warm_up()  # a child that is forked during an import would wait for its lock for ever
        context = copy_context()
        context.run(LocalContext.request.set, gr.Request(request=request))
        # Without the page the child would keep the server's sockets.
        context.run(LocalContext.blocks.set, request.app.get_blocks())
        with ThreadPoolExecutor(1) as fresh:
            return fresh.submit(context.run, self._lend, *arguments).result()

    def warm_up(self) -> None:
        """Import what a lease needs, so that no lease pays for it. It must not start CUDA here."""
        with self._importing:
            get_kind(DEFAULT).load_engine()
            import gan.train.autotune.cost  # noqa: F401 - counts a visitor's run, maybe during a fork

    def close(self, supervisor: Supervisor) -> None:
        """Pause the runs of all leases, and end all children, which would outlive the server."""
        self._closing.set()
        for run_id in supervisor.leases():
            with contextlib.suppress(UserError, OSError):  # it has been deleted, or the disk is full
                supervisor.store.send(run_id, "pause")
        end = time.monotonic() + FAREWELL
        while supervisor.leases() and time.monotonic() < end:
            time.sleep(0.05)
        self._trackers.close()
        for child in multiprocessing.active_children():
            child.kill()  # an idle child ignores SIGTERM while its queue is open
            child.join(5)


def refusal(title: str, message: str, seconds: int) -> UserError:
    """Return a refusal of the package as a sentence, with an offer in seconds where a shorter lease may do.

    title, message: those of its gr.Error. seconds: of the lease that it refused.
    """
    return _REFUSALS.get(title, _unknown)(message, seconds)


def _quota(message: str, seconds: int) -> UserError:
    found = _NUMBERS.search(message)
    if found is None:
        return _without_numbers(message, seconds)
    requested, left = int(found[1]), max(0, int(found[2]))
    offer = int(left * seconds / max(1, requested)) - 1  # some GPUs count each second more than once
    values = {"requested": requested, "left": left}
    if LEAST <= offer < seconds:
        return UserError("lease.short", **values, offer=offer)
    return UserError("lease.quota", **values, wait=found[3] or "24:00:00")


def _without_numbers(message: str, seconds: int) -> UserError:
    if "runs limit" in message:
        return UserError("lease.runs")
    return _queue(message, seconds) if "No GPU was available" in message else UserError("lease.space_quota")


def _queue(message: str, seconds: int) -> UserError:
    return UserError("lease.queue", offer=max(LEAST, seconds // 2))  # shorter leases are served first


def _too_long(message: str, seconds: int) -> UserError:
    found = _REQUESTED.search(message)
    requested = int(found[1]) if found else seconds
    return UserError("lease.too_long", requested=requested, offer=max(LEAST, seconds // 2))


def _unknown(message: str, seconds: int) -> UserError:
    return UserError("lease.refused", reason=message[:200])


_REFUSALS: dict[str, Callable[[str, int], UserError]] = {
    "ZeroGPU quota exceeded": _quota,
    "ZeroGPU queue timeout": _queue,
    "ZeroGPU illegal duration": _too_long,
    "ZeroGPU pending credits exceeded": lambda message, seconds: UserError("lease.credits"),
    "ZeroGPU worker error": lambda message, seconds: UserError("lease.cut"),
}
