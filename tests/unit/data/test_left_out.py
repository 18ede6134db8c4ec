"""Test the report of unused files in a folder or zip: their number, with names and reasons."""

import os
import shutil
import subprocess
import tracemalloc
import zipfile

import pytest

from gan import data
from gan.data.own import archives
from gan.data.own.report import LeftOut, grouped, sentence_left_out
from gan.data.own.survey import survey
from gan.errors import UserError
from tests.support.inputs.zips import make_folder, make_zip, mark, picture


def test_what_was_left_out_is_grouped_by_reason():
    found = [
        LeftOut("a.heic", "kind", "HEIC"),
        LeftOut("b.png", "damaged"),
        LeftOut("c.gif", "kind", "GIF"),
        LeftOut("d.png", "pixels", "81"),
        LeftOut("e.heic", "kind", "HEIC"),
        LeftOut("f.png", "pixels", "108"),
        LeftOut("g.heic", "kind", "HEIC"),
    ]
    assert grouped(found, names=2) == [
        ("kind", "HEIC", ["a.heic", "e.heic"], 3),
        ("pixels", "", ["d.png", "f.png"], 2),
        ("damaged", "", ["b.png"], 1),
        ("kind", "GIF", ["c.gif"], 1),
    ]
    assert grouped([LeftOut("d.png", "bytes", "60")]) == [("bytes", "60", ["d.png"], 1)]
    assert grouped([]) == []


def left_out(report):
    return [(entry.name, entry.reason, entry.detail) for entry in report.left_out]


def shared(count: int = 3) -> dict[str, bytes]:
    return {f"{k}.png": picture((k, 0, 0)) for k in range(count)}


@pytest.fixture(params=["folder", "zip"])
def pack(request, tmp_path):
    if request.param == "folder":
        return lambda members: make_folder(tmp_path / "pictures", members)
    return lambda members: make_zip(tmp_path / "pictures.zip", members)


@pytest.mark.parametrize(
    "name", ["a.jfif", "a.jpe", "a.pjpeg", "a.JPG", "a", "a.dat", "a.png", "a.heic", "a.jpeg_large", "a.b.c"]
)
def test_a_picture_is_one_by_its_bytes(pack, name):
    report = data.load(pack({**shared(), name: picture("lime", kind="JPEG")}), size=8).report
    assert (report.count, report.left_out) == (4, ())


@pytest.mark.parametrize(("name", "content", "reason", "detail"), [
    ("a.gif", picture(kind="GIF"), "kind", "GIF"), ("a.png", picture(kind="GIF"), "kind", "GIF"),
    ("a", picture(kind="BMP"), "kind", "BMP"),
    ("a.jpg", picture(kind="TIFF"), "kind", "TIFF"), ("a.dng", picture(kind="TIFF"), "kind", "RAW"),
    ("a.jpg", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "kind", "HEIC"),
    ("a.jpg", b"\0\0\0\x1cftypmif1\0\0\0\0mif1avif....", "kind", "AVIF"),
    ("a", b"\0\0\0\x18ftypavif\0\0\0\0avifmif1", "kind", "AVIF"),
    ("a.mov", b"\0\0\0\x18ftypqt  \0\0\0\0qt  heic", "other", ""),
    ("a.svg", b"<?xml version='1.0'?><svg/>", "kind", "SVG"), ("a.HEIC", b"?", "kind", "HEIC"),
    ("labels.csv", b"a,b", "other", ""), ("README", b"a text", "other", ""),
    ("BMW.txt", b"BM is a beginning", "other", ""), ("a.png", b"", "damaged", ""),
    ("a.jpg", b"<html>", "damaged", ""), ("a.webp", b"RIFF....WAVE", "damaged", ""),
])  # fmt: skip
def test_what_is_no_picture_that_is_read_is_named_with_its_kind(pack, name, content, reason, detail):
    report = data.load(pack({**shared(), name: content}), size=8).report
    assert (report.count, left_out(report)) == (3, [(name, reason, detail)])


def test_what_systems_add_is_not_missed(pack):
    added = (
        "Thumbs.db",
        "desktop.ini",
        ".DS_Store",
        "__MACOSX/._0.png",
        "cat/.hidden/x.png",
        "@eaDir/0.png",
        "$RECYCLE.BIN/x.png",
    )
    assert data.load(pack({**shared(), **dict.fromkeys(added, b"x")}), size=8).report.left_out == ()


def test_a_name_is_shown_without_what_can_t_be(pack):
    (entry,) = data.load(pack({**shared(), "a\u202egnp.\x07exe": b"x"}), size=8).report.left_out
    assert entry.name.isprintable()


