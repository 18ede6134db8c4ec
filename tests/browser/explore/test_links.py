"""Test the page's URL in a real browser: back and forward, pasted and copied links, and views on a phone."""

from itertools import product

import pytest
from playwright.sync_api import Page, expect

from tests.support.inputs.generators import RUN
from tests.support.page.browsing import PHONE
from tests.support.page.explorer.explorer import Explorer
from tests.support.page.explorer.panels.links import CopyLink, stands
from tests.support.page.explorer.panels.models import ModelPanel
from tests.support.page.explorer.views import Layout, Views
from tests.support.page.exploring import bar, changes, large, sliders, still, visit
from tests.support.page.moving import CLASSES, point, view, visitor, write_models

pytestmark = pytest.mark.browser

VIEWS = ["samples", "directions", "map", "inside", "find", "walk", "loop", "favourites", "time"]


@pytest.fixture(scope="module")
def runs(runs_folder):
    return write_models(runs_folder)


def entries(page: Page) -> int:
    """Return the number of entries in the browser's history."""
    return page.evaluate("navigation.currentEntry.index")


def test_a_link_with_a_direction_that_there_is_not_is_told_once(page):
    asked = []
    page.on(
        "request",
        lambda request: (
            asked.append(request.url) if "/gan/" in request.url and "nowhere" in request.url else None
        ),
    )
    page.evaluate("location.hash += '&x=nowhere:2'")
    expect(Explorer(page).note).to_contain_text("nowhere")
    page.wait_for_timeout(2000)
    assert 0 < len(asked) < 8, "the picture and the sheets, and these not again and again"
    assert point(page)["x"] == {}, "it is left out"
    expect(Explorer(page).slider_row("nowhere")).to_have_count(0)
    expect(Explorer(page).note).to_contain_text("nowhere")
    changes(page, lambda: sliders(page).first.fill("2"))
    expect(Explorer(page).note).to_be_hidden()


def test_back_and_forward_go_to_other_views_and_models(page):
    still(page)
    before = entries(page)
    Explorer(page).change(view="walk")
    changes(page, lambda: sliders(page).nth(0).fill("2"))
    walked = still(page)
    assert entries(page) == before + 1
    Explorer(page).change(view="loop")
    ModelPanel(page).card_of(f"run:{CLASSES}").click()
    stands(page, CLASSES, "loop")
    assert entries(page) == before + 3
    page.go_back()
    stands(page, RUN, "loop")
    page.go_back()
    stands(page, RUN, "walk")
    expect(page.get_by_role("tab", name="Walk")).to_have_attribute("aria-selected", "true")
    assert still(page) == walked
    page.go_back()
    stands(page, RUN, "samples")
    for model, name in ((RUN, "walk"), (RUN, "loop"), (CLASSES, "loop")):
        page.go_forward()
        stands(page, model, name)
    page.wait_for_timeout(600)  # time for a wrong extra entry to appear
    assert entries(page) == before + 3


def test_a_link_in_the_bar_of_an_open_page_is_followed(page):
    still(page)
    before = entries(page)
    page.evaluate(f"location.hash = 'model=run:{CLASSES}&seed=7&view=favourites'")
    stands(page, CLASSES, "favourites")
    assert point(page)["seed"] == 7
    assert entries(page) == before + 1
    page.go_back()
    stands(page, RUN, "samples")
    page.evaluate("location.hash = 'tab=train'")
    expect(page.locator("#tab-train")).to_be_visible()
    stands_still = point(page)
    page.go_back()
    expect(page.locator("#tab-explore")).to_be_visible()
    assert point(page) == stands_still


def test_tabs_are_entries_and_what_one_press_does_is_one(page):
    still(page)
    before = entries(page)
    page.get_by_role("tab", name="Train", exact=True).click()
    expect(page.locator("#tab-train")).to_be_visible()
    page.get_by_role("tab", name="Train", exact=True).click()
    assert entries(page) == before + 1
    page.evaluate(f"""async () => {{
      const {{ openTab }} = await import("/gradio_api/gan/static/shell/tabs.js");
      openTab("explore");
      dispatchEvent(new CustomEvent("gan:explore", {{ detail: {{ model: "run:{CLASSES}" }} }}));
    }}""")
    stands(page, CLASSES, "samples")
    assert entries(page) == before + 2
    page.go_back()
    expect(page.locator("#tab-train")).to_be_visible()
    page.go_back()
    expect(page.locator("#tab-explore")).to_be_visible()
    stands(page, RUN, "samples")


def test_a_link_is_copied_and_leads_here(page, address):
    link = CopyLink(page)
    changes(page, lambda: bar(page, "p2").fill("-1.5"))
    expect(link.button).to_have_text("Copy link")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    link.button.click()  # at once, before the URL bar can be up to date
    expect(link.button).to_have_text("Copied")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == f"{address}#model=run:{RUN}&seed=0&d=0,0,-1.5"
    expect(link.button).to_have_text("Copy link")
    here = still(page)
    page.goto("about:blank")
    page.goto(copied)
    Explorer(page).ready()
    Explorer(page).wait_for_pixels(here)


def test_a_link_is_copied_where_there_is_no_clipboard(page, address):
    link = CopyLink(page)
    link.without_clipboard()
    link.button.click()
    expect(link.button).to_have_text("Copied")
    assert link.copied() == f"{address}#model=run:{RUN}&seed=0"
    expect(link.button).to_be_focused()
    page.evaluate("document.execCommand = () => false")
    link.button.click()
    expect(Explorer(page).note).to_contain_text(f"Copy the address by hand: {address}#model=run:{RUN}&seed=0")
    page.evaluate("delete document.execCommand; delete navigator.clipboard")


