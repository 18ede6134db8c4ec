"""Test the routes of the list of runs: names, deletion, kills, start times of queued runs, and disk use."""

import errno
import threading
import time
from pathlib import Path

import psutil
import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient

from gan.files import write_bytes
from gan.recipes import USER_DATA, make_config
from gan.runs import recovery
from gan.ui.explore.routes import explore_routes
from gan.ui.server.requests.uploads import keep_uploads
from gan.ui.server.services import Services
from gan.ui.train import fields, form
from gan.ui.train.routes import train_routes
from tests.fakes.runs import LONG, past, reaches, state, tiny, wait_until
from tests.fakes.worker import SEEDS
from tests.support.inputs.generators import tiny_spec, write_weights

EVIL = "<img src=x onerror=alert(1)>"


@pytest.fixture
def services(store, supervise, tmp_path):
    return Services(
        store=store,
        supervisor=supervise(),
        uploads=store.root / ".uploads",
        checkpoints=tmp_path / "checkpoints",
    )


@pytest.fixture
def client(services):
    return TestClient(
        Starlette(routes=[*train_routes(services), *explore_routes(services)]), raise_server_exceptions=False
    )


@pytest.fixture
def submit(client, monkeypatch):
    """Press Train with these values. The files may be anywhere."""
    monkeypatch.setattr(
        "gan.ui.train.own.received", lambda files, folder: [Path(name) for name in files or []]
    )

    def press(data, files, recipe, minutes, *values):
        reply = client.post(
            "/gradio_api/gan/runs",
            json={"data": data, "files": files, "recipe": recipe, "minutes": minutes, "values": values},
        )
        return {"run": None, "error": None, **reply.json()}

    return press


@pytest.fixture
def post(client):
    return lambda run_id, command, **query: client.post(
        f"/gradio_api/gan/runs/{run_id}/{command}", params=query
    )


@pytest.fixture
def ended(store):
    """A finished run that visitors can explore."""
    return past(
        store,
        tiny(),
        lambda folder: write_weights(folder / "live.safetensors", tiny_spec()),
        state="finished",
        images=1000,
    )


def key(reply) -> tuple[int, str]:
    return reply.status_code, reply.json()["error"]["key"]


# Names


def test_a_name_is_shown_wherever_the_run_is(post, poll, client, ended):
    assert post(ended, "rename", name=f"  {EVIL}\n").json() == {"name": EVIL}
    answer = poll()
    assert (answer["run"]["name"], answer["runs"][0]["name"]) == (EVIL, EVIL)
    assert client.get("/gradio_api/gan/models").json()[0]["name"] == EVIL
    assert post(ended, "rename", name="").json() == {"name": None}
    assert poll()["run"]["name"] is None
    assert key(post(ended, "rename", name="x" * 61)) == (400, "runs.long_name")
    assert key(post("none", "rename", name="x")) == (404, "runs.unknown")
    assert key(
        client.post(f"/gradio_api/gan/runs/{ended}/rename?name=x", headers={"Origin": "http://elsewhere"})
    ) == (403, "access.other_site")
    assert client.get(f"/gradio_api/gan/runs/{ended}/rename").status_code == 405


def test_the_active_run_has_its_name_in_the_header(post, poll, services, store):
    run_id = services.supervisor.submit(tiny(LONG))
    reaches(store, run_id, "running")
    post(run_id, "rename", name="My cats")
    assert poll()["active_run"]["name"] == "My cats"


def test_the_page_is_told_of_a_pause_that_no_worker_has_read(poll, store, ended):
    begins = past(store, tiny(), state="starting")
    assert poll(run=begins)["run"]["pausing"] is False
    store.send(begins, "pause")
    wait_until(lambda: poll(run=begins)["run"]["pausing"])
    store.send(ended, "pause")
    assert poll(run=ended)["run"]["pausing"] is False


# Deletion