@pytest.mark.parametrize(
    "members", [{f"{k}.png": picture() for k in range(12)}, {f"{k}": picture() for k in range(12)}]
)
@pytest.mark.parametrize(("how", "key", "words"), [
    ({"flags": 1}, "data.locked", "password"), ({"flags": 1, "packing": 99}, "data.locked", "password"),
    ({"flags": 0x41}, "data.locked", "password"),
    ({"packing": 12}, "data.packing", "BZIP2"), ({"packing": 14}, "data.packing", "LZMA"),
    ({"packing": 9}, "data.packing", "Deflate64"),
    ({"packing": 93}, "data.packing", "Zstandard"), ({"packing": 77}, "data.packing", "77"),
])  # fmt: skip
def test_why_no_member_can_be_read_is_one_sentence(tmp_path, members, how, key, words):
    with pytest.raises(UserError, match=words) as caught:
        survey(mark(make_zip(tmp_path / "a.zip", {**members, "readme.txt": b"x"}), **how))
    assert caught.value.key == key


@pytest.mark.parametrize("name", ["heic.zip", "heic"])
def test_pictures_of_one_other_kind_are_told_as_such(tmp_path, name):
    members = {f"IMG_{k}.HEIC": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" for k in range(12)}
    with pytest.raises(
        UserError, match=r"12 images in formats that can't be read: HEIC\. Export them as JPEG"
    ) as caught:
        survey((make_zip if name.endswith("zip") else make_folder)(tmp_path / name, members))
    assert caught.value.key == "data.other_kinds"


HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"


def test_several_reasons_at_once_are_told_with_what_to_do(tmp_path):
    members = {**shared(), **{f"{k}.heic": HEIC for k in range(3)}}
    with pytest.raises(
        UserError, match=r"0\.png \(LZMA\).*0\.heic \(HEIC\).*Export other formats as JPEG or PNG"
    ) as caught:
        survey(mark(make_zip(tmp_path / "a.zip", members), packing=14, only=b".png"))
    assert caught.value.key == "data.unread_kinds"


@pytest.mark.parametrize(("members", "key", "words"), [
    ({f"{k}.mp4": b"\0\0\0\x18ftypisom" + bytes(60) for k in range(4)}, "data.no_pictures", (
        r"only other files: 0\.mp4, 1\.mp4, "
        r"2\.mp4, …\. Export films"
    )),
    ({".DS_Store": b"x", "__MACOSX/._a.png": b"y"}, "data.empty", "system files"),
    ({}, "data.empty", "empty"),
    ({"a.png": picture()}, "data.too_few", r"at least 2 usable images, and .* has 1 \(0 left out\)"),
])  # fmt: skip
def test_where_nothing_can_be_learnt_a_sentence_tells_why(tmp_path, pack, members, key, words):
    (tmp_path / "pictures").mkdir()
    with pytest.raises(UserError, match=words) as caught:
        survey(pack(members))
    assert caught.value.key == key


def test_an_archive_with_its_own_name_is_told_as_what_it_is(tmp_path):
    (tmp_path / "a.rar").write_bytes(b"Rar!\x1a\x07\0" + bytes(99))
    with pytest.raises(UserError, match="packed as RAR") as caught:
        survey(str(tmp_path / "a.rar"))
    assert "zip, whatever" not in str(caught.value)


@pytest.mark.parametrize(
    ("how", "reason"), [({"flags": 1}, ("locked", "")), ({"packing": 12}, ("packing", "BZIP2"))]
)
def test_members_that_can_t_be_read_beside_others_are_left_out(tmp_path, how, reason):
    path = mark(make_zip(tmp_path / "a.zip", {**shared(), "odd.png": picture()}), only=b"odd", **how)
    assert left_out(data.load(path, size=8).report) == [("odd.png", *reason)]


def test_a_real_password_and_real_packings(tmp_path):
    for k in range(3):
        (tmp_path / f"{k}.png").write_bytes(picture())
    if shutil.which("zip"):
        subprocess.run(
            ["zip", "-q", "-P", "secret", "locked.zip", "0.png", "1.png", "2.png"], cwd=tmp_path, check=True
        )
        with pytest.raises(UserError) as caught:
            data.load(str(tmp_path / "locked.zip"))
        assert caught.value.key == "data.locked"
    for packing in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        with zipfile.ZipFile(tmp_path / "odd.zip", "w", packing) as archive:
            archive.write(tmp_path / "0.png")
        with pytest.raises(UserError) as caught:
            data.load(str(tmp_path / "odd.zip"))
        assert caught.value.key == "data.packing"


def test_names_tell_what_was_left_out_where_too_little_is_left(pack):
    with pytest.raises(UserError) as caught:
        data.load(
            pack(
                {
                    "good.png": picture(),
                    "one.png": b"",
                    "two.png": b"",
                    "three.png": b"",
                    "phone.heic": b"?",
                    "notes.txt": b"",
                }
            )
        )
    assert (caught.value.key, caught.value.values["skipped"]) == ("data.too_few", 5)
    named = caught.value.values["examples"]
    assert "phone.heic (HEIC)" in named, "one of each reason"
    assert named.count(",") == 3
    assert named.endswith(", …")
    assert "notes" not in named


@pytest.mark.parametrize(("change", "key"), [
    (lambda whole: whole[: len(whole) // 2], "data.damaged_zip"), (lambda whole: b"", "data.damaged_zip"),
    (lambda whole: whole[:-30], "data.damaged_zip"),
    (lambda whole: whole.replace(b"PK\x01\x02", b"PK\x01\x03", 1), "data.damaged_zip"),
    (lambda whole: b"Rar!\x1a\x07\0" + bytes(99), "data.other_archive"),
    (lambda whole: b"7z\xbc\xaf\x27\x1c" + bytes(99), "data.other_archive"),
    (lambda whole: b"\x1f\x8b" + bytes(99), "data.other_archive"),
    (lambda whole: bytes(257) + b"ustar" + bytes(250), "data.other_archive"),
    (lambda whole: b"PK\x07\x08" + whole[:300], "data.multi_part"),
    (lambda whole: whole[-22:-18] + b"\x01\0\x01\0" + whole[-14:], "data.multi_part"),
    (lambda whole: picture(), "data.not_pictures"),
    (lambda whole: b"<html>404", "data.not_pictures"),
])  # fmt: skip
def test_a_file_that_is_no_sound_zip_is_told_as_what_it_is(tmp_path, change, key):
    path = make_zip(tmp_path / "a.zip", shared(5))
    whole = (tmp_path / "a.zip").read_bytes()
    (tmp_path / "a.zip").write_bytes(change(whole))
    with pytest.raises(UserError) as caught:
        data.load(path)
    assert caught.value.key == key


@pytest.mark.skipif(shutil.which("zip") is None, reason="needs the command zip")
def test_one_part_of_several_is_told_as_such(tmp_path):
    for k in range(4):
        (tmp_path / f"{k}.png").write_bytes(os.urandom(40_000))
    subprocess.run(
        ["zip", "-q", "-s", "64k", "a.zip", *(f"{k}.png" for k in range(4))], cwd=tmp_path, check=True
    )
    for part in ("a.zip", "a.z01"):
        with pytest.raises(UserError) as caught:
            data.load(str(tmp_path / part))
        assert caught.value.key == "data.multi_part"


def test_a_zip_whose_list_is_zip64_is_read(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name, content in shared().items():
            with archive.open(name, "w", force_zip64=True) as member:
                member.write(content)
    assert data.load(str(tmp_path / "a.zip"), size=8).report.count == 3


WHITE = picture("white", (1200, 900), compress_level=0)


def test_one_picture_that_packs_too_well_is_left_out_alone(tmp_path):
    assert len(WHITE) > 3e6
    report = data.load(make_zip(tmp_path / "a.zip", {**shared(12), "scan.png": WHITE}), size=8).report
    assert (report.count, left_out(report)) == (12, [("scan.png", "unpacks", "")])


def test_several_pictures_that_pack_too_well_are_left_out_one_by_one_and_never_unpacked(
    tmp_path, monkeypatch
):
    read, asked = archives.read_member, []
    monkeypatch.setattr(
        archives, "read_member", lambda archive, info: asked.append(info.filename) or read(archive, info)
    )
    scans = {f"scan{k}.png": WHITE for k in range(10)}
    report = data.load(make_zip(tmp_path / "a.zip", {**shared(12), **scans}), size=8).report
    assert (report.count, left_out(report)) == (12, [(name, "unpacks", "") for name in scans])
    assert len(asked) == 12
    assert not scans.keys() & set(asked)


def test_kinds_that_are_never_opened_are_no_bomb(tmp_path):
    flat = picture("white", (3000, 3000), "BMP")
    assert len(flat) > archives.MAX_OVER
    report = data.load(
        make_zip(tmp_path / "a.zip", {**shared(12), "scan.bmp": flat, "table.csv": bytes(2**25)}), size=8
    ).report
    assert left_out(report) == [("scan.bmp", "kind", "BMP"), ("table.csv", "other", "")]


@pytest.mark.parametrize("name", ["{}.png", "{}", "{}.txt", "{}.bmp"])
def test_many_that_pack_too_well_are_a_bomb_whatever_their_names(tmp_path, name):
    with pytest.raises(UserError) as caught:
        data.load(make_zip(tmp_path / "a.zip", {**shared(), **{name.format(k): WHITE for k in range(17)}}))
    assert caught.value.key == "data.zip_bomb"


def test_a_little_that_packs_too_well_and_is_no_picture_is_a_bomb(tmp_path):
    with pytest.raises(UserError) as caught:
        data.load(
            make_zip(tmp_path / "a.zip", {**shared(), **{f"{k}.png": bytes(3 << 20) for k in range(3)}})
        )
    assert caught.value.key == "data.zip_bomb"


def test_of_a_member_that_is_no_picture_only_the_beginning_is_unpacked(tmp_path):
    path = make_zip(
        tmp_path / "a.zip",
        {**shared(), "zeros.bin": bytes(2**27), "flat.gif": picture(kind="GIF") + bytes(2**27)},
    )
    data.load(path, size=8)  # the first loading's imports don't count
    tracemalloc.start()
    try:
        assert data.load(path, size=8).report.count == 3
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


def test_folders_that_are_links_are_followed(tmp_path):
    outside = make_folder(tmp_path / "outside", {f"{k}.png": picture("blue") for k in range(2)})
    folder = tmp_path / "in"
    make_folder(folder, {f"real/{k}.png": picture("red") for k in range(2)})
    (folder / "linked").symlink_to(outside)
    (folder / "real" / "one.png").symlink_to(tmp_path / "outside" / "0.png")
    assert data.load(str(folder), size=8).report.classes == (("linked", 2), ("real", 3))
    only = tmp_path / "only"
    only.mkdir()
    for name in ("a", "b"):
        (only / name).symlink_to(
            make_folder(tmp_path / f"far {name}", {f"{k}.png": picture() for k in range(2)})
        )
    assert data.load(str(only), size=8).report.classes == (("a", 2), ("b", 2))


def test_rings_of_links_end_and_are_counted(tmp_path):
    folder = tmp_path / "in"
    make_folder(folder, {f"a/{k}.png": picture() for k in range(2)})
    (folder / "a" / "up").symlink_to(folder)
    (folder / "above").symlink_to(tmp_path)
    (folder / "self").symlink_to("self")
    (folder / "0-a-again").symlink_to(folder / "a")
    (folder / "lost.png").symlink_to(tmp_path / "nowhere.png")
    report = data.load(str(folder), size=8).report
    assert report.count == 2
    assert sorted(left_out(report)) == [
        (name, "link", "") for name in ("0-a-again", "a/up", "above", "lost.png", "self")
    ]
    assert "under another name" in sentence_left_out(report.left_out), (
        "0-a-again leads to a folder that is there, and in no circle"
    )


def test_a_pipe_is_not_waited_for(tmp_path):
    make_folder(tmp_path / "in", shared())
    os.mkfifo(tmp_path / "in" / "pipe.png")
    assert left_out(data.load(str(tmp_path / "in"), size=8).report) == [("pipe.png", "other", "")]


def test_what_may_not_be_read_is_told(tmp_path, monkeypatch):
    """Root may read all files, so the test simulates the refusal."""
    make_folder(tmp_path / "in", {**shared(), "mine.png": picture(), "closed/a.png": picture()})
    refused = PermissionError(13, "Permission denied")
    real_open, real_scandir = open, os.scandir

    def refuse(real, name):
        def call(path, *rest, **options):
            if str(path).endswith(name):
                raise refused
            return real(path, *rest, **options)

        return call

    monkeypatch.setattr("builtins.open", refuse(real_open, "mine.png"))
    monkeypatch.setattr(os, "scandir", refuse(real_scandir, "closed"))
    assert left_out(data.load(str(tmp_path / "in"), size=8).report) == [
        ("closed", "rights", ""),
        ("mine.png", "rights", ""),
    ]
    monkeypatch.setattr(os, "scandir", refuse(real_scandir, "in"))
    with pytest.raises(UserError, match="Permission denied") as caught:
        data.load(str(tmp_path / "in"))
    assert caught.value.key == "data.unreadable"


def test_loose_pictures_count_for_nothing_that_the_report_tells(tmp_path):
    """The report ignores loose images even for whether all are grey, and for the largest side."""
    members = {f"{kind}/{k}.png": picture((k, k, k), (20, 20)) for kind in ("cat", "dog") for k in range(3)}
    report = survey(make_zip(tmp_path / "a.zip", {**members, "cover.png": picture("red", (50, 50))}))
    assert (report.count, report.grey, report.side, report.copies) == (6, True, 20, 3)
    assert left_out(report) == [("cover.png", "no_class", "")]
