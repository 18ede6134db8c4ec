"""Test the server as a process in environments that machines have.

They start tests/fakes/app.py, which does what app.py does but for training and exploring. The machines have
proxies, variables of Gradio, hosts and ports of all kinds, and notebooks. A start takes 5 s of a core, so two
servers have several oddities each, and what is no matter of imports starts forked.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import contextmanager

import pytest

from gan.ui.server.starting import by_itself, take_variables
from gan.ui.train.form import defaults
from tests import ROOT
from tests.fakes import app
from tests.fakes.runs import wait_until
from tests.support.page.browsing import IPV6
from tests.support.processes import forked

APP = ("app.py",)
GONE = "http://127.0.0.1:9"  # no proxy answers there
SAID = "GANarium is at "
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))

# The server without a spare worker, and without torch until somebody explores.
BARE = ("-m", "tests.fakes.app")
# The same with a spare worker, which is a fake.
LIGHT = ("-c", "import sys; from tests.fakes import app; app.light(); app.run(sys.argv[1:])")


def start(runs, *options, program=BARE, **variables):
    """Start a server in an environment with these variables.

    Proxies and variables of Gradio that the tests themselves have are left out.
    """
    usual = {
        name: value
        for name, value in os.environ.items()
        if not name.lower().endswith("_proxy") and not name.startswith("GRADIO_")
    }
    command = [sys.executable, *program, "--runs", str(runs), *options]
    return subprocess.Popen(
        command, cwd=ROOT, env={**usual, "TEACHER_TOKEN": "", "PYTHONFAULTHANDLER": "1", **variables},
            text=True, encoding="utf-8",
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


@contextmanager
def served(runs, *options, program=BARE, **variables):
    """Run a server. Yields its process, and the URL that it prints."""
    options = options if "--port" in options else ("--port", "0", *options)
    server = start(runs, *options, program=program, **variables)
    try:
        line = server.stdout.readline()
        if not line.startswith(SAID):
            server.kill()
        assert line.startswith(SAID), (line, server.communicate()[1])
        yield server, line.removeprefix(SAID).strip()
        server.send_signal(signal.SIGTERM)
        assert ended(server) == 0
    finally:
        server.kill()
        server.communicate()


def ended(server) -> int:
    """Return the exit status of a server after its signal to end.

    Where it does not end, the error shows what its threads are doing.
    """
    try:
        return server.wait(120)
    except subprocess.TimeoutExpired:
        server.send_signal(signal.SIGABRT)
        raise AssertionError(server.communicate(timeout=180)[1]) from None


def status(address: str, **headers: str) -> int:
    try:
        with DIRECT.open(urllib.request.Request(address, headers=headers), timeout=60) as reply:
            return reply.status
    except urllib.error.HTTPError as error:
        return error.code


def refused(*options, tmp_path, **variables) -> str:
    """Return the output of app.py, which must not start."""
    server = start(tmp_path / "runs", *options, program=APP, **variables)
    try:
        said = server.communicate(timeout=120)
    finally:
        server.kill()
        server.communicate()
    assert (server.returncode, said[0]) == (2, "")
    assert "Traceback" not in said[1]
    assert said[1].count("\n") == 1
    return said[1]


NO_PROXY_THERE = {"http_proxy": GONE, "https_proxy": GONE}
PROXIES = {
    "SOCKS, in capitals": {
        "HTTP_PROXY": GONE,
        "ALL_PROXY": "socks5://127.0.0.1:9",
        "NO_PROXY": "::1,[::1],fe80::/10,*.example,,",
    },
    "none of these is an address": {
        "http_proxy": "not an address",
        "HTTPS_PROXY": "::::",
        "all_proxy": "http://[::1",
        "no_proxy": "[",
        "SSL_CERT_FILE": "/nowhere",
        "SSLKEYLOGFILE": "/nowhere/x",
        "WEB_CONCURRENCY": "many",
    },
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The folder of both servers below. Its `link` leads to `there`."""
    folder = tmp_path_factory.mktemp("environment")
    (folder / "runs").mkdir()
    (folder / "there").mkdir()
    (folder / "link").symlink_to(folder / "there")
    return folder


