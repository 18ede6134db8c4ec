"""Feed damaged input to readers:  python -m tests.reliability.fuzz --cases 10000

Hypothesis gives each of TARGETS at least so many cases. A reader may raise only a UserError, or what its
docstring names. A case that breaks this is minimised and shown, and the exit status is 1.
"""

import argparse
import base64
import contextlib
import hashlib
import io
import json
import os
import re
import shutil
import sys
import tempfile
import time
import traceback
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import hypothesis
import numpy as np
import torch
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile
from starlette import requests as web
from starlette.applications import Starlette
from starlette.testclient import TestClient

from gan import data
from gan.config import RunConfig
from gan.data.dataset import Dataset
from gan.data.decode.colour import to_srgb
from gan.data.decode.containers import MAX_SCANS, take_apart
from gan.data.decode.pictures import UNREADABLE, read_picture
from gan.errors import UserError
from gan.kinds.images.identity import Identity, identify
from gan.kinds.images.identity import read as read_record
from gan.latent.point import MAX_FACTOR, MAX_LAYER, MAX_UNIT, Point
from gan.mirror.contents import MANIFEST
from gan.mirror.parcel import unpack
from gan.recipes import make_config
from gan.runs import marks
from gan.runs.store import STATES, Store
from gan.runs.supervisor import Supervisor
from gan.spec import ModelSpec
from gan.ui.explore.search_routes import MAX_PIXELS
from gan.ui.page import launch_options
from gan.ui.server.http import PREFIX
from gan.ui.server.services import Services
from gan.ui.server.visitors import Visitors, owned
from gan.ui.train.run_feed import RunFeed
from tests.fakes.hub import NOWHERE
from tests.reliability.cases import COMMANDS
from tests.reliability.valid_requests import PULLED, SECRET, Subject, Visit, asked, plant, run_form
from tests.support.generators import tiny_spec, write_checkpoint
from tests.support.parcels import write_parcel
from tests.support.profiles import ADOBE_RGB, DISPLAY_P3, display, grey, press

PHASES = (Phase.generate, Phase.shrink)
# Patterns for the queries u and x, some of which are valid.
UNIT, MOVE = r"([0-9]{1,2}\.[0-9]{1,4}:[0-4](\.5)?,?){0,3}", r"([a-z][a-z0-9_]{0,4}:-?[0-9](\.5)?,?){0,3}"
Target = tuple[st.SearchStrategy, Callable[[Any], None]]
Request = tuple[str, str, dict[str, str], bytes | None]  # method, path under PREFIX, query, body

