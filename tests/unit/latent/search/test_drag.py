"""Test dragged points on generators with known places, and on shipped models.

In the known ones points arrive, stay, or are reported as missed. In the shipped models most points arrive.
"""

import dataclasses
import functools
import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from gan.errors import UserError
from gan.latent.catalogue import read_shipped
from gan.latent.generator import Model
from gan.latent.map.sample_bank import as_floats
from gan.latent.point import Point, parse_at
from gan.latent.search.adam import BOUND
from gan.latent.search.drag import STEPS, Drag, disk, distances
from gan.latent.search.drag_job import MAX_PAIRS, DragJob, feature_maps, read_pairs
from tests.benchmarks.search.dragging import dragged
from tests.support.page.browsing import ROOT

# of the planted generators: pixels, and the share of the image's side for one standard deviation of z
SIDE, SCALE = 28, 0.1


class Blobs:
    """A generator of soft spots.

    z moves spot k from `places[k]` by `ways[k]` (z_dim, 2), as shares of the side.
    """

    def __init__(self, places: list, ways: list):
        self.places, self.ways = torch.tensor(places), torch.tensor(ways)

    def centres(self, z: torch.Tensor) -> torch.Tensor:
        return self.places + torch.einsum("zd,kdx->kx", z, self.ways)

    def __call__(self, z: torch.Tensor) -> tuple[torch.Tensor, list[torch.Tensor]]:
        middle = (torch.arange(SIDE) + 0.5) / SIDE
        pixels = torch.stack(torch.meshgrid(middle, middle, indexing="xy"), 2)
        spots = torch.exp(-(pixels - self.centres(z)[:, None, None]).square().sum(3) / 0.005).sum(0)
        image = 2 * spots[None, None].clamp(0, 1) - 1
        return image, [F.avg_pool2d(image, 4), F.avg_pool2d(image, 2), image]


def moved(z_dim: int, **moves: tuple[float, float]) -> list:
    """Return the moves of each number of z, named "z0" and so on, as shares of the side."""
    rows = [[0.0, 0.0] for _ in range(z_dim)]
    for name, move in moves.items():
        rows[int(name[1:])] = list(move)
    return rows


FREE = Blobs([[0.5, 0.5]], [moved(8, z0=(SCALE, 0.0), z1=(0.0, SCALE))])


def drag(look, starts, ends, z=None, **options) -> Drag:
    work = Drag(
        look, torch.zeros(1, 8) if z is None else z, torch.tensor(starts), torch.tensor(ends), **options
    )
    while not work.done:
        work.step()
    return work


@pytest.mark.parametrize("pixels", [(3, 0), (0, -3), (-4, 4), (6, 2)])
def test_a_spot_goes_where_it_is_dragged(pixels):
    end = [0.5 + pixel / SIDE for pixel in pixels]
    work = drag(FREE, [[0.5, 0.5]], [end])
    held = work.held()
    assert (FREE.centres(held.z)[0] - torch.tensor(end)).norm() * SIDE < 0.3, "where it is"
    assert held.away.item() < 0.5, "what is told"
    assert work.away.item() == pytest.approx(math.hypot(*pixels), rel=1e-4)
    assert not held.lost.any()


def test_a_spot_is_dragged_by_its_edge():
    held = drag(FREE, [[0.57, 0.5]], [[0.57, 0.6]]).held()
    assert (FREE.centres(held.z)[0] - torch.tensor([0.5, 0.6])).norm() * SIDE < 0.5


# The first spot moves most by what also moves the second. Both are so near that the image around them may
# change.
PAIR = Blobs(
    [[0.35, 0.5], [0.62, 0.5]],
    [moved(8, z0=(0.0, SCALE / 2), z2=(0.0, SCALE)), moved(8, z2=(0.0, SCALE))],
)


def test_points_that_are_held_stay():
    start, end, other = [0.35, 0.5], [0.35, 0.6], [0.62, 0.5]
    alone = PAIR.centres(drag(PAIR, [start], [end]).held().z)
    assert abs(alone[1, 1] - 0.5) * SIDE > 1, "what moves the one moves the other"
    work = drag(PAIR, [start, other], [end, other])
    both, held = PAIR.centres(work.held().z), work.held()
    assert abs(both[0, 1] - 0.6) * SIDE < 0.5
    assert abs(both[1, 1] - 0.5) * SIDE < 0.3
    assert held.away.max() < 0.5
    assert work.away[1] == 0


@pytest.mark.parametrize("look", [
    Blobs([[0.5, 0.5]], [moved(8, z0=(SCALE, 0.0))]),  # only sideways
    Blobs([[0.5, 0.5]], [moved(8, z1=(0.0, 0.02))]),  # as far as z has its mass, a pixel and a half
], ids=["never", "not so far"])  # fmt: skip
def test_a_target_out_of_reach_is_told_and_spoils_nothing(look):
    work = drag(look, [[0.5, 0.5]], [[0.5, 0.8]])
    held = work.held()
    true = (look.centres(held.z)[0] - torch.tensor([0.5, 0.8])).norm() * SIDE
    assert held.away.item() > 0.75 * work.away.item()
    assert held.away.item() == pytest.approx(true.item(), abs=1.0)
    assert held.z.isfinite().all()
    assert held.z.norm() <= 8**0.5 + 1e-4
    assert look(held.z)[0].max() > 0.7, "the spot is still one"


