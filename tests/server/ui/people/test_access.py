"""Test the teacher token: who may change runs, and the checks in front of every route."""

import asyncio
import io
import json
import re

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from gan.errors import UserError
from gan.ui.page import launch_options
from gan.ui.server.people import access as access_module
from gan.ui.server.people.access import COOKIE, FREE, LASTS, Access, find_token
from gan.ui.server.requests.guard import MAX_BODY
from gan.ui.server.requests.uploads import MAX_REQUEST
from gan.ui.server.services import Services
from tests.fakes.runs import tiny
from tests.reliability.damaged.cases import COMMANDS

TOKEN = "correct horse 42"


@pytest.fixture
def clock(monkeypatch):
    """The time as `access` reads it. A test adds seconds to clock[0]."""
    now = [1000.0]
    monkeypatch.setattr(access_module.time, "monotonic", lambda: now[0])
    return now


@pytest.fixture
def services(tmp_path):
    found = Services(access=Access(TOKEN))
    found.open(tmp_path / "runs")
    return found


@pytest.fixture
def visit(services):
    """A function that makes new visitors of the page's routes, without Gradio's own."""
    app = Starlette(**launch_options(services)["app_kwargs"])
    return lambda url="http://here:7860": TestClient(app, raise_server_exceptions=False, base_url=url)


def enter(browser, token=TOKEN, **headers):
    return browser.post("/gradio_api/gan/access", content=json.dumps({"token": token}), headers=headers)


def test_without_a_token_everybody_controls():
    assert (Access().needed, Access().allows(None), Access().allows("x")) == (False, True, True)


def test_a_session_opens_with_the_token_and_closes_by_itself(clock):
    access = Access(TOKEN)
    assert not any(access.allows(session) for session in (None, "", "x", TOKEN))
    first, second = (asyncio.run(access.enter(TOKEN, client)) for client in "ab")
    assert first != second
    assert len(first) > 40
    access.leave(second)
    assert (access.allows(first), access.allows(second)) == (True, False)
    clock[0] += LASTS
    assert not access.allows(first)


def test_the_token_is_kept_nowhere():
    access = Access(TOKEN)
    asyncio.run(access.enter(TOKEN, "a"))
    assert TOKEN not in repr(vars(access))


@pytest.mark.parametrize("token", ["", "short", "1234567"])
def test_a_short_token_is_refused_at_the_start(token):
    with pytest.raises(UserError) as caught:
        Access(token)
    assert caught.value.key == "access.short_token"


@pytest.mark.parametrize(
    ("given", "variable", "typed", "found"),
    [
        (None, "", "", None),
        (None, "from outside", "", "from outside"),
        ("", "from outside", "", "from outside"),
        ("given here", "from outside", "", "given here"),
        ("", "", " typed it \n", "typed it"),
    ],
)
def test_where_a_token_comes_from(given, variable, typed, found, monkeypatch):
    monkeypatch.setenv("TEACHER_TOKEN", variable)
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    assert find_token(given) == found
    assert "TEACHER_TOKEN" not in access_module.os.environ  # else every worker would have it


def test_a_token_asked_for_in_vain_is_a_sentence(monkeypatch):
    monkeypatch.delenv("TEACHER_TOKEN", raising=False)
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    with pytest.raises(UserError) as caught:
        find_token("")
    assert caught.value.key == "access.no_token"


def test_the_cookie_is_out_of_scripts_reach_and_works_in_a_spaces_frame(visit):
    plain = enter(visit()).headers["set-cookie"]
    assert re.fullmatch(rf"{COOKIE}=[\w-]{{43}}; Path=/; Max-Age={LASTS}; HttpOnly; SameSite=Lax", plain)
    for browser, headers in ((visit("https://x.hf.space"), {}), (visit(), {"X-Forwarded-Proto": "https"})):
        assert (
            enter(browser, **headers)
            .headers["set-cookie"]
            .endswith("; HttpOnly; SameSite=None; Secure; Partitioned")
        )


def test_entering_and_leaving(visit):
    browser = visit()
    state = lambda: browser.get("/gradio_api/gan/access").json()  # noqa: E731
    assert state() == {"needed": True, "control": False}
    reply = enter(browser, "wrong token")
    assert (reply.status_code, reply.json()["error"]["key"], "set-cookie" in reply.headers) == (
        403,
        "access.wrong_token",
        False,
    )
    assert enter(browser, f" {TOKEN}\n").json() == {"needed": True, "control": True}
    assert state()["control"]
    assert browser.post("/gradio_api/gan/access/leave").json()["control"] is False
    assert state()["control"] is False


