"""Test folders and zips of images: accepted ones, and those refused before any decoding."""

import io
import struct
import tracemalloc
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gan import data
from gan.data.decode import pictures
from gan.data.own import archives, files, reading
from gan.data.own.report import sentences
from gan.errors import UserError


def picture(colour, size=(40, 30), kind="PNG", **options) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, kind, **options)
    return out.getvalue()


def make_zip(path: Path, members: dict[str, bytes]) -> str:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return str(path)


def make_folder(path: Path, members: dict[str, bytes]) -> str:
    for name, content in members.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)
    return str(path)


def huge_png(width: int, height: int) -> bytes:
    """Return a PNG of a few hundred bytes whose header promises width x height pixels."""

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )


@pytest.fixture(params=["folder", "zip"])
def pack(request, tmp_path):
    """A function that writes members into a folder or a zip, and returns its path."""
    if request.param == "folder":
        return lambda members: make_folder(tmp_path / "pictures", members)
    return lambda members: make_zip(tmp_path / "pictures.zip", members)


def test_formats_sizes_and_names(pack):
    path = pack(
        {
            "a.png": picture("red"),
            "b.JPG": picture("lime", kind="JPEG", quality=95),
            "c.webp": picture("blue", kind="WEBP", lossless=True),
            "notes.txt": b"no picture",
            ".hidden.png": b"",
            "__MACOSX/a.png": b"junk",
        }
    )
    found = data.load(path)
    assert found.name == path
    assert found.images.shape == (3, 3, 64, 64)
    assert found.images.dtype is data.load(path, size=16).images.dtype
    assert found.images.is_contiguous()
    assert found.labels is None
    assert found.classes == ()
    assert [(entry.name, entry.reason) for entry in found.report.left_out] == [("notes.txt", "other")], (
        "what systems add is not missed"
    )
    means = found.images.float().mean((2, 3))
    assert np.allclose(means, [[255, 0, 0], [0, 255, 0], [0, 0, 255]], atol=3)
    assert data.load(path, size=20, channels=1).images.shape == (3, 1, 20, 20)


def test_labels_are_sub_folders(pack):
    path = pack({f"top/{kind}/deep/{n}.png": picture(kind) for kind in ("red", "blue") for n in range(3)})
    found = data.load(path, size=8)
    assert found.classes == ("blue", "red")
    assert sorted(found.labels.tolist()) == [0, 0, 0, 1, 1, 1]
    for image, label in zip(found.images, found.labels, strict=True):
        assert image[0].float().mean() == (255 if found.classes[label] == "red" else 0)


def test_no_labels_where_most_pictures_lie_outside(pack):
    found = data.load(
        pack(
            {
                "a/1.png": picture("red"),
                "b/1.png": picture("red"),
                "2.png": picture("red"),
                "3.png": picture("red"),
                "4.png": picture("red"),
            }
        )
    )
    assert (found.labels, len(found.images), found.report.left_out) == (None, 5, ())
    assert found.report.loose == 3
    assert "There are no classes: 3 of 5 images lie outside" in "".join(sentences(found.report, "white"))


def test_no_labels_of_one_folder(pack):
    assert data.load(pack({"a/1.png": picture("red"), "a/2.png": picture("red")})).labels is None


def test_centre_is_kept(pack):
    wide = Image.new("RGB", (90, 30), "black")
    wide.paste("white", (30, 0, 60, 30))
    out = io.BytesIO()
    wide.save(out, "PNG")
    assert data.load(pack({"a.png": out.getvalue(), "b.png": out.getvalue()}), size=30).images.min() == 255


def test_orientation_is_applied(pack):
    """EXIF orientation 6: the top of the real image is the left side of the stored one."""
    stored = Image.new("RGB", (32, 32), "black")
    stored.paste("white", (0, 0, 16, 32))
    exif = Image.Exif()
    exif[0x0112] = 6
    out = io.BytesIO()
    stored.save(out, "PNG", exif=exif)
    image = data.load(pack({"a.png": out.getvalue(), "b.png": out.getvalue()}), size=32).images[0, 0]
    assert image[:15].min() == 255
    assert image[17:].max() == 0