def test_a_point_that_is_gone_is_lost():
    work = drag(FREE, [[0.5, 0.5]], [[0.6, 0.5]])
    assert not work.held().lost.any()
    work.look = lambda z: (
        torch.full((1, 1, SIDE, SIDE), -1.0),
        [torch.full((1, 1, SIDE // 2, SIDE // 2), -1.0)] * 2,
    )
    assert work.held().lost.all()


@pytest.mark.parametrize("length", [0.5, 2.0])
def test_z_stays_where_it_has_its_mass(length):
    z = torch.randn(1, 8, generator=torch.Generator().manual_seed(0))
    z = z / z.norm() * length * 8**0.5
    start = FREE.centres(z)
    work = Drag(FREE, z, start, torch.full((1, 2), 0.95))
    while not work.done:
        work.step()
        assert work.descent.z.norm() <= max(1.0, length) * 8**0.5 + 1e-3
        assert work.descent.z.abs().max() <= BOUND


def test_the_number_that_chooses_a_look_stays():
    generator = Blobs([[0.5, 0.5]], [moved(8, z0=(SCALE / 2, 0.0), z7=(SCALE, 0.0))])
    z = torch.zeros(1, 8)
    z[0, 7] = 0.3
    start = generator.centres(z)
    assert drag(generator, start.tolist(), (start + torch.tensor([[0.1, 0.0]])).tolist(), z).held().z[
        0, 7
    ] != pytest.approx(0.3, abs=0.1)
    held = drag(
        generator, start.tolist(), (start + torch.tensor([[0.1, 0.0]])).tolist(), z, fixed=True
    ).held()
    assert held.z[0, 7].item() == pytest.approx(0.3, abs=1e-6)
    assert held.away.item() < 0.5


def test_what_was_reached_never_gets_worse():
    work = Drag(FREE, torch.zeros(1, 8), torch.tensor([[0.5, 0.5]]), torch.tensor([[0.6, 0.4]]))
    least = []
    while not work.done:
        work.step()
        least.append(work.least)
    assert least == sorted(least, reverse=True)
    assert least[-1] < 0.03 * least[0]
    assert len(least) == STEPS


def test_lengths():
    places = disk(1.0, 0.5)
    assert len(places) == 13
    assert places.norm(dim=1).max() <= 1
    far = distances(4, torch.tensor([[0.125, 0.125]]), torch.tensor([[0.625, 0.125]]))
    assert far[0].tolist() == pytest.approx([0, 0, 0, 0.25], abs=1e-6)
    assert far[:, 1].tolist() == pytest.approx([0, 0.25, 0.5, 0.75], abs=1e-6)


@functools.cache
def shipped(name: str) -> Model:
    return Model(read_shipped(f"shipped:{name}", ROOT / "checkpoints" / name))


@pytest.mark.parametrize(("name", "left"), [("digits", 1.2), ("landscapes", 2.5)])
def test_most_points_arrive_in_models_that_ship(name, left):
    """A tracker that knows only pixels judges the drags, which are 3 and 8 pixels long."""
    chance = torch.Generator().manual_seed(1)
    found = [dragged(shipped(name), 1002 + k, chance) for k in range(8)]
    assert sum(each["left"] for each in found) / 8 < left
    assert sum(each["arrived"] for each in found) >= 6
    assert sum(each["changed"] for each in found) < 0.5 * sum(each["other"] for each in found), (
        "the rest of the picture is not another one"
    )


def test_the_rest_of_the_picture_is_kept(monkeypatch):
    def changed() -> float:
        chance = torch.Generator().manual_seed(1)
        return sum(dragged(shipped("digits"), 1002 + k, chance)["changed"] for k in range(4))

    kept = changed()
    monkeypatch.setattr("gan.latent.search.drag.KEEP", 0.0)
    assert kept < 0.7 * changed()


def run(work: DragJob, seconds: float = 5.0) -> dict:
    for _ in range(200):
        result = work.advance(seconds)
        if result["state"] == "done":
            return result
    pytest.fail("it never ends")


ARROW = np.array([[0.35, 0.3, 0.45, 0.3]])


def test_a_drag_tells_where_it_is_bit_by_bit():
    work = DragJob(shipped("digits"), Point(7), np.vstack([ARROW, [[0.5, 0.8, 0.5, 0.8]]]))
    result = work.advance(0)
    assert (result["state"], result["step"], result["of"]) == ("dragging", 1, STEPS)
    assert result["from"] == [2.8, 0.0]
    result = run(work)
    assert (result["state"], result["step"]) == ("done", STEPS)
    assert max(result["away"]) < 1
    assert result["points"][0] == pytest.approx([0.45, 0.3], abs=1 / 28)
    assert result["lost"] == [False, False]
    assert run(work) == result, "nothing changes after the end"


def test_a_drag_ends_in_time(monkeypatch):
    monkeypatch.setattr("gan.latent.search.drag_job.LIMIT", 0.0)
    result = DragJob(shipped("digits"), Point(7), ARROW).advance(0)
    assert (result["state"], result["step"]) == ("done", 1)


POINTS = [
    Point(7), Point(7, psi=0.6), Point(7, psi=0.0), Point(7, 0.9, label=3, amounts=(1.0, -0.5),
        overrides=((3, 1.5),)), Point(7, label=2, other=5, share=0.4),
    Point(7, to=12, t=0.7), Point(7, to=12, t=0.2), Point(7, units=((1, 0, 0.0), (1, 5, 3.0))),
]  # fmt: skip


@pytest.mark.parametrize("point", POINTS)
def test_what_is_told_is_the_picture_that_was_reached(point):
    """A visitor who takes over the result, with its sliders at rest, sees the image that the drag saw.

    Class, blend and units are the same, and so is psi where it can be.
    """
    model = shipped("digits")
    work = DragJob(model, point, ARROW)
    assert model.latent(point) == pytest.approx(work._drag.descent.z[0].numpy()), (
        "it begins where the visitor is"
    )
    result = run(work)
    there = dataclasses.replace(point, psi=result["psi"], label=result["label"],
        at=parse_at({"at": result["at"]}, model.spec), amounts=(), overrides=(), moves=(),
                                to=None, t=0.0)  # fmt: skip
    assert result["psi"] == (point.psi or 1.0)
    assert model._class(there) == model._class(point)
    with torch.inference_mode():
        reached = feature_maps(model, point)(work._drag.best)[0]
    assert (as_floats(model.pictures([there])) - reached).abs().max() < 0.05  # `at` is rounded to 1/4096
    assert (result["label"] is None) == (point.label is None and point.t < 0.5)


def test_units_that_are_switched_off_are_off_while_points_are_dragged():
    off = Point(7, units=tuple((1, unit, 0.0) for unit in range(8)))
    z = torch.from_numpy(shipped("digits").latent(off))[None]
    plain, without = (feature_maps(shipped("digits"), point)(z)[0] for point in (Point(7), off))
    assert (plain - without).abs().max() > 0.1


def test_a_psi_too_small_for_what_was_reached_becomes_1():
    model = shipped("digits")
    work = DragJob(model, Point(7, psi=0.01), ARROW)
    work._drag.best, work._drag.descent.steps = torch.full((1, model.spec.z_dim), 0.5), STEPS
    assert work.advance(0)["psi"] == 1.0


@pytest.mark.parametrize(("value", "key"), [
    (None, "bad_pairs"), ("x", "bad_pairs"), ({}, "bad_pairs"), ([1, 2, 3, 4], "bad_pairs"),
    ([[1, 2, 3]], "bad_pairs"), ([[0, 0, 1, 1.01]], "bad_pairs"),
    ([[-0.01, 0, 1, 1]], "bad_pairs"), ([[0, 0, 1, float("nan")]], "bad_pairs"),
    ([[0, 0, 1, float("inf")]], "bad_pairs"), ([[0, 0, 1, 10**400]], "bad_pairs"),
    ([[0, 0, 1, True]], "bad_pairs"), ([[0, 0, 1, "1"]], "bad_pairs"), ([[0, 0, 1, None]], "bad_pairs"),
    ([[0, 0, 1, 1]] * (MAX_PAIRS + 1), "too_many_pairs"),
    ([], "nothing_moves"), ([[0.2, 0.3, 0.2, 0.3]] * 2, "nothing_moves"),
])  # fmt: skip
def test_pairs_that_are_none_get_a_sentence(value, key):
    with pytest.raises(UserError) as info:
        read_pairs(value)
    assert info.value.key == f"latent.{key}"


def test_pairs_at_the_edges_are_read():
    assert read_pairs([[0, 0, 1, 1], [0.5, 1, 0.5, 1]] * (MAX_PAIRS // 2)).shape == (MAX_PAIRS, 4)
    result = run(DragJob(shipped("digits"), Point(1), read_pairs([[0, 0, 1, 1], [1, 0, 1, 0]])))
    assert all(0 <= value <= 1 for place in result["points"] for value in place)
    assert np.isfinite(result["away"]).all()


@pytest.mark.parametrize("architecture", ["dcgan", "modern"])
def test_every_architecture_can_be_dragged(tmp_path, architecture):
    from gan.models import ModelSpec
    from tests.support.inputs.generators import write_checkpoint

    spec = ModelSpec(architecture, 64 if architecture == "dcgan" else 32, 3, 6, 8, 0)
    model = Model(read_shipped("shipped:x", write_checkpoint(tmp_path, "x", spec)))
    work = DragJob(model, Point(1), ARROW)
    assert (
        feature_maps(model, Point(1))(work._drag.descent.z)[1][work._drag.layer].shape[-1] == spec.size // 2
    )
    assert run(work)["state"] == "done"