NUMBERS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from((10**400, -(10**400), 2**63, 1e308))
)
VALUES = st.recursive(
    NUMBERS | st.text(max_size=20) | st.just("\ud800"),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def like(sound: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Generate a valid object with some fields replaced by anything, some missing and some added."""
    changed = st.dictionaries(st.sampled_from(sorted(sound)) | st.text(max_size=8), VALUES, max_size=3)
    dropped = st.sets(st.sampled_from(sorted(sound)), max_size=1)
    return st.builds(
        lambda change, drop: {name: value for name, value in {**sound, **change}.items() if name not in drop},
        changed,
        dropped,
    )


def deep(sound: dict[str, Any]) -> st.SearchStrategy[bytes]:
    """Generate a valid object with one field nested in lists, deeper than any parser accepts."""
    nest = lambda name, depth: _json({**sound, name: "@@"}).replace(b'"@@"', b"[" * depth + b"]" * depth)  # noqa: E731
    return st.builds(nest, st.sampled_from(sorted(sound)), st.integers(1, 1200))


@st.composite
def damaged(draw: st.DrawFn, originals: list[bytes]) -> bytes:
    """Generate one of the originals with some bytes overwritten, truncated, inserted, removed or repeated."""
    content = bytearray(draw(st.sampled_from(originals)))
    for _ in range(draw(st.integers(0, 5))):
        place = draw(st.integers(0, len(content)))
        how, length = draw(st.sampled_from(("set", "cut", "put", "take", "double"))), draw(st.integers(1, 40))
        if how == "set":
            content[place : place + 4] = draw(st.binary(min_size=1, max_size=4))
        elif how == "cut":
            del content[place:]
        elif how == "put":
            content[place:place] = draw(st.binary(max_size=8))
        elif how == "take":
            del content[place : place + length]
        else:
            content[place:place] = content[place : place + length]
    return bytes(content)


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
        "events.jsonl": {"time": 1.0, "key": "rolled_back", "values": {"at": 3, "step": 2, "percent": "50"}},
    }
    whole = {name: json.dumps(value).encode() for name, value in sound.items()}
    huge = {name: re.sub(rb": [0-9.]+", b": 1e999", content) for name, content in whole.items()}
    of_file = {
        name: st.binary(max_size=60)
        | VALUES.map(_json)
        | like(sound[name]).map(_json)
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
    whole = _json(sound)

    def act(content: bytes) -> None:
        (folder / "data.json").write_bytes(content)
        found = read_record(folder, {})
        assert found is None or Identity.from_json(json.loads(json.dumps(found.to_json()))) == found

    return st.binary(max_size=60) | VALUES.map(_json) | like(sound).map(_json) | damaged([whole]) | deep(
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


def point(folder: Path) -> Target:
    """Point.parse: returns a point with a finite z, or raises UserError."""
    shape = tiny_spec(3)
    text = (
        st.text(max_size=12)
        | st.from_regex(r"[-+0-9.,:e]{0,20}", fullmatch=True)
        | NUMBERS.map(str)
        | st.sampled_from(("mixed", "9" * 400, "1," * 400))
    )
    known = next(visit.query for visit in asked(Subject("", "")) if visit.route == "latent")
    directions = np.eye(shape.z_dim, dtype=np.float32)
    numbers = st.binary(max_size=2 * shape.z_dim + 2).map(
        lambda raw: base64.urlsafe_b64encode(raw).decode().rstrip("=")
    )
    written = {
        "at": numbers,
        "u": st.from_regex(UNIT, fullmatch=True),
        "x": st.from_regex(MOVE, fullmatch=True),
    }
    found = st.fixed_dictionaries(
        {},
        optional={
            name: text | written.get(name, text) | st.just(known[name]) for name in known if name != "id"
        },
    )

    def act(query: dict[str, str]) -> None:
        found = Point.parse(query, shape)
        assert np.isfinite(
            found.z(shape.z_dim, lambda: directions, lambda name: directions[len(name) % shape.z_dim])
        ).all()
        assert found.class_label(3) in (0, 1, 2)
        assert 0 <= found.blend(3)[1] <= 1
        assert all(
            0 <= layer <= MAX_LAYER and 0 <= unit <= MAX_UNIT and 0 <= factor <= MAX_FACTOR
            for layer, unit, factor in found.units
        )

    return found, act


def visits(folder: Path) -> Target:
    """The cookie of a visitor and the mark of a run: whatever they hold, only the signed id has its mark."""
    visitors = Visitors(bytes(32))

    def asking(cookie: str) -> web.Request:
        headers = [(b"host", b"x"), (b"cookie", cookie.encode("latin-1"))]
        return web.Request({"type": "http", "scheme": "https", "path": "/", "headers": headers})

    sound = visitors.new_cookie(asking(""), "/").partition(";")[0]
    name = sound.partition("=")[0]
    mark = visitors.mark(asking(sound))
    assert mark

    def act(content: bytes) -> None:
        said = content.decode("latin-1")
        known = any(part.strip() == sound for part in said.split(";"))
        assert visitors.mark(asking(said)) == (mark if known else None)
        assert visitors.mark(asking(f"{name}={said}")) in (None, mark)
        found = marks.parse(content)
        assert found == "" or content.strip() == found.encode()
        assert owned(found, mark) == (content.strip() == mark.encode())

    return st.binary(max_size=60) | damaged([sound.encode(), mark.encode(), f"x; {sound}".encode()]), act


def offline(command: Sequence[str], seconds: float) -> dict[str, Any]:
    """Answer as a process does that pulls a model or a data set where no Hub can be reached."""
    return {"error": {"key": "hub.offline", "values": {}}}


def handlers(folder: Path) -> Target:
    """Every route of ours behind the guard, with parts of a valid request changed.

    No answer is a defect or contains a path of the server. No Hub is there to pull from.
    """
    os.environ["HF_ENDPOINT"] = NOWHERE
    write_checkpoint(
        folder / "checkpoints", "digits", tiny_spec(3), title="Digits", classes=["zero", "one", "two"]
    )
    subject, _ = plant(folder / "runs", folder / "checkpoints")
    services = Services(checkpoints=folder / "checkpoints")
    services.open(folder / "runs")
    services.hub_sets.ask = services.hub_models.ask = offline  # a process for each name would take a second
    app = Starlette(**launch_options(services)["app_kwargs"])
    browser = TestClient(app, raise_server_exceptions=False, base_url="http://localhost")
    visits = asked(subject)
    values = sorted({value for visit in visits for value in visit.query.values()})
    text = (
        st.text(max_size=12)
        | NUMBERS.map(str)
        | st.sampled_from(
            ("shipped:digits", subject.run, "digits", "mixed", "../x", "own", "none_such", *values)
        )
    )

    def act(request: Request) -> None:
        method, path, query, body = request
        try:
            reply = browser.request(method, quote(f"{PREFIX}/{path}"), params=query, content=body)
        finally:
            for run in set(services.store.root.glob("[!.]*")) - {services.store.path(subject.run)}:
                shutil.rmtree(run)  # a run that this case has started
        assert reply.status_code < 500 or reply.json()["error"]["key"] == "latent.finding", (
            reply.status_code,
            reply.content[:300],
        )
        assert not any(secret.encode() in reply.content for secret in (str(folder), SECRET))

    return _visits(visits, text) | _places(text, subject.run) | _starts(text), act


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
            archive.writestr(MANIFEST, _json({**listed, "files": facts}))
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
        odd = like(json.loads(sound[name])).map(_json) if texts else damaged([sound[name]])
        paths = st.just(name) | st.text(min_size=1, max_size=30).filter(lambda path: path not in sound)
        return st.builds(agreeing, st.just(name), odd, st.just(name) | paths)

    return damaged([whole]) | st.sampled_from(sorted(sound)).flatmap(one), act


def commands(folder: Path) -> Target:
    """Commands to a run in any state, through its routes.

    Each succeeds or is refused. Afterwards the run can be shown, unless it was deleted.
    """
    services = Services(checkpoints=folder / "checkpoints")
    services.open(folder / "runs")
    browser = TestClient(
        Starlette(**launch_options(services)["app_kwargs"]),
        raise_server_exceptions=False,
        base_url="http://localhost",
    )
    orders = st.lists(
        st.sampled_from(COMMANDS).map(lambda name: (name, {}))
        | st.text(max_size=70).map(lambda name: ("rename", {"name": name}))
        | (st.floats().map(str) | st.text(max_size=9)).map(lambda amount: ("more", {"amount": amount}))
        | st.text(max_size=20).map(lambda flavor: ("job", {"flavor": flavor})),
        max_size=4,
    )

    def act(found: tuple[str, list[tuple[str, dict[str, str]]]]) -> None:
        state, told = found
        run = services.store.create(make_config("digits"))
        kept = services.store.path(run)
        services.store.update_status(run, state=state)
        try:
            for name, query in told:
                reply = browser.post(f"{PREFIX}/runs/{run}/{name}", params=query)
                assert reply.status_code in (200, 400, 404), (reply.status_code, reply.content[:300])
                assert str(folder).encode() not in reply.content
                shown = browser.get(f"{PREFIX}/poll", params={"run": run})
                assert shown.status_code == (200 if kept.is_dir() else 404), shown.content[:300]
        finally:
            shutil.rmtree(kept, ignore_errors=True)

    return st.tuples(st.sampled_from(STATES), orders), act


def _visits(visits: list[Visit], text: st.SearchStrategy[str]) -> st.SearchStrategy[Request]:
    """Generate the page's requests with up to three query values changed or removed.

    Sometimes the body is another one.
    """
    names = sorted({name for visit in visits for name in visit.query})

    def some(visit: Visit) -> st.SearchStrategy[Request]:
        own = st.sampled_from(sorted(visit.query) or names) | st.sampled_from(names)
        changed, dropped = st.dictionaries(own, text, max_size=3), st.sets(own, max_size=1)
        query = st.builds(
            lambda change, drop: {
                name: value for name, value in {**visit.query, **change}.items() if name not in drop
            },
            changed,
            dropped,
        )
        body = (
            st.just(visit.body)
            if visit.body is None
            else st.just(visit.body) | st.binary(max_size=40) | VALUES.map(_json) | damaged([visit.body])
        )
        return st.tuples(
            st.just("GET" if visit.body is None else "POST"), st.just(visit.path or visit.route), query, body
        )

    return st.sampled_from(visits).flatmap(some)


def _places(text: st.SearchStrategy[str], run: str) -> st.SearchStrategy[Request]:
    """Generate paths from parts of our own paths."""
    parts = (
        st.sampled_from(
            (
                "runs",
                "samples",
                "log",
                "thumbnails",
                "strings",
                "take",
                "checkpoints",
                "pull",
                "pictures",
                "1.webp",
                "digits",
                run,
            )
        )
        | text
    )
    return st.tuples(
        st.sampled_from(("GET", "POST")),
        st.builds("/".join, st.lists(parts, max_size=4)),
        st.just({}),
        st.binary(max_size=40) | st.none(),
    )


def _starts(text: st.SearchStrategy[str]) -> st.SearchStrategy[Request]:
    """Generate forms of runs and tokens with some wrong values."""
    sound = run_form()
    values = sound["values"]
    setting = st.tuples(st.integers(0, len(values) - 1), VALUES).map(
        lambda found: [*values[: found[0]], found[1], *values[found[0] + 1 :]]
    )
    one_wrong = setting.map(lambda changed: {**sound, "values": changed})
    body = (
        VALUES | like({**sound, "token": "x", "job": "x", "id": PULLED, "hub": "hub-0", "cap": 8}) | one_wrong
    ).map(_json)
    return st.tuples(
        st.just("POST"),
        st.sampled_from(("runs", "access", "access/leave", "find/on", "drag/on", "pull", "pictures/pull")),
        st.just({}),
        body,
    )


TARGETS: dict[str, Callable[[Path], Target]] = {
    "config": config, "spec": spec, "runs": runs, "record": record, "pictures": pictures, "picture": picture,
    "jpeg": jpeg, "profile": profile,
    "point": point, "visits": visits,
    "handlers": handlers, "commands": commands, "parcel": parcel,
}  # fmt: skip


def fuzz(name: str, cases: int, seed: int = 0) -> int:
    """Run at least `cases` cases on one target. Returns their number.

    Raises the forbidden exception of the smallest failing case.
    """
    ran = 0
    with tempfile.TemporaryDirectory() as folder:
        strategy, act = TARGETS[name](Path(folder))

        def once(case: Any) -> None:
            nonlocal ran
            ran += 1
            with contextlib.suppress(UserError):
                act(case)

        while ran < cases:  # Hypothesis stops early where it has no new cases
            limits = settings(
                max_examples=cases - ran,
                deadline=None,
                database=None,
                phases=PHASES,
                suppress_health_check=list(HealthCheck),
            )
            hypothesis.seed(seed)(limits(given(strategy)(once)))()
            seed += 1
    return ran


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


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


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--cases", type=int, default=10_000, help="at least so many for each target (default: 10000)"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("targets", nargs="*", choices=[*TARGETS, []], help="which (default: all)")
    options = parser.parse_args()
    broken = 0
    for name in options.targets or TARGETS:
        begin = time.perf_counter()
        try:
            ran = fuzz(name, options.cases, options.seed)
            print(
                f"{name}: {ran} cases, {time.perf_counter() - begin:.0f} s, nothing but what may come out",
                flush=True,
            )
        except BaseException:
            broken += 1
            traceback.print_exc()
            print(f"{name}: BROKEN", flush=True)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
