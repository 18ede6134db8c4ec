"""Serve the page's scripts and styles.

A visit loads 75 of them. Starlette's StaticFiles opens each in a thread, and Gradio's middleware packs it
again. Here they stay in memory, packed once.
"""

import gzip
import hashlib
import mimetypes
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

FOREVER = "public, max-age=31536000, immutable"
KEPT = (".js", ".css", ".svg", ".json")  # files that stay in memory: 1.5 MB
_VERSIONED = re.compile(r"-\d+\.\d+\.\d+$")


@dataclass(frozen=True)
class Kept:
    """A file in memory, as it was at `version`: its time of change (ns) and its bytes."""

    version: tuple[int, int]
    content: bytes
    packed: bytes  # gzip
    media_type: str
    etag: str

    @classmethod
    def read(cls, path: str, version: tuple[int, int]) -> "Kept":
        content = Path(path).read_bytes()
        media_type = mimetypes.guess_type(path)[0] or "text/plain"
        etag = f'W/"{hashlib.sha1(content).hexdigest()[:20]}"'
        return cls(version, content, gzip.compress(content, mtime=0), media_type, etag)

    def answer(self, request: Request, caching: str) -> Response:
        """Return the file, packed where the browser can unpack it; 304 where the browser has it."""
        headers = {"ETag": self.etag, "Cache-Control": caching, "Vary": "Accept-Encoding"}
        if self.etag.removeprefix("W/") in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        if "gzip" not in request.headers.get("accept-encoding", ""):
            return Response(self.content, media_type=self.media_type, headers=headers)
        return Response(
            self.packed, media_type=self.media_type, headers={**headers, "Content-Encoding": "gzip"}
        )


class PageFiles(StaticFiles):
    """Files of a folder: browsers cache them but revalidate each time, so that an upgrade shows at once.

    A folder with a version in its name is cached for ever. A file that ends in .gz is served with
    Content-Encoding: gzip, under the type of the name before it.
    """

    def __init__(self, directory: Path):
        super().__init__(directory=directory)
        self._kept: dict[str, Kept] = {}

    async def get_response(self, path: str, scope: Scope) -> Response:
        if scope["method"] == "GET" and path.endswith(KEPT):
            place, found = self.lookup_path(path)
            if found and stat.S_ISREG(found.st_mode):
                version = (found.st_mtime_ns, found.st_size)
                kept = self._kept.get(place)
                if kept is None or kept.version != version:
                    kept = self._kept[place] = await run_in_threadpool(Kept.read, place, version)
                return kept.answer(Request(scope), _caching(place))
        return await super().get_response(path, scope)

    def file_response(self, full_path: Any, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(full_path, *args, **kwargs)
        response.headers["Cache-Control"] = _caching(str(full_path))
        if str(full_path).endswith(".gz"):
            response.headers["Content-Encoding"] = "gzip"
        return response


def _caching(path: str) -> str:
    return FOREVER if _VERSIONED.search(Path(path).parent.name) else "no-cache"
