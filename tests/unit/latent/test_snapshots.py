"""Test a run's snapshots: which ones there are, the samples they draw, and their memory."""

import dataclasses
import io

import numpy as np
import pytest
from PIL import Image

from gan.errors import UserError
from gan.latent import snapshots as snapshots_module
from gan.latent.catalogue import read_run
from gan.latent.generator import Model
from gan.latent.point import Point
from gan.latent.serving.model_cache import Explorer
from gan.latent.snapshots import axis, parse_steps
from tests.support.inputs.generators import RUN, tiny_spec, write_checkpoint, write_run, write_snapshot

STEPS = (10, 20, 50)
SPEC = tiny_spec(3)
ID = f"run:{RUN}"


@pytest.fixture
def run(tmp_path):
    """A run with three stored snapshots."""
    run = write_run(tmp_path / "runs", RUN, SPEC, seed=50, step=100, images=6400, classes=["a", "b", "c"])
    for step in STEPS:
        write_snapshot(run, step, SPEC)
    return run


@pytest.fixture
def explorer(tmp_path, run):
    return Explorer(tmp_path / "runs", tmp_path / "checkpoints")


def key(error) -> str:
    return error.value.key


def test_lists_what_can_be_read_with_the_images_that_it_had_seen(explorer, run, tmp_path):
    wanted = [{"step": 10, "images": 640}, {"step": 20, "images": 1280}, {"step": 50, "images": 3200}]
    assert explorer.snapshots.known(ID) == wanted
    (run / "snapshots" / "00000030.safetensors").write_bytes(b"\xff" * 100)
    (run / "snapshots" / "notes.safetensors").write_bytes(b"")
    assert explorer.snapshots.known(ID) == wanted
    write_snapshot(run, 60, SPEC)
    (run / "snapshots" / "00000010.safetensors").unlink()
    assert [each["step"] for each in explorer.snapshots.known(ID)] == [20, 50, 60]
    write_checkpoint(tmp_path / "checkpoints", "digits", SPEC)
    assert explorer.snapshots.known("shipped:digits") == []


@pytest.mark.parametrize("name", ["run:../checkpoints", "run:nothing", "", "run:", "elsewhere:x", "run:\x00"])
def test_an_unknown_run_is_told(explorer, name):
    with pytest.raises(UserError) as error:
        explorer.snapshots.known(name)
    assert key(error) == "latent.unknown_model"


def test_each_row_is_drawn_by_its_own_snapshot(explorer, run):
    newest = explorer.open(ID)
    points = [
        Point(3),
        Point(4, 0.5, 2),
        Point(5, to=9, t=0.7),
        Point(6, other=1, share=0.4, units=((0, 2, 0.0), (1, 1, 4.0))),
    ]
    found = explorer.snapshots.pictures(newest, list(STEPS), points)
    alone = [Model(read_run(ID, run, run / "snapshots" / f"{step:08d}.safetensors")) for step in STEPS]
    wanted = np.concatenate([model.pictures(points).numpy() for model in alone]).astype(int)
    assert np.abs(found.numpy().astype(int) - wanted).max() <= 1
    assert np.abs(wanted[0] - wanted[4]).max() > 4, "snapshots differ"
    assert (
        np.abs(wanted[3] - alone[0].pictures([Point(6, other=1, share=0.4)])[0].numpy().astype(int)).max() > 4
    ), "its units are changed"
    assert np.array_equal(found[-4:].numpy(), newest.pictures(points).numpy()), (
        "the newest has the weights of the last one"
    )


def test_directions_are_those_of_the_newest(explorer):
    newest, moved = explorer.open(ID), Point(3, amounts=(0.0, 2.0))
    z = newest.latent(moved)
    found = explorer.snapshots.pictures(newest, [10], [moved, Point(3, at=tuple(z.tolist()))])
    assert np.array_equal(found[0], found[1])


def test_an_axis_is_the_slider_at_every_whole_number():
    points = axis(Point(3, amounts=(1.0,)), "p2")
    assert [point.amounts for point in points] == [(1.0, 0.0, float(amount)) for amount in range(-3, 4)]
    assert [point.amounts[0] for point in axis(Point(3, amounts=(1.0, 2.0)), "p0")] == [
        -3,
        -2,
        -1,
        0,
        1,
        2,
        3,
    ]
    assert [point.moves for point in axis(Point(3, moves=(("s1", 2.0),)), "s1")][::6] == [
        (("s1", -3.0),),
        (("s1", 3.0),),
    ]
    assert points[3] == dataclasses.replace(points[0], amounts=(1.0, 0.0, 0.0))


