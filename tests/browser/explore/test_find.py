"""Test "Find my picture" in a real browser: drawn and chosen targets, the search, Stop, and the result."""

import base64
import io

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.support.inputs.generators import RUN, tiny_spec, write_lively_run
from tests.support.page.browsing import PHONE
from tests.support.page.exploring import bar, changes, still
from tests.support.page.moving import again, as_new, view, visitor

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
    pad_of(tab).wait_for()
    yield tab
    tab.unroute_all()
    view(tab, "Samples")


def pad_of(page: Page):
    return page.locator(".xp-sketch")


def pad(page: Page) -> np.ndarray:
    """Return the pixels of the pad."""
    picture = pad_of(page).evaluate("(c) => c.toDataURL()")
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(picture.split(",")[1]))).convert("RGB")).astype(
        int
    )


def draw(page: Page) -> None:
    pad_of(page).scroll_into_view_if_needed()
    box = pad_of(page).bounding_box()
    places = [(box["x"] + part * box["width"], box["y"] + part * box["height"]) for part in (0.25, 0.5, 0.75)]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place)
    page.mouse.up()


def dot(page: Page) -> None:
    pad_of(page).click(position={"x": 60, "y": 60})


def button(page: Page, name: str):
    return page.locator(".xp-find").get_by_role("button", name=name, exact=True)


def done(page: Page) -> str:
    expect(page.locator(".xp-find progress")).to_be_hidden()
    return page.locator(".xp-status").inner_text()


def place(page: Page) -> dict:
    return page.evaluate("document.querySelector('gan-explorer').point")


def test_what_is_drawn_while_another_model_still_answers_stays(page):
    held, answered = [], []
    page.route("**/gan/model?*", lambda route: route.continue_() if answered else held.append(route))
    page.evaluate(f"document.querySelector('gan-explorer').choose('run:{COLOUR}')")
    page.wait_for_function("document.querySelector('gan-explorer').shown")
    draw(page)
    drawn = pad(page)
    assert len(np.unique(drawn)) > 1
    answered.append(True)
    with page.expect_response("**/gan/model?*"):
        for route in held:
            route.continue_()
    page.wait_for_function("document.querySelector('gan-explorer').loaded")
    np.testing.assert_array_equal(pad(page), drawn)


def test_what_is_drawn_is_looked_for_and_the_sliders_go_on_from_there(page):
    expect(button(page, "Match")).to_be_disabled()
    draw(page)
    changes(page, lambda: button(page, "Match").click())
    answer = done(page)
    assert "mean pixel error" in answer.lower()
    assert place(page)["at"]
    expect(page.locator(".xp-target")).to_be_visible()
    assert len(page.locator(".xp-curve").get_attribute("points").split()) > 2
    page.wait_for_function("location.hash.includes('at=')")
    changes(page, lambda: bar(page, "p0").fill("2"))
    assert place(page)["at"], "the sliders move what was found"
    seed = page.get_by_label("Seed", exact=True)
    expect(seed).to_have_value("")
    expect(seed).to_have_attribute("placeholder", "custom z")
    assert page.locator(".xp-mid .xp-canvas").get_attribute("aria-label").endswith(", custom latent vector")
    with page.expect_download() as info:
        page.get_by_role("button", name="PNG", exact=True).click()
    assert info.value.suggested_filename.endswith(f"-place-{place(page)['at'][:8]}.png")
    before = still(page)
    again(page)
    page.wait_for_function(
        "(before) => document.querySelector('.xp-canvas').toDataURL() === before", arg=before.decode()
    )
    changes(page, lambda: seed.fill("12"))
    assert (place(page)["seed"], place(page)["at"]) == (12, None)
    expect(seed).to_have_attribute("placeholder", "")
    assert page.locator(".xp-mid .xp-canvas").get_attribute("aria-label").endswith(", seed 12")


def test_the_tools_of_the_pad(page):
    blank = pad(page)
    assert blank.std() == 0
    expect(page.get_by_text("Draw here")).to_be_visible()
    draw(page)
    expect(page.get_by_text("Draw here")).to_be_hidden()
    drawn = pad(page)
    assert drawn.std() > 5
    button(page, "Invert").click()
    assert np.array_equal(pad(page), 255 - drawn)
    button(page, "Invert").click()
    button(page, "Clear").click()
    assert np.array_equal(pad(page), blank)
    # One dot below another. A line has several pieces, whose rims blend paper with paper and so may round.
    dot(page)
    inked = pad(page) != blank
    assert inked.any()
    button(page, "Eraser").click()
    button(page, "Brush 3 of 3").click()
    dot(page)
    assert np.array_equal(pad(page)[inked], blank[inked])
    button(page, "Clear").click()
    expect(button(page, "Match")).to_be_disabled()
    button(page, "Use current sample").click()
    assert pad(page).std() > 2
    expect(button(page, "Match")).to_be_enabled()


def test_a_file_is_made_small_before_it_is_sent(page):
    out = io.BytesIO()
    blocks = np.random.default_rng(0).integers(0, 255, (5, 10, 3), dtype=np.uint8)
    Image.fromarray(blocks.repeat(300, 0).repeat(300, 1)).save(out, "PNG")
    page.locator(".xp-find input[type=file]").set_input_files(
        {"name": "large.png", "mimeType": "image/png", "buffer": out.getvalue()}
    )
    expect(button(page, "Match")).to_be_enabled()
    assert (
        page.evaluate(
            "document.querySelector('gan-explorer').views.views.find.pad.blob().then((blob) => blob.size)"
        )
        < 2**19
    )
    button(page, "Match").click()
    assert done(page).startswith(("No match", "Partial match", "Close", "Match"))


