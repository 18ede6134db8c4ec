"""Test directions with names in a real browser: their descriptions, and a model without any."""

import base64
import re

import pytest
from playwright.sync_api import Page, expect

from tests.support.inputs.generators import RUN, tiny_spec, write_lively_run
from tests.support.page.directing import choose, drawn, row, slider_names
from tests.support.page.explorer.directions import DirectionsView
from tests.support.page.explorer.explorer import Explorer
from tests.support.page.exploring import bar, changes, visit

pytestmark = pytest.mark.browser

NAMED = {
    "directions": [
        {
            "id": "night",
            "title": "",
            "effect": 2.5,
            "share": False,
            "moved": 1.25,
            "steady": 0.97,
            "low": 0.2,
            "high": 0.6,
            "others": [["brightness", -1.5], ["sea", 1.0], ["trees", -0.9], ["lake", 0.6], ["shore", -0.5]],
        },
        {
            "id": "class3",
            "title": "owl",
            "effect": 0.5,
            "share": True,
            "moved": 0.75,
            "steady": 0.8,
            "low": 0.1,
            "high": 0.5,
            "others": [],
        },
    ],
    "fixed": ["sea", "class1"],
    "titles": {"class1": "fox", "class3": "owl"},
}


@pytest.fixture(scope="module")
def runs(runs_folder):
    write_lively_run(runs_folder, RUN, tiny_spec(z_dim=40), created=1.0)
    return runs_folder


@pytest.fixture(scope="module")
def desktop(browser):
    context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-US")
    context.add_init_script("delete window.WebAssembly")  # the server draws every image
    yield context
    context.close()


def name_them(page: Page) -> None:
    """Give a model named directions, like a model of landscapes.

    They are the first two factors, so that the server can draw them.
    """

    def answer(route):
        family = page.request.get(route.request.url.replace("/attributes?", "/factors?")).json()
        raw = base64.b64decode(family["vectors"])[: 2 * 40 * 4]
        route.fulfill(json={**NAMED, "vectors": base64.b64encode(raw).decode()})

    def draw(route):
        route.continue_(url=route.request.url.replace("night", "s0").replace("class3", "s1"))

    page.route("**/gan/attributes?*", answer)
    page.route(re.compile("/gan/(image|along)\\?"), draw)


def test_the_view_opens_on_pca_where_no_attribute_moves(desktop, address):
    page = desktop.new_page()
    directions = DirectionsView(page)
    page.route(
        "**/gan/attributes?*", lambda route: route.fulfill(json={**NAMED, "directions": [], "vectors": ""})
    )
    visit(page, address, rest="&view=directions")
    expect(directions.opened).to_have_text("PCA")
    drawn(page, "Direction 1")
    choose(page, "Attributes")
    expect(directions.list).to_have_text("No attribute of this model changes with z.")
    expect(directions.opened).to_have_text("Attributes")
    page.close()


def test_a_link_keeps_the_family_of_directions(desktop, address):
    page, other = desktop.new_page(), desktop.new_page()
    visit(page, address, rest="&view=directions")
    choose(page, "SeFa")
    page.wait_for_function("location.hash.includes('family=factors')")
    other.goto(page.url)
    expect(DirectionsView(other).opened).to_have_text("SeFa")
    drawn(other, "SeFa 1")
    choose(other, "PCA")
    drawn(other, "Direction 1")
    page.close()
    other.close()


def test_the_view_opens_on_pca_while_the_run_trains(desktop, address):
    page, asked = desktop.new_page(), []

    def trains(route):
        found = route.fetch().json()
        models = found if isinstance(found, list) else [found]
        live = [{**model, "live": True} for model in models]
        route.fulfill(json=live if isinstance(found, list) else live[0])

    page.route(re.compile("/gan/models?($|[?])"), trains)
    page.on("request", lambda request: asked.append("/attributes?" in request.url))
    visit(page, address, rest="&view=directions")
    expect(DirectionsView(page).opened).to_have_text("PCA")
    drawn(page, "Direction 1")
    assert not any(asked)
    page.close()


