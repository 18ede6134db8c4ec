"""Test the sheet of a run on points: its dots lie at the points, and its field shows D's logits."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from gan.kinds.points import build_thumbnails, data, field, sheet, thumbnail
from gan.kinds.points.data import Box, PointSet
from gan.objectives import LOSSES

RIGHT_IS_REAL = torch.nn.Linear(2, 1)
RIGHT_IS_REAL.weight.data = torch.tensor([[5.0, 0.0]])
RIGHT_IS_REAL.bias.data.zero_()


def D(points: torch.Tensor) -> torch.Tensor:
    """A discriminator whose logits are 5 x."""
    return RIGHT_IS_REAL(points).squeeze(1)


def drawn(real, fake, loss="nonsaturating"):
    points = PointSet("some", torch.tensor(real), Box(0, 0, 1))
    made = sheet.draw_sheet(points, torch.tensor(fake), D, loss)
    picture = Image.open(io.BytesIO(made))
    assert picture.format == "WEBP"
    assert picture.size == (sheet.SIZE, sheet.SIZE)
    return np.asarray(picture.convert("RGB")).astype(int)


def near(colour, wanted):
    return np.abs(colour - np.array(wanted)).max() < 60


def test_dots_and_field_lie_where_they_belong():
    block = [
        (0.5 + x / 300, 0.5 + y / 300) for x in range(-6, 7) for y in range(-6, 7)
    ]  # WebP blurs the colour of a single dot
    picture = drawn(block, [(-x, -y) for x, y in block])
    at = round((0.5 / field.VIEW + 1) / 2 * sheet.SIZE)
    assert near(picture[sheet.SIZE - at, at], sheet.REAL)
    assert near(picture[at, sheet.SIZE - at], sheet.FAKE)
    assert near(picture[10, -10], field.REAL)
    assert near(picture[10, 10], field.FAKE)
    assert near(picture[10, sheet.SIZE // 2], field.NEUTRAL)


def test_samples_beyond_the_view_lie_on_its_edge_and_nan_is_left_out():
    picture = drawn([(0.0, 0.0)], [(-9.0, y / 100) for y in range(-100, 100)] + [(float("nan"), 0.0)])
    assert (picture[60:-60, 1] - picture[60:-60, 40]).mean() < -20


@pytest.mark.parametrize("loss", LOSSES)
def test_the_neutral_logit_is_the_loss_s_own_or_lies_between_real_and_fake(loss):
    real, fake = torch.tensor([[0.4, 0.0], [0.8, 0.0]]), torch.tensor([[0.2, 0.0]])
    expected = {"least_squares": 0.5, "nonsaturating": 0.0, "hinge": 0.0}.get(loss, 2.0)
    assert sheet.neutral_logit(D, real, fake, loss) == pytest.approx(expected)


def test_realness_is_pale_where_d_knows_little_and_full_where_it_is_sure():
    assert field.realness(np.array([0.1, -0.1, 0.0]), 0.0) == pytest.approx([0.1, -0.1, 0.0])
    assert field.realness(np.linspace(-50, 50, 101), 0.0)[[0, 50, 100]] == pytest.approx([-1, 0, 1])
    assert field.realness(np.array([np.nan, 3.0]), 3.0).tolist() == [0, 0]


def test_cells_go_row_by_row_from_the_top_left():
    centres = field.cell_centres(2)
    assert centres.tolist() == [
        [pytest.approx(x * field.VIEW / 2), pytest.approx(y * field.VIEW / 2)]
        for y in (1, -1)
        for x in (-1, 1)
    ]
    assert (
        field.logits_over_view(D, 2).tolist()
        == [[pytest.approx(5 * x * field.VIEW / 2) for x in (-1, 1)]] * 2
    )


@pytest.mark.parametrize("name", data.NAMES)
def test_each_drawn_set_ships_its_picture(name):
    assert np.array_equal(
        np.array(Image.open(thumbnail(name))), np.array(Image.open(io.BytesIO(build_thumbnails.draw(name))))
    )