@pytest.fixture(scope="module")
def usual(folder):
    """A server with an IPv6 host, variables meant for other pages of Gradio, and SOCKS proxies in capitals.

    Its folder for uploads is a relative path with dots that leads through a link.
    """
    relative = os.path.join(os.path.relpath(folder / "runs", ROOT), "../runs/../link/./")
    variables = {f"GRADIO_{name}": value for name, value in SANE.items()} | {"GRADIO_TEMP_DIR": relative}
    options = ["--host", "::1" if IPV6 else "127.0.0.1"]
    with served(folder / "runs", *options, program=LIGHT, **variables, **PROXIES["SOCKS, in capitals"]) as it:
        yield it
        it[0].send_signal(signal.SIGTERM)
        assert "GANarium makes no public link" in it[0].communicate(timeout=180)[1]


@pytest.fixture(scope="module")
def odd(folder):
    """A server with an empty host, senseless variables of Gradio, and proxies that are no addresses."""
    senseless = {f"GRADIO_{name}": "?!" for name in NAMES}
    senseless |= {"GRADIO_SERVER_NAME": "", "GRADIO_ROOT_PATH": ""}
    proxies = PROXIES["none of these is an address"]
    with served(folder / "odd", "--host", "", program=LIGHT, **senseless, **proxies) as it:
        yield it


def test_the_page_starts_with_socks_proxies_and_workers_keep_them(usual):
    assert status(usual[1]) == 200
    keeps(usual[0].pid, PROXIES["SOCKS, in capitals"])


def test_neither_senseless_variables_of_gradio_nor_proxies_hinder_anything(odd):
    server, address = odd
    assert address.startswith("http://127.0.0.1:")
    opened(address)
    keeps(server.pid, PROXIES["none of these is an address"])


def keeps(pid: int, variables: dict[str, str]) -> None:
    """Check that the server's spare worker has these variables, and no `no_proxy` of ours."""
    if not os.path.isdir("/proc"):
        return
    with open(f"/proc/{spare_of(pid)}/environ", encoding="utf-8") as file:
        given = dict(line.partition("=")[::2] for line in file.read().split("\0"))
    assert {name: given.get(name) for name in variables} == variables
    assert ("no_proxy" in given) == ("no_proxy" in variables)


def spare_of(pid: int) -> int:
    """Return the worker process that waits for a run."""
    import psutil

    spares = lambda: [child for child in psutil.Process(pid).children() if "--spare" in child.cmdline()]  # noqa: E731
    wait_until(spares)
    return spares()[0].pid


def test_the_environment_is_as_it_was_after_the_start(monkeypatch):
    for name, value in PROXIES["none of these is an address"].items():
        monkeypatch.setenv(name, value)
    before = dict(os.environ)
    with by_itself():
        assert not {name for name in os.environ if name.lower().endswith("_proxy")} - {"no_proxy", "NO_PROXY"}
        assert urllib.request.getproxies().keys() == {"no"}
        import httpx

        httpx.Client().close()
    assert dict(os.environ) == before


NAMES = [
    "ALLOWED_PATHS", "ANALYTICS_CACHE_FREQUENCY", "ANALYTICS_ENABLED", "ANALYTICS_MAX_EVENTS", "AUTO_LOGOUT",
    "BLOCKED_PATHS", "CACHE_EXAMPLES", "CACHE_MODE",
    "DEBUG", "DEFAULT_CONCURRENCY_LIMIT", "HISTORY_BUCKET", "HOT_RELOAD", "IS_E2E_TEST", "LOCAL_DEV_MODE",
    "MAX_THREADS", "MCP_SERVER", "NODE_PATH",
    "NODE_SERVER_PORT", "NUM_PORTS", "NUM_WORKERS", "PROFILING", "RUN_HISTORY", "SHARE", "SSR_MODE",
    "VIBE_MODE", "WATCH_DIRS",
]  # fmt: skip
SANE = {
    "ALLOWED_PATHS": "/etc",
    "DEBUG": "1",
    "DEFAULT_CONCURRENCY_LIMIT": "3",
    "NUM_PORTS": "5",
    "NUM_WORKERS": "2",
    "SHARE": "True",
    "SSR_MODE": "True",
    "VIBE_MODE": "1",
    "WATCH_DIRS": "/tmp",
    "LOCAL_DEV_MODE": "1",
    "NODE_SERVER_PORT": "7999",
    "ROOT_PATH": "/gan",
}


