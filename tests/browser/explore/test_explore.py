"""Test the Explore tab in a real browser, on small generators with random weights."""

import io
import json

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from gan.files import write_json
from gan.recipes import make_config
from tests.support.inputs.generators import RUN, tiny_spec, write_run, write_weights
from tests.support.page.explorer.explorer import Explorer
from tests.support.page.explorer.panels.controls import Controls
from tests.support.page.explorer.panels.models import ModelPanel
from tests.support.page.explorer.panels.picture import Picture
from tests.support.page.explorer.panels.sheets import Interpolation, Neighbours, Samples
from tests.support.page.explorer.views import Layout, Views
from tests.support.page.exploring import bar, changes, large, seed, sliders, still, until, visit
from tests.support.page.moving import as_new, visitor

pytestmark = pytest.mark.browser

CLASSES = "20250102-040506-digits-modern"
DAMAGED = "20250102-050607-faces-modern"


@pytest.fixture(scope="module")
def runs(runs_folder):
    write_run(runs_folder, RUN, tiny_spec(z_dim=40), created=1.0)
    write_run(
        runs_folder,
        CLASSES,
        tiny_spec(3, channels=3, z_dim=20, clusters=4),
        classes=["cat", "dog", "owl"],
        created=2.0,
    )
    write_run(runs_folder, DAMAGED, tiny_spec(), created=3.0)
    write_json(runs_folder / DAMAGED / "config.json", make_config("digits").to_json())
    weights = runs_folder / DAMAGED / "live.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    return runs_folder


@pytest.fixture(scope="module")
def tab(browser, address):
    """The page of one visitor. The server draws; test_browser_path.py tests the browser's own drawing."""
    with visitor(browser, address, draws=False) as page:
        yield page


@pytest.fixture
def page(tab):
    """That page on the finished run, reset, once its sheet is drawn."""
    as_new(tab, draws=False)
    still(tab)
    Samples(tab).wait_for_samples()
    return tab


def test_opens_on_something_alive(page):
    assert len(large(page)) > 500
    assert ModelPanel(page).chosen.count() == 1
    fold, layout = page.viewport_size["height"], Layout(page)
    for part in (layout.cards, layout.sheet, layout.picture, layout.sliders):
        box = part.bounding_box()
        assert box["y"] >= 0, part
        assert box["y"] + box["height"] <= fold, part


def test_dragging_with_the_mouse_changes_the_picture_all_the_way(page):
    box = bar(page, "p0").bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] / 2, middle)
    page.mouse.down()
    seen = [large(page)]
    for part in (0.6, 0.7, 0.8, 0.9):
        seen.append(changes(page, lambda part=part: page.mouse.move(box["x"] + part * box["width"], middle)))
    page.mouse.up()
    assert len(set(seen)) == 5
    assert float(bar(page, "p0").input_value()) > 1.5
    assert "d=" in page.evaluate("location.hash") or page.wait_for_function("location.hash.includes('d=')")


def test_the_last_position_of_a_drag_is_the_one_that_stays(page):
    bar(page, "p1").evaluate("""(bar) => {
      for (let i = 0; i <= 60; i += 1) {
        bar.value = String(i / 20);
        bar.dispatchEvent(new Event("input", { bubbles: true }));
      }
    }""")
    Explorer(page).wait_for_amount(1, 3)
    fast = still(page)
    bar(page, "p1").dblclick()
    changes(page, lambda: bar(page, "p1").fill("3"))
    assert still(page) == fast


def test_pictures_arrive_in_order_and_one_at_a_time(page):
    """Where the slider goes while an image is on its way, only the last place is drawn."""
    held = []
    page.route("**/gan/image?*", lambda route: held.append(route))
    explorer = Explorer(page)
    explorer.record_drawn(2)
    for first, *later in ([-3, -2, -1, -0.5], [1, 2, 3]):
        bar(page, "p2").fill(str(first))
        until(page, lambda: held)
        for value in later:
            bar(page, "p2").fill(str(value))
            page.evaluate("() => new Promise(requestAnimationFrame)")
        assert len(held) == 1
        held.pop().continue_()
        until(page, lambda: held)
        assert len(held) == 1
        held.pop().continue_()
        explorer.wait_for_drawn(later[-1])
    assert explorer.drawn() == [-3, -0.5, 1, 3]
    assert held == []