def test_a_deleted_run_is_gone_everywhere(post, poll, client, services, store, ended):
    other = store.create(tiny(seed=1), state="stopped")
    assert client.get(f"/gradio_api/gan/model?id=run:{ended}").status_code == 200
    assert poll(run=ended)["run"]["id"] == ended
    assert post(ended, "delete").json() == {"done": "delete"}
    assert [run["id"] for run in poll()["runs"]] == [other]
    assert poll()["run"]["id"] == other
    assert client.get("/gradio_api/gan/models").json() == []
    for path in (
        f"poll?run={ended}",
        f"runs/{ended}/log",
        f"model?id=run:{ended}",
        f"image?id=run:{ended}&seed=1",
        f"wall?id=run:{ended}&seed=1",
    ):
        assert client.get(f"/gradio_api/gan/{path}").status_code == 404, path
    explorer = services.explorer()
    assert not [
        name
        for name in (*explorer._open, *explorer._slots, *explorer._loading, *explorer._catalogue._known)
        if name.removeprefix("run:") == ended
    ]
    assert key(post(ended, "delete")) == (404, "runs.unknown")


def test_the_raw_interface_deletes_no_run_that_trains(post, services, store):
    active, waiting = (services.supervisor.submit(tiny(LONG, seed=seed)) for seed in (1, 2))
    reaches(store, active, "running")
    assert key(post(active, "delete")) == (400, "runs.cant_delete")
    assert post(waiting, "delete").status_code == 200
    assert (state(store, active), services.supervisor.queue(), (store.root / waiting).exists()) == (
        "running",
        [],
        False,
    )


def test_a_run_with_spoilt_files_that_trains_is_not_deleted(post, services, store):
    run_id = services.supervisor.submit(tiny(LONG))
    reaches(store, run_id, "running")
    (store.path(run_id) / "config.json").write_text("{")
    assert key(post(run_id, "delete")) == (400, "runs.cant_delete")
    assert post(run_id, "stop").status_code == 200
    wait_until(lambda: services.supervisor.active() is None)
    assert post(run_id, "delete").status_code == 200


def test_a_page_is_not_disturbed_by_a_worker_that_is_still_leaving_a_deleted_run(
    post, poll, services, store, ended
):
    run_id = services.supervisor.submit(tiny(LONG, seed=SEEDS["slow to leave"]))
    reaches(store, run_id, "running")
    post(run_id, "stop")
    reaches(store, run_id, "stopped")
    post(run_id, "delete")
    assert services.supervisor.active() == run_id
    answer = poll()
    assert (answer["active"], answer["run"]["id"]) == (None, ended)


# Uploads


def draw(folder, name: str) -> list[Path]:
    """Write four images. They differ with the length of the name."""
    pictures = [folder / f"{name}-{number}.png" for number in range(4)]
    for number, path in enumerate(pictures):
        Image.new("RGB", (8, 8), (60 * number, len(name), 0)).save(path)
    return pictures


@pytest.fixture
def cats(services, tmp_path):
    """A function that stores images as the page does. `cats(name)` returns their folder."""
    return lambda name="cat": keep_uploads(draw(tmp_path, name), services.uploads)


def finished_on(store, data) -> str:
    return store.create(make_config(str(data), size=64, channels=3, batch=2), state="finished")


def test_pictures_go_with_the_last_run_that_refers_to_them(post, services, store, cats):
    shared, alone = cats("shared"), cats("alone")
    first, second, third = finished_on(store, shared), finished_on(store, shared), finished_on(store, alone)
    post(first, "delete")
    assert (shared.exists(), alone.exists()) == (True, True)
    post(second, "delete")
    assert (shared.exists(), alone.exists()) == (False, True)
    post(third, "delete")
    assert list(services.uploads.iterdir()) == []


def test_pictures_stay_while_a_damaged_run_may_refer_to_them(post, store, cats, ended):
    kept, damaged = cats(), store.create(tiny(), state="stopped")
    (store.path(damaged) / "config.json").write_text("{")
    post(ended, "delete")
    assert kept.exists()
    post(damaged, "delete")
    assert not kept.exists()


