"""Limit how long a connection may stay open while its client sends or reads next to nothing.

Uvicorn limits only the pause after an answer, and forgets that limit at the next byte. Without more, these
would cost a client nothing and stay for ever: a connection without a byte, half of a request's head, blank
lines, and a body that goes on one byte at a time after its refusal.
"""

import asyncio
import socket
from typing import TYPE_CHECKING, Any, Literal

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    import uvicorn

TAKEN_WITHIN = 60  # seconds for a client to take one piece of an answer, behind the system's buffers
# Seconds for the head of a request, from the connection's start, the first byte after an answer, or the end
# of a refused body.
HEAD_WITHIN = 10
# Bytes a second that a client sends at least, on average, of a body that may take longer than HEAD_WITHIN.
LEAST = 2**14


def end_silent(server: "uvicorn.Server", seconds: int = TAKEN_WITHIN) -> None:
    """Let the system close connections whose client reads nothing for this long (RFC 5482, Linux only).

    The guard times out only the pieces that it still holds. Pieces that it has handed over would stay in
    memory.
    """
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        # Sockets inherit the option from the listening socket that accepts them.
        for listening in (each for part in server.servers for each in part.sockets):
            listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 1000 * seconds)


def end_idle(server: "uvicorn.Server") -> None:
    """Close the server's coming connections whose clients are late, with either parser of uvicorn.

    A head has HEAD_WITHIN seconds. So has each piece of a body whose request is answered already, and it
    must bring LEAST bytes a second.
    """
    server.config.http_protocol_class = timed(server.config.http_protocol_class)


def timed(protocol: Any) -> type[asyncio.Protocol]:
    """Return one of uvicorn's two protocols of HTTP with the limits of `end_idle`."""
    return _TimedH11 if issubclass(protocol, H11Protocol) else _timed_httptools(protocol)


class _Timed(asyncio.Protocol):
    """What both protocols of uvicorn share. A subclass says when a body is on its way."""

    loop: asyncio.AbstractEventLoop
    cycle: Any  # the newest request and its answer, None before the first
    _late: asyncio.TimerHandle | None = None
    _since, _came = 0.0, 0  # when the part that is due began, in the loop's seconds, and its bytes

    def _in_body(self) -> bool:
        raise NotImplementedError

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._line: Any = transport  # of asyncio or of uvloop
        self._expect()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        before = self._due()
        super().data_received(data)
        due = self._due()
        if due is None:
            self._forget()
        elif due != before or self._late is None:
            self._expect()
        elif due == "rest":
            self._came += len(data)
            now = self.loop.time()
            self._close_at(min(now, self._since + self._came / LEAST) + HEAD_WITHIN)

    def _due(self) -> Literal["head", "rest"] | None:
        """Return what the client must send next; None while the server works on its request.

        "rest" is that of a body that nobody reads any more: its request is answered.
        """
        if self._line.is_closing() or self._line.get_protocol() is not self:  # the latter: a WebSocket
            return None
        if self.cycle is not None and not self.cycle.response_complete:
            return None
        return "rest" if self._in_body() else "head"

    def _expect(self) -> None:
        self._since, self._came = self.loop.time(), 0
        self._close_at(self._since + HEAD_WITHIN)

    def _close_at(self, when: float) -> None:
        self._forget()
        self._late = self.loop.call_at(when, self._line.close)

    def _forget(self) -> None:
        if self._late is not None:
            self._late.cancel()
        self._late = None


class _TimedH11(_Timed, H11Protocol):
    def _in_body(self) -> bool:
        return self.conn.their_state is h11.SEND_BODY


def _timed_httptools(protocol: Any) -> type[asyncio.Protocol]:
    """Return the protocol over httptools, which not every installation of uvicorn brings, with the limits."""

    class TimedHttpTools(_Timed, protocol):
        _reading_body = False

        def _in_body(self) -> bool:
            return self._reading_body

        def on_headers_complete(self) -> None:
            super().on_headers_complete()
            self._reading_body = True

        def on_message_complete(self) -> None:
            super().on_message_complete()
            self._reading_body = False

    return TimedHttpTools
