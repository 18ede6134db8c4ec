"""Test dragged points in a real browser, by mouse, finger and keys: progress, Stop, Undo, and the result."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.support.page.browsing import PHONE
from tests.support.page.explorer.drag import DragView
from tests.support.page.explorer.explorer import Explorer
from tests.support.page.explorer.panels.picture import Picture
from tests.support.page.exploring import bar, changes, large, still
from tests.support.page.moving import CLASSES, again, as_new, point, view, visitor, write_models
from tests.support.page.touch import swipe

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def runs(runs_folder):
    return write_models(runs_folder)


@pytest.fixture
def page(tab):
    """The view of drags as a new visitor finds it."""
    as_new(tab)
    view(tab, "Drag")
    DragView(tab).view.wait_for()
    tab.evaluate("scrollTo(0, 0)")
    yield tab
    tab.unroute_all()
    if DragView(tab).button("Clear").is_enabled():
        DragView(tab).button("Clear").click()
    view(tab, "Samples")


@pytest.fixture
def drag(page):
    return DragView(page)


@pytest.fixture
def picture(page):
    return Picture(page)


VERDICTS = ("Arrived: ", "As close as it gets: ", "This generator can't do that: ")


def test_what_is_dragged_moves_and_the_sliders_go_on_from_there(page, drag, picture):
    expect(drag.view).to_contain_text("No arrow yet.")
    for name in ("Go", "Undo arrow", "Clear"):
        expect(drag.button(name)).to_be_disabled()
    before = still(page)
    picture.drag((0.4, 0.5), (0.5, 0.5))
    assert drag.pairs()[0]["start"] == pytest.approx([0.4, 0.5], abs=0.01)
    assert drag.pairs()[0]["end"] == pytest.approx([0.5, 0.5], abs=0.01)
    assert still(page) == before, "an arrow alone moves nothing"
    assert point(page)["d"] == []
    expect(drag.lines).to_have_text(["2.8 px to go"])
    expect(drag.points).to_have_count(1)
    changes(page, lambda: drag.button("Go").click())
    assert drag.outcome().startswith(VERDICTS)
    assert point(page)["at"]
    assert point(page)["seed"] == 0
    page.wait_for_function("location.hash.includes('at=')")
    result = drag.result()
    expect(drag.lines).to_have_text([f"{result['away'][0]:.1f} px to go"])
    assert drag.pairs()[0]["now"] == result["points"][0], "the point has moved along"
    changes(page, lambda: bar(page, "p0").fill("2"))
    assert point(page)["at"] == result["at"], "the sliders move what came of it"
    expect(drag.points).to_have_count(0)
    shown = still(page)
    again(page)
    Explorer(page).wait_for_pixels(shown)
    drag.view.wait_for()


def test_a_press_holds_a_point_and_arrows_are_taken_back(page, drag, picture):
    x, y = picture.spot(0.2, 0.2)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 3, y + 2)  # a hand trembles
    page.mouse.up()
    expect(drag.lines).to_have_text(["pinned"])
    expect(drag.button("Go")).to_be_disabled()
    picture.drag((0.4, 0.5), (0.6, 0.5))
    expect(drag.button("Go")).to_be_enabled()
    assert [pair["stays"] for pair in drag.pairs()] == [True, False]
    expect(drag.pins).to_have_count(1)
    drag.button("Undo arrow").click()
    assert [pair["stays"] for pair in drag.pairs()] == [True]
    drag.button("Clear").click()
    assert drag.pairs() == []
    expect(drag.view).to_contain_text("No arrow yet.")
    expect(drag.example).to_be_visible()


def test_there_are_at_most_eight(page, drag, picture):
    for number in range(9):
        picture.drag((0.1 + 0.08 * number, 0.3), (0.1 + 0.08 * number, 0.4))
    assert len(drag.pairs()) == 8
    expect(drag.status).to_have_text("At most 8 points can be dragged or pinned at once.")


def test_an_arrow_ends_in_the_picture_and_begins_there(page, drag, picture):
    picture.drag((0.5, 0.5), (1.4, 0.5))
    assert drag.pairs()[0]["end"] == pytest.approx([1, 0.5], abs=0.01)
    # an arrow may begin where the random walk's button stands
    expect(picture.walk_button).to_be_hidden()
    picture.drag((0.95, 0.95), (0.8, 0.8))
    assert len(drag.pairs()) == 2


def test_as_before_brings_back_where_it_began(page, drag, picture):
    Explorer(page).change(seed=5, psi=0.8, d=[1, -0.5])
    before = still(page)
    picture.drag((0.4, 0.5), (0.55, 0.5))
    drag.button("Go").click()
    drag.outcome()
    assert point(page)["psi"] == pytest.approx(0.8)
    assert point(page)["d"] == []
    assert still(page) != before
    drag.button("Undo drag").click()
    Explorer(page).wait_for_pixels(before)
    assert {key: point(page)[key] for key in ("seed", "d", "at")} == {"seed": 5, "d": [1, -0.5], "at": None}
    expect(drag.button("Undo drag")).to_be_hidden()


def test_the_keyboard_draws_and_drags(page, drag, picture):
    picture.figure.focus()
    assert "Arrow keys move a cross-hair" in picture.instructions()
    before = still(page)
    for key in ("ArrowLeft", "ArrowLeft", "ArrowDown"):
        page.keyboard.press(key)
    expect(drag.status).to_have_text("Start: column 13, row 16. Enter sets it.")
    page.keyboard.press("Enter")
    page.keyboard.press("Shift+ArrowRight")
    expect(drag.status).to_have_text("Target: column 17, row 16. Enter sets it.")
    page.keyboard.press("Enter")
    expect(drag.lines).to_have_text(["4.0 px to go"])
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(drag.lines).to_have_text(["4.0 px to go", "pinned"])
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    assert picture.has_focus(), "it only lets go of the start"
    page.keyboard.press("Delete")
    expect(drag.lines).to_have_text(["4.0 px to go"])
    assert still(page) == before
    assert point(page)["d"] == []
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement === document.body")
    drag.button("Go").focus()
    page.keyboard.press("Enter")
    assert drag.outcome().startswith(VERDICTS)
    picture.figure.focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Backspace")
    assert drag.pairs() == []


def test_hands_and_keys_are_as_before_once_the_view_is_closed(page, drag, picture):
    view(page, "Samples")
    picture.drag((0.4, 0.5), (0.6, 0.5))
    Explorer(page).wait_for_move()
    assert point(page)["d"][0] > 0.5
    picture.figure.focus()
    changes(page, lambda: page.keyboard.press("ArrowDown"))
    assert "along the two chosen directions" in picture.instructions()
    assert picture.left_to_browser() == "pan-y"
    expect(drag.overlay).to_have_count(0)
    view(page, "Drag")
    assert picture.left_to_browser() == "none"


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
def test_it_can_be_stopped_and_leaving_stops_it(page, drag, picture, leave):
    asked: list = []
    slowly(page, asked)
    picture.drag((0.4, 0.5), (0.55, 0.5))
    drag.button("Go").click()
    expect(drag.status).to_contain_text("2.0 px to go on average")
    picture.drag((0.1, 0.1), (0.2, 0.2))
    assert len(drag.pairs()) == 1, "no other arrow meanwhile"
    if leave == "Stop":
        drag.button("Stop").click()
    elif leave == "Samples":
        view(page, "Samples")
    elif leave == "slider":
        bar(page, "p0").fill("1")
    else:
        Explorer(page).choose(f"run:{CLASSES}")
    page.wait_for_timeout(300)
    count = len(asked)
    assert asked[-1].get("end") or asked[-2].get("end")
    page.wait_for_timeout(300)
    assert len(asked) == count, "nothing is asked any more"
    if leave == "Stop":
        expect(drag.status).to_have_text("Stopped: 2.0 px to go on average (at first 3.0 px).")
    if leave in ("slider", "model"):
        assert drag.pairs() == [], "the picture is another one"
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
def test_it_says_how_near_it_came(page, drag, picture, told, said):
    page.route("**/gan/drag/on", lambda route: route.fulfill(json={**REST, **told}))
    picture.drag((0.4, 0.5), (0.55, 0.5))
    picture.drag((0.2, 0.2), (0.2, 0.2))
    drag.button("Go").click()
    expect(drag.status).to_contain_text(said)
    assert drag.lines.all_inner_texts()[0] == (
        "tracking lost" if told["lost"][0] else f"{told['away'][0]:.1f} px to go"
    )
    picture.drag((0.6, 0.6), (0.7, 0.6))
    assert len(drag.pairs()) == 1, "the next arrow begins anew"
    expect(drag.status).to_be_empty()


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
def test_what_goes_wrong_is_told(page, drag, picture, path, answer, text):
    page.route(f"**/gan/{path}", lambda route: route.fulfill(**answer))
    picture.drag((0.4, 0.5), (0.55, 0.5))
    drag.button("Go").click()
    expect(drag.status).to_contain_text(text)
    if answer["status"] == 400:
        expect(drag.button("Go")).to_be_enabled()
        assert len(drag.pairs()) == 1, "they can be tried again"
    else:
        drag.button("Stop").click()


def test_class_blend_and_units_stay(page, drag, picture):
    explorer = Explorer(page)
    explorer.choose(f"run:{CLASSES}")
    explorer.wait_for_image_of(f"run:{CLASSES}")
    explorer.change(label=1, label2=2, mix=0.4, u={"1.0": 0})
    still(page)
    picture.drag((0.4, 0.5), (0.5, 0.5))
    with page.expect_request("**/gan/drag?*") as asked:
        drag.button("Go").click()
    for part in ("label=1", "label2=2", "mix=0.4", "u=1.0%3A0"):
        assert part in asked.value.url
    drag.outcome()
    assert {key: point(page)[key] for key in ("label", "label2", "mix", "u")} == {
        "label": 1,
        "label2": 2,
        "mix": 0.4,
        "u": {"1.0": 0},
    }


def test_a_finger_drags_on_a_phone_in_chinese(browser, address):
    with visitor(browser, address, **PHONE, locale="zh-CN", color_scheme="dark") as page:
        drag, picture = DragView(page), Picture(page)
        view(page, "拖动")
        drag.view.wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        scrolled = page.evaluate("scrollY")
        swipe(page, picture.spot(0.5, 0.6), picture.spot(0.5, 0.45))
        assert page.evaluate("scrollY") == scrolled, "the finger draws, the page stays"
        assert drag.pairs()[0]["end"] == pytest.approx([0.5, 0.45], abs=0.02)
        expect(drag.lines).to_have_text([re.compile(r"^还差 4\.\d 像素$")])
        assert drag.too_low() == []
        before = large(page)
        drag.button("开始").click()
        assert drag.outcome().startswith(("到了：", "只能到这里：", "这个生成器做不到："))
        assert still(page) != before
        above, below = picture.canvas.bounding_box(), drag.status.bounding_box()
        assert above["y"] >= 0
        assert above["y"] + above["height"] <= below["y"], "the picture stays on top, what is told below it"
        assert below["y"] + below["height"] <= 844, "both are seen at once"
