"""Send a file from the disk piece by piece, and leave a client that takes it too slowly."""

import time
from collections.abc import AsyncGenerator, Callable
from typing import IO

import anyio.to_thread
from starlette.requests import ClientDisconnect
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

PIECE = 2**16  # bytes of a file in memory; the next are read when the client has taken these
WITHIN = 600  # seconds for a client to take a file; a slower one is cut off


def pieces(file: IO[bytes]) -> AsyncGenerator[bytes, None]:
    """Yield a file from its beginning, as `unhurried` does."""
    file.seek(0)
    return unhurried(lambda: file.read(PIECE))


async def unhurried(following: Callable[[], bytes]) -> AsyncGenerator[bytes, None]:
    """Yield what `following` returns, piece by piece, until that is empty. It runs in a thread.

    Raises ClientDisconnect where the client takes longer than WITHIN.
    """
    end = time.monotonic() + WITHIN
    while piece := await anyio.to_thread.run_sync(following):
        yield piece
        if time.monotonic() > end:
            raise ClientDisconnect


class FileAnswer(StreamingResponse):
    """An answer from an open file, which it closes. `done` is called when the client has it, or is gone."""

    def __init__(self, file: IO[bytes], media_type: str, headers: dict[str, str], done: Callable[[], object]):
        super().__init__(pieces(file), media_type=media_type, headers=headers)
        self._file, self._done = file, done

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._file.close()
            self._done()
