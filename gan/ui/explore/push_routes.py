"""Define the routes that push a generator to the Hub with the token of whoever asks.

GET push says who would push, and what. POST push/begin starts it, POST push/on says where it stands. GET
push/now names the push of whoever asks, which a page that was loaded anew does not know. They need no control
over runs: a visitor pushes what they see anyway, to their own account. Only D needs it, because the page
gives nobody else the discriminator of a run.
"""

import re
from typing import Any, NamedTuple

from starlette.requests import Request
from starlette.routing import BaseRoute

from gan.errors import UserError
from gan.hub.folder import DISCRIMINATOR
from gan.hub.model_card import OWN_LICENCES
from gan.hub.push import check_name, draft, files, may_choose
from gan.latent.catalogue import Entry
from gan.train.checkpoint import NEWEST
from gan.ui.explore.routes import called
from gan.ui.server.people import sign_in
from gan.ui.server.requests.http import get, is_ours, json_body, post, refusal_json
from gan.ui.server.services import Services

# The name that a model gets without an owner, while the card is only shown.
NOBODY = "OWNER"
# A request with one of these comes through a proxy, so other people may have sent it.
_OF_PROXIES = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")
SAVED = "saved"  # stands for the person whose token this machine has
MOST_NAME = 60  # characters of a suggested name


def push_routes(services: Services) -> list[BaseRoute]:
    """Return the four routes."""
    handlers = _Routes(services)
    return [
        get("push", handlers.look),
        get("push/now", handlers.find),
        post("push/begin", handlers.begin),
        post("push/on", handlers.go_on),
    ]


class Wanted(NamedTuple):
    """A push that somebody asks for: of which model, to which repository."""

    id: str
    to: str
    private: bool
    with_d: bool
    licence: str | None