def test_a_sheet_has_a_row_for_each_step(explorer):
    newest = explorer.open(ID)
    sheet = Image.open(io.BytesIO(explorer.snapshots.sheet(newest, [10, 50], axis(Point(3), "p1"))))
    assert sheet.size == (7 * 28, 2 * 28)
    assert sheet.info["Software"] == "GANarium"
    one = np.asarray(Image.open(io.BytesIO(explorer.snapshots.sheet(newest, [50], [Point(3)]))))
    assert np.array_equal(np.asarray(sheet)[28:, 84:112], one)


def test_what_went_meanwhile_or_is_damaged_is_told(explorer, run):
    newest = explorer.open(ID)
    explorer.snapshots.sheet(newest, [10], [Point(3)])
    (run / "snapshots" / "00000010.safetensors").unlink()
    with pytest.raises(UserError) as error:
        explorer.snapshots.sheet(newest, [10, 20], [Point(3)])
    assert key(error) == "latent.unknown_snapshot"
    assert error.value.values["choices"] == "20, 50"
    assert str(run) not in str(error.value)
    path = run / "snapshots" / "00000020.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(UserError) as error:
        explorer.snapshots.sheet(newest, [20], [Point(3)])
    assert key(error) == "latent.bad_snapshot"
    write_snapshot(run, 50, tiny_spec(3, z_dim=8))
    with pytest.raises(UserError) as error:
        explorer.snapshots.sheet(newest, [50], [Point(3)])
    assert key(error) == "latent.bad_snapshot"


def test_a_unit_that_there_is_not_is_told(explorer):
    with pytest.raises(UserError) as error:
        explorer.snapshots.sheet(explorer.open(ID), [10], [Point(3, units=((0, 4000, 0.0),))])
    assert key(error) == "latent.unknown_unit"


def test_what_is_written_anew_is_drawn_anew(explorer, run):
    newest = explorer.open(ID)
    before = explorer.snapshots.sheet(newest, [10], [Point(3)])
    assert explorer.snapshots.sheet(newest, [10], [Point(3)]) == before
    (run / "snapshots" / "00000010.safetensors").write_bytes(
        (run / "snapshots" / "00000020.safetensors").read_bytes()
    )
    assert (
        explorer.snapshots.sheet(newest, [10], [Point(3)])
        == explorer.snapshots.sheet(newest, [20], [Point(3)])
        != before
    )


def test_memory_is_bounded_and_apart_from_open_models(explorer, monkeypatch):
    newest = explorer.open(ID)
    explorer.snapshots.pictures(newest, [10, 20, 50], [Point(3)])
    assert len(explorer.snapshots._open) == 3
    assert list(explorer._open) == [ID]
    numbers = next(iter(explorer.snapshots._open.values()))[1]
    monkeypatch.setattr(snapshots_module, "KEPT_NUMBERS", 2 * numbers)
    explorer.snapshots.pictures(newest, [10, 20, 50], [Point(3)])
    assert [path[-20:-12] for path, _ in explorer.snapshots._open] == ["00000020", "00000050"]
    monkeypatch.setattr(snapshots_module, "KEPT_NUMBERS", 1)
    assert explorer.snapshots.pictures(newest, [10, 20], [Point(3)]).shape[0] == 2
    assert len(explorer.snapshots._open) == 1


def test_the_list_is_not_read_from_the_disk_at_every_poll(explorer, run, monkeypatch):
    explorer.snapshots.known(ID)
    monkeypatch.setattr(snapshots_module, "read_model", lambda path: pytest.fail(f"{path} was read again"))
    assert len(explorer.snapshots.known(ID)) == 3


@pytest.mark.parametrize(
    "text", ["", "1,", "x", "-1", "1.5", "1,2,../3", "9" * 30, ",".join(["1"] * 41), "1" * 5000]
)
def test_steps_are_checked(text):
    with pytest.raises(UserError):
        parse_steps(text)


def test_a_sheet_is_not_too_large(explorer):
    with pytest.raises(UserError) as error:
        explorer.snapshots.sheet(explorer.open(ID), [10] * 20, axis(Point(3), "p0"))
    assert key(error) == "latent.too_many"
