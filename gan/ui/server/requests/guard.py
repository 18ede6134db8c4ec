"""Guard every route, Gradio's own included: expose only what the page uses, and protect what changes state.

Our page calls no Python through Gradio. Its events run in the browser and use our own routes. So of Gradio's
routes only the page, its files, the upload and the calls of the API stay reachable; the gate behind the guard
checks those calls (gan.ui.api.gate). All others (files, proxy, streams, deep links, component servers, ...)
answer 404.
"""

import ipaddress
import logging
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlsplit

import anyio
from gradio.utils import get_upload_folder
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gan.errors import UserError
from gan.files import FULL, free_bytes
from gan.runs.disk import SPARE
from gan.ui.api.gate import door
from gan.ui.server.people import sign_in
from gan.ui.server.people.cookies import on_space
from gan.ui.server.people.visitors import UPLOAD
from gan.ui.server.requests.connections import LEAST, TAKEN_WITHIN
from gan.ui.server.requests.head import BASE
from gan.ui.server.requests.http import CHECKED, PREFIX, in_words, is_ours, problem
from gan.ui.server.requests.uploads import MAX_REQUEST, sweep
from gan.ui.server.services import Services
from gan.ui.server.starting import Root, bare

MAX_BODY = 2**20  # bytes of a POST that is no upload
MAX_PATH, MAX_QUERY = 1000, 2**16  # characters
# Bytes of one part of a path. No file has a longer name; the system raises OSError for a longer one.
MAX_NAME = 255
# Bytes of an answer that are sent at once. More would wait in memory for a client that does not read.
PIECE = 2**16
# Seconds for an upload to arrive, beside one more for each LEAST bytes of it. It holds space on the disk.
ARRIVES_WITHIN = 60
_READ = re.compile(
    r"/|/(theme\.css|favicon\.ico|robots\.txt|manifest\.json|config)|/(static|assets)/.+"
    rf"|/gradio_api/startup-events|{PREFIX}/.+"
)
_STRANGE = re.compile(r"[\x00-\x1f\x7f\\\ud800-\udfff]|(^|/)\.\.?(/|$)")
_HOST = re.compile(r"[\w.:\[\]-]{1,255}", re.ASCII)
# Query parameters of Gradio features that we don't use. Gradio fails with a 500 for odd values of them.
_NOT_OURS = {"page", "deep_link"}
# POST routes that need no control: they change nothing that others see, but for the sums of a game's results.
# A push needs its sender's own token.
_ANYBODY = tuple(
    f"{PREFIX}/{path}"
    for path in (
        "access",
        "access/leave",
        "find",
        "find/on",
        "drag",
        "drag/on",
        "push/begin",
        "push/on",
        "played",
    )
)
_log = logging.getLogger(__name__)


