"""Test the bundled sets on disk, the catalogue without torch, and the conversions into one tensor."""

import hashlib
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from PIL import Image

from gan import data
from gan.data import bundled, pixels, registry
from gan.data.dataset import Dataset, fit
from gan.errors import UserError

COUNTS = {
    "digits": (10_000, 1, 28),
    "fashion": (10_000, 1, 28),
    "faces": (10_000, 3, 64),
    "emoji": (729, 3, 64),
    "landscapes": (4_000, 3, 64),
}
CHECKSUMS = {  # SHA-256 of the decoded images (N, C, H, W)
    "digits": "f83ddfb6346264b52ed4a5c96f7891bb59b5b151c2cb216648d82f22e3c85195",
    "fashion": "e1427044c614fabc29feeff0f27e6b68f88a9ee2f2cfe7d783b9157159864883",
    "faces": "799cc27b9e405d90b062b3202ec027cbe74f4cb081a1b32a2bc29574fd3cafbc",
    "emoji": "291824a9b6783bfd01aee905ae303e5a733e83630ef4780f60a7e8689ca7bfcf",
}


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    """Load each bundled set once. The drawn set is drawn into a new cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GANARIUM_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield {name: data.load(name) for name in data.catalogue() if data.info(name).source == "bundled"}


def test_catalogue_needs_no_torch_and_no_time():
    code = (
        "import sys, gan.data; names = list(gan.data.catalogue()); "
        "heavy = {'torch', 'torchvision', 'numpy', 'PIL', 'safetensors', 'scipy', 'gradio'} & "
        "set(sys.modules); "
        "assert not heavy, heavy; print(*names)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [*registry.BUNDLED, *registry.DOWNLOADS]
    start = time.process_time()
    data.catalogue()
    assert time.process_time() - start < 0.1


@pytest.mark.parametrize("name", COUNTS)
def test_bundled_set(loaded, name):
    found, about = loaded[name], data.info(name)
    count, channels, size = COUNTS[name]
    assert found.name == name
    assert found.images.shape == (count, channels, size, size)
    assert found.images.dtype == torch.uint8
    assert found.images.is_contiguous()
    assert (about.count, about.channels, about.size) == COUNTS[name]
    assert found.labels.dtype == torch.int64
    assert found.classes == about.classes
    assert len(set(found.classes)) == len(found.classes) >= 4
    balance = found.labels.bincount(minlength=len(found.classes))
    assert balance.min() > 100
    if name != "emoji":
        assert balance.min() == balance.max()
    assert tuple(found.attributes) == about.attribute_names
    for attribute, values in found.attributes.items():
        assert values.shape == (count,)
        if attribute in found.attribute_values:
            assert values.dtype == torch.int64
            assert sorted(values.unique().tolist()) == list(range(len(found.attribute_values[attribute])))
        else:
            assert values.dtype == torch.float32


@pytest.mark.parametrize("name", COUNTS)
def test_pictures_differ(loaded, name):
    """No set repeats a few images many times."""
    flat = loaded[name].images.flatten(1)
    assert len({row.numpy().tobytes() for row in flat}) > 0.97 * len(flat)
    assert flat[::20].float().std(0).mean() > 10


@pytest.mark.parametrize("name", CHECKSUMS)
def test_checksum(loaded, name):
    assert hashlib.sha256(loaded[name].images.numpy().tobytes()).hexdigest() == CHECKSUMS[name]
    meta = registry.read_meta(name)
    factor = meta["size"] // meta["tile"]
    tiles = loaded[name].images[:, :, ::factor, ::factor].contiguous()
    assert hashlib.sha256(tiles.numpy().tobytes()).hexdigest() == meta["sha256"]


def test_size_on_disk():
    sizes = {path: path.stat().st_size for path in registry.BUNDLED_DIR.rglob("*") if path.is_file()}
    assert sum(sizes.values()) < 10_000_000
    assert max(sizes.values()) < 9_000_000


@pytest.mark.parametrize("name", COUNTS)
def test_licence_and_thumbnail(name):
    about = data.info(name)
    words = {
        "CC BY-SA 3.0": "Share Alike 3.0",
        "MIT": "The MIT License",
        "CC0 1.0": "CC0 1.0",
        "Apache-2.0": "Apache License",
    }
    assert words[about.licence] in (registry.BUNDLED_DIR / name / "LICENSE").read_text(encoding="utf-8")
    assert about.credit
    assert about.thumbnail.stat().st_size <= 20_000
    with Image.open(about.thumbnail) as picture:
        assert picture.size[0] == picture.size[1] >= 4 * about.size
        assert len(picture.convert("RGB").getcolors(2**16)) > 16


def test_thumbnails_show_what_is_loaded(loaded):
    """The first tile of each thumbnail is an image of the first class, within the loss of WebP."""
    for name, found in loaded.items():
        with Image.open(data.info(name).thumbnail) as picture:
            side = picture.width // 4
            tile = (
                picture.convert("RGB")
                .crop((0, 0, side, side))
                .resize(found.images.shape[2:], Image.Resampling.BOX)
            )
        shown = (
            torch.tensor(list(tile.tobytes()), dtype=torch.float32)
            .view(*found.images.shape[2:], 3)
            .permute(2, 0, 1)
        )
        near = (found.images[found.labels == 0][:20].float() - shown).abs().flatten(1).mean(1).min()
        assert near < 4, name


def test_face_attributes_are_what_is_seen(loaded):
    """The label follows from the attributes, and the corners have the background attribute's colour."""
    found = loaded["faces"]
    values = {
        key: [found.attribute_values[key][k] for k in found.attributes[key].tolist()]
        for key in found.attribute_values
    }
    kinds = [
        "hat" if hat != "none" else "glasses" if glasses != "none" else f"{length} hair"
        for hat, glasses, length in zip(values["hat"], values["glasses"], values["hair_length"], strict=True)
    ]
    assert kinds == [found.classes[k] for k in found.labels.tolist()]
    corners = ["#{:02x}{:02x}{:02x}".format(*pixel) for pixel in found.images[:, :, 0, 0].tolist()]
    agree = sum(
        corner == background for corner, background in zip(corners, values["background"], strict=True)
    )
    assert agree > 0.9 * len(corners)  # the rest have hair in that corner


