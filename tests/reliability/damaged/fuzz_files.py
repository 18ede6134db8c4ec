"""Targets of tests.reliability.fuzz that read files: runs, images, colour profiles, records and parcels."""

import hashlib
import io
import json
import re
import shutil
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from hypothesis import strategies as st
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from gan import data
from gan.config import RunConfig
from gan.data.dataset import Dataset
from gan.data.decode.colour import to_srgb
from gan.data.decode.containers import MAX_SCANS, take_apart
from gan.data.decode.pictures import UNREADABLE, read_picture
from gan.errors import UserError
from gan.kinds.images.identity import Identity, identify
from gan.kinds.images.identity import read as read_record
from gan.mirror.contents import MANIFEST
from gan.mirror.parcel import unpack
from gan.recipes import make_config
from gan.runs.store import Store
from gan.runs.supervisor import Supervisor
from gan.spec import ModelSpec
from gan.ui.explore.search_routes import MAX_PIXELS
from gan.ui.server.services import Services
from gan.ui.train.run_feed import RunFeed
from tests.reliability.damaged.damage import VALUES, Target, as_json, damaged, deep, like
from tests.support.inputs.generators import tiny_spec
from tests.support.inputs.parcels import write_parcel
from tests.support.profiles import ADOBE_RGB, DISPLAY_P3, display, grey, press


def config(folder: Path) -> Target:
    """RunConfig.from_json: returns a config that survives a round trip, or raises UserError."""

    def act(value: Any) -> None:
        read = RunConfig.from_json(value)
        assert RunConfig.from_json(json.loads(json.dumps(read.to_json(), allow_nan=False))) == read

    return VALUES | like(make_config("digits").to_json()), act


def spec(folder: Path) -> Target:
    """ModelSpec.from_json: returns networks that a run could have, or raises ValueError, as documented."""

    def act(value: Any) -> None:
        try:
            found = ModelSpec.from_json(value)
        except ValueError:
            return
        assert found.size <= 128
        assert found.width <= 256
        assert found.groups <= 64_000

    return VALUES | like(tiny_spec(3).to_json()), act


def runs(folder: Path) -> Target:
    """The files of a run: whatever they contain, the run can be listed, shown and polled as JSON."""
    store = Store(folder)
    feed = RunFeed(Services(store=store, supervisor=Supervisor(store), uploads=folder / ".uploads"))
    run_id = store.create(make_config("digits"))
    path = store.path(run_id)
    sound = {
        "config.json": make_config("digits").to_json(),
        "status.json": json.loads((path / "status.json").read_bytes()),
        "stats.jsonl": {
            "step": 1,
            "images": 8,
            "seconds": 0.5,
            "loss_d": 0.1,
            "loss_g": 2.0,
            "diversity": None,
        },
        "eyes.json": {
            "step": 3,
            "images": 24,
            "sheet": 0,
            "low": -1.5,
            "high": 2.5,
            **{name: [3, 0, 9] for name in ("trained", "held_out", "fakes")},
            "tiles": [None, *range(63)],
        },
        "events.jsonl": {"time": 1.0, "key": "rolled_back", "values": {"at": 3, "step": 2, "percent": "50"}},
    }
    whole = {name: json.dumps(value).encode() for name, value in sound.items()}
    huge = {name: re.sub(rb": [0-9.]+", b": 1e999", content) for name, content in whole.items()}
    of_file = {
        name: st.binary(max_size=60)
        | VALUES.map(as_json)
        | like(sound[name]).map(as_json)
        | damaged([content, content + b"\n" + content + b"\n", huge[name]])
        | deep(sound[name])
        for name, content in whole.items()
    }

    def act(found: tuple[str, bytes, int]) -> None:
        name, content, since = found
        (path / name).write_bytes(content)
        try:
            shown = [
                store.get(run_id),
                store.status(run_id),
                store.list(),
                store.stats(run_id, since),
                store.log_tail(run_id),
            ]
            feed.forget()
            json.dumps([*shown, feed.poll(run_id, run_id, since, "", "")], allow_nan=False)
        except UserError as error:
            raise AssertionError("a run that is there can't be shown") from error
        finally:
            (path / name).write_bytes(whole[name] + b"\n")

    return st.sampled_from(sorted(sound)).flatmap(
        lambda name: st.tuples(st.just(name), of_file[name], st.integers(-3, 2**70))
    ), act


