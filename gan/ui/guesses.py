"""How fast tokens are looked at: guessing must stay hopeless, and nobody may lock out who has the right one.

Nobody is refused for what others do. An address with few wrong tokens of its own is answered at once, whatever comes from elsewhere. Where more were wrong, and
the teacher may well share that address with who guesses (a school behind one router), tokens are looked at as well, but one by one with a pause between: no
state refuses the right one. What waits is bounded, and where there is no room any one that waits is sent away at random, not the newcomer: neither a long line
nor a steady stream shuts the teacher out, who with ten guesses a second from the same address gets in with one try of six.

What guessing gives: PACE allows 170,000 guesses a day from an address, PACE_ALL 860,000 from all that guess together, and FREE a few in an hour from each
address that is new. To find one of the 36^8 tokens of 8 small letters and digits would take 4,000
years on average. A word of a dictionary would not hold, whatever the pace.
"""

import random
import time
from dataclasses import dataclass, field

import anyio

from gan.errors import UserError

FREE = 5  # wrong tokens of one client that cost no pause
KEPT = 3600  # seconds without another one after which they are forgotten
PACE, PACE_ALL = 0.5, 0.1  # seconds between two looks at tokens of a client with more than that, and of all such clients
ROOM, ROOM_ALL = 20, 200  # how many wait for a look, of one client and of all
CLIENTS = 10_000  # that are remembered
LOOK = 0.1  # seconds, on average, between two looks at whose turn it is


@dataclass(eq=False)
class _Line:
    """One client's wrong tokens, and the requests that wait for a look."""

    wrong: int = 0
    until: float = 0.0
    next: float = 0.0
    waiting: list[object] = field(default_factory=list)


class Guesses:
    """Whose token is looked at when. For one event loop: it holds no threads and needs no lock."""

    def __init__(self) -> None:
        self._lines: dict[str, _Line] = {}
        self._next = 0.0

    async def turn(self, client: str) -> None:
        """Return when a token of this client may be looked at. Raises UserError("access.too_often") for one that had to make room."""
        line = self._lines.get(client)
        if line is None or line.wrong < FREE or line.until <= time.monotonic():
            return
        ticket = object()
        line.waiting.append(ticket)
        self._make_room(line)
        try:
            while True:
                if ticket not in line.waiting:
                    raise UserError("access.too_often")
                now = time.monotonic()
                if now >= max(line.next, self._next):
                    line.next, self._next = now + PACE, now + PACE_ALL
                    return
                await anyio.sleep(LOOK * random.uniform(0.5, 1.5))  # whose turn it is is left to chance, so that no order can be held by force
        finally:
            if ticket in line.waiting:
                line.waiting.remove(ticket)

    def wrong(self, client: str) -> None:
        """Count a wrong token."""
        now = time.monotonic()
        line = self._lines.pop(client, None) or _Line()
        line.wrong = line.wrong + 1 if line.until > now else 1
        line.until = now + KEPT
        self._lines[client] = line  # now the last to be forgotten
        if len(self._lines) > CLIENTS:
            del self._lines[next(iter(self._lines))]

    def _make_room(self, line: _Line) -> None:
        """Send one away at random where too many wait: in this line, or else in the longest."""
        if len(line.waiting) <= ROOM:
            if sum(len(other.waiting) for other in self._lines.values()) <= ROOM_ALL:
                return
            line = max(self._lines.values(), key=lambda other: len(other.waiting))
        line.waiting.pop(random.randrange(len(line.waiting)))
