"""Test the routes by which everybody takes a run's statistics and report away."""

import csv
import io
import json

import pytest

from gan.ui.server.people.access import Access
from tests.reliability.attacker.valid_requests import SECRET, STATS, plant

OURS = "/gradio_api/gan"


@pytest.fixture
def run(store):
    """A finished run with secrets in its files."""
    return plant(store.root)[0].run


@pytest.fixture(params=["open", "locked", "space"])
def anybody(client, services, monkeypatch, request):
    """A client without a right to anything, at each kind of server."""
    if request.param == "space":
        monkeypatch.setenv("SPACE_ID", "me/gan")
    elif request.param == "locked":
        monkeypatch.setattr(services, "access", Access("a token of the teacher"))
    return client


def test_everybody_takes_the_statistics_that_the_page_shows(anybody, run, store):
    table = anybody.get(f"{OURS}/runs/{run}/statistics.csv")
    assert (table.status_code, table.headers["content-type"]) == (200, "text/csv; charset=utf-8")
    assert table.headers["content-disposition"] == f'attachment; filename="{run}.csv"'
    rows = list(csv.DictReader(io.StringIO(table.text)))
    assert [(row["step"], float(row["loss_g"])) for row in rows] == [("1", 2.0), ("3", 2.0)]
    lines = anybody.get(f"{OURS}/runs/{run}/statistics.jsonl")
    assert tuple(map(json.loads, lines.text.splitlines())) == STATS
    for text in (table.text, lines.text):
        assert SECRET not in text
        assert str(store.root) not in text


def test_what_there_is_not_is_refused_in_a_sentence(client, store, run):
    for path, status, key in (
        (f"{run}/statistics.xls", 404, "export.unknown_statistics"),
        ("none/statistics.csv", 404, "runs.unknown"),
    ):
        reply = client.get(f"{OURS}/runs/{path}")
        assert (reply.status_code, reply.json()["error"]["key"]) == (status, key)
    (store.path(run) / "stats.jsonl").unlink()
    reply = client.get(f"{OURS}/runs/{run}/statistics.csv")
    assert (reply.status_code, reply.json()["error"]["key"]) == (400, "export.no_statistics")
