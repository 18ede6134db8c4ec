"""Test the routes of "Find my picture": from a target to a point, and refusals of impossible targets.

The server keeps nothing of a target.
"""

import base64
import io

import numpy as np
import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient

from gan.latent.search.jobs import PATIENCE, Jobs
from gan.ui.explore.search_routes import MAX_PIXELS, go_on
from gan.ui.server.requests.concurrency import ConcurrencyLimit
from gan.ui.server.requests.http import post

MODEL = "shipped:digits"


def picture(kind="PNG", size=(50, 40), **options) -> bytes:
    pixels = np.random.default_rng(1).integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, kind, **options)
    return out.getvalue()


def begin(client, body: bytes, model: str = MODEL, **headers):
    return client.post("/gradio_api/gan/find", params={"id": model}, content=body, headers=headers)


def on(client, **value):
    return client.post("/gradio_api/gan/find/on", json=value)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_search_from_its_picture_to_its_place(client, services, kind):
    begun = begin(client, picture(kind)).json()
    target = Image.open(io.BytesIO(base64.b64decode(begun["target"].partition(",")[2])))
    assert (target.size, target.mode) == ((28, 28), "L")
    states = []
    while "done" not in states:
        answer = on(client, job=begun["job"]).json()
        states.append(answer["state"])
    assert set(states) <= {"looking", "searching", "done"}
    assert 0 < answer["distance"] <= answer["nearest"] < 1
    assert answer["label"] in (0, 1, 2)
    assert len(answer["at"]) == 16
    assert on(client, job=begun["job"]).json()["error"]["key"] == "latent.search_over", (
        "what is done is not kept"
    )
    assert [
        path for path in services.checkpoints.parent.rglob("*") if path.suffix in (".png", ".jpg", ".webp")
    ] == []


def test_a_search_can_be_stopped(client):
    job = begin(client, picture()).json()["job"]
    assert on(client, job=job, end=True).json() == {"state": "ended"}
    assert on(client, job=job).status_code == 400


def test_others_wait_their_turn(client):
    jobs = [begin(client, picture()).json()["job"] for _ in range(4)]
    assert on(client, job=jobs[2]).json() == {"state": "waiting", "ahead": 1}
    assert on(client, job=jobs[3]).json() == {"state": "waiting", "ahead": 2}
    on(client, job=jobs[0], end=True)
    assert on(client, job=jobs[2]).json()["state"] != "waiting"
    for job in jobs:
        on(client, job=job, end=True)


class Searching:
    """A search that never ends."""

    def advance(self):
        return {"state": "searching"}


def test_a_busy_server_does_not_take_a_visitor_who_asks_for_gone():
    """It refuses each poll, for longer than it waits for a visitor who is silent."""
    now, limit = [0.0], ConcurrencyLimit(1, 0)
    jobs = Jobs(clock=lambda: now[0])
    client = TestClient(Starlette(routes=[post("find/on", go_on(jobs, limit))]))
    job = jobs.add(Searching())
    limit._inside = 1  # another request has the only place
    for _ in range(4):
        now[0] += PATIENCE - 1
        reply = on(client, job=job)
        assert (reply.status_code, reply.json()["error"]["key"]) == (503, "ui.busy")
    limit._inside = 0
    assert on(client, job=job).json() == {"state": "searching"}
    now[0] += PATIENCE + 1
    assert on(client, job=job).json()["error"]["key"] == "latent.search_over", "a silent one has gone"


def plain() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (30, 30), "red").save(out, "PNG")
    return out.getvalue()


def large() -> bytes:
    out = io.BytesIO()
    Image.new("L", (MAX_PIXELS // 1024, 1025)).save(out, "PNG")
    return out.getvalue()


@pytest.mark.parametrize(("body", "key"), [
    (b"", "data.no_picture"), (b"no picture at all", "data.no_picture"), (picture("GIF"), "data.no_picture"),
    (picture("BMP"), "data.no_picture"),
    (picture()[:300], "data.no_picture"), (large(), "data.no_picture"), (plain(), "latent.plain_picture"),
], ids=["empty", "text", "gif", "bmp", "cut short", "too many pixels", "one colour"])  # fmt: skip
def test_what_can_not_be_looked_for_gets_a_sentence(client, body, key):
    reply = begin(client, body)
    assert reply.status_code == 400
    assert reply.json()["error"]["key"] == key
    assert len(reply.content) < 1000


def test_a_body_beyond_the_limit_is_refused(client):
    assert begin(client, b"x" * (2**20 + 1)).status_code == 413


def test_an_unknown_model_and_another_site_are_refused(client):
    assert begin(client, picture(), "shipped:nothing").status_code == 404
    assert (
        begin(
            client, picture(), **{"Origin": "http://elsewhere.example", "Sec-Fetch-Site": "cross-site"}
        ).status_code
        == 403
    )


@pytest.mark.parametrize(
    "value", [{}, {"job": None}, {"job": 3}, {"job": ["x"]}, {"job": "nobody"}, {"job": "x" * 5000}]
)
def test_a_search_that_there_is_not_gets_a_sentence(client, value):
    reply = on(client, **value)
    assert reply.status_code == 400
    assert reply.json()["error"]["key"] in ("ui.bad_form", "latent.search_over")
