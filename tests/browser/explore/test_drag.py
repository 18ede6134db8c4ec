"""Test dragged points in a real browser, by mouse, finger and keys: progress, Stop, Undo, and the result."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.explore.test_moving import swipe
from tests.support.page.browsing import PHONE
from tests.support.page.exploring import bar, changes, large, still
from tests.support.page.moving import CLASSES, again, as_new, point, view, visitor, write_models

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def runs(runs_folder):
    return write_models(runs_folder)


@pytest.fixture
def page(tab):
    """The view of drags as a new visitor finds it."""
    as_new(tab)
    view(tab, "Drag")
    pane(tab).wait_for()
    tab.evaluate("scrollTo(0, 0)")
    yield tab
    tab.unroute_all()
    if button(tab, "Clear").is_enabled():
        button(tab, "Clear").click()
    view(tab, "Samples")


def pane(page: Page):
    return page.locator(".xp-drag")


def button(page: Page, name: str):
    return pane(page).get_by_role("button", name=name, exact=True)


def status(page: Page):
    return pane(page).locator(".xp-status")


def lines(page: Page) -> list[str]:
    return pane(page).locator("li").all_inner_texts()


def pairs(page: Page) -> list[dict]:
    return page.evaluate("document.querySelector('gan-explorer').views.views.drag.arrows.pairs")


def spot(page: Page, x: float, y: float) -> tuple[float, float]:
    """Return the screen coordinates of a place, given as fractions of the image's sides."""
    box = page.locator(".xp-canvas").bounding_box()
    return box["x"] + x * box["width"], box["y"] + y * box["height"]


def arrow(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    page.mouse.move(*spot(page, *start))
    page.mouse.down()
    page.mouse.move(*spot(page, *end), steps=4)
    page.mouse.up()


def over(page: Page) -> str:
    expect(pane(page).locator("progress")).to_be_hidden()
    expect(status(page)).not_to_be_empty()
    return status(page).inner_text()


VERDICTS = ("Arrived: ", "As close as it gets: ", "This generator can't do that: ")


def test_what_is_dragged_moves_and_the_sliders_go_on_from_there(page):
    expect(pane(page)).to_contain_text("No arrow yet.")
    for name in ("Go", "Undo arrow", "Clear"):
        expect(button(page, name)).to_be_disabled()
    before = still(page)
    arrow(page, (0.4, 0.5), (0.5, 0.5))
    assert pairs(page)[0]["start"] == pytest.approx([0.4, 0.5], abs=0.01)
    assert pairs(page)[0]["end"] == pytest.approx([0.5, 0.5], abs=0.01)
    assert still(page) == before, "an arrow alone moves nothing"
    assert point(page)["d"] == []
    expect(pane(page).locator("li")).to_have_text(["2.8 px to go"])
    expect(page.locator(".xp-arrows circle")).to_have_count(1)
    changes(page, lambda: button(page, "Go").click())
    assert over(page).startswith(VERDICTS)
    assert point(page)["at"]
    assert point(page)["seed"] == 0
    page.wait_for_function("location.hash.includes('at=')")
    result = page.evaluate("document.querySelector('gan-explorer').views.views.drag.state")
    expect(pane(page).locator("li")).to_have_text([f"{result['away'][0]:.1f} px to go"])
    assert pairs(page)[0]["now"] == result["points"][0], "the point has moved along"
    changes(page, lambda: bar(page, "p0").fill("2"))
    assert point(page)["at"] == result["at"], "the sliders move what came of it"
    expect(page.locator(".xp-arrows circle")).to_have_count(0)
    shown = still(page)
    again(page)
    page.wait_for_function(
        "(shown) => document.querySelector('.xp-canvas').toDataURL() === shown", arg=shown.decode()
    )
    pane(page).wait_for()


def test_a_press_holds_a_point_and_arrows_are_taken_back(page):
    x, y = spot(page, 0.2, 0.2)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 3, y + 2)  # a hand trembles
    page.mouse.up()
    expect(pane(page).locator("li")).to_have_text(["pinned"])
    expect(button(page, "Go")).to_be_disabled()
    arrow(page, (0.4, 0.5), (0.6, 0.5))
    expect(button(page, "Go")).to_be_enabled()
    assert [pair["stays"] for pair in pairs(page)] == [True, False]
    expect(page.locator(".xp-arrows rect")).to_have_count(1)
    button(page, "Undo arrow").click()
    assert [pair["stays"] for pair in pairs(page)] == [True]
    button(page, "Clear").click()
    assert pairs(page) == []
    expect(pane(page)).to_contain_text("No arrow yet.")
    expect(pane(page).locator(".xp-example")).to_be_visible()


