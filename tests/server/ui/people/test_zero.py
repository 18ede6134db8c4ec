"""Test ZeroGPU with the real package `spaces` and a fake of its device service."""

import contextlib
import os
import signal
import threading

import httpx
import psutil
import pytest

from gan.export.event_file import FILE, FOLDER
from gan.files import read_lines, write_json
from gan.train.checkpoint import NEWEST, digest, read_state
from gan.worker import worker
from gan.worker.leased import LeasedWorker, prepare
from gan.worker.run_dir import LEASE
from tests.fakes import gpus
from tests.fakes.runs import LONG, reaches, state, tiny, wait_until
from tests.support.processes.events import read_events
from tests.support.processes.leasing import STEPS, made, visited_space

pytest.importorskip("spaces", reason="the package spaces is not installed")

from gan.ui.zero import LEAST, refusal


def weights(run):
    tensors, meta = read_state(run / "state" / NEWEST)
    return meta["step"], digest(tensors)


@pytest.fixture(scope="module")
def space(tmp_path_factory):
    """A Space with ZeroGPU, a visitor, and their runs. Afterwards no child is left."""
    folder = tmp_path_factory.mktemp("zero")
    with visited_space(folder) as visitor:
        visitor.folder = folder
        visitor.sliced = visitor.owns(made(folder, "sliced"))
        visitor.long = visitor.owns(made(folder, "long", LONG, seed=0))
        yield visitor
        left = trains(visitor, visitor.long)
    wait_until(lambda: not any(map(psutil.pid_exists, left)))
    assert visitor.store.status(visitor.long)["state"] == "paused", (folder / "log").read_text()


def trains(visitor, run_id):
    """Lease a run from a thread, and return the processes of the server once the run trains."""

    def lease():
        with contextlib.suppress(httpx.HTTPError):
            visitor.answer = visitor.lease(run_id)

    visitor.waiting = threading.Thread(target=lease)
    visitor.waiting.start()
    before = visitor.store.status(run_id)["step"]
    wait_until(
        lambda: state(visitor.store, run_id) == "running" and visitor.store.status(run_id)["step"] > before
    )
    child = psutil.Process(visitor.store.status(run_id)["pid"])
    return [each.pid for each in child.parent().children()]


def test_the_service_hears_of_the_start_and_the_page_of_the_leases(space):
    assert space.service.asked[0][0] == "/startup-report"
    leases = space.http.get("/poll").json()["leases"]
    assert leases == {"least": 15, "usual": 30, "most": 60, "runs": []}


def test_three_new_children_train_bit_for_bit_as_one_process_for_whoever_sent_the_token(space):
    whole = space.folder / "whole"
    write_json(whole / "config.json", tiny(STEPS, seed=gpus.SLICED).to_json())
    assert worker.work(whole, make=lambda *given: LeasedWorker(*given, end=float("inf"))) == "finished"
    children, before = [], len(space.service.of("/schedule"))
    for number in range(1, 10):
        status, answer = space.lease(space.sliced, 30 + number)
        assert (status, answer["seconds"]) == (200, 30 + number), answer
        children.append(space.store.status(space.sliced)["pid"])
        if answer["state"] == "finished":
            break
        assert (answer["state"], answer["reason"]) == ("paused", LEASE)
    assert len(set(children)) == len(children) >= 2
    assert weights(space.store.path(space.sliced)) == weights(whole)
    asked = space.service.of("/schedule")[before:]
    assert [(one["token"], one["durationSeconds"]) for one in asked] == [
        (gpus.TOKEN, str(31 + number)) for number in range(len(children))
    ]
    assert [one["fail"] for one in space.service.of("/release")] == ["false"] * len(children)
    assert space.lease(space.sliced)[1]["error"]["key"] == "lease.cant", "it is finished"


def test_the_server_sends_what_each_lease_has_trained_to_the_tracker(space):
    run = space.folder / "tracked"
    write_json(run / "config.json", tiny(STEPS, seed=gpus.SLICED, track="tensorboard").to_json())
    prepare(run)
    run_id = space.owns(run)
    path = space.store.path(run_id)
    for _ in range(2):
        assert space.lease(run_id)[0] == 200
        newest = space.store.stats(run_id)[0][-1]["images"]
        wait_until(lambda newest=newest: sent(path)[-1:] == [newest])
    assert sent(path) == sorted(set(sent(path))), "no point comes twice"
    assert len(sent(path)) == 1 + space.store.stats(run_id)[1]


def sent(run):
    """Return the images of each point that TensorBoard has of a run."""
    path = run / FOLDER / FILE
    found = read_events(path) if path.exists() else []
    return [
        event.step
        for event in found
        if any(value.tag != "configuration/text_summary" for value in event.summary.value)
    ]