def record(folder: Path) -> Target:
    """data.json: returns a record of images that survives a round trip, or None."""
    images = torch.randint(
        0, 256, (6, 1, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)
    )
    sound = identify(
        Dataset("x", images, torch.arange(6) % 2, ("a", "b"), files=tuple(bytes([k]) * 32 for k in range(6))),
        True,
    ).to_json()
    whole = as_json(sound)

    def act(content: bytes) -> None:
        (folder / "data.json").write_bytes(content)
        found = read_record(folder, {})
        assert found is None or Identity.from_json(json.loads(json.dumps(found.to_json()))) == found

    return st.binary(max_size=60) | VALUES.map(as_json) | like(sound).map(as_json) | damaged([whole]) | deep(
        sound
    ), act


def pictures(folder: Path) -> Target:
    """Uploaded zips and images: load a data set of the requested shape, or raise UserError."""
    drawn = np.random.default_rng(0).integers(0, 256, (9, 12, 3), np.uint8)
    kinds = {"png": {}, "jpg": {"quality": 90}, "webp": {"lossless": True}}
    members = {
        f"{label}/{number}.{kind}": _picture(drawn + number, kind, options)
        for label in "ab"
        for number, (kind, options) in enumerate(kinds.items())
    }
    turned = Image.Exif()
    turned[0x0112], turned[0x010E] = 6, "a place"
    members |= {
        f"a/turned.{kind}": _picture(drawn, kind, {**options, "exif": turned})
        for kind, options in kinds.items()
    }
    whole = [_zip(members, packing) for packing in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)]
    one = damaged(list(members.values())) | st.binary(max_size=60)
    names = st.sampled_from(sorted(members)) | st.text(min_size=1, max_size=12).map(
        lambda name: f"{name}.png"
    )
    packed = st.dictionaries(names, one, max_size=4).map(
        lambda more: _zip({**members, **more}, zipfile.ZIP_STORED)
    )
    path = folder / "upload.zip"

    def act(content: bytes) -> None:
        path.write_bytes(content)
        found = data.load(str(path), 8, 3)
        assert isinstance(found, Dataset)
        assert found.images.shape[1:] == (3, 8, 8)
        assert len(found.images) >= 2
        assert all(len(name) <= 60 and name.isprintable() for name in found.classes)

    return damaged(whole) | packed, act


def picture(folder: Path) -> Target:
    """The target of Find: returns pixels of the requested shape, or raises UserError."""
    drawn = np.random.default_rng(0).integers(0, 256, (24, 31, 3), np.uint8)
    whole = [
        _picture(drawn, kind, options)
        for kind in ("png", "jpg", "webp", "gif", "bmp")
        for options in ({}, {"quality": 20, "progressive": True})
    ]

    def act(found: tuple[bytes, int, int]) -> None:
        content, size, channels = found
        pixels = read_picture(content, size, channels, MAX_PIXELS)
        assert (pixels.shape, pixels.dtype) == ((channels, size, size), np.uint8)

    return st.tuples(
        damaged(whole) | st.binary(max_size=60), st.sampled_from((8, 28, 64)), st.sampled_from((1, 3))
    ), act


