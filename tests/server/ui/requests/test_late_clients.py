"""Test clients of a real server that connect, and then send next to nothing: with both parsers of uvicorn.

A late client's connection ends, or is answered. Clients of honest speed keep theirs.
"""

import asyncio
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gan.ui.server.requests import connections, guard
from gan.ui.server.requests.guard import UPLOAD, Guard
from gan.ui.server.services import Services

SOON = 0.6  # seconds, in place of ten
HONEST = 3  # the same where a client must not be late: a loaded machine may stand still for so long
PATIENCE = 60  # seconds for the server to close
HOST = b"Host: localhost\r\n"
GET = b"GET /gradio_api/gan/small HTTP/1.1\r\n" + HOST + b"\r\n"
# A POST of which the guard refuses the body at once, without reading it.
REFUSED = b"POST /gradio_api/gan/none HTTP/1.1\r\n" + HOST + b"Sec-Fetch-Site: cross-site\r\n"
WEBSOCKET = (
    b"GET /gradio_api/gan/small HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n" + HOST
)
LATE = {
    "nothing": (b"",),
    "blank lines": (b"\r\n\r\n",),
    "blank lines one by one": (b"\r\n",) * 100,
    "half a head": (GET[:40],),
    "a head byte by byte": (GET[:1], *(bytes([byte]) for byte in GET[1:40])),
    "a second head": (GET, GET[:40]),
    "a second head byte by byte": (GET, *(bytes([byte]) for byte in GET[:40])),
    "the rest of a refused body": (REFUSED + b"Content-Length: 100000\r\n\r\n", *(b"x",) * 100),
    "chunks of a refused body": (REFUSED + b"Transfer-Encoding: chunked\r\n\r\n", *(b"1\r\nx\r\n",) * 99),
    "half a WebSocket": (WEBSOCKET,),
    "a WebSocket": (WEBSOCKET + b"\r\n", *(b"x",) * 100),
}


@pytest.fixture(scope="module", params=["h11", "httptools"])
def server(request):
    """A server behind the guard, with one parser of uvicorn. Yields its address."""
    if request.param == "httptools":
        pytest.importorskip("httptools")

    async def small(request: Request) -> Response:
        return Response(b"small")

    async def slow(request: Request) -> Response:
        await asyncio.sleep(1.5 * HONEST)
        return Response(b"slow")

    async def upload(request: Request) -> Response:
        return Response(b"%d" % len(await request.body()))

    routes = [
        Route("/gradio_api/gan/small", small),
        Route("/gradio_api/gan/slow", slow),
        Route(UPLOAD, upload, methods=["POST"]),
    ]
    app = Starlette(routes=routes, middleware=[Middleware(Guard, services=Services())])
    running = uvicorn.Server(uvicorn.Config(app, log_level="critical", http=request.param))
    listening = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=running.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    while not running.started:
        time.sleep(0.01)
    connections.end_idle(running)
    yield listening.getsockname()
    running.should_exit = running.force_exit = True
    thread.join(10)


def within(monkeypatch, seconds) -> None:
    """Set the limits of a head and of an upload."""
    monkeypatch.setattr(connections, "HEAD_WITHIN", seconds)
    monkeypatch.setattr(guard, "ARRIVES_WITHIN", seconds)


@contextmanager
def connected(address):
    with socket.create_connection(address, PATIENCE) as client:
        yield client


def trickle(client, pieces, pause=SOON / 8) -> None:
    """Send pieces with pauses, in seconds, until the server closes."""
    for piece in pieces:
        try:
            client.sendall(piece)
        except OSError:  # the server has closed
            return
        time.sleep(pause)


def rest(client) -> bytes:
    """Return what still comes until the server closes. Raises TimeoutError where it doesn't."""
    found = b""
    try:
        while part := client.recv(2**16):
            found += part
    except ConnectionError:  # it closed on bytes that it had not read
        pass
    return found


def until(client, words: bytes) -> bytes:
    """Return what comes up to these words, which end it."""
    found = b""
    while not found.endswith(words):
        part = client.recv(2**16)
        assert part, found
        found += part
    return found


@pytest.mark.parametrize("kind", LATE)
def test_who_sends_next_to_nothing_is_left(kind, server, monkeypatch):
    within(monkeypatch, SOON)
    with connected(server) as client:
        trickle(client, LATE[kind])
        rest(client)


def test_a_late_upload_gets_a_sentence(server, monkeypatch):
    within(monkeypatch, SOON)
    with connected(server) as client:
        client.sendall(begun_upload(100_000))
        trickle(client, (b"x",) * 30)
        assert b"had not arrived after" in client.recv(2**16)
        rest(client)


def begun_upload(length: int) -> bytes:
    return b"POST %s HTTP/1.1\r\n%sContent-Length: %d\r\n\r\n" % (UPLOAD.encode(), HOST, length)


def upload_at_honest_speed(client) -> None:
    client.sendall(begun_upload(12 * 2**14))
    trickle(client, (bytes(2**14),) * 12, HONEST / 8)
    until(client, b"%d" % (12 * 2**14))


def read_a_refusal_at_the_end(client) -> None:
    """A browser reads the answer when it has sent everything, and goes on with the connection."""
    client.sendall(REFUSED + b"Content-Length: %d\r\n\r\n" % (12 * 2**14))
    trickle(client, (bytes(2**14),) * 12, HONEST / 8)
    client.sendall(GET)
    assert until(client, b"small").startswith(b"HTTP/1.1 403")


def ask_often(client) -> None:
    for _ in range(12):
        trickle(client, (GET[:20], GET[20:]), HONEST / 16)
        assert until(client, b"small").startswith(b"HTTP/1.1 200")


def wait_for_a_slow_answer(client) -> None:
    client.sendall(GET.replace(b"small", b"slow"))
    until(client, b"slow")


def test_clients_of_honest_speed_are_served_beyond_the_limit(server, monkeypatch):
    within(monkeypatch, HONEST)
    clients = (upload_at_honest_speed, read_a_refusal_at_the_end, ask_often, wait_for_a_slow_answer)

    def served(behaves):
        with connected(server) as client:
            behaves(client)

    with ThreadPoolExecutor(len(clients)) as pool:
        list(pool.map(served, clients))
