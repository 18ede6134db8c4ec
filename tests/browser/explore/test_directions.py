"""Test the view of directions in a real browser: its list, its sliders, its saved choices and its exports."""

import json
import re

import pytest
from playwright.sync_api import expect

from tests.support.inputs.generators import RUN, tiny_spec, write_lively_run
from tests.support.page.browsing import PHONE
from tests.support.page.directing import choose, drawn, names, row, slider_names
from tests.support.page.exploring import bar, changes, large, sliders, visit

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
    kept.evaluate("""() => new Promise((done) => {
      const explorer = document.querySelector("gan-explorer");
      explorer.addEventListener("gan:drawn", (event) => event.detail.point === explorer.point && done());
      explorer.chosen.reset();
      explorer.change({ d: [], x: {}, seed: 0 });
    })""")
    choose(kept, "PCA")
    return kept


def test_principal_directions_are_there_at_once_and_have_sliders(page):
    expect(page.locator(".xp-dir")).to_have_count(10)
    assert names(page) == slider_names(page)
    assert set(names(page)) == {f"Direction {number}" for number in range(1, 11)}
    effects = [
        float(text.removeprefix("×")) for text in page.locator(".xp-dir-head small").all_text_contents()
    ]
    assert effects == sorted(effects, reverse=True)
    assert len(set(effects)) > 2
    expect(row(page, "Direction 1").get_by_role("button", name="Slider for Direction 1")).to_have_attribute(
        "aria-pressed", "true"
    )


def test_a_strip_goes_from_one_end_of_the_slider_to_the_other(page):
    drawn(page, "Direction 2")
    cells = row(page, "Direction 2").locator(".xp-cell")
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
    effects = [
        float(text.removeprefix("×")) for text in page.locator(".xp-dir-head small").all_text_contents()
    ]
    assert effects == sorted(effects, reverse=True)
    before = large(page)
    changes(page, lambda: row(page, "SeFa 1").locator(".xp-cell").nth(6).click())
    page.wait_for_function("location.hash.includes('x=s0:3')")
    assert slider_names(page)[-1] == "SeFa 1", "what has moved can be moved back"
    row(page, "SeFa 1").get_by_role("button", name="Slider for SeFa 1").click()
    sliders(page).last.fill("0")
    page.wait_for_function(
        "(before) => document.querySelector('.xp-canvas').toDataURL() === before", arg=before.decode()
    )
    assert slider_names(page)[-1] == "SeFa 1", "it was chosen"
    row(page, "SeFa 1").get_by_role("button", name="Slider for SeFa 1").click()
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
    expect(page.locator(".xp-directions [role=status]")).to_have_text("Sharp edges is now number 1 of 10.")
    expect(page.get_by_role("button", name="Move Sharp edges down")).to_be_focused()
    page.keyboard.press("Alt+ArrowDown")
    assert slider_names(page)[:3] == names(page)[:3] == [first, "Sharp edges", second]
    again = desktop.new_page()
    visit(again, address, rest="&view=directions")
    expect(again.locator(".xp-sliders .xp-name").nth(1)).to_have_text("Sharp edges")
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
    expect(page.locator(".xp-dir-rest")).to_contain_text("1 more")
    page.get_by_role("button", name="Show all").click()
    assert "Direction 2" in names(page)
    page.get_by_role("button", name="Show Direction 2 again").click()
    expect(page.locator(".xp-dir-rest")).to_be_hidden()
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
    expect(page.locator(".xp-dir")).to_have_count(8)
    assert {"Direction 4", "Direction 6"}.isdisjoint(slider_names(page))
    page.get_by_role("button", name="Show all").click()
    expect(row(page, "Direction 4")).to_contain_text("Almost no visible effect.")
    expect(row(page, "Direction 6")).to_contain_text("Nearly identical to Direction 1.")
    page.close()


def test_a_list_is_exported_and_imported(page, tmp_path):
    row(page, "Direction 4").get_by_role("button", name="Slider for Direction 4").click()
    choose(page, "SeFa")
    row(page, "SeFa 2").get_by_role("button", name="Slider for SeFa 2").click()
    page.get_by_role("button", name="Rename SeFa 2").click()
    page.keyboard.type("Thick")
    page.keyboard.press("Enter")
    wanted = slider_names(page)
    choose(page, "My sliders")
    with page.expect_download() as info:
        page.get_by_role("button", name="Export", exact=True).click()
    path = tmp_path / info.value.suggested_filename
    info.value.save_as(path)
    file = json.loads(path.read_text())
    assert len(file["directions"]) == 10
    assert file["directions"][-1]["name"] == "Thick"
    page.get_by_role("button", name="Defaults").click()
    assert slider_names(page) != wanted
    page.locator(".xp-directions input[type=file]").set_input_files(path)
    expect(page.locator(".xp-directions [role=status]")).to_have_text("10 directions are now on the sliders.")
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
        page.locator(".xp-directions input[type=file]").set_input_files(path)
        expect(page.locator(".xp-directions [role=status]")).to_contain_text(sentence)
        assert slider_names(page) == wanted
    path.write_text("<not json>")
    page.locator(".xp-directions input[type=file]").set_input_files(path)
    expect(page.locator(".xp-directions [role=status]")).to_contain_text("holds no directions")


