"""Inside the generator in a real browser: units that are switched off by press and key, pictures that follow, and an address that carries it."""

import pytest
from playwright.sync_api import Page, expect

from gan.models import ModelSpec
from tests.browsing import PHONE, SLOW
from tests.exploring import changes, large, opened, visit
from tests.generators import RUN, tiny_spec, write_lively_run

pytestmark = pytest.mark.browser

SPEC = tiny_spec(3, channels=3, z_dim=20)
WIDE = "20250102-060708-wide-modern"


@pytest.fixture(scope="module")
def runs(shelf):
    write_lively_run(shelf, RUN, SPEC, classes=["cat", "dog", "owl"], created=1.0)
    write_lively_run(shelf, WIDE, ModelSpec("modern", 28, 1, 6, 75), created=2.0)
    return shelf


@pytest.fixture(scope="module")
def page(browser, address):
    with opened(browser, address, "inside") as page:
        units(page).first.wait_for()
        yield page


def units(page: Page):
    return page.locator(".xp-units .xp-cell:not(:disabled)")


def point(page: Page) -> dict:
    return page.evaluate("document.querySelector('gan-explorer').point.u")


def test_a_press_switches_off_doubles_and_gives_back(page):
    start = large(page)
    unit = units(page).first
    seen = [changes(page, unit.click) for _ in range(3)]
    assert len({start, *seen}) == 4
    expect(unit).to_have_attribute("data-factor", "×4")
    assert list(point(page).values()) == [4]
    changes(page, unit.click)
    assert point(page) == {}
    page.wait_for_function("(start) => document.querySelector('.xp-canvas').toDataURL() === start", arg=start.decode())


def test_keys_switch_units_and_the_address_carries_it(page):
    page.wait_for_timeout(500)
    units(page).nth(1).focus()
    changes(page, lambda: page.keyboard.press("Enter"))
    page.keyboard.press("ArrowRight")
    changes(page, lambda: page.keyboard.press("Enter"))
    assert list(point(page).values()) == [0, 0]
    expect(page.locator(".xp-path")).to_contain_text("Drawn by the server")
    page.wait_for_function("/u=0\\.\\d+:0,0\\.\\d+:0/.test(location.hash)")
    altered = large(page)
    page.reload()
    page.wait_for_function("() => document.querySelector('gan-explorer')?.shown", timeout=SLOW)
    page.wait_for_function("(altered) => document.querySelector('.xp-canvas').toDataURL() === altered", arg=altered.decode())
    units(page).first.wait_for()
    assert page.locator(".xp-units .is-off").count() == 2


def test_the_wall_follows_and_all_is_given_back(page):
    page.get_by_role("tab", name="Samples").click()
    with page.expect_response(lambda reply: "/gan/wall" in reply.url and "u=" in reply.url) as reply:
        page.get_by_role("button", name="More").click()
    assert reply.value.ok
    page.get_by_role("tab", name="Inside").click()
    changes(page, lambda: page.get_by_role("button", name="All as trained").click())
    assert point(page) == {}
    expect(page.get_by_role("button", name="All as trained")).to_be_hidden()


def test_layers_and_orders(page):
    names = units(page).evaluate_all("(all) => all.map((cell) => cell.ariaLabel)")
    page.get_by_label("Order").select_option("effect")
    effects = [float(name.split("without it ")[1].split(" %")[0]) for name in units(page).evaluate_all("(all) => all.map((cell) => cell.ariaLabel)")]
    assert effects == sorted(effects, reverse=True)
    page.get_by_role("button", name="Layer 2:").click()
    expect(page.get_by_role("button", name="Layer 2:")).to_have_attribute("aria-pressed", "true")
    page.wait_for_function("document.querySelector('gan-explorer').views.views.inside.units.length === 8")
    assert units(page).evaluate_all("(all) => all.map((cell) => cell.ariaLabel)") != names
    start = large(page)
    unit = units(page).first
    changes(page, unit.click)
    assert next(iter(point(page))).startswith("1.")
    changes(page, lambda: page.get_by_role("button", name="Reset", exact=True).click())
    page.wait_for_function("(start) => document.querySelector('.xp-canvas').toDataURL() === start", arg=start.decode())


