"""Test "Find my picture" in a real browser: drawn and chosen targets, the search, Stop, and the result."""

import io

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.support.inputs.generators import RUN, tiny_spec, write_lively_run
from tests.support.page.browsing import PHONE
from tests.support.page.explorer.explorer import Explorer
from tests.support.page.explorer.find import FindView
from tests.support.page.explorer.panels.picture import Picture
from tests.support.page.explorer.panels.sheets import Interpolation
from tests.support.page.exploring import bar, changes, still
from tests.support.page.moving import again, as_new, point, view, visitor

pytestmark = pytest.mark.browser

COLOUR = "20250102-040506-faces-modern"


@pytest.fixture(scope="module")
def runs(runs_folder):
    write_lively_run(runs_folder, RUN, tiny_spec(z_dim=40), created=1.0)
    write_lively_run(
        runs_folder, COLOUR, tiny_spec(3, channels=3, z_dim=20), classes=["cat", "dog", "owl"], created=2.0
    )
    return runs_folder


@pytest.fixture
def page(tab):
    """The view as a new visitor finds it."""
    as_new(tab)
    view(tab, "Match")
    FindView(tab).pad.wait_for()
    yield tab
    tab.unroute_all()
    view(tab, "Samples")


@pytest.fixture
def find(page):
    return FindView(page)


def test_what_is_drawn_while_another_model_still_answers_stays(page, find):
    held, answered = [], []
    page.route("**/gan/model?*", lambda route: route.continue_() if answered else held.append(route))
    explorer = Explorer(page)
    explorer.choose(f"run:{COLOUR}")
    explorer.ready()
    find.draw()
    drawn = find.pixels()
    assert len(np.unique(drawn)) > 1
    answered.append(True)
    with page.expect_response("**/gan/model?*"):
        for route in held:
            route.continue_()
    explorer.wait_for_details()
    np.testing.assert_array_equal(find.pixels(), drawn)


def test_what_is_drawn_is_looked_for_and_the_sliders_go_on_from_there(page, find):
    expect(find.button("Match")).to_be_disabled()
    find.draw()
    changes(page, lambda: find.button("Match").click())
    answer = find.outcome()
    assert "mean pixel error" in answer.lower()
    assert point(page)["at"]
    expect(find.target).to_be_visible()
    assert len(find.curve.get_attribute("points").split()) > 2
    page.wait_for_function("location.hash.includes('at=')")
    changes(page, lambda: bar(page, "p0").fill("2"))
    assert point(page)["at"], "the sliders move what was found"
    seed = page.get_by_label("Seed", exact=True)
    expect(seed).to_have_value("")
    expect(seed).to_have_attribute("placeholder", "custom z")
    assert Picture(page).label().endswith(", custom latent vector")
    with page.expect_download() as info:
        page.get_by_role("button", name="PNG", exact=True).click()
    assert info.value.suggested_filename.endswith(f"-place-{point(page)['at'][:8]}.png")
    before = still(page)
    again(page)
    Explorer(page).wait_for_pixels(before)
    changes(page, lambda: seed.fill("12"))
    assert (point(page)["seed"], point(page)["at"]) == (12, None)
    expect(seed).to_have_attribute("placeholder", "")
    assert Picture(page).label().endswith(", seed 12")


def test_the_tools_of_the_pad(page, find):
    blank = find.pixels()
    assert blank.std() == 0
    expect(page.get_by_text("Draw here")).to_be_visible()
    find.draw()
    expect(page.get_by_text("Draw here")).to_be_hidden()
    drawn = find.pixels()
    assert drawn.std() > 5
    find.button("Invert").click()
    assert np.array_equal(find.pixels(), 255 - drawn)
    find.button("Invert").click()
    find.button("Clear").click()
    assert np.array_equal(find.pixels(), blank)
    # One dot below another. A line has several pieces, whose rims blend paper with paper and so may round.
    find.dot()
    inked = find.pixels() != blank
    assert inked.any()
    find.button("Eraser").click()
    find.button("Brush 3 of 3").click()
    find.dot()
    assert np.array_equal(find.pixels()[inked], blank[inked])
    find.button("Clear").click()
    expect(find.button("Match")).to_be_disabled()
    find.button("Use current sample").click()
    assert find.pixels().std() > 2
    expect(find.button("Match")).to_be_enabled()


def test_a_file_is_made_small_before_it_is_sent(page, find):
    out = io.BytesIO()
    blocks = np.random.default_rng(0).integers(0, 255, (5, 10, 3), dtype=np.uint8)
    Image.fromarray(blocks.repeat(300, 0).repeat(300, 1)).save(out, "PNG")
    find.give("large.png", out.getvalue())
    expect(find.button("Match")).to_be_enabled()
    assert find.bytes_to_send() < 2**19
    find.button("Match").click()
    assert find.outcome().startswith(("No match", "Partial match", "Close", "Match"))


VERDICTS = [
    ({"distance": 0.02, "seen": 0.01}, "Match. "),
    ({"distance": 0.02, "seen": 0.3}, "Close, but different content. "),
    ({"distance": 0.12, "seen": 0.01}, "Partial match. "),
    ({"distance": 0.4, "seen": 0.01}, "No match: "),
]


@pytest.mark.parametrize(("told", "said"), VERDICTS)
def test_it_says_how_near_it_came_in_pixels_and_in_what_they_show(page, find, told, said):
    rest = {
        "state": "done",
        "step": 100,
        "of": 100,
        "nearest": 0.3,
        "spacing": 0.1,
        "likeness": 0.03,
        "at": "A" * 107,
        "label": None,
    }
    page.route("**/gan/find/on*", lambda route: route.fulfill(json={**rest, **told}))
    find.draw()
    find.button("Match").click()
    expect(find.status).to_contain_text(said)


