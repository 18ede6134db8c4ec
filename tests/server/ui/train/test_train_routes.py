"""Test the data about runs in the Train tab: its routes, and the feed behind them."""

import asyncio
import json
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image

from gan.files import append_line, write_bytes
from gan.kinds import KINDS, get_kind
from gan.kinds.points.recipes import FAILING as POINT_FAILING
from gan.kinds.points.recipes import make_config as make_points_config
from gan.objectives import LOSSES
from gan.recipes import FAILING, make_config
from gan.ui.server.people.access import COOKIE, Access
from gan.ui.train import fields, form, run_feed
from tests.fakes.runs import LONG, reaches, tiny, wait_until


@pytest.fixture
def ended(store):
    """A finished run with three lines of statistics and two grids."""
    # a run that was created queued might be started before its state changes
    run_id = store.create(tiny(), state="finished", step=3, images=24, pid=77, pid_started=1.0)
    for step in (1, 2, 3):
        append_line(store.path(run_id) / "stats.jsonl", {"step": step, "images": 8 * step, "loss_d": 0.5})
    for step in (1, 3):
        write_bytes(store.path(run_id) / "samples" / f"{step:08d}.webp", b"grid %d" % step)
    wait_until(store.usage.sizes)  # else the first measurement might come between two polls
    return run_id


def test_an_empty_server_says_so(poll):
    answer = poll()
    assert (answer["run"], answer["runs"], answer["active"], answer["stats"], answer["queue"]) == (
        None,
        [],
        None,
        [],
        [],
    )


def test_a_page_is_told_once_and_then_only_what_is_new(poll, store, ended):
    first = poll()
    assert (
        first["run"]["id"],
        first["run"]["samples"],
        len(first["stats"]),
        first["next"],
        first["since"],
    ) == (ended, [1, 3], 3, 3, 0)
    # other tests' runs that still train come first
    assert next(run["state"] for run in first["runs"] if run["id"] == ended) == "finished"
    held = {"had": ended, "since": first["next"], "list": first["list"], "version": first["version"]}
    assert poll(**held) == {"version": first["version"], "unchanged": True}
    append_line(store.path(ended) / "stats.jsonl", {"step": 4, "images": 32, "loss_d": 0.4})
    more = poll(**held)
    assert ([line["step"] for line in more["stats"]], more["next"], more["since"], "runs" in more) == (
        [4],
        4,
        3,
        False,
    )


def test_statistics_of_another_or_a_shortened_run_replace_those_held(poll, store, ended):
    assert len(poll(had="another", since=2)["stats"]) == 3
    write_bytes(store.path(ended) / "stats.jsonl", json.dumps({"step": 1, "images": 8}).encode() + b"\n")
    answer = poll(had=ended, since=3)
    assert (len(answer["stats"]), answer["next"], answer["since"]) == (1, 1, 0)


def test_a_page_begins_anew_when_the_run_went_back_and_outgrew_what_it_holds(poll, store, ended):
    """After a rollback the file ends at an older checkpoint, and is longer again before the next poll."""
    first = poll()
    kept = [json.dumps({"step": step, "images": 8 * step, "loss_d": 0.5}) for step in (1, 2)]
    new = [json.dumps({"step": step, "images": 8 * step, "loss_d": 0.7}) for step in range(3, 6)]
    write_bytes(store.path(ended) / "stats.jsonl", "\n".join([*kept, *new, ""]).encode())
    answer = poll(had=ended, since=first["next"], last=first["last"], version=first["version"])
    assert (answer["since"], [line["loss_d"] for line in answer["stats"]]) == (0, [0.5, 0.5, 0.7, 0.7, 0.7])
    held = {
        "had": ended,
        "since": answer["next"],
        "last": answer["last"],
        "list": answer["list"],
        "version": answer["version"],
    }
    assert "unchanged" in poll(**held)
    append_line(store.path(ended) / "stats.jsonl", {"step": 6, "images": 48})
    assert poll(**held)["since"] == 5


def test_the_active_run_is_shown_unless_another_is_asked_for(poll, services, store, ended):
    active, waiting = (services.supervisor.submit(tiny(LONG, seed=seed)) for seed in (1, 2))
    reaches(store, active, "running")
    answer = poll()
    assert (answer["run"]["id"], answer["active"], answer["active_run"]["state"], answer["queue"]) == (
        active,
        active,
        "running",
        [waiting],
    )
    assert poll(run=ended)["run"]["id"] == ended


