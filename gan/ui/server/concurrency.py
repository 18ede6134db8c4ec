"""Threads for each kind of work: what takes long has few of its own, so that it can't take those that
everything else needs.

Otherwise sixty questions for walls or for the cost of a run would hold every thread of the server, and a
whole class would see the page stand still.
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

GONE = 499  # nginx's status for a client that closed the request


class ConcurrencyLimit:
    """At most `abreast` handlers at once, in the order of asking, and at most `waiting` requests in front of
    them.
    """

    def __init__(self, abreast: int, waiting: int = 64):
        self._abreast, self._most, self._inside = abreast, abreast + waiting, 0
        # one belongs to the event loop that it is made in
        self._limiter: RunVar[anyio.CapacityLimiter] = RunVar("limiter")

    async def run(self, handler: Callable[[Request], Any], request: Request) -> Any:
        """What the handler returns, from a thread; for a client that has gone while it waited, an empty
        answer instead.

        Raises UserError("ui.busy") where too many wait already.
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
        """A place in the lane for work that takes turns with other threads itself, until the end of the
        block.

        Raises UserError("ui.busy") where too many wait already.
        """
        limiter = self._room()
        place = object()  # not the task: a stream that its client has left may be closed by another one
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
        """What lets in as many as go abreast. Raises UserError where too many wait for it already."""
        if self._inside >= self._most:
            raise UserError("ui.busy")
        limiter = self._limiter.get(None) or anyio.CapacityLimiter(self._abreast)
        self._limiter.set(limiter)
        return limiter


_OPENING, _SHEETS, _WORKING = ConcurrencyLimit(4), ConcurrencyLimit(2), ConcurrencyLimit(4, 200)
# Loops that become files, until they are sent: so many lie on the disk at most. A few slow readers hold up
# nobody, for they are drawn and packed, which takes seconds, one after the other in a lane of its own: a
# class room's wait for each other and for nobody else.
FILMS, DRAWN = ConcurrencyLimit(8, 24), ConcurrencyLimit(1, 8)
# Path under PREFIX -> its lane; all others share the threads that Starlette has for everything. A single
# picture never waits for more than two sheets, which are drawn in turns with it (gan.latent.fair_lock), and a
# poll for nothing but polls.
LIMITS = {
    "poll": ConcurrencyLimit(4, 1000), "cost": ConcurrencyLimit(2), "image": ConcurrencyLimit(4),
    "wall": _SHEETS, "strip": _SHEETS, "neighbours": _SHEETS, "along": _SHEETS,
    "pictures": ConcurrencyLimit(8, 200),
    "runs/older": ConcurrencyLimit(2), "find": ConcurrencyLimit(2), "find/on": _WORKING,
    "drag": ConcurrencyLimit(2), "drag/on": _WORKING, "map": ConcurrencyLimit(2),
    "inside": ConcurrencyLimit(2),
    "time": ConcurrencyLimit(2), "times": ConcurrencyLimit(2), "take/{form}": ConcurrencyLimit(1),
    "model": _OPENING, "latent": _OPENING, "directions": _OPENING, "generator": _OPENING, "loop": _OPENING,
    "factors": _OPENING, "attributes": ConcurrencyLimit(1),
    "directions/save": ConcurrencyLimit(1),
}  # fmt: skip
