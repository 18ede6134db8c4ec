"""Test the routes that the whole page shares, the lines in its <head>, and refusals of wrong requests."""

import asyncio
import json
import re
import subprocess
import sys

import httpx
import pytest
from gradio.brotli_middleware import BrotliMiddleware
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse
from starlette.routing import Mount, Route
from starlette.testclient import TestClient

from gan.errors import UserError
from gan.ui.page import TABS, head_lines
from gan.ui.server.requests import http as routes_module
from gan.ui.server.requests import static_files
from gan.ui.server.requests.concurrency import GONE
from gan.ui.server.requests.http import STATIC, get, json_body, post, shared_routes
from gan.ui.server.requests.static_files import PageFiles


def wrong(request):
    raise UserError("runs.cant_pause", state="finished")


def unknown(request):
    raise UserError("runs.unknown", id="x")


def defect(request):
    raise ZeroDivisionError("the secret of the server")


@pytest.fixture(scope="module")
def browser():
    routes = [
        *shared_routes(),
        get("wrong", wrong),
        get("unknown", unknown),
        get("defect", defect),
        post("act", lambda request: {"done": True}),
        get("half", lambda request: {"text": "a\ud800b"}),
    ]
    return TestClient(Starlette(routes=routes), raise_server_exceptions=False, base_url="http://here:7860")


def test_static_files_are_kept_but_asked_about(browser):
    first = browser.get("/gradio_api/gan/static/core/api.js")
    assert first.text == (STATIC / "core" / "api.js").read_text(encoding="utf-8")
    assert first.headers["cache-control"] == "no-cache"
    again = browser.get(
        "/gradio_api/gan/static/core/api.js", headers={"If-None-Match": first.headers["etag"]}
    )
    assert (again.status_code, again.content) == (304, b"")


def test_a_script_comes_packed_where_that_is_understood_and_an_upgrade_shows(tmp_path, monkeypatch):
    script = tmp_path / "a.js"
    script.write_text("first();" * 20)
    monkeypatch.setattr(static_files, "CHECK_EVERY", 0.0)
    client = TestClient(
        Starlette(routes=[Mount("/", PageFiles(tmp_path))], middleware=[Middleware(BrotliMiddleware)])
    )
    accepted = ("gzip, deflate, br, zstd", "")
    packed, plain = (client.get("a.js", headers={"Accept-Encoding": each}) for each in accepted)
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.text == plain.text == script.read_text()
    assert packed.headers["vary"] == "Accept-Encoding"
    script.write_text("second();")
    etag = {"If-None-Match": plain.headers["etag"]}
    assert client.get("a.js", headers=etag).text == "second();"
    assert client.head("a.js").headers["etag"] == client.get("a.js").headers["etag"]
    script.unlink()
    assert client.get("a.js").status_code == 404


def test_a_script_is_read_and_packed_once(tmp_path, monkeypatch):
    read, times = static_files.Kept.read, []

    def counted(place, version):
        times.append(place)
        return read(place, version)

    monkeypatch.setattr(static_files.Kept, "read", counted)
    (tmp_path / "a.js").write_text("first();")
    client = TestClient(Starlette(routes=[Mount("/", PageFiles(tmp_path))]))
    assert [client.get("a.js").text for _ in range(3)] == ["first();"] * 3
    monkeypatch.setattr(static_files, "CHECK_EVERY", 0.0)
    assert client.get("a.js").text == "first();"
    assert len(times) == 1


def test_what_has_its_version_in_its_address_is_kept_and_comes_packed(browser):
    folder = "vendor/onnxruntime-web-1.22.0"
    with browser.stream("GET", f"/gradio_api/gan/static/{folder}/ort-wasm-simd-threaded.wasm.gz") as reply:
        assert {name: reply.headers[name] for name in ("content-type", "content-encoding")} == {
            "content-type": "application/wasm",
            "content-encoding": "gzip",
        }
        assert "immutable" in reply.headers["cache-control"]
        assert next(reply.iter_bytes())[:4] == b"\0asm"
    notices = browser.get(f"/gradio_api/gan/static/{folder}/ThirdPartyNotices.txt.gz")
    assert notices.headers["content-type"].startswith("text/plain")
    assert "Copyright" in notices.text
    assert all(path.stat().st_size < 9_000_000 for path in (STATIC / folder).iterdir())


@pytest.mark.parametrize(
    "path", ["../routes.py", "%2e%2e/routes.py", "..%2froutes.py", "/etc/passwd", "vendor/", "none.js"]
)
def test_static_serves_nothing_but_its_files(browser, path):
    assert browser.get(f"/gradio_api/gan/static/{path}").status_code == 404


def test_texts_have_an_etag(browser):
    english, chinese = (browser.get(f"/gradio_api/gan/strings/{lang}.json") for lang in ("en", "zh"))
    assert english.json()["tab.train"] == "Train"
    assert set(english.json()) == set(chinese.json())
    assert (
        browser.get(
            "/gradio_api/gan/strings/zh.json", headers={"If-None-Match": chinese.headers["etag"]}
        ).status_code
        == 304
    )
    assert browser.get("/gradio_api/gan/strings/xx.json").status_code == 404


def test_half_a_character_is_told_with_a_question_mark(browser):
    assert browser.get("/gradio_api/gan/half").json() == {"text": "a?b"}