class _Routes:
    """The handlers, which need the `services`."""

    def __init__(self, services: Services):
        self.services = services

    def look(self, request: Request) -> Any:
        """Return who would push, what a push may ask for, and the card that it would send."""
        query = request.query_params
        entry = self._entry(query.get("id", ""))
        # other sites could read the answer, because Gradio lets every origin send the cookies
        name = sign_in.name(request) if sign_in.offered(request) and is_ours(request) else None
        to = query.get("to") or f"{name or NOBODY}/{_suggested(self._title(entry))}"
        with_d = query.get("d") == "1" and self._has_d(request, entry)
        licence = query.get("licence") or None
        card, facts = self._draft(entry, to, with_d, licence if self._licenses(request, entry) else None)
        own = facts.get("data_licence")
        return {
            "name": name,
            "why": self._why_not(request),
            "sign_in": sign_in.offered(request) and sign_in.push_scope() is not None,
            "to": to,
            "with_d": self._has_d(request, entry),
            "licence": own,
            "licences": OWN_LICENCES if may_choose(facts) and self._licenses(request, entry) else {},
            "files": files(with_d),
            "scored": bool(facts.get("scores")),
            "card": card,
            **self.find(request),
        }

    def begin(self, request: Request) -> Any:
        """Start a push, and return the name of the job."""
        wanted = _wanted(request)
        token, signed = self._token(request)
        entry = self._entry(wanted.id)
        if wanted.with_d and not self._has_d(request, entry):
            raise UserError("hub.no_d_here")
        if wanted.licence is not None and not self._licenses(request, entry):
            raise UserError("access.not_yours")
        self._draft(entry, wanted.to, wanted.with_d, wanted.licence)
        job = self.services.hub_pushes.start(
            _who(request) if signed else SAVED,
            {
                "token": token,
                "repository": wanted.to,
                "private": wanted.private,
                "with_d": wanted.with_d,
                "licence": wanted.licence,
                "folder": str(entry.weights.parent),
                "run": entry.kind == "run",
                "title": self._title(entry),
            },
            signed,
            wanted._asdict(),
        )
        return {"job": job}

    def find(self, request: Request) -> Any:
        """Return {"now": the push of whoever asks that goes on, or has ended, or None}. See `newest`."""
        if not is_ours(request):  # as in `look`
            return {"now": None}
        try:
            _, signed = self._token(request)
        except UserError:
            return {"now": None}
        who = _who(request) if signed else SAVED
        return {"now": self.services.hub_pushes.newest(who, request.query_params.get("id", ""))}

    def go_on(self, request: Request) -> Any:
        """Return {"stage", "address"} of a push."""
        job = json_body(request).get("job")
        if not isinstance(job, str):
            raise UserError("ui.bad_form")
        return self.services.hub_pushes.state(job)

    def _entry(self, name: str) -> Entry:
        """Return a generator that a push may send: one that this page shows, and that is not on the Hub."""
        entry = self.services.catalogue().entry(name)
        if entry.kind == "hub":
            raise UserError("hub.there_already", name=entry.id)
        return entry

    def _title(self, entry: Entry) -> str:
        return called(self.services, entry.id) if entry.kind == "run" else entry.title

    def _has_d(self, request: Request, entry: Entry) -> bool:
        """Whether the sender of a request may push the D of a model."""
        folder = entry.weights.parent
        if entry.kind != "run":
            return (folder / DISCRIMINATOR).is_file()
        return self._controls(request, entry) and (folder / "state" / NEWEST).is_file()

    def _controls(self, request: Request, entry: Entry) -> bool:
        """Whether the sender of a request controls a run."""
        try:
            self.services.check_control(request, entry.weights.parent.name)
        except UserError:
            return False
        return True

    def _licenses(self, request: Request, entry: Entry) -> bool:
        """Whether the sender of a request may choose a licence: a run's images may be somebody else's."""
        return entry.kind != "run" or self._controls(request, entry)

    def _draft(
        self, entry: Entry, repository: str, with_d: bool, licence: str | None
    ) -> tuple[str, dict[str, Any]]:
        """Return the card of a push and its facts. An error about a run names it as the page does."""
        check_name(repository)
        self.services.explorer().prepare()  # torch, as this process needs it
        try:
            return draft(entry, self._title(entry), repository, with_d, licence)
        except UserError as error:
            if "path" not in error.values:
                raise
            raise UserError(error.key, **{**error.values, "path": self._title(entry)}) from error

    def _token(self, request: Request) -> tuple[str, bool]:
        """Return the token of whoever sends a request, and whether it comes from a sign-in.

        Raises UserError for somebody without one that may write.
        """
        if sign_in.offered(request):
            token = sign_in.token(request)
            if sign_in.push_scope() is None:
                raise UserError("hub.space_may_not")
            if token is None:
                raise UserError("hub.sign_in")
            if not sign_in.may_push(request):
                raise UserError("hub.no_scope")
            return token, True
        if not self.services.private or any(header in request.headers for header in _OF_PROXIES):
            raise UserError("hub.no_push_here")
        from gan.hub.client import saved_token

        return saved_token(), False

    def _why_not(self, request: Request) -> dict[str, Any] | None:
        try:
            self._token(request)
        except UserError as error:
            return refusal_json(error)
        return None


def _who(request: Request) -> str:
    """Return what names the person who has signed in, with whichever token."""
    person = sign_in.person(request) or {}
    return str(person.get("sub") or person.get("preferred_username"))


def _wanted(request: Request) -> Wanted:
    """Return what the body of a request asks for. Raises UserError for anything else."""
    asked = json_body(request)
    name, to, licence = asked.get("id"), asked.get("to"), asked.get("licence")
    private, with_d = asked.get("private"), asked.get("with_d")
    if not isinstance(name, str) or not isinstance(to, str) or not isinstance(licence, str | None):
        raise UserError("ui.bad_form")
    if not isinstance(private, bool) or not isinstance(with_d, bool):
        raise UserError("ui.bad_form")
    return Wanted(name, to, private, with_d, licence)


def _suggested(title: str) -> str:
    """Return the name of a repository for a model with this title."""
    plain = re.sub(r"[^a-z0-9]+", "-", title.lower())[:MOST_NAME].strip("-")
    return f"ganarium-{plain}".strip("-")