def test_the_keyboard_moves_and_resets_a_slider(page):
    start = large(page)
    bar(page, "p0").focus()
    changes(page, lambda: [page.keyboard.press("ArrowRight") for _ in range(12)])
    page.wait_for_timeout(300)
    changes(page, lambda: page.keyboard.press("Delete"))
    assert bar(page, "p0").input_value() == "0"
    assert still(page) == start


def test_a_double_click_puts_a_slider_back(page):
    changes(page, lambda: bar(page, "p3").fill("2.5"))
    changes(page, lambda: bar(page, "p3").dblclick())
    assert bar(page, "p3").input_value() == "0"


def test_randomise_and_reset(page):
    first = seed(page)
    changes(page, lambda: page.get_by_role("button", name="Randomise").click())
    assert seed(page) != first
    start = still(page)
    changes(page, lambda: bar(page, "p0").fill("2"))
    changes(page, lambda: page.get_by_label("Truncation ψ", exact=True).fill("0.4"))
    page.get_by_role("button", name="Reset").click()
    expect(bar(page, "p0")).to_have_value("0")
    assert still(page) == start


def test_the_seed_can_be_typed(page):
    field = page.get_by_label("Seed", exact=True)
    changes(page, lambda: field.fill("123"))
    field.fill("-5")
    field.blur()
    expect(Explorer(page).note).to_contain_text("A seed is a whole number")
    field.fill("12")
    expect(Explorer(page).note).to_be_hidden()
    field.fill("123")
    assert "seed=123" in page.evaluate("location.hash") or page.wait_for_function(
        "location.hash.includes('seed=123')"
    )


def test_a_picture_of_the_wall_becomes_the_current_one(page):
    changes(page, lambda: page.get_by_role("button", name="Seed 17").click())
    assert seed(page) == 17
    assert Samples(page).current.get_attribute("aria-label") == "Seed 17"
    page.keyboard.press("ArrowDown")
    changes(page, lambda: page.keyboard.press("Enter"))
    assert seed(page) == 25


def test_more_samples(page):
    samples = Samples(page)
    changes(page, lambda: page.get_by_role("button", name="More").click(), lambda _: samples.pixels())
    samples.cells.nth(0).click()
    assert samples.cells.nth(0).get_attribute("aria-label") == f"Seed {seed(page)}"


def test_a_neighbour_moves_the_two_sliders(page):
    near = Neighbours(page)
    near.show()
    near.wait_for_samples()
    changes(page, lambda: near.cells.nth(1 * 5 + 4).click())
    assert [bar(page, f"p{k}").input_value() for k in range(3)] == ["2", "1", "0"]
    assert near.current.get_attribute("aria-label") == "Direction 1 at +2.0, Direction 2 at +1.0"
    page.get_by_label("Horizontal direction").select_option("p4")
    page.wait_for_timeout(600)
    changes(page, lambda: near.cells.nth(2 * 5).click())
    assert bar(page, "p4").input_value() == "-2"


def test_neighbours_wait_for_the_end_of_a_drag(page):
    Neighbours(page).wait_for_samples()
    asked = []
    page.on(
        "request", lambda request: asked.append(request.url) if "/gan/neighbours" in request.url else None
    )
    box = bar(page, "p0").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 12)
    page.mouse.down()
    for step in range(10):
        page.mouse.move(box["x"] + box["width"] * (0.5 + step / 40), box["y"] + 12)
        page.wait_for_timeout(30)
    page.wait_for_timeout(400)
    assert asked == []
    with page.expect_response("**/gan/neighbours*"):
        page.mouse.up()
    page.wait_for_timeout(300)
    assert len(asked) == 1


@pytest.mark.parametrize("route", ["image", "neighbours"])
def test_what_was_wrong_with_a_place_that_was_left_is_not_told(page, route):
    """The page shows a point's error only while the visitor is still at that point."""
    error = {"key": "latent.unknown_direction", "values": {"name": "p99"}, "text": "No p99."}
    reply = {"status": 400, "content_type": "application/json", "body": json.dumps({"error": error})}
    note, held = Explorer(page).note, []
    Neighbours(page).wait_for_samples()
    page.route(f"**/gan/{route}?*", lambda route: held.append(route))
    with page.expect_request(f"**/gan/{route}?*"):
        bar(page, "p0").fill("1")
    bar(page, "p0").fill("0.5")
    Explorer(page).wait_for_amount(0, 0.5)
    with page.expect_request(f"**/gan/{route}?*"):
        held.pop(0).fulfill(**reply)
    page.wait_for_timeout(100)
    expect(note).to_be_hidden()
    held.pop(0).fulfill(**reply)
    expect(note).to_be_visible()
    page.unroute(f"**/gan/{route}?*")