def test_transparency_becomes_white_and_16_bits_become_8(pack):
    clear, deep = io.BytesIO(), io.BytesIO()
    Image.new("RGBA", (16, 16), (255, 0, 0, 0)).save(clear, "PNG")
    Image.fromarray(np.full((16, 16), 0x8000, np.uint16)).save(deep, "PNG")
    images = data.load(pack({"a.png": clear.getvalue(), "b.png": deep.getvalue()}), size=16).images
    assert images[0].min() == 255
    assert images[1].unique().tolist() == [128]


def test_unreadable_pictures_are_skipped_and_counted(pack):
    good = picture("red")
    path = pack(
        {
            "a.png": good,
            "b.png": good,
            "cut.png": good[:60],
            "text.jpg": b"hello",
            "empty.webp": b"",
            "gif.png": picture("red", kind="GIF"),
            "noise.png": good[:40] + bytes(30) + good[70:],
        }
    )
    found = data.load(path)
    assert len(found.images) == 2
    assert len(found.report.left_out) == 5


def test_pictures_of_other_kinds_are_counted_as_skipped(pack):
    good = picture("red")
    path = pack(
        {
            "a.png": good,
            "b.png": good,
            "c.GIF": picture("red", kind="GIF"),
            "d/e.heic": b"a phone's",
            "f.tiff": b"",
            "notes.txt": b"no picture",
            "really.bmp": good,
            ".hidden.gif": b"",
        }
    )
    found = data.load(path)
    assert (len(found.images), len(found.report.left_out)) == (3, 4)


def test_fewer_than_two_pictures(pack):
    with pytest.raises(UserError, match=r"has 1 \(1 left out: b\.png\)") as caught:
        data.load(pack({"a.png": picture("red"), "b.png": b"junk"}))
    assert caught.value.key == "data.too_few"


def test_neither_folder_nor_zip(tmp_path):
    (tmp_path / "table.csv").write_text("1,2")
    for path, key in ((tmp_path / "table.csv", "data.not_pictures"), (tmp_path / "nowhere", "data.nowhere")):
        with pytest.raises(UserError) as caught:
            data.load(str(path))
        assert caught.value.key == key


def test_damaged_zip(tmp_path):
    path = Path(make_zip(tmp_path / "a.zip", {f"{n}.png": picture((n, 0, 0), (200, 200)) for n in range(4)}))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UserError) as caught:
        data.load(str(path))
    assert caught.value.key == "data.damaged_zip"
    path.write_bytes(whole[:60] + bytes(20) + whole[80:])  # one damaged member, an intact directory
    found = data.load(str(path))
    assert (len(found.images), len(found.report.left_out)) == (3, 1)


def test_zip_writes_nothing_to_disk(tmp_path, monkeypatch):
    inside = tmp_path / "inside"
    inside.mkdir()
    monkeypatch.chdir(inside)
    path = make_zip(tmp_path / "a.zip", {"a/ok1.png": picture("red"), "b/ok2.png": picture("blue")})
    before = sorted(tmp_path.rglob("*"))
    assert len(data.load(path).images) == 2
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    "member",
    ["../evil.png", "/absolute.png", "a/../../b.png", "..\\evil.png", "C:\\evil.png", "../notes.txt", "a/.."],
)
def test_a_zip_with_a_way_out_is_refused(tmp_path, member):
    with pytest.raises(UserError) as caught:
        data.load(
            make_zip(
                tmp_path / "a.zip",
                {"a.png": picture("red"), member: picture("red"), "b.png": picture("blue")},
            )
        )
    assert (caught.value.key, caught.value.values["member"]) == ("data.leads_out", member)


