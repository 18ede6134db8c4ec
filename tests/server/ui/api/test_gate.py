"""Test which calls reach Gradio, in the real application but without a network."""

import asyncio
import json

import pytest
from gradio.routes import App
from starlette.testclient import TestClient

from gan.hub.sets import CAP
from gan.ui.api import gate, waking_queue
from gan.ui.api.gate import CONTROL, PUBLIC, VERDICT, Gate, door
from gan.ui.page import build_page, launch_options
from gan.ui.server.people.access import Access

TOKEN = "a token of the teacher"
JOIN, CALL = "/gradio_api/queue/join", "/gradio_api/call"


@pytest.fixture(scope="module")
def app(services, tmp_path_factory):
    """The application that `launch` would serve."""
    services.open(tmp_path_factory.mktemp("api") / "runs")
    kwargs = launch_options(services)["app_kwargs"]
    return App.create_app(build_page(services), app_kwargs=kwargs, mcp_server=False)


@pytest.fixture(scope="module")
def program(app):
    """A client of the running application."""
    with TestClient(app, raise_server_exceptions=False, base_url="http://localhost") as client:
        assert client.get("/gradio_api/startup-events").status_code == 200
        yield client


@pytest.fixture(autouse=True)
def read_up(app):
    """Forget the results that the last test did not fetch."""
    yield
    app.get_blocks()._queue._unread.clear()


def result(program, name, *data, **headers):
    """Make a call as curl does. Returns the event and the data of its end."""
    event = program.post(f"{CALL}/{name}", json={"data": list(data)}, headers=headers).json()["event_id"]
    lines = program.get(f"{CALL}/{name}/{event}").text.strip().splitlines()
    return lines[-2].removeprefix("event: "), json.loads(lines[-1].removeprefix("data: "))


def test_no_call_waits_for_the_idle_queue(program, monkeypatch):
    """A queue that looked only once in an hour would never answer."""
    monkeypatch.setattr(waking_queue, "IDLE", 3600)
    for _ in range(4):
        assert result(program, "sample", "shipped:digits", 3)[0] == "complete"


def test_missing_arguments_have_their_defaults(program):
    kind, (answer,) = result(program, "sample")
    assert (kind, answer["model"], len(answer["images"])) == ("complete", "shipped:digits", 1)
    named = program.post(f"{CALL}/v2/interpolate", json={"frames": 3}).json()
    assert '"t": 0.5' in program.get(f"{CALL}/interpolate/{named['event_id']}").text


def test_mistakes_are_sentences(program):
    kind, error = result(program, "sample", "nothing")
    assert (kind, error["error"]) == (
        "error",
        "There is no model called “nothing”. Choose one from the list.",
    )
    direct = program.post("/gradio_api/run/sample", json={"data": ["nothing"]})
    assert (direct.status_code, direct.json()["error"]) == (400, error["error"])


def test_a_defect_is_no_traceback(program, monkeypatch, caplog):
    monkeypatch.setattr("gan.ui.api.functions.models", lambda services: 1 / 0)
    assert result(program, "models")[1]["error"].startswith("Something went wrong on the server")
    assert "ZeroDivisionError" in caplog.text


def number(app, name):
    return next(fn._id for fn in app.get_blocks().fns.values() if fn.api_name == name)


NO_CALLS = {
    "nothing": (JOIN, b""),
    "no JSON": (JOIN, b"{"),
    "a list": (JOIN, b"[]"),
    "too deep": (JOIN, b"[" * 100_000),
    "no function": (JOIN, b'{"data": [], "session_hash": "x"}'),
    "an event of the page": (JOIN, b'{"data": [], "fn_index": 0, "session_hash": "x"}'),
    "no such function": (JOIN, b'{"data": [], "fn_index": 999, "session_hash": "x"}'),
    "an odd function": (JOIN, b'{"data": [], "fn_index": [], "session_hash": "x"}'),
    "no data": (f"{CALL}/sample", b"{}"),
    "data that is no list": (f"{CALL}/sample", b'{"data": {"seed": 1}}'),
    "too many arguments": (f"{CALL}/sample", b'{"data": [1, 2, 3, 4, 5, 6, 7]}'),
    "too many for a direct call": ("/gradio_api/run/models", b'{"data": [1]}'),
    "an unknown argument": (f"{CALL}/v2/sample", b'{"sead": 1}'),
    "a cancel of nothing": ("/gradio_api/cancel", b'{"session_hash": "x", "fn_index": 0, "event_id": "y"}'),
}


@pytest.mark.parametrize(("path", "body"), NO_CALLS.values(), ids=NO_CALLS)
def test_what_is_no_call_is_refused(path, body, program):
    reply = program.post(path, content=body)
    assert (reply.status_code, reply.json()["error"]["key"].split(".")[0]) == (400, "api")


@pytest.mark.parametrize("session", [None, 7, "", "x" * 65, "a b", "é"])
def test_a_session_has_a_plain_name(session, program, app):
    body = {"data": [], "fn_index": number(app, "models"), "session_hash": session}
    assert program.post(JOIN, json=body).status_code == 400