def test_an_exported_list_tells_of_what_has_no_slider(page, tmp_path):
    page.get_by_role("button", name="Rename Direction 2", exact=True).click()
    page.keyboard.type("Blurred")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Hide Blurred").click()
    page.get_by_role("button", name="Rename Direction 5", exact=True).click()
    page.keyboard.type("Bold")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Slider for Bold").click()
    choose(page, "My sliders")
    with page.expect_download() as info:
        page.get_by_role("button", name="Export", exact=True).click()
    info.value.save_as(tmp_path / "list.json")
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
    page.locator(".xp-directions input[type=file]").set_input_files(tmp_path / "list.json")
    expect(page.locator(".xp-directions [role=status]")).to_have_text("8 directions are now on the sliders.")
    choose(page, "PCA")
    assert "Blurred" not in names(page)
    expect(row(page, "Bold").get_by_role("button", name="Slider for Bold")).to_have_attribute(
        "aria-pressed", "false"
    )


def test_a_list_is_saved_for_everybody(browser, page, address):
    page.get_by_role("button", name="Rename Direction 3", exact=True).click()
    page.keyboard.type("Serif")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Hide Direction 2", exact=True).click()
    choose(page, "My sliders")
    page.get_by_role("button", name="Move Serif down").click()
    page.get_by_role("button", name="Save for everybody").click()
    expect(page.locator(".xp-directions [role=status]")).to_contain_text(
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
    expect(page.locator(".xp-directions [role=status]")).to_contain_text(
        "Everybody starts with the default sliders again"
    )
    assert slider_names(page) == wanted, "they have become this browser's own"
    page.get_by_role("button", name="Defaults").click()
    assert "Serif" not in slider_names(page)


def test_directions_that_were_found_anew_say_so(desktop, page, address):
    page.evaluate("""() => {
      const { chosen } = document.querySelector("gan-explorer");
      chosen.rename("p2", "Serif");
      chosen.rename("night", "Dark");
      chosen.hide("sea");
      chosen.hide("p1");
    }""")
    again = desktop.new_page()

    def newer(route):
        model = route.fetch().json()
        route.fulfill(json={**model, "directions_version": "newer"})

    again.route("**/gan/model?*", newer)
    visit(again, address, rest="&view=directions")
    note = again.locator(".xp-controls").get_by_text("numbered directions were recomputed")
    expect(note).to_be_visible()
    assert {"Direction 2", "Direction 3"} < set(slider_names(again))
    kept = again.evaluate(
        "(() => { const { names, hidden } = document.querySelector('gan-explorer').chosen; return "
        "[names, hidden]; })()"
    )
    assert kept == [{"night": "Dark"}, ["sea"]], "what has a name means the same as before"
    choose(again, "PCA")
    drawn(again, "Direction 1")
    row(again, "Direction 1").get_by_role("button", name="Slider for Direction 1").click()
    expect(note).to_be_hidden()
    again.close()
    page.evaluate("document.querySelector('gan-explorer').chosen.reset()")


def test_with_the_generator_here_the_strips_need_no_server(browser, address):
    with browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-US") as context:
        page = context.new_page()
        page.route("**/gan/along?*", lambda route: route.abort())
        visit(page, address, rest="&view=directions&x=s1:2")
        expect(page.locator(".xp-path [role=status]")).to_have_text("Generated in your browser")
        choose(page, "SeFa")
        drawn(page, "SeFa 1")
        page.route("**/gan/image?*", lambda route: route.abort())
        changes(page, lambda: row(page, "SeFa 1").locator(".xp-cell").first.click())
        expect(page.locator(".xp-note")).to_be_hidden()


def test_another_model_has_a_list_of_its_own(page, address):
    row(page, "Direction 1").get_by_role("button", name="Slider for Direction 1").click()
    expect(bar(page, "p0")).to_have_count(0)
    page.evaluate("(id) => document.querySelector('gan-explorer').choose(id)", f"run:{OTHER}")
    expect(bar(page, "p0")).to_have_count(1)
    page.wait_for_function(
        "(id) => document.querySelector('gan-explorer').chosen.model.id === id", arg=f"run:{OTHER}"
    )
    drawn(page, "Direction 1")
    page.evaluate("(id) => document.querySelector('gan-explorer').choose(id)", f"run:{RUN}")
    expect(bar(page, "p0")).to_have_count(0)


@pytest.mark.parametrize("language", ["en-US", "zh-CN"])
def test_on_a_phone_everything_can_be_touched(browser, address, language):
    with browser.new_context(**PHONE, locale=language) as context:
        page = context.new_page()
        visit(page, address, rest="&view=directions")
        page.locator(".xp-directions .xp-chip[value=chosen]").tap()
        expect(page.locator(".xp-dir")).to_have_count(10)
        third = page.locator(".xp-dir").nth(2).get_attribute("data-id")
        page.locator(".xp-dir .is-up").nth(2).tap()
        assert page.locator(".xp-dir").nth(1).get_attribute("data-id") == third
        small = page.locator(
            ".xp-directions"
        ).evaluate("""(view) => [...view.querySelectorAll("button:not(.xp-cell)")].filter((button) => button.offsetParent)
          .filter((button) => button.offsetHeight < 40 || button.offsetWidth < 40).map((button) => button.outerHTML)""")  # noqa: E501
        assert small == []
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        if language == "zh-CN":
            expect(page.locator("#xp-group-directions")).to_have_text("方向")
            expect(page.locator(".xp-dir-name").first).to_have_text(re.compile("方向 [0-9]+"))
