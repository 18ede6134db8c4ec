"""Decide who may start, stop and change runs.

With a teacher token, only browsers in which somebody entered it may. Such a browser holds a random session id
in an HttpOnly cookie, which page scripts can't read. The server stores only a SHA-256 digest of the token.
Without a token everybody may, except on a Space: there the owner may, and visitors may change their own runs
(gan.ui.server.people.visitors).
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
from gan.ui.server.people import sign_in, visitors
from gan.ui.server.people.cookies import cookie, on_space, values
from gan.ui.server.requests.http import Json, get, json_body, post

if TYPE_CHECKING:
    from gan.ui.server.services import Services


FREE = 5  # wrong tokens of one client without a delay
KEPT = 3600  # seconds after the last wrong token until the count is dropped
# Seconds between two token checks of one client with more wrong tokens, and of all such clients together.
PACE, PACE_ALL = 0.5, 0.1
ROOM, ROOM_ALL = 20, 200  # waiting requests, of one client and of all
CLIENTS = 10_000  # clients with a count
LOOK_EVERY = 0.1  # mean seconds between two polls of a waiting request


@dataclass(eq=False)
class _Line:
    """One client's count of wrong tokens, and its requests that wait for a check."""

    wrong: int = 0
    until: float = 0.0
    next: float = 0.0
    waiting: list[object] = field(default_factory=list)


class TokenRateLimiter:
    """Delay token checks after wrong tokens. Runs in one event loop, without threads, so it needs no lock."""

    def __init__(self) -> None:
        self._lines: dict[str, _Line] = {}
        self._next = 0.0

    async def turn(self, client: str) -> None:
        """Return when a token of this client may be checked.

        Raises UserError("access.too_often") for a request that was evicted from a full queue.
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
                # A random pause decides whose turn comes next, so that no client can force an order.
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
        self._lines[client] = line  # reinserted: evicted last
        if len(self._lines) > CLIENTS:
            del self._lines[next(iter(self._lines))]

    def _make_room(self, line: _Line) -> None:
        """Evict one random request where a queue is full.

        This client's queue loses one, else the longest queue does.
        """
        if len(line.waiting) <= ROOM:
            if sum(len(other.waiting) for other in self._lines.values()) <= ROOM_ALL:
                return
            line = max(self._lines.values(), key=lambda other: len(other.waiting))
        line.waiting.pop(random.randrange(len(line.waiting)))


COOKIE = "ganarium-control"
VARIABLE = "TEACHER_TOKEN"
MIN_TOKEN = 8  # characters of a token, at least
LASTS = 12 * 3600  # seconds that a session lasts: a day at school


class Access:
    """The sessions that may control runs. Any thread may call any method except `check` and `enter`.

    Raises UserError for a token that is too short.
    """

    def __init__(self, token: str | None = None):
        if token is not None and len(token) < MIN_TOKEN:
            raise UserError("access.short_token", least=MIN_TOKEN)
        self._digest = None if token is None else _digest(token)
        self._sessions: dict[str, float] = {}
        self._limiter = TokenRateLimiter()
        self._lock = threading.Lock()

    @property
    def needed(self) -> bool:
        """Whether the server has a token."""
        return self._digest is not None

    @property
    def by_visitor(self) -> bool:
        """Whether each visitor controls only their own runs: on a Space without a token."""
        return not self.needed and on_space()

    def allows(self, session: str | None) -> bool:
        """Whether this session id may change runs of a server with a token."""
        return not self.needed or self._sessions.get(session or "", 0.0) > time.monotonic()

    def lets(self, request: Request) -> bool:
        """Whether the sender of a request may change all runs."""
        if self.by_visitor:
            return sign_in.is_owner(request)
        return not self.needed or any(self.allows(session) for session in values(request, COOKIE))

    async def check(self, token: str, client: str) -> None:
        """Return for the right token.

        After FREE wrong tokens of a client, checks are delayed.

        Raises UserError for a wrong token, and for a request that was evicted from a full queue.
        """
        right = self._digest
        if right is None:
            raise UserError("access.wrong_token")
        await self._limiter.turn(client)
        if not hmac.compare_digest(_digest(token), right):
            self._limiter.wrong(client)
            raise UserError("access.wrong_token")

    async def enter(self, token: str, client: str) -> str:
        """Return a new session id for the right token. Raises UserError as `check` does."""
        await self.check(token, client)
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
    """Return the token to serve with, or None for a page that everybody controls.

    given: the value of --teacher-token, "" for the option without a value, None without the option.
    TEACHER_TOKEN is the fallback. It is removed from the environment, because workers inherit that. An option
    without a value and without that variable reads the token from the terminal or standard input. Raises
    UserError for an empty token.
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


