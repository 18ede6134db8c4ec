"""Test GET loop: its progress lines, the file at its end, and a client that leaves, which stops the work."""

import asyncio
import base64
import io
import json
import subprocess

import numpy as np
import psutil
import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect
from starlette.testclient import TestClient

from gan.errors import UserError
from gan.latent.point import Point
from gan.latent.sampling import latent
from gan.runs.store import Store
from gan.ui.explore import film_routes as routes_module
from gan.ui.explore.film_routes import film_routes
from gan.ui.server.requests import sending
from gan.ui.server.requests.concurrency import ConcurrencyLimit
from gan.ui.server.services import Services
from tests.support.inputs.generators import tiny_spec, write_checkpoint

SHIPPED = "shipped:colours"
SPEC = tiny_spec(3, channels=3)


def key(seed: int, *classes: object) -> str:
    at = (
        base64.urlsafe_b64encode((latent(seed, SPEC.z_dim) * 4096).round().astype("<i2").tobytes())
        .decode()
        .rstrip("=")
    )
    return ",".join([at, *map(str, classes)])


KEYS = ";".join([key(1, 0), key(2, 1), key(3, 1, 2, 0.5)])


@pytest.fixture(scope="module")
def services(tmp_path_factory):
    root = tmp_path_factory.mktemp("models")
    write_checkpoint(root / "checkpoints", "colours", SPEC, classes=["a", "b", "c"])
    return Services(store=Store(root / "runs"), checkpoints=root / "checkpoints")


@pytest.fixture(scope="module")
def app(services):
    return Starlette(routes=film_routes(services))


@pytest.fixture
def get(app):
    browser = TestClient(app, raise_server_exceptions=False)
    return lambda **query: browser.get("/gradio_api/gan/loop", params={"id": SHIPPED, "keys": KEYS, **query})


def told(content: bytes) -> tuple[list[dict], bytes]:
    """Split a stream into its lines and the file that follows."""
    lines = []
    while content:
        line, _, content = content.partition(b"\n")
        lines.append(json.loads(line))
        if "bytes" in lines[-1]:
            break
    return lines, content


@pytest.mark.parametrize("form", routes_module.TYPES)
def test_a_loop_becomes_a_file(get, form):
    lines, data = told(get(steps=2, fps=5, side=128, **{"as": form}).content)
    assert [line["done"] for line in lines if "done" in line] == [0, 4, 6]
    assert lines[-1] == {"bytes": len(data), "type": routes_module.TYPES[form]}
    assert b"trainedAlgorithmicMedia" in data
    if form != "mp4":
        picture = Image.open(io.BytesIO(data))
        assert (picture.size, picture.n_frames) == ((112, 112), 6)


def test_its_frames_are_the_pictures_of_its_points(get, services):
    _, data = told(get(steps=2, side=128, **{"as": "webp"}).content)
    model = services.explorer().open(SHIPPED)
    picture = Image.open(io.BytesIO(data))
    for frame, point in [
        (0, Point(label=0, at=tuple(np.round(latent(1, SPEC.z_dim) * 4096) / 4096))),
        (4, Point(label=1, at=tuple(np.round(latent(3, SPEC.z_dim) * 4096) / 4096), other=2, share=0.5)),
    ]:
        picture.seek(frame)
        wanted = np.asarray(Image.open(io.BytesIO(model.image(point)))).astype(int)
        assert np.abs(np.asarray(picture.convert("RGB"))[::4, ::4] - wanted).max() <= 1


@pytest.mark.parametrize(("query", "key"), [
    ({"keys": ""}, "latent.keys"), ({"keys": key(1)}, "latent.keys"), ({"keys": "x;y"}, "latent.bad_z"),
    ({"as": "avi"}, "latent.unknown_form"),
    ({"side": "4096"}, "latent.range"), ({"side": "x"}, "latent.not_whole"),
    ({"steps": "9e9"}, "latent.not_whole"), ({"fps": "0"}, "latent.range"),
    ({"keys": ";".join([KEYS] * 3), "side": "1024"}, "latent.film_pixels"),
    ({"id": "run:nothing"}, "latent.unknown_model"),
])  # fmt: skip
def test_what_can_not_be_drawn_is_refused_at_once(get, query, key):
    reply = get(**query)
    assert reply.status_code in (400, 404)
    assert reply.json()["error"]["key"] == key


def test_a_packer_that_fails_is_a_sentence(get, monkeypatch):
    popen = subprocess.Popen
    fails = ["-c", "import sys; sys.stdin.read(); sys.exit(3)"]
    monkeypatch.setattr(
        routes_module.subprocess, "Popen", lambda command, **options: popen([command[0], *fails], **options)
    )
    lines, data = told(get(steps=2).content)
    assert (lines[-1]["error"]["key"], data) == ("latent.film_failed", b"")


