"""Define our HTTP routes under /gradio_api/gan/, which bypass Gradio's queue.

They carry live data and binary files.
"""

import functools
import hashlib
import inspect
import json
import logging
from collections.abc import Awaitable, Callable, Collection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import anyio
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route

import gan
from gan.errors import MESSAGES, UserError
from gan.ui import strings
from gan.ui.server.requests.concurrency import GONE, LIMITS
from gan.ui.server.requests.redact import public
from gan.ui.server.requests.static_files import PageFiles

PREFIX = "/gradio_api/gan"
STATIC = Path(gan.__file__).resolve().parent / "web"
# Error key -> HTTP status, where that is not 400.
STATUS = {
    **{key: 404 for key in MESSAGES if ".unknown" in key}, "runs.no_sample": 404, "runs.no_reals": 404,
    "access.needed": 403, "access.wrong_token": 403, "access.too_often": 429, "access.other_name": 403,
    "access.other_site": 403, "access.no_visit": 403, "access.not_yours": 403, "access.owner_only": 403,
    "access.own_images": 403,
    "hub.not_pulled": 404, "hub.set_unknown": 404, "hub.push_over": 404, "hub.pushing": 409,
    "hub.many_pushes": 429,
    **dict.fromkeys(("hub.sign_in", "hub.no_scope", "hub.space_may_not", "hub.no_push_here"), 403),
    **dict.fromkeys(("lease.short", "lease.quota", "lease.runs", "lease.space_quota", "lease.credits"), 429),
    "ui.too_large": 413, "ui.no_room": 413,
    "mirror.no_checkpoint": 404, "ui.too_slow": 408, "ui.busy": 503, "latent.finding": 503,
    "api.no_mcp": 404, "api.too_many": 429, "api.token_needed": 403,
}  # fmt: skip
BODY_WITHIN = 10  # seconds for the body of a POST to arrive
CHECKED = "ganarium.ours"  # scope key: the guard has found that is_ours() holds
_log = logging.getLogger(__name__)


class Json(JSONResponse):
    """A JSON response. A lone surrogate, which UTF-8 can't encode, becomes a question mark."""

    def render(self, content: Any) -> bytes:
        return json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode(
            "utf-8", "replace"
        )


def shared_routes() -> list[BaseRoute]:
    """Return the routes that belong to no tab: static files and texts."""
    return [get("strings/{lang}.json", _strings), Mount(f"{PREFIX}/static", PageFiles(STATIC))]


def get(path: str, handler: Callable[..., Response | Any]) -> Route:
    """Return a GET route under PREFIX.

    `handler(request)` returns a Response or a JSON value. It runs in a thread under the path's concurrency
    limit.
    """
    limit = LIMITS.get(path)
    return Route(
        f"{PREFIX}/{path}", _answer(handler, limit.run if limit else run_in_threadpool), methods=["GET"]
    )


def post(path: str, handler: Callable[..., Response | Any]) -> Route:
    """Return a POST route under PREFIX that refuses requests from other sites' pages.

    The body is read first, into `request.state.body`. A plain `handler(request)` then runs in a thread under
    the path's concurrency limit. A coroutine function runs in the event loop: while it waits, it must not
    hold a thread.
    """
    limit = LIMITS.get(path)
    run = _awaited if inspect.iscoroutinefunction(handler) else limit.run if limit else run_in_threadpool

    async def checked(handler: Callable[..., Any], request: Request) -> Any:
        if not request.scope.get(CHECKED) and not is_ours(request):
            return refusal(UserError("access.other_site"))
        return await _received(request) or await run(handler, request)

    return Route(f"{PREFIX}/{path}", _answer(handler, checked), methods=["POST"])


def is_ours(request: Request, shown_at: Collection[str] = ()) -> bool:
    """Whether our own page, or no page at all, made a request.

    shown_at: further hosts, with their ports, at which proxies show our page.
    Browsers say so in Sec-Fetch-Site, which no script can change and which survives any proxy. Plain http and
    older browsers omit that header. Then Origin must name the requested host. X-Forwarded-Host does not count
    as that host: any site's page can send it, because Gradio allows all headers to all origins.
    """
    origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    try:
        host = origin and urlsplit(origin).netloc
    except ValueError:  # not a URL
        return False
    return origin is None or host == request.headers.get("host") or host in shown_at


