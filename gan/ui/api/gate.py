"""Let calls of the API through to Gradio, and nothing that it does not expect.

Gradio fails with a traceback for what is no call, waits for a body as long as the client likes, and keeps as
many streams open as clients ask for. So the gate reads each body, and passes on only the values of a call.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import anyio
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gan.errors import UserError
from gan.ui.server.people.access import client_of
from gan.ui.server.requests.http import BODY_WITHIN, refusal
from gan.ui.server.services import Services

if TYPE_CHECKING:
    from gradio.block_function import BlockFunction
    from gradio.blocks import Blocks

    from gan.ui.api.waking_queue import WakingQueue

PUBLIC = ("models", "sample", "interpolate", "status")  # for everybody: documented, and MCP tools
CONTROL = ("train", "command")  # for those who control the runs
TOKEN = "x-ganarium-token"
# Scope key of a call to CONTROL, and of one with a token: None where it may pass, else the UserError that
# says why not.
VERDICT = "ganarium.control"
STREAMS, STREAMS_ALL = 8, 128  # open streams of one client, and of all
HAS_MCP = find_spec("mcp") is not None
MCP = "/gradio_api/mcp"
# Requests of MCP that Gradio answers by itself. For some others it calls its own address.
MCP_METHODS = re.compile(
    r"initialize|ping|notifications/.*|tools/(list|call)|(resources(/templates)?|prompts)/list"
)
_NAMES, _PUBLIC = "|".join((*PUBLIC, *CONTROL)), "|".join(PUBLIC)
_READ = re.compile(
    rf"/gradio_api/(info/?|openapi\.json|(?P<session>queue/data)|call/({_NAMES})/(?P<event>[0-9a-f]{{32}}))"
    rf"|{MCP}(?P<mcp>/?)|{MCP}/schema"
)
_WRITE = re.compile(
    rf"/gradio_api/(?P<door>queue/join|cancel|(run|call)/(?P<name>{_NAMES})|call/v2/(?P<named>{_PUBLIC}))"
    rf"|{MCP}(?P<mcp>/?)"
)
_SESSION = re.compile(r"[\w-]{1,64}", re.ASCII)
_EVENT = re.compile(r"[0-9a-f]{32}")


class Endpoint(NamedTuple):
    """One endpoint as the gate knows it, with the names and the default values of its arguments."""

    name: str
    number: int
    names: tuple[str, ...]
    defaults: tuple[Any, ...]


def door(method: str, path: str) -> re.Match | None:
    """Return what matched a request that belongs to the API, else None."""
    return (_READ if method in ("GET", "HEAD") else _WRITE).fullmatch(path)


class Gate:
    """ASGI middleware between the guard and Gradio. It passes on whatever belongs to no call."""

    def __init__(self, app: ASGIApp, services: Services):
        self.app, self._services = app, services
        self._streams: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = door(scope["method"], scope["path"]) if scope["type"] == "http" else None
        if found is None:
            await self.app(scope, receive, send)
            return
        request, parts = Request(scope, receive), found.groupdict()
        try:
            if scope["path"].startswith(MCP) and not HAS_MCP:
                raise UserError("api.no_mcp")
            if scope["method"] == "POST":
                receive = await self._received(request, parts)
            else:
                _check_stream(request, parts)
        except UserError as error:
            await refusal(error)(scope, receive, send)
            return
        with self._place(_streaming(request, parts)) as refused:
            await (refusal(refused) if refused else self.app)(scope, receive, _as_refusals(found, send))

    async def _received(self, request: Request, parts: dict[str, str | None]) -> Receive:
        """Read and check the body of a call. Returns a `receive` that brings only its values.

        Raises UserError for what is no call, from a client with too many unread results, and too slow. Who
        controls the runs has results of their own: those of a class at the same address don't count.
        """
        value = _parsed(await _body(request))
        if parts["mcp"] is not None:
            if not MCP_METHODS.fullmatch(str(value.get("method"))):
                raise UserError("api.bad_call")
            return _replayed(request, value)
        if parts["door"] == "cancel":
            return _replayed(request, _cancelled(value, request))
        endpoint = _endpoint(request, parts["name"] or parts["named"], value.get("fn_index"))
        call = _call(endpoint, value, bool(parts["named"]))
        if parts["door"] == "queue/join":
            call = {**call, "session_hash": _matching(_SESSION, value.get("session_hash"))}
        queued, control = not str(parts["door"]).startswith("run/"), endpoint.name in CONTROL
        if control or (queued and TOKEN in request.headers):
            request.scope[VERDICT] = await self._verdict(request)
        if queued and _queue(request).is_full(caller_of(request)):
            # a full queue must not hide that the call is refused anyway
            raise (request.scope[VERDICT] if control else None) or UserError("api.too_many")
        return _replayed(request, call)

    async def _verdict(self, request: Request) -> UserError | None:
        """Return why the sender of a request may not change runs, or None.

        Wrong tokens delay the next ones, here where a delayed call holds no place in a queue.
        """
        access = self._services.access
        if access.lets(request):
            return None
        if access.by_visitor:
            return UserError("access.owner_only")
        token = request.headers.get(TOKEN, "")
        if not token:
            return UserError("api.token_needed")
        try:
            await access.check(token, client_of(request))
        except UserError as error:
            return error
        return None

    @contextmanager
    def _place(self, client: str | None) -> Iterator[UserError | None]:
        """Count a stream of this client during the block. Yields the error where it has too many."""
        if client is None:
            yield None
        elif self._streams[client] >= STREAMS or self._streams.total() >= STREAMS_ALL:
            yield UserError("api.too_many")
        else:
            self._streams[client] += 1
            try:
                yield None
            finally:
                self._streams[client] -= 1
                if not self._streams[client]:
                    del self._streams[client]


def caller_of(request: Request) -> str:
    """Return for whom the results of a call wait: its client, apart from who controls the runs there."""
    client = client_of(request)
    return f"control {client}" if request.scope.get(VERDICT, "") is None else client


def _streaming(request: Request, parts: dict[str, str | None]) -> str | None:
    """Return for whom a request opens a stream: as its call counts; None for no stream."""
    if parts["mcp"] is not None:
        return client_of(request)
    if not (parts.get("session") or parts.get("event")):
        return None
    session, event = request.query_params.get("session_hash", ""), parts["event"] or ""
    return _queue(request).caller(session, event) or client_of(request)


def _check_stream(request: Request, parts: dict[str, str | None]) -> None:
    """Raise UserError for a stream of results that nobody asked for: Gradio's would end with a traceback."""
    session, event = request.query_params.get("session_hash", ""), parts["event"]
    if (parts["session"] or event) and not _queue(request).knows(session, event or ""):
        raise UserError("api.unknown_call")


