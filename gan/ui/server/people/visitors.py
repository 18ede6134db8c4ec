"""Let visitors of a Space without a teacher token control the runs that their own browser started.

A browser holds a random id in a cookie that the server has signed. A run's directory holds a keyed hash of
that id, its mark. Neither a run nor its mark tells the id, and nobody can sign an id without the key. Key,
cookies and marks survive a restart of the server.
"""

import contextlib
import hashlib
import hmac
import os
import re
import secrets
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from starlette.requests import Request

from gan.config import NO_TRACKER, Settings
from gan.errors import UserError
from gan.files import write_bytes
from gan.runs.disk import writing
from gan.runs.store import QUEUED, RUNS, Store
from gan.ui.server.people.cookies import cookie, is_secure, values
from gan.ui.server.people.visitor_limits import check_share, check_size, expected_bytes
from gan.ui.server.requests.http import PREFIX

COOKIE = "ganarium-visit"
LASTS = 30 * 24 * 3600  # seconds that a browser keeps its id
MINUTES = 10  # of one run
WAITING = 1  # runs of one visitor in the queue
# Of all visitors together, so that the owner of the Space still finds room.
WAITING_ALL, RUNS_ALL = QUEUED // 2, RUNS - 100
# Of one address. It may be that of a school, but each new cookie makes another visitor.
WAITING_CLIENT = 10
REMEMBERED = 100_000  # addresses of visitors
KEY_FILE, KEY_BYTES = ".visitors-key", 32
# What visitors may ask for besides reading. Everything else that changes something is the owner's.
UPLOAD = "/gradio_api/upload"
_STARTS = {UPLOAD, *(f"{PREFIX}/{path}" for path in ("pictures", "points", "runs", "runs/arrive"))}
COMMANDS = (
    "rename",
    "pause",
    "resume",
    "restart",
    "stop",
    "end",
    "cancel",
    "sample",
    "save",
    "delete",
    "more",
    "score",
    "adjust",
    "lease",
    "cpu",
)
_OF_RUN = re.compile(rf"{PREFIX}/runs/([^/]+)/(?:{'|'.join(COMMANDS)})")
_OF_MODEL = f"{PREFIX}/directions/save"
QUEUES = ("resume", "restart", "cpu")  # commands that put a run into the queue

T = TypeVar("T")


class Visitors:
    """The visitors of one server. Any thread may call the methods.

    key: at least KEY_BYTES bytes that only this server knows.
    """

    def __init__(self, key: bytes):
        self._key = key
        self._queueing = threading.Lock()  # held from the count of a visitor's runs to the next one
        self._noting = threading.Lock()  # held while the next one is read or written
        self._clients: dict[str, str] = {}  # mark -> the address from which that visitor last came

    def new_cookie(self, request: Request, path: str) -> str:
        """Return a Set-Cookie header with a new id, for the pages below `path`."""
        visit = secrets.token_urlsafe(32)
        return cookie(_name(request), f"{visit}.{self._hash('visit', visit)}", LASTS, path, request)

    def mark(self, request: Request) -> str | None:
        """Return the mark of the browser that sends a request, or None where it has no id of ours."""
        for value in values(request, _name(request)):
            visit, _, signature = value.partition(".")
            if hmac.compare_digest(self._hash("visit", visit).encode(), signature.encode()):
                return self._hash("mark", visit)
        return None

    def came(self, mark: str, client: str) -> None:
        """Note from which address a visitor comes. The last REMEMBERED are remembered, until a restart."""
        with self._noting:
            self._clients.pop(mark, None)  # it is the newest now
            self._clients[mark] = client
            while len(self._clients) > REMEMBERED:
                del self._clients[next(iter(self._clients))]

    def refusal(self, store: Store, request: Request) -> UserError | None:
        """Return why a visitor may not make a POST request, or None where they may."""
        mark = self.mark(request)
        if mark is None:
            return UserError("access.no_visit")
        path = request.scope["path"]
        if path in _STARTS:
            return None
        found = _OF_RUN.fullmatch(path)
        run_id = found[1] if found else None
        if path == _OF_MODEL:  # the sliders of a run's model are part of the run
            kind, _, name = request.query_params.get("id", "").partition(":")
            run_id = name if kind == "run" else None
        if run_id is None:
            return UserError("access.owner_only")
        try:
            return None if owned(store.visitor(run_id), mark) else UserError("access.not_yours")
        except UserError as error:  # there is no such run
            return error

    def submit(self, store: Store, config: Settings, mark: str, begin: Callable[[], T], lent: bool) -> T:
        """Call `begin`, which starts a run of this visitor. Raises UserError beyond a visitor's limits.

        lent: whether runs train on GPUs that are lent.
        """
        check_limits(config, lent)
        more = expected_bytes(config)
        with self._queueing:
            self._check_waiting(store, mark)
            _check_runs(store)
            check_share(store, more)
            return begin()

    def take_in(self, store: Store, more: int, act: Callable[[], T]) -> T:
        """Call `act`, which takes in a visitor's run of `more` bytes. Raises UserError without room for it.

        The run does not wait: it arrives paused, or ended.
        """
        with self._queueing:
            _check_runs(store)
            check_share(store, more)
            return act()

    def command(self, store: Store, run_id: str, name: str, mark: str, act: Callable[[], None]) -> None:
        """Call `act`, a command to a run of this visitor. Raises UserError beyond a visitor's limits."""
        if name not in QUEUES:
            act()
            return
        if name == "cpu":  # the limits of a lent GPU held until now
            check_size(store.config(run_id))
        with self._queueing:
            self._check_waiting(store, mark)
            check_share(store, starting=run_id)
            act()

    def extend(self, store: Store, run_id: str, more: float, mark: str, act: Callable[[], None]) -> None:
        """Call `act`, which adds `more` to the budget of a visitor's run.

        Raises UserError beyond a visitor's limits.
        """
        check_minutes(store.config(run_id).longer(more))
        with self._queueing:
            self._check_waiting(store, mark)
            check_share(store, starting=run_id)
            act()

    def _check_waiting(self, store: Store, mark: str) -> None:
        """Raise UserError if the runs that wait have reached a limit: of this visitor, their address, all."""
        marks = _marks(store)
        with self._noting:
            clients = dict(self._clients)
        waiting = [
            marks[one["id"]] for one in store.list() if one["state"] == "queued" and one["id"] in marks
        ]
        if sum(owned(found, mark) for found in waiting) >= WAITING:
            raise UserError("access.one_waits")
        client = clients.get(mark)
        if client and sum(clients.get(found) == client for found in waiting) >= WAITING_CLIENT:
            raise UserError("access.many_wait", most=WAITING_CLIENT)
        if len(waiting) >= WAITING_ALL:
            raise UserError("access.no_place")

    def _hash(self, purpose: str, visit: str) -> str:
        text = f"{purpose}:{visit}".encode("utf-8", "surrogatepass")
        return hmac.new(self._key, text, hashlib.sha256).hexdigest()


