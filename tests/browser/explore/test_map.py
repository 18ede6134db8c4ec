"""Test the map in a real browser: drawing, zoom, and moves by mouse, keyboard and touch.

Where there can be no map, the page says so.
"""

import pytest
from playwright.sync_api import expect

from gan.latent.map.layout import methods
from tests.support.inputs.generators import RUN, tiny_spec, write_lively_run, write_run, write_weights
from tests.support.page.browsing import PHONE
from tests.support.page.explorer.explorer import Explorer
from tests.support.page.explorer.map import MapView
from tests.support.page.exploring import changes, opened, seed, still, visit

pytestmark = pytest.mark.browser

LIVE = "20250102-060708-digits-modern"
SPEC = tiny_spec(3, channels=3, z_dim=20)


@pytest.fixture(scope="module")
def runs(runs_folder):
    write_lively_run(runs_folder, RUN, SPEC, classes=["cat", "dog", "owl"], created=1.0)
    write_run(runs_folder, LIVE, tiny_spec(), state="running", created=2.0)
    return runs_folder


@pytest.fixture(scope="module")
def page(browser, address):
    with opened(browser, address, "map") as page:
        MapView(page).whole()
        yield page


def test_a_press_goes_to_the_sample(page):
    before = seed(page)
    place = next(
        cell
        for cell in MapView(page).shown()
        if cell["index"] != before and 0.1 < cell["u"] < 0.8 and 0.1 < cell["v"] < 0.9
    )
    changes(page, lambda: page.mouse.click(place["x"], place["y"]))
    assert seed(page) == place["index"]
    expect(MapView(page).spoken).to_contain_text(f"Seed {place['index']}, ")


def test_a_press_shows_the_very_picture_that_was_pressed(page):
    """The map shows samples without blends, units and sliders.

    A point with any of these is another sample, which has no mark on the map.
    """
    place = next(cell for cell in MapView(page).shown() if 0.1 < cell["u"] < 0.8 and 0.1 < cell["v"] < 0.9)
    plain_point = {"label": None, "d": [], "x": {}, "z": {}, "u": {}, "label2": None, "mix": 0}
    explorer = Explorer(page)
    explorer.change(seed=place["index"], **plain_point)
    marked, plain = MapView(page).pixels(), still(page)
    for patch in ({"label2": 1, "mix": 0.8}, {"u": {"0.0": 0, "1.1": 4}}, {"x": {"s0": 3}}):
        explorer.change(seed=place["index"], **plain_point)
        explorer.change(**patch)
        assert still(page) != plain
        assert MapView(page).pixels() != marked, "this is not that sample"
        page.mouse.click(place["x"], place["y"])
        assert still(page) == plain
        assert MapView(page).pixels() == marked


def test_wheel_buttons_and_dragging_move_the_map(page):
    count = len(MapView(page).shown())
    page.mouse.move(*MapView(page).middle())
    page.evaluate("document.activeElement.blur()")
    page.mouse.wheel(0, 200)
    page.wait_for_function("scrollY > 0")
    page.mouse.wheel(0, -400)
    page.wait_for_function("scrollY === 0")
    assert MapView(page).zoom() == 1, (
        "a page that is scrolled must not stop because a map came under the pointer"
    )
    MapView(page).canvas.focus()
    page.mouse.wheel(0, -400)
    MapView(page).wait_for_zoom_over(2)
    assert len(MapView(page).shown()) > count, "there is room for more"
    x, y = MapView(page).middle()
    before, at = MapView(page).left(), seed(page)
    page.mouse.down()
    page.mouse.move(x - 60, y, steps=3)
    page.mouse.up()
    assert MapView(page).left() > before
    assert seed(page) == at, "a drag chooses nothing"
    page.get_by_role("button", name="Zoom out").click()
    page.get_by_role("button", name="The whole map").click()
    assert MapView(page).zoom() == 1