def test_pictures_that_are_about_to_be_trained_on_stay(
    post, services, store, tmp_path, ended, monkeypatch, submit
):
    """A visitor deletes a run after the images were stored, and before their run exists."""
    pictures = draw(tmp_path, "cat")
    replies = []
    deletion = threading.Thread(target=lambda: replies.append(post(ended, "delete")))
    really = services.supervisor.submit

    def slow(*arguments):
        deletion.start()
        time.sleep(0.5)
        return really(*arguments)

    monkeypatch.setattr(services.supervisor, "submit", slow)
    values = dict(zip(fields.keys(), form.defaults(USER_DATA, "modern"), strict=True)) | {"batch": 2}
    answer = submit(USER_DATA, [str(path) for path in pictures], "modern", 5, *values.values())
    deletion.join()
    assert answer["error"] is None
    assert [reply.status_code for reply in replies] == [200]
    assert {path.name for path in next(services.uploads.iterdir()).iterdir()} == {"cat-0-4", "report.json"}
    assert not (store.root / ended).exists()


def test_pictures_that_nobody_trained_on_are_removed_at_the_start(services, store, cats, monkeypatch):
    used, unused = cats("used"), cats("unused")
    finished_on(store, used)
    monkeypatch.setattr(services.supervisor, "start", lambda: None)  # the supervisor runs already
    services.start()
    assert (used.exists(), unused.exists()) == (True, False)


# Space


def test_the_page_is_told_how_much_is_used(post, poll, services, store, ended, submit):
    store.usage.allowed = 5000
    write_bytes(store.path(ended) / "large", bytes(10_000))
    store.usage.forget()
    poll()
    wait_until(lambda: (poll()["storage"]["used"] or 0) > 10_000)
    assert poll()["storage"]["allowed"] == 5000
    assert poll()["runs"][0]["bytes"] > 10_000
    answer = submit("digits", None, "modern", 5, *form.defaults("digits", "modern"))
    assert (answer["run"], answer["error"]["key"]) == (None, "runs.quota")
    answer = submit(USER_DATA, ["/never/looked/at.png"], "modern", 5, *form.defaults(USER_DATA, "modern"))
    assert answer["error"]["key"] == "runs.quota", "before the pictures take even more"
    store.update_status(ended, state="paused")
    assert key(post(ended, "resume")) == (400, "runs.quota")
    post(ended, "delete")
    wait_until(lambda: poll()["storage"]["used"] < 5000)


def test_the_page_is_told_why_a_queued_run_does_not_start(poll, services, store):
    active, waiting = (services.supervisor.submit(tiny(LONG, seed=seed)) for seed in (1, 2))
    reaches(store, active, "running")
    assert poll()["blocked"] is None
    store.usage.allowed = 1
    services.command(active, "stop")
    wait_until(lambda: poll()["blocked"])
    answer = poll(run=waiting)
    assert (answer["blocked"]["key"], answer["queue"], answer["starts"]) == ("runs.quota", [waiting], {})


