"""Hold a keep-alive connection to the app, as a browser does.

It costs a tenth of an HTTP library's time, so that thirty pages fit into one process beside the server.
"""

import asyncio
import gzip
import json
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode, urlsplit


class Reply(NamedTuple):
    """An answer. `body` is decompressed; `wire` counts the received bytes, headers included."""

    status: int
    body: bytes
    wire: int

    def json(self) -> Any:
        """Return the body as JSON."""
        return json.loads(self.body)


class Line:
    """A connection that carries one request at a time.

    Raises OSError or asyncio.IncompleteReadError where the server closes it. The next request reconnects.
    """

    def __init__(self, address: str):
        self.host, self.port = urlsplit(address).hostname, urlsplit(address).port
        self.reader: asyncio.StreamReader | None = None
        self.writer: asyncio.StreamWriter | None = None

    async def get(self, path: str, query: dict[str, object]) -> Reply:
        """Return the answer to a GET. Raises TimeoutError after 30 seconds."""
        try:
            return await asyncio.wait_for(self._ask(path, query), 30)
        except BaseException:
            self.close()
            raise

    async def _ask(self, path: str, query: dict[str, object]) -> Reply:
        if self.writer is None:
            self.reader, self.writer = await asyncio.open_connection(self.host, self.port)
        asked = f"?{urlencode(query, quote_via=quote)}" if query else ""
        self.writer.write(
            (
                f"GET /{path}{asked} HTTP/1.1\r\nHost: {self.host}:{self.port}\r\nAccept-Encoding: "
                f"gzip\r\n\r\n"
            ).encode()
        )
        head = await self.reader.readuntil(b"\r\n\r\n")
        first, *rest = head.decode("latin-1").split("\r\n")
        headers = {
            name.lower(): value.strip() for name, _, value in (line.partition(":") for line in rest if line)
        }
        body = await self._body(headers)
        wire = len(head) + len(body)
        return Reply(
            int(first.split()[1]),
            gzip.decompress(body) if headers.get("content-encoding") == "gzip" else body,
            wire,
        )

    async def _body(self, headers: dict[str, str]) -> bytes:
        if "chunked" not in headers.get("transfer-encoding", ""):
            return await self.reader.readexactly(int(headers.get("content-length", 0)))
        parts = []
        while size := int(await self.reader.readline(), 16):
            parts.append((await self.reader.readexactly(size + 2))[:-2])
        await self.reader.readline()
        return b"".join(parts)

    def close(self) -> None:
        """Close the connection."""
        if self.writer is not None:
            self.writer.close()
            self.reader = self.writer = None