def test_however_far_one_zooms_in_there_is_a_large_picture_and_the_line_tells_what_is_in_sight(page):
    MapView(page).canvas.focus()
    page.mouse.move(MapView(page).middle()[0] - 100, MapView(page).middle()[1] + 60)
    for _ in range(8):
        page.mouse.wheel(0, -400)
    MapView(page).wait_for_deepest()
    sight = [cell for cell in MapView(page).shown() if 0 <= cell["u"] <= 1 and 0 <= cell["v"] <= 1]
    assert 0 < len(sight) < 200
    expect(MapView(page).status).to_have_text(f"{len(sight)} of 2,048 samples in sight.")
    assert max(MapView(page).sides()) > MapView(page).canvas.bounding_box()["width"] / 11
    page.keyboard.press("Shift+ArrowLeft")
    assert any(0 < cell["u"] < 1 and 0 < cell["v"] < 1 for cell in MapView(page).shown())
    page.keyboard.press("Escape")
    expect(MapView(page).canvas).not_to_be_focused()
    page.get_by_role("button", name="The whole map").click()
    expect(MapView(page).status).to_contain_text("of 2,048 samples in sight. Zoom in")


def test_it_is_as_it_was_when_it_is_opened_again(page):
    asked = []
    page.on("request", lambda request: asked.append(request.url) if "/gan/map" in request.url else None)
    page.get_by_role("button", name="Zoom in").click()
    for name in ("Samples", "Map"):
        page.get_by_role("tab", name=name, exact=True).click()
    expect(MapView(page).canvas).to_be_visible()
    assert MapView(page).zoom() == pytest.approx(1.5)
    expect(MapView(page).status).to_contain_text("2,048")
    page.get_by_role("button", name="The whole map").click()
    assert asked == []


def test_the_keyboard_walks_from_picture_to_picture(page):
    MapView(page).canvas.focus()
    page.keyboard.press("+")
    assert MapView(page).zoom() == 1.5
    page.keyboard.press("0")
    seeds = {seed(page)}
    for key in ("ArrowUp", "ArrowLeft", "ArrowDown", "ArrowRight", "ArrowDown"):
        page.keyboard.press(key)
        seeds.add(seed(page))
    assert len(seeds) > 2


def test_one_class_alone(page):
    chip = MapView(page).classes.nth(1)
    chip.click()
    labels = MapView(page).labels()
    here = seed(page)
    assert {labels[cell["index"]] for cell in MapView(page).shown() if cell["index"] != here} == {1}
    expect(chip).to_have_attribute("aria-pressed", "true")
    chip.click()
    assert {labels[cell["index"]] for cell in MapView(page).shown()} == {0, 1, 2}


@pytest.mark.skipif(len(methods()) < 2, reason="only PCA is installed")
def test_another_layout_is_a_choice_away(page):
    places = MapView(page).shown()
    page.get_by_label("Layout").select_option("pca")
    page.wait_for_timeout(1500)
    expect(MapView(page).status).to_contain_text("2,048")
    assert MapView(page).shown() != places


def test_newer_weights_are_mapped_on_asking(page, runs):
    write_weights(runs / RUN / "live.safetensors", SPEC, seed=9)
    renew = page.get_by_role("button", name="Refresh")
    expect(renew).to_be_visible()
    before = MapView(page).version()
    renew.click()
    MapView(page).wait_for_newer(before)
    expect(renew).to_be_hidden()


def test_on_a_phone_fingers_pinch_and_a_refusal_is_told(browser, address):
    context = browser.new_context(**PHONE, locale="zh-CN", color_scheme="dark")
    page = context.new_page()
    visit(page, address, f"run:{RUN}", "&view=map")
    MapView(page).wait_for_picture()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    controls = MapView(page).controls
    assert (
        controls.evaluate_all("(all) => all.filter((e) => e.offsetParent && e.offsetHeight < 40).length") == 0
    )
    MapView(page).canvas.evaluate("(canvas) => canvas.scrollIntoView({ block: 'end' })")
    x, y = MapView(page).middle()
    finger = context.new_cdp_session(page)

    def touch(kind: str, *across: float) -> None:
        finger.send(
            "Input.dispatchTouchEvent",
            {
                "type": kind,
                "touchPoints": [{"x": x + part, "y": y, "id": number} for number, part in enumerate(across)],
            },
        )

    touch("touchStart", -20, 20)
    for apart in (30, 45, 60):
        touch("touchMove", -apart, apart)
    touch("touchEnd")
    assert MapView(page).zoom() == pytest.approx(3, rel=0.2)
    page.route(
        "**/gan/map*",
        lambda route: route.fulfill(
            status=400, json={"error": {"key": "latent.not_yet", "values": {"name": "x"}, "text": "x"}}
        ),
    )
    page.evaluate(f"location.hash = 'model=run:{LIVE}&view=map'")
    expect(MapView(page).status).to_contain_text("还没有样本")
    context.close()