def test_explains_itself_on_request(page):
    sentence = page.get_by_text("found by PCA")
    expect(sentence).to_be_hidden()
    page.get_by_role("button", name="What is this? Directions").click()
    expect(sentence).to_be_visible()


def test_truncation_also_changes_the_wall(page):
    changes(
        page,
        lambda: page.get_by_label("Truncation ψ", exact=True).fill("0.3"),
        lambda page: Samples(page).pixels(),
    )


def test_classes(page, address):
    visit(page, address, f"run:{CLASSES}")
    chips = Controls(page).chips
    assert chips.all_inner_texts() == ["All classes", "cat", "dog", "owl"]
    seen = set()
    for name in ("cat", "dog", "owl"):
        page.get_by_role("button", name=name, exact=True).click()
        page.wait_for_timeout(500)
        seen.add((large(page), Samples(page).pixels()))
    assert len(seen) == 3
    assert chips.nth(3).get_attribute("aria-pressed") == "true"


def test_clusters(page, address):
    expect(page.get_by_label("Cluster", exact=True)).to_be_hidden()
    visit(page, address, f"run:{CLASSES}")
    slider = page.get_by_label("Cluster", exact=True)
    Controls(page).wait_for_own_cluster()
    start, own = large(page), slider.input_value()
    for value in ("-2.5", "2.5"):
        changes(page, lambda value=value: slider.fill(value))
        page.wait_for_function(f"location.hash.includes('z=19:{value}')")
    changes(page, lambda: slider.press("Delete"))
    expect(slider).to_have_value(own)
    assert still(page) == start


def test_the_way_to_another_seed(page):
    strip = Interpolation(page)
    strip.wait_for_samples()
    changes(
        page,
        lambda: page.get_by_label("Seed to interpolate to").fill("44"),
        lambda _: strip.pixels(),
    )
    changes(page, lambda: strip.cells.nth(8).click())
    end = still(page)
    assert page.get_by_label("Position t", exact=True).input_value() == "1"
    changes(page, lambda: page.get_by_label("Position t", exact=True).fill("0.4"))
    page.get_by_label("Seed", exact=True).fill("44")
    expect(page.get_by_label("Position t", exact=True)).to_have_value("0")
    assert still(page) == end


def test_raw_sliders_reach_every_number(page):
    page.get_by_text("Raw latent z").click()
    page.get_by_role("button", name="Next entries").click()
    page.get_by_role("button", name="Next entries").click()
    expect(Controls(page).entries).to_have_text("z32 to z39 of 40")
    expect(page.get_by_role("button", name="Next entries")).to_be_disabled()
    start = large(page)
    last = page.get_by_label("z39")
    changes(page, lambda: last.fill("3"))
    page.wait_for_function("location.hash.includes('z=39:3')")
    page.get_by_role("button", name="Reset").click()
    assert still(page) == start
    assert last.input_value() != "3"


def test_downloads(page):
    def saved(act) -> tuple[str, Image.Image]:
        with page.expect_download() as info:
            act()
        return info.value.suggested_filename, Image.open(io.BytesIO(info.value.path().read_bytes()))

    name, small = saved(lambda: page.get_by_role("button", name="PNG", exact=True).click())
    assert (small.size, small.info["Software"], name.endswith("-seed-0.png")) == ((28, 28), "GANarium", True)
    _, big = saved(lambda: page.get_by_role("button", name="PNG, enlarged 8 times").click())
    assert np.array_equal(
        np.asarray(big.convert("L")), np.asarray(small.convert("L")).repeat(8, 0).repeat(8, 1)
    )
    Interpolation(page).wait_for_samples()
    _, strip = saved(lambda: page.get_by_role("button", name="Download the strip as PNG").click())
    assert strip.size == (9 * 28 * 4, 28 * 4)
    assert big.info["Software"] == strip.info["Software"] == "GANarium"