def test_what_is_no_picture_is_told(page, find):
    find.give("cat.png", b"no picture")
    expect(find.status).to_contain_text("This file is not a usable image")
    expect(find.button("Match")).to_be_disabled()


def test_what_was_wrong_with_a_file_is_not_said_of_the_next(page, find):
    find.give("cat.png", b"no picture")
    expect(find.status).to_contain_text("This file is not a usable image")
    out = io.BytesIO()
    Image.new("L", (20, 20), 200).save(out, "PNG")
    find.give("dog.png", out.getvalue())
    expect(find.status).to_be_empty()
    expect(find.button("Match")).to_be_enabled()


def test_what_is_found_is_shown_as_it_was_found(page, find):
    """Blends, units and directions that a visitor set before belong to another sample."""
    page.evaluate(
        f"location.hash = 'model=run:{COLOUR}&view=find&label2=1&mix=0.7&u=0.1:0,1.2:4&psi=0.5&s=1&x=s0:2'"
    )
    Explorer(page).wait_for_image_of_blend(0.7)
    find.colour.wait_for()
    find.draw()
    find.button("Match").click()
    find.outcome()
    found = find.found()
    assert {key: point(page)[key] for key in ("at", "label", "label2", "mix", "u", "x", "psi")} == {
        "at": found["at"],
        "label": found["label"],
        "label2": None,
        "mix": 0,
        "u": {},
        "x": {},
        "psi": 1,
    }


def slowly(page: Page, asked: list) -> None:
    """Replace the server by one whose search never ends."""

    def answer(route):
        asked.append(route.request.post_data_json)
        page.wait_for_timeout(30)
        reply = {"state": "searching", "step": len(asked), "of": 9999, "distance": 0.2, "nearest": 0.3,
            "spacing": 0.1, "seen": 0.1, "likeness": 0.1,
                "at": "A" * 107, "label": None}  # fmt: skip
        route.fulfill(json=reply)

    page.route("**/gan/find/on", answer)


def test_it_can_be_stopped_and_leaving_stops_it(page, find):
    asked: list = []
    slowly(page, asked)
    find.draw()
    for leave in (
        lambda: find.button("Stop").click(),
        lambda: page.get_by_role("tab", name="Samples").click(),
    ):
        find.button("Match").click()
        find.wait_for_search()
        leave()
        page.wait_for_timeout(300)
        count = len(asked)
        assert asked[-1].get("end") or asked[-2].get("end")
        page.wait_for_timeout(300)
        assert len(asked) == count, "nothing is asked any more"
        Interpolation(page).wait_until_it_begins_at_own_z()
    view(page, "Match")
    expect(find.status).to_contain_text("Stopped.")
    expect(find.status).to_contain_text("No match: best mean pixel error 20.0 %")


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (
            {"status": 400, "json": {"error": {"key": "latent.search_over", "values": {}, "text": ""}}},
            "The search or drag ended: ",
        ),
        (
            {"status": 503, "json": {"error": {"key": "ui.busy", "values": {}, "text": ""}}},
            "The server is too busy right now",
        ),
        ({"status": 200, "json": {"state": "waiting", "ahead": 3}}, "3 searches are ahead in the queue."),
    ],
)
def test_what_goes_wrong_is_told(page, find, answer, text):
    page.route("**/gan/find/on", lambda route: route.fulfill(**answer))
    find.draw()
    find.button("Match").click()
    expect(find.status).to_contain_text(text)


def test_another_model_has_paper_and_colours_of_its_own(page, find):
    find.draw()
    page.evaluate(f"location.hash = 'model=run:{COLOUR}&view=find'")
    expect(find.colour).to_be_visible()
    assert find.pixels().std(axis=(0, 1)).max() == 0
    find.button("Use current sample").click()
    assert np.abs(find.pixels()[:, :, 0] - find.pixels()[:, :, 2]).max() > 0
    find.button("Match").click()
    find.outcome()
    name = ["cat", "dog", "owl"][point(page)["label"]]
    expect(find.status).to_contain_text(f"The sample has class {name}.")


def test_pad_tools_and_button_are_in_sight_on_a_projector(page, find):
    before = page.viewport_size
    page.set_viewport_size({"width": 1280, "height": 720})
    try:
        page.evaluate("scrollTo(0, 0)")
        box = find.button("Match").bounding_box()
        assert box["y"] + box["height"] <= 720
    finally:
        page.set_viewport_size(before)


def test_a_finger_draws_on_a_phone(browser, address):
    with visitor(browser, address, **PHONE, locale="zh-CN", color_scheme="dark") as page:
        find = FindView(page)
        view(page, "匹配")
        find.pad.wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        # keeps the pad clear of the sample that stays on top
        find.pad.evaluate("(pad) => pad.scrollIntoView({ block: 'end' })")
        box = find.pad.bounding_box()
        finger = page.context.new_cdp_session(page)
        middle = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
        scrolled = page.evaluate("scrollY")
        finger.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [middle]})
        for step in range(1, 6):
            finger.send(
                "Input.dispatchTouchEvent",
                {"type": "touchMove", "touchPoints": [{**middle, "y": middle["y"] - 10 * step}]},
            )
        finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        assert page.evaluate("scrollY") == scrolled, "the finger draws, the page stays"
        assert find.pixels().std() > 5
        assert find.too_low() == []
        find.button("匹配").click()
        assert "平均像素误差" in find.outcome()


def test_the_keyboard_finds_a_picture(page, find):
    find.button("Use current sample").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Shift+Tab")
    assert page.evaluate("document.activeElement.textContent") == "Match"
    page.keyboard.press("Enter")
    assert "mean pixel error" in find.outcome().lower()
