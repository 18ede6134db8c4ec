"""Test uploads and the disk: each upload reserves its own space, and a refusal is a sentence."""

import asyncio
import errno
import shutil
from collections import namedtuple

import pytest

from gan.ui.server.requests import guard
from gan.ui.server.requests.guard import SPARE, UPLOAD, Guard
from gan.ui.server.requests.uploads import MAX_REQUEST
from gan.ui.server.services import Services

ROOM = 100_000  # bytes for uploads, beside the space that they leave to the runs
LENGTH = lambda count: (b"content-length", str(count).encode())  # noqa: E731
PIECES = (b"transfer-encoding", b"chunked")
Usage = namedtuple("Usage", "free")


class Disk:
    """A stand-in for Gradio's upload route. Arriving bytes take up space at once."""

    def __init__(self, free: int):
        self.free = free

    async def __call__(self, scope, receive, send):
        more = True
        while more:
            message = await receive()
            self.free -= len(message.get("body", b""))
            more = message.get("more_body", False)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"[]"})


@pytest.fixture
def disk(monkeypatch, tmp_path):
    found = Disk(SPARE + ROOM)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: Usage(found.free))
    monkeypatch.setattr(guard, "get_upload_folder", lambda: str(tmp_path))
    return found


class Upload:
    """An uploading client.

    `feed` sends bytes, or None to break off. `status` returns the answer's status, or None.
    """

    def __init__(self, app, *headers):
        self.parts, self.sent = asyncio.Queue(), []
        scope = {"type": "http", "method": "POST", "path": UPLOAD, "query_string": b"",
            "headers": [(b"host", b"localhost"), *headers], "scheme": "http",
                 "server": ("127.0.0.1", 80), "client": ("127.0.0.1", 1), "http_version": "1.1"}  # fmt: skip
        self.task = asyncio.create_task(app(scope, self.parts.get, self.send))

    async def send(self, message):
        self.sent.append(message)

    async def feed(self, count, more=False):
        await self.parts.put({"type": "http.request", "body": b"x" * count, "more_body": more})
        await asyncio.sleep(0.05)

    async def status(self, within=0.2):
        await asyncio.wait([self.task], timeout=within)
        return next(
            (message["status"] for message in self.sent if message["type"] == "http.response.start"), None
        )


def of(upload):
    return b"".join(message.get("body", b"") for message in upload.sent).decode()


def test_uploads_do_not_count_on_the_same_room(disk):
    async def crowd():
        app = Guard(disk, Services())
        first = Upload(app, LENGTH(60_000))
        assert await first.status() is None, "it is on its way"
        refused = Upload(app, LENGTH(60_000))
        assert (await refused.status(), "no room" in of(refused)) == (413, True)
        small = Upload(app, LENGTH(40_000))
        assert await small.status() is None, "there is room for this one beside the first"
        await first.feed(50_000, more=True)
        assert await Upload(app, LENGTH(1)).status() == 413, (
            "what has arrived is not counted twice, and what has not is still expected"
        )
        await small.feed(0)
        assert await small.status() == 200, "it brought less than it said"
        last = Upload(app, LENGTH(40_000))
        assert await last.status() is None
        await last.feed(40_000)
        await first.feed(10_000)
        assert (await first.status(), await last.status()) == (200, 200)

    asyncio.run(crowd())
    assert disk.free == SPARE


def test_an_upload_that_fails_gives_back_its_room(disk):
    async def crowd():
        async def lost(scope, receive, send):
            raise ValueError

        app = Guard(lost, Services())
        for _ in range(3):
            assert await Upload(app, LENGTH(90_000)).status() == 400

    asyncio.run(crowd())


def test_who_does_not_say_how_much_comes_needs_room_for_the_most(disk):
    async def crowd():
        app = Guard(disk, Services())
        assert await Upload(app, PIECES).status() == 413
        disk.free = SPARE + MAX_REQUEST
        first = Upload(app, PIECES)
        assert await first.status() is None
        assert await Upload(app, PIECES).status() == 413
        await first.feed(10)
        assert await first.status() == 200

    asyncio.run(crowd())


@pytest.mark.parametrize(
    ("number", "status", "words"),
    [
        (errno.ENOSPC, 413, "no room for this much"),
        (errno.EDQUOT, 413, "no room for this much"),
        (errno.EROFS, 400, "Read-only file system"),
    ],
)
def test_what_a_disk_refuses_is_a_sentence(number, status, words, disk):
    async def crowd():
        async def refusing(scope, receive, send):
            raise OSError(number, "Read-only file system", "/tmp/gradio/secret")

        upload = Upload(Guard(refusing, Services()), LENGTH(1))
        assert await upload.status() == status
        assert words in of(upload)
        assert "secret" not in of(upload)

    asyncio.run(crowd())