def test_what_is_set_for_other_pages_of_gradio_opens_nothing(usual):
    """Gradio's variables must not open the server to others.

    Static workers would serve files on ports of their own, past the guard. A share link would give anybody
    the page. Debugging would never return.
    """
    server, address = usual
    styles = "gradio_api/gan/static/shell/base.css"
    assert [status(f"{address}{path}") for path in ("", "gan/", styles, f"gan/{styles}")] == [200] * 4
    assert status(f"{address}gradio_api/file=/etc/passwd") == 404
    import psutil

    listening = {
        found.laddr.port
        for found in psutil.Process(server.pid).net_connections()
        if found.status == psutil.CONN_LISTEN
    }
    assert listening == {int(address.rstrip("/").rpartition(":")[2])}
    assert not [child for child in psutil.Process(server.pid).children() if "--spare" not in child.cmdline()]


def test_gradios_variables_of_place_are_ours_and_options_go_before_them(tmp_path):
    """The proxy of this server is dead."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = start(
        tmp_path / "runs",
        "--root-path",
        "",
        GRADIO_SERVER_NAME="localhost",
        GRADIO_SERVER_PORT=str(port),
        GRADIO_ROOT_PATH="/gan",
        **NO_PROXY_THERE,
    )
    try:
        assert server.stdout.readline() == f"GANarium is at http://localhost:{port}/\n"
        opened(f"http://localhost:{port}/")
        assert status(f"http://localhost:{port}/gan/") == 404
    finally:
        server.kill()
        server.communicate()


def test_what_is_taken_out_and_what_is_left(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith("GRADIO_"):
            monkeypatch.delenv(name)
    for name, value in {
        "TEMP_DIR": "./up/",
        "NUM_WORKERS": "2",
        "ANALYTICS_MAX_EVENTS": "x",
        "ANALYTICS_ENABLED": "False",
    }.items():
        monkeypatch.setenv(f"GRADIO_{name}", value)
    assert take_variables() == {"GRADIO_NUM_WORKERS": "2"}
    left = {name: value for name, value in os.environ.items() if name.startswith("GRADIO_")}
    assert left == {
        "GRADIO_TEMP_DIR": str(tmp_path / "up"),
        "GRADIO_ANALYTICS_MAX_EVENTS": "200",
        "GRADIO_ANALYTICS_ENABLED": "False",
    }


# hosts on which no other test starts a server
HOSTS = [("0.0.0.0", "localhost"), *([("::", "[::1]")] if IPV6 else [])]


def opened(address: str) -> None:
    """Open the page, one of our routes, and the page under a stranger's host name."""
    assert status(address) == 200
    assert status(f"{address}gradio_api/gan/access") == 200
    assert status(address, Host="evil.example") == 403


@pytest.mark.parametrize(("host", "shown"), HOSTS)
def test_the_address_that_is_shown_can_be_opened(host, shown, tmp_path):
    log = tmp_path / "log"
    server = forked.serve(["--host", host, "--port", "0", "--runs", str(tmp_path / "runs")], app.bare, log)
    try:
        wait_until(lambda: log.exists() and log.read_text().endswith("/\n"))
        address = log.read_text().removeprefix(SAID).strip()
        assert address.startswith(f"http://{shown}:")
        opened(address)
        server.terminate()
        assert server.wait() == 0
    finally:
        server.kill()