def test_a_press_before_the_layers_maps_are_there_changes_nothing(page):
    page.wait_for_function("document.querySelector('gan-explorer').views.views.inside.units.length")
    waiting, free = [], []
    page.route("**/gan/inside*", lambda route: route.continue_() if free else waiting.append(route))
    other = 1 if page.get_by_role("button", name="Layer 1:").get_attribute("aria-pressed") == "true" else 0
    page.get_by_role("button", name=f"Layer {other + 1}:").click()
    page.wait_for_timeout(200)
    assert len(waiting) == 1
    page.locator(".xp-units .xp-cell").first.click(force=True)
    page.wait_for_timeout(200)
    assert point(page) == {}
    free.append(True)
    waiting[0].continue_()
    units(page).first.wait_for()
    changes(page, units(page).first.click)
    assert next(iter(point(page))).startswith(f"{other}.")
    page.get_by_role("button", name="All as trained").click()


def test_a_unit_of_another_generator_is_refused_in_words(page):
    page.evaluate(f"location.hash = 'model=run:{RUN}&u=0.4000:0&view=inside'")
    expect(page.locator(".xp-note")).to_contain_text("This generator has no unit 4000 in layer 1", timeout=SLOW)
    page.get_by_role("button", name="Reset", exact=True).click()
    expect(page.locator(".xp-note")).to_be_hidden()
    assert point(page) == {}


def test_every_unit_of_a_wide_layer_can_be_reached_and_switched_off(browser, address):
    context = browser.new_context(locale="en-US")
    page = context.new_page()
    visit(page, address, f"run:{WIDE}", "&view=inside")
    units(page).first.wait_for(timeout=SLOW)
    view = "document.querySelector('gan-explorer').views.views.inside"
    for shown, name in ((64, "Show 64 more"), (128, "Show 22 more")):
        expect(page.locator(".xp-inside > [role=status]")).to_contain_text(f"{shown} of 150 units shown", timeout=SLOW)
        page.get_by_role("button", name=name).click()
    expect(units(page)).to_have_count(150, timeout=SLOW)
    assert page.evaluate(f"new Set({view}.units.map(({{ unit }}) => unit)).size") == 150
    expect(page.get_by_role("button", name="more", exact=False).and_(page.locator(".xp-more"))).to_be_hidden()
    page.get_by_label("Order").select_option("effect")
    effects = page.evaluate(f"{view}.units.map(({{ effect }}) => effect)")
    assert effects == sorted(effects, reverse=True)
    last = page.evaluate(f"{view}.units.at(-1).unit")
    units(page).last.click()
    expect(units(page).last).to_have_attribute("data-factor", "off")
    assert point(page) == {f"0.{last}": 0}
    page.get_by_role("button", name="Layer 2:").click()
    page.wait_for_function(f"{view}.layer === 1 && {view}.units.length === 64")
    context.close()


def test_what_is_pressed_while_the_model_still_answers_stays(browser, address):
    context = browser.new_context(locale="en-US")
    context.set_default_timeout(SLOW)
    page = context.new_page()
    held = []
    page.route("**/gan/model?*", lambda route: held.append(route))
    page.goto(f"{address}#model=run:{WIDE}&view=inside")
    page.get_by_role("button", name="Show 64 more").click()
    expect(units(page)).to_have_count(128)
    with page.expect_response("**/gan/model?*"):
        for route in held:
            route.continue_()
    page.wait_for_function("document.querySelector('gan-explorer').loaded")
    page.wait_for_timeout(500)
    expect(units(page)).to_have_count(128)
    context.close()


def test_fits_a_phone_and_a_finger(browser, address):
    context = browser.new_context(**PHONE, locale="zh-CN", color_scheme="dark")
    page = context.new_page()
    visit(page, address, rest="&view=inside")
    units(page).first.wait_for(timeout=SLOW)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert min(box["height"] for box in [units(page).nth(k).bounding_box() for k in range(3)]) > 40
    changes(page, units(page).nth(3).tap)
    expect(units(page).nth(3)).to_have_attribute("data-factor", "关")
    expect(page.locator(".xp-inside > [role=status]")).to_contain_text("改动了 1 个")
    context.close()