def test_no_page_learns_processes_or_paths(poll, store, ended, tmp_path):
    own = store.create(make_config(str(tmp_path / "secret" / "cats.zip")), state="stopped")
    for run_id in (ended, own):
        answer = poll(run=run_id)
        assert "secret" not in json.dumps(answer)
        assert not {"pid", "pid_started", "heartbeat"} & set(answer["run"]["status"])
    assert poll(run=own)["run"]["config"]["data"] == "cats.zip"


def test_errors_name_uploads_without_their_place(poll, services, store, ended):
    path = services.uploads / ("0" * 16) / "cats.zip"
    (store.path(ended) / "worker.log").write_text(f"can't read {path}\n")
    store.update_status(
        ended,
        state="failed",
        error={"key": "data.too_few", "values": {"path": str(path)}, "text": f"“{path}” holds 1"},
    )
    run = poll()["run"]
    assert run["log"] == ["can't read cats.zip"]
    assert (run["status"]["error"]["values"], run["status"]["error"]["text"]) == (
        {"path": "cats.zip"},
        "“cats.zip” holds 1",
    )


def test_the_poll_tells_whether_this_browser_still_controls(client, poll, services):
    assert "control" not in poll(), "where there is no token"
    services.access = Access("a long token")
    assert poll()["control"] is False
    assert poll(version=poll()["version"])["control"] is False, "also where nothing else is new"
    client.cookies.set(COOKIE, asyncio.run(services.access.enter("a long token", "here")))
    assert poll()["control"] is True


def test_many_viewers_cost_one_look(client, services, ended, monkeypatch):
    monkeypatch.setattr(run_feed, "FRESH", 60.0)
    looks = []
    real = services.store.list
    monkeypatch.setattr(services.store, "list", lambda: looks.append(1) or real())
    before = len(looks)
    for _ in range(30):
        assert client.get("/gradio_api/gan/poll").status_code == 200
    assert len(looks) - before <= 2  # one for the feed, and perhaps one for the supervisor's own survey


def test_many_viewers_are_asked_to_ask_less_often(services, monkeypatch):
    now = [time.monotonic()]
    monkeypatch.setattr(run_feed, "time", SimpleNamespace(monotonic=lambda: now[0]))
    feed = run_feed.RunFeed(services)

    def beat_after(seconds, viewers, wanted=""):
        for _ in range(int(seconds / 0.25)):
            now[0] += 0.25
            for _ in range(round(viewers * 0.25 / (beat[0] / 1000))):
                beat[0] = feed.poll(wanted, "", 0, "", "")["beat"]
        return beat[0]

    beat = [500]
    assert beat_after(6, 4) == 500
    assert beat_after(6, 32) == 1000
    assert beat_after(6, 32) == 1000, "also once they do"
    assert beat_after(6, 4) == 500
    points = services.store.create(make_points_config(), state="running")
    assert beat_after(6, 4, points) == 150, "their sheets come four times a second"
    assert beat_after(6, 9, points) == 150, "and that makes the viewers no more"
    assert beat_after(6, 32, points) == 1000


def test_damaged_runs_are_listed_and_shown_with_a_sentence(poll, store, ended):
    write_bytes(store.path(ended) / "status.json", b"{")
    answer = poll(run=ended)
    listed = next(run for run in answer["runs"] if run["id"] == ended)
    assert (listed["state"], answer["run"]["status"]["error"]["key"]) == ("damaged", "runs.damaged")


MISSING = (
    "poll?run=none",
    "poll?run=..",
    "runs/none/samples/1.webp",
    "runs/none/log",
    "thumbnails/none.webp",
    "thumbnails/cifar10.webp",
)


@pytest.mark.parametrize("path", MISSING)
def test_what_is_not_there_is_404_with_a_sentence(client, path):
    reply = client.get(f"/gradio_api/gan/{path}")
    assert reply.status_code == 404
    assert reply.json()["error"]["text"]


