"""Sign visitors of a Space in with Hugging Face.

Gradio brings the two routes and the session (gradio.oauth). The session is a cookie that Gradio signs with
the Space's OAuth secret. It holds the visitor's token, so only their browser keeps that. A sign-in lasts as
long as Hugging Face says, eight hours by default. It asks for the name alone, unless its address names more
that the visitor is about to do: a push. The address to which the sign-in returns then holds a mark, because
Gradio keeps nothing else of it when it starts a sign-in again, whose cookie a browser has lost.
"""

import logging
import os
import re
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gan.errors import UserError
from gan.ui.server.requests.http import in_words

PATHS = ("/login/huggingface", "/login/callback")
# A Space has these variables where its README.md says `hf_oauth: true`.
VARIABLES = ("OAUTH_CLIENT_ID", "OAUTH_CLIENT_SECRET", "OAUTH_SCOPES", "OPENID_PROVIDER_URL")
ROLES = ("admin", "write")  # of an organisation's members, who may change its Spaces anyway
INFO = "oauth_info"  # Gradio's entry in the session
# The scopes of a token that allow a push, the least first. That one lets an app write only to repositories
# that it has made itself.
PUSH_SCOPES = ("contribute-repos", "write-repos", "manage-repos")
# What Hugging Face or our page adds to the two paths. Gradio fails for some other values.
_QUERY = {
    "_target_url": re.compile(r"/(?:[^/\\].{0,1010})?"),  # ours has 1,000 at most, and the mark
    "_nb_redirects": re.compile("[0-9]{1,3}"),
    "_for": re.compile("push"),
}
_MARK = "_for=push"
_log = logging.getLogger(__name__)


def configured() -> bool:
    """Whether the Space offers sign-in.

    An empty secret counts as none, because anybody could sign with it. Where SYSTEM is not "spaces", Gradio
    would sign everybody in as the owner of this machine's token.
    """
    return os.environ.get("SYSTEM") == "spaces" and all(os.environ.get(name) for name in VARIABLES)


def parts() -> tuple[list[BaseRoute], list[Middleware]]:
    """Return the routes of the sign-in and the middleware of its session; none where it is not offered.

    Logs a sentence where the Space offers it and a package of gradio[oauth] is missing.
    """
    if not configured():
        return [], []
    from fastapi import FastAPI
    from gradio.oauth import attach_oauth

    signing = FastAPI()
    try:
        attach_oauth(signing)
    except ImportError:
        _log.warning("%s", UserError("access.no_sign_in"))
        return [], []
    # The session must be open before the guard, which reads it. So it moves from this application to ours.
    session = signing.user_middleware.pop()
    signing.add_middleware(_LeastScopes)
    signing.add_middleware(_InWords)
    return [Route(path, signing) for path in PATHS], [session]


class _InWords:
    """Answer a sign-in that fails with a sentence, for example where Hugging Face does not answer."""

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self.app(scope, receive, send)
        except Exception as error:
            if scope["type"] != "http":
                raise
            _log.warning("a sign-in failed: %s: %s", type(error).__name__, error)
            sentence = in_words(Request(scope), UserError("access.sign_in_failed"))
            await sentence(scope, receive, send)


class _LeastScopes:
    """Ask Hugging Face for no more than the visitor needs: Gradio always asks for all that the Space may.

    It also carries the mark of a push through the sign-in, and takes it from the address at the end.
    """

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        begins, marked = scope["path"] == PATHS[0], _for_push(request)
        wanted = _wanted(marked)

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if "location" in headers:
                    found = headers["location"]
                    headers["location"] = _asking(found, wanted) if begins else _leading(found)
            await send(message)

        if begins and marked:
            query = {**request.query_params, "_target_url": _marked(request.query_params)}
            scope = {**scope, "query_string": urlencode(query).encode()}
        await self.app(scope, receive, answer)


def _for_push(request: Request) -> bool:
    """Whether a request for one of PATHS belongs to a sign-in for a push."""
    target = request.query_params.get("_target_url", "")
    return request.query_params.get("_for") == "push" or _unmarked(target) != target


def _marked(query: Mapping[str, str]) -> str:
    """Return the address to which a sign-in returns, with the mark."""
    parts = urlsplit(_unmarked(query.get("_target_url", "/")))
    return urlunsplit(parts._replace(query="&".join(filter(None, (parts.query, _MARK)))))


