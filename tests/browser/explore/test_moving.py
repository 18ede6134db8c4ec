"""Test moves by hand in a real browser: pad, wheel, keys, touch, random walk, blend of two classes."""

import re

import pytest
from playwright.sync_api import Locator, expect

from tests.support.inputs.generators import RUN
from tests.support.page.browsing import PHONE
from tests.support.page.explorer.directions import Choices
from tests.support.page.explorer.explorer import Explorer
from tests.support.page.explorer.favourites import Tray
from tests.support.page.explorer.loop import LoopView
from tests.support.page.explorer.panels.controls import Controls
from tests.support.page.explorer.panels.picture import Picture
from tests.support.page.explorer.panels.sheets import Neighbours
from tests.support.page.explorer.views import Views
from tests.support.page.explorer.walk import WalkView
from tests.support.page.exploring import bar, changes, here, large, still, visit
from tests.support.page.moving import CLASSES, again, point, view, visitor, write_models
from tests.support.page.touch import swipe

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def runs(runs_folder):
    return write_models(runs_folder)


@pytest.fixture(scope="module")
def phone(browser, address):
    with visitor(browser, address, CLASSES, **PHONE) as page:
        yield page


def middle(part: Locator) -> tuple[float, float, float]:
    """Return the middle of a part of the page on the screen, and its width."""
    part.scroll_into_view_if_needed()
    box = part.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, box["width"]


def test_the_pad_moves_two_directions_at_once(page):
    walk = WalkView(page)
    view(page, "Walk")
    walk.wait_for_axes()
    assert walk.axes() == ["p0", "p1"]
    x, y, width = middle(walk.pad)
    page.mouse.move(x, y)
    page.mouse.down()
    seen = [large(page)]
    for part in (0.1, 0.2, 0.3):
        seen.append(changes(page, lambda part=part: page.mouse.move(x + part * width, y - part * width)))
    page.mouse.up()
    assert len(set(seen)) == 4
    assert point(page)["d"] == pytest.approx([1.8, 1.8], abs=0.05), "to the right and up is more"
    assert [bar(page, f"p{k}").input_value() for k in (0, 1)] == ["1.8", "1.8"]
    expect(walk.pad).to_have_attribute("aria-label", "Drag pad: Direction 1 at +1.8, Direction 2 at +1.8")
    walk.across.select_option("p4")
    assert point(page)["axes"] == ["p4", "p1"]
    walk.pad.press("ArrowRight")
    walk.pad.press("Shift+ArrowDown")
    assert point(page)["d"] == pytest.approx([1.8, 1.3, 0, 0, 0.1], abs=0.05)
    walk.pad.dblclick()
    assert [point(page)["d"][k] for k in (1, 4)] == [0, 0]


def test_a_value_reads_the_same_on_the_pad_and_on_its_slider(page):
    explorer, walk = Explorer(page), WalkView(page)
    view(page, "Walk")
    explorer.change(d=[-2.84, 0.86])
    expect(walk.values).to_have_text(["−2.8", "+0.9"])
    expect(explorer.slider_value("p0")).to_have_text("−2.8")
    expect(explorer.slider_value("p1")).to_have_text("+0.9")
    expect(walk.pad).to_have_attribute("aria-label", "Drag pad: Direction 1 at −2.8, Direction 2 at +0.9")


def test_any_two_directions_that_have_sliders_can_be_moved(page):
    choices, walk = Choices(page), WalkView(page)
    choices.add("factors", "s1")
    choices.rename("s1", "Slimmer")
    choices.hide("p1")
    view(page, "Walk")
    offered = walk.up.locator("option")
    assert offered.all_inner_texts() == Explorer(page).slider_names.all_inner_texts()
    assert "Slimmer" in offered.all_inner_texts()
    expect(walk.pad).not_to_have_attribute("aria-label", re.compile("Direction 2 "))
    walk.up.select_option(label="Slimmer")
    walk.across.select_option("p0")
    assert point(page)["axes"] == ["p0", "s1"]
    changes(page, lambda: walk.pad.press("Shift+ArrowUp"))
    walk.pad.press("Shift+ArrowRight")
    assert (point(page)["d"], point(page)["x"]) == ([0.5], {"s1": 0.5})
    expect(walk.pad).to_have_attribute("aria-label", "Drag pad: Direction 1 at +0.5, Slimmer at +0.5")
    assert bar(page, "s1").input_value() == "0.5"
    page.wait_for_function("location.hash.includes('axes=p0,s1')")
    view(page, "Samples")
    Neighbours(page).show()
    Neighbours(page).wait_for_samples()
    changes(page, lambda: page.get_by_role("button", name="Direction 1 at +1.5, Slimmer at −1.5").click())
    assert (point(page)["d"], point(page)["x"]) == ([1.5], {"s1": -1.5})
    expect(page).to_have_url(re.compile("x=s1:-1.5&"))
    again(page)
    assert (point(page)["axes"], point(page)["x"]) == (["p0", "s1"], {"s1": -1.5})
    Picture(page).figure.focus()
    changes(page, lambda: page.keyboard.press("Shift+ArrowDown"))
    assert point(page)["x"] == {"s1": -2}