def test_there_are_at_most_eight(page):
    for number in range(9):
        arrow(page, (0.1 + 0.08 * number, 0.3), (0.1 + 0.08 * number, 0.4))
    assert len(pairs(page)) == 8
    expect(status(page)).to_have_text("At most 8 points can be dragged or pinned at once.")


def test_an_arrow_ends_in_the_picture_and_begins_there(page):
    arrow(page, (0.5, 0.5), (1.4, 0.5))
    assert pairs(page)[0]["end"] == pytest.approx([1, 0.5], abs=0.01)
    # an arrow may begin where the random walk's button stands
    expect(page.locator(".xp-stroll")).to_be_hidden()
    arrow(page, (0.95, 0.95), (0.8, 0.8))
    assert len(pairs(page)) == 2


def test_as_before_brings_back_where_it_began(page):
    page.evaluate("document.querySelector('gan-explorer').change({ seed: 5, psi: 0.8, d: [1, -0.5] })")
    before = still(page)
    arrow(page, (0.4, 0.5), (0.55, 0.5))
    button(page, "Go").click()
    over(page)
    assert point(page)["psi"] == pytest.approx(0.8)
    assert point(page)["d"] == []
    assert still(page) != before
    button(page, "Undo drag").click()
    page.wait_for_function(
        "(before) => document.querySelector('.xp-canvas').toDataURL() === before", arg=before.decode()
    )
    assert {key: point(page)[key] for key in ("seed", "d", "at")} == {"seed": 5, "d": [1, -0.5], "at": None}
    expect(button(page, "Undo drag")).to_be_hidden()


def test_the_keyboard_draws_and_drags(page):
    page.locator(".xp-large").focus()
    assert "Arrow keys move a cross-hair" in page.locator(".xp-large").get_attribute("aria-label")
    before = still(page)
    for key in ("ArrowLeft", "ArrowLeft", "ArrowDown"):
        page.keyboard.press(key)
    expect(status(page)).to_have_text("Start: column 13, row 16. Enter sets it.")
    page.keyboard.press("Enter")
    page.keyboard.press("Shift+ArrowRight")
    expect(status(page)).to_have_text("Target: column 17, row 16. Enter sets it.")
    page.keyboard.press("Enter")
    expect(pane(page).locator("li")).to_have_text(["4.0 px to go"])
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(pane(page).locator("li")).to_have_text(["4.0 px to go", "pinned"])
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.className").startswith("xp-large"), (
        "it only lets go of the start"
    )
    page.keyboard.press("Delete")
    expect(pane(page).locator("li")).to_have_text(["4.0 px to go"])
    assert still(page) == before
    assert point(page)["d"] == []
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement === document.body")
    button(page, "Go").focus()
    page.keyboard.press("Enter")
    assert over(page).startswith(VERDICTS)
    page.locator(".xp-large").focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Backspace")
    assert pairs(page) == []