def test_a_reload_keeps_the_view(page):
    changes(page, lambda: page.get_by_role("button", name="Seed 9", exact=True).click())
    changes(page, lambda: bar(page, "p1").fill("-1.5"))
    page.wait_for_function("location.hash.includes('d=0,-1.5')")
    before = still(page)
    page.reload()
    expect(bar(page, "p1")).to_have_value("-1.5")
    Explorer(page).wait_for_sized_canvas()
    assert still(page) == before
    assert seed(page) == 9


def test_a_link_with_nonsense_opens_all_the_same(page, address):
    page.goto("about:blank")
    page.goto(
        f"{address}#model=run:nothing&seed=-3&psi=x&label=99&d=1e99,zz&z=a:b,999:1&axes=0,1&wall=&to=1.5&t=7"
    )
    expect(sliders(page).first).to_be_enabled()
    Explorer(page).wait_for_sized_canvas()


def test_a_damaged_model_says_so_and_the_others_work(page):
    explorer, models = Explorer(page), ModelPanel(page)
    models.card_of(f"run:{DAMAGED}").click()
    expect(explorer.note).to_contain_text(
        "The model “Digits, Modern (R3GAN), 5 min” can't be read: its file is damaged"
    )
    expect(models.broken).to_have_text("Can't be read")
    assert explorer.is_off()
    expect(page.get_by_role("button", name="Start a random walk", include_hidden=True)).to_be_disabled()
    page.get_by_role("tab", name="Timeline").click()
    expect(page.get_by_role("heading", name="This model can't be read")).to_be_visible()
    page.get_by_role("tab", name="Samples").click()
    changes(page, lambda: models.card_of(f"run:{RUN}").click())
    expect(explorer.note).to_be_hidden()
    assert explorer.off.count() == 0


def test_a_live_run_improves_in_place(page, address, runs):
    name = "20250102-060708-faces-modern"
    folder = write_run(runs, name, tiny_spec(), state="running", created=9.0)
    page.evaluate(
        "(id) => dispatchEvent(new CustomEvent('gan:explore', { detail: { model: id } }))", f"run:{name}"
    )
    expect(Picture(page).live).to_be_visible()
    expect(sliders(page).first).to_be_enabled()
    changes(page, lambda: bar(page, "p0").fill("1.5"))
    still(page)
    changes(page, lambda: write_weights(folder / "live.safetensors", tiny_spec(), seed=5))
    assert bar(page, "p0").input_value() == "1.5"


def test_a_run_without_pictures_is_shown_as_soon_as_it_has_some(page, runs):
    name = "20250102-070809-fashion-modern"
    folder = write_run(runs, name, tiny_spec(), state="running", created=10.0)
    (folder / "live.safetensors").unlink()
    page.evaluate(
        "(id) => dispatchEvent(new CustomEvent('gan:explore', { detail: { model: id } }))", f"run:{name}"
    )
    expect(Explorer(page).note).to_contain_text("has no samples yet")
    write_weights(folder / "live.safetensors", tiny_spec())
    expect(Picture(page).live).to_be_visible()
    expect(Explorer(page).note).to_be_hidden()


def test_the_server_comes_back(page):
    page.route("**/gan/image*", lambda route: route.abort())
    bar(page, "p0").fill("0.5")
    expect(Explorer(page).note).to_contain_text("No connection")
    page.unroute("**/gan/image*")
    expect(Explorer(page).note).to_be_hidden()
    start = large(page)
    changes(page, lambda: bar(page, "p0").fill("-2"))
    assert large(page) != start


@pytest.mark.parametrize("lang", ["en-US", "zh-CN"])
def test_fits_a_phone(browser, address, lang):
    context = browser.new_context(
        viewport={"width": 390, "height": 844},
        locale=lang,
        has_touch=True,
        is_mobile=True,
        device_scale_factor=2,
    )
    page = context.new_page()
    visit(page, address, f"run:{CLASSES}")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    bar(page, "p7").scroll_into_view_if_needed()
    page.mouse.wheel(0, 300)
    page.wait_for_timeout(300)
    assert Picture(page).figure.bounding_box()["y"] == pytest.approx(0, abs=2)
    assert Views(page).too_low() == []
    help_button = Layout(page).help.first
    help_button.evaluate("(button) => button.scrollIntoView({ block: 'start' })")
    box = help_button.bounding_box()
    # the button's touch target is larger than its circle
    page.touchscreen.tap(box["x"] + box["width"] / 2 + 18, box["y"] + box["height"] / 2 - 8)
    expect(help_button).to_have_attribute("aria-expanded", "true")
    context.close()
