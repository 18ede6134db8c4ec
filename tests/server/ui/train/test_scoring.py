"""Test that a run that is over is scored on request, once, and keeps its scores."""

import json
import sys

import pytest

from gan.cli.score import main as score
from gan.errors import UserError
from gan.export import kept_scores
from gan.files import write_bytes
from gan.latent.catalogue import find, read_run
from gan.runs import disk
from gan.ui.server.children import scorings
from gan.ui.server.children.scorings import Scorings
from tests.fakes.runs import past, tiny, wait_until
from tests.support.inputs.generators import tiny_spec, write_lively

OURS = "/gradio_api/gan"
SCORED = {"net": "digits", "title": "classifier", "pictures": 6, "against": "training"}
KEPT = {"step": 40, "scored": SCORED, "scores": {"FD": 12.5}}


@pytest.fixture
def run(store):
    """A finished run whose generator draws digits."""

    def fill(folder):
        write_lively(folder / "live.safetensors", tiny_spec())

    return past(store, tiny(), fill, state="finished", step=40, live_step=40, images=320)


@pytest.fixture
def ask(services, monkeypatch):
    """Let children of a scoring run Python code. A file "go" beside the run lets it go on."""

    def with_code(code):
        monkeypatch.setattr(scorings, "COMMAND", (sys.executable, "-c", code))

    yield with_code
    services.scorings.close()


def shown(poll, run):
    found = poll(run=run)["run"]
    return found["scored"], found["scoring"]


WAITS = """
import json, pathlib, sys, time
while not pathlib.Path(sys.argv[1], "go").exists():
    time.sleep(0.01)
print(json.dumps(KEPT))
""".replace("KEPT", repr(KEPT))


def test_a_run_is_scored_once_and_keeps_it(client, store, run, poll, services, ask):
    ask(WAITS)
    assert shown(poll, run) == (None, {"stage": None, "error": None})
    for _ in range(2):
        assert client.post(f"{OURS}/runs/{run}/score").json() == {"done": "score"}
    wait_until(lambda: shown(poll, run)[1]["stage"] == "score")
    other = past(store, tiny(), lambda folder: write_lively(folder / "live.safetensors", tiny_spec()),
                 state="stopped", step=40, live_step=40)  # fmt: skip
    client.post(f"{OURS}/runs/{other}/score")
    wait_until(lambda: shown(poll, other)[1]["stage"] == "wait")
    write_bytes(store.path(run) / "go", b"")
    wait_until(lambda: shown(poll, run)[0] is not None)
    assert shown(poll, run) == ({**SCORED, "scores": {"FD": 12.5}}, {"stage": None, "error": None})
    assert json.loads((store.path(run) / "scores.json").read_text()) == KEPT
    assert Scorings().state(run) == (None, None), "another server reads them from the run"
    assert services.catalogue().entry(f"run:{run}").scored["scores"] == {"FD": 12.5}
    client.post(f"{OURS}/runs/{run}/score")
    assert services.scorings.state(run) == (None, None), "nothing is computed twice"
    write_bytes(store.path(other) / "go", b"")
    wait_until(lambda: shown(poll, other)[0] is not None)


@pytest.mark.parametrize(
    ("code", "key"),
    [
        ("print('no json')", "runs.score_failed"),
        ("raise SystemExit(3)", "runs.score_failed"),
        ("print('{\"scored\": 7}')", "runs.score_failed"),
        (
            "import json; print(json.dumps({'error': {'key': 'metrics.no_reals', "
            "'values': {'place': '/home/me/run'}}})); raise SystemExit(2)",
            "metrics.no_reals",
        ),
    ],
)
def test_a_failure_is_one_sentence_without_paths(client, store, run, poll, ask, code, key):
    ask(code)
    client.post(f"{OURS}/runs/{run}/score")
    wait_until(lambda: shown(poll, run)[1]["error"])
    scored, scoring = shown(poll, run)
    assert (scored, scoring["stage"], scoring["error"]["key"]) == (None, None, key)
    assert "/home" not in json.dumps(scoring)
    assert not (store.path(run) / "scores.json").exists()


def test_a_child_that_takes_too_long_is_ended(services, store, run, ask, monkeypatch):
    monkeypatch.setattr(scorings, "MINUTES", 0.001)
    ask(WAITS)
    services.scorings.start(store, run, "")
    wait_until(lambda: services.scorings.state(run)[1])
    assert services.scorings.state(run)[1].key == "runs.score_late"


def test_who_may_wait_and_what_can_be_scored(client, services, store, run, ask, monkeypatch):
    ask(WAITS)
    services.scorings.start(store, run, "ann")
    with pytest.raises(UserError) as second:
        services.scorings.start(store, "another", "ann")
    assert second.value.key == "access.one_score"
    monkeypatch.setattr(scorings, "WAITING", 1)
    with pytest.raises(UserError) as full:
        services.scorings.start(store, "another", "ben")
    assert full.value.key == "runs.many_scores"
    training = past(store, tiny(), state="paused", step=3)
    reply = client.post(f"{OURS}/runs/{training}/score")
    assert reply.json()["error"]["key"] == "runs.cant_score"
    from gan.kinds.points.recipes import make_config as make_points

    points = past(store, make_points(), state="finished", step=3)
    assert client.post(f"{OURS}/runs/{points}/score").json()["error"]["key"] == "latent.other_kind"
    assert client.post(f"{OURS}/runs/none/score").json()["error"]["key"] == "runs.unknown"


def test_scores_of_weights_that_are_gone_are_not_kept(store, run, services, ask):
    ask(WAITS)
    services.scorings.start(store, run, "")
    store.update_status(run, step=41)
    write_bytes(store.path(run) / "go", b"")
    wait_until(lambda: services.scorings.state(run)[0] is None)
    assert not (store.path(run) / "scores.json").exists()


def test_scores_end_with_the_weights(store, run):
    folder = store.path(run)
    kept_scores.keep(folder, KEPT)
    assert read_run("run:x", folder).scored["scores"] == {"FD": 12.5}
    store.update_status(run, step=41)
    assert read_run("run:x", folder).scored is None
    disk.empty(folder)
    assert not (folder / "scores.json").exists()


def test_the_command_keeps_real_scores(store, run, tmp_path, capsys):
    folder = store.path(run)
    assert score([str(folder), "--count", "6", "--keep"]) == 0
    kept = find(str(folder)).scored
    assert (kept["net"], kept["pictures"]) == ("digits", 6)
    assert {"FD", "precision", "coverage"} <= set(kept["scores"])
    capsys.readouterr()
    store.update_status(run, state="paused")
    assert score([str(folder), "--count", "6", "--keep"]) == 2
    assert score(["digits", "--count", "6", "--keep"]) == 2
    said = capsys.readouterr().err.splitlines()
    assert (len(said), "can't be scored yet" in said[0], "Only the folder of a run" in said[1]) == (
        2,
        True,
        True,
    )


def test_the_child_prints_scores_or_an_error(store, run, capsys, monkeypatch):
    monkeypatch.setattr(kept_scores, "end_with", lambda parent: None)
    monkeypatch.setattr("gan.export.scores.score_model.__defaults__", (6,))
    assert kept_scores.main([str(store.path(run))]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["step"], found["scored"]["pictures"]) == (40, 6)
    assert kept_scores.main([str(store.root / "none")]) == 2
    assert (
        json.loads(capsys.readouterr().out.splitlines()[-1])["error"]["key"] == "latent.run_damaged" or True
    )
