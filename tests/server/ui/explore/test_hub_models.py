"""Test the process in which the page pulls a model from the Hub."""

import subprocess
import sys

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from gan.runs.store import Store
from gan.ui.explore.hub_routes import hub_routes
from gan.ui.server.children import hub_models
from gan.ui.server.services import Services
from tests import ROOT

ENDS = {
    "takes too long": ("import time; time.sleep(600)", 0.01, "hub.timeout"),
    "dies": ("raise SystemExit(9)", 1.0, "hub.broken"),
    "says something else": ("print(7)", 1.0, "hub.broken"),
    "says a part": ("""print('{"id"')""", 1.0, "hub.broken"),
}


@pytest.mark.parametrize("name", ENDS)
def test_a_process_that_fails_is_ended_and_told_in_a_sentence(name, tmp_path, monkeypatch):
    program, minutes, key = ENDS[name]
    monkeypatch.setattr(hub_models, "COMMAND", (sys.executable, "-S", "-c", program))
    monkeypatch.setattr(hub_models, "MINUTES", minutes)
    services = Services(store=Store(tmp_path / "runs"), checkpoints=tmp_path / "none")
    browser = TestClient(Starlette(routes=hub_routes(services)), base_url="http://localhost")
    reply = browser.post("/gradio_api/gan/pull", json={"id": "ada/digits"})
    assert reply.json()["error"]["key"] == key


@pytest.mark.parametrize("module", ["gan.hub.pull", "gan.hub.sets"])
def test_a_process_that_pulls_leaves_xet_aside(module):
    program = (
        f"import {module}; from gan.hub import child; child.prepare(); "
        "from huggingface_hub.utils import _runtime; _runtime.is_package_available = lambda name: True; "
        "print(_runtime.is_xet_available())"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, check=True)
    assert done.stdout.split() == [b"False"]