def test_digits_are_digits(loaded):
    """A one has less ink than a zero, and the nearest class mean gets most digits right."""
    found = loaded["digits"]
    pictures = found.images.flatten(1).float()
    means = torch.stack([pictures[found.labels == k].mean(0) for k in range(10)])
    assert means[1].sum() < 0.6 * means[0].sum()
    assert (torch.cdist(pictures, means).argmin(1) == found.labels).float().mean() > 0.75


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """A copy of the bundled folder that a test may damage."""
    folder = tmp_path / "bundled"
    shutil.copytree(registry.BUNDLED_DIR, folder)
    monkeypatch.setattr(registry, "BUNDLED_DIR", folder)
    monkeypatch.setattr(bundled, "BUNDLED_DIR", folder)
    return folder


@pytest.mark.parametrize(
    ("file", "damage"),
    [
        *(
            (file, damage)
            for file in ("images.webp", "labels.safetensors", "meta.json")
            for damage in ("missing", "cut", "noise", "empty")
        ),
        ("images.webp", "another"),
        ("labels.safetensors", "another"),
    ],
)
def test_damaged_file_is_named(copy, file, damage):
    path = copy / "digits" / file
    content = path.read_bytes()
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(
            {
                "cut": content[: len(content) // 2],
                "noise": b"x" * 500,
                "empty": b"{}",
                "another": (copy / "faces" / file).read_bytes(),
            }[damage]
        )
    with pytest.raises(UserError) as caught:
        data.load("digits")
    assert caught.value.key == "data.damaged"
    assert caught.value.values["file"] == path
    assert "digits" not in data.catalogue() if file == "meta.json" else "digits" in data.catalogue()
    assert len(data.load("fashion").images) == 10_000


def test_unknown_name():
    for ask, key in ((data.info, "data.unknown"), (data.load, "data.nowhere"), (data.find, "data.nowhere")):
        with pytest.raises(UserError, match=r"“nonsense”.*digits.*celeba") as caught:
            ask("nonsense")
        assert caught.value.key == key
    assert f"“{Path.cwd() / 'nonsense'}”" in str(caught.value), "it tells where it looked"


@pytest.mark.parametrize(
    ("size", "channels", "key"),
    [
        (4, None, "data.size"),
        (1000, None, "data.size"),
        (-64, None, "data.size"),
        (32, 2, "data.channels"),
        (32, 0, "data.channels"),
    ],
)
def test_impossible_shape(size, channels, key):
    with pytest.raises(UserError) as caught:
        data.load("digits", size, channels)
    assert caught.value.key == key


def test_a_set_beyond_memory_and_disk_is_refused(monkeypatch):
    monkeypatch.setattr(pixels, "memory_limit", lambda: 4 * 10_000 * 32 * 32)
    monkeypatch.setattr(shutil, "disk_usage", lambda place: shutil._ntuple_diskusage(100, 0, 0))
    assert data.load("digits", 32).images.shape == (10_000, 1, 32, 32)
    with pytest.raises(UserError, match="GB at 33 pixels"):
        data.load("digits", 33)


def test_other_size_and_channels(loaded):
    large = data.load("digits", 40, 3)
    assert large.images.shape == (10_000, 3, 40, 40)
    assert large.images.is_contiguous()
    assert (large.images[::50, 0] == large.images[::50, 2]).all()
    assert (large.images.float().mean() - loaded["digits"].images.float().mean()).abs() < 1
    assert (large.labels == loaded["digits"].labels).all()
    grey = data.load("emoji", 32, 1)
    assert grey.images.shape == (len(loaded["emoji"].images), 1, 32, 32)


def make(images: torch.Tensor) -> Dataset:
    return Dataset("made", images)


def test_fit_averages_blocks_and_keeps_what_fits():
    picture = torch.tensor(
        [[0, 2, 10, 10], [4, 6, 10, 10], [255, 255, 0, 0], [255, 255, 0, 1]], dtype=torch.uint8
    )[None, None]
    assert fit(make(picture), 2, None).images.tolist() == [[[[3, 10], [255, 0]]]]
    whole = make(picture)
    assert fit(whole, None, None) is whole


def test_fit_crops_the_centre():
    wide = torch.arange(6, dtype=torch.uint8).repeat(2, 1)[None, None]
    assert fit(make(wide), 2, None).images.tolist() == [[[[2, 3], [2, 3]]]]
    assert fit(make(wide.transpose(2, 3).contiguous()), None, None).images.tolist() == [[[[2, 2], [3, 3]]]]


def test_fit_grey_agrees_with_pillow():
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (3, 3, 16, 16), dtype=torch.uint8, generator=generator)
    grey = fit(make(images), None, 1).images
    for k in range(3):
        expected = Image.fromarray(images[k].permute(1, 2, 0).numpy()).convert("L")
        assert abs(grey[k, 0].int() - torch.tensor(list(expected.tobytes())).view(16, 16)).max() <= 1