@pytest.mark.parametrize("name", ["config.json", "status.json", "events.jsonl", "stats.jsonl"])
@pytest.mark.parametrize("depth", [45, 60, 700, 100_000])
def test_files_of_a_run_nested_deep_are_no_defect(client, store, ended, name, depth):
    path = store.path(ended) / name
    sound = (
        json.loads(path.read_bytes())
        if name.endswith("json")
        else {"time": 1.0, "key": "rolled_back", "values": {}}
    )
    text = json.dumps({**sound, "classes": "@@", "values": {"at": "@@"}, "seed": "@@"}).replace(
        '"@@"', "[" * depth + "]" * depth
    )
    path.write_bytes(text.encode() + b"\n")
    reply = client.get("/gradio_api/gan/poll", params={"run": ended})
    assert reply.status_code == 200
    if name == "status.json":
        assert (reply.json()["run"]["status"]["state"] == "damaged") == (depth > 50)


def test_grids_are_kept_for_ever(client, ended):
    reply = client.get(f"/gradio_api/gan/runs/{ended}/samples/00000003.webp")
    assert (reply.content, reply.headers["content-type"]) == (b"grid 3", "image/webp")
    assert "immutable" in reply.headers["cache-control"]
    for step in ("00000002", "x", "-1", "9" * 30):
        assert client.get(f"/gradio_api/gan/runs/{ended}/samples/{step}.webp").status_code == 404


def test_commands_reach_the_supervisor(client, services, store):
    active, waiting = (services.supervisor.submit(tiny(LONG, seed=seed)) for seed in (1, 2))
    reaches(store, active, "running")
    command = lambda run_id, name: client.post(f"/gradio_api/gan/runs/{run_id}/{name}")  # noqa: E731
    assert command(waiting, "cancel").status_code == 200
    reaches(store, waiting, "stopped")
    assert command(active, "pause").json() == {"done": "pause"}
    reaches(store, active, "paused")
    reply = command(active, "pause")
    assert (reply.status_code, reply.json()["error"]["key"]) == (400, "runs.cant_pause")
    assert command(active, "burn").status_code == 404
    assert command("none", "pause").status_code == 404
    assert client.get(f"/gradio_api/gan/runs/{active}/pause").status_code == 405
    assert (
        client.post(
            f"/gradio_api/gan/runs/{active}/resume", headers={"Origin": "http://elsewhere"}
        ).status_code
        == 403
    )
    assert store.status(active)["state"] == "paused"


def form_of(**changes):
    return {
        "data": "digits",
        "recipe": "modern",
        "minutes": 1,
        "files": [],
        "values": form.defaults("digits", "modern"),
        **changes,
    }


def test_the_form_starts_a_run(client, store):
    reply = client.post("/gradio_api/gan/runs", json=form_of(minutes=3))
    run_id = reply.json()["run"]
    assert (reply.status_code, store.config(run_id)) == (
        200,
        make_config("digits", "modern", 28, 1, minutes=3.0),
    )


@pytest.mark.parametrize(
    ("changes", "status", "key"),
    [
        ({"data": name}, 404, "data.unknown")
        for name in ("/etc", "../secrets.zip", "no-such-set", None, 3, "\0", "x" * 9000)
    ]
    + [({"values": values}, 400, "ui.bad_form") for values in ([1], 1, None)]
    + [({"data": "own", "files": files}, 400, "ui.bad_form") for files in (["/etc/passwd"], 7, None)]
    + [
        ({"recipe": "magic"}, 404, "config.unknown_recipe"),
        ({"minutes": None}, 400, "config.not_a_number"),
        ({"data": "own"}, 400, "ui.no_files"),
    ],
)
def test_a_wrong_form_is_a_sentence_and_starts_nothing(changes, status, key, client, store):
    reply = client.post("/gradio_api/gan/runs", json=form_of(**changes))
    assert (reply.status_code, reply.json()["error"]["key"]) == (status, key)
    assert len(reply.content) < 1000
    assert store.list() == []


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"7", b"\xff", b"[" * 100_000])
def test_what_is_no_form_is_a_sentence(body, client):
    reply = client.post("/gradio_api/gan/runs", content=body)
    assert (reply.status_code, reply.json()["error"]["key"]) == (400, "ui.bad_form")


def test_own_pictures_come_from_where_gradio_put_them(client, services, store, tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "gradio"))
    folder = tmp_path / "gradio" / ("a" * 64)
    folder.mkdir(parents=True)
    for number in range(2):
        Image.new("RGB", (9, 9)).save(folder / f"{number}.png")
    files = [str(path) for path in sorted(folder.iterdir())]
    values = dict(zip(fields.keys(), form.defaults("own", "modern"), strict=True))
    reply = client.post(
        "/gradio_api/gan/runs",
        json=form_of(data="own", files=files, values=list({**values, "batch": 2}.values())),
    )
    assert reply.status_code == 200, reply.text
    kept = Path(store.config(reply.json()["run"]).data)
    assert kept.is_relative_to(services.uploads)
    assert [path.read_bytes() for path in sorted(kept.iterdir())] == [
        Path(name).read_bytes() for name in files
    ]


