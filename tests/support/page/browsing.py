"""Serve the real page on a free port, and open it in headless Chromium."""

import os
import shutil
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

from playwright.sync_api import Browser, BrowserContext, expect, sync_playwright

from tests import ROOT
from tests.fakes import app
from tests.fakes.hub import NOWHERE
from tests.fakes.runs import wait_until
from tests.support.processes import forked

QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


# Timeout in ms of every wait in a browser. A loaded machine may need minutes; a free one needs seconds.
SLOW = 180_000
expect.set_options(timeout=SLOW)
# What a server sees on alice's Space.
SPACE = {"SPACE_ID": "alice/gan", "SPACE_HOST": "alice-gan.hf.space", "SPACE_AUTHOR_NAME": "alice"}
IPV6 = socket.has_ipv6 and os.path.exists("/proc/net/if_inet6")
# What a tab shows once it can be used.
READY = {"train": "gan-time [aria-checked=true]", "explore": ".xp-card"}
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


@contextmanager
def serve(
    runs: Path,
    *options: str,
    change: Callable[[], None] = app.whole,
    token: str | None = None,
    log: Path | None = None,
    more: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[str]:
    """Serve the page on a runs folder in a forked process, after `change` (see tests.fakes.app).

    Yields its URL once it answers; stops it at the end.

    The server's output goes to the file `log`. Without one, only its errors are shown. more: further
    variables of its environment. Without HF_ENDPOINT among them it finds no Hub, and never the real one.
    """
    place, address = _free_place(runs)
    server = forked.serve([*place, *options], change, log, **_variables(token, more))
    with _stopped(server):
        _wait_for(server, address)
        yield address


@contextmanager
def serve_program(
    runs: Path,
    *options: str,
    program: Sequence[str] = (str(ROOT / "app.py"),),
    token: str | None = None,
    log: Path | None = None,
    more: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[str]:
    """Start `python app.py`, or another Python program, like `serve` in a process of its own.

    That start takes 10 s of a core more.
    """
    place, address = _free_place(runs)
    environment = {**os.environ, **_variables(token, more)}
    with open(log or os.devnull, "wb") as said:
        server = subprocess.Popen(
            [sys.executable, *program, *place, *options],
            cwd=ROOT,
            env=environment,
            stdout=said,
            stderr=said if log else None,
        )
    with _stopped(server):
        _wait_for(server, address)
        yield address


def _variables(token: str | None, more: Mapping[str, str]) -> dict[str, str]:
    return {"HF_ENDPOINT": NOWHERE, "TEACHER_TOKEN": token or "", **more}


def _free_place(runs: Path) -> tuple[list[str], str]:
    """Return the options of a server at a free port, and its URL."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    return ["--host", "127.0.0.1", "--port", str(port), "--runs", str(runs)], f"http://127.0.0.1:{port}/"


def _wait_for(server: subprocess.Popen | forked.Child, address: str) -> None:
    wait_until(lambda: server.poll() is not None or _answers(address))
    assert server.poll() is None, f"app.py did not start (status {server.poll()})"


@contextmanager
def _stopped(server: subprocess.Popen | forked.Child) -> Iterator[None]:
    try:
        yield
    finally:
        server.terminate()
        try:
            server.wait(SLOW / 1000)
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
    wait_until(lambda: log.exists() and b"ready" in log.read_bytes())


@contextmanager
def chromium() -> Iterator[Browser]:
    """Chromium without a window ($CHROMIUM, else the system's). Its contexts wait for up to SLOW."""
    found = filter(None, map(shutil.which, ("chromium-headless-shell", "chromium", "google-chrome")))
    program = os.environ.get("CHROMIUM") or next(found, None)
    assert program, "Chromium is missing: see README.md, or set CHROMIUM to its path"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(QUIET))
        new_context = browser.new_context

        def patient(**options: object) -> BrowserContext:
            context = new_context(**options)
            context.set_default_timeout(SLOW)
            return context

        browser.new_context = patient
        yield browser
        browser.close()
