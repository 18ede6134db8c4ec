"""Test the route of the Compare tab."""

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from gan.files import append_line, write_bytes
from gan.recipes import make_config
from gan.ui.compare.tab import routes
from gan.ui.server.services import Services
from tests.fakes.runs import past, tiny


@pytest.fixture
def client(store, supervise, tmp_path):
    services = Services(
        store=store,
        supervisor=supervise(),
        uploads=store.root / ".uploads",
        checkpoints=tmp_path / "checkpoints",
    )
    return TestClient(Starlette(routes=routes(services)), raise_server_exceptions=False)


def row(step, **values):
    return {"step": step, "images": 8 * step, "seconds": step / 10, **values}


def curves(client, run_id, **query):
    return client.get(f"/gradio_api/gan/runs/{run_id}/curves", params=query)


def test_a_run_is_sent_with_its_settings_grids_and_curves(client, store):
    def fill(folder):
        for step in (1, 2):
            append_line(folder / "stats.jsonl", row(step, loss_d=step / 2))
        write_bytes(folder / "samples" / "00000002.webp", b"a grid")

    run_id = past(store, tiny(seed=7), fill, state="finished", step=2, images=16)
    found = curves(client, run_id).json()
    assert found["config"]["seed"] == 7
    assert found["samples"] == [2]
    assert found["state"] == "finished"
    assert found["axes"] == {"step": [1, 2], "images": [8, 16], "seconds": [0.1, 0.2]}
    assert (found["values"], found["means"]) == ({"loss_d": [0.5, 1]}, None)


def test_changes_of_a_run_are_told(client, store):
    def fill(folder):
        values = {"step": 3, "name": "gamma", "factor": 2.0, "images": 24, "before": 1.0, "after": 2.0}
        append_line(folder / "events.jsonl", {"time": 1.0, "key": "adjusted", "values": values})

    run_id = past(store, tiny(), fill, state="finished")
    assert curves(client, run_id).json()["changes"] == [{"step": 3, "name": "gamma", "factor": 2.0}]
    assert curves(client, past(store, tiny(), state="finished")).json()["changes"] == []


def test_an_answer_comes_again_only_after_a_change(client, store):
    run_id = past(store, tiny(), state="paused")
    append_line(store.path(run_id) / "stats.jsonl", row(1, loss_d=1.0))
    version = curves(client, run_id).json()["version"]
    assert curves(client, run_id, version=version).json() == {"version": version, "unchanged": True}
    append_line(store.path(run_id) / "stats.jsonl", row(2, loss_d=1.0))
    assert curves(client, run_id, version=version).json()["axes"]["step"] == [1, 2]


def test_nothing_but_what_the_tab_shows_is_sent(client, store):
    run_id = past(store, make_config(str(store.root / "mine" / "cats.zip"), "modern"), state="failed")
    reply = curves(client, run_id)
    assert reply.json()["config"]["data"] == "cats.zip"
    assert str(store.root) not in reply.text
    assert not {"pid", "heartbeat", "log", "events", "error"} & set(reply.json())


def test_two_sets_of_pictures_of_one_name_are_told_apart(client, store):
    paths = [str(store.root / ".uploads" / one / "cats.zip") for one in "abb"]
    runs = [past(store, make_config(path, "modern"), state="finished") for path in paths]
    found = [curves(client, run).json() for run in runs]
    assert {one["config"]["data"] for one in found} == {"cats.zip"}
    first, second, third = (one["data_id"] for one in found)
    assert first != second == third


def test_an_unknown_run_is_refused_in_a_sentence(client):
    reply = curves(client, "nobody")
    assert (reply.status_code, reply.json()["error"]["key"]) == (404, "runs.unknown")


def test_a_run_whose_settings_are_damaged_still_has_curves(client, store):
    run_id = past(store, tiny(), state="paused")
    append_line(store.path(run_id) / "stats.jsonl", row(1, loss_d=1.0))
    (store.path(run_id) / "config.json").write_text("{")
    found = curves(client, run_id).json()
    assert found["config"] is None
    assert found["values"] == {"loss_d": [1]}