def test_named_directions_say_what_they_do(desktop, address):
    page = desktop.new_page()
    directions = DirectionsView(page)
    name_them(page)
    visit(page, address, rest="&view=directions&x=night:1.5")
    expect(Explorer(page).slider_names.last).to_have_text("Night")
    expect(directions.families).to_have_text(["Attributes", "PCA", "SeFa", "My sliders"])
    expect(directions.opened).to_have_text("Attributes")
    expect(directions.rows).to_have_count(2)
    expect(row(page, "Night")).to_contain_text(
        "From −2 to +2 the attribute changes by +1.3 σ; it rises in 97\u202f% of samples. Also changes:"
    )
    expect(row(page, "Night")).to_contain_text("Brightness −1.5 σ, Sea +1.0 σ, Trees −0.9 σ.")
    expect(row(page, "Night")).not_to_contain_text("Lake")
    row(page, "Night").get_by_role("button", name="and 2 more").click()
    expect(row(page, "Night")).to_contain_text("Trees −0.9 σ, Lake +0.6 σ, Shore −0.5 σ.")
    row(page, "Night").get_by_role("button", name="Fewer", expanded=True).press("Enter")
    expect(row(page, "Night")).not_to_contain_text("Lake")
    expect(
        row(page, "More like: owl").get_by_role("button", name=re.compile("^and [0-9]+ more"))
    ).to_have_count(0)
    expect(row(page, "More like: owl")).to_contain_text(
        "Present in 10\u202f% of samples at −2, in 50\u202f% at +2. Hardly affects anything else."
    )
    expect(directions.view).to_contain_text("a class selector may decide them): Sea, More like: fox.")
    drawn(page, "Night")
    assert "Night" not in Explorer(page).choices_of_axes()
    row(page, "Night").get_by_role("button", name="Slider for Night").click()
    assert "Night" in Explorer(page).choices_of_axes()
    row(page, "Night").get_by_role("button", name="Slider for Night").click()
    row(page, "More like: owl").get_by_role("button", name="Slider for More like: owl").click()
    assert slider_names(page)[-2:] == ["More like: owl", "Night"]
    page.close()


@pytest.fixture
def searching(desktop, address):
    """The view while the server searches for attributes, and a function that ends the search."""
    page, held = desktop.new_page(), []
    directions = DirectionsView(page)
    name_them(page)
    page.route("**/gan/attributes?*", lambda route: held.append(route))
    visit(page, address, rest="&view=directions")
    expect(directions.search).to_have_text("Finding attributes… PCA can be used meanwhile.")
    expect(directions.opened).to_have_text("PCA")
    expect(directions.rows).to_have_count(10)
    yield page, lambda: held[0].fallback()
    page.close()


def test_attributes_take_the_place_of_pca_where_nobody_uses_it(searching):
    page, found = searching
    directions = DirectionsView(page)
    found()
    expect(directions.opened).to_have_text("Attributes")
    expect(directions.rows).to_have_count(2)
    expect(directions.search).to_be_hidden()


USES = {
    "a strip": lambda page: changes(page, lambda: DirectionsView(page).samples("Direction 1").nth(6).click()),
    "a slider": lambda page: changes(page, lambda: bar(page, "p1").fill("2")),
    "the mouse over the list": lambda page: row(page, "Direction 1").hover(),
}


@pytest.mark.parametrize("use", USES)
def test_pca_stays_under_the_hand_that_uses_it(use, searching):
    page, found = searching
    directions = DirectionsView(page)
    drawn(page, "Direction 1")
    USES[use](page)
    first = directions.rows.first
    before = first.bounding_box()
    found()
    expect(directions.search).to_have_text("The attributes are ready.")
    expect(directions.opened).to_have_text("PCA")
    assert first.bounding_box() == before
    choose(page, "Attributes")
    expect(directions.rows).to_have_count(2)
    expect(directions.search).to_be_hidden()


def test_a_family_that_the_visitor_chose_stays(searching):
    page, found = searching
    directions = DirectionsView(page)
    choose(page, "SeFa")
    drawn(page, "SeFa 1")
    with page.expect_response("**/gan/attributes?*"):
        found()
    directions.wait_for_found("attributes")
    expect(directions.opened).to_have_text("SeFa")
    expect(directions.search).to_be_hidden()


def test_what_could_not_be_found_can_be_asked_for_again(desktop, address):
    page = desktop.new_page()
    directions = DirectionsView(page)
    failing = [True]

    def answer(route):
        if failing:
            route.fulfill(status=500, json={"error": {"key": "internal", "text": "Went wrong."}})
        else:
            route.fallback()

    name_them(page)
    page.route("**/gan/attributes?*", answer)
    visit(page, address, rest="&view=directions")
    expect(directions.search).to_have_text("The search for attributes failed.")
    expect(directions.opened).to_have_text("PCA")
    drawn(page, "Direction 1")
    again = page.get_by_role("button", name="Try again")
    expect(again).to_be_hidden()
    choose(page, "Attributes")
    expect(directions.status).to_contain_text("Went wrong.")
    failing.clear()
    again.click()
    expect(directions.rows).to_have_count(2)
    page.close()
