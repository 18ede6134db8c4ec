"""Test leases: a chain of them ends with the bits of one process, and measures nothing."""

import dataclasses
import shutil
from pathlib import Path

import pytest
import torch
from PIL import Image

from gan import data
from gan.device import Device
from gan.files import read_json, read_lines, write_json
from gan.kinds import parse_config
from gan.kinds.images import engine
from gan.runs.store import Store
from gan.train.autotune import measure
from gan.train.checkpoint import NEWEST, digest, read_state
from gan.train.parallel.team import ALONE, Team
from gan.worker import decoded, leased, ranks, worker
from gan.worker.leased import LeasedWorker, lease, prepare
from gan.worker.run_dir import LEASE
from tests.fakes.runs import tiny

STEPS = 24


def made(folder, name):
    run = folder / name
    write_json(run / "config.json", tiny(STEPS, clusters=2).to_json())
    return run


def weights(run):
    tensors, meta = read_state(run / "state" / NEWEST)
    return meta["step"], digest(tensors)


@pytest.fixture
def no_self_test(monkeypatch):
    def measured(picked):
        raise AssertionError("a lease measured the machine")

    monkeypatch.setattr(measure, "measure", measured)
    monkeypatch.setattr(worker, "CHUNK_SECONDS", 0.0)  # a chunk is one step


def test_a_chain_of_leases_ends_with_the_bits_of_one_process(no_self_test, tmp_path, monkeypatch):
    whole, chain = made(tmp_path, "whole"), made(tmp_path, "chain")
    assert worker.work(whole, make=lambda *given: LeasedWorker(*given, end=float("inf"))) == "finished"
    assert prepare(chain) == "paused"
    status = read_json(chain / "status.json")
    assert (status["step"], status["reason"], status["leased"]) == (0, LEASE, False)
    assert Store(tmp_path).resumable("chain")

    stops = iter((5, 5, 17, STEPS + 1))  # the second lease has no time to train

    def up_to(step):
        monkeypatch.setattr(LeasedWorker, "out_of_time", lambda self: self.trainer.step >= step)
        return lease(str(chain), 60)

    answers = [up_to(step) for step in stops]
    assert [(one["state"], one["reason"], one["step"]) for one in answers] == [
        ("paused", LEASE, 5),
        ("paused", LEASE, 5),
        ("paused", LEASE, 17),
        ("finished", None, STEPS),
    ]
    assert all(one["prepare"] > 0 and one["end"] > 0 for one in answers)
    assert weights(chain) == weights(whole)
    assert [line["key"] for line in read_lines(chain / "events.jsonl")[0]] == []
    assert read_json(chain / "status.json")["leased"]


def test_a_lease_without_time_trains_nothing_and_a_pause_has_no_reason(no_self_test, tmp_path, monkeypatch):
    run = made(tmp_path, "run")
    prepare(run)
    assert lease(str(run), 2, margin=2)["step"] == 0
    Store(tmp_path).send("run", "pause")
    answer = lease(str(run), 600)
    assert (answer["state"], answer["reason"]) == ("paused", None)
    assert answer["step"] < STEPS


def test_an_error_in_a_lease_is_in_the_status(no_self_test, tmp_path, monkeypatch):
    run = made(tmp_path, "run")
    prepare(run)
    monkeypatch.setattr(leased.LeasedWorker, "out_of_time", lambda self: 1 / 0)
    assert lease(str(run), 60)["state"] == "failed"
    assert "ZeroDivisionError" in read_json(run / "status.json")["error"]["text"]


def own_images(folder: Path) -> str:
    """Write 20 images of each of two classes, and return their folder."""
    for name, shade in (("a", 40), ("b", 200)):
        (folder / name).mkdir(parents=True)
        for index in range(20):
            Image.new("L", (28, 28), shade + index).save(folder / name / f"{index}.png")
    return str(folder)


def test_own_images_are_decoded_once_and_the_bits_stay(no_self_test, tmp_path, monkeypatch):
    settings = dataclasses.replace(tiny(4, conditional=True), data=own_images(tmp_path / "images"))
    runs = [tmp_path / name for name in ("whole", "chain")]
    for run in runs:
        write_json(run / "config.json", settings.to_json())
    whole, chain = runs
    assert worker.work(whole, make=lambda *given: LeasedWorker(*given, end=float("inf"))) == "finished"
    prepare(chain)
    with monkeypatch.context() as patch:
        patch.setattr(engine, "load", lambda config: pytest.fail("decoded anew"))
        assert lease(str(chain), 600)["state"] == "finished"
    assert weights(chain) == weights(whole)
    config = parse_config(read_json(chain / "config.json"))
    assert decoded.kept(chain, dataclasses.replace(config, size=32)) is None
    decoded.keep(chain, config, data.load(config.data, 28, 1))
    (chain / decoded.FILE).write_bytes(b"no safetensors")
    assert decoded.kept(chain, config) is None


def test_the_ranks_of_a_team_share_one_file_of_images(no_self_test, tmp_path, monkeypatch):
    run = tmp_path / "run"
    settings = dataclasses.replace(tiny(4, conditional=True), data=own_images(tmp_path / "images"))
    write_json(run / "config.json", settings.to_json())
    (tmp_path / "images" / "a" / "broken.png").write_bytes(b"no image")
    first = worker.Worker(run, lambda status: None, team=Team(0, 2))
    mine = first._share(first.engine.recognise(first.config, first.load_data(), run, None).data)
    assert mine.report.count == 40
    assert mine.report.left_out, "the first rank still tells what it left out"
    monkeypatch.setattr(engine, "load", lambda config: pytest.fail("decoded anew"))
    other = ranks._build(run, ALONE, Device("cpu", "CPU", 1), kept=True)
    assert torch.equal(other.batches.images, mine.images)
    assert worker.work(run, make=lambda *given: LeasedWorker(*given, end=float("inf"))) == "finished"
    assert not (run / decoded.FILE).exists(), "a run that ended needs no images"
    monkeypatch.setattr(shutil, "disk_usage", lambda place: shutil._ntuple_diskusage(100, 0, 60_000))
    decoded.keep(run, settings, mine)
    assert not (run / decoded.FILE).exists(), "it would take more than half of what is free"


@pytest.mark.parametrize("state", ["stopped", "failed"])
def test_a_run_that_its_server_ends_keeps_no_images(store, state):
    run_id = store.create(tiny(4))
    kept = store.path(run_id) / decoded.FILE
    kept.write_bytes(b"images")
    store.update_status(run_id, state="paused")
    assert kept.exists()
    store.update_status(run_id, state=state)
    assert not kept.exists()