def test_a_full_disk_is_a_sentence(post, services, store, ended, monkeypatch, tmp_path, submit):
    def refuse(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    store.update_status(ended, state="paused")
    with monkeypatch.context() as patched:
        patched.setattr("gan.files.os.replace", refuse)
        assert key(post(ended, "resume")) == (400, "runs.disk_full")
        assert key(post(ended, "rename", name="My cats")) == (400, "runs.disk_full")
        answer = submit("digits", None, "modern", 5, *form.defaults("digits", "modern"))
        assert answer["error"]["key"] == "runs.disk_full"
    (tmp_path / "a.png").write_bytes(b"picture")
    with monkeypatch.context() as patched:
        patched.setattr(
            "gan.ui.server.requests.uploads.shutil.copyfile",
            lambda source, part: part.write_bytes(b"half") and refuse(),
        )
        answer = submit(USER_DATA, [str(tmp_path / "a.png")], "modern", 5)
        assert answer["error"]["key"] == "runs.disk_full"
        assert not list(services.uploads.rglob("*.part"))
    assert post(ended, "resume").status_code == 200


# More runs than a poll lists


def test_what_trains_and_waits_is_always_listed_and_older_runs_where_they_are_asked_for(
    poll, client, services, store, monkeypatch
):
    made = [
        past(store, tiny(LONG, seed=age), state="paused", created=time.time() - 100 + age) for age in range(9)
    ]
    monkeypatch.setattr("gan.ui.train.run_feed.LISTED", 4)
    monkeypatch.setattr("gan.ui.train.run_feed.FEWEST", 2)
    older = lambda count: client.get("/gradio_api/gan/runs/older", params={"count": count}).json()  # noqa: E731
    # the poll contains sizes only once they are known
    wait_until(lambda: poll()["storage"]["used"] is not None)
    answer = poll()
    assert [run["id"] for run in answer["runs"]] == made[:4:-1]
    assert (answer["total"], [run["id"] for run in older(2)["runs"]]) == (9, [made[4], made[3]])
    assert [run["id"] for run in older(60)["runs"]] == made[4::-1]
    assert (older(60)["older"], older("x")["runs"]) == (answer["older"], [])
    for run_id in (made[0], made[1], made[3], made[2]):  # the oldest of all trains
        services.command(run_id, "resume")
    reaches(store, made[0], "running")
    wait_until(
        lambda: poll()["queue"] == [made[1], made[3], made[2]] and poll()["runs"][0]["state"] == "running"
    )
    answer = poll()
    assert [run["id"] for run in answer["runs"]] == [made[0], made[1], made[3], made[2], made[8], made[7]], (
        "the head of the queue is never cut off"
    )
    assert [run["id"] for run in older(60)["runs"]] == [made[6], made[5], made[4]]
    again = poll(list=answer["list"])
    assert "runs" not in again, "what somebody else asked for makes no poll heavier"
    store.rename(made[4], "Mine")
    renamed = poll(list=answer["list"])
    assert (renamed["older"] != answer["older"], "runs" in renamed) == (True, False), (
        "told, so that who shows it can ask"
    )
    for run_id in made[:4]:
        services.command(run_id, "stop")


# A worker that hangs, and the queue


def test_a_hanging_run_is_shown_and_can_be_ended(post, poll, services, store, monkeypatch):
    monkeypatch.setattr(recovery, "SILENT", 1.0)
    active, waiting = (services.supervisor.submit(tiny(LONG, seed=seed)) for seed in (1, 2))
    reaches(store, active, "running")
    answer = poll()
    assert (answer["run"]["silent"], answer["active_run"]["silent"]) == (None, False)
    assert key(post(active, "end")) == (400, "runs.not_silent")
    assert key(post(waiting, "end")) == (400, "runs.cant_end")
    psutil.Process(store.status(active)["pid"]).suspend()
    wait_until(lambda: poll(run=active)["run"]["silent"])
    answer = poll(run=waiting)
    assert answer["run"]["silent"] is None
    assert answer["active_run"]["silent"], "told in the header"
    assert {run["id"]: run["silent"] for run in answer["runs"]} == {active: True, waiting: False}, (
        "and in the list"
    )
    assert poll()["starts"] == {}, "nobody knows when a run that hangs will end"
    assert post(active, "end").json() == {"done": "end"}
    status = poll(run=active)["run"]["status"]
    assert (status["state"], status["error"]["key"]) == ("paused", "runs.ended_early")
    reaches(store, waiting, "running")


def test_the_queue_tells_when_its_runs_start(poll, services, store):
    active = services.supervisor.submit(tiny(LONG))
    reaches(store, active, "running")
    first, second, third = (
        services.supervisor.submit(tiny(kimg=kimg, minutes=2.0)) for kimg in (0.0, 1.0, 0.0)
    )
    wait_until(lambda: store.status(active)["eta"])
    answer = poll(run=second)
    assert answer["queue"] == [first, second, third]
    assert answer["starts"] == {
        first: pytest.approx(store.status(active)["eta"], abs=10),
        second: answer["starts"][first] + 120,
    }, "nobody knows the third's"
    services.command(second, "cancel")
    answer = poll()
    assert (answer["queue"], answer["starts"][third]) == ([first, third], answer["starts"][first] + 120)
