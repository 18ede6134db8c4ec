"""A small Hub on this machine, for the real client of huggingface_hub.

It answers the requests of create_repo, model_info, dataset_info, upload_folder and hf_hub_download, also for
ranges of a file. Uploads come as plain commits, so it shows nothing about Xet. A repository of a data set is
named datasets/owner/name.
"""

import base64
import hashlib
import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

TOKEN = "hf_a_token_that_nobody_may_read"
NOWHERE = "http://127.0.0.1:9"  # an endpoint that nobody answers at
_NO_REPOSITORY = {"X-Error-Code": "RepoNotFound"}
_NO_ENTRY = {"X-Error-Code": "EntryNotFound"}
_NO_REVISION = {"X-Error-Code": "RevisionNotFound"}
_GATED = {"X-Error-Code": "GatedRepo"}
CONVERTED = "refs/convert/parquet"
_PATH = r"(?:/api/models|/api(?=/datasets))?/((?:datasets/)?[^/]+/[^/]+)(?:/(\w+)/(.+))?"
WRONG_TOKEN = {"X-Error-Message": "Invalid credentials in Authorization header"}


class Refusal(NamedTuple):
    """An answer of the Hub that is an error."""

    status: int
    headers: Mapping[str, str] = MappingProxyType({})
    body: Mapping[str, str] = MappingProxyType({})