@pytest.mark.parametrize("member", ["a..b/c.png", "...png.png", "a: b/c.png", "12:30.png", "~/c.png"])
def test_odd_names_that_lead_nowhere_are_taken(tmp_path, member):
    found = data.load(
        make_zip(
            tmp_path / "a.zip", {"a.png": picture("red"), member: picture("red"), "b.png": picture("blue")}
        )
    )
    assert len(found.report.left_out) == 0


def refuses_to_decode(monkeypatch):
    def decode(*_):
        raise AssertionError("decoded")

    monkeypatch.setattr(reading, "decode", decode)


def test_zip_bomb_is_refused_without_decoding(tmp_path, monkeypatch):
    refuses_to_decode(monkeypatch)
    path = make_zip(tmp_path / "bomb.zip", {"a.png": picture("red"), "zeros.png": bytes(20 * 2**20)})
    assert Path(path).stat().st_size < 50_000
    with pytest.raises(UserError, match=r"zeros\.png") as caught:
        data.load(path)
    assert caught.value.key == "data.zip_bomb"


def liar(path: Path, packing: int) -> str:
    """Write a zip with two good images and 32 MB of zeros that declare themselves as 100 bytes."""
    make_zip(path, {"a.png": picture("red"), "b.png": picture("red")})
    with zipfile.ZipFile(path, "a", packing) as archive:
        archive.writestr("zeros.png", bytes(2**25))
    path.write_bytes(path.read_bytes().replace(struct.pack("<I", 2**25), struct.pack("<I", 100)))
    return str(path)


