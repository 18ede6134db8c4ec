"""Test the page of a Space in a frame of another site, as huggingface.co shows it, in a real browser."""

import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import expect
from starlette.requests import Request

from gan.runs import marks
from gan.runs.store import Store
from gan.ui.server.people.visitors import COOKIE, Visitors, find_key
from tests.fakes.app import bare
from tests.fakes.runs import past, tiny
from tests.support.page.browsing import SPACE, serve
from tests.support.page.explorer.panels.links import CopyLink
from tests.support.page.exploring import sliders
from tests.support.page.runs_list import RunsList

pytestmark = pytest.mark.browser
OTHERS = "0" * 64  # the mark of another visitor


@pytest.fixture(scope="module")
def around(tmp_path_factory):
    """The address of a page around the Space's page, on another site, and the runs of the Space."""
    folder = tmp_path_factory.mktemp("frame")
    with serve(folder / "runs", change=bare, more=SPACE, log=folder / "server.log") as address:
        (folder / "site").mkdir()
        shown = f"{address}?__theme=dark&__sign=secret#tab=train"
        frame = f'<iframe src="{shown}" style="width: 100%; height: 760px"></iframe>'
        (folder / "site" / "index.html").write_text(frame)
        quiet = type("Quiet", (SimpleHTTPRequestHandler,), {"log_message": lambda *words: None})
        site = ThreadingHTTPServer(("127.0.0.1", 0), partial(quiet, directory=str(folder / "site")))
        threading.Thread(target=site.serve_forever, daemon=True).start()
        yield f"http://localhost:{site.server_port}/", Store(folder / "runs")
        site.shutdown()


@pytest.fixture(scope="module")
def page(browser, around):
    """The page around, with the Space's Train tab in its frame. All tests share it."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-US")
    page = context.new_page()
    page.goto(around[0])
    page.frame_locator("iframe").locator("gan-time [aria-checked=true]").wait_for()
    yield page
    context.close()


@pytest.fixture(scope="module")
def inner(page):
    """The frame of the Space's page."""
    return page.frames[1]


def mark_of(page, store):
    """The mark of this browser, which its cookie tells to nobody but the server."""
    (value,) = (one["value"] for one in page.context.cookies() if one["name"] == COOKIE)
    scope = {"type": "http", "scheme": "http", "path": "/", "query_string": b"", "server": ("x", 80)}
    headers = [(b"host", b"x"), (b"cookie", f"{COOKIE}={value}".encode())]
    return Visitors(find_key(store.root)).mark(Request({**scope, "headers": headers}))


def test_a_visitors_own_runs_have_buttons_and_others_are_off(page, inner, around):
    store = around[1]
    expect(inner.locator("gan-role")).to_contain_text("You control your own runs, up to 10 minutes each.")
    expect(inner.locator("#train-button")).to_be_visible()
    expect(inner.locator("gan-time").get_by_role("radio", name="10", exact=True)).to_be_enabled()
    expect(inner.locator("gan-time").get_by_role("radio", name="30", exact=True)).to_be_disabled()
    marked = lambda mark: lambda folder: (folder / marks.FILE).write_text(mark)  # noqa: E731
    theirs = past(store, tiny(), marked(OTHERS), state="paused", created=1.0)
    expect(inner.locator(".tr-others")).to_be_visible()
    for name in ("restart", "stop"):
        expect(inner.locator(f"[data-command={name}]")).to_be_disabled()
    mine = past(store, tiny(), marked(mark_of(page, store)), state="paused", created=2.0)
    expect(inner.locator("[data-command=stop]")).to_be_enabled()
    expect(inner.locator(".tr-others")).to_be_hidden()
    rows = RunsList(inner).open().rows
    expect(rows).to_have_count(2)
    expect(rows.nth(0).locator(".tr-tool").first).to_be_enabled()
    expect(rows.nth(1).locator(".tr-tool").first).to_be_disabled()
    expect(rows.nth(1).locator(".tr-tool").first).to_have_attribute(
        "title", "This run is somebody else's. You control only your own."
    )
    inner.click("[data-command=stop]")
    inner.click("[data-command=stop]")
    expect(inner.locator(".tr-verdict")).to_contain_text("Stopped.")
    assert (store.status(mine)["state"], store.status(theirs)["state"]) == ("stopped", "paused")


def test_the_theme_button_works_against_the_address(inner):
    body = inner.locator("html")
    expect(body).to_have_attribute("data-theme", "dark")
    button = inner.get_by_role("button", name="Theme")
    seen = []
    for _ in range(3):
        button.click()
        seen.append(body.get_attribute("data-theme"))
    assert seen == ["light", "dark", "dark"], "light, dark, and again as the page around says"
    button.click()
    inner.evaluate("() => { window.before = true; location.reload(); }")
    inner.wait_for_function("() => !window.before && document.querySelector('gan-time [aria-checked=true]')")
    expect(body).to_have_attribute("data-theme", "light")


def test_back_and_forward_move_the_page_in_the_frame(page, inner):
    tab = lambda name: inner.locator(f"#tab-{name}-button[aria-selected=true]")  # noqa: E731
    expect(tab("train")).to_be_visible()
    inner.click("#tab-explore-button")
    expect(tab("explore")).to_be_visible()
    page.evaluate("history.back()")  # of the page around, as the browser's button
    expect(tab("train")).to_be_visible()
    page.evaluate("history.forward()")
    expect(tab("explore")).to_be_visible()


def test_copy_link_gives_the_address_of_the_space_with_the_view(inner):
    expect(sliders(inner).first).to_be_enabled()
    expect(sliders(inner).first).to_be_visible()
    inner.evaluate("navigator.clipboard.writeText = async (text) => { window.copied = text; }")
    CopyLink(inner).button.click()
    inner.wait_for_function("() => window.copied")
    link = inner.evaluate("window.copied")
    assert link.startswith("https://alice-gan.hf.space/#model=shipped:")
    assert "secret" not in link