CAN_NOT = {
    "a host": (
        ["--host", "nowhere.invalid"],
        {},
        "“nowhere.invalid” is not a name or address of this machine.",
    ),
    "a host of Gradio's": (
        [],
        {"GRADIO_SERVER_NAME": "?!"},
        "“?!” is not a name or address of this machine.",
    ),
    "a root path": (["--root-path", "/a b"], {}, "“/a b” can't be the path at which a proxy shows the page."),
    "a link for all": (["--share"], {}, "GANarium makes no public link. Start it with --teacher-token"),
    "a folder for uploads": (
        ["--port", "0"],
        {"GRADIO_TEMP_DIR": "/dev/null/x"},
        "The page can't be served (NotADirectoryError",
    ),
}


@pytest.mark.parametrize(("options", "variables", "sentence"), CAN_NOT.values(), ids=CAN_NOT)
def test_what_keeps_it_from_starting_is_one_sentence(options, variables, sentence, tmp_path):
    assert sentence in refused(*options, tmp_path=tmp_path, **variables)


def test_so_is_what_nobody_thought_of(tmp_path):
    log = tmp_path / "log"
    server = forked.serve(["--port", "0", "--runs", str(tmp_path / "runs")], app.cut_off, log)
    try:
        assert server.wait() == 2
    finally:
        server.kill()
    sentence = "The page can't be served (ReadError: cut off). Solve that, and start GANarium again.\n"
    assert log.read_text() == sentence


PICTURE = (
    b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\nContent-Type: '
    b"image/png\r\n\r\nno picture\r\n--x--\r\n"
)


def test_uploads_are_found_in_a_folder_of_any_form(usual):
    _, address = usual
    assert address.startswith("http://[::1]:" if IPV6 else "http://127.0.0.1:")
    opened(address)

    def post(path, body, kind):
        request = urllib.request.Request(f"{address}{path}", data=body, headers={"Content-Type": kind})
        with DIRECT.open(request, timeout=60) as reply:
            return json.load(reply)

    files = post("gradio_api/upload", PICTURE, "multipart/form-data; boundary=x")
    asked = {
        "data": "own",
        "files": files,
        "recipe": "modern",
        "minutes": 1,
        "values": defaults("digits", "modern"),
    }
    with pytest.raises(urllib.error.HTTPError) as caught:
        post("gradio_api/gan/runs", json.dumps(asked).encode(), "application/json")
    assert json.load(caught.value)["error"]["key"] not in ("ui.bad_form", "ui.lost_files")


NOTEBOOK = """
import sys, threading, time, urllib.request
import app
from tests.fakes.app import bare
bare()
sys.argv = ["ipykernel_launcher.py", "-f", "/root/.local/share/jupyter/runtime/kernel-1.json"]
threading.Thread(target=app.main, args=(["--port", "0", "--runs", {runs!r}],), daemon=True).start()
"""
WAITING = "import sys; sys.stdin.read(); print('the kernel lives')"


def test_a_thread_of_a_notebook_serves_the_page(tmp_path):
    code = NOTEBOOK.format(runs=str(tmp_path / "runs")) + WAITING
    kernel = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        line = kernel.stdout.readline()
        assert line.startswith(SAID), kernel.communicate(timeout=180)[1]
        assert status(line.removeprefix(SAID).strip()) == 200
        said = kernel.communicate("", timeout=180)
        assert "the kernel lives" in said[0]
        assert "Traceback" not in said[1]
    finally:
        kernel.kill()
        kernel.communicate()


CELL = """
import os, signal, sys, threading
sys.argv = ["ipykernel_launcher.py", "-f", "kernel.json"]
before = signal.getsignal(signal.SIGINT)
from gan.cli import serve
class Demo:
    def close(self, verbose):
        pass
def serve_page(services, args):
    services.open(args.runs.resolve())
    threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
    return Demo()
serve._serve = serve_page
serve.main(["--runs", {runs!r}])
print("the kernel lives", signal.getsignal(signal.SIGINT) is before)
"""


def test_interrupting_its_cell_ends_the_server_and_not_the_kernel(tmp_path):
    code = "from tests.fakes.app import bare\nbare()\n" + CELL.format(runs=str(tmp_path / "runs"))
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert "the kernel lives True" in done.stdout, done.stderr
