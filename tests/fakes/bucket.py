"""A local Hugging Face Hub for buckets, dataset repositories and Spaces, for the real client.

It answers the few routes that the client asks for; tests.fakes.jobs answers those of jobs. Only hf_xet's
session is replaced, which moves the bytes of a bucket; `Transfers` stands for it.
"""

import base64
import hashlib
import json
import re
import threading
import time
import types
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

TOKEN = "hf_a_token_of_nobody"
_BUCKET = re.compile(r"/api/buckets/([^/]+/[^/]+)(?:/(tree|batch|paths-info)(?:/(.+))?)?")
_BYTES = re.compile(r"/(?:(datasets|spaces|buckets)/)([^/]+/[^/]+)/resolve/(.+)")
_REPO = re.compile(
    r"/api/(datasets|spaces)/([^/]+/[^/]+)(?:/(preupload|commit|tree|hardware)(?:/main)?)?(?:/(.*))?"
)


class FakeHub:
    """The files of each place ("bucket:owner/name"), and how the Hub answers at the moment."""

    def __init__(self, url: str):
        self.url = url
        self.files: dict[str, dict[str, bytes]] = defaultdict(dict)
        self.created: dict[str, dict] = {}
        self.stored: dict[str, bytes] = {}  # by digest, as in hf_xet's store
        self.asked: list[tuple[str, str]] = []
        self.refuse: int | str | None = None  # a status, "silent" or "closed"
        self.over = threading.Event()
        self.jobs: Any = None  # answers to /api/jobs, if a test has set it


