"""Test where the pixels of a data set lie: in memory, or in a file that is mapped."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from gan import data
from gan.data import pixels
from gan.data.dataset import Dataset, fit, take
from gan.device import memory_limit
from gan.errors import UserError
from tests.support.inputs.zips import make_zip
from tests.unit.data.test_files import picture

SMALL = 4 * 3 * 8 * 8  # bytes of memory, of which a quarter holds one picture of 8 x 8 in colour


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty folder of the cache."""
    monkeypatch.setenv("GANARIUM_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def small(cache, monkeypatch):
    """A computer with SMALL bytes of memory, and that folder."""
    monkeypatch.setattr(pixels, "memory_limit", lambda: SMALL)
    return cache


def is_mapped(images: torch.Tensor) -> bool:
    """Whether the file of a mapping backs this memory, by the system's list of this process's memory."""
    place = images.data_ptr()
    for line in Path("/proc/self/maps").read_text().splitlines():
        begin, end = (int(number, 16) for number in line.split()[0].split("-"))
        if begin <= place < end:
            return "/cache/" in line
    raise AssertionError("no memory of this process")


def test_the_limit_is_that_of_the_container_or_of_the_computer():
    assert 2**28 < memory_limit() < 2**50
    assert pixels.held(memory_limit() // 4)
    assert not pixels.held(memory_limit() // 4 + 1)
    assert pixels.held(10, 40)
    assert not pixels.held(11, 40)


def test_up_to_a_quarter_of_the_memory_it_is_memory_and_then_a_file_without_a_name(small):
    assert type(pixels.make_room(1, 3, 8)) is np.ndarray
    assert not small.exists()
    room = pixels.make_room(2, 3, 8)
    room[:] = 7
    assert room.shape == (2, 3, 8, 8)
    assert room.dtype == np.uint8
    assert is_mapped(torch.from_numpy(room))
    assert list(small.iterdir()) == [], "no file to forget"


def full(*_):
    raise OSError(28, "No space left on device")


def test_the_file_has_its_blocks_before_it_is_written(small, monkeypatch):
    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(UserError) as caught:
        pixels.make_room(2, 3, 8)
    assert (caught.value.key, caught.value.values["free"]) == ("data.room", "0")
    monkeypatch.delattr(os, "posix_fallocate")  # as on macOS and Windows
    assert (pixels.make_room(2, 3, 8) == 0).all()
    monkeypatch.setattr(os, "write", full)
    with pytest.raises(UserError):
        pixels.make_room(2, 3, 8)


def test_a_set_that_would_fill_the_disk_is_refused_before_it_is_read(small, tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda place: shutil._ntuple_diskusage(100, 0, 4 * 3 * 64))
    pixels.make_room(2, 3, 8)
    assert pixels.most(3, 8) == 2
    with pytest.raises(UserError, match=r"GB at 8 pixels.*more than half of the 0\.0 GB free") as caught:
        data.load(make_zip(tmp_path / "a.zip", {f"{k}.png": picture("red") for k in range(3)}), 8)
    assert caught.value.key == "data.room"


def test_a_folder_that_cannot_be_written_is_named(small, monkeypatch):
    small.write_bytes(b"a file, not a folder")
    with pytest.raises(UserError) as caught:
        pixels.make_room(2, 3, 8)
    assert (caught.value.key, caught.value.values["folder"]) == ("data.cache", small)


def test_a_zip_is_the_same_set_in_a_file(cache, tmp_path, monkeypatch):
    colours = ("red", "lime", "blue", "red", "black")
    members = {f"{'ab'[k % 2]}/{k}.png": picture(colour) for k, colour in enumerate(colours)}
    path = make_zip(tmp_path / "a.zip", {**members, "a/broken.png": b"\x89PNG\r\n\x1a\n"})
    one = data.load(path, 8)
    monkeypatch.setattr(pixels, "memory_limit", lambda: SMALL)
    other = data.load(path, 8)
    assert not is_mapped(one.images)
    assert is_mapped(other.images)
    assert torch.equal(one.images, other.images)
    assert torch.equal(one.labels, other.labels)
    assert (one.classes, one.files, one.report) == (other.classes, other.files, other.report)


def test_a_set_is_resized_and_ordered_into_a_file(small, monkeypatch):
    images = torch.randint(0, 256, (5, 3, 8, 8), dtype=torch.uint8)
    large = fit(Dataset("made", images), 16, 3).images
    assert is_mapped(large)
    with monkeypatch.context() as patched:
        patched.setattr(pixels, "memory_limit", lambda: 2**30)
        assert torch.equal(large, fit(Dataset("made", images), 16, 3).images)
    order = torch.tensor([4, 0, 3, 1, 2])
    assert is_mapped(take(images, order))
    assert torch.equal(take(images, order), images[order])
