"""Test clients of a real server that request a large answer and read it slowly, or not at all."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import Response
from starlette.routing import Route

from gan.ui.server.requests import connections, guard
from gan.ui.server.requests.guard import Guard
from gan.ui.server.services import Services

LARGE = bytes(range(256)) * 2**17  # 32 MB, many times the system's buffer of a connection
CLIENTS, LITTLE = 4, 2**18  # bytes of the server's memory for each client


@pytest.fixture(scope="module")
def server():
    """A server with one large answer behind the guard, and its socket address."""
    app = Starlette(
        routes=[Route("/gradio_api/gan/large", lambda request: Response(LARGE))],
        middleware=[Middleware(Guard, services=Services())],
    )
    listening = socket.create_server(("127.0.0.1", 0))
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2**16)
    running = uvicorn.Server(uvicorn.Config(app, log_level="critical"))
    thread = threading.Thread(target=running.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    yield running, listening.getsockname()
    running.should_exit = running.force_exit = True
    thread.join(10)


@contextmanager
def asked(address) -> Iterator[socket.socket]:
    """A connection on which a client has requested the answer."""
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**14)
        client.settimeout(20)
        client.connect(address)
        client.sendall(b"GET /gradio_api/gan/large HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        yield client


def waiting(running) -> list[int]:
    """Return the bytes that the server buffers for each connection that is not closing."""
    return [
        each.transport.get_write_buffer_size()
        for each in running.server_state.connections
        if not each.transport.is_closing()
    ]


def until(condition) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_who_reads_nothing_costs_little_memory_and_is_left_after_a_while(server, monkeypatch):
    running, address = server
    monkeypatch.setattr(guard, "TAKEN_WITHIN", 1.5)
    with asked(address), asked(address), asked(address), asked(address):
        until(lambda: len(waiting(running)) == CLIENTS and min(waiting(running)) > 0)
        assert max(waiting(running)) < LITTLE
        until(lambda: not waiting(running))
        left = [each.transport.get_write_buffer_size() for each in running.server_state.connections]
        assert sum(left) < CLIENTS * LITTLE
    until(lambda: not running.server_state.connections)


def test_who_reads_slowly_gets_all_of_it(server, monkeypatch):
    address = server[1]
    monkeypatch.setattr(guard, "TAKEN_WITHIN", 1.5)
    with asked(address) as client:
        end, answer = time.monotonic() + 3, bytearray()
        while part := client.recv(2**16 if time.monotonic() < end else 2**20):
            answer += part
            if time.monotonic() < end:
                time.sleep(0.05)
    assert answer.partition(b"\r\n\r\n")[2] == LARGE


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="only Linux can")
def test_of_who_reads_nothing_the_system_lets_the_last_pieces_go(server):
    running, address = server
    connections.end_silent(running, 1)
    with asked(address):
        until(lambda: waiting(running))
        until(lambda: not running.server_state.connections)
