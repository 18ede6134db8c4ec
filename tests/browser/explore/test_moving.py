"""Test moves by hand in a real browser: pad, wheel, keys, touch, random walk, blend of two classes."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.support.inputs.generators import RUN
from tests.support.page.browsing import PHONE
from tests.support.page.exploring import bar, changes, here, large, still, visit
from tests.support.page.moving import CLASSES, again, point, view, visitor, write_models

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def runs(runs_folder):
    return write_models(runs_folder)


@pytest.fixture(scope="module")
def phone(browser, address):
    with visitor(browser, address, CLASSES, **PHONE) as page:
        yield page


def middle(page: Page, place: str) -> tuple[float, float, float]:
    """Return the middle of an element on the screen, and its width."""
    page.locator(place).scroll_into_view_if_needed()
    box = page.locator(place).bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, box["width"]


def swipe(page: Page, start: tuple[float, float], end: tuple[float, float], steps: int = 10) -> None:
    """Send the touch events of a finger that goes down, moves and lifts, as the browser itself does."""
    client = page.context.new_cdp_session(page)
    for step in range(steps + 1):
        x, y = (a + (b - a) * step / steps for a, b in zip(start, end, strict=True))
        client.send(
            "Input.dispatchTouchEvent",
            {"type": "touchStart" if step == 0 else "touchMove", "touchPoints": [{"x": x, "y": y}]},
        )
        page.wait_for_timeout(20)
    client.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def test_the_pad_moves_two_directions_at_once(page):
    view(page, "Walk")
    page.wait_for_function("() => document.querySelectorAll('.xp-axes select').length === 2")
    assert page.evaluate(
        "() => [...document.querySelectorAll('.xp-axes select')].map((select) => select.value)"
    ) == ["p0", "p1"]
    x, y, width = middle(page, ".xp-pad")
    page.mouse.move(x, y)
    page.mouse.down()
    seen = [large(page)]
    for part in (0.1, 0.2, 0.3):
        seen.append(changes(page, lambda part=part: page.mouse.move(x + part * width, y - part * width)))
    page.mouse.up()
    assert len(set(seen)) == 4
    assert point(page)["d"] == pytest.approx([1.8, 1.8], abs=0.05), "to the right and up is more"
    assert [bar(page, f"p{k}").input_value() for k in (0, 1)] == ["1.8", "1.8"]
    expect(page.locator(".xp-pad")).to_have_attribute(
        "aria-label", "Drag pad: Direction 1 at +1.8, Direction 2 at +1.8"
    )
    page.locator(".xp-steer").get_by_label("Horizontal direction").select_option("p4")
    assert point(page)["axes"] == ["p4", "p1"]
    page.locator(".xp-pad").press("ArrowRight")
    page.locator(".xp-pad").press("Shift+ArrowDown")
    assert point(page)["d"] == pytest.approx([1.8, 1.3, 0, 0, 0.1], abs=0.05)
    page.locator(".xp-pad").dblclick()
    assert [point(page)["d"][k] for k in (1, 4)] == [0, 0]


def test_a_value_reads_the_same_on_the_pad_and_on_its_slider(page):
    view(page, "Walk")
    page.evaluate("document.querySelector('gan-explorer').change({ d: [-2.84, 0.86] })")
    expect(page.locator(".xp-axes .xp-value")).to_have_text(["−2.8", "+0.9"])
    expect(page.locator(".xp-sliders [data-id=p0] .xp-value")).to_have_text("−2.8")
    expect(page.locator(".xp-sliders [data-id=p1] .xp-value")).to_have_text("+0.9")
    expect(page.locator(".xp-pad")).to_have_attribute(
        "aria-label", "Drag pad: Direction 1 at −2.8, Direction 2 at +0.9"
    )


def test_any_two_directions_that_have_sliders_can_be_moved(page):
    page.evaluate("""async () => {
      const { chosen, families } = document.querySelector("gan-explorer");
      await families.load("factors");
      chosen.add("s1");
      chosen.rename("s1", "Slimmer");
      chosen.hide("p1");
    }""")
    view(page, "Walk")
    choices = page.locator(".xp-steer").get_by_label("Vertical direction").locator("option")
    assert choices.all_inner_texts() == page.locator(".xp-sliders .xp-name").all_inner_texts()
    assert "Slimmer" in choices.all_inner_texts()
    expect(page.locator(".xp-pad")).not_to_have_attribute("aria-label", re.compile("Direction 2 "))
    page.locator(".xp-steer").get_by_label("Vertical direction").select_option(label="Slimmer")
    page.locator(".xp-steer").get_by_label("Horizontal direction").select_option("p0")
    assert point(page)["axes"] == ["p0", "s1"]
    changes(page, lambda: page.locator(".xp-pad").press("Shift+ArrowUp"))
    page.locator(".xp-pad").press("Shift+ArrowRight")
    assert (point(page)["d"], point(page)["x"]) == ([0.5], {"s1": 0.5})
    expect(page.locator(".xp-pad")).to_have_attribute(
        "aria-label", "Drag pad: Direction 1 at +0.5, Slimmer at +0.5"
    )
    assert bar(page, "s1").input_value() == "0.5"
    page.wait_for_function("location.hash.includes('axes=p0,s1')")
    view(page, "Samples")
    page.locator(".xp-near").scroll_into_view_if_needed()
    page.wait_for_function("() => !document.querySelector('.xp-near .is-locked')")
    changes(page, lambda: page.get_by_role("button", name="Direction 1 at +1.5, Slimmer at −1.5").click())
    assert (point(page)["d"], point(page)["x"]) == ([1.5], {"s1": -1.5})
    expect(page).to_have_url(re.compile("x=s1:-1.5&"))
    again(page)
    assert (point(page)["axes"], point(page)["x"]) == (["p0", "s1"], {"s1": -1.5})
    page.locator(".xp-large").focus()
    changes(page, lambda: page.keyboard.press("Shift+ArrowDown"))
    assert point(page)["x"] == {"s1": -2}


def test_an_address_names_any_two_directions(page, address):
    for axes, wanted in (("s0,p2", "s0,p2"), ("p99,p1", "p[02-9],p1"), ("0,1", "p0,p1"), ("p2,p2", "p0,p1")):
        page.goto(f"{address}#model=run:{RUN}&axes={axes}")
        page.reload()
        page.wait_for_function("() => document.querySelector('gan-explorer')?.shown")
        page.wait_for_function(
            "(wanted) => RegExp(`^${wanted}$`).test(document.querySelector('gan-explorer').axes.pair)",
            arg=wanted,
        )


def test_the_picture_follows_the_pad_at_every_frame(page):
    view(page, "Walk")
    page.locator(".xp-pad").wait_for()
    drawn = page.evaluate("""async () => {
      const pad = document.querySelector(".xp-pad"), { left, top, width } = pad.getBoundingClientRect();
      const explorer = document.querySelector("gan-explorer"), drawn = [];
      explorer.addEventListener("gan:drawn", (event) => drawn.push(event.detail.point.d[0]));
      const send = (type, part) => pad.dispatchEvent(
        new PointerEvent(type, { pointerId: 1, isPrimary: true, button: 0, clientX: left + part * width, clientY: top + width / 2 }));
      pad.setPointerCapture = () => {};
      for (let step = 0; step <= 40; step += 1) {
        send(step ? "pointermove" : "pointerdown", step / 40);
        await new Promise(requestAnimationFrame);
      }
      while (drawn.at(-1) !== 3) await new Promise(requestAnimationFrame);
      send("pointerup", 1);
      return drawn;
    }""")  # noqa: E501
    assert len(drawn) > 15
    assert drawn == sorted(drawn)


def test_the_large_picture_hears_keys(page):
    figure = page.locator(".xp-large")
    figure.focus()
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
    x, y, _ = middle(page, ".xp-large")
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
    page.wait_for_function("() => document.querySelector('gan-explorer').point.d[1] !== 0")
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
    x, y, _ = middle(page, ".xp-canvas")
    side = page.locator(".xp-canvas").bounding_box()["width"]
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
    x, y, _ = middle(phone, ".xp-canvas")
    before = phone.evaluate("scrollY")
    changes(phone, lambda: swipe(phone, (x, y), (x + 100, y)))
    assert point(phone)["d"][0] > 0.5
    moved = point(phone)["d"]
    swipe(phone, (x, y + 60), (x, y - 100))
    phone.wait_for_function(f"scrollY > {before} + 20")
    assert point(phone)["d"] == moved
    view(phone, "Walk")
    x, y, width = middle(phone, ".xp-pad")
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
    page.locator(".xp-large").focus()
    changes(page, lambda: page.keyboard.press(" "))
    assert point(page)["at"] != stopped
    assert point(page)["d"][0] == 1.5
    page.keyboard.press(" ")
    expect(page.get_by_role("button", name="Start a random walk")).to_be_visible()


def test_a_walk_ends_with_a_hidden_page_and_another_model(page):
    page.get_by_role("button", name="Start a random walk").click()
    page.wait_for_function("() => document.querySelector('gan-explorer').point.at")
    page.evaluate("""() => {
      Object.defineProperty(document, "hidden", { value: true, configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
      delete document.hidden;
    }""")
    assert page.evaluate("document.querySelector('gan-explorer').player") is None
    page.get_by_role("button", name="Start a random walk").click()
    page.evaluate(
        "(id) => dispatchEvent(new CustomEvent('gan:explore', { detail: { model: id } }))", f"run:{CLASSES}"
    )
    page.wait_for_function("() => !document.querySelector('gan-explorer').player")


def test_an_address_of_another_model_ends_the_walk_with_a_sentence(page):
    page.evaluate(
        "location.hash = 'model=' + document.querySelector('gan-explorer').model.id + '&view=walk&at=AAAA'"
    )
    expect(page.locator(".xp-note")).to_contain_text("does not belong to this model")
    page.wait_for_function("document.querySelector('gan-explorer').views.opened")
    page.get_by_role("button", name="Play", exact=True).click()
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()
    assert page.evaluate("document.querySelector('gan-explorer').player") is None
    expect(page.locator(".xp-note")).to_contain_text("does not belong to this model")
    page.get_by_role("button", name="Reset", exact=True).click()
    expect(page.locator(".xp-note")).to_be_hidden()
    page.get_by_role("button", name="Play", exact=True).click()
    page.wait_for_function("document.querySelector('gan-explorer').point.at")
    page.get_by_role("button", name="Pause", exact=True).click()


def test_two_classes_are_blended(page, address):
    visit(page, address, f"run:{CLASSES}", "&seed=3")
    here(page)
    page.get_by_role("button", name="cat", exact=True).click()
    page.wait_for_function("() => document.querySelector('gan-explorer').point.label === 0")
    cat = still(page)
    share = page.get_by_label("Blend amount")
    expect(share).to_be_hidden()
    half = changes(page, lambda: page.get_by_label("Blend with", exact=True).select_option("dog"))
    expect(page.locator(".xp-mix .xp-value")).to_have_text("50%")
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
        page.locator(".xp-heart").click()
        for name in names:
            view(page, name)
            page.locator(".xp-moving").wait_for()
            if name == names[1]:
                page.locator(".xp-moving .xp-row button").nth(2).click()
                expect(page.locator(".xp-key")).to_have_count(1)
            assert page.evaluate("document.documentElement.scrollWidth") <= 390
            targets = (
                ".xp-moving button:not(.xp-help), .xp-moving select, .xp-moving "
                "input:not([type=checkbox]), .xp-stroll, .xp-heart"
            )
            small = page.locator(targets).evaluate_all(
                "(all) => all.filter((e) => e.offsetParent && e.getBoundingClientRect().height < "
                "39.5).map((e) => e.className)"
            )
            assert small == []
