"""Gradio's queue, woken by calls.

Gradio's own queue looks for calls 1,000 times a second, which takes a tenth of a core from training. A longer
pause between two looks would delay every call. This queue sleeps until a call arrives or ends.

It also limits what waits for a client to fetch it. Gradio keeps each result until somebody reads it.
"""

import asyncio
import contextlib
import time
from typing import Any, NamedTuple

from gradio.blocks import Blocks
from gradio.data_classes import PredictBodyInternal
from gradio.queueing import Event, Queue
from gradio.utils import run_coro_in_background, set_task_name
from starlette.requests import Request

from gan.ui.api.gate import caller_of

IDLE = 1.0  # seconds from one look to the next where no call wakes the queue
ABREAST = 2  # calls of one endpoint at once
WAITING = 32  # calls that wait for their turn
# Calls of one caller (see gan.ui.api.gate.caller_of), and of all, whose results nobody has fetched.
UNREAD, UNREAD_ALL = 16, 256
KEPT = 60.0  # seconds that a result waits for its client


class _Unread(NamedTuple):
    """A call whose result was not fetched yet."""

    session: str
    caller: str
    until: float


class WakingQueue(Queue):
    """The queue of the API. Runs in the event loop of the server."""

    def __init__(self, blocks: Blocks):
        super().__init__(False, 1, 1, WAITING, blocks, ABREAST)
        self.sleep_when_free = self.progress_update_sleep_when_free = IDLE
        self._called = asyncio.Event()
        self._unread: dict[str, _Unread] = {}

    def is_full(self, caller: str) -> bool:
        """Whether too many results wait for this caller, or for all, to take another call of it."""
        self._forget_old()
        own = sum(one.caller == caller for one in self._unread.values())
        return own >= UNREAD or len(self._unread) >= UNREAD_ALL

    def knows(self, session: str = "", event: str = "") -> bool:
        """Whether a result waits for this session, or for this call. A stream of any other would fail."""
        if event:
            return event in self.event_ids_to_events or any(
                event in events for events in self.pending_event_ids_session.values()
            )
        return session in self.pending_messages_per_session

    def caller(self, session: str, event: str) -> str | None:
        """Return whose result waits under the id of a call, or of a session where there is none."""
        if event:
            return self._unread[event].caller if event in self._unread else None
        return next((one.caller for one in self._unread.values() if one.session == session), None)

    async def push(self, body: PredictBodyInternal, request: Request, username: str | None) -> Any:
        """Queue a call, and wake the loop. See Gradio for the arguments and the answer."""
        pushed = await super().push(body, request, username)
        if pushed[0] and isinstance(pushed[1], str) and body.session_hash:
            self._unread[pushed[1]] = _Unread(body.session_hash, caller_of(request), time.monotonic() + KEPT)
        self._called.set()
        return pushed

    async def start_processing(self) -> None:
        """Begin each call when it arrives or when its turn comes. Ends with the server."""
        try:
            while not self.stopped:
                self._called.clear()
                async with self.delete_lock:
                    found = self.get_events() if None in self.active_jobs else None
                if found:
                    self._begin(*found)
                    continue
                with contextlib.suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(self._called.wait(), IDLE)
        finally:
            self.stopped = True
            self._cancel_asyncio_tasks()

    def _begin(self, events: list[Event], batch: bool, concurrency_id: str) -> None:
        """Begin a call as Gradio's loop does."""
        self.active_jobs[self.active_jobs.index(None)] = events
        fn, begun = events[0].fn, time.time()
        waiting = self.event_queue_per_concurrency_id[concurrency_id]
        waiting.current_concurrency += 1
        waiting.start_times_per_fn[fn].add(begun)
        task = run_coro_in_background(self.process_events, events, batch, begun, fn)
        set_task_name(task, events[0].session_hash, fn._id, events[0]._id, batch)
        self._asyncio_tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task) -> None:
        self._asyncio_tasks.discard(task)
        self._called.set()

    def compute_analytics_summary(self, records: Any) -> Any:
        """Compute nothing: nobody sees these statistics, and they import pandas after the first call."""
        return self.cached_event_analytics_summary

    def _forget_old(self) -> None:
        """Drop the results that nobody fetched within KEPT, with their sessions."""
        now = time.monotonic()
        for event, one in list(self._unread.items()):
            left = self.pending_event_ids_session.get(one.session)
            if left is None or event not in left:
                del self._unread[event]
            elif one.until <= now and event not in self.event_ids_to_events:
                del self._unread[event]
                left.discard(event)
                self.pending_messages_per_session.pop(one.session, None)
            if not left:
                self.pending_event_ids_session.pop(one.session, None)