def json_body(request: Request) -> dict[str, Any]:
    """Return the JSON object in a POST body. Raises UserError where the body is none."""
    try:
        value = json.loads(request.state.body)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise UserError("ui.bad_form")
    return value


def problem(
    status: int,
    key: str,
    text: str,
    values: dict[str, Any] | None = None,
    more: dict[str, bool] | None = None,
) -> Response:
    """Return the JSON answer for a failure."""
    return Json(
        {"error": {"key": key, "values": values or {}, "text": text, **(more or {})}}, status_code=status
    )


def refusal(error: UserError) -> Response:
    """Return the answer for a UserError.

    Status 503 also carries "offline": the page then retries by itself, as if the server were unreachable.
    """
    status, shown = STATUS.get(error.key, 400), _shown(error)
    return problem(
        status, error.key, shown["text"], shown["values"], {"offline": True} if status == 503 else {}
    )


def in_words(request: Request, error: UserError) -> Response:
    """Return the answer for a UserError to any request.

    Outside our routes, people see the answer as it is; this includes Gradio's upload. There it is a plain
    sentence in their language.
    """
    reply = refusal(error)
    if request.scope["path"].startswith(f"{PREFIX}/"):
        return reply
    lang = request.cookies.get("gan_lang") or strings.pick_language(request.headers.get("accept-language"))
    # The page may translate the sentence later.
    details = json.dumps({"key": error.key, "values": error.values}, default=str)
    return PlainTextResponse(
        strings.text(lang, f"error.{error.key}", **error.values), reply.status_code, {"X-Refusal": details}
    )


def refusal_json(error: UserError) -> dict[str, Any]:
    """Return a UserError as `request` of core/api.js throws it, for an answer that is none itself."""
    return _shown(error)


def refusal_text(error: UserError) -> str:
    """Return the sentence of a UserError as a program may read it."""
    return _shown(error)["text"]


def _shown(error: UserError) -> dict[str, Any]:
    """Return a UserError without the server's paths."""
    values = {name: str(value) for name, value in error.values.items()}
    return public({"key": error.key, "values": values, "text": str(error)})


def with_etag(request: Request, value: Any) -> Response:
    """Return `value` as JSON with an ETag, or 304 where the browser has this version."""
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    headers = {"ETag": f'"{hashlib.sha1(body).hexdigest()[:20]}"', "Cache-Control": "no-cache"}
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)


def _answer(handler: Callable[..., Any], run: Callable[..., Awaitable[Any]]) -> Callable[..., Any]:
    """Wrap a handler that `run` executes.

    A UserError becomes its status (400 where STATUS has none) with its sentence. Any other exception becomes
    500 without a traceback.
    """

    @functools.wraps(handler)
    async def endpoint(request: Request) -> Response:
        try:
            value = await run(handler, request)
            if not isinstance(value, Response):
                value = Json(value, headers={"Cache-Control": "no-store"})
        except UserError as error:
            return refusal(error)
        except Exception:
            _log.exception("failed: %s", request.url.path)
            return problem(500, "internal", "Something went wrong on the server; its log has the details.")
        return value

    return endpoint


async def _received(request: Request) -> Response | None:
    """Read the body of a POST into `request.state.body`.

    Returns an error response where it does not arrive in time.
    """
    try:
        with anyio.fail_after(BODY_WITHIN):
            request.state.body = await request.body()
    except TimeoutError:
        late = refusal(UserError("ui.too_slow", seconds=BODY_WITHIN))
        late.headers["Connection"] = "close"  # the rest of the body must not be parsed as a request
        return late
    except ClientDisconnect:
        return Response(status_code=GONE)
    return None


async def _awaited(handler: Callable[[Request], Any], request: Request) -> Any:
    value = handler(request)
    return await value if inspect.isawaitable(value) else value


def _strings(request: Request) -> Response:
    lang = request.path_params["lang"]
    if lang not in strings.LANGUAGES:
        return problem(404, "not_found", "There are no texts in this language.")
    return with_etag(request, strings.table(lang))