@pytest.mark.parametrize("token", [None, 7, [], {}, "", "x" * 10_000, "\ud800"])
def test_odd_tokens_are_wrong_tokens(token, visit):
    assert enter(visit(), token).status_code == 403


def test_the_right_token_opens_whatever_was_tried_before(visit):
    browser = visit()
    assert [enter(browser, "wrong token").status_code for _ in range(FREE + 2)] == [403] * (FREE + 2)
    assert enter(browser).status_code == 200


def test_who_only_watches_changes_nothing(visit, services):
    run_id = services.store.create(tiny())
    posts = [
        "runs",
        "directions/save?id=shipped:digits",
        *(f"runs/{run_id}/{name}" for name in (*COMMANDS, "rename?name=x", "anything")),
    ]
    watching, controlling = visit(), visit()
    enter(controlling)
    for path in posts:
        reply = watching.post(f"/gradio_api/gan/{path}", json={})
        assert (reply.status_code, reply.json()["error"]["key"]) == (403, "access.needed")
        assert reply.json()["error"]["text"].endswith(".")
    for path in ("upload", "call/v2/train", "run/predict", "call/submit", "component_server"):
        assert watching.post(f"/gradio_api/{path}", json={"data": []}).status_code == 403
    for path in ("poll", "models", "catalogue", f"runs/{run_id}/log", "access"):
        assert watching.get(f"/gradio_api/gan/{path}").status_code == 200
    assert services.store.status(run_id)["state"] == "queued"
    assert services.store.get(run_id)["name"] is None
    assert controlling.post(f"/gradio_api/gan/runs/{run_id}/cancel").status_code == 200
    assert services.store.status(run_id)["state"] == "stopped"


def test_a_refused_upload_is_a_sentence_in_the_readers_language(visit):
    reply = visit().post("/gradio_api/upload", files={"files": b"x"}, headers={"Accept-Language": "zh-CN,en"})
    assert reply.text == "这需要教师口令，而这个浏览器还没有输入过。你仍然可以观看和探索。"


@pytest.mark.parametrize(
    "path", ["queue/status", "run/predict", "api/sample", "call/submit", "component_server", "reset", "none"]
)
def test_nothing_else_of_gradios_can_be_called_not_even_with_the_token(path, visit):
    browser = visit()
    enter(browser)
    assert browser.post(f"/gradio_api/{path}", json={"data": []}).status_code == 404


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
def test_other_methods_are_refused(method, visit):
    assert visit().request(method, "/gradio_api/gan/poll").status_code == 405


@pytest.mark.parametrize(
    ("path", "length"),
    [("gan/runs", MAX_BODY + 1), ("gan/access", MAX_BODY + 1), ("upload", MAX_REQUEST + 1)],
)
def test_too_much_is_refused_before_it_is_read(path, length, visit):
    browser = visit()
    enter(browser)
    assert browser.post(f"/gradio_api/{path}", headers={"Content-Length": str(length)}).status_code == 413


def test_too_much_is_refused_where_nobody_said_how_much(visit):
    browser = visit()
    enter(browser)
    reply = browser.post("/gradio_api/gan/runs", content=(b" " * 2**18 for _ in range(5)))
    assert (reply.status_code, reply.json()["error"]["key"]) == (413, "ui.too_large")


def test_uploads_leave_the_runs_their_disk(visit, monkeypatch):
    browser = visit()
    enter(browser)
    monkeypatch.setattr("gan.ui.server.requests.guard.SPARE", 2**60)
    assert browser.post("/gradio_api/upload", files={"files": b"x"}).status_code == 413


@pytest.mark.parametrize("name", ["Host", "X-Forwarded-Host"])
@pytest.mark.parametrize("value", ["[", "a b", "x:99999", "x:y", "evil/..", "@", "", "a" * 300])
def test_odd_hosts_are_refused(name, value, visit):
    assert visit().get("/gradio_api/gan/poll", headers={name: value}).status_code == 400


def test_browsers_do_not_guess_what_a_file_is(visit):
    assert visit().get("/gradio_api/gan/static/core/api.js").headers["x-content-type-options"] == "nosniff"