def test_in_a_frame_the_link_is_the_apps_own_without_what_the_frame_was_given(browser, address):
    context = browser.new_context(locale="en-US")
    page = context.new_page()
    outer = f"{address}outer"
    inner = (
        f"<iframe style='width: 1200px; height: 800px' "
        f"src='{address}?__sign=secret#model=run:{RUN}&seed=4&view=walk'></iframe>"
    )
    page.route(outer, lambda route: route.fulfill(content_type="text/html", body=inner))
    page.goto(outer)
    frame = page.frames[1]
    Explorer(frame).ready()
    link = CopyLink(frame)
    link.without_clipboard()  # as in a frame without permission for the clipboard
    link.button.click()
    expect(link.button).to_have_text("Copied")
    assert link.copied() == f"{address}#model=run:{RUN}&seed=4&view=walk"
    context.close()


def test_a_group_opens_the_view_that_was_open_in_it_last(browser, address):
    with visitor(browser, address) as page:
        group = page.get_by_role("tab", name="Directions", exact=True)
        group.click()
        expect(page.get_by_role("tab", name="List", exact=True)).to_have_attribute("aria-selected", "true")
        page.keyboard.press("Tab")  # to the row of the group
        page.keyboard.press("ArrowRight")
        expect(page.get_by_role("tab", name="Walk", exact=True)).to_be_focused()
        expect(Views(page).walk_pad).to_be_visible()
        page.get_by_role("tab", name="Map", exact=True).click()
        expect(page.get_by_role("tab", name="Walk", exact=True)).to_be_hidden()
        assert "view=map" in page.url
        group.click()
        expect(Views(page).walk_pad).to_be_visible()
        assert "view=walk" in page.url


def test_thirty_quick_choices_leave_nothing_half_open(browser, address):
    with visitor(browser, address) as page:
        views = Views(page)
        views.count_made()
        page.route("**/static/explore/**/*.js", lambda route: (page.wait_for_timeout(30), route.continue_()))
        for _ in range(2):
            quick = [VIEWS[place % 9] for place in range(6, 36)] + ["find", "inside", "find", "inside"]
            views.press_quickly(quick, pause=15)
        views.wait_for_opened()
        page.wait_for_timeout(1000)
        state = views.state()
        assert (state["current"], state["alone"], state["open"], state["twice"]) == ("inside", True, 1, 0)
        assert sorted(state["made"]) == sorted(set(state["made"])), "no view is made twice"
        Views(page).unit.wait_for()
        page.get_by_role("tab", name="Samples").click()
        expect(Views(page).samples).to_be_visible()
        assert not views.is_open()


def test_a_view_that_could_not_be_loaded_is_tried_again(browser, address):
    with visitor(browser, address) as page:
        page.route("**/static/explore/views/inside/inside.css", lambda route: route.abort())
        page.get_by_role("tab", name="Layers").click()
        expect(Explorer(page).note).to_contain_text("This view could not be loaded")
        expect(Views(page).samples).to_have_count(0)
        page.unroute("**/static/explore/views/inside/inside.css")
        page.get_by_role("tab", name="Layers").click()
        Views(page).unit.wait_for()


def test_on_a_phone_the_view_follows_the_picture(browser, address):
    with visitor(browser, address, CLASSES, **PHONE) as page:
        layout = Layout(page)
        parts = (layout.picture, layout.tools, layout.tabs, layout.samples, layout.right, layout.neighbours)
        tops = [layout.top(part) for part in parts]
        assert tops == sorted(set(tops)), "each begins below the one before"
        assert layout.top(layout.samples) < 700, "it begins on the first screen"
        for name in ("map", "time", "favourites"):
            page.goto("about:blank")
            visit(page, address, f"run:{CLASSES}", f"&view={name}")
            expect(layout.view).to_have_count(1)
            Views(page).wait_for_opened()
            assert layout.top(layout.tabs) < layout.top(layout.view) < 700
            assert layout.top(layout.view) < layout.top(layout.right)
            tab = layout.chosen_tab.bounding_box()
            assert 0 <= tab["x"] <= tab["x"] + tab["width"] <= 390, (
                "its tab is in sight in a row that can be pushed"
            )
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        picture = layout.picture.bounding_box()["height"]
        jump = page.get_by_role("button", name="Switch between the sliders and the view")
        jump.tap()
        layout.wait_for_sliders_below(picture)
        jump.tap()
        layout.wait_for_tabs_below(picture)
        before = large(page)
        Explorer(page).sliders.first.scroll_into_view_if_needed()
        assert layout.top(layout.picture) == pytest.approx(0, abs=2)
        assert large(page) == before


def test_what_can_be_chosen_from_has_an_arrow(browser, address):
    with visitor(browser, address, CLASSES, color_scheme="dark") as page:
        for scheme, name in product(("dark", "light"), ("Map", "Layers", "Loop", "Walk")):
            page.emulate_media(color_scheme=scheme)
            view(page, name)
            Views(page).wait_for_opened()
            styles = Views(page).selects.evaluate_all(
                "(all) => all.map((each) => getComputedStyle(each).backgroundImage)"
            )
            assert len(styles) > 1
            assert all(style.startswith('url("data:image/svg') for style in styles)