def test_a_call_can_be_cancelled_by_its_session_only(program, app):
    body = {"data": [], "fn_index": number(app, "models"), "session_hash": "mine"}
    event = program.post(JOIN, json=body).json()["event_id"]
    asked = {"fn_index": body["fn_index"], "event_id": event}
    for session in ("yours", "mine"):
        cancel = {**asked, "session_hash": session}
        assert program.post("/gradio_api/cancel", json=cancel).status_code == 200
    assert event in program.get("/gradio_api/queue/data", params={"session_hash": "mine"}).text


@pytest.mark.parametrize(
    "path",
    ["/gradio_api/queue/data?session_hash=none", "/gradio_api/queue/data", f"{CALL}/sample/{'0' * 32}"],
)
def test_a_stream_of_nothing_is_refused(path, program):
    assert program.get(path).json()["error"]["key"] == "api.unknown_call"


def test_streams_of_a_client_are_limited(program, monkeypatch):
    event = program.post(f"{CALL}/models", json={"data": []}).json()["event_id"]
    for limit in ("STREAMS", "STREAMS_ALL"):
        with monkeypatch.context() as patched:
            patched.setattr(gate, limit, 0)
            assert program.get(f"{CALL}/models/{event}").status_code == 429
            assert program.get("/gradio_api/info").status_code == 200, "an answer is no stream"
    assert "event: complete" in program.get(f"{CALL}/models/{event}").text


def test_results_that_nobody_fetches_are_limited(program, app, monkeypatch):
    monkeypatch.setattr(waking_queue, "UNREAD", 2)
    call = lambda: program.post(f"{CALL}/status", json={"data": []})  # noqa: E731
    events = [call().json()["event_id"] for _ in range(2)]
    assert call().json()["error"]["key"] == "api.too_many"
    assert program.post("/gradio_api/run/models", json={"data": []}).status_code == 200, "keeps no result"
    program.get(f"{CALL}/status/{events[0]}")
    assert call().status_code == 200
    assert call().status_code == 429


def test_the_results_of_others_at_its_address_shut_no_teacher_out(program, app, monkeypatch):
    monkeypatch.setattr(waking_queue, "UNREAD", 1)
    ask = lambda name, data, **more: program.post(f"{CALL}/{name}", json={"data": data}, headers=more)  # noqa: E731
    assert ask("status", []).status_code == 200
    assert ask("status", []).json()["error"]["key"] == "api.too_many"
    for name, data in (("train", ["digits"]), ("command", ["none", "pause"])):
        refused = ask(name, data)
        assert (refused.status_code, refused.json()["error"]["key"]) == (403, "api.token_needed")
        wrong = ask(name, data, **{"X-GANarium-Token": "another token"})
        assert (wrong.status_code, wrong.json()["error"]["key"]) == (403, "access.wrong_token")
    with_token = {"X-GANarium-Token": TOKEN}
    for name, data in (("command", ["none", "pause"]), ("status", [])):
        event = ask(name, data, **with_token).json()["event_id"]
        assert ask("status", [], **with_token).status_code == 429, "who controls has a limit too"
        assert app.get_blocks()._queue.caller("", event) == "control testclient", "so are the streams"
        assert "event:" in program.get(f"{CALL}/{name}/{event}").text


def test_a_result_is_kept_for_a_while_only(program, app, monkeypatch):
    queue = app.get_blocks()._queue
    monkeypatch.setattr(waking_queue, "KEPT", 0.0)
    event = program.post(f"{CALL}/models", json={"data": []}).json()["event_id"]
    program.post("/gradio_api/run/models", json={"data": []})
    while event in queue.event_ids_to_events:
        program.get("/gradio_api/gan/access")
    assert not queue.is_full("testclient")
    assert program.get(f"{CALL}/models/{event}").status_code == 404
    assert event not in {each for events in queue.pending_event_ids_session.values() for each in events}


def test_control_needs_the_token(program, services):
    for name, data in (("train", ["digits", "modern", 1]), ("command", ["none", "pause"])):
        assert result(program, name, *data)[1]["error"].startswith("This needs the teacher token.")
        wrong = result(program, name, *data, **{"X-GANarium-Token": "another token"})
        assert wrong[1]["error"] == "This is not the teacher token. Check it and try again."
    assert services.store.ids() == []
    kind, (answer,) = result(program, "train", "digits", "modern", 1, **{"X-GANarium-Token": TOKEN})
    assert (kind, services.store.ids()) == ("complete", [answer["run"]])


def test_on_a_space_without_a_token_only_its_owner_controls(program, services, monkeypatch):
    """A program has no browser session, so it has no runs of its own either."""
    before = services.store.ids()
    monkeypatch.setattr(services, "access", Access())
    monkeypatch.setenv("SPACE_ID", "alice/gan")
    for name, data in (("train", ("digits", "modern", 1)), ("command", ("none", "pause"))):
        for headers in ({}, {"X-GANarium-Token": TOKEN}):
            assert result(program, name, *data, **headers)[1]["error"].startswith(
                "Only the owner of this Space"
            )
    assert services.store.ids() == before