def _blocks(request: Request) -> "Blocks":
    """Return Gradio's page, in whose application the gate stands."""
    return request.app.get_blocks()


def _queue(request: Request) -> "WakingQueue":
    return cast("WakingQueue", _blocks(request)._queue)


def _endpoint(request: Request, name: str | None, number: Any) -> Endpoint:
    """Return an endpoint by its name, else by its number. Raises UserError where there is none."""
    fns = _blocks(request).fns
    for fn in fns.values():
        if fn.api_name in (*PUBLIC, *CONTROL) and (fn.api_name == name if name else fn._id == number):
            return _described(fn)
    raise UserError("api.bad_call")


def _described(fn: "BlockFunction") -> Endpoint:
    from gradio.utils import get_function_params

    assert fn.fn is not None, "every endpoint has a function"
    names = tuple(each[0] for each in get_function_params(fn.fn))
    return Endpoint(str(fn.api_name), fn._id, names, tuple(cast(Any, block).value for block in fn.inputs))


def _call(endpoint: Endpoint, value: dict[str, Any], named: bool) -> dict[str, Any]:
    """Return the body of a call with a value for each argument. Missing ones get their defaults.

    named: whether the body is an object of arguments, as for call/v2.
    """
    if named:
        if not set(value) <= set(endpoint.names):
            raise UserError("api.arguments", name=endpoint.name, names=", ".join(endpoint.names) or "–")
        pairs = zip(endpoint.names, endpoint.defaults, strict=True)
        return {name: value.get(name, default) for name, default in pairs}
    data = value.get("data")
    if not isinstance(data, list) or len(data) > len(endpoint.names):
        raise UserError("api.arguments", name=endpoint.name, names=", ".join(endpoint.names) or "–")
    return {"data": [*data, *endpoint.defaults[len(data) :]], "fn_index": endpoint.number}


def _cancelled(value: dict[str, Any], request: Request) -> dict[str, Any]:
    return {
        "session_hash": _matching(_SESSION, value.get("session_hash")),
        "fn_index": _endpoint(request, None, value.get("fn_index")).number,
        "event_id": _matching(_EVENT, value.get("event_id")),
    }


def _matching(pattern: re.Pattern, value: Any) -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise UserError("api.bad_call")
    return value


async def _body(request: Request) -> bytes:
    try:
        with anyio.fail_after(BODY_WITHIN):
            return await request.body()
    except TimeoutError:
        raise UserError("ui.too_slow", seconds=BODY_WITHIN) from None


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise UserError("api.bad_call")
    return value


def _replayed(request: Request, value: dict[str, Any]) -> Receive:
    """Return a `receive` that brings a JSON value once, then what the client sends after its body."""
    body = json.dumps(value).encode()
    receive, sent = request.receive, False
    request.scope["headers"] = [
        *(pair for pair in request.scope["headers"] if pair[0] not in _BODY_HEADERS),
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
    ]

    async def again() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


_BODY_HEADERS = (b"content-type", b"content-length", b"transfer-encoding")


def _as_refusals(found: re.Match, send: Send) -> Callable[[Message], Any]:
    """Return a `send` for which a mistake of the caller has the status 400.

    Gradio answers run/NAME with 500 for each error; the endpoints log those that are defects.
    """
    if not str(found.groupdict().get("door")).startswith("run/"):
        return send

    async def told(message: Message) -> None:
        await send({**message, "status": 400} if message.get("status") == 500 else message)

    return told
