"""Test the view of directions in a real browser: its list, its sliders, its saved choices and its exports."""

import json
import re

import pytest
from playwright.sync_api import expect

from tests.support.inputs.generators import RUN, tiny_spec, write_lively_run
from tests.support.page.browsing import PHONE
from tests.support.page.directing import choose, drawn, names, row, slider_names
from tests.support.page.explorer.directions import Choices, DirectionsView
from tests.support.page.explorer.explorer import Explorer
from tests.support.page.exploring import bar, changes, here, large, sliders, visit

pytestmark = pytest.mark.browser

OTHER = "20250102-040506-faces-modern"


@pytest.fixture(scope="module")
def runs(runs_folder):
    for name, spec, created in ((RUN, tiny_spec(z_dim=40), 1.0), (OTHER, tiny_spec(z_dim=20), 2.0)):
        write_lively_run(runs_folder, name, spec, created=created)
    return runs_folder


@pytest.fixture(scope="module")
def desktop(browser):
    context = browser.new_context(
        viewport={"width": 1440, "height": 900}, locale="en-US", accept_downloads=True
    )
    context.add_init_script("delete window.WebAssembly")  # the server draws, except in one test below
    yield context
    context.close()


@pytest.fixture(scope="module")
def kept(desktop, address):
    page = desktop.new_page()
    visit(page, address, rest="&view=directions")
    choose(page, "PCA")
    drawn(page, "Direction 1")
    yield page
    page.close()


@pytest.fixture
def page(kept):
    """The view of directions on the first run, as before any visitor's action."""
    Choices(kept).as_new()
    choose(kept, "PCA")
    return kept


def test_principal_directions_are_there_at_once_and_have_sliders(page):
    expect(DirectionsView(page).rows).to_have_count(10)
    assert names(page) == slider_names(page)
    assert set(names(page)) == {f"Direction {number}" for number in range(1, 11)}
    effects = DirectionsView(page).effects()
    assert effects == sorted(effects, reverse=True)
    assert len(set(effects)) > 2
    expect(DirectionsView(page).slider_button("Direction 1")).to_have_attribute("aria-pressed", "true")


def test_a_strip_goes_from_one_end_of_the_slider_to_the_other(page):
    drawn(page, "Direction 2")
    cells = DirectionsView(page).samples("Direction 2")
    assert [cells.nth(k).get_attribute("aria-label") for k in (0, 3, 6)] == [
        "Direction 2 at −3.0",
        "Direction 2 at 0.0",
        "Direction 2 at +3.0",
    ]
    expect(cells.nth(3)).to_have_attribute("aria-current", "true")
    changes(page, lambda: cells.nth(5).click())
    assert bar(page, "p1").input_value() == "2"
    expect(cells.nth(5)).to_have_attribute("aria-current", "true")
    page.keyboard.press("ArrowRight")
    changes(page, lambda: page.keyboard.press("Enter"))
    assert bar(page, "p1").input_value() == "3"


def test_the_strips_follow_the_point(page):
    drawn(page, "Direction 1")

    def strip(page):
        return row(page, "Direction 1").locator("canvas").evaluate("(canvas) => canvas.toDataURL()").encode()

    changes(page, lambda: page.get_by_role("button", name="Randomise").click(), strip)


def test_a_factor_gets_a_slider_that_the_address_names(page):
    choose(page, "SeFa")
    drawn(page, "SeFa 1")
    effects = DirectionsView(page).effects()
    assert effects == sorted(effects, reverse=True)
    before = large(page)
    changes(page, lambda: DirectionsView(page).samples("SeFa 1").nth(6).click())
    page.wait_for_function("location.hash.includes('x=s0:3')")
    assert slider_names(page)[-1] == "SeFa 1", "what has moved can be moved back"
    DirectionsView(page).slider_button("SeFa 1").click()
    sliders(page).last.fill("0")
    Explorer(page).wait_for_pixels(before)
    assert slider_names(page)[-1] == "SeFa 1", "it was chosen"
    DirectionsView(page).slider_button("SeFa 1").click()
    assert "SeFa 1" not in slider_names(page)


