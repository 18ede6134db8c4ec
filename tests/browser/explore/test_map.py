"""Test the map in a real browser: drawing, zoom, and moves by mouse, keyboard and touch.

Where there can be no map, the page says so.
"""

import pytest
from playwright.sync_api import Page, expect

from gan.latent.map.layout import methods
from tests.support.inputs.generators import RUN, tiny_spec, write_lively_run, write_run, write_weights
from tests.support.page.browsing import PHONE
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
        whole(page)
        yield page


def whole(page: Page) -> None:
    """Wait until all samples are there, in the best layout."""
    page.wait_for_function("document.querySelector('gan-explorer').views.views.map?.samples?.count === 2048")
    expect(status(page)).to_contain_text("2,048")
    page.wait_for_timeout(700)


def status(page: Page):
    return page.locator(".xp-map [role=status]")


def canvas(page: Page):
    return page.locator(".xp-plane canvas")


def shown(page: Page) -> list[dict]:
    """Return the drawn samples with their places on the screen."""
    return page.evaluate("""() => {
      const { shown, plane, canvas } = document.querySelector("gan-explorer").views.views.map;
      const box = canvas.getBoundingClientRect();
      return [...shown.values()].map(({ index, column, row }) => {
        const [u, v] = plane.toCanvas((column + 0.5) / plane.cells, (row + 0.5) / plane.cells);
        return { index, x: box.left + u * box.width, y: box.top + v * box.height, u, v };
      });
    }""")


def zoom(page: Page) -> float:
    return page.evaluate("document.querySelector('gan-explorer').views.views.map.plane.zoom")


def middle(page: Page) -> tuple[float, float]:
    box = canvas(page).bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_a_press_goes_to_the_sample(page):
    before = seed(page)
    place = next(
        cell
        for cell in shown(page)
        if cell["index"] != before and 0.1 < cell["u"] < 0.8 and 0.1 < cell["v"] < 0.9
    )
    changes(page, lambda: page.mouse.click(place["x"], place["y"]))
    assert seed(page) == place["index"]
    expect(page.locator(".xp-map [aria-live]")).to_contain_text(f"Seed {place['index']}, ")


def test_a_press_shows_the_very_picture_that_was_pressed(page):
    """The map shows samples without blends, units and sliders.

    A point with any of these is another sample, which has no mark on the map.
    """
    place = next(cell for cell in shown(page) if 0.1 < cell["u"] < 0.8 and 0.1 < cell["v"] < 0.9)
    go = (
        f"document.querySelector('gan-explorer').change({{ seed: {place['index']}, label: null, d: [], x: "
        f"{{}}, z: {{}}, u: {{}}, label2: null, mix: 0 }})"
    )
    page.evaluate(go)
    marked, plain = canvas(page).evaluate("(canvas) => canvas.toDataURL()"), still(page)
    for patch in ({"label2": 1, "mix": 0.8}, {"u": {"0.0": 0, "1.1": 4}}, {"x": {"s0": 3}}):
        page.evaluate(go)
        page.evaluate("(patch) => document.querySelector('gan-explorer').change(patch)", patch)
        assert still(page) != plain
        assert canvas(page).evaluate("(canvas) => canvas.toDataURL()") != marked, "this is not that sample"
        page.mouse.click(place["x"], place["y"])
        assert still(page) == plain
        assert canvas(page).evaluate("(canvas) => canvas.toDataURL()") == marked


def test_wheel_buttons_and_dragging_move_the_map(page):
    count = len(shown(page))
    page.mouse.move(*middle(page))
    page.evaluate("document.activeElement.blur()")
    page.mouse.wheel(0, 200)
    page.wait_for_function("scrollY > 0")
    page.mouse.wheel(0, -400)
    page.wait_for_function("scrollY === 0")
    assert zoom(page) == 1, "a page that is scrolled must not stop because a map came under the pointer"
    canvas(page).focus()
    page.mouse.wheel(0, -400)
    page.wait_for_function("document.querySelector('gan-explorer').views.views.map.plane.zoom > 2")
    assert len(shown(page)) > count, "there is room for more"
    x, y = middle(page)
    before, at = page.evaluate("document.querySelector('gan-explorer').views.views.map.plane.x"), seed(page)
    page.mouse.down()
    page.mouse.move(x - 60, y, steps=3)
    page.mouse.up()
    assert page.evaluate("document.querySelector('gan-explorer').views.views.map.plane.x") > before
    assert seed(page) == at, "a drag chooses nothing"
    page.get_by_role("button", name="Zoom out").click()
    page.get_by_role("button", name="The whole map").click()
    assert zoom(page) == 1