class Guard:
    """ASGI middleware around the whole application."""

    def __init__(self, app: ASGIApp, services: Services):
        self.app, self.services = app, services
        # Request -> bytes that its upload has still to bring. No other upload may count on that disk space.
        self._expected: dict[int, int] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        scope = _at_root(scope, self.services.root.path)
        if not any(name == b"host" for name, _ in scope["headers"]):
            # HTTP/1.0 may omit it. Gradio's CORS middleware reads the same list and fails without it.
            scope["headers"].append((b"host", b"localhost"))
        if scope["path"] == UPLOAD:  # Gradio would track the progress of an upload for ever, by its id
            scope["query_string"] = b""
        request, started, taken, begun = Request(scope, receive), False, 0, anyio.current_time()

        async def answer(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                MutableHeaders(scope=message)["X-Content-Type-Options"] = "nosniff"
            for part in _pieces(message):
                with anyio.fail_after(TAKEN_WITHIN):
                    await send(part)

        async def take() -> Message:
            nonlocal taken
            due = begun + ARRIVES_WITHIN + taken / LEAST
            message = await (_in_time(receive, begun, due) if id(request) in self._expected else receive())
            taken += len(message.get("body", b""))
            if taken > _most(request):  # the headers may have understated the size
                raise _too_large(request)
            if id(request) in self._expected:
                self._expected[id(request)] = max(0, _coming(request) - taken)
            if not message.get("more_body"):
                self._expected.pop(id(request), None)
            return message

        refused = self._refused(request)
        try:
            if refused is None and scope["path"] == UPLOAD:
                self._expected[id(request)] = _coming(request)
                await run_in_threadpool(sweep, Path(get_upload_folder()))
            await (self.app if refused is None else refused)(scope, take, answer)
        # The client has broken off its upload. Nobody waits for an answer, and this is no defect.
        except ClientDisconnect:
            return
        except TimeoutError:
            if not started:
                raise
            return  # the client does not read: uvicorn closes the unfinished connection
        except (UserError, OSError, TypeError, ValueError, LookupError, AttributeError) as error:
            if started or scope["path"] != UPLOAD:
                raise
            await in_words(request, _of_upload(error))(scope, receive, answer)
        finally:
            self._expected.pop(id(request), None)

    def _refused(self, request: Request) -> Response | None:
        """Return the refusal of a request, or None where it may pass."""
        path = request.scope["path"]
        if len(path) > MAX_PATH or len(request.scope["query_string"]) > MAX_QUERY or _STRANGE.search(path):
            return _nothing()
        if any(len(part.encode()) > MAX_NAME for part in path.split("/")):
            return _nothing()
        if not _sane(request):
            return problem(400, "bad_host", "This request does not say sensibly which host it is for.")
        if not (
            self.services.access.needed
            or on_space()
            or _by_own_name(request, self.services.host, self.services.root)
        ):
            return in_words(request, UserError("access.other_name", host=_host(request)[:80]))
        if path in sign_in.PATHS and sign_in.offered(request) and request.method == "GET":
            return None if sign_in.is_sound(request) else _nothing()
        if request.method in ("GET", "HEAD"):
            ours = path.startswith(f"{PREFIX}/") or not _NOT_OURS & set(request.query_params)
            known = _READ.fullmatch(path) or door("GET", path)
            return None if ours and known else _nothing()
        if request.method != "POST":
            return problem(405, "no_such_method", "There is no such method here.")
        if not is_ours(request, self._shown_at(request)):
            return in_words(request, UserError("access.other_site"))
        request.scope[CHECKED] = True
        if door("POST", path):
            return _too_much(request, 0)
        reason = None if path in _ANYBODY else self._out_of_reach(request)
        if reason is not None:
            return in_words(request, reason)
        if path != UPLOAD and not path.startswith(f"{PREFIX}/"):
            return _nothing()
        return _too_much(request, sum(self._expected.values()))

    def _out_of_reach(self, request: Request) -> UserError | None:
        """Return why the sender of a request may not change what it is about, or None where they may."""
        access = self.services.access
        if access.lets(request):
            return None
        if not access.by_visitor:
            return UserError("access.needed")
        return self.services.visitors.refusal(self.services.store, request)

    def _shown_at(self, request: Request) -> set[str]:
        """Return the further hosts at which proxies show the page.

        These are the host of the root path, and on a Space the X-Forwarded-Host of its proxy.
        """
        forwarded = request.headers.get("x-forwarded-host") if on_space() else None
        return {host for host in (self.services.root.netloc, forwarded) if host}


def _at_root(scope: Scope, path: str) -> Scope:
    """Rewrite a request as if the page stood at the root of its host.

    `path` is the prefix below which a proxy shows the page; the proxy may have kept or stripped it. A root
    path from the ASGI server (root_path) is removed as well. Starlette would prepend it to every path and
    then not find our files.
    """
    asked = scope["path"]
    before = next(
        (each for each in (path, scope.get("root_path")) if each and f"{asked}/".startswith(f"{each}/")), ""
    )
    rest = asked[len(before) :] or "/"
    if before and asked == before:
        scope = {**scope, BASE: quote(f"{before}/").encode()}
    return {
        **scope,
        "root_path": "",
        "path": rest,
        "raw_path": quote(rest, errors="surrogatepass").encode() if before else scope.get("raw_path"),
    }


async def _in_time(receive: Receive, begun: float, due: float) -> Message:
    """Return the next piece of a body. Raises UserError where it has not come at `due`.

    Times are of the event loop, in seconds.
    """
    try:
        with anyio.fail_after(max(0, due - anyio.current_time())):
            return await receive()
    except TimeoutError:
        raise UserError("ui.too_slow", seconds=round(anyio.current_time() - begun)) from None


def _pieces(message: Message) -> Iterator[Message]:
    """Split a message with a long body into messages of at most PIECE bytes."""
    body = message.get("body", b"")
    if len(body) <= PIECE:
        yield message
        return
    view = memoryview(body)
    for start in range(0, len(body), PIECE):
        more = start + PIECE < len(body) or message.get("more_body", False)
        yield {"type": message["type"], "body": bytes(view[start : start + PIECE]), "more_body": more}


def _sane(request: Request) -> bool:
    """Whether a request's host headers are valid.

    Gradio builds URLs from them, and fails where they are malformed.
    """
    for name in ("host", "x-forwarded-host"):
        host = request.headers.get(name, "localhost").split(",")[0].strip()
        try:
            if (
                not _HOST.fullmatch(host)
                or not urlsplit(f"//{host}").hostname
                or urlsplit(f"//{host}").port == 0
            ):
                return False
        except ValueError:
            return False
    return "x-gradio-server" not in request.headers


def _by_own_name(request: Request, given: str, root: Root) -> bool:
    """Whether the Host of a request is a name that no stranger can point at this machine.

    This rule stops DNS rebinding. Any site can resolve its own name to an address of the visitor's network,
    this machine's included. Its page then counts as same-origin with ours. A server without a token therefore
    accepts only names that a stranger can't redirect:
        localhost and the machine's own name
        the name `given` to listen on, and the proxy's host in `root`
        bare IP addresses; over loopback, only loopback or unspecified ones
    X-Forwarded-Host never counts: a page under a rebound name can send it.
    """
    host = _host(request)
    if host in ("localhost", bare(given), root.host, *_names()):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return (
        address.is_loopback
        or address.is_unspecified
        or not _loopback((request.scope.get("server") or ("",))[0])
    )


def _host(request: Request) -> str:
    """Return the host of a request that passed `_sane`, without its port."""
    return (urlsplit(f"//{request.headers.get('host', '')}").hostname or "").rstrip(".")


def _loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def _names() -> tuple[str, str]:
    """Return this machine's names in its network."""
    name = socket.gethostname().lower()
    return name, f"{name.split('.')[0]}.local"


def _too_much(request: Request, expected: int) -> Response | None:
    """Return the refusal of a request that is too large for its path or for the disk, else None.

    expected: bytes that other uploads have still to bring.
    """
    coming = _coming(request)
    if coming > _most(request):
        return in_words(request, _too_large(request))
    if request.scope["path"] == UPLOAD and free_bytes(Path(get_upload_folder())) < coming + expected + SPARE:
        return in_words(request, UserError("ui.no_room"))
    return None


def _coming(request: Request) -> int:
    """Return the most bytes that a request can bring, by its headers.

    A chunked request states no length, so it counts with the limit of its path.
    """
    length = request.headers.get("content-length", "0")
    if "transfer-encoding" in request.headers or not re.fullmatch("[0-9]{1,15}", length):
        return _most(request)
    return int(length)


def _of_upload(error: Exception) -> UserError:
    """Turn a failure of Gradio's upload into a UserError."""
    if isinstance(error, UserError):
        return error
    if isinstance(error, OSError):
        _log.error("an upload can't be kept: %s", error)
        return (
            UserError("ui.no_room")
            if error.errno in FULL
            else UserError("ui.cannot_keep", reason=error.strerror or type(error).__name__)
        )
    _log.error("a form that Gradio's upload can't read", exc_info=error)
    return UserError("ui.bad_upload")


def _most(request: Request) -> int:
    """Return the limit of a request's body in bytes."""
    return MAX_REQUEST if request.scope["path"] == UPLOAD else MAX_BODY


def _too_large(request: Request) -> UserError:
    return UserError("ui.too_large", megabytes=_most(request) >> 20)


def _nothing() -> Response:
    return problem(404, "not_found", "There is nothing at this address.")