def _unmarked(address: str) -> str:
    parts = urlsplit(address)
    kept = "&".join(part for part in parts.query.split("&") if part != _MARK)
    return urlunsplit(parts._replace(query=kept)) if kept != parts.query else address


def _leading(address: str) -> str:
    """Return the address to which the end of a sign-in leads: a new sign-in alone keeps the mark."""
    return address if urlsplit(address).path == PATHS[0] else _unmarked(address)


def _wanted(for_push: bool) -> str:
    """Return the scopes that a sign-in asks for: one for a push only if it is for a push."""
    extra = push_scope() if for_push else None
    return " ".join(scope for scope in _of_space() if scope not in PUSH_SCOPES or scope == extra)


def _asking(address: str, wanted: str) -> str:
    parts = urlsplit(address)
    query = [(name, wanted if name == "scope" else value) for name, value in parse_qsl(parts.query)]
    return urlunsplit(parts._replace(query=urlencode(query)))


def _of_space() -> list[str]:
    """Return the scopes that the README of the Space allows."""
    return os.environ.get("OAUTH_SCOPES", "").split()


def push_scope() -> str | None:
    """Return the least scope for a push that this Space may ask for, or None where it may not."""
    able = _of_space()
    return next((scope for scope in PUSH_SCOPES if scope in able), None)


def token(request: Request) -> str | None:
    """Return the token of the person who has signed in, or None for nobody. It must not leave the server."""
    found = request.scope["session"][INFO].get("access_token") if person(request) else None
    return found if isinstance(found, str) and found else None


def may_push(request: Request) -> bool:
    """Whether a visitor's token has a scope for a push.

    Hugging Face need not say which it has; then the Hub decides.
    """
    granted = request.scope["session"][INFO].get("scope") if person(request) else None
    return not isinstance(granted, str) or not set(PUSH_SCOPES).isdisjoint(granted.split())


def offered(request: Request) -> bool:
    """Whether this server has the sign-in: its middleware then has opened a session."""
    return "session" in request.scope


def is_sound(request: Request) -> bool:
    """Whether a request for one of PATHS has a query that Gradio can read."""
    return all(
        len(request.query_params.getlist(name)) < 2
        and (name not in request.query_params or pattern.fullmatch(request.query_params[name]))
        for name, pattern in _QUERY.items()
    )


def person(request: Request) -> Mapping[str, Any] | None:
    """Return what Hugging Face says of the person who has signed in, or None for nobody."""
    info = request.scope.get("session", {}).get(INFO)
    if not isinstance(info, dict) or not isinstance(info.get("userinfo"), dict):
        return None
    until = info.get("expires_at")
    return info["userinfo"] if isinstance(until, int | float) and until > time.time() else None


def name(request: Request) -> str | None:
    """Return the user name of the person who has signed in, or None for nobody."""
    found = person(request)
    return str(found.get("preferred_username", ""))[:100] if found else None


def forget(request: Request) -> None:
    """Sign the sender of a request out."""
    if offered(request):
        request.scope["session"].pop(INFO, None)


def is_owner(request: Request) -> bool:
    """Whether the sender of a request has signed in as the owner of the Space."""
    found = person(request)
    return found is not None and owns(
        found, os.environ.get("SPACE_AUTHOR_NAME", ""), os.environ.get("SPACE_CREATOR_USER_ID", "")
    )


def owns(userinfo: Mapping[str, Any], author: str, creator: str) -> bool:
    """Whether somebody owns a Space.

    userinfo: what Hugging Face says of them. author: the user or organisation that has the Space. creator:
    the id of the user who made it.

    These are the user who has it, and the members of its organisation with one of ROLES. The userinfo may
    leave the role out, because people can withhold it. Then only the user who made the Space counts.
    """
    if author and userinfo.get("preferred_username") == author:
        return True
    listed = userinfo.get("orgs")
    member = next(
        (
            one
            for one in (listed if isinstance(listed, list) else [])
            if isinstance(one, dict) and author and one.get("preferred_username") == author
        ),
        {},
    )
    if member.get("roleInOrg"):
        return member["roleInOrg"] in ROLES
    return bool(creator) and userinfo.get("sub") == creator
