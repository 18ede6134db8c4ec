"""Test runs in jobs with the real client against a local Hub, whose jobs really train."""

import json
import os
import shutil
import time
from functools import partial

import pytest

from gan.errors import UserError
from gan.export.track import TensorBoard
from gan.mirror.contents import CHECKPOINT
from gan.mirror.jobs import hub as hubs
from gan.mirror.jobs.hub import JobsHub, cost, minutes_left
from gan.mirror.jobs.jobs import FOLDER, Jobs, let_go, refuse_own_data
from gan.mirror.jobs.setup import find_image, find_jobs
from gan.mirror.mirror import Mirror
from gan.mirror.remote import open_remote
from gan.runs import recovery
from gan.runs.store import Store
from gan.runs.supervisor import Supervisor
from gan.train.checkpoint import read_state
from gan.worker.alone import refuse_second_worker
from gan.worker.worker import work
from tests.fakes.bucket import TOKEN, fake_hub
from tests.fakes.jobs import FAIL, FakeJobs
from tests.fakes.runs import PATIENCE, SMALL, tiny, wait_until
from tests.support.processes import forked
from tests.support.processes.forked import Command
from tests.unit.mirror.conftest import state_of

PLACE = "dataset:owner/runs"
IMAGE = "hf.co/spaces/owner/space"
STEPS, HALF = 16, 8


class Bench:
    """A server's part of jobs, with short waits, and the Hub that it asks."""

    def __init__(self, hub, root, grace: float = 600.0):
        self.hub, self.there = hub, hub.jobs
        self.store = Store(root)
        self.store.root.mkdir(parents=True, exist_ok=True)
        self.mirror = Mirror(self.store, open_remote(PLACE, TOKEN))
        self.jobs = Jobs(self.store, self.mirror, JobsHub("owner", TOKEN), IMAGE, 0.0, 0.0, grace)
        self.mirror.prepare()

    def status(self, run):
        return self.store.status(run)

    def until(self, condition) -> None:
        """Look at the jobs until a condition holds."""

        def look():
            self.jobs.work()
            time.sleep(0.1)
            return condition()

        wait_until(look, 5 * PATIENCE)

    def end(self, run) -> str:
        """Follow a run to its end, and return its state."""
        self.until(lambda: not self.jobs.in_job(run))
        return self.status(run)["state"]

    def half(self, run) -> None:
        """Follow a run to the step at which its worker waits."""
        self.until(lambda: self.status(run)["step"] >= HALF and self.status(run)["state"] == "running")


@pytest.fixture
def hub(monkeypatch, tmp_path):
    monkeypatch.delenv("SPACE_ID", raising=False)
    monkeypatch.setattr("gan.hub.client.TIMEOUT", PATIENCE)
    with fake_hub(monkeypatch) as found:
        found.jobs = FakeJobs(tmp_path / "machines")
        yield found
        found.jobs.close()


