"""Test runs that begin with another model's weights, and runs that go on after their end."""

import contextlib
import json
import subprocess
import sys

import pytest

from gan.cli.train import main as train
from gan.cli.train import new_run
from gan.errors import UserError
from gan.export.checkpoint import make_card
from gan.files import read_json, read_lines, write_json
from gan.kinds.points.recipes import make_config as make_points
from gan.runs.more import extend, extensions
from gan.runs.recovery import settle_growth
from gan.runs.store import Store
from gan.runs.supervisor import Supervisor
from gan.train.checkpoint import NEWEST, digest, read_state
from gan.train.trainer import Trainer
from gan.worker import growth, worker
from tests import ROOT
from tests.fakes.runs import FAKE_WORKER, state, tiny
from tests.support.processes.killing import killed_before

STEPS = 24
KILLED = killed_before(STEPS - 4)


class Gone(BaseException):
    """Ends a worker at once, as a kill does: it saves nothing."""


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """A finished run with its checkpoint, to start from."""
    run = tmp_path_factory.mktemp("source") / "source"
    write_json(run / "config.json", tiny(6, clusters=1).to_json())
    assert worker.work(run) == "finished"
    return run


def begin(source, run):
    """Make a run with other settings that begins with the source's weights."""
    settings = {"start_from": str(source), "batch": 8, "kimg": STEPS * 8 / 1000, "clusters": 2, "seed": 4}
    return new_run(settings, run)


def events(run):
    return [(line["key"], line["values"]) for line in read_lines(run / "events.jsonl")[0]]


def weights(run):
    tensors, meta = read_state(run / "state" / NEWEST)
    return meta["step"], digest(tensors)


def test_both_end_with_the_same_bits_after_kills_and_the_card_says_where_they_come_from(
    source, tmp_path, monkeypatch
):
    calm, killed = begin(source, tmp_path / "calm"), begin(source, tmp_path / "killed")
    assert worker.work(calm) == "finished"
    ended = subprocess.run(
        [sys.executable, "-c", KILLED, str(killed)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ended.returncode == -9, ended.stderr
    assert 0 < weights(killed)[0] < STEPS
    assert worker.work(killed) == "finished"
    assert weights(calm) == weights(killed) == (STEPS, weights(calm)[1])
    assert train([str(calm), "--more", str(STEPS * 8 / 1000)]) == 0
    extend(killed, worker.read_config(killed), STEPS * 8 / 1000)
    step = Trainer._next_step

    def gone(self):
        if self.step == STEPS + 9:
            raise Gone
        return step(self)

    with monkeypatch.context() as patched:
        patched.setattr(Trainer, "_next_step", gone)
        with pytest.raises(Gone):
            worker.work(killed)
    assert worker.work(killed) == "finished"
    assert weights(calm) == weights(killed) == (2 * STEPS, weights(calm)[1])
    check_history(source, calm)


def check_history(source, run):
    """Check what the events and the card of the undisturbed run say."""
    card = make_card(run, "Calm")
    start = card["started_from"]
    assert (start["id"], start["discriminator"], start["classes"]) == ("run:source", "loaded", "anew")
    assert card["extended"] == [{"at_images": STEPS * 8, "kimg": STEPS * 8 / 1000}]
    began, anew, more = events(run)
    assert began == ("began_from", {"title": start["title"], "digest": start["weights"]})
    assert anew == ("classes_anew", {})
    assert more[0] == "more_images"
    assert str(source) not in json.dumps([card, events(run), read_json(run / "config.json")])
    assert read_json(run / "status.json")["progress"] == 1.0


def test_a_run_starts_anew_from_its_own_copy_and_says_so_where_the_model_is_gone(source, tmp_path, capsys):
    run = begin(source, tmp_path / "run")
    config = read_json(run / "config.json")
    assert (config["start_from"], config["width"], config["z_dim"]) == ("run:source", 8, 16)
    other = tmp_path / "other"
    write_json(other / "config.json", {**config, "start_from": "run:gone"})
    assert train([str(other)]) == 2
    assert "“run:gone”" in capsys.readouterr().err
    assert worker.work(run) == "finished"
    first = (run / "samples" / "00000000.webp").read_bytes()
    assert train([str(run), "--anew"]) == 0
    assert (run / "samples" / "00000000.webp").read_bytes() == first


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        ({"width": 16}, "start.shape"),
        ({"recipe": "dcgan"}, "start.recipe"),
        ({"start_from": "nowhere"}, "latent.unknown_place"),
        ({"start_from": "run:nowhere"}, "latent.unknown_model"),
    ],
)
def test_what_does_not_fit_is_told_before_a_run_exists(settings, key, source, tmp_path):
    with pytest.raises(UserError) as refused:
        new_run({"start_from": str(source), **settings}, tmp_path / "run")
    assert refused.value.key == key
    assert not (tmp_path / "run").exists()


