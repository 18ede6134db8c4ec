"""Test browsers that lack a feature: the page works without it, or says that it needs a newer browser.

A script removes the feature from Chromium before the page loads.
"""

import io

import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.support.page.explorer.inside import InsideView
from tests.support.page.explorer.panels.picture import Picture
from tests.support.page.exploring import here, sliders

pytestmark = pytest.mark.browser
ENGLISH, CHINESE = "This page needs a newer browser", "此页面需要较新的浏览器"


@pytest.fixture(scope="module")
def address(server_of_models):
    return server_of_models[0]


@pytest.fixture
def visit(browser, address):
    """The page in a browser where `script` ran before all other scripts."""
    contexts = []

    def open_page(script: str, lang: str = "en-US", where: str = address):
        contexts.append(browser.new_context(viewport={"width": 1440, "height": 900}, locale=lang))
        page = contexts[-1].new_page()
        page.faults = []
        page.on("pageerror", lambda error: page.faults.append(str(error)))
        page.add_init_script(script)
        page.goto(where)
        return page

    yield open_page
    for context in contexts:
        context.close()


@pytest.mark.parametrize(
    "script",
    ["", "delete window.OffscreenCanvas; delete Array.prototype.toReversed; delete Array.prototype.toSorted"],
)
def test_without_offscreen_canvases_everything_is_there(script, visit, address):
    page = visit(script, where=f"{address}#view=inside")
    expect(InsideView(page).cells.first).to_be_visible()
    InsideView(page).wait_for_picture()
    here(page)
    with page.expect_download() as saved:
        Picture(page).save_enlarged.click()
    with Image.open(io.BytesIO(saved.value.path().read_bytes())) as picture:
        assert (picture.format, min(picture.size) >= 8 * 28) == ("PNG", True)
    assert page.faults == []
    assert page.locator("#gan-old").count() == 0


MISSING = [
    "Array.prototype.findLastIndex",
    "window.ResizeObserver",
    "window.structuredClone",
    "window.createImageBitmap",
    "Object.hasOwn",
]


LANGUAGES = [(name, "en-US") for name in MISSING] + [(MISSING[0], "zh-CN"), (MISSING[1], "zh-CN")]


@pytest.mark.parametrize(("name", "lang"), LANGUAGES)
def test_a_browser_that_is_too_old_is_told_so(name, lang, visit):
    note = visit(f"delete {name};", lang).locator("#gan-old")
    expect(note).to_be_visible()
    expect(note).to_contain_text(CHINESE if lang == "zh-CN" else ENGLISH)
    expect(note).to_contain_text(name.removeprefix("window."))
    expect(note).to_be_in_viewport()


def test_a_browser_that_cannot_read_the_scripts_is_told_so(visit):
    page = visit("""window.Function = new Proxy(Function, { construct(make, [code]) {
      if (/\\(\\?<!/.test(code)) throw new SyntaxError("Invalid regular expression: invalid group specifier name");
      return new make(code);
    } });""")  # noqa: E501
    expect(page.locator("#gan-old")).to_contain_text("This one lacks: JavaScript 2022.")


def test_what_nobody_thought_of_is_told_too(browser, address):
    """Serve a script of the page that this browser can't parse."""
    context = browser.new_context(locale="en-US")
    page = context.new_page()
    page.route(
        "**/static/core/i18n.js",
        lambda route: route.fulfill(content_type="text/javascript", body="export const lang = 1 |> 2;"),
    )
    page.goto(address)
    expect(page.locator("#gan-old")).to_contain_text("needs a newer browser")
    context.close()


def test_the_language_is_the_chosen_one(visit, address):
    expect(visit("delete Object.hasOwn", "zh-CN", f"{address}?lang=en").locator("#gan-old")).to_contain_text(
        ENGLISH
    )
    expect(
        visit("delete Object.hasOwn; localStorage.setItem('gan_lang', 'zh')").locator("#gan-old")
    ).to_contain_text(CHINESE)


def test_a_browser_of_today_is_told_nothing(visit):
    page = visit("")
    expect(sliders(page).first).to_be_enabled()
    page.wait_for_function("() => document.documentElement.dataset.gan === 'ready'")
    assert page.locator("#gan-old").count() == 0
    assert page.faults == []
