"""Test the page below a path of a host, in a real browser and through a real reverse proxy.

The page finds everything that it requests there.
"""

import http.client
import io
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.support.page.browsing import serve
from tests.support.page.explorer.explorer import Explorer
from tests.support.page.exploring import changes, here, sliders
from tests.support.page.train_form import TrainForm
from tests.support.processes.proxying import proxy

pytestmark = pytest.mark.browser
TOKEN = "a token behind a proxy"
HUB = "/user/jos%C3%A9/proxy/7860"


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """A server that knows its root path."""
    with serve(tmp_path_factory.mktemp("told") / "runs", "--root-path", "/gan") as address:
        yield address


@pytest.fixture(scope="module")
def untold(tmp_path_factory):
    """A server with a token that knows of no proxy."""
    with serve(tmp_path_factory.mktemp("untold") / "runs", token=TOKEN) as address:
        yield address


@contextmanager
def visit(browser, address: str):
    """Open the page at this URL. Every request must succeed, and lie below the URL."""
    context = browser.new_context(
        viewport={"width": 1440, "height": 900},
        locale="en-US",
        permissions=["clipboard-read", "clipboard-write"],
    )
    page, bad = context.new_page(), []
    page.on(
        "response", lambda reply: bad.append(f"{reply.status} {reply.url}") if reply.status >= 400 else None
    )
    page.on(
        "request",
        lambda request: (
            None
            if request.url.startswith(("data:", "blob:", address.rstrip("/")))
            else bad.append(request.url)
        ),
    )
    page.on("pageerror", lambda error: bad.append(str(error)))
    page.goto(address)
    yield page
    context.close()
    assert bad == []


def explores(page: Page) -> None:
    """The server and then the browser draw for the sliders, and a copied link leads back here."""
    expect(sliders(page).first).to_be_enabled()
    here(page)
    changes(page, lambda: Explorer(page).sliders.first.fill("1"))
    assert page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--accent')")
    page.get_by_role("button", name="Copy link").click()
    page.wait_for_function("async () => (await navigator.clipboard.readText()).includes('#model=')")
    link = page.evaluate("navigator.clipboard.readText()")
    assert urlsplit(link)[:3] == urlsplit(page.url)[:3]


def pictures() -> list[dict]:
    files = []
    for shade in range(4):
        Image.new("RGB", (28, 28), (60 * shade, 90, 200 - 40 * shade)).save(data := io.BytesIO(), "PNG")
        files.append({"name": f"{shade}.png", "mimeType": "image/png", "buffer": data.getvalue()})
    return files


def trains(page: Page) -> None:
    """A run on uploaded images starts and shows its grid."""
    page.click("#tab-train-button")
    page.wait_for_selector("gan-time [aria-checked=true]")
    page.locator("#tab-train input[type=file]").first.set_input_files(pictures())
    form = TrainForm(page)
    form.open_settings()
    form.set("batch", 4)
    page.click("#train-button")
    expect(page.locator(".tr-picture[src]:not([hidden])")).to_be_visible()


def test_a_page_that_was_told_its_path_works_where_the_proxy_takes_it_out(told, browser):
    with proxy(told, "/gan") as address, visit(browser, address) as page:
        explores(page)


def test_a_page_that_was_told_its_path_works_where_the_proxy_leaves_it_in(told, browser):
    """An address without its last slash is the page too."""
    with proxy(told, "/gan", strip=False) as address, visit(browser, address.rstrip("/")) as page:
        explores(page)
        trains(page)
        expect(page.locator(".tr-bar")).to_have_attribute("data-state", "running")


def test_a_proxy_that_tells_nothing_is_enough_where_it_takes_the_path_out(untold, browser):
    """The path is like Jupyter's, with a user's name in it.

    The browser sends the teacher's cookie to no other path of that host.
    """
    with proxy(untold, HUB) as address, visit(browser, address) as page:
        explores(page)
        page.click(".gan-lock")
        page.get_by_label("Teacher token", exact=True).fill(TOKEN)
        page.keyboard.press("Enter")
        page.wait_for_function("() => document.documentElement.dataset.control === 'yes'")
        assert [cookie["path"] for cookie in page.context.cookies()] == [f"{HUB}/"]
        trains(page)
        page.reload()
        page.wait_for_function("() => document.documentElement.dataset.control === 'yes'")
        page.click(".gan-lock")
        page.click(".gan-token button:visible")
        expect(page.locator("#train-button")).to_be_hidden()
        assert page.context.cookies() == []


def ask(address: str, path: str, **headers: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=60)
    connection.request("GET", path, headers=headers)
    reply = connection.getresponse()
    return reply.status, reply.read()


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/gan",
        "/gan/",
        "/gradio_api/gan/static/shell/base.css",
        "/gan/gradio_api/gan/static/shell/base.css",
        "/gan/theme.css",
    ],
)
def test_files_and_routes_are_found_with_and_without_the_path(path, told):
    assert ask(told, path)[0] == 200


@pytest.mark.parametrize(
    "path",
    [
        "/ganx/",
        "/gan/gan/",
        "/gan/../gan/",
        "/other/gradio_api/gan/static/shell/base.css",
        "/gan/gradio_api/queue/join",
    ],
)
def test_nothing_else_is(path, told):
    assert ask(told, path)[0] == 404
