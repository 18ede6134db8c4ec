"""Run a reverse proxy that shows a server below a path of its own host."""

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

# Headers of one connection, which a proxy must not forward.
ALONE = {"connection", "keep-alive", "transfer-encoding", "content-length", "date", "server"}


@contextmanager
def proxy(server: str, path: str, strip: bool = True, host: str | None = None) -> Iterator[str]:
    """Show `server` below `path`. Yields the URL there.

    strip: remove `path` from requests, as nginx does for `proxy_pass http://server/;`. False keeps it, as
    nginx does without the final slash.
    host: the Host header to send, as nginx sets by default. None passes on the browser's own.
    """
    upstream = urlsplit(server).netloc

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def forward(self) -> None:
            inside = self.path == path or self.path.startswith((f"{path}/", f"{path}?"))
            if not inside:
                self.send_response(404)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            wanted = (self.path[len(path) :] or "/") if strip else self.path
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name: value for name, value in self.headers.items() if name.lower() not in ALONE} | {
                "Connection": "close"
            }
            behind = http.client.HTTPConnection(upstream, timeout=120)
            behind.putrequest(
                self.command,
                wanted if wanted.startswith("/") else f"/{wanted}",
                skip_host=True,
                skip_accept_encoding=True,
            )
            for name, value in {
                **headers,
                "Host": host or self.headers["Host"],
                "Content-Length": str(len(body)),
            }.items():
                behind.putheader(name, value)
            behind.endheaders(body)
            self.answer(behind.getresponse())
            behind.close()

        do_GET = do_POST = do_HEAD = forward

        def answer(self, reply: http.client.HTTPResponse) -> None:
            self.send_response(reply.status)
            for name, value in reply.getheaders():
                if name.lower() not in ALONE:
                    self.send_header(name, value)
            self.send_header("Connection", "close")
            self.end_headers()
            while piece := reply.read1(1 << 16):
                self.wfile.write(piece)
            self.close_connection = True

        def handle(self) -> None:
            try:
                super().handle()
            except OSError:  # the browser has cancelled the request
                self.close_connection = True

        def log_message(self, *_) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        yield f"http://localhost:{listening.server_port}{path}/"
        listening.shutdown()