def test_fit_does_not_alias_when_it_shrinks():
    """A checkerboard of single pixels becomes grey, not a new pattern."""
    board = ((torch.arange(64)[:, None] + torch.arange(64)) % 2 * 255).to(torch.uint8)[None, None]
    small = fit(make(board), 24, None).images[..., 4:-4, 4:-4].float()
    assert (small - 127.5).abs().max() < 12


def test_faces_survive_their_own_grid(loaded):
    """The faces lie on a 16 x 16 grid, so that size mixes no pixels."""
    small = data.load("faces", 16).images
    assert (small == loaded["faces"].images[:, :, ::4, ::4]).all()
    assert (
        small[::100].repeat_interleave(4, 2).repeat_interleave(4, 3) == loaded["faces"].images[::100]
    ).all()


IMAGES = torch.zeros(3, 1, 8, 8, dtype=torch.uint8)
ODD = {
    "labels in columns, as torchvision's QMNIST has them": {
        "labels": torch.zeros(3, 8, dtype=torch.int64),
        "classes": ("a",),
    },
    "a label too few": {"labels": torch.zeros(2, dtype=torch.int64), "classes": ("a",)},
    "small integers": {"labels": torch.zeros(3, dtype=torch.int32), "classes": ("a",)},
    "a label without a class": {"labels": torch.tensor([0, 1, 2]), "classes": ("a", "b")},
    "a label below 0": {"labels": torch.tensor([0, -1, 1]), "classes": ("a", "b")},
    "real numbers": {"images": IMAGES.float()},
    "no channels": {"images": IMAGES[:, 0]},
    "channels last": {"images": torch.zeros(3, 8, 8, 4, dtype=torch.uint8)},
    "an attribute of others": {"attributes": {"night": torch.zeros(4)}},
    "an attribute of bytes": {"attributes": {"night": torch.zeros(3, dtype=torch.uint8)}},
    "a file too many": {"files": (b"",) * 4},
    "a class without a name": {"labels": torch.tensor([0, 1, 0]), "classes": ("a", None)},
    "a value without a name": {"attribute_values": {"night": ("no", 1)}},
}


@pytest.mark.parametrize("parts", ODD.values(), ids=ODD)
def test_a_loader_that_gives_parts_which_do_not_fit_is_found_at_once(parts):
    with pytest.raises(ValueError, match=r"^mine: "):
        Dataset(**{"name": "mine", "images": IMAGES, **parts})
