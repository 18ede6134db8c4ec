"""Test that slow work delays only work of its own kind, however many requests there are."""

import asyncio
import re
import threading

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient

from gan.errors import UserError
from gan.ui.explore.routes import FROM_MODEL, explore_routes
from gan.ui.page import launch_options
from gan.ui.server.requests.concurrency import GONE, LIMITS, ConcurrencyLimit
from gan.ui.server.requests.http import PREFIX
from gan.ui.server.services import Services
from gan.ui.train import routes as routes_module
from gan.ui.train.routes import train_routes

PLACE = "http://here/gradio_api/gan/"
# Routes that only read a small file, look a value up or change one. All others have concurrency limits.
AT_ONCE = {
    "access", "access/leave", "strings/{lang}.json", "catalogue", "models", "thumbnails/{name}.webp",
    "checkpoints/{name}/preview.webp",
    "runs", "runs/{id}/reals.webp", "runs/{id}/samples/{step:int}.webp",
    "runs/{id}/log", "runs/{id}/rename", "runs/{id}/{command}",
    "push/now", "push/on", "played",
}  # fmt: skip


LEASE = "runs/{id}/lease"  # a route on ZeroGPU alone


@pytest.fixture
def gate():
    """An event that slow work waits for.

    It opens by itself after a minute, so that a failing test does not hang.
    """
    opened = threading.Event()
    timer = threading.Timer(60, opened.set)
    timer.start()
    yield opened
    opened.set()
    timer.cancel()


class Slow:
    """A model whose images wait for the gate."""

    version = "1"

    def __init__(self, gate):
        self.gate, self.drawn = gate, 0

    def wall(self, *_):
        self.gate.wait()
        self.drawn += 1
        return b"a wall"

    image = wall


def slow_server(store, supervise, gate, monkeypatch):
    services = Services(store=store, supervisor=supervise(), uploads=store.root / ".uploads")
    model = Slow(gate)
    services._explorer = type("Explorer", (), {"open": lambda self, name: model})()
    monkeypatch.setattr("gan.ui.explore.routes._point", lambda model, request: None)
    monkeypatch.setitem(FROM_MODEL, "wall", (lambda model, request: model.wall(), "image/webp"))
    monkeypatch.setattr(routes_module, "cost", lambda *_: gate.wait() or {})
    return Starlette(routes=[*train_routes(services), *explore_routes(services)])


@pytest.mark.parametrize("path", ["cost", "wall", "image"])
def test_a_poll_waits_for_no_slow_work(path, store, supervise, gate, monkeypatch):
    app = slow_server(store, supervise, gate, monkeypatch)

    async def crowd():
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app=app), base_url=PLACE, timeout=30
        ) as browser:
            asked = [
                asyncio.create_task(browser.get(path, params={"form": str(number), "seed": number}))
                for number in range(150)
            ]
            await asyncio.sleep(0.3)
            poll = await browser.get("poll")
            assert not gate.is_set()
            gate.set()
            return poll, await asyncio.gather(*asked)

    poll, replies = asyncio.run(crowd())
    assert poll.status_code == 200
    refused = [reply.json()["error"] for reply in replies if reply.status_code == 503]
    assert 50 < len(refused) < 100
    assert {reply.status_code for reply in replies} == {200, 503}
    # the page repeats the request by itself
    assert all((error["key"], error["offline"]) == ("ui.busy", True) for error in refused)


def test_single_pictures_do_not_wait_for_walls(store, supervise, gate, monkeypatch):
    app = slow_server(store, supervise, gate, monkeypatch)
    monkeypatch.setattr(Slow, "image", lambda self, point: b"a picture")

    async def crowd():
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app=app), base_url=PLACE, timeout=30
        ) as browser:
            walls = [asyncio.create_task(browser.get("wall")) for _ in range(20)]
            await asyncio.sleep(0.2)
            picture = await browser.get("image")
            assert not gate.is_set()
            gate.set()
            await asyncio.gather(*walls)
            return picture

    assert asyncio.run(crowd()).content == b"a picture"


class Visitor:
    """A request of a visitor who may have left."""

    def __init__(self, gone):
        self.gone = gone

    async def is_disconnected(self):
        return self.gone


def test_who_left_while_waiting_costs_nothing(gate):
    lane, worked = ConcurrencyLimit(1), []

    def work(visitor):
        gate.wait()
        worked.append(visitor)
        return "done"

    async def crowd():
        asked = []
        for gone in (False, True, False):
            asked.append(asyncio.create_task(lane.run(work, Visitor(gone))))
            await asyncio.sleep(0.05)
        gate.set()
        return await asyncio.gather(*asked)

    first, second, third = asyncio.run(crowd())
    assert (first, second.status_code, third, len(worked)) == ("done", GONE, "done", 2)


def test_a_lane_can_be_used_by_one_event_loop_after_another():
    lane = ConcurrencyLimit(1)
    assert [asyncio.run(lane.run(lambda visitor: "done", Visitor(False))) for _ in range(3)] == ["done"] * 3


def test_leases_run_beside_each_other_and_none_waits_for_minutes():
    """A lease may wait for a minute in Hugging Face's queue. A proxy gives up on who waits for several."""
    lane, meeting = LIMITS[LEASE], threading.Barrier(3, timeout=60)

    async def crowd():
        more = [asyncio.create_task(lane.run(lambda visitor: meeting.wait(), Visitor(False))) for _ in "abc"]
        return await asyncio.gather(*more)

    assert sorted(asyncio.run(crowd())) == [0, 1, 2], "three are at work together"
    held, answers = threading.Event(), []

    async def full():
        asked = [
            asyncio.create_task(lane.run(lambda visitor: held.wait(60), Visitor(False))) for _ in range(9)
        ]
        for place, one in enumerate(asyncio.as_completed(asked)):
            answers.append(await asyncio.gather(one, return_exceptions=True))
            if place == 2:
                held.set()

    asyncio.run(full())
    refused = [str(answer) for (answer,) in answers if isinstance(answer, UserError)]
    assert (len(refused), answers[-1]) == (3, [True])


def routes_of(services):
    """Return every route of the app by its path under PREFIX, as LIMITS names it.

    Mounted static files are left out.
    """
    routes = launch_options(services)["app_kwargs"]["routes"]
    return [(route.path.removeprefix(f"{PREFIX}/"), route) for route in routes if isinstance(route, Route)]


def test_every_route_has_a_lane_or_answers_at_once(store, supervise):
    paths = [
        path
        for path, _ in routes_of(
            Services(store=store, supervisor=supervise(), uploads=store.root / ".uploads")
        )
    ]
    assert {*paths, LEASE} == set(LIMITS) | AT_ONCE, (
        "a new route needs a lane, or a good reason for having none"
    )
    assert set(LIMITS) & AT_ONCE == set()


def test_what_has_a_lane_waits_in_it(store, supervise, monkeypatch):
    async def full(lane, handler, request):
        raise UserError("ui.busy")

    monkeypatch.setattr(ConcurrencyLimit, "run", full)
    services = Services(store=store, supervisor=supervise(), uploads=store.root / ".uploads")
    client = TestClient(
        Starlette(routes=[route for _, route in routes_of(services)]), raise_server_exceptions=False
    )
    for path, route in routes_of(services):
        for method in route.methods - {"HEAD"}:
            status = client.request(
                method,
                re.sub(r"{\w+:int}", "1", f"{PREFIX}/{path}").format(
                    **dict.fromkeys(route.param_convertors, "x")
                ),
                json={"job": "x"} if method == "POST" else None,
            ).status_code
            assert (status == 503) == (path in LIMITS), (method, path, status)