def owned(found: str, mark: str | None) -> bool:
    """Whether the mark of a run is that of a visitor. A run without a mark is no visitor's."""
    return bool(found and mark) and hmac.compare_digest(found, mark or "")


def find_key(runs: Path) -> bytes:
    """Return the key of the server that owns this runs folder.

    It follows from the OAuth secret of the Space, so that it survives even a lost disk. Without one it lies
    in the folder, where the first call writes it. A key that is too short is replaced. Raises UserError where
    the file can't be read or written.
    """
    secret = os.environ.get("OAUTH_CLIENT_SECRET")
    if secret:
        return hmac.new(secret.encode(), b"visitors of GANarium", hashlib.sha256).digest()
    path = runs / KEY_FILE
    with writing():
        key = path.read_bytes() if path.exists() else b""
        if len(key) < KEY_BYTES:  # a damaged file, and anybody could guess an empty key
            key = secrets.token_bytes(KEY_BYTES)
            write_bytes(path, key)
            path.chmod(0o600)
        return key


def check_limits(config: Settings, lent: bool) -> None:
    """Raise UserError for a run that a visitor may not have: too long, too large, or with a tracker.

    lent: whether runs train on GPUs that are lent. A tracker writes to what is the owner's.
    """
    if config.track != NO_TRACKER:
        raise UserError("access.owner_only")
    check_minutes(config)
    check_size(config, lent)


def check_arrival(config: Settings, size: int, lent: bool) -> None:
    """Raise UserError for a run that a visitor may not bring. size: bytes of its files."""
    check_limits(config, lent)
    most = expected_bytes(config)
    if size > most:
        raise UserError("access.large_arrival", megabytes=round(size / 10**6), most=round(most / 10**6))


def check_minutes(config: Settings) -> None:
    """Raise UserError for a run of more than MINUTES, or one that takes as long as its images take."""
    if config.budget_images or not config.minutes <= MINUTES:
        raise UserError("access.long_run", most=MINUTES)


def _check_runs(store: Store) -> None:
    """Raise UserError if visitors have as many runs as they may."""
    if len(_marks(store)) >= RUNS_ALL:
        raise UserError("access.no_place")


def _marks(store: Store) -> dict[str, str]:
    """Return the marks of the runs that visitors started, by the runs' ids."""
    marks = {}
    for summary in store.list():
        with contextlib.suppress(UserError):  # deleted since the listing
            marks[summary["id"]] = store.visitor(summary["id"])
    return {run_id: mark for run_id, mark in marks.items() if mark}


def _name(request: Request) -> str:
    """Return the cookie's name. Over https its prefix keeps other hosts of the domain from setting it."""
    return f"__Host-{COOKIE}" if is_secure(request) else COOKIE
