"""Serve the real page on a free port, and open it in headless Chromium."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests import ROOT
from tests.fakes.hub import NOWHERE
from tests.fakes.runs import wait_until

QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


# Timeout in ms. A loaded machine starts a worker slowly; a free one needs seconds for everything.
SLOW = 60_000
BARE = ("-m", "tests.fakes.app")  # the server for tests that neither train nor explore
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


@contextmanager
def serve(
    runs: Path,
    *options: str,
    seconds: float = 60,
    program: Sequence[str] = (str(ROOT / "app.py"),),
    token: str | None = None,
    log: Path | None = None,
    hub: str = NOWHERE,
) -> Iterator[str]:
    """Start app.py, or another Python `program`, on a runs folder.

    Yields its URL once it answers; stops it at the end.

    The server's output goes to the file `log`. Without one, only its errors are shown. It pulls models from
    `hub`, and never from the real Hub.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable,
        *program,
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--runs",
        str(runs),
        *options,
    ]
    environment = {**os.environ, "HF_ENDPOINT": hub, "TEACHER_TOKEN": token or ""}
    with open(log or os.devnull, "wb") as said:
        server = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=said, stderr=said if log else None
        )
    try:
        address = f"http://127.0.0.1:{port}/"
        end = time.monotonic() + seconds
        while not _answers(address):
            if server.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"app.py did not start (status {server.poll()})")
            time.sleep(0.1)
        yield address
    finally:
        server.terminate()
        try:
            server.wait(40)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=2) as reply:
            return reply.status == 200
    except OSError:
        return False


def spare_is_ready(runs: Path) -> None:
    """Wait until the server has loaded its spare worker, which would take cores from the test."""
    log = runs / ".spare.log"
    wait_until(lambda: log.exists() and b"ready" in log.read_bytes(), timeout=4 * SLOW / 1000)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Chromium without a window ($CHROMIUM, else the system's)."""
    found = filter(None, map(shutil.which, ("chromium-headless-shell", "chromium", "google-chrome")))
    program = os.environ.get("CHROMIUM") or next(found, None)
    assert program, "Chromium is missing: see README.md, or set CHROMIUM to its path"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(QUIET))
        yield browser
        browser.close()