def test_hands_and_keys_are_as_before_once_the_view_is_closed(page):
    view(page, "Samples")
    arrow(page, (0.4, 0.5), (0.6, 0.5))
    page.wait_for_function("() => document.querySelector('gan-explorer').point.d.length > 0")
    assert point(page)["d"][0] > 0.5
    page.locator(".xp-large").focus()
    changes(page, lambda: page.keyboard.press("ArrowDown"))
    assert "along the two chosen directions" in page.locator(".xp-large").get_attribute("aria-label")
    assert page.locator(".xp-large").evaluate("(figure) => getComputedStyle(figure).touchAction") == "pan-y"
    expect(page.locator(".xp-arrows")).to_have_count(0)
    view(page, "Drag")
    assert page.locator(".xp-large").evaluate("(figure) => getComputedStyle(figure).touchAction") == "none"


def slowly(page: Page, asked: list) -> None:
    """Replace the server by one whose search never ends."""

    def answer(route):
        asked.append(route.request.post_data_json)
        page.wait_for_timeout(30)
        route.fulfill(
            json={
                "state": "dragging",
                "step": len(asked),
                "of": 9999,
                "points": [[0.45, 0.5]],
                "away": [2.0],
                "from": [3.0],
                "lost": [False],
                "at": "A" * 107,
                "psi": 1,
                "label": None,
            }
        )

    page.route("**/gan/drag/on", answer)


@pytest.mark.parametrize("leave", ["Stop", "Samples", "slider", "model"])
def test_it_can_be_stopped_and_leaving_stops_it(page, leave):
    asked: list = []
    slowly(page, asked)
    arrow(page, (0.4, 0.5), (0.55, 0.5))
    button(page, "Go").click()
    expect(status(page)).to_contain_text("2.0 px to go on average")
    arrow(page, (0.1, 0.1), (0.2, 0.2))
    assert len(pairs(page)) == 1, "no other arrow meanwhile"
    if leave == "Stop":
        button(page, "Stop").click()
    elif leave == "Samples":
        view(page, "Samples")
    elif leave == "slider":
        bar(page, "p0").fill("1")
    else:
        page.evaluate(f"document.querySelector('gan-explorer').choose('run:{CLASSES}')")
    page.wait_for_timeout(300)
    count = len(asked)
    assert asked[-1].get("end") or asked[-2].get("end")
    page.wait_for_timeout(300)
    assert len(asked) == count, "nothing is asked any more"
    if leave == "Stop":
        expect(status(page)).to_have_text("Stopped: 2.0 px to go on average (at first 3.0 px).")
    if leave in ("slider", "model"):
        assert pairs(page) == [], "the picture is another one"
    view(page, "Drag")


REST = {
    "state": "done",
    "step": 100,
    "of": 100,
    "points": [[0.5, 0.5], [0.2, 0.2]],
    "at": "A" * 107,
    "psi": 1,
    "label": None,
    "from": [4.0, 0.0],
}
SAID = [
    ({"away": [0.4, 0.2], "lost": [False, False]}, "Arrived: "),
    ({"away": [0.4, 2.0], "lost": [False, False]}, (
        "As close as it gets: 0.4 px to go on average (at first "
        "4.0"
    )),
    ({"away": [2.0, 0.0], "lost": [False, False]}, (
        "As close as it gets: 2.0 px to go on average (at first "
        "4.0 px"
    )),
    ({"away": [3.9, 0.0], "lost": [False, False]}, (
        "This generator can't do that: 3.9 px to go on average "
        "(at first 4.0 px"
    )),
    ({"away": [0.1, 0.0], "lost": [True, False]}, (
        "This generator can't do that: nothing in the sample "
        "matches"
    )),
]  # fmt: skip


@pytest.mark.parametrize(("told", "said"), SAID)
def test_it_says_how_near_it_came(page, told, said):
    page.route("**/gan/drag/on", lambda route: route.fulfill(json={**REST, **told}))
    arrow(page, (0.4, 0.5), (0.55, 0.5))
    arrow(page, (0.2, 0.2), (0.2, 0.2))
    button(page, "Go").click()
    expect(status(page)).to_contain_text(said)
    assert lines(page)[0] == ("tracking lost" if told["lost"][0] else f"{told['away'][0]:.1f} px to go")
    arrow(page, (0.6, 0.6), (0.7, 0.6))
    assert len(pairs(page)) == 1, "the next arrow begins anew"
    expect(status(page)).to_be_empty()