def test_however_far_one_zooms_in_there_is_a_large_picture_and_the_line_tells_what_is_in_sight(page):
    canvas(page).focus()
    page.mouse.move(middle(page)[0] - 100, middle(page)[1] + 60)
    for _ in range(8):
        page.mouse.wheel(0, -400)
    page.wait_for_function(
        "() => { const { plane } = document.querySelector('gan-explorer').views.views.map; return "
        "plane.zoom === 64 && plane.finest; }"
    )
    sight = [cell for cell in shown(page) if 0 <= cell["u"] <= 1 and 0 <= cell["v"] <= 1]
    assert 0 < len(sight) < 200
    expect(status(page)).to_have_text(f"{len(sight)} of 2,048 samples in sight.")
    sides = page.evaluate(
        "document.querySelector('gan-explorer').views.views.map.drawn.map(({ side }) => side)"
    )
    assert max(sides) > canvas(page).bounding_box()["width"] / 11
    page.keyboard.press("Shift+ArrowLeft")
    assert any(0 < cell["u"] < 1 and 0 < cell["v"] < 1 for cell in shown(page))
    page.keyboard.press("Escape")
    expect(canvas(page)).not_to_be_focused()
    page.get_by_role("button", name="The whole map").click()
    expect(status(page)).to_contain_text("of 2,048 samples in sight. Zoom in")


def test_it_is_as_it_was_when_it_is_opened_again(page):
    asked = []
    page.on("request", lambda request: asked.append(request.url) if "/gan/map" in request.url else None)
    page.get_by_role("button", name="Zoom in").click()
    for name in ("Samples", "Map"):
        page.get_by_role("tab", name=name, exact=True).click()
    expect(canvas(page)).to_be_visible()
    assert zoom(page) == pytest.approx(1.5)
    expect(status(page)).to_contain_text("2,048")
    page.get_by_role("button", name="The whole map").click()
    assert asked == []


def test_the_keyboard_walks_from_picture_to_picture(page):
    canvas(page).focus()
    page.keyboard.press("+")
    assert zoom(page) == 1.5
    page.keyboard.press("0")
    seeds = {seed(page)}
    for key in ("ArrowUp", "ArrowLeft", "ArrowDown", "ArrowRight", "ArrowDown"):
        page.keyboard.press(key)
        seeds.add(seed(page))
    assert len(seeds) > 2


def test_one_class_alone(page):
    chip = page.locator(".xp-legend button").nth(1)
    chip.click()
    labels = page.evaluate("document.querySelector('gan-explorer').views.views.map.samples.labels")
    here = seed(page)
    assert {labels[cell["index"]] for cell in shown(page) if cell["index"] != here} == {1}
    expect(chip).to_have_attribute("aria-pressed", "true")
    chip.click()
    assert {labels[cell["index"]] for cell in shown(page)} == {0, 1, 2}


@pytest.mark.skipif(len(methods()) < 2, reason="only PCA is installed")
def test_another_layout_is_a_choice_away(page):
    places = shown(page)
    page.get_by_label("Layout").select_option("pca")
    page.wait_for_timeout(1500)
    expect(status(page)).to_contain_text("2,048")
    assert shown(page) != places


def test_newer_weights_are_mapped_on_asking(page, runs):
    write_weights(runs / RUN / "live.safetensors", SPEC, seed=9)
    renew = page.get_by_role("button", name="Refresh")
    expect(renew).to_be_visible()
    before = page.evaluate("document.querySelector('gan-explorer').views.views.map.version")
    renew.click()
    page.wait_for_function(
        "(before) => document.querySelector('gan-explorer').views.views.map.version !== before", arg=before
    )
    expect(renew).to_be_hidden()


def test_on_a_phone_fingers_pinch_and_a_refusal_is_told(browser, address):
    context = browser.new_context(**PHONE, locale="zh-CN", color_scheme="dark")
    page = context.new_page()
    visit(page, address, f"run:{RUN}", "&view=map")
    page.wait_for_function("document.querySelector('gan-explorer').views.views.map?.sheet")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    controls = page.locator(".xp-map button:not(.xp-help), .xp-map select")
    assert (
        controls.evaluate_all("(all) => all.filter((e) => e.offsetParent && e.offsetHeight < 40).length") == 0
    )
    canvas(page).evaluate("(canvas) => canvas.scrollIntoView({ block: 'end' })")
    x, y = middle(page)
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
    assert zoom(page) == pytest.approx(3, rel=0.2)
    page.route(
        "**/gan/map*",
        lambda route: route.fulfill(
            status=400, json={"error": {"key": "latent.not_yet", "values": {"name": "x"}, "text": "x"}}
        ),
    )
    page.evaluate(f"location.hash = 'model=run:{LIVE}&view=map'")
    expect(status(page)).to_contain_text("还没有样本")
    context.close()