def access_routes(services: "Services") -> list[BaseRoute]:
    """Return the routes of the token and of the owner.

    GET access says whether a token is needed and what this browser controls. On a Space without a token it
    also gives the browser the id by which the server knows its runs. POST access starts a session, POST
    access/leave ends it and signs the owner out.
    """

    def state(request: Request) -> Response:
        return _answer(services, request, services.access.lets(request))

    async def enter(request: Request) -> Response:
        asked = json_body(request)
        token = asked.get("token")
        session = await services.access.enter(
            token.strip() if isinstance(token, str) else "", client_of(request)
        )
        place = _place(services, asked.get("place"))
        return _answer(services, request, True, cookie(COOKIE, session, LASTS, place, request))

    def leave(request: Request) -> Response:
        asked = json_body(request) if request.state.body else {}
        for session in values(request, COOKIE):
            services.access.leave(session)
        sign_in.forget(request)
        open_to_all = not services.access.needed and not services.access.by_visitor
        place = _place(services, asked.get("place"))
        return _answer(services, request, open_to_all, cookie(COOKIE, "", 0, place, request))

    return [get("access", state), post("access", enter), post("access/leave", leave)]


def client_of(request: Request) -> str:
    """Return the client's address for the rate limit.

    This is the connected address. X-Forwarded-For is trusted only on a Space, where every request comes
    through the proxy. There the last public address in it counts, which the proxy has added. An IPv6 client
    is its /64 network, because one customer has all those addresses.
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


def _place(services: "Services", place: Any) -> str:
    """Return the Path attribute of the cookie: the path below which the browser sees our page.

    The page sends it, because proxies such as Jupyter's rewrite paths without saying so. Other applications
    on the same host then don't receive the cookie. A false path harms only its sender. A value that is no
    path is ignored.
    """
    sound = isinstance(place, str) and re.fullmatch(r"/([\w.~%@!$&()*+=:-]{1,100}/){0,12}", place, re.ASCII)
    return place if sound else f"{services.root.quoted}/"


def _answer(services: "Services", request: Request, control: bool, *cookies: str) -> Response:
    """Return the JSON answer about the access of a browser, with the cookies that it is to keep.

    {needed, control}: whether a token is needed, and whether this browser controls all runs. On a Space also
    {address}, where links to the page lead. There, without a token, also {visitor: {minutes, sign_in, name}}:
    the budget of a visitor's run, whether the owner can sign in, and who has signed in.
    """
    found: dict[str, Any] = {"needed": services.access.needed, "control": control}
    set_cookies = list(cookies)
    if on_space():
        found["address"] = _address_of_space()
    if services.access.by_visitor:
        offered, name = sign_in.offered(request), sign_in.name(request)
        found["visitor"] = {"minutes": visitors.MINUTES, "sign_in": offered, "name": name}
        if services.visitors.mark(request) is None:
            set_cookies.append(services.visitors.new_cookie(request, "/"))
    answer = Json(found, headers={"Cache-Control": "no-store"})
    for each in set_cookies:
        answer.headers.append("Set-Cookie", each)
    return answer


def _address_of_space() -> str | None:
    """Return the Space's own address. With a domain of its own, SPACE_HOST lists both, ours first."""
    host = os.environ.get("SPACE_HOST", "").split(",")[0].strip().rstrip("/")
    return f"https://{host}/" if re.fullmatch(r"[a-z0-9.-]{1,255}", host) else None


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
