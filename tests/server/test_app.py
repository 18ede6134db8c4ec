"""Test app.py as a process: how it ends, and what the next start finds."""

import json
import signal
import socket
import subprocess
import sys
import urllib.request

import psutil
import pytest

from gan.runs.store import Store
from tests import ROOT
from tests.fakes.runs import LONG, PATIENCE, reaches, tiny, wait_until
from tests.support.page.browsing import serve

APP = ROOT / "app.py"


@pytest.fixture
def start(tmp_path):
    """Start app.py on tmp_path/runs. Returns the process and its URL once it answers."""
    servers = []

    def begin():
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        app = [
            sys.executable,
            str(APP),
            "--host",
            "127.0.0.1",
            "--port",
            str(port),
            "--runs",
            str(tmp_path / "runs"),
        ]
        command = ["sh", "-c", 'ulimit -S -n 512; exec "$@"', "sh", *app]
        servers.append(
            subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
            )
        )
        return servers[-1], servers[-1].stdout.readline()

    yield begin
    for server in servers:
        server.kill()
        server.communicate()


def test_a_stopped_server_leaves_its_run_paused_and_the_next_one_goes_on_with_it(start, tmp_path):
    """While the first one runs, another one can't use its folder."""
    store = Store(tmp_path / "runs")
    run_id = store.create(tiny(LONG))
    server, line = start()
    assert line.startswith("GANarium is at http://127.0.0.1:")
    refuses_a_folder_in_use(start, server.pid)
    wait_until(lambda: store.status(run_id)["step"] > 2)
    server.send_signal(signal.SIGINT)
    assert server.wait(PATIENCE) == 0
    step = store.status(run_id)["step"]
    reaches(store, run_id, "paused")
    assert store.resumable(run_id)

    with serve(store.root) as address:
        wait_until(lambda: store.status(run_id)["step"] > step)
        urllib.request.urlopen(
            urllib.request.Request(f"{address}gradio_api/gan/runs/{run_id}/pause", method="POST")
        ).close()
        reaches(store, run_id, "paused")
        with urllib.request.urlopen(f"{address}gradio_api/gan/poll") as reply:
            assert json.load(reply)["run"]["status"]["state"] == "paused"
    reaches(store, run_id, "paused")


def refuses_a_folder_in_use(start, first: int) -> None:
    """Check that another server ends with status 2, and that the first one may open many files."""
    if hasattr(psutil, "RLIMIT_NOFILE"):  # only Linux has this limit in psutil
        usual, most = psutil.Process(first).rlimit(psutil.RLIMIT_NOFILE)
        assert usual > 512 or most <= 512, "room for more visitors than a shell gives"
    second, _ = start()
    assert second.wait(PATIENCE) == 2
    error = second.stderr.read()
    assert "already uses the folder" in error
    assert "Traceback" not in error


IMPOSSIBLE = [
    (["--runs", "/proc/nope"], "can't be used"),
    (["--port", "99999"], "can't listen on 127.0.0.1, port 99999"),
    (["--teacher-token", "ab12"], "at least 8 characters"),
    (["--teacher-token"], "There is no teacher token"),
    (["--quota", "lots"], "“lots” is no number of GB"),
]


@pytest.mark.parametrize(("options", "sentence"), IMPOSSIBLE)
def test_an_impossible_option_is_a_sentence_and_status_2(tmp_path, options, sentence):
    command = [sys.executable, APP, "--runs", tmp_path / "runs", *options]
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.returncode == 2
    assert "ab12" not in done.stdout + done.stderr
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