@pytest.fixture
def boss(tmp_path):
    """A supervisor that starts nothing, with a finished run of five minutes."""
    boss = Supervisor(Store(tmp_path), FAKE_WORKER)
    run_id = boss.store.create(tiny(kimg=0.0, minutes=5.0))
    boss.store.update_status(run_id, state="finished", images=640, progress=1.0)
    (boss.store.path(run_id) / "state").mkdir()
    (boss.store.path(run_id) / "state" / NEWEST).write_bytes(b"weights")
    return boss, run_id


def test_a_finished_run_goes_back_to_the_queue(boss):
    supervisor, run_id = boss
    supervisor.extend(run_id, 2.5)
    assert supervisor.queue() == [run_id]
    assert supervisor.store.config(run_id).minutes == 7.5
    path = supervisor.store.path(run_id)
    assert events(path) == [("more_minutes", {"more": "2.5", "total": "7.5", "images": 640})]
    assert extensions(path) == [{"at_images": 640, "minutes": 2.5}]
    supervisor.cancel(run_id)
    assert state(supervisor.store, run_id) == "paused"
    supervisor.command(run_id, "restart")
    assert supervisor.store.config(run_id).minutes == 7.5
    assert events(path)[-1] == ("restarted", {})
    assert extensions(path) == [], "it has the larger budget from its new start"


@pytest.mark.parametrize(
    ("more", "key"),
    [
        (0.0, "config.range"),
        (-1.0, "config.range"),
        (10076.0, "config.range"),
        (float("nan"), "config.not_a_number"),
        (float("inf"), "config.not_a_number"),
        ("5", "config.not_a_number"),
    ],
)
def test_an_impossible_budget_changes_nothing(more, key, boss):
    supervisor, run_id = boss
    with pytest.raises(UserError) as refused:
        supervisor.extend(run_id, more)
    assert refused.value.key == key
    assert (supervisor.store.config(run_id).minutes, state(supervisor.store, run_id)) == (5.0, "finished")
    assert extensions(supervisor.store.path(run_id)) == []


class Writes:
    """Lets the first `left` writes of a module happen, and ends the process before the next one."""

    def __init__(self, monkeypatch, module, left):
        self.left = left
        for name in ("write_json", "append_line"):
            monkeypatch.setattr(module, name, self.counted(getattr(module, name)))

    def counted(self, write):
        def write_or_die(*arguments):
            if not self.left:
                raise Gone
            self.left -= 1
            write(*arguments)

        return write_or_die


def recovered_by_a_server(run):
    settle_growth(Store(run.parent))


def recovered_by_a_worker(run):
    worker.Worker(run, lambda status: None)