@dataclass
class Repository:
    """A repository with one branch, main.

    card: the metadata of its card. gated: its files need a token, unlike their list.
    converted: the files on a data set's branch of converted tables.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    private: bool = False
    card: dict[str, Any] = field(default_factory=dict)
    gated: bool = False
    converted: dict[str, bytes] = field(default_factory=dict)

    @property
    def commit(self) -> str:
        """A hash that changes with the files."""
        sums = {name: hashlib.sha1(content).hexdigest() for name, content in self.files.items()}
        return hashlib.sha1(json.dumps(sums, sort_keys=True).encode()).hexdigest()


class FakeHub:
    """The Hub's state. Tests read it and change it.

    refusals: what a path (a pattern) is answered instead. announced: file -> the size that HEAD announces.
    hold(): how it is made slow. ranges: whether it answers with parts of files. seen: method, path and
    Authorization of all requests. people: token -> the person whose sign-in it comes from. It sees and writes
    only what is theirs, unlike TOKEN.
    """

    def __init__(self) -> None:
        self.repositories: dict[str, Repository] = {}
        self.refusals: dict[str, Refusal] = {}
        self.announced: dict[str, int] = {}
        self.ranges = True
        self._wait, self._released = 0.0, threading.Event()
        self.seen: list[tuple[str, str, str | None]] = []
        self.people: dict[str, str] = {}
        self.endpoint = ""

    def forget(self) -> None:
        """Return to the state at the start."""
        for part in (self.repositories, self.refusals, self.announced, self.seen, self.people):
            part.clear()
        self.ranges = True
        self.release()

    def hold(self, seconds: float) -> None:
        """Wait before each answer until `release`, and for so many seconds at most."""
        self._wait = seconds
        self._released.clear()

    def release(self) -> None:
        """Answer at once, also the requests that wait."""
        self._wait = 0.0
        self._released.set()

    def answer(self, method: str, path: str, body: bytes, token: str | None) -> tuple[int, dict, bytes]:
        """Return status, headers and body of the answer to a request."""
        self.seen.append((method, path, token))  # before the wait: a client may leave, and a next test begin
        self._released.wait(self._wait)
        for pattern, refusal in self.refusals.items():
            if re.fullmatch(pattern, path):
                return refusal.status, dict(refusal.headers), json.dumps(dict(refusal.body)).encode()
        known = [f"Bearer {each}" for each in (TOKEN, *self.people)]
        if token is not None and token not in known:
            return 401, WRONG_TOKEN, b"{}"
        person = self.people.get((token or "").removeprefix("Bearer "))
        if path == "/api/repos/create":
            return self._create(json.loads(body), token, person)
        if path == "/api/validate-yaml":
            return 200, {}, b'{"errors": [], "warnings": []}'
        match = re.fullmatch(_PATH, path)
        name, act, rest = match.groups() if match else ("", "", "")
        repository = self.repositories.get(name)
        others = person is not None and not name.startswith(f"{person}/")
        if repository is None or (repository.private and (token is None or others)):
            return 401 if token is None else 404, _NO_REPOSITORY, b"{}"
        if others and act in ("preupload", "commit"):
            return 403, {}, b"{}"
        if repository.gated and act == "resolve" and token is None:
            return 401, _GATED, b"{}"
        other = Repository(repository.converted, card=repository.card)
        if other.files and (rest or "").startswith((CONVERTED, other.commit)):
            repository = other
        elif act == "revision" and rest not in ("main", repository.commit):
            return 404, _NO_REVISION, b"{}"
        return getattr(self, f"_{act or 'info'}")(name, repository, rest or "", body)

    def _create(
        self, asked: dict[str, Any], token: str | None, person: str | None
    ) -> tuple[int, dict, bytes]:
        if token is None:
            return 401, {}, b"{}"
        if person not in (None, asked["organization"]):
            return 403, {}, b"{}"
        name = f"{asked['organization']}/{asked['name']}"
        status = 409 if name in self.repositories else 200
        self.repositories.setdefault(
            name, Repository({".gitattributes": b""}, asked.get("visibility") == "private")
        )
        return _json({"url": f"{self.endpoint}/{name}"}, status)

    def _info(self, name: str, repository: Repository, rest: str, body: bytes) -> tuple[int, dict, bytes]:
        siblings = [
            {"rfilename": file, "size": self.announced.get(file, len(content))}
            for file, content in repository.files.items()
        ]
        return _json(
            {
                "id": name,
                "modelId": name,
                "private": repository.private,
                "sha": repository.commit,
                "siblings": siblings,
                "tags": [],
                "cardData": repository.card,
                "downloads": 0,
            }
        )

    _revision = _info

    def _tree(self, name: str, repository: Repository, rest: str, body: bytes) -> tuple[int, dict, bytes]:
        return _json(
            [
                {"type": "file", "path": file, "size": len(content), "oid": hashlib.sha1(content).hexdigest()}
                for file, content in repository.files.items()
            ]
        )

    def _preupload(
        self, name: str, repository: Repository, rest: str, body: bytes
    ) -> tuple[int, dict, bytes]:
        files = [
            {"path": file["path"], "uploadMode": "regular", "shouldIgnore": False}
            for file in json.loads(body)["files"]
        ]
        return _json({"files": files})

    def _commit(self, name: str, repository: Repository, rest: str, body: bytes) -> tuple[int, dict, bytes]:
        for line in map(json.loads, body.splitlines()):
            value = line["value"]
            if line["key"] == "file":
                repository.files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "deletedFile":
                del repository.files[value["path"]]
        address = f"{self.endpoint}/{name}/commit/{repository.commit}"
        return _json({"commitUrl": address, "commitOid": repository.commit})

    def _resolve(self, name: str, repository: Repository, rest: str, body: bytes) -> tuple[int, dict, bytes]:
        revision, _, file = rest.partition("/")
        if revision not in ("main", repository.commit):
            return 404, _NO_REVISION, b"{}"
        content = repository.files.get(file)
        if content is None:
            return 404, {**_NO_ENTRY, "X-Repo-Commit": repository.commit}, b"{}"
        headers = {
            "X-Repo-Commit": repository.commit,
            "ETag": f'"{hashlib.sha1(content).hexdigest()}"',
        }
        if file in self.announced:
            headers["X-Linked-Size"] = str(self.announced[file])
        return 200, headers, content


def _json(value: Any, status: int = 200) -> tuple[int, dict, bytes]:
    return status, {"Content-Type": "application/json"}, json.dumps(value).encode()


@contextmanager
def fake_hub() -> Iterator[FakeHub]:
    """Serve a Hub in a thread of this process."""
    hub = FakeHub()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            path = unquote(urlsplit(self.path).path)
            status, headers, content = hub.answer(self.command, path, body, self.headers.get("Authorization"))
            asked = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range") or "")
            if asked and status == 200 and hub.ranges:
                status, content = 206, content[int(asked[1]) : int(asked[2]) + 1]
            self.send_response(status)
            for header, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(header, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        do_HEAD = do_POST = do_GET

        def log_message(self, *_: Any) -> None:
            pass

        def handle(self) -> None:
            with suppress(OSError):  # the client has left
                super().handle()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    hub.endpoint = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
