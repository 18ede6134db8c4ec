"""Send requests byte by byte, malformed ones too, which no HTTP library would send."""

import contextlib
import http.client
import socket
import ssl
from typing import NamedTuple
from urllib.parse import urlsplit

TIMEOUT = 60  # seconds: a loaded machine computes directions slowly
READ = 2**21  # bytes of an answer that are read


class Case(NamedTuple):
    """One request. `path` goes into the request line unchanged.

    refused: a success status counts as a fault.
    """

    group: str
    path: bytes
    method: bytes = b"GET"
    headers: tuple[tuple[bytes, bytes], ...] = ()
    body: bytes = b""
    refused: bool = True
    raw: bytes | None = None  # the whole request, in place of the other fields

    def __str__(self) -> str:
        return (
            f"{self.method.decode()} {self.path[:160]!r} {dict(self.headers)} {self.body[:120]!r}"
            if self.raw is None
            else repr(self.raw[:160])
        )


class Answer(NamedTuple):
    """An answer. Status 0 means that the server closed the connection without one."""

    status: int
    headers: dict[str, str]
    body: bytes


class Wire:
    """Sends requests to one server, each on its own connection. `timeout` is in seconds."""

    def __init__(self, url: str, timeout: float = TIMEOUT):
        parts, self.timeout = urlsplit(url), timeout
        self.host, self.secure = parts.hostname or "localhost", parts.scheme == "https"
        self.port = parts.port or (443 if self.secure else 80)
        self.name = parts.netloc.encode()

    def ask(self, case: Case) -> Answer:
        """Return the answer to a case. Raises TimeoutError."""
        with self.begin(case) as line:
            return self.answer(line, case)

    def begin(self, case: Case) -> socket.socket:
        """Send a case, and return its connection, which the caller closes."""
        plain = socket.create_connection((self.host, self.port), self.timeout)
        line = (
            ssl.create_default_context().wrap_socket(plain, server_hostname=self.host)
            if self.secure
            else plain
        )
        with contextlib.suppress(OSError):  # the server refused early, and its answer is there already
            line.sendall(self._packed(case))
        return line

    def answer(self, line: socket.socket, case: Case) -> Answer:
        """Return the answer on a connection. Raises TimeoutError."""
        reply = http.client.HTTPResponse(line, method=case.method.decode("latin-1"))
        try:
            reply.begin()
            return Answer(
                reply.status, {name.lower(): value for name, value in reply.getheaders()}, reply.read(READ)
            )
        except TimeoutError:
            raise
        except (OSError, http.client.HTTPException):
            return Answer(0, {}, b"")

    def ends(self, line: socket.socket) -> bool:
        """Whether the server closes a connection before the timeout. Drops what comes before."""
        try:
            while line.recv(READ):
                pass
        except TimeoutError:
            return False
        except OSError:  # it closed on bytes that it had not read
            pass
        return True

    def _packed(self, case: Case) -> bytes:
        if case.raw is not None:
            return case.raw
        given = {name.lower() for name, _ in case.headers}
        headers = list(case.headers)
        if b"host" not in given:
            headers.insert(0, (b"Host", self.name))
        if (case.body or case.method == b"POST") and not {b"content-length", b"transfer-encoding"} & given:
            headers.append((b"Content-Length", b"%d" % len(case.body)))
        lines = [
            b"%s %s HTTP/1.1" % (case.method, case.path),
            *(b"%s: %s" % header for header in headers),
            b"Connection: close",
            b"",
            b"",
        ]
        return b"\r\n".join(lines) + case.body
