"""Fake the service that lends GPUs on ZeroGPU, for the real package `spaces`.

As a program it serves the page as on such a Space. Only what starts CUDA in a child is replaced, for want of
a GPU. A run with the seed SLICED pauses after a few steps of each lease, however slow the machine is.
"""

import base64
import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

SLICED, SLICE = 7, 5  # the seed, and the steps of a lease
TOKEN = f"x.{base64.urlsafe_b64encode(json.dumps({'user': 'bob'}).encode()).decode().rstrip('=')}.x"


class Gpus:
    """The service. `asked` holds each request as (path, parameters).

    `refusals` are the answers to the next requests for a GPU, as (status, headers, body). Without one it
    lends GPU 0, each time to a new process.
    """

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.refusals: list[tuple[int, dict[str, str], bytes]] = []

    def refuse(self, left: int, wait: int, result: str = "quota-exceeded") -> None:
        """Refuse the next request. left, wait: the seconds of quota, and those until there is more."""
        body = json.dumps({"left": left, "wait": wait}).encode()
        self.refusals.append((429, {"Content-Type": "application/json", "X-Approve-Result": result}, body))

    def answer(self, path: str, asked: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        self.asked.append((path, asked))
        if path != "/schedule":
            return 200, {}, b""
        if self.refusals:
            return self.refusals.pop(0)
        lent = {"idle": False, "nvidiaIndex": 0, "nvidiaUUID": "GPU-0", "allowToken": "allowed"}
        return 200, {"Content-Type": "application/json"}, json.dumps(lent).encode()

    def of(self, path: str) -> list[dict[str, str]]:
        """Return the parameters of all requests for a path."""
        return [asked for found, asked in self.asked if found == path]


@contextmanager
def gpus() -> Iterator[tuple[Gpus, dict[str, str]]]:
    """Serve it on a free port. Yields it, and the environment of a Space that finds it."""
    service = Gpus()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = urlsplit(self.path)
            status, headers, body = service.answer(asked.path, dict(parse_qsl(asked.query)))
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        place = f"http://127.0.0.1:{server.server_port}"
        yield service, {"SPACES_ZERO_GPU": "true", "SPACES_ZERO_DEVICE_API_URL": place}
    finally:
        server.shutdown()
        server.server_close()


def _serve() -> None:
    from gan.ui import zero  # isort: skip  # imports `spaces`, which comes before torch
    from gradio import networking
    from spaces.zero import torch as of_spaces

    from gan.worker.leased import LeasedWorker
    from tests.fakes import app

    networking.url_ok = lambda url: True  # Gradio gives up where its own page takes three seconds
    of_spaces.init = lambda uuid: None
    of_spaces.move = lambda callback=None: None
    in_time, prepare = LeasedWorker.out_of_time, LeasedWorker.prepare

    def prepared(self: LeasedWorker) -> None:
        prepare(self)
        self.first = self.trainer.step

    def out_of_time(self: LeasedWorker) -> bool:
        if self.config.seed != SLICED:
            return in_time(self)
        return self.trainer.step >= self.first + SLICE

    LeasedWorker.prepare, LeasedWorker.out_of_time = prepared, out_of_time
    zero.FAREWELL = 120.0
    app.bare()
    app.run(sys.argv[1:])


PROGRAM = ("-m", "tests.fakes.gpus")

if __name__ == "__main__":
    _serve()