def test_an_address_names_any_two_directions(page, address):
    for axes, wanted in (("s0,p2", "s0,p2"), ("p99,p1", "p[02-9],p1"), ("0,1", "p0,p1"), ("p2,p2", "p0,p1")):
        page.goto(f"{address}#model=run:{RUN}&axes={axes}")
        page.reload()
        Explorer(page).ready()
        Explorer(page).wait_for_axes(wanted)


def test_the_picture_follows_the_pad_at_every_frame(page):
    walk = WalkView(page)
    view(page, "Walk")
    walk.pad.wait_for()
    drawn = walk.sweep()
    assert len(drawn) > 15
    assert drawn == sorted(drawn)


def test_the_large_picture_hears_keys(page):
    Picture(page).figure.focus()
    changes(page, lambda: [page.keyboard.press("ArrowRight") for _ in range(8)])
    page.keyboard.press("ArrowUp")
    assert point(page)["d"] == pytest.approx([0.8, 0.1])
    page.keyboard.press("Home")
    assert point(page)["d"] == [0, 0]
    changes(page, lambda: page.keyboard.press("r"))
    assert point(page)["seed"] != 0
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement === document.body")


def test_the_wheel_moves_only_what_has_the_focus(page):
    x, y, _ = middle(Picture(page).figure)
    page.mouse.move(x, y)
    page.mouse.wheel(0, 200)
    page.wait_for_function("scrollY > 0")
    assert point(page)["d"] == []
    page.evaluate("scrollTo(0, 0)")
    page.mouse.click(x, y)
    changes(page, lambda: page.mouse.wheel(0, -300))
    assert point(page)["d"] == pytest.approx([0.6, 0])
    page.keyboard.down("Shift")
    page.mouse.wheel(0, -100)
    page.keyboard.up("Shift")
    Explorer(page).wait_for_other_amount(1, 0)
    assert point(page)["d"] == pytest.approx([0.6, 0.2])
    assert page.evaluate("scrollY") == 0
    bar(page, "p2").focus()
    bar(page, "p2").hover()
    changes(page, lambda: page.mouse.wheel(0, -100))
    assert float(bar(page, "p2").input_value()) == pytest.approx(0.1)
    bar(page, "p3").hover()
    page.mouse.wheel(0, -100)
    page.wait_for_timeout(200)
    assert bar(page, "p3").input_value() == "0"


def test_the_large_picture_is_dragged_with_the_mouse(page):
    x, y, side = middle(Picture(page).canvas)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 2, y)
    assert point(page)["d"] == []
    changes(page, lambda: page.mouse.move(x + side / 6, y + side / 12))
    page.mouse.up()
    page.mouse.move(x, y)
    assert point(page)["d"] == pytest.approx([1, -0.5], abs=0.02)


def test_a_finger_moves_the_point_sideways_and_scrolls_the_page_otherwise(phone):
    phone.evaluate("scrollTo(0, 0)")
    x, y, _ = middle(Picture(phone).canvas)
    before = phone.evaluate("scrollY")
    changes(phone, lambda: swipe(phone, (x, y), (x + 100, y)))
    assert point(phone)["d"][0] > 0.5
    moved = point(phone)["d"]
    swipe(phone, (x, y + 60), (x, y - 100))
    phone.wait_for_function(f"scrollY > {before} + 20")
    assert point(phone)["d"] == moved
    view(phone, "Walk")
    x, y, width = middle(WalkView(phone).pad)
    changes(phone, lambda: swipe(phone, (x, y), (x + width / 4, y + width / 4)))
    assert point(phone)["d"][:2] == pytest.approx([1.5, -1.5], abs=0.2)