@pytest.mark.parametrize(
    ("path", "answer", "text"),
    [
        (
            "drag/on",
            {"status": 400, "json": {"error": {"key": "latent.search_over", "values": {}, "text": ""}}},
            "The search or drag ended: ",
        ),
        (
            "drag/on",
            {"status": 503, "json": {"error": {"key": "ui.busy", "values": {}, "text": ""}}},
            "The server is too busy right now",
        ),
        (
            "drag/on",
            {"status": 200, "json": {"state": "waiting", "ahead": 3}},
            "3 jobs are ahead in the queue.",
        ),
        (
            "drag?*",
            {
                "status": 400,
                "json": {"error": {"key": "latent.too_many_pairs", "values": {"most": "8"}, "text": ""}},
            },
            "At most 8 points can be dragged",
        ),
    ],
)
def test_what_goes_wrong_is_told(page, path, answer, text):
    page.route(f"**/gan/{path}", lambda route: route.fulfill(**answer))
    arrow(page, (0.4, 0.5), (0.55, 0.5))
    button(page, "Go").click()
    expect(status(page)).to_contain_text(text)
    if answer["status"] == 400:
        expect(button(page, "Go")).to_be_enabled()
        assert len(pairs(page)) == 1, "they can be tried again"
    else:
        button(page, "Stop").click()


def test_class_blend_and_units_stay(page):
    page.evaluate(f"document.querySelector('gan-explorer').choose('run:{CLASSES}')")
    page.wait_for_function(
        "() => document.querySelector('gan-explorer').shown?.model.endsWith('faces-modern')"
    )
    page.evaluate(
        "document.querySelector('gan-explorer').change({ label: 1, label2: 2, mix: 0.4, u: { '1.0': 0 } })"
    )
    still(page)
    arrow(page, (0.4, 0.5), (0.5, 0.5))
    with page.expect_request("**/gan/drag?*") as asked:
        button(page, "Go").click()
    for part in ("label=1", "label2=2", "mix=0.4", "u=1.0%3A0"):
        assert part in asked.value.url
    over(page)
    assert {key: point(page)[key] for key in ("label", "label2", "mix", "u")} == {
        "label": 1,
        "label2": 2,
        "mix": 0.4,
        "u": {"1.0": 0},
    }


def test_a_finger_drags_on_a_phone_in_chinese(browser, address):
    with visitor(browser, address, **PHONE, locale="zh-CN", color_scheme="dark") as page:
        view(page, "拖动")
        pane(page).wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        scrolled = page.evaluate("scrollY")
        swipe(page, spot(page, 0.5, 0.6), spot(page, 0.5, 0.45))
        assert page.evaluate("scrollY") == scrolled, "the finger draws, the page stays"
        assert pairs(page)[0]["end"] == pytest.approx([0.5, 0.45], abs=0.02)
        expect(pane(page).locator("li")).to_have_text([re.compile(r"^还差 4\.\d 像素$")])
        small = (
            pane(page)
            .locator("button:not(.xp-help)")
            .evaluate_all("(all) => all.filter((e) => e.offsetParent && e.offsetHeight < 40).length")
        )
        assert small == 0
        before = large(page)
        button(page, "开始").click()
        assert over(page).startswith(("到了：", "只能到这里：", "这个生成器做不到："))
        assert still(page) != before
        picture, below = page.locator(".xp-canvas").bounding_box(), status(page).bounding_box()
        assert picture["y"] >= 0
        assert picture["y"] + picture["height"] <= below["y"], (
            "the picture stays on top, what is told below it"
        )
        assert below["y"] + below["height"] <= 844, "both are seen at once"
