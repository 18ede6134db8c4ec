"""Serve the page's scripts and styles.

A visit loads 75 of them. Starlette's StaticFiles opens each in a thread, and Gradio's middleware packs it
again. Here they stay in memory, packed once.
"""

import gzip
import hashlib
import mimetypes
import re
import stat
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

FOREVER = "public, max-age=31536000, immutable"
KEPT = (".js", ".css", ".svg", ".json")  # files that stay in memory: 1 MB, packed ones included
MAX_KEPT = 1000  # paths; a file system that ignores case knows a file by many
CHECK_EVERY = 1.0  # seconds after which a change on the disk shows
_VERSIONED = re.compile(r"-\d+\.\d+\.\d+$")


@dataclass
class Kept:
    """A file in memory, as it was at `version`. `checked`: when that was last compared with the disk."""

    version: tuple[int, ...]
    content: bytes
    packed: bytes  # gzip
    headers: dict[str, str]
    media_type: str
    checked: float = 0.0

    @classmethod
    def read(cls, place: str, version: tuple[int, ...]) -> "Kept":
        content = Path(place).read_bytes()
        headers = {
            "ETag": f'W/"{hashlib.sha1(content).hexdigest()[:20]}"',
            "Cache-Control": _caching(place),
            "Vary": "Accept-Encoding",
        }
        media_type = mimetypes.guess_type(place)[0] or "text/plain"
        return cls(version, content, gzip.compress(content, mtime=0), headers, media_type)

    def answer(self, request: Request) -> Response:
        """Return the file, packed where the browser can unpack it; 304 where the browser has it."""
        if self.headers["ETag"].removeprefix("W/") in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=self.headers)
        if "gzip" not in request.headers.get("accept-encoding", ""):
            return Response(self.content, media_type=self.media_type, headers=self.headers)
        packed = {**self.headers, "Content-Encoding": "gzip"}
        return Response(self.packed, media_type=self.media_type, headers=packed)


class PageFiles(StaticFiles):
    """Files of a folder: browsers cache them but revalidate each time, so that an upgrade shows.

    A folder with a version in its name is cached for ever. A file that ends in .gz is served with
    Content-Encoding: gzip, under the type of the name before it.
    """

    def __init__(self, directory: Path):
        super().__init__(directory=directory)
        self._kept: dict[str, Kept] = {}

    async def get_response(self, path: str, scope: Scope) -> Response:
        if scope["method"] in ("GET", "HEAD") and path.endswith(KEPT):
            kept = self._kept.get(path)
            if kept is None or time.monotonic() - kept.checked >= CHECK_EVERY:
                kept = await run_in_threadpool(self._check, path)
            if kept is not None:
                return kept.answer(Request(scope))
        return await super().get_response(path, scope)

    def file_response(self, full_path: Any, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(full_path, *args, **kwargs)
        response.headers["Cache-Control"] = _caching(str(full_path))
        if str(full_path).endswith(".gz"):
            response.headers["Content-Encoding"] = "gzip"
        return response

    def _check(self, path: str) -> Kept | None:
        """Compare a file with the disk. Returns None for a path that is no file that can be read."""
        kept = self._kept.get(path)
        try:
            place, found = self.lookup_path(path)
            if found is None or not stat.S_ISREG(found.st_mode):
                return None
            version = (found.st_mtime_ns, found.st_ctime_ns, found.st_ino, found.st_size)
            if kept is None or kept.version != version:
                if len(self._kept) >= MAX_KEPT:
                    self._kept.clear()
                kept = self._kept[path] = Kept.read(place, version)
        except (OSError, ValueError):
            return None
        kept.checked = time.monotonic()
        return kept


def _caching(place: str) -> str:
    return FOREVER if _VERSIONED.search(Path(place).parent.name) else "no-cache"
