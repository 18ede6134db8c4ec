"""Test pixels, grids and encoded bytes against values worked out by hand."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from gan.images import encode_png, encode_webp, grid, to_uint8


def decoded(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)))


def test_pixel_values_round_half_up_and_clamp():
    images = torch.tensor(
        [-1.0, 0.0, 1.0, -7.0, 7.0, float("nan"), float("inf"), -float("inf"), -0.6 / 127.5, -127.2 / 127.5]
    )
    assert to_uint8(images).tolist() == [0, 128, 255, 0, 255, 128, 255, 0, 127, 0]
    assert to_uint8(images).dtype == torch.uint8


def test_every_pixel_value_survives_the_way_to_the_unit_range_and_back():
    pixels = torch.arange(256, dtype=torch.uint8)
    assert torch.equal(to_uint8(pixels.float() / 127.5 - 1), pixels)
    assert torch.equal(to_uint8(pixels.double() / 127.5 - 1), pixels)


def test_grid_places_each_picture_row_by_row():
    images = torch.arange(1, 6, dtype=torch.uint8).view(5, 1, 1, 1).expand(5, 3, 2, 2)
    sheet = grid(images, columns=3)
    assert sheet.shape == (3, 4, 6)
    assert sheet[1].tolist() == [[1, 1, 2, 2, 3, 3]] * 2 + [[4, 4, 5, 5, 255, 255]] * 2


def test_grid_padding_stands_between_cells_only():
    images = torch.zeros(4, 1, 1, 2, dtype=torch.uint8)
    sheet = grid(images, columns=2, padding=1)
    assert sheet[0].tolist() == [[0, 0, 255, 0, 0], [255] * 5, [0, 0, 255, 0, 0]]


@pytest.mark.parametrize(("count", "columns", "padding"), [(0, 1, 0), (1, 0, 0), (1, 1, -1)])
def test_grid_without_pixels_is_refused(count, columns, padding):
    with pytest.raises(ValueError, match="no pixels"):
        grid(torch.zeros(count, 1, 2, 2, dtype=torch.uint8), columns, padding)


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (3, "RGB")])
def test_png_keeps_pixels_and_says_where_it_comes_from(channels, mode):
    picture = torch.randint(
        0, 256, (channels, 5, 7), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)
    )
    opened = Image.open(io.BytesIO(encode_png(picture)))
    assert opened.mode == mode
    assert opened.size == (7, 5)
    assert np.array_equal(np.asarray(opened).reshape(5, 7, channels), picture.permute(1, 2, 0).numpy())
    assert opened.text["Software"] == "GANarium"
    assert "trainedAlgorithmicMedia" in opened.text["XML:com.adobe.xmp"]


def test_webp_is_lossless_for_grey_and_small_pictures():
    random = torch.Generator().manual_seed(1)
    grey = torch.randint(0, 256, (1, 150, 150), dtype=torch.uint8, generator=random)
    small = torch.randint(0, 256, (3, 64, 64), dtype=torch.uint8, generator=random)
    assert np.array_equal(decoded(encode_webp(grey))[:, :, 0], grey[0].numpy())
    assert np.array_equal(decoded(encode_webp(small)), small.permute(1, 2, 0).numpy())
    assert b"trainedAlgorithmicMedia" in encode_webp(grey)


def test_webp_of_a_large_colour_grid_is_smaller_and_close():
    ramp = torch.linspace(0, 255, 512)
    picture = torch.stack([ramp.expand(512, 512), ramp.expand(512, 512).T, torch.full((512, 512), 128.0)]).to(
        torch.uint8
    )
    noisy = (
        (picture.float() + torch.randn(picture.shape, generator=torch.Generator().manual_seed(2)) * 4)
        .clamp(0, 255)
        .to(torch.uint8)
    )
    lossy, lossless = encode_webp(noisy), encode_webp(noisy, lossless=True)
    assert len(lossy) < len(lossless) / 2
    assert np.array_equal(decoded(lossless), noisy.permute(1, 2, 0).numpy())
    assert np.abs(decoded(lossy).astype(int) - picture.permute(1, 2, 0).numpy().astype(int)).mean() < 6


@pytest.mark.parametrize(
    "picture",
    [
        torch.zeros(2, 4, 4, dtype=torch.uint8),
        torch.zeros(1, 3, 4, 4, dtype=torch.uint8),
        torch.zeros(3, 4, 4),
    ],
)
def test_what_is_not_a_picture_is_refused(picture):
    for encode in (encode_png, encode_webp):
        with pytest.raises(ValueError, match="a picture is uint8"):
            encode(picture)
