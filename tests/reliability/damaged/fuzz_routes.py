"""Targets of tests.reliability.fuzz that read requests: points, cookies, routes and commands."""

import base64
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
from hypothesis import strategies as st
from starlette import requests as web
from starlette.applications import Starlette
from starlette.testclient import TestClient

from gan.latent.point import MAX_FACTOR, MAX_LAYER, MAX_UNIT, Point
from gan.recipes import make_config
from gan.runs import marks
from gan.runs.store import STATES
from gan.ui.page import launch_options
from gan.ui.server.people.visitors import Visitors, owned
from gan.ui.server.requests.http import PREFIX
from gan.ui.server.services import Services
from tests.fakes.hub import NOWHERE
from tests.reliability.attacker.valid_requests import (
    PULLED,
    PUSH,
    SECRET,
    Subject,
    Visit,
    asked,
    plant,
    run_form,
)
from tests.reliability.damaged.cases import COMMANDS
from tests.reliability.damaged.damage import NUMBERS, VALUES, Target, as_json, damaged, like
from tests.support.inputs.generators import tiny_spec, write_checkpoint

# Patterns for the queries u and x, some of which are valid.
UNIT, MOVE = r"([0-9]{1,2}\.[0-9]{1,4}:[0-4](\.5)?,?){0,3}", r"([a-z][a-z0-9_]{0,4}:-?[0-9](\.5)?,?){0,3}"
Request = tuple[str, str, dict[str, str], bytes | None]  # method, path under PREFIX, query, body


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


def offline(command: Sequence[str], seconds: float, *more: Any) -> dict[str, Any]:
    """Answer as a process does that pulls or pushes where no Hub can be reached."""
    return {"error": {"key": "hub.offline", "values": {}}}


def served(folder: Path) -> tuple[Subject, Services]:
    """Plant runs and a model in a folder, and open the services of a page on them. No Hub is there."""
    os.environ["HF_ENDPOINT"] = NOWHERE
    write_checkpoint(
        folder / "checkpoints", "digits", tiny_spec(3), title="Digits", classes=["zero", "one", "two"]
    )
    subject, _ = plant(folder / "runs", folder / "checkpoints")
    services = Services(checkpoints=folder / "checkpoints")
    services.open(folder / "runs")
    return subject, services


def handlers(folder: Path) -> Target:
    """Every route of ours behind the guard, with parts of a valid request changed.

    No answer is a defect or contains a path of the server.
    """
    subject, services = served(folder)
    services.hub_sets.ask = services.hub_models.ask = offline  # a process for each name would take a second
    services.hub_pushes.follow = offline
    gone = {"error": {"key": "runs.images_gone", "values": {}}}
    services.tile_looks._children.ask = lambda command, seconds: gone
    os.environ["HF_TOKEN"] = SECRET
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
        st.sampled_from((*COMMANDS, "cpu", "lease")).map(lambda name: (name, {}))
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
            else st.just(visit.body) | st.binary(max_size=40) | VALUES.map(as_json) | damaged([visit.body])
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
                "push",
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
        VALUES
        | like({**sound, "token": "x", "job": "x", "id": PULLED, "hub": "hub-0", "cap": 8, **PUSH})
        | one_wrong
    ).map(as_json)
    return st.tuples(
        st.just("POST"),
        st.sampled_from(
            (
                "runs",
                "access",
                "access/leave",
                "find/on",
                "drag/on",
                "pull",
                "pictures/pull",
                "push/begin",
                "push/on",
            )
        ),
        st.just({}),
        body,
    )