def test_a_random_walk_plays_pauses_and_stays_where_it_stops(page):
    view(page, "Walk")
    page.wait_for_timeout(300)
    assert point(page)["at"] is None, "nothing moves by itself"
    page.get_by_role("button", name="Play", exact=True).click()
    seen = {changes(page, lambda: None) for _ in range(4)}
    page.get_by_role("button", name="Pause", exact=True).click()
    end, stopped = still(page), point(page)["at"]
    page.wait_for_timeout(300)
    assert (large(page), point(page)["at"]) == (end, stopped)
    assert len(seen) == 4
    changes(page, lambda: bar(page, "p0").fill("1.5"))
    assert point(page)["at"] == stopped
    page.wait_for_function(f"() => location.hash.includes('at={stopped}')")
    Picture(page).figure.focus()
    changes(page, lambda: page.keyboard.press(" "))
    assert point(page)["at"] != stopped
    assert point(page)["d"][0] == 1.5
    page.keyboard.press(" ")
    expect(page.get_by_role("button", name="Start a random walk")).to_be_visible()


def test_a_walk_ends_with_a_hidden_page_and_another_model(page):
    explorer = Explorer(page)
    page.get_by_role("button", name="Start a random walk").click()
    explorer.wait_for_own_z()
    page.evaluate("""() => {
      Object.defineProperty(document, "hidden", { value: true, configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
      delete document.hidden;
    }""")
    assert not explorer.plays()
    page.get_by_role("button", name="Start a random walk").click()
    page.evaluate(
        "(id) => dispatchEvent(new CustomEvent('gan:explore', { detail: { model: id } }))", f"run:{CLASSES}"
    )
    explorer.wait_for_rest()


def test_an_address_of_another_model_ends_the_walk_with_a_sentence(page):
    explorer = Explorer(page)
    page.evaluate(f"location.hash = 'model=run:{RUN}&view=walk&at=AAAA'")
    expect(explorer.note).to_contain_text("does not belong to this model")
    Views(page).wait_for_opened()
    page.get_by_role("button", name="Play", exact=True).click()
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()
    assert not explorer.plays()
    expect(explorer.note).to_contain_text("does not belong to this model")
    page.get_by_role("button", name="Reset", exact=True).click()
    expect(explorer.note).to_be_hidden()
    page.get_by_role("button", name="Play", exact=True).click()
    explorer.wait_for_own_z()
    page.get_by_role("button", name="Pause", exact=True).click()


def test_two_classes_are_blended(page, address):
    visit(page, address, f"run:{CLASSES}", "&seed=3")
    here(page)
    page.get_by_role("button", name="cat", exact=True).click()
    Explorer(page).wait_for_class(0)
    cat = still(page)
    share = page.get_by_label("Blend amount")
    expect(share).to_be_hidden()
    half = changes(page, lambda: page.get_by_label("Blend with", exact=True).select_option("dog"))
    expect(Controls(page).blend).to_have_text("50%")
    page.wait_for_function("() => location.hash.includes('label2=1') && location.hash.includes('mix=0.5')")
    dog = changes(page, lambda: share.fill("1"))
    assert changes(page, lambda: share.fill("0")) == cat
    assert len({cat, half, dog}) == 3
    changes(page, lambda: share.fill("0.3"))
    page.get_by_label("Blend with", exact=True).select_option("No blending")
    expect(share).to_be_hidden()
    assert still(page) == cat
    page.get_by_role("button", name="dog", exact=True).click()
    assert still(page) == dog


@pytest.mark.parametrize(
    ("lang", "names"), [("en-US", ["Walk", "Loop", "Favourites"]), ("zh-CN", ["漫步", "循环", "收藏"])]
)
def test_the_views_fit_a_phone(browser, address, lang, names):
    with visitor(browser, address, CLASSES, **{**PHONE, "locale": lang}) as page:
        Tray(page).heart.click()
        for name in names:
            view(page, name)
            Views(page).moving.wait_for()
            if name == names[1]:
                LoopView(page).add_random.click()
                expect(LoopView(page).frames).to_have_count(1)
            assert page.evaluate("document.documentElement.scrollWidth") <= 390
            assert Views(page).too_low_to_move() == []
