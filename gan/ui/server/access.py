"""Who may start, stop and change runs. Without a teacher token everybody may; with one, only browsers in
which it was entered.

What a browser gets for the token is a random session id in a cookie, which no script of a page can read. The
token itself is kept nowhere but as a digest.
"""

import getpass
import hashlib
import hmac
import ipaddress
import os
import random
import re
import secrets
import sys
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import anyio
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from gan.errors import UserError
from gan.ui.server.http import Json, get, json_body, post

if TYPE_CHECKING:
    from gan.ui.server.services import Services


FREE = 5  # wrong tokens of one client that cost no pause
KEPT = 3600  # seconds without another one after which they are forgotten
# seconds between two looks at tokens of a client with more than that, and of all such clients
PACE, PACE_ALL = 0.5, 0.1
ROOM, ROOM_ALL = 20, 200  # how many wait for a look, of one client and of all
CLIENTS = 10_000  # that are remembered
LOOK_EVERY = 0.1  # seconds, on average, between two looks at whose turn it is


@dataclass(eq=False)
class _Line:
    """One client's wrong tokens, and the requests that wait for a look."""

    wrong: int = 0
    until: float = 0.0
    next: float = 0.0
    waiting: list[object] = field(default_factory=list)


class TokenRateLimiter:
    """Whose token is looked at when. For one event loop: it holds no threads and needs no lock."""

    def __init__(self) -> None:
        self._lines: dict[str, _Line] = {}
        self._next = 0.0

    async def turn(self, client: str) -> None:
        """Return when a token of this client may be looked at. Raises UserError("access.too_often") for one
        that had to make room.
        """
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
                # whose turn it is is left to chance, so that no order can be held by force
                await anyio.sleep(LOOK_EVERY * random.uniform(0.5, 1.5))
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


COOKIE = "ganarium-control"
VARIABLE = "TEACHER_TOKEN"
LEAST = 8  # characters of a token
LASTS = 12 * 3600  # seconds that a session is good for: a day at school


class Access:
    """The sessions of those who control the runs. All methods but `enter` may be called from any thread.
    Raises UserError for a token that is too short.
    """

    def __init__(self, token: str | None = None):
        if token is not None and len(token) < LEAST:
            raise UserError("access.short_token", least=LEAST)
        self._digest = None if token is None else _digest(token)
        self._sessions: dict[str, float] = {}
        self._limiter = TokenRateLimiter()
        self._lock = threading.Lock()

    @property
    def needed(self) -> bool:
        """Whether there is a token at all."""
        return self._digest is not None

    def allows(self, session: str | None) -> bool:
        """Whether who has this session id may change runs."""
        return not self.needed or self._sessions.get(session or "", 0.0) > time.monotonic()

    def lets(self, request: Request) -> bool:
        """Whether who sent a request may change runs: by any of the cookies of our name, since another
        GANarium may stand higher up on the same host.
        """
        return any(self.allows(session) for session in _sessions(request) or [None])

    async def enter(self, token: str, client: str) -> str:
        """A new session id for the right token, after a pause where many were wrong (gan.ui.server.access).

        Raises UserError for a wrong token, and for any where so many wait that this one had to make room.
        """
        if not self.needed:
            raise UserError("access.wrong_token")
        await self._limiter.turn(client)
        if not hmac.compare_digest(_digest(token), self._digest):
            self._limiter.wrong(client)
            raise UserError("access.wrong_token")
        with self._lock:
            now = time.monotonic()
            self._sessions = {known: end for known, end in self._sessions.items() if end > now}
            session = secrets.token_urlsafe(32)
            self._sessions[session] = now + LASTS
            return session

    def leave(self, session: str | None) -> None:
        """End a session."""
        with self._lock:
            self._sessions.pop(session or "", None)


def find_token(given: str | None) -> str | None:
    """The token to serve with, or None for a page that everybody controls. Raises UserError where there
    should be one and is none.

    given: what stood after --teacher-token, "" where nothing did, None where the option was not given. Then
    TEACHER_TOKEN decides; it is taken out of the environment, which workers inherit. Where neither has it, it
    is asked for, or read from the standard input.
    """
    kept = os.environ.pop(VARIABLE, "").strip()
    if given is None:
        return kept or None
    token = (
        given.strip()
        or kept
        or (getpass.getpass("Teacher token: ") if sys.stdin.isatty() else sys.stdin.readline()).strip()
    )
    if not token:
        raise UserError("access.no_token")
    return token


def on_space() -> bool:
    """Whether this is a Hugging Face Space: everybody comes through its proxy, and anybody may."""
    return bool(os.environ.get("SPACE_ID"))


def _sessions(request: Request) -> list[str]:
    """The session ids that a browser sends."""
    pairs = (part.strip().partition("=") for part in request.headers.get("cookie", "").split(";"))
    return [value for name, _, value in pairs if name == COOKIE]


def access_routes(services: "Services") -> list[BaseRoute]:
    """GET access tells whether a token is needed and whether this browser has entered it; POST access enters
    it, POST access/leave forgets it.
    """

    def state(request: Request) -> dict[str, bool]:
        return {"needed": services.access.needed, "control": services.access.lets(request)}

    async def enter(request: Request) -> Response:
        told = json_body(request)
        token = told.get("token")
        session = await services.access.enter(
            token.strip() if isinstance(token, str) else "", client_of(request)
        )
        return _answer(
            {"needed": True, "control": True}, request, session, LASTS, _place(services, told.get("place"))
        )

    def leave(request: Request) -> Response:
        told = json_body(request) if request.state.body else {}
        for session in _sessions(request):
            services.access.leave(session)
        state = {"needed": services.access.needed, "control": not services.access.needed}
        return _answer(state, request, "", 0, _place(services, told.get("place")))

    return [get("access", state), post("access", enter), post("access/leave", leave)]


def client_of(request: Request) -> str:
    """Who asks: the address that is connected. What a request says of others is believed only on a Space,
    where all come through its proxy: then it is the last public one, which the proxy has added. Of IPv6 it is
    the network of 2^64 addresses that one customer has.
    """
    connected = request.client.host if request.client else ""
    forwarded = request.headers.get("x-forwarded-for", "").split(",") if on_space() else []
    public = (
        address for address in map(_address, reversed(forwarded)) if address is not None and address.is_global
    )
    address = next(public, None) or _address(connected)
    if address is None:
        return connected[:64]
    return str(address) if address.version == 4 else str(ipaddress.ip_network((address, 64), strict=False))


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(text.strip())
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _place(services: "Services", told: Any) -> str:
    """The path that a browser is to send its cookie to: below which our page lies, as the page says, since
    proxies such as Jupyter's change it unseen.

    Others on the same host do not get the cookie then. Who sends something else harms nobody but himself;
    what is no path is not taken.
    """
    sound = isinstance(told, str) and re.fullmatch(r"/([\w.~%@!$&()*+=:-]{1,100}/){0,12}", told, re.ASCII)
    return told if sound else f"{services.root.quoted}/"


def _answer(value: dict[str, bool], request: Request, session: str, seconds: int, place: str) -> Response:
    """A Space is shown in a frame of another site, where only a cookie of this last kind is sent back; such a
    cookie needs https.
    """
    secure = "https" in (
        request.url.scheme,
        request.headers.get("x-forwarded-proto", "").split(",")[0].strip(),
    )
    kind = "SameSite=None; Secure; Partitioned" if secure else "SameSite=Lax"
    cookie = f"{COOKIE}={session}; Path={place}; Max-Age={seconds}; HttpOnly; {kind}"
    return Json(value, headers={"Set-Cookie": cookie, "Cache-Control": "no-store"})


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