def jpeg(folder: Path) -> Target:
    """The part of a JPEG that take_apart keeps: libjpeg decodes it as it decodes the whole file.

    So take_apart drops nothing that libjpeg reads.
    """
    drawn = np.random.default_rng(0).integers(0, 256, (24, 31, 3), np.uint8)
    options = (
        {},
        {"progressive": True},
        {"restart_marker_blocks": 1},
        {"exif": b"Exif\0\0MM\0*\xff\xda\xff\xd9"},
        {"comment": b"\xff\xd9\xff\xda"},
    )
    whole = [_picture(drawn, "jpg", one) for one in options]
    codes = st.sampled_from((
        0x00, 0x01, 0xC0, 0xC2, 0xC4, 0xD0, 0xD8, 0xD9, 0xDA,
        0xDB, 0xDC, 0xDD, 0xE0, 0xE1, 0xE2, 0xEE, 0xFE, 0xFF,
    ))  # fmt: skip
    marker = st.builds(
        lambda fill, code, length: b"\xff" * fill + bytes([code]) + length,
        st.integers(1, 3),
        codes,
        st.binary(max_size=3),
    )
    behind = st.sampled_from((b"", *whole)) | st.binary(max_size=20)

    def put(content: bytes, places: list[tuple[int, bytes]], end: bytes) -> bytes:
        for place, found in places:
            content = content[: place % len(content)] + found + content[place % len(content) :]
        return content + end

    marked = st.builds(
        put, st.sampled_from(whole), st.lists(st.tuples(st.integers(0, 2000), marker), max_size=3), behind
    )

    def act(content: bytes) -> None:
        try:
            before = np.asarray(JpegImageFile(io.BytesIO(content)))
            kept = take_apart(content)
        except UNREADABLE:
            return
        assert kept.picture.count(b"\xff\xda") <= MAX_SCANS + content.count(b"Exif")
        assert (np.asarray(JpegImageFile(io.BytesIO(kept.picture))) == before).all()

    return marked | damaged(whole), act


def profile(folder: Path) -> Target:
    """A colour profile: to_srgb returns an image for any bytes of the profile."""
    whole = [display(DISPLAY_P3), display(ADOBE_RGB, 2.2), grey(1.8), press()]
    pictures = {mode: Image.new(mode, (8, 8)) for mode in ("RGB", "L", "CMYK")}

    def act(found: tuple[bytes, str]) -> None:
        content, mode = found
        seen = to_srgb(pictures[mode], content)
        assert (seen.size, seen.mode in ("RGB", "L")) == ((8, 8), True)

    return st.tuples(damaged(whole) | st.binary(max_size=200), st.sampled_from(sorted(pictures))), act


def parcel(folder: Path) -> Target:
    """A run as one file: becomes a run that can be shown and listed, or raises UserError.

    Damaged files, and files whose manifest agrees with their damage, so that every later check is reached.
    """
    write_parcel(folder / "sound.zip")
    whole = (folder / "sound.zip").read_bytes()
    with zipfile.ZipFile(folder / "sound.zip") as archive:
        sound = {name: archive.read(name) for name in archive.namelist()}
    listed = json.loads(sound.pop(MANIFEST))
    store = Store(folder / "runs")

    def agreeing(name: str, content: bytes, path: str) -> bytes:
        files = {**{one: part for one, part in sound.items() if one != name}, path: content}
        facts = {
            one: {"size": len(part), "sha256": hashlib.sha256(part).hexdigest()}
            for one, part in files.items()
        }
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            archive.writestr(MANIFEST, as_json({**listed, "files": facts}))
            for one, part in files.items():
                archive.writestr(one, part)
        return out.getvalue()

    def act(content: bytes) -> None:
        (folder / "case.zip").write_bytes(content)
        found = None
        try:
            found = unpack(store, folder / "case.zip")
            assert store.get(found)["status"]["state"] in ("paused", "finished", "stopped")
            store.follow(found, 0)
        finally:
            assert {path.name for path in store.root.glob("*")} == ({found} if found else set())
            shutil.rmtree(store.root, ignore_errors=True)

    def one(name: str) -> st.SearchStrategy[bytes]:
        texts = name.endswith(".json")
        odd = like(json.loads(sound[name])).map(as_json) if texts else damaged([sound[name]])
        paths = st.just(name) | st.text(min_size=1, max_size=30).filter(lambda path: path not in sound)
        return st.builds(agreeing, st.just(name), odd, st.just(name) | paths)

    return damaged([whole]) | st.sampled_from(sorted(sound)).flatmap(one), act


def _picture(pixels: np.ndarray, kind: str, options: dict[str, Any]) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(out, {"jpg": "JPEG"}.get(kind, kind.upper()), **options)
    return out.getvalue()


def _zip(members: dict[str, bytes], packing: int) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", packing) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content, packing)
    return out.getvalue()