@pytest.mark.parametrize("recover", [recovered_by_a_server, recovered_by_a_worker])
@pytest.mark.parametrize("left", range(5))
def test_a_kill_amid_an_extension_neither_hides_nor_doubles_it(left, recover, boss, monkeypatch):
    supervisor, run_id = boss
    path = supervisor.store.path(run_id)
    with monkeypatch.context() as patched, contextlib.suppress(Gone):
        Writes(patched, growth, left)
        supervisor.extend(run_id, 2.5)
    recover(path)
    given = left > 0
    assert supervisor.store.config(run_id).minutes == (7.5 if given else 5.0)
    assert extensions(path) == [{"at_images": 640, "minutes": 2.5}] * given
    if given:  # whoever asks again is told, and doubles nothing
        with pytest.raises(UserError, match=r"paused|queued"):
            supervisor.extend(run_id, 2.5)
    else:
        supervisor.extend(run_id, 2.5)
    recover(path)
    assert supervisor.store.config(run_id).minutes == 7.5
    assert extensions(path) == [{"at_images": 640, "minutes": 2.5}]
    assert growth.FIELD not in read_json(path / "status.json")


def test_a_restart_at_the_terminal_keeps_the_budget_that_a_kill_left_in_the_status(tmp_path, monkeypatch):
    run = tmp_path / "run"
    write_json(run / "config.json", tiny(1, clusters=1).to_json())
    assert worker.work(run) == "finished"
    config = worker.read_config(run)
    with monkeypatch.context() as patched:
        Writes(patched, growth, 1)
        with pytest.raises(Gone):
            extend(run, config, 0.064)
    before = config.budget_images
    assert train([str(run), "--anew"]) == 0
    assert worker.read_config(run).budget_images == before + 64
    assert read_json(run / "status.json")["images"] == before + 64


@pytest.mark.parametrize("growing", [3, {}, {"budget": {"minutes": "x"}, "event": {}}, {"budget": {"no": 1}}])
def test_a_damaged_extension_says_so(growing, boss):
    supervisor, run_id = boss
    path = supervisor.store.path(run_id)
    supervisor.store.update_status(run_id, state="paused", **{growth.FIELD: growing})
    settle_growth(supervisor.store)
    with pytest.raises(UserError):
        growth.settle(path)
    assert supervisor.store.config(run_id).minutes == 5.0


@pytest.mark.parametrize("found", ["queued", "paused", "stopped", "failed", "running"])
def test_only_a_finished_run_can_be_given_more(found, boss):
    supervisor, run_id = boss
    supervisor.store.update_status(run_id, state=found)
    with pytest.raises(UserError) as refused:
        supervisor.extend(run_id, 1.0)
    assert refused.value.key == "runs.cant_more"


def test_a_finished_run_without_a_checkpoint_says_so(boss):
    supervisor, run_id = boss
    (supervisor.store.path(run_id) / "state" / NEWEST).unlink()
    with pytest.raises(UserError) as refused:
        supervisor.extend(run_id, 1.0)
    assert refused.value.key == "runs.more_without_checkpoint"


def test_a_budget_grows_in_its_own_unit():
    assert tiny(kimg=1.0).longer(0.5).kimg == 1.5
    assert tiny(kimg=0.0, minutes=2.0).longer(0.5).minutes == 2.5
    assert make_points(steps=500).longer(1.5).steps == 2000
    assert make_points(minutes=1.0).longer(2.0).minutes == 3.0


def test_more_minutes_make_the_schedules_go_by_the_whole_budget(source, tmp_path):
    """Test the forecast at the first step after a budget in minutes has grown."""
    run = tmp_path / "run"
    write_json(run / "config.json", tiny(kimg=0.0, minutes=0.05, clusters=1).to_json())
    assert worker.work(run) == "finished"
    extend(run, worker.read_config(run), 10.0)
    resumed = worker.Worker(run, lambda status: None)
    resumed.prepare()
    left = 60 * 10.05 - resumed.elapsed
    assert resumed.progress == pytest.approx(resumed.elapsed / (60 * 10.05))
    trainer = resumed.trainer
    assert trainer.total_images == pytest.approx(trainer.images_seen + resumed.rate * left)