@pytest.fixture
def bench(hub, tmp_path):
    return Bench(hub, tmp_path / "runs")


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The digest of a run that one local process has trained."""
    store = Store(tmp_path_factory.mktemp("alone") / "runs")
    run = store.create(tiny(STEPS))
    Command("train", store.path(run)).wait(5 * PATIENCE)  # the first fork imports torch
    assert store.status(run)["state"] == "finished"
    return state_of(store.path(run))


def newest_event(run) -> int:
    """Return the images of the newest point that TensorBoard would show."""
    return TensorBoard(run / "tensorboard", {}).last


def everything(root) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file())


def test_a_run_trains_in_a_job_to_the_same_bits_and_looks_like_a_local_one(bench, undisturbed, tmp_path):
    run = bench.jobs.submit(tiny(STEPS, track="tensorboard"), "cpu-basic")
    assert bench.status(run)["state"] == "starting"
    assert bench.status(run)["where"] == {
        "kind": "job", "id": "job0", "flavor": "cpu-basic", "stage": "RUNNING"
    }  # fmt: skip
    spec = bench.there.jobs["job0"].spec
    assert spec["spaceId"] == "owner/space"
    assert spec["command"] == ["python", "-m", "gan", "train", f"{FOLDER}/{run}", "--mirror", PLACE]
    assert spec["timeoutSeconds"] == 60 * (bench.store.config(run).minutes + 15)
    assert (spec["flavor"], spec["attempts"]) == ("cpu-basic", 3)
    assert spec["labels"]["ganarium"] == run
    assert spec["secrets"] == {"HF_TOKEN": TOKEN}
    assert TOKEN not in json.dumps({**spec, "secrets": {}})
    assert bench.end(run) == "finished"

    assert state_of(bench.store.path(run)) == undisturbed
    found = bench.store.get(run)
    assert found["status"]["where"] is None
    assert found["status"]["error"] is None
    assert found["status"]["step"] == STEPS == found["samples"][-1]
    assert [event["key"] for event in found["events"]] == ["in_job"]
    assert bench.store.stats(run)[0][-1]["step"] == STEPS
    assert (bench.store.path(run) / "live.safetensors").exists()
    assert newest_event(bench.store.path(run)) == 8 * STEPS
    here = everything(tmp_path / "runs") + b"".join(bench.hub.files[PLACE].values())
    here += (tmp_path / "machines" / "machine0" / "log").read_bytes()
    assert TOKEN.encode() not in here
    assert str(tmp_path).encode() not in b"".join(bench.hub.files[PLACE].values())

    bench.mirror.work()  # this server's mirror goes on from what the job left
    kept = set(bench.hub.files[PLACE])
    assert not [path for path in kept if "/order/" in path or "/commands/" in path or "ended" in path]
    elsewhere = Store(tmp_path / "elsewhere")
    Mirror(elsewhere, open_remote(PLACE, TOKEN)).work()
    assert elsewhere.status(run)["state"] == "finished"
    assert newest_event(elsewhere.path(run)) == 8 * STEPS
    assert set(bench.hub.files[PLACE]) == kept, "no file is left over, and none is missing"


def test_a_paused_job_goes_on_here_and_in_another_job_with_the_same_bits(bench, undisturbed, tmp_path):
    bench.there.hold = HALF
    run = bench.jobs.submit(tiny(STEPS), "cpu-basic")
    bench.half(run)
    assert bench.status(run)["sample_step"] == HALF
    supervisor = Supervisor(bench.store)
    supervisor._survey()
    bench.store.update_status(run, heartbeat=1.0)
    assert supervisor.active() is None, "the machine here is free"
    assert recovery.find_orphans(bench.store) == set()
    assert recovery.seconds_stalled(bench.status(run)) is None
    assert bench.status(run)["state"] == "running"
    with pytest.raises(UserError, match="job0"):
        refuse_second_worker(bench.store.path(run))
    bench.mirror.work()
    assert bench.mirror.state()["runs"] == 0, "the job alone writes to the place"

    supervisor.pause(run)
    assert bench.end(run) == "paused"
    assert bench.there.cancelled == [], "it paused by itself"
    assert bench.status(run)["error"] is None
    local = shutil.copytree(bench.store.path(run), tmp_path / "copy" / run)
    assert work(local) == "finished"
    assert state_of(local) == undisturbed

    bench.there.hold = 0
    bench.jobs.resume(run, "t4-small")
    assert bench.end(run) == "finished"
    assert state_of(bench.store.path(run)) == undisturbed


def test_a_job_on_several_gpus_trains_on_all_of_them(bench, tmp_path):
    run = bench.jobs.submit(tiny(STEPS), "l4x4")
    spec = bench.there.jobs["job0"].spec
    torchrun = ["torch.distributed.run", "--standalone", "--nproc-per-node=gpu", "--max-restarts=5"]
    assert spec["command"] == [
        "python", "-m", *torchrun, "-m", "gan", "train", f"{FOLDER}/{run}", "--mirror", PLACE
    ]  # fmt: skip
    assert bench.end(run) == "finished"
    assert bench.status(run)["error"] is None
    assert bench.status(run)["step"] == STEPS
    meta = read_state(bench.store.path(run) / CHECKPOINT)[1]
    assert meta["parts"] == 2, "each of both ranks worked on its part"
    assert [event["key"] for event in bench.store.get(run)["events"]] == ["in_job"]
    assert bench.there.jobs["job0"].attempts == 1


def test_a_job_that_dies_begins_anew_and_at_last_pauses_its_run(bench, undisturbed):
    bench.there.hold = HALF
    run = bench.jobs.submit(tiny(STEPS), "cpu-basic")
    bench.half(run)
    job = bench.there.jobs["job0"]
    bench.there.hold = 0
    job.process.kill()
    assert bench.end(run) == "finished"
    assert job.attempts == 2
    assert state_of(bench.store.path(run)) == undisturbed

    bench.there.hold = HALF
    run = bench.jobs.submit(tiny(STEPS), "cpu-basic")
    bench.half(run)
    job = bench.there.jobs["job1"]
    job.spec["attempts"] = 1
    (job.machine / "log").write_text(f"said by the machine {TOKEN}\n")
    job.process.kill()
    assert bench.end(run) == "paused"
    assert bench.status(run)["error"]["key"] == "jobs.ended"
    log = (bench.store.path(run) / "worker.log").read_text()
    assert "said by the machine" in log
    assert TOKEN not in log
    assert work(bench.store.path(run)) == "finished"
    assert state_of(bench.store.path(run)) == undisturbed


def test_a_job_that_waits_for_a_machine_or_vanishes_leaves_its_run_paused(bench):
    bench.there.busy = True
    waits, ends, gone = (bench.jobs.submit(tiny(STEPS), "cpu-basic") for _ in range(3))
    bench.jobs.work()
    assert {bench.status(run)["where"]["stage"] for run in (waits, ends, gone)} == {"SCHEDULING"}
    supervisor = Supervisor(bench.store)
    supervisor.pause(waits)
    supervisor.stop(ends)
    del bench.there.jobs["job2"]
    assert [bench.end(run) for run in (waits, ends, gone)] == ["paused", "stopped", "paused"]
    assert sorted(bench.there.cancelled) == ["job0", "job1"]
    assert bench.status(waits)["error"] is None
    assert bench.status(gone)["error"]["key"] == "jobs.vanished"
    bench.there.end(bench.there.jobs["job0"], "COMPLETED")
    assert bench.hub.files[PLACE] == {}


def test_a_job_that_does_not_obey_is_cancelled_after_its_grace(hub, tmp_path):
    bench = Bench(hub, tmp_path / "runs", grace=0.0)
    bench.there.hold = HALF
    run = bench.jobs.submit(tiny(STEPS), "cpu-basic")
    bench.half(run)
    os.kill(bench.there.jobs["job0"].process.pid, 19)  # SIGSTOP
    Supervisor(bench.store).pause(run)
    assert bench.end(run) == "paused"
    assert bench.there.cancelled == ["job0"]
    assert bench.status(run)["step"] == HALF
    assert (bench.store.path(run) / CHECKPOINT).exists()


@pytest.mark.parametrize(
    ("status", "key"),
    [(401, "not_signed_in"), (402, "no_credit"), (403, "forbidden"), (404, "nowhere"), (429, "too_often")],
)
def test_a_refusal_is_a_sentence_and_leaves_no_run(status, key, bench):
    bench.jobs.hub.flavors()
    bench.there.refuse = status
    with pytest.raises(UserError) as told:
        bench.jobs.submit(tiny(STEPS), "cpu-basic")
    assert told.value.key == f"jobs.{key}"
    assert TOKEN not in str(told.value)
    assert bench.store.list() == []


def test_a_job_that_starts_without_an_answer_is_cancelled(bench):
    bench.there.busy = bench.there.loses = True
    with pytest.raises(UserError, match="refused the job"):
        bench.jobs.submit(tiny(STEPS), "cpu-basic")
    assert bench.there.cancelled == ["job0"]
    assert bench.store.list() == []
    assert bench.hub.files[PLACE] == {}


def test_a_run_stays_at_work_while_the_hub_refuses_and_a_new_server_finds_it(bench, hub, tmp_path):
    bench.there.hold = HALF
    run = bench.jobs.submit(tiny(STEPS), "cpu-basic")
    bench.half(run)
    for refused, key in ((429, "jobs.too_often"), (403, "jobs.forbidden")):
        bench.there.refuse = refused
        bench.jobs.work()
        assert bench.status(run)["state"] == "running"
        assert bench.status(run)["error"]["key"] == key
    bench.there.refuse = None
    bench.jobs.work()
    assert bench.status(run)["error"] is None

    # a Space lost its disk: the run comes from the mirror, and its job from the Hub
    after = Bench(hub, tmp_path / "after")
    before = dict(hub.files[PLACE])
    after.mirror.work()
    assert after.status(run)["where"]["id"] == "job0"
    assert hub.files[PLACE] == before, "the first copies leave the job's files alone"
    after.half(run)
    after.store.send(run, "stop")
    assert after.end(run) == "stopped"
    let_go(bench.store)
    assert bench.status(run)["error"]["key"] == "jobs.not_set_up"
    assert bench.status(run)["state"] == "paused"


def test_a_failure_of_the_training_is_told_and_not_repeated(bench):
    bench.there.hold = FAIL
    run = bench.jobs.submit(tiny(STEPS), "cpu-basic")
    assert bench.end(run) == "failed"
    assert bench.status(run)["error"]["key"] == "train.diverged"
    assert bench.status(run)["error"]["values"] == {"times": "4", "step": "9"}
    assert bench.there.jobs["job0"].attempts == 1
    assert bench.store.resumable(run)


def test_prices_come_from_the_hub_and_own_images_stay_here(bench, monkeypatch, tmp_path):
    flavors = bench.jobs.hub.flavors()
    assert [flavor.name for flavor in flavors] == ["cpu-basic", "t4-small", "l4x4"]
    assert [flavor.gpus for flavor in flavors] == [0, 1, 4]
    assert flavors[1].price == pytest.approx(0.4, rel=1e-3)
    assert cost(flavors[1], 30) == pytest.approx((0.2, 0.3), rel=1e-3)
    assert minutes_left(20, 0.75) == 5
    with pytest.raises(UserError, match="cpu-basic, t4-small, l4x4"):
        bench.jobs.submit(tiny(STEPS), "h200x99")
    with pytest.raises(UserError, match="cats"):
        refuse_own_data(tiny(STEPS).__class__(**{**tiny(STEPS).__dict__, "data": "/home/me/cats"}))
    monkeypatch.setattr(hubs, "_PER_HOUR", {})
    with pytest.raises(UserError):
        JobsHub("owner", TOKEN).flavor("cpu-basic")

    assert find_jobs(bench.store, bench.mirror) is None, "without an image there are no jobs"
    monkeypatch.setenv("SPACE_ID", "owner/space")
    assert find_image() == IMAGE
    with pytest.raises(UserError):
        find_image("not an image")


def look_often() -> None:
    """Let the terminal look at its job as often as Bench, and not every 15 seconds."""
    from gan.cli import job

    job.LOOK = 0.1
    job.Jobs = partial(Jobs, every=0.0)


def test_the_terminal_starts_and_follows_a_job(bench, hub, undisturbed, tmp_path):
    chosen = {"size": 28, "channels": 1, **SMALL, "kimg": STEPS * 8 / 1000, "seed": 0}
    settings = [f"--{name.replace('_', '-')}={value}" for name, value in chosen.items()]
    words = ["train", "--data", "digits", *settings, "--out", "my-run", "--on", "hf-job", "cpu-basic"]
    words += ["--image", IMAGE]
    place = {"folder": tmp_path, "HF_TOKEN": TOKEN, "HF_ENDPOINT": hub.url, "GANARIUM_MIRROR": PLACE}
    done = forked.run(*words, change=look_often, **place)
    assert done.returncode == 0, done.stderr
    assert "$0.01 an hour" in done.stdout
    assert done.stdout.index("an hour") < done.stdout.index("job0")
    assert done.stdout.endswith("my-run: finished\n")
    assert TOKEN not in done.stdout + done.stderr
    assert state_of(tmp_path / "my-run") == undisturbed
    assert json.loads((tmp_path / "my-run" / "status.json").read_text())["step"] == STEPS
    hub.jobs.refuse = 402
    done = forked.run(*words[:-5], "--out", "other", *words[-5:], **place)
    assert done.returncode == 2
    assert "credit" in done.stderr