class Transfers:
    """Stands for hf_xet's session: uploads and downloads are files in memory."""

    def __init__(self, hub: FakeHub):
        self.hub = hub

    def new_upload_commit(self, **_: object) -> "Transfers":
        return self

    new_file_download_group = new_upload_commit

    def __enter__(self) -> "Transfers":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def start_upload_file(self, path: str, **_: object):
        return self.start_upload_bytes(Path(path).read_bytes())

    def start_upload_bytes(self, content: bytes, **_: object):
        sha = hashlib.sha256(content).hexdigest()
        self.hub.stored[sha] = content
        info = types.SimpleNamespace(hash=sha, file_size=len(content))
        return types.SimpleNamespace(result=lambda: types.SimpleNamespace(xet_info=info))

    def start_download_file(self, info, target: str) -> None:
        Path(target).write_bytes(self.hub.stored[info.hash])


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: FakeHub

    def log_message(self, *_: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self._act()

    do_GET = do_POST = do_HEAD

    def _act(self) -> None:
        path = unquote(urlsplit(self.path).path)
        self.hub.asked.append((self.command, path))
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        if self.hub.refuse in ("silent", "closed"):
            if self.hub.refuse == "silent":
                self.hub.over.wait(30)
            self.close_connection = True
            return
        if self.hub.refuse:
            self._say(self.hub.refuse, {"error": "no"})
        elif self.headers.get("authorization") != f"Bearer {TOKEN}":
            self._say(401, {"error": "Invalid credentials"})
        else:
            self._answer(path, body)

    def _answer(self, path: str, body: bytes) -> None:
        if path == "/api/repos/create":
            asked = json.loads(body)
            place = f"{asked['type']}:{asked.get('organization') or 'owner'}/{asked['name'].split('/')[-1]}"
            self.hub.created[place] = asked
            self._say(200, {"url": self._page(place)})
        elif path == "/api/validate-yaml":
            self._say(200, {"errors": [], "warnings": []})
        elif found := _BYTES.fullmatch(path):
            self._bytes(found[1], found[2], found[3])
        elif found := _BUCKET.fullmatch(path):
            self._bucket(f"bucket:{found[1]}", found[2], found[3] or "", body)
        elif found := _REPO.fullmatch(path):
            self._repo(f"{found[1][:-1]}:{found[2]}", found[3], found[4] or "", body)
        elif self.hub.jobs is not None and path.startswith("/api/jobs/"):
            self._send(*self.hub.jobs.answer(self.command, path, body))
        else:
            self._say(404, {"error": f"no route {path}"})

    def _page(self, place: str) -> str:
        kind, name = place.split(":")
        return f"{self.hub.url}/{kind}s/{name}"

    def _bucket(self, place: str, what: str | None, folder: str, body: bytes) -> None:
        files = self.hub.files[place]
        if what == "tree":
            self.hub.stored |= {hashlib.sha256(content).hexdigest(): content for content in files.values()}
            sha = lambda content: hashlib.sha256(content).hexdigest()  # noqa: E731
            self._say(200, [{"type": "file", "path": path, "size": len(content), "xetHash": sha(content)}
                            for path, content in list(files.items()) if path.startswith(folder)])  # fmt: skip
        elif what == "batch":
            for line in map(json.loads, body.splitlines()):
                if line["type"] == "addFile":
                    files[line["path"]] = self.hub.stored[line["xetHash"]]
                else:
                    files.pop(line["path"], None)
            self._say(200, {"success": True})
        else:
            self.hub.created[place] = json.loads(body or b"{}")
            self._say(200, {"url": self._page(place)})

    def _repo(self, place: str, what: str | None, folder: str, body: bytes) -> None:
        files = self.hub.files[place]
        if what == "preupload":
            wanted = json.loads(body)["files"]
            answer = [{"path": f["path"], "uploadMode": "regular", "shouldIgnore": False} for f in wanted]
            self._say(200, {"files": answer})
        elif what == "commit":
            for line in map(json.loads, body.splitlines()):
                value = line["value"]
                if line["key"] == "file":
                    files[value["path"]] = base64.b64decode(value["content"])
                elif line["key"] == "deletedFile":
                    files.pop(value["path"], None)
            self._say(
                200,
                {
                    "commitUrl": f"{self._page(place)}/commit/{'0' * 40}",
                    "commitOid": "0" * 40,
                    "success": True,
                },
            )
        elif what == "tree":
            listed = [{"type": "file", "path": path, "size": len(content), "oid": "0" * 40}
                      for path, content in _below(files, folder)]  # fmt: skip
            if listed or not folder:
                self._say(200, listed)
            else:
                self._say(404, {"error": "Entry not found"}, {"X-Error-Code": "EntryNotFound"})
        elif what == "hardware":
            self.hub.created[place]["asked"] = json.loads(body)
            self._say(200, {"stage": "BUILDING", "hardware": {"current": None, "requested": "x"}})
        else:
            self._say(200, {"id": place.split(":")[1], "sha": "0" * 40, "siblings": []})

    def _bytes(self, kind: str, name: str, path: str) -> None:
        bucket = kind == "buckets"
        place = f"{kind[:-1]}:{name}"
        content = self.hub.files[place].get(path if bucket else path.split("/", 1)[-1])
        if content is None:
            self._say(404, {"error": "Entry not found"}, {"X-Error-Code": "EntryNotFound"})
            return
        sha = hashlib.sha256(content).hexdigest()
        headers = {"ETag": f'"{sha}"', "X-Repo-Commit": "0" * 40}
        if bucket:
            headers |= {"X-Xet-Hash": sha, "X-Xet-Refresh-Route": f"{self.hub.url}/api/refresh"}
        self._send(200, content, headers)

    def _say(self, status: int, value: object, headers: dict[str, str] | None = None) -> None:
        self._send(
            status, json.dumps(value).encode(), {"Content-Type": "application/json", **(headers or {})}
        )

    def _send(self, status: int, content: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)


def _below(files: dict[str, bytes], folder: str) -> list[tuple[str, bytes]]:
    """Return the files below a folder, "" for all."""
    return [(path, content) for path, content in list(files.items())
            if not folder or path.startswith(f"{folder}/")]  # fmt: skip


@contextmanager
def fake_hub(monkeypatch) -> Iterator[FakeHub]:
    """Serve a Hub on this machine, and point the real client to it. Its waits between retries are skipped."""
    import huggingface_hub
    from huggingface_hub.utils import _http

    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    hub = FakeHub(f"http://127.0.0.1:{server.server_port}")
    server.RequestHandlerClass = type("Handler", (_Handler,), {"hub": hub})
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    monkeypatch.setenv("HF_ENDPOINT", hub.url)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr(_http, "time", types.SimpleNamespace(**{**vars(time), "sleep": lambda seconds: None}))
    monkeypatch.setattr("huggingface_hub.utils._xet.get_xet_session", lambda: Transfers(hub))
    try:
        yield hub
    finally:
        hub.over.set()
        huggingface_hub.close_session()
        server.shutdown()
        server.server_close()