def test_refusals_are_sentences_with_an_offer(space):
    service, run = space.service, space.long
    service.refuse(left=25, wait=600)
    status, error = space.refused(run)
    assert (status, error["key"], error["values"]) == (
        429,
        "lease.short",
        {"requested": "30", "left": "25", "offer": "24"},
    )
    service.refuse(left=10, wait=600)
    assert space.refused(run)[1]["values"] == {"requested": "30", "left": "10", "wait": "0:10:00"}
    service.refuse(left=0, wait=0, result="runs-exceeded")
    assert space.refused(run)[1]["key"] == "lease.runs"
    service.refuse(left=0, wait=-1, result="illegal-duration")
    assert space.refused(run)[1]["values"] == {"requested": "30", "offer": "15"}
    service.refuse(left=0, wait=5, result="pending-overquota-exceeded")
    assert space.refused(run)[1]["key"] == "lease.credits"
    service.refusals.append((200, {"Content-Type": "text/event-stream"}, b"event: failed\n\n"))
    assert space.refused(run)[1]["key"] == "lease.queue"
    service.refusals.append((503, {}, b""))
    assert space.refused(run)[1]["key"] == "lease.refused"
    service.refuse(left=0, wait=600)
    del space.http.headers["x-ip-token"]
    try:
        assert space.refused(run)[1]["key"] == "lease.space_quota"
    finally:
        space.http.headers["x-ip-token"] = gpus.TOKEN
    for odd in ("", "x", "14", "61", "-20", "9" * 400):
        answer = space.lease(run, odd)[1]["error"]
        assert (answer["key"], answer["values"]["most"]) == ("lease.seconds", "60")


def test_strangers_lease_nothing(space):
    asked = len(space.service.asked)
    with httpx.Client(base_url=space.http.base_url, timeout=600) as stranger:
        assert stranger.post(f"/runs/{space.long}/lease").json()["error"]["key"] == "access.no_visit"
        stranger.headers["cookie"] = stranger.get("/access").headers["set-cookie"].partition(";")[0]
        for command in ("lease", "cpu"):
            answer = stranger.post(f"/runs/{space.long}/{command}")
            assert (answer.status_code, answer.json()["error"]["key"]) == (403, "access.not_yours")
    assert len(space.service.asked) == asked


def test_a_lease_that_is_killed_leaves_a_paused_run_with_a_sentence(space):
    trains(space, space.long)
    assert space.http.get("/poll").json()["leases"]["runs"] == [space.long]
    os.kill(space.store.status(space.long)["pid"], signal.SIGKILL)
    space.waiting.join()
    status, answer = space.answer
    assert (status, answer["error"]["key"]) == (400, "lease.cut")
    shown = space.store.status(space.long)
    assert (shown["state"], shown["error"]["key"]) == ("paused", "lease.cut")
    assert [line["key"] for line in read_lines(space.store.path(space.long) / "events.jsonl")[0]] == [
        "lease_cut"
    ]


def test_a_server_that_is_killed_in_a_lease_takes_its_child_along(tmp_path):
    """The child ends amid its training: nobody is left to pay for the GPU, or to read its answer."""
    with visited_space(tmp_path) as visitor:
        run = visitor.owns(made(tmp_path, "long", LONG, seed=0))
        left = trains(visitor, run)
        child = psutil.Process(visitor.store.status(run)["pid"])
        child.parent().kill()
        visitor.waiting.join()
        wait_until(lambda: not any(map(psutil.pid_exists, left)))
    # A lease that had gone on to its end would have paused the run.
    assert visitor.store.status(run)["state"] == "running"


def test_a_new_run_is_prepared_and_then_waits_for_its_visitor_or_the_cpu(space):
    from gan.ui.train import form

    asked = {"data": "digits", "recipe": "modern", "minutes": 1, "files": []}
    answer = space.http.post("/runs", json={**asked, "values": form.defaults("digits", "modern")}).json()
    run = answer["run"]
    reaches(space.store, run, "paused")
    status = space.store.status(run)
    assert (status["step"], status["reason"], space.store.resumable(run)) == (0, LEASE, True)
    assert space.http.post(f"/runs/{run}/resume").status_code == 200
    wait_until(lambda: space.store.status(run)["reason"] == LEASE and state(space.store, run) == "paused")
    assert space.http.post(f"/runs/{run}/cpu").status_code == 200
    wait_until(lambda: space.store.status(run)["step"] > 0)
    assert space.store.status(run)["leased"] is False
    space.http.post(f"/runs/{run}/stop")
    reaches(space.store, run, "stopped")


@pytest.mark.parametrize(
    ("title", "message", "key"),
    [
        ("ZeroGPU quota exceeded", "(45s requested vs. 32s left). Try again in 1 day, 2:00:00. ", "short"),
        ("ZeroGPU quota exceeded", "(45s requested vs. 20s left). Try again in 2:00:00. ", "quota"),
        ("ZeroGPU quota exceeded", "No GPU was available after 60s. Retry", "queue"),
        ("ZeroGPU client error", "Expired ZeroGPU proxy token", "refused"),
    ],
)
def test_the_offer_counts_in_seconds_of_a_lease(title, message, key):
    error = refusal(title, message, 30)
    assert error.key == f"lease.{key}"
    if key == "short":  # 45 s of quota are 30 s of a lease, so 32 s are 21
        assert error.values["offer"] == 20 >= LEAST