def test_the_log_tells_no_place_of_the_server(client, services, store, ended):
    path = services.uploads / ("0" * 16) / "cats.zip"
    program = Path(form.__file__)
    (store.path(ended) / "worker.log").write_text(
        f'can\'t read {path}\nFile "{program}", line 3\n{store.path(ended)}/config.json 读取{path}\n'
    )
    lines = client.get(f"/gradio_api/gan/runs/{ended}/log").json()["lines"]
    assert lines == [
        "can't read cats.zip",
        'File "gan/ui/train/form.py", line 3',
        f"{ended}/config.json 读取cats.zip",
    ]


def test_a_failed_run_brings_its_log(poll, store, ended):
    (store.path(ended) / "worker.log").write_text("one\ntwo\n")
    assert poll()["run"]["log"] == []
    store.update_status(ended, state="failed", error={"key": "runs.worker_lost", "values": {}, "text": "x"})
    assert poll()["run"]["log"] == ["one", "two"]


def test_a_defect_is_told_as_one_and_not_in_the_words_of_an_exception(poll, store, ended):
    store.update_status(
        ended, state="failed", error={"key": None, "values": {}, "text": "KeyError: 'conv.weight'"}
    )
    (store.path(ended) / "worker.log").write_text(
        "began\nTraceback (most recent call last):\n  File 'a.py'\nKeyError: 'conv.weight'\n"
    )
    answer = poll()
    assert "KeyError" not in json.dumps(answer)
    assert (answer["run"]["status"]["error"]["key"], answer["run"]["log"]) == ("runs.defect", ["began"])


def test_the_page_is_told_of_which_runs_nothing_can_be_resumed(poll, store):
    run_id = store.create(tiny(), state="stopped")
    again = lambda **status: store.update_status(run_id, **status) or poll()["run"]["again"]  # noqa: E731
    assert again(state="stopped"), "taken out of the queue before it began"
    assert not again(state="failed", error={"key": "runs.worker_lost", "values": {}, "text": ""}), (
        "is resumed from nothing"
    )
    write_bytes(store.path(run_id) / "state" / "checkpoint.safetensors", b"step")
    assert not again(state="stopped", error=None)
    assert not again(state="paused")
    for state in ("failed", "paused"):
        assert again(state=state, error={"key": "train.no_sound_checkpoint", "values": {}, "text": ""})
    (store.path(run_id) / "state" / "checkpoint.safetensors").rename(
        store.path(run_id) / "state" / "damaged.safetensors"
    )
    assert again(state="paused", error=None), "its worker was ended before it could say so once more"


def test_the_form_is_offered_every_registry_entry(client):
    offer = client.get("/gradio_api/gan/catalogue").json()
    offered = {(one["kind"], one["name"]) for one in offer["recipes"]}
    assert offered == {(kind, name) for kind in KINDS for name in get_kind(kind).RECIPES}
    main = [(one["kind"], one["name"]) for one in offer["recipes"] if one["main"]]
    kinds = [("images", ("modern", "dcgan", "dcgan_small")), ("points", ("modern",))]
    assert main == [(kind, name) for kind, names in kinds for name in names]
    assert {one["name"] for one in offer["recipes"] if one["failing"]} == {*FAILING, *POINT_FAILING}
    assert {one["kind"] for one in offer["data"]} == {*KINDS}
    for one in offer["data"]:
        assert all(len(values) == len(offer["fields"]) for values in offer["defaults"][one["name"]].values())
    assert offer["data"][0]["name"] == "digits"
    assert list(offer["losses"]) == list(LOSSES)
    assert (offer["losses"]["wasserstein"]["equilibrium"], offer["losses"]["least_squares"]["undecided"]) == (
        None,
        0.5,
    )
    assert all(
        one["loss"] in offer["losses"] and one["penalty"] in offer["penalties"] for one in offer["recipes"]
    )
    for name in ("digits", "grid25", "spiral"):
        assert client.get(f"/gradio_api/gan/thumbnails/{name}.webp").content[8:12] == b"WEBP"
