"""Export a loop as a file: draw its frames, pack them in a child process, and stream the progress.

Drawing takes turns with other visitors' images; packing runs with a low priority. GET loop answers with
lines of JSON:
    {"done", "of"}      after each few frames
    {"packing": true}   while the file is packed
    {"bytes", "type"}   followed by the file itself, or {"error": ...}
A browser that closes the stream ends the work.
"""

import json
import logging
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

import anyio
import anyio.to_thread
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute
from starlette.types import Receive, Scope, Send

import gan
from gan.errors import UserError
from gan.latent.loop import Loop
from gan.latent.point import Point, whole
from gan.ui.explore.routes import open_model
from gan.ui.server.requests.concurrency import DRAWN, FILMS
from gan.ui.server.requests.http import get, refusal
from gan.ui.server.requests.sending import pieces
from gan.ui.server.services import Services

if TYPE_CHECKING:
    import torch

    from gan.latent.generator import Model

# The media types of gan.export.film.FORMS, which takes a while to import.
TYPES = {"gif": "image/gif", "webp": "image/webp", "mp4": "video/mp4"}
SIDES = (128, 1024)  # pixels: smallest and largest side of a frame that a query may ask for, about
MAX_PIXELS = 2**26  # pixels of all frames of a file: 200 MB of memory while it is packed
CHUNK = 4  # frames that gan.latent.generator draws in one turn
BEAT = 0.2  # seconds between two progress lines while a file is packed
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Order:
    """The parsed request for a loop file."""

    model: "Model"
    points: list[Point]
    form: str
    fps: int
    factor: int


class _Stream(StreamingResponse):
    """A stream that frees its resources as soon as its client leaves.

    X-Accel-Buffering asks proxies not to buffer the lines.
    """

    def __init__(self, lines: AsyncGenerator[bytes, None]):
        super().__init__(
            lines,
            media_type="application/octet-stream",
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )
        self.lines = lines

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            with anyio.CancelScope(shield=True):
                await self.lines.aclose()


def film_routes(services: Services) -> list[BaseRoute]:
    """Return the route. `services` opens the models."""

    def handler(request: Request) -> Response:
        return _Stream(_lines(_order(open_model(services, request), request)))

    return [get("loop", handler)]


def _order(model: "Model", request: Request) -> Order:
    """Parse a query. Raises UserError for an impossible loop."""
    query = request.query_params
    form = query.get("as") or "gif"
    if form not in TYPES:
        raise UserError("latent.unknown_form", name=form[:40], choices=", ".join(TYPES))
    loop = Loop.parse(query, model.spec)
    factor = max(1, whole(query.get("side") or "256", "side", *SIDES) // model.spec.size)
    count, side = len(loop.keys) * loop.steps, factor * model.spec.size
    if count * side * side > MAX_PIXELS:
        raise UserError("latent.film_pixels", count=count, side=side)
    return Order(model, loop.points(model.spec.num_classes), form, loop.fps, factor)


async def _lines(order: Order) -> AsyncGenerator[bytes, None]:
    """Yield the stream of one loop."""
    yield _line({"done": 0, "of": len(order.points)})
    try:
        async with FILMS.hold():
            with tempfile.TemporaryFile() as file:
                async with DRAWN.hold():
                    with _packer(order, file) as (packer, pipe):
                        async for line in _film(order, packer, pipe):
                            yield line
                yield _line({"bytes": file.seek(0, os.SEEK_END), "type": TYPES[order.form]})
                async for piece in pieces(file):
                    yield piece
    except UserError as error:
        yield bytes(refusal(error).body)
    except ClientDisconnect:
        raise
    except Exception:
        _log.exception("failed: a loop as %s", order.form)
        yield bytes(refusal(UserError("latent.film_failed")).body)


async def _film(order: Order, packer: subprocess.Popen, pipe: IO[bytes]) -> AsyncGenerator[bytes, None]:
    """Draw the frames, write them to the packer, wait for it, and yield progress lines.

    Raises UserError where the packer fails.
    """

    def draw(part: list[Point]) -> None:
        pipe.write(_bytes(order.model.pictures(part)))

    for start in range(0, len(order.points), CHUNK):
        began = time.perf_counter()
        part = order.points[start : start + CHUNK]
        await anyio.to_thread.run_sync(draw, part)
        yield _line({"done": start + len(part), "of": len(order.points)})
        await anyio.sleep(time.perf_counter() - began)  # leaves half of the time to other visitors
    await anyio.to_thread.run_sync(pipe.close)
    while packer.poll() is None:
        yield _line({"packing": True})
        await anyio.sleep(BEAT)
    if packer.returncode:
        raise UserError("latent.film_failed")


@contextmanager
def _packer(order: Order, file: IO[bytes]) -> Iterator[tuple[subprocess.Popen, IO[bytes]]]:
    """Start the process that packs frames into a file (gan.cli.film), and kill it at the end of the block.

    Yields the process and its standard input.
    """
    spec = order.model.spec
    shape = [spec.size, spec.size] + ([spec.channels] if spec.channels > 1 else [])
    command = [sys.executable, "-m", "gan.cli.film"]
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=file,
        cwd=Path(gan.__file__).resolve().parents[1],
        start_new_session=True,
    )
    pipe = process.stdin
    assert pipe is not None, "a pipe was asked for"
    try:
        pipe.write(_line({"form": order.form, "fps": order.fps, "factor": order.factor, "shape": shape}))
        yield process, pipe
    finally:
        process.kill()
        process.wait()
        with suppress(OSError):  # the rest of the buffer goes nowhere
            pipe.close()


def _bytes(pictures: "torch.Tensor") -> bytes:
    """Return uint8 images (N, C, H, W) as the packer reads frames.

    These are (N, H, W), or (N, H, W, 3) in colour.
    """
    return pictures.permute(0, 2, 3, 1).contiguous().numpy().tobytes()


def _line(value: dict) -> bytes:
    return json.dumps(value).encode() + b"\n"
