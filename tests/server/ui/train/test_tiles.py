"""Test who may look closer at the samples of a run, and that a look is computed once."""

import json
import os
import sys
import threading

import pytest

from gan.errors import UserError
from gan.files import write_bytes
from gan.kinds.points.recipes import make_config as make_points
from gan.recipes import make_config
from gan.runs.store import CHECKPOINTS
from gan.ui.server.children import tiles
from gan.ui.server.requests.http import PREFIX
from gan.ui.train import eyes
from tests.fakes.runs import past, tiny, wait_until
from tests.support.page.visiting import key_of, served, train, visitor

# Prints what it was asked, and leaves a line beside the run each time.
ANSWERS = """
import json, pathlib, sys
run = pathlib.Path(sys.argv[1])
with open(run / "asked", "a") as file:
    file.write(" ".join(sys.argv[2:]) + chr(10))
while (run / "wait").exists():
    pass
print(json.dumps({"asked": sys.argv[2:]}))
"""
TOKEN = "a token of the class"
FOUND = {"asked": []}


PAIRS = {"asked": ["--pairs"]}


@pytest.fixture(autouse=True)
def child(monkeypatch):
    """Let children answer with this Python code."""

    def with_code(code=ANSWERS):
        monkeypatch.setattr(tiles, "COMMAND", (sys.executable, "-c", code))

    with_code()
    return with_code


def own(tmp_path):
    """The settings of a run on somebody's own images."""
    return make_config(str(tmp_path / "uploads" / "ann.zip"), "modern", 28, 1)


def asked(store, run_id):
    path = store.path(run_id) / "asked"
    return path.read_text().splitlines() if path.exists() else []


def test_everybody_may_look_closer_at_a_run_on_a_named_set(space, tmp_path):
    services = served(tmp_path / "runs")
    run = services.store.create(tiny())
    stranger = visitor(services, visit=False)
    assert stranger.get(f"{PREFIX}/runs/{run}/nearest").json() == FOUND
    assert stranger.get(f"{PREFIX}/runs/{run}/pairs").json() == PAIRS
    assert stranger.get(f"{PREFIX}/runs/{run}/saliency/63").json() == {"asked": ["--tile", "63"]}


def test_a_visitor_sees_own_images_of_nobody_else(space, tmp_path):
    services = served(tmp_path / "runs")
    ann, ben, stranger = visitor(services), visitor(services), visitor(services, visit=False)
    owner = visitor(services, person="alice")
    mark = services.store.visitor(train(ann).json()["run"])
    run = services.store.create(own(tmp_path), mark)
    nobodys = services.store.create(own(tmp_path))
    for what, answer in (("nearest", FOUND), ("pairs", PAIRS)) * 2:  # the second time it is known
        assert ann.get(f"{PREFIX}/runs/{run}/{what}").json() == answer
        assert owner.get(f"{PREFIX}/runs/{nobodys}/{what}").json() == answer
        assert key_of(ben.get(f"{PREFIX}/runs/{run}/{what}")) == (403, "access.not_yours")
        assert key_of(ann.get(f"{PREFIX}/runs/{nobodys}/{what}")) == (403, "access.not_yours")
        assert key_of(stranger.get(f"{PREFIX}/runs/{run}/{what}")) == (403, "access.no_visit")
    assert ben.get(f"{PREFIX}/runs/{run}/saliency/3").status_code == 200, "the samples are everybody's"


def test_with_a_token_own_images_are_for_those_who_entered_it(tmp_path):
    services = served(tmp_path / "runs", token=TOKEN)
    run, named = services.store.create(own(tmp_path)), services.store.create(tiny())
    teacher, pupil = visitor(services, visit=False), visitor(services, visit=False)
    assert teacher.post(f"{PREFIX}/access", json={"token": TOKEN}).json()["control"]
    for what in ("nearest", "pairs"):
        assert key_of(pupil.get(f"{PREFIX}/runs/{run}/{what}")) == (403, "access.needed")
    assert teacher.get(f"{PREFIX}/runs/{run}/nearest").json() == FOUND
    assert key_of(pupil.get(f"{PREFIX}/runs/{run}/nearest")) == (403, "access.needed")
    assert pupil.get(f"{PREFIX}/runs/{named}/nearest").json() == FOUND


def test_the_page_knows_whose_images_they_are(store, poll, tmp_path):
    assert poll(run=past(store, tiny(), state="finished"))["run"]["own_data"] is None
    assert poll(run=past(store, own(tmp_path), state="finished"))["run"]["own_data"] == "shown"


def test_a_server_that_everybody_controls_shows_nobodys_own_images(client, services, store, poll, tmp_path):
    run = past(store, own(tmp_path), state="finished")
    assert client.get(f"{PREFIX}/runs/{run}/nearest").json() == FOUND, "it listens on this machine alone"
    services.host = "0.0.0.0"
    for what in ("nearest", "pairs"):
        assert key_of(client.get(f"{PREFIX}/runs/{run}/{what}")) == (403, "access.own_images")
    assert client.get(f"{PREFIX}/runs/{store.create(tiny())}/nearest").json() == FOUND
    assert poll(run=past(store, own(tmp_path), state="finished"))["run"]["own_data"] == "hidden"


def test_what_can_not_be_looked_at_is_told(client, store):
    run, points = store.create(tiny()), store.create(make_points("moons"))
    assert key_of(client.get(f"{PREFIX}/runs/{run}/saliency/64")) == (404, "runs.no_sample")
    assert key_of(client.get(f"{PREFIX}/runs/{run}/saliency/{10**30}")) == (404, "runs.no_sample")
    for path in ("nearest", "pairs", "saliency/3"):
        assert key_of(client.get(f"{PREFIX}/runs/{points}/{path}")) == (400, "latent.other_kind")
        assert key_of(client.get(f"{PREFIX}/runs/none/{path}")) == (404, "runs.unknown")


