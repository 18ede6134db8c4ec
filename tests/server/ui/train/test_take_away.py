"""Test the routes by which everybody takes a run's statistics and report away."""

import csv
import io
import json

import pytest

from gan.errors import UserError
from gan.ui.server.children import reports
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


def test_everybody_takes_the_report_in_the_language_of_the_page(anybody, run, store):
    reply = anybody.get(f"{OURS}/runs/{run}/report", params={"lang": "zh"})
    assert (reply.status_code, reply.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert reply.headers["content-disposition"] == f'attachment; filename="{run}.html"'
    assert '<html lang="zh">' in reply.text
    assert "cats.zip #1 · " in reply.text
    assert SECRET not in reply.text
    assert str(store.root) not in reply.text
    english = anybody.get(f"{OURS}/runs/{run}/report", params={"lang": "../x"})
    assert '<html lang="en">' in english.text


def test_a_report_that_can_not_be_made_is_a_sentence(client, services, store, run, monkeypatch):
    monkeypatch.setattr(reports, "SECONDS", 0.0)
    reply = client.get(f"{OURS}/runs/{run}/report")
    assert (reply.status_code, reply.json()["error"]["key"]) == (400, "export.no_report")
    (store.path(run) / "config.json").write_text("{}")
    assert client.get(f"{OURS}/runs/{run}/report").json()["error"]["key"] == "config.other_version"
    assert client.get(f"{OURS}/runs/none/report").json()["error"]["key"] == "runs.unknown"
    monkeypatch.undo()
    services.reports.close()
    with pytest.raises(UserError):
        services.reports.write(store.path(run), "en")


def test_a_child_that_fails_writes_no_report(services, store):
    with pytest.raises(UserError) as refused:
        services.reports.write(store.root / "no-run", "en")
    assert refused.value.key == "export.no_report"