@pytest.mark.parametrize("packing", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_zip_that_lies_about_its_sizes(tmp_path, packing):
    """A member that declares 100 bytes is never unpacked beyond them, not even in memory.

    The zip skips it.
    """
    path = liar(tmp_path / "liar.zip", packing)
    data.load(path)  # the first loading's imports don't count
    tracemalloc.start()
    try:
        found = data.load(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (len(found.images), len(found.report.left_out)) == (2, 1)
    assert peak < 4 * 2**20


def test_total_and_entry_caps(tmp_path, monkeypatch):
    refuses_to_decode(monkeypatch)
    members = {f"{n}.png": picture("red") for n in range(4)}
    path, folder = make_zip(tmp_path / "a.zip", members), make_folder(tmp_path / "a", members)
    monkeypatch.setattr(archives, "MAX_TOTAL", 4 * len(picture("red")) - 1)
    with pytest.raises(UserError) as caught:
        data.load(path)
    assert caught.value.key == "data.too_large"
    monkeypatch.setattr(archives, "MAX_ENTRIES", 3)
    for source in (path, folder):
        with pytest.raises(UserError) as caught:
            data.load(source)
        assert caught.value.key == "data.too_many"


def test_a_list_of_members_beyond_reason_is_not_read(tmp_path):
    """120,000 empty members with long names make a directory of 25 MB.

    zipfile would create 120,000 objects for it.
    """
    path = tmp_path / "many.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a" * 100, b"")
    whole = path.read_bytes()
    start = whole.index(b"PK\x01\x02")
    entry, end = whole[start : whole.index(b"PK\x05\x06")], bytearray(whole[whole.index(b"PK\x05\x06") :])
    end[8:16] = struct.pack("<HHI", 65535, 65535, 120_000 * len(entry))
    path.write_bytes(whole[:start] + 120_000 * entry + end)
    tracemalloc.start()
    try:
        with pytest.raises(UserError) as caught:
            data.load(str(path))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (caught.value.key, peak < 2**20) == ("data.too_many", True)


@pytest.mark.parametrize("member", ["more.zip", "deep/er/PICTURES.TAR.GZ", "x.7z"])
def test_an_archive_in_an_archive_is_refused(tmp_path, member):
    with pytest.raises(UserError, match=Path(member).name) as caught:
        data.load(
            make_zip(tmp_path / "a.zip", {"a.png": picture("red"), "b.png": picture("red"), member: b"PK"})
        )
    assert caught.value.key == "data.nested"


def test_a_zip_with_a_link_is_refused(tmp_path):
    path = make_zip(tmp_path / "a.zip", {"a.png": picture("red"), "b.png": picture("red")})
    with zipfile.ZipFile(path, "a") as archive:
        link = zipfile.ZipInfo("link.png")
        link.create_system, link.external_attr = 3, 0o120777 << 16
        archive.writestr(link, picture("blue"))  # even where the link's content would be an image
    with pytest.raises(UserError) as caught:
        data.load(path)
    assert (caught.value.key, caught.value.values["member"]) == ("data.leads_out", "link.png")


def test_class_names_are_plain_and_no_more_than_can_be_shown(pack, monkeypatch):
    members = {f"{kind}/{n}.png": picture(kind) for kind in ("red", "blue") for n in range(2)}
    odd = {name.replace("red", "re\u202ed\x07" + "x" * 100): content for name, content in members.items()}
    assert data.load(pack(odd), size=8).classes == ("blue", "red" + "x" * 57)
    monkeypatch.setattr(files, "MAX_CLASSES", 1)
    assert data.load(pack(odd), size=8).classes == ()


def test_nothing_but_pixels_is_kept(pack):
    """A data set has no field for EXIF, and its images' bytes contain none.

    So nobody can find out where a photo was taken.
    """
    exif = Image.Exif()
    exif[0x010E] = "SECRET PLACE"
    found = data.load(
        pack(
            {"a.jpg": picture("red", kind="JPEG", exif=exif), "b.jpg": picture("red", kind="JPEG", exif=exif)}
        )
    )
    assert b"SECRET" not in found.images.numpy().tobytes()
    assert not any("SECRET" in str(value) for value in vars(found).values())


def test_one_file_over_the_byte_limit_is_skipped(pack, monkeypatch):
    rng = np.random.default_rng(0)
    out = io.BytesIO()
    Image.fromarray(rng.integers(0, 256, (64, 64, 3), np.uint8)).save(out, "PNG")
    monkeypatch.setattr(archives, "MAX_MEMBER", 5000)
    found = data.load(pack({"a.png": picture("red"), "b.png": picture("red"), "large.png": out.getvalue()}))
    assert (len(found.images), len(found.report.left_out)) == (2, 1)


@pytest.mark.parametrize("side", [9000, 40_000])
def test_a_picture_of_huge_dimensions_is_not_decoded(pack, monkeypatch, side):
    """Pillow opens 81 Mpx with at most a warning, and raises at 1.6 Gpx.

    The loader skips both before reading any pixel.
    """

    def no_pixels(*_, **__):
        raise AssertionError("decoded")

    monkeypatch.setattr(Image.Image, "load", no_pixels)
    with pytest.raises(UserError) as caught:
        data.load(pack({"a.png": huge_png(side, side), "b.png": huge_png(side, side)}))
    assert (caught.value.key, caught.value.values["skipped"]) == ("data.too_few", 2)


def test_a_jpeg_of_thousands_of_scans_is_not_decoded():
    """A scan may have only 16 bytes, but costs as much as all pixels of the image."""
    image = Image.effect_noise((64, 64), 80)
    kept = io.BytesIO()
    image.save(kept, "JPEG", progressive=True)
    sound = kept.getvalue()
    assert sound.count(b"\xff\xda") > 1
    assert pictures.read_picture(sound, 28, 1).shape == (1, 28, 28)
    last = sound[sound.rindex(b"\xff\xda") : -2]
    many = sound[:-2] + last * pictures.MAX_SCANS + sound[-2:]
    Image.open(io.BytesIO(many)).load()  # proof that nothing else is wrong with it
    with pytest.raises(UserError) as info:
        pictures.read_picture(many, 28, 1)
    assert info.value.key == "data.no_picture"