def test_wrong_tokens_delay_the_next_as_in_the_page(program, services, monkeypatch):
    asked = []

    async def turn(client):
        asked.append(client)

    monkeypatch.setattr(services.access._limiter, "turn", turn)
    result(program, "command", "none", "pause", **{"X-GANarium-Token": "another token"})
    program.post("/gradio_api/gan/access", json={"token": "another token"})
    assert asked == ["testclient"] * 2


def test_without_the_gates_verdict_nobody_controls(app, services):
    """A route that the gate does not know could never start a run."""
    train = next(fn.fn for fn in app.get_blocks().fns.values() if fn.api_name == "train")
    before = services.store.ids()
    with pytest.raises(Exception, match="This needs the teacher token"):
        asyncio.run(train(None, "digits", "modern", 1.0))
    assert services.store.ids() == before


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}])
@pytest.mark.parametrize("path", [JOIN, f"{CALL}/sample", "/gradio_api/run/train", "/gradio_api/mcp/"])
def test_another_sites_page_can_not_call(path, headers, program):
    assert program.post(path, json={"data": []}, headers=headers).status_code == 403


def test_large_bodies_are_refused(program):
    assert program.post(f"{CALL}/sample", content=b" " * (2**20 + 1)).status_code == 413


def test_a_body_that_does_not_come_is_given_up(services, monkeypatch):
    monkeypatch.setattr(gate, "BODY_WITHIN", 0.01)
    sent = []

    async def ask():
        async def receive():
            await asyncio.sleep(3600)

        async def send(message):
            sent.append(message)

        scope = {"type": "http", "method": "POST", "path": JOIN, "headers": [], "query_string": b""}
        await Gate(None, services)(scope, receive, send)

    asyncio.run(ask())
    assert sent[0]["status"] == 408


@pytest.mark.parametrize("name", [*PUBLIC, *CONTROL])
def test_every_endpoint_has_its_doors(name):
    event = "0" * 32
    assert door("GET", f"{CALL}/{name}/{event}")
    assert all(door("POST", f"/gradio_api/{way}/{name}") for way in ("run", "call"))
    assert bool(door("POST", f"{CALL}/v2/{name}")) == (name in PUBLIC)


CLOSED = (
    "run/predict", "run/sample/x", "api/sample", "call/sample/../train", "call/submit", "queue/status",
    "heartbeat/x", "stream/x", "reset", "component_server", "mcp/sse", "mcp/messages/", "mcp/http/", "runs",
    "call/sample/x", "info/x", "deep_link", "file=/etc/passwd", "proxy=http://localhost", "cancel/",
)  # fmt: skip


@pytest.mark.parametrize("path", CLOSED)
def test_nothing_else_of_gradio_is_open(path, program):
    assert not door("GET", f"/gradio_api/{path}")
    assert not door("POST", f"/gradio_api/{path}")
    assert program.get(f"/gradio_api/{path}").status_code == 404


def test_the_documentation_has_the_endpoints_for_everybody_only(program):
    assert set(program.get("/gradio_api/info").json()["named_endpoints"]) == {f"/{name}" for name in PUBLIC}
    paths = program.get("/gradio_api/openapi.json").json()["paths"]
    assert {path for path in paths if "/v2/" in path} == {f"{CALL}/v2/{name}" for name in PUBLIC}
    shown = program.get("/config").json()["dependencies"]
    seen = {one["api_name"]: one["api_visibility"] for one in shown if one["api_visibility"] != "private"}
    assert seen == {**dict.fromkeys(PUBLIC, "public"), **dict.fromkeys(CONTROL, "undocumented")}


@pytest.mark.skipif(gate.HAS_MCP, reason="the package mcp is installed")
@pytest.mark.parametrize("path", ["/gradio_api/mcp/", "/gradio_api/mcp", "/gradio_api/mcp/schema"])
def test_without_the_package_one_reads_what_to_install(path, program):
    reply = program.get(path)
    assert (reply.status_code, reply.json()["error"]["key"]) == (404, "api.no_mcp")


def test_a_client_may_say_nothing_of_the_gates_verdict(app, services):
    """The verdict is no header: only the gate can write it."""
    seen = []

    async def gradio(scope, receive, send):
        seen.append((scope[VERDICT], await receive()))

    async def ask(token):
        scope = {
            "type": "http", "method": "POST", "path": "/gradio_api/run/train", "query_string": b"",
            "app": app, "client": ("10.0.0.1", 1),
            "headers": [(VERDICT.encode(), b"None"), (b"x-ganarium-token", token)],
        }  # fmt: skip

        async def receive():
            return {
                "type": "http.request",
                "body": b'{"data": ["digits"], "batched": true}',
                "more_body": False,
            }

        await Gate(gradio, services)(scope, receive, None)

    asyncio.run(ask(TOKEN.encode()))
    asyncio.run(ask(b"another token"))
    assert [getattr(verdict, "key", None) for verdict, _ in seen] == [None, "access.wrong_token"]
    assert json.loads(seen[0][1]["body"]) == {
        "data": ["digits", "modern", 5.0, "", CAP], "fn_index": number(app, "train"),
    }  # fmt: skip