def test_names_and_order_outlive_a_reload(desktop, page, address):
    first, second, third = slider_names(page)[:3]
    page.get_by_role("button", name=f"Rename {third}", exact=True).click()
    page.keyboard.type("  Sharp edges ")
    page.keyboard.press("Enter")
    assert slider_names(page)[2] == "Sharp edges"
    expect(page.get_by_role("button", name="Rename Sharp edges")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.type("nothing")
    page.keyboard.press("Escape")
    assert names(page)[2] == "Sharp edges"
    choose(page, "My sliders")
    page.get_by_role("button", name="Move Sharp edges up").click()
    expect(page.get_by_role("button", name="Move Sharp edges up")).to_be_focused()
    page.keyboard.press("Enter")
    assert slider_names(page)[:3] == ["Sharp edges", first, second]
    expect(DirectionsView(page).status).to_have_text("Sharp edges is now number 1 of 10.")
    expect(page.get_by_role("button", name="Move Sharp edges down")).to_be_focused()
    page.keyboard.press("Alt+ArrowDown")
    assert slider_names(page)[:3] == names(page)[:3] == [first, "Sharp edges", second]
    again = desktop.new_page()
    visit(again, address, rest="&view=directions")
    expect(Explorer(again).slider_names.nth(1)).to_have_text("Sharp edges")
    changes(again, lambda: sliders(again).nth(1).fill("2"))
    place = int(third.removeprefix("Direction ")) - 1
    again.wait_for_function("(d) => location.hash.includes(d)", arg="d=" + "0," * place + "2")
    again.close()
    page.get_by_role("button", name="Rename Sharp edges").click()
    page.keyboard.press("Delete")
    page.keyboard.press("Enter")
    assert slider_names(page)[1] == third, "an empty name brings the usual one back"


def test_a_hidden_direction_can_be_shown_again(page):
    page.get_by_role("button", name="Hide Direction 2", exact=True).click()
    assert "Direction 2" not in names(page) + slider_names(page)
    expect(DirectionsView(page).rest).to_contain_text("1 more")
    page.get_by_role("button", name="Show all").click()
    assert "Direction 2" in names(page)
    page.get_by_role("button", name="Show Direction 2 again").click()
    expect(DirectionsView(page).rest).to_be_hidden()
    assert "Direction 2" not in slider_names(page), "it has no slider until it is given one"


def test_what_is_dead_or_a_twin_has_no_slider(desktop, address):
    page = desktop.new_page()
    page.add_init_script("localStorage.clear()")

    def dull(route):
        model = route.fetch().json()
        model["directions"][3]["dead"], model["directions"][5]["twin"] = True, "p0"
        route.fulfill(json=model)

    page.route("**/gan/model?*", dull)
    visit(page, address, rest="&view=directions")
    choose(page, "PCA")
    expect(DirectionsView(page).rows).to_have_count(8)
    assert {"Direction 4", "Direction 6"}.isdisjoint(slider_names(page))
    page.get_by_role("button", name="Show all").click()
    expect(row(page, "Direction 4")).to_contain_text("Almost no visible effect.")
    expect(row(page, "Direction 6")).to_contain_text("Nearly identical to Direction 1.")
    page.close()


def test_a_list_is_exported_and_imported(page, tmp_path):
    DirectionsView(page).slider_button("Direction 4").click()
    choose(page, "SeFa")
    DirectionsView(page).slider_button("SeFa 2").click()
    page.get_by_role("button", name="Rename SeFa 2").click()
    page.keyboard.type("Thick")
    page.keyboard.press("Enter")
    wanted = slider_names(page)
    choose(page, "My sliders")
    download = DirectionsView(page).export()
    path = tmp_path / download.suggested_filename
    download.save_as(path)
    file = json.loads(path.read_text())
    assert len(file["directions"]) == 10
    assert file["directions"][-1]["name"] == "Thick"
    page.get_by_role("button", name="Defaults").click()
    assert slider_names(page) != wanted
    DirectionsView(page).give(path)
    expect(DirectionsView(page).status).to_have_text("10 directions are now on the sliders.")
    assert slider_names(page) == names(page) == wanted
    foreign, none = "belong to another model", "holds no directions"
    changed = (
        (lambda: file["directions"][0]["vector"].reverse(), foreign),
        (lambda: file.update(z_dim=20), foreign),
        (lambda: file.update(format="x"), none),
    )
    for change, sentence in changed:
        change()
        path.write_text(json.dumps(file))
        DirectionsView(page).give(path)
        expect(DirectionsView(page).status).to_contain_text(sentence)
        assert slider_names(page) == wanted
    path.write_text("<not json>")
    DirectionsView(page).give(path)
    expect(DirectionsView(page).status).to_contain_text("holds no directions")


def test_an_exported_list_tells_of_what_has_no_slider(page, tmp_path):
    DirectionsView(page).rename("Direction 2", "Blurred")
    page.get_by_role("button", name="Hide Blurred").click()
    DirectionsView(page).rename("Direction 5", "Bold")
    page.get_by_role("button", name="Slider for Bold").click()
    choose(page, "My sliders")
    download = DirectionsView(page).export()
    download.save_as(tmp_path / "list.json")
    rows = {
        each["id"]: (each["name"], each["slider"], each["hidden"])
        for each in json.loads((tmp_path / "list.json").read_text())["directions"]
    }
    assert (rows["p1"], rows["p4"], rows["p0"]) == (
        ("Blurred", False, True),
        ("Bold", False, False),
        ("Direction 1", True, False),
    )
    page.get_by_role("button", name="Defaults").click()
    DirectionsView(page).give(tmp_path / "list.json")
    expect(DirectionsView(page).status).to_have_text("8 directions are now on the sliders.")
    choose(page, "PCA")
    assert "Blurred" not in names(page)
    expect(DirectionsView(page).slider_button("Bold")).to_have_attribute("aria-pressed", "false")


def test_a_list_is_saved_for_everybody(browser, page, address):
    DirectionsView(page).rename("Direction 3", "Serif")
    page.get_by_role("button", name="Hide Direction 2", exact=True).click()
    choose(page, "My sliders")
    page.get_by_role("button", name="Move Serif down").click()
    page.get_by_role("button", name="Save for everybody").click()
    expect(DirectionsView(page).status).to_contain_text(
        "Everybody who opens this model now starts with these sliders"
    )
    wanted = slider_names(page)
    with browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-US") as context:
        other = context.new_page()
        visit(other, address, rest="&view=directions")
        choose(other, "PCA")
        drawn(other, "Serif")
        assert slider_names(other) == wanted
        assert "Direction 2" not in names(other)
        other.get_by_role("button", name="Rename Serif").click()
        other.keyboard.type("My own")
        other.keyboard.press("Enter")
        other.reload()
        choose(other, "PCA")
        drawn(other, "My own")
        assert slider_names(other) == [name.replace("Serif", "My own") for name in wanted], (
            "what he chose himself goes before"
        )
        choose(other, "My sliders")
        other.get_by_role("button", name="Defaults").click()
        assert slider_names(other) == wanted, "over means as it was saved"
        other.evaluate("document.documentElement.dataset.control = 'no'")
        expect(other.get_by_role("button", name="Remove for everybody")).to_be_hidden()
    page.get_by_role("button", name="Remove for everybody").click()
    expect(DirectionsView(page).status).to_contain_text("Everybody starts with the default sliders again")
    assert slider_names(page) == wanted, "they have become this browser's own"
    page.get_by_role("button", name="Defaults").click()
    assert "Serif" not in slider_names(page)


def test_directions_that_were_found_anew_say_so(desktop, page, address):
    choices = Choices(page)
    choices.rename("p2", "Serif")
    choices.rename("night", "Dark")
    choices.hide("sea")
    choices.hide("p1")
    again = desktop.new_page()

    def newer(route):
        model = route.fetch().json()
        route.fulfill(json={**model, "directions_version": "newer"})

    again.route("**/gan/model?*", newer)
    visit(again, address, rest="&view=directions")
    note = DirectionsView(again).recomputed
    expect(note).to_be_visible()
    assert {"Direction 2", "Direction 3"} < set(slider_names(again))
    assert Choices(again).names_and_hidden() == [{"night": "Dark"}, ["sea"]], (
        "what has a name means the same as before"
    )
    choose(again, "PCA")
    drawn(again, "Direction 1")
    DirectionsView(again).slider_button("Direction 1").click()
    expect(note).to_be_hidden()
    again.close()
    choices.reset()


def test_with_the_generator_here_the_strips_need_no_server(browser, address):
    with browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-US") as context:
        page = context.new_page()
        page.route("**/gan/along?*", lambda route: route.abort())
        visit(page, address, rest="&view=directions&x=s1:2")
        here(page)
        choose(page, "SeFa")
        drawn(page, "SeFa 1")
        page.route("**/gan/image?*", lambda route: route.abort())
        changes(page, lambda: DirectionsView(page).samples("SeFa 1").first.click())
        expect(Explorer(page).note).to_be_hidden()


def test_another_model_has_a_list_of_its_own(page, address):
    DirectionsView(page).slider_button("Direction 1").click()
    expect(bar(page, "p0")).to_have_count(0)
    Explorer(page).choose(f"run:{OTHER}")
    expect(bar(page, "p0")).to_have_count(1)
    Choices(page).wait_for_model(f"run:{OTHER}")
    drawn(page, "Direction 1")
    Explorer(page).choose(f"run:{RUN}")
    expect(bar(page, "p0")).to_have_count(0)


@pytest.mark.parametrize("language", ["en-US", "zh-CN"])
def test_on_a_phone_everything_can_be_touched(browser, address, language):
    with browser.new_context(**PHONE, locale=language) as context:
        page = context.new_page()
        visit(page, address, rest="&view=directions")
        DirectionsView(page).my_sliders.tap()
        expect(DirectionsView(page).rows).to_have_count(10)
        third = DirectionsView(page).id_at(2)
        DirectionsView(page).up(2).tap()
        assert DirectionsView(page).id_at(1) == third
        assert DirectionsView(page).too_small() == []
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        if language == "zh-CN":
            expect(DirectionsView(page).group).to_have_text("方向")
            expect(DirectionsView(page).names.first).to_have_text(re.compile("方向 [0-9]+"))