VERDICTS = [
    ({"distance": 0.02, "seen": 0.01}, "Match. "),
    ({"distance": 0.02, "seen": 0.3}, "Close, but different content. "),
    ({"distance": 0.12, "seen": 0.01}, "Partial match. "),
    ({"distance": 0.4, "seen": 0.01}, "No match: "),
]


@pytest.mark.parametrize(("told", "said"), VERDICTS)
def test_it_says_how_near_it_came_in_pixels_and_in_what_they_show(page, told, said):
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
    draw(page)
    button(page, "Match").click()
    expect(page.locator(".xp-status")).to_contain_text(said)


def test_what_is_no_picture_is_told(page):
    page.locator(".xp-find input[type=file]").set_input_files(
        {"name": "cat.png", "mimeType": "image/png", "buffer": b"no picture"}
    )
    expect(page.locator(".xp-status")).to_contain_text("This file is not a usable image")
    expect(button(page, "Match")).to_be_disabled()


def test_what_was_wrong_with_a_file_is_not_said_of_the_next(page):
    picker = page.locator(".xp-find input[type=file]")
    picker.set_input_files({"name": "cat.png", "mimeType": "image/png", "buffer": b"no picture"})
    expect(page.locator(".xp-status")).to_contain_text("This file is not a usable image")
    out = io.BytesIO()
    Image.new("L", (20, 20), 200).save(out, "PNG")
    picker.set_input_files({"name": "dog.png", "mimeType": "image/png", "buffer": out.getvalue()})
    expect(page.locator(".xp-status")).to_be_empty()
    expect(button(page, "Match")).to_be_enabled()


def test_what_is_found_is_shown_as_it_was_found(page):
    """Blends, units and directions that a visitor set before belong to another sample."""
    page.evaluate(
        f"location.hash = 'model=run:{COLOUR}&view=find&label2=1&mix=0.7&u=0.1:0,1.2:4&psi=0.5&s=1&x=s0:2'"
    )
    page.wait_for_function("() => document.querySelector('gan-explorer').shown?.mix === 0.7")
    page.locator(".xp-find input[type=color]").wait_for()
    draw(page)
    button(page, "Match").click()
    done(page)
    found = page.evaluate("document.querySelector('gan-explorer').views.views.find.state")
    assert {key: place(page)[key] for key in ("at", "label", "label2", "mix", "u", "x", "psi")} == {
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


FOLLOWED = """() => {
  const { interpolation, point } = document.querySelector("gan-explorer");
  return point.at && interpolation.sheet.drawn === JSON.stringify(interpolation.sheet.query()) && interpolation.sheet.query().at === point.at;
}"""  # noqa: E501


def test_it_can_be_stopped_and_leaving_stops_it(page):
    asked: list = []
    slowly(page, asked)
    draw(page)
    for leave in (
        lambda: button(page, "Stop").click(),
        lambda: page.get_by_role("tab", name="Samples").click(),
    ):
        button(page, "Match").click()
        page.wait_for_function("document.querySelector('.xp-status').textContent.startsWith('Step')")
        leave()
        page.wait_for_timeout(300)
        count = len(asked)
        assert asked[-1].get("end") or asked[-2].get("end")
        page.wait_for_timeout(300)
        assert len(asked) == count, "nothing is asked any more"
        page.wait_for_function(FOLLOWED)
    view(page, "Match")
    expect(page.locator(".xp-status")).to_contain_text("Stopped.")
    expect(page.locator(".xp-status")).to_contain_text("No match: best mean pixel error 20.0 %")


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
def test_what_goes_wrong_is_told(page, answer, text):
    page.route("**/gan/find/on", lambda route: route.fulfill(**answer))
    draw(page)
    button(page, "Match").click()
    expect(page.locator(".xp-status")).to_contain_text(text)


def test_another_model_has_paper_and_colours_of_its_own(page):
    draw(page)
    page.evaluate(f"location.hash = 'model=run:{COLOUR}&view=find'")
    expect(page.locator(".xp-find input[type=color]")).to_be_visible()
    assert pad(page).std(axis=(0, 1)).max() == 0
    button(page, "Use current sample").click()
    assert np.abs(pad(page)[:, :, 0] - pad(page)[:, :, 2]).max() > 0
    button(page, "Match").click()
    done(page)
    name = ["cat", "dog", "owl"][place(page)["label"]]
    expect(page.locator(".xp-status")).to_contain_text(f"The sample has class {name}.")


def test_pad_tools_and_button_are_in_sight_on_a_projector(page):
    before = page.viewport_size
    page.set_viewport_size({"width": 1280, "height": 720})
    try:
        page.evaluate("scrollTo(0, 0)")
        box = button(page, "Match").bounding_box()
        assert box["y"] + box["height"] <= 720
    finally:
        page.set_viewport_size(before)


def test_a_finger_draws_on_a_phone(browser, address):
    with visitor(browser, address, **PHONE, locale="zh-CN", color_scheme="dark") as page:
        view(page, "匹配")
        pad_of(page).wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        # keeps the pad clear of the sample that stays on top
        pad_of(page).evaluate("(pad) => pad.scrollIntoView({ block: 'end' })")
        box = pad_of(page).bounding_box()
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
        assert pad(page).std() > 5
        small = page.locator(".xp-find button:not(.xp-help)").evaluate_all(
            "(all) => all.filter((e) => e.offsetParent && e.offsetHeight < 40).length"
        )
        assert small == 0
        button(page, "匹配").click()
        assert "平均像素误差" in done(page)


def test_the_keyboard_finds_a_picture(page):
    button(page, "Use current sample").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Shift+Tab")
    assert page.evaluate("document.activeElement.textContent") == "Match"
    page.keyboard.press("Enter")
    assert "mean pixel error" in done(page).lower()
