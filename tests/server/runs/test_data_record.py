"""Test the record by which a run knows its images, and runs that lost or never had one."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from gan.files import read_json, write_json
from gan.kinds.images import identity
from gan.train.checkpoint import digest, read_state
from gan.worker.worker import work
from tests.support.engine import tiny_data
from tests.support.inputs.own_data import (
    CHECKPOINTS,
    add_class,
    ends_as_if_left_alone,
    events,
    refused,
)
from tests.support.processes import forked

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize(
    "damage",
    [
        Path.unlink,
        lambda path: path.write_text("{}"),
        lambda path: path.write_bytes(path.read_bytes()[:-300]),
    ],
)
def test_without_its_record_a_run_knows_its_pictures_from_its_checkpoint(damage, run, begun):
    whole = (run / "data.json").read_bytes()
    damage(run / "data.json")
    (run.parent / "grow" / "cat" / "02.png").rename(run.parent / "away.png")
    assert "(39, were 40)" in str(refused(run))
    (run.parent / "away.png").rename(run.parent / "grow" / "cat" / "02.png")
    assert work(run) == "finished"
    assert (run / "data.json").read_bytes() == whole
    assert ends_as_if_left_alone(run, begun)


def forget(run: Path) -> None:
    """Remove the records that a run of an older version lacks."""
    (run / "data.json").unlink()
    for name in CHECKPOINTS:
        if (run / name).exists():
            tensors, meta = read_state(run / name)
            del meta["counters"]["data"]
            text = json.dumps(meta)
            save_file(tensors, run / name, metadata={"trainer": text, "sha256": digest(tensors, text)})


def test_a_run_that_never_kept_a_record_goes_on_and_begins_one(run, begun):
    forget(run)
    assert work(run) == "finished"
    assert events(run) == ["pictures_unknown"]
    assert ends_as_if_left_alone(run, begun)
    assert identity.read(run, {}).count == 40


@pytest.mark.parametrize(
    "change", [lambda grow: (grow / "cat" / "02.png").unlink(), lambda grow: add_class(grow, "fish")]
)
def test_a_sound_checkpoint_of_other_shapes_is_never_called_damaged(change, run):
    forget(run)
    change(run.parent / "grow")
    before = {name: (run / name).read_bytes() for name in CHECKPOINTS if (run / name).exists()}
    done = forked.run("train", run)
    assert done.returncode == 2
    assert "is sound, but belongs to other settings or images" in done.stderr
    assert "--anew" not in done.stderr
    assert {name: (run / name).read_bytes() for name in before} == before
    assert read_json(run / "status.json")["state"] == "paused"


def test_so_is_one_whose_settings_were_changed(run):
    write_json(run / "config.json", {**read_json(run / "config.json"), "width": 16})
    assert refused(run).key == "train.other_checkpoint"


def test_the_same_pictures_twice_keep_their_places():
    """The tensor does not depend on which of two equal images comes first."""
    some = tiny_data(count=12)
    dataset = replace(
        some,
        images=some.images[torch.tensor([0, 0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])],
        labels=some.labels.clone(),
    )
    dataset.labels[1] = dataset.labels[0]
    known = identity.identify(dataset, True)
    order = torch.randperm(12, generator=torch.Generator().manual_seed(2))
    found, again, event = identity.as_it_began(
        replace(dataset, images=dataset.images[order], labels=dataset.labels[order]), known, True
    )
    assert torch.equal(found.images, dataset.images)
    assert torch.equal(found.labels, dataset.labels)
    assert (again, event) == (known, None)


def test_without_classes_folders_do_not_matter():
    dataset = tiny_data(count=12)
    known = identity.identify(dataset, False)
    assert known.classes == ()
    assert identity.as_it_began(replace(dataset, labels=None, classes=()), known, False)[2] is None


@pytest.mark.parametrize("value", [None, [], {}, {"classes": 3}, "x"])
def test_a_record_that_is_none(value):
    with pytest.raises(ValueError, match="no record"):
        identity.Identity.from_json(value)


def test_a_record_comes_back_as_it_was():
    known = identity.identify(tiny_data(count=12), True)
    assert identity.Identity.from_json(json.loads(json.dumps(known.to_json()))) == known
    assert identity.Identity.from_json(known.short()) == replace(known, marks=b"", file_marks=b"")
    for name in known.short():
        with pytest.raises(ValueError, match="no record"):
            identity.Identity.from_json({**known.to_json(), name: {"x": 1}})