def test_a_look_is_computed_once_for_each_checkpoint(client, store, monkeypatch):
    run = store.create(tiny())
    checkpoint = store.path(run) / "state" / CHECKPOINTS[0]
    write_bytes(checkpoint, b"first")
    for path in ("nearest", "saliency/3", "saliency/4", "nearest", "saliency/3"):
        assert client.get(f"{PREFIX}/runs/{run}/{path}").status_code == 200
    assert asked(store, run) == ["", "--tile 3", "--tile 4"]
    os.utime(checkpoint, ns=(7, 7))
    client.get(f"{PREFIX}/runs/{run}/nearest")
    assert len(asked(store, run)) == 3, "a run that trains has a new one every few seconds"
    monkeypatch.setattr(tiles, "FRESH", 0.0)
    client.get(f"{PREFIX}/runs/{run}/nearest")
    assert asked(store, run)[3:] == [""]


def test_a_class_that_asks_at_once_shares_a_look(services, store):
    run = store.path(store.create(tiny()))
    write_bytes(run / "wait", b"")
    answers = []
    ask = lambda: answers.append(services.tile_looks.nearest(run))  # noqa: E731
    threads = [threading.Thread(target=ask) for _ in range(5)]
    for thread in threads:
        thread.start()
    wait_until((run / "asked").exists)
    (run / "wait").unlink()
    for thread in threads:
        thread.join()
    assert answers == [FOUND] * 5
    assert asked(store, run.name) == [""]
    services.tile_looks.close()


def test_old_answers_are_forgotten(services, store, monkeypatch):
    monkeypatch.setattr(tiles, "KEPT", 2)
    run = store.path(store.create(tiny()))
    for tile in (1, 2, 3, 3, 1):
        services.tile_looks.saliency(run, tile)
    assert asked(store, run.name) == [f"--tile {tile}" for tile in (1, 2, 3, 1)]


@pytest.mark.parametrize(
    ("code", "key"),
    [
        ("print('no json')", "runs.look_failed"),
        ("raise SystemExit(3)", "runs.look_failed"),
        ("print(7)", "runs.look_failed"),
        (
            "import json; print(json.dumps({'error': {'key': 'runs.no_eyes', "
            "'values': {'name': '/home/ann/a.zip'}}})); raise SystemExit(2)",
            "runs.no_eyes",
        ),
    ],
)
def test_a_failure_is_one_sentence_without_paths_and_is_not_remembered(client, store, child, code, key):
    run = store.create(tiny())
    child(code)
    reply = client.get(f"{PREFIX}/runs/{run}/nearest")
    assert key_of(reply)[1] == key
    assert "/home" not in json.dumps(reply.json())
    child()
    assert client.get(f"{PREFIX}/runs/{run}/nearest").json() == FOUND


def test_a_look_that_takes_too_long_is_ended(services, store, child, monkeypatch):
    monkeypatch.setattr(tiles, "SECONDS", 0.2)
    child("while True: pass")
    with pytest.raises(UserError) as caught:
        services.tile_looks.nearest(store.path(store.create(tiny())))
    assert caught.value.key == "runs.look_late"


def test_everybody_may_play_and_only_sums_are_kept(tmp_path):
    services = served(tmp_path / "runs", token=TOKEN)
    run, other = (services.store.create(tiny()) for _ in range(2))
    files = set(tmp_path.rglob("*"))
    pupil = visitor(services, visit=False)
    play = lambda **game: pupil.post(f"{PREFIX}/played", json={"run": run, **game})  # noqa: E731
    assert play(right=7, d=9).json() == {"games": 1, "right": 7, "d": 9}
    assert play(right=0, d=10).json() == {"games": 2, "right": 7, "d": 19}
    assert play(run=other, right=3, d=3).json() == {"games": 1, "right": 3, "d": 3}
    assert set(tmp_path.rglob("*")) == files


@pytest.mark.parametrize(
    ("game", "key"),
    [
        ({"right": 11, "d": 3}, "ui.bad_form"),
        ({"right": -1, "d": 3}, "ui.bad_form"),
        ({"right": True, "d": 3}, "ui.bad_form"),
        ({"right": 3.0, "d": 3}, "ui.bad_form"),
        ({"right": 3}, "ui.bad_form"),
        ({"right": 3, "d": 3, "run": "none"}, "runs.unknown"),
        ({"right": 3, "d": 3, "run": ["x"]}, "runs.unknown"),
        ({"right": 3, "d": 3, "run": None}, "runs.unknown"),
    ],
)
def test_an_impossible_game_is_not_counted(client, store, game, key):
    run = store.create(tiny())
    body = json.dumps({"run": run, **game})
    assert key_of(client.post(f"{PREFIX}/played", content=body))[1] == key
    counted = client.post(f"{PREFIX}/played", json={"run": run, "right": 1, "d": 2})
    assert counted.json()["games"] == 1


def test_the_sums_of_old_runs_are_forgotten(monkeypatch):
    monkeypatch.setattr(eyes, "RUNS", 2)
    totals = eyes.Totals()
    for run in ("a", "b", "a", "c"):
        totals.add(run, 1, 2)
    assert totals.add("a", 1, 2)["games"] == 3
    assert totals.add("b", 1, 2)["games"] == 1
