"""Limit the concurrency of each kind of work, so that slow requests can't take every thread.

Without these limits, sixty requests for sample grids or cost estimates would hold every thread of the server.
The page would stand still for the whole class.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio.from_thread
import anyio.to_thread
from anyio.lowlevel import RunVar
from starlette.requests import Request
from starlette.responses import Response

from gan.errors import UserError

GONE = 499  # nginx's status for a client that closed the connection


class ConcurrencyLimit:
    """Run at most `abreast` handlers at once, in the order of arrival; at most `waiting` requests queue."""

    def __init__(self, abreast: int, waiting: int = 64):
        self._abreast, self._most, self._inside = abreast, abreast + waiting, 0
        # A CapacityLimiter belongs to the event loop in which it was made.
        self._limiter: RunVar[anyio.CapacityLimiter] = RunVar("limiter")

    async def run(self, handler: Callable[[Request], Any], request: Request) -> Any:
        """Run the handler in a thread and return its value.

        A request that waited, and whose client has left, gets an empty answer (status 499). Raises
        UserError("ui.busy") where the queue is full.
        """
        limiter = self._room()
        waits = self._inside >= self._abreast

        def work() -> Any:
            if waits and anyio.from_thread.run(request.is_disconnected):
                return Response(status_code=GONE)
            return handler(request)

        self._inside += 1
        try:
            return await anyio.to_thread.run_sync(work, limiter=limiter)
        finally:
            self._inside -= 1

    @asynccontextmanager
    async def hold(self) -> AsyncIterator[None]:
        """Hold one place until the end of the block, for work that brings its own threads.

        Raises UserError("ui.busy") where the queue is full.
        """
        limiter = self._room()
        # The owner is not the task: another task may close the stream of a client that has left.
        place = object()
        self._inside += 1
        try:
            await limiter.acquire_on_behalf_of(place)
            try:
                yield
            finally:
                limiter.release_on_behalf_of(place)
        finally:
            self._inside -= 1

    def _room(self) -> anyio.CapacityLimiter:
        """Return the event loop's limiter. Raises UserError("ui.busy") where the queue is full."""
        if self._inside >= self._most:
            raise UserError("ui.busy")
        limiter = self._limiter.get(None) or anyio.CapacityLimiter(self._abreast)
        self._limiter.set(limiter)
        return limiter


_PUSHES = ConcurrencyLimit(2, 16)
_OPENING, _SHEETS, _WORKING = ConcurrencyLimit(4), ConcurrencyLimit(2), ConcurrencyLimit(4, 200)
# Loop files. FILMS counts a file until it is sent, which limits the files on disk. DRAWN limits drawing and
# packing, which take seconds: one loop at a time. A slow reader holds a place in FILMS only, so loops wait
# for loops and for nothing else.
FILMS, DRAWN = ConcurrencyLimit(8, 24), ConcurrencyLimit(1, 8)
# Path under PREFIX -> its concurrency limit; all other paths share Starlette's thread pool. A single image
# waits for at most two sheets, which take turns with it image by image (gan/latent/serving/fair_lock.py).
# A poll waits for polls only.
LIMITS = {
    "poll": ConcurrencyLimit(4, 1000), "cost": ConcurrencyLimit(2), "jobs": ConcurrencyLimit(2),
    "image": ConcurrencyLimit(4),
    "wall": _SHEETS, "strip": _SHEETS, "neighbours": _SHEETS, "along": _SHEETS,
    "pictures": ConcurrencyLimit(8, 200), "pictures/pull": ConcurrencyLimit(2, 8),
    "points": ConcurrencyLimit(2),
    # A page asks for twelve runs, and asks again while they train.
    "runs/{id}/curves": ConcurrencyLimit(2, 1000),
    "runs/older": ConcurrencyLimit(2), "runs/{id}/file": ConcurrencyLimit(1),
    "runs/{id}/statistics.{form}": ConcurrencyLimit(2), "runs/{id}/report": ConcurrencyLimit(2, 16),
    "runs/{id}/nearest": ConcurrencyLimit(2, 64), "runs/{id}/pairs": ConcurrencyLimit(2, 64),
    "runs/{id}/saliency/{tile:int}": ConcurrencyLimit(2, 64),
    # A lease holds its thread for up to two minutes, so none waits here: the page asks again.
    "runs/{id}/lease": ConcurrencyLimit(6, 0),
    "runs/arrive": ConcurrencyLimit(1, 8), "find": ConcurrencyLimit(2), "find/on": _WORKING,
    "drag": ConcurrencyLimit(2), "drag/on": _WORKING, "map": ConcurrencyLimit(2),
    "inside": ConcurrencyLimit(2),
    "time": ConcurrencyLimit(2), "times": ConcurrencyLimit(2), "take/{form}": ConcurrencyLimit(1),
    "model": _OPENING, "latent": _OPENING, "directions": _OPENING, "generator": _OPENING, "loop": _OPENING,
    "factors": _OPENING, "attributes": ConcurrencyLimit(1),
    "directions/save": ConcurrencyLimit(1), "pull": ConcurrencyLimit(1, 8),
    "push": _PUSHES, "push/begin": _PUSHES,
}  # fmt: skip