def test_too_many_at_once_are_asked_to_wait(get, monkeypatch):
    monkeypatch.setattr(routes_module, "FILMS", ConcurrencyLimit(0, 0))
    lines, _ = told(get(steps=2).content)
    assert (lines[-1]["error"]["key"], lines[-1]["error"]["offline"]) == ("ui.busy", True)


def test_who_leaves_takes_the_work_along(app, services):
    async def leave() -> int:
        left = asyncio.Event()
        sent = []

        async def receive():
            if not left.is_set():
                await left.wait()
            return {"type": "http.disconnect"}

        async def send(message):
            sent.append(message)
            if len(sent) == 4:
                left.set()

        query = f"id={SHIPPED}&keys={KEYS}&steps=120"
        await app(
            {
                "type": "http",
                "method": "GET",
                "path": "/gradio_api/gan/loop",
                "raw_path": b"",
                "query_string": query.encode(),
                "headers": [],
                "http_version": "1.1",
                "scheme": "http",
                "server": ("here", 80),
                "root_path": "",
            },
            receive,
            send,
        )
        assert (routes_module.FILMS._inside, routes_module.DRAWN._inside) == (0, 0), (
            "its places are free again"
        )
        return len(sent)

    assert asyncio.run(asyncio.wait_for(leave(), 30)) < 40
    assert not [child for child in psutil.Process().children() if "gan.cli.film" in " ".join(child.cmdline())]


FILM = sending.PIECE * 4 + 1  # bytes


@pytest.fixture
def packed(services, monkeypatch):
    """Return a function that drives the route, with a packer that returns FILM bytes.

    It awaits `take(piece)` for each message.
    """
    popen = subprocess.Popen
    leaves = ["-c", f"import sys; sys.stdin.buffer.read(); sys.stdout.buffer.write(bytes({FILM}))"]
    monkeypatch.setattr(
        routes_module.subprocess, "Popen", lambda command, **options: popen([command[0], *leaves], **options)
    )
    app = Starlette(routes=film_routes(services))

    async def ask(take):
        async def receive():
            await asyncio.Event().wait()

        await app(
            {
                "type": "http",
                "method": "GET",
                "path": "/gradio_api/gan/loop",
                "raw_path": b"",
                "headers": [],
                "http_version": "1.1",
                "scheme": "http",
                "query_string": f"id={SHIPPED}&keys={KEYS}&steps=2".encode(),
                "server": ("here", 80),
                "root_path": "",
                "asgi": {"spec_version": "2.3"},
            },
            receive,
            take,
        )

    return ask


def test_a_file_is_handed_over_in_pieces_and_keeps_its_place_until_it_is_sent(packed):
    """So finished files of slow readers use no unlimited memory or disk, however many there are."""
    sizes, places = [], []

    async def take(message):
        if len(message.get("body", b"")) > 200:
            sizes.append(len(message["body"]))
            places.append((routes_module.FILMS._inside, routes_module.DRAWN._inside))

    asyncio.run(asyncio.wait_for(packed(take), 30))
    assert sizes == [sending.PIECE] * 4, "and one byte"
    assert set(places) == {(1, 0)}, "but others are drawn meanwhile"
    assert routes_module.FILMS._inside == 0


def test_who_takes_a_file_too_slowly_is_left(packed, monkeypatch):
    monkeypatch.setattr(sending, "WITHIN", 0.0)
    sizes = []

    async def take(message):
        sizes.append(len(message.get("body", b"")))
        await asyncio.sleep(0.01)

    with pytest.raises(ClientDisconnect):
        asyncio.run(asyncio.wait_for(packed(take), 30))
    assert sizes.count(sending.PIECE) == 1
    assert (routes_module.FILMS._inside, routes_module.DRAWN._inside) == (0, 0)


def test_the_lane_lets_one_in_at_a_time():
    async def work() -> list[str]:
        lane, seen = ConcurrencyLimit(1, 1), []

        async def hold(name: str) -> None:
            async with lane.hold():
                seen.append(f"{name} in")
                await asyncio.sleep(0.05)
                seen.append(f"{name} out")

        first, second = asyncio.ensure_future(hold("a")), asyncio.ensure_future(hold("b"))
        await asyncio.sleep(0.01)
        with pytest.raises(UserError):
            await hold("c")
        await asyncio.gather(first, second)
        return seen

    assert asyncio.run(work()) == ["a in", "a out", "b in", "b out"]
