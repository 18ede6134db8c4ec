"""Our own HTTP routes under /gradio_api/gan/: what is live and what is bytes travels here, past Gradio's
queue.
"""

import functools
import hashlib
import inspect
import json
import logging
import re
from collections.abc import Awaitable, Callable, Collection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import anyio
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

import gan
from gan.errors import MESSAGES, UserError
from gan.ui import strings
from gan.ui.server.concurrency import GONE, LIMITS
from gan.ui.server.redact import public

PREFIX = "/gradio_api/gan"
STATIC = Path(gan.__file__).resolve().parent / "web"
# The status of a mistake that is not simply a bad request (400).
STATUS = {
    **{key: 404 for key in MESSAGES if ".unknown" in key}, "runs.no_sample": 404,
    "access.needed": 403, "access.wrong_token": 403, "access.too_often": 429, "access.other_name": 403,
    "access.other_site": 403,
    "ui.too_large": 413, "ui.no_room": 413,
    "ui.too_slow": 408, "ui.busy": 503, "latent.finding": 503,
}  # fmt: skip
BODY_WITHIN = 10  # seconds that the body of a POST may take
FOREVER = "public, max-age=31536000, immutable"
_VERSIONED = re.compile(r"-\d+\.\d+\.\d+$")
CHECKED = "ganarium.ours"  # in the scope of a request that the guard has found to be ours
_log = logging.getLogger(__name__)


class _Static(StaticFiles):
    """Our scripts and styles: kept by browsers, but asked about each time, so that an upgraded server is seen
    at once.

    Files of a folder that has their version in its name are kept for good. One that ends in .gz is what its
    name says before that, packed; browsers unpack it.
    """

    def file_response(self, full_path: Any, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(full_path, *args, **kwargs)
        response.headers["Cache-Control"] = (
            FOREVER if _VERSIONED.search(Path(full_path).parent.name) else "no-cache"
        )
        if str(full_path).endswith(".gz"):
            response.headers["Content-Encoding"] = "gzip"
        return response


class Json(JSONResponse):
    """A value as JSON. A text that UTF-8 can't hold (half of a pair, which JSON can name) is shown with a
    question mark instead.
    """

    def render(self, content: Any) -> bytes:
        return json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode(
            "utf-8", "replace"
        )


def shared_routes() -> list[BaseRoute]:
    """Static files and texts, which no room of the page owns."""
    return [get("strings/{lang}.json", _strings), Mount(f"{PREFIX}/static", _Static(directory=STATIC))]


def get(path: str, handler: Callable[..., Response | Any]) -> Route:
    """A GET route under PREFIX. `handler(request)` runs in a thread of the path's limit and returns a
    Response or a JSON value.
    """
    limit = LIMITS.get(path)
    return Route(
        f"{PREFIX}/{path}", _answer(handler, limit.run if limit else run_in_threadpool), methods=["GET"]
    )


def post(path: str, handler: Callable[..., Response | Any]) -> Route:
    """A POST route under PREFIX that refuses other sites' pages. Once its body is there, as
    `request.state.body`, `handler(request)` runs in a thread of the path's limit, a coroutine function in
    none: a thread that waited for a client would be lost to everybody else.
    """
    limit = LIMITS.get(path)
    run = _awaited if inspect.iscoroutinefunction(handler) else limit.run if limit else run_in_threadpool

    async def checked(handler: Callable[..., Any], request: Request) -> Any:
        if not request.scope.get(CHECKED) and not is_ours(request):
            return refusal(UserError("access.other_site"))
        return await _received(request) or await run(handler, request)

    return Route(f"{PREFIX}/{path}", _answer(handler, checked), methods=["POST"])


def is_ours(request: Request, shown_at: Collection[str] = ()) -> bool:
    """Whether a request was made by a page of ours, or by no page at all. `shown_at`: other hosts, with their
    ports, at which proxies show our page.

    Browsers say so themselves in Sec-Fetch-Site, which no script can change, and which holds through any
    proxy. They leave it out over plain http, and older ones always: then the origin of the page has to be the
    host that was asked for. X-Forwarded-Host does not count as that host: the page of any site can send it,
    since Gradio allows all headers to all origins.
    """
    origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    try:
        host = origin and urlsplit(origin).netloc
    except ValueError:  # no address at all
        return False
    return origin is None or host == request.headers.get("host") or host in shown_at


def json_body(request: Request) -> dict[str, Any]:
    """The JSON object that a POST brought. Raises UserError where it is none."""
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
    """The JSON form of a failure."""
    return Json(
        {"error": {"key": key, "values": values or {}, "text": text, **(more or {})}}, status_code=status
    )


def refusal(error: UserError) -> Response:
    """A mistake as the page is told of it. Where the server has too much to do, the page is to do as if it
    could not be reached: ask again by itself.
    """
    status = STATUS.get(error.key, 400)
    # not where things lie here
    told = public(
        {
            "key": error.key,
            "values": {name: str(value) for name, value in error.values.items()},
            "text": str(error),
        }
    )
    return problem(
        status, error.key, told["text"], told["values"], {"offline": True} if status == 503 else {}
    )


def with_etag(request: Request, value: Any) -> Response:
    """`value` as JSON with an ETag, or 304 where the browser has it already."""
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    headers = {"ETag": f'"{hashlib.sha1(body).hexdigest()[:20]}"', "Cache-Control": "no-cache"}
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)


def _answer(handler: Callable[..., Any], run: Callable[..., Awaitable[Any]]) -> Callable[..., Any]:
    """Have a handler `run` in a thread; a UserError becomes its status (400 where STATUS has none) with its
    sentence, a defect 500 without its traceback.
    """

    @functools.wraps(handler)
    async def endpoint(request: Request) -> Response:
        try:
            value = await run(handler, request)
        except UserError as error:
            return refusal(error)
        except Exception:
            _log.exception("failed: %s", request.url.path)
            return problem(500, "internal", "Something went wrong on the server; its log has the details.")
        return value if isinstance(value, Response) else Json(value, headers={"Cache-Control": "no-store"})

    return endpoint


async def _received(request: Request) -> Response | None:
    """Wait for the body of a POST; what there is to answer where it does not come."""
    try:
        with anyio.fail_after(BODY_WITHIN):
            request.state.body = await request.body()
    except TimeoutError:
        late = refusal(UserError("ui.too_slow", seconds=BODY_WITHIN))
        late.headers["Connection"] = "close"  # the rest of the body is no next request
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
