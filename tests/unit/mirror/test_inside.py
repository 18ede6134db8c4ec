"""Test what a job tells of its end: only what the place holds."""

import json
import shutil
import time

import pytest

from gan.cli.train import main
from gan.errors import UserError
from gan.mirror import fitting
from gan.mirror import mirror as mirrors
from gan.mirror.contents import MANIFEST, read_manifest
from gan.mirror.jobs import inside
from gan.mirror.mirror import Mirror
from gan.mirror.remote import Dataset
from tests.fakes.bucket import TOKEN, fake_hub
from tests.unit.mirror.conftest import STEPS

PLACE = "dataset:owner/runs"


@pytest.fixture
def hub(monkeypatch):
    with fake_hub(monkeypatch) as found:
        yield found


@pytest.fixture
def run(trained, tmp_path, monkeypatch):
    """A finished run on the disk of a job, which copies it at its end alone."""
    store, whole, _ = trained
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    monkeypatch.setattr(inside, "LOOK", 1000.0)
    return shutil.copytree(store.path(whole), tmp_path / "disk" / whole)


def ended(hub, run):
    content = hub.files[PLACE].get(f"{run.name}/ended.json")
    return content and json.loads(content)


def test_the_end_is_told_when_the_last_checkpoint_is_there_however_long_that_takes(hub, run, monkeypatch):
    monkeypatch.setattr(mirrors, "CLOSING", 0.0)
    replace, steps = Dataset.replace, []

    def slow(self, add, last, gone):
        if any("/state/" in path for path in add):
            time.sleep(0.5)  # longer than CLOSING
        if any("ended" in path for path in last):
            manifest = hub.files[PLACE].get(f"{run.name}/{MANIFEST}")
            steps.append(manifest and read_manifest(manifest).step)
        replace(self, add, last, gone)

    monkeypatch.setattr(Dataset, "replace", slow)
    with inside.mirrored(run, PLACE):
        pass
    assert steps == [STEPS]
    assert ended(hub, run) == {"state": "finished", "error": None}


def test_a_job_whose_last_checkpoint_is_missing_there_tells_no_end(hub, run, monkeypatch):
    monkeypatch.setattr(Mirror, "_try_to_copy", lambda self, run_id: None)
    with pytest.raises(UserError) as refused, inside.mirrored(run, PLACE):
        pass
    assert refused.value.key == "jobs.not_copied"
    assert ended(hub, run) is None


def test_a_mirror_that_can_not_be_reached_is_worth_another_attempt_of_torchrun(run, monkeypatch, capsys):
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "none")
    assert main([str(run), "--mirror", "nowhere"]) == 2
    assert "bucket:OWNER/NAME" in capsys.readouterr().err


def test_a_run_that_can_not_be_mirrored_has_failed_and_is_not_tried_again(hub, run, monkeypatch):
    monkeypatch.setattr(fitting, "MAX_ALL", 10)
    said = []
    with inside.mirrored(run, PLACE, said.append):
        pass
    assert ended(hub, run)["state"] == "failed"
    assert ended(hub, run)["error"]["key"] == "mirror.outgrown"
    assert len(said) == 1