def test_a_mistake_is_a_sentence_and_a_defect_keeps_its_secrets(browser):
    reply = browser.get("/gradio_api/gan/wrong")
    assert (reply.status_code, reply.json()["error"]["key"], reply.json()["error"]["values"]) == (
        400,
        "runs.cant_pause",
        {"state": "finished"},
    )
    assert browser.get("/gradio_api/gan/unknown").status_code == 404
    reply = browser.get("/gradio_api/gan/defect")
    assert reply.status_code == 500
    assert "secret" not in reply.text
    assert "Traceback" not in reply.text


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Origin": "http://here:7860"}, 200),
        ({"Origin": "http://elsewhere"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://here:7861"}, 403),
        ({"Origin": "https://x.hf.space", "X-Forwarded-Host": "x.hf.space"}, 403),
        ({"Origin": "http://[::1"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        (
            {
                "Origin": "https://evil.example",
                "X-Forwarded-Host": "evil.example",
                "Sec-Fetch-Site": "cross-site",
            },
            403,
        ),
    ],
)
def test_only_our_own_page_may_change_things(browser, headers, status):
    assert browser.post("/gradio_api/gan/act", headers=headers).status_code == status


def test_changing_takes_post_and_reading_takes_get(browser):
    assert browser.get("/gradio_api/gan/act").status_code == 405
    assert browser.post("/gradio_api/gan/wrong").status_code == 405


def held_up(messages):
    """POST a body that arrives as `messages` say and then stops.

    Returns status, headers and body of the answer.
    """
    said = []

    async def receive():
        return messages.pop(0) if messages else await asyncio.Event().wait()

    async def send(message):
        said.append(message)

    async def ask():
        scope = {
            "type": "http",
            "method": "POST",
            "path": "/",
            "headers": [(b"content-length", b"20")],
            "query_string": b"",
        }
        reply = await post("kept", json_body).endpoint(Request(scope, receive))
        await reply(scope, receive, send)

    asyncio.run(asyncio.wait_for(ask(), 5))
    return said[0]["status"], dict(said[0]["headers"]), said[-1]["body"]


def test_a_body_that_does_not_come_is_given_up(monkeypatch, caplog):
    monkeypatch.setattr(routes_module, "BODY_WITHIN", 0.2)
    part = {"type": "http.request", "body": b'{"a": ', "more_body": True}
    status, headers, answer = held_up([part])
    assert (status, headers[b"connection"], json.loads(answer)["error"]["key"]) == (
        408,
        b"close",
        "ui.too_slow",
    )
    assert held_up([part, {"type": "http.disconnect"}])[0] == GONE
    assert held_up([part, {"type": "http.request", "body": b"7}"}])[2] == b'{"a":7}'
    assert caplog.records == []  # a client that breaks off leaves no traceback


def test_bodies_that_do_not_come_hold_no_thread(monkeypatch):
    monkeypatch.setattr(routes_module, "BODY_WITHIN", 3.0)
    app = Starlette(routes=[post("kept", json_body), get("seen", lambda request: {"seen": True})])

    async def never():
        yield b"{"
        await asyncio.Event().wait()

    async def crowd():
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app=app), base_url="http://here/gradio_api/gan/", timeout=30
        ) as browser:
            idle = [asyncio.create_task(browser.post("kept", content=never())) for _ in range(90)]
            await asyncio.sleep(0.3)
            reply = await asyncio.wait_for(browser.get("seen"), 2)
            return reply.json(), {each.status_code for each in await asyncio.gather(*idle)}

    assert asyncio.run(crowd()) == ({"seen": True}, {408})


@pytest.mark.parametrize(
    ("address", "shown"),
    [("", "http://class.example&quot;:7860"), ("https://school.example/gan", "https://school.example/gan")],
)
def test_a_link_to_the_page_is_shown_with_our_name_and_image(address, shown):
    gradio = """<meta property="og:title" content="Gradio" />
      <meta name="twitter:image" content="https://raw.githubusercontent.com/x.jpg" /><meta charset="utf-8">"""
    page = HTMLResponse(f"<html><head>{gradio}</head><body></body></html>")
    routes = [Route("/", lambda request: page)]
    browser = TestClient(Starlette(routes=routes, middleware=[head_lines(address)]))
    text = browser.get("/", headers={"Host": 'class.example":7860'}).text
    assert re.findall('property="og:title" content="([^"]*)"', text) == ["GANarium"]
    assert re.findall('property="og:description" content="([^"]*)"', text)[0].startswith("Train a small GAN")
    image = f"{shown}/gradio_api/gan/checkpoints/faces/preview.webp"
    assert re.findall('property="og:image" content="([^"]*)"', text) == [image]
    assert 'charset="utf-8"' in text
    assert "githubusercontent" not in text


def test_head_lines_stand_in_the_page_alone():
    html = "<html><head><title>x</title></head><body></head></body></html>"
    answers = {"/": HTMLResponse, "/other": HTMLResponse, "/text": PlainTextResponse}
    routes = [Route(path, lambda request, answer=answer: answer(html)) for path, answer in answers.items()]
    browser = TestClient(Starlette(routes=routes, middleware=[head_lines()]))
    page = browser.get("/")
    assert int(page.headers["content-length"]) == len(page.content)
    head = page.text.split("</head>")[0]
    scripts = re.findall('<meta name="gan-scripts" content="([^"]+)">', head)[0].split()
    assert scripts == [module.SCRIPT for module in TABS.values()]
    for address in [*re.findall(r'(?:src|href)="gradio_api/gan/static/([^"]+)"', head), *scripts]:
        assert (STATIC / address).is_file(), address
    assert "explore/explorer.css" in head
    assert "early.js" in head
    assert page.text.count("early.js") == 1
    assert browser.get("/other").text == html
    assert browser.get("/text").text == html


def test_the_page_is_built_without_torch():
    code = "import sys, app; print([name for name in ('torch', 'torchvision') if name in sys.modules])"
    assert (
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout.strip()
        == "[]"
    )
