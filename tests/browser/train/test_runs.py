"""Test the list of runs in a real browser: names, deletion, the queue, and access."""

import re
import time

import pytest
from playwright.sync_api import expect

from tests.fakes.runs import past, state, tiny, wait_until
from tests.support.page.browsing import PHONE
from tests.support.page.explorer.explorer import Explorer
from tests.support.page.explorer.panels.models import ModelPanel
from tests.support.page.exploring import changes
from tests.support.page.runs_list import RunsList, post, press_twice, stop_and_delete

pytestmark = pytest.mark.browser
EVIL = "<img src=x onerror=window.hit=1>"


def test_a_run_is_renamed_in_place_and_its_name_is_plain_text(visit, runs, ended):
    run_id = ended()
    page, other = visit(), visit()
    listed = RunsList(page).open()
    listed.tool("Digits", "Rename").click()
    field = listed.new_name
    expect(field).to_be_focused()
    field.fill("My ")
    field.press("Escape")
    expect(listed.row("Digits")).to_be_visible()
    expect(listed.tool("Digits", "Rename")).to_be_focused()
    page.keyboard.press("Enter")
    field.fill(EVIL)
    field.press("Enter")
    expect(listed.row(EVIL)).to_be_visible()
    expect(page.locator(".tr-title")).to_contain_text(f"{EVIL} · Digits · Modern")
    expect(other.locator(".tr-title")).to_contain_text(EVIL)
    assert runs.get(run_id)["name"] == EVIL
    page.click("#tab-explore-button")
    models = ModelPanel(page)
    expect(models.names.filter(has_text=EVIL)).to_be_visible()
    models.card(EVIL).click()
    expect(models.chosen.locator("b")).to_have_text(EVIL)
    page.click("#tab-train-button")
    listed.tool(EVIL, "Rename").click()
    field.fill("   ")
    page.click(".tr-rename button[type=submit]")
    expect(listed.row("Digits")).to_be_visible()
    expect(page.locator(".tr-title")).to_have_text(re.compile("^Digits · Modern"))


def test_a_name_that_is_being_typed_survives_what_happens_meanwhile(visit, address, ended):
    first = ended()
    page = visit()
    listed = RunsList(page).open()
    listed.tool("Digits", "Rename").click()
    listed.new_name.fill("My ca")
    second = ended(seed=1)
    expect(listed.rows).to_have_count(2)
    expect(listed.new_name).to_have_value("My ca")
    expect(listed.new_name).to_be_focused()
    page.keyboard.type("ts")
    page.keyboard.press("Enter")
    expect(listed.row("My cats")).to_be_visible()
    post(address, f"runs/{second}/rename?name={'x' * 60}")
    expect(page.locator(".tr-runs b").first).to_have_text("x" * 60)
    post(address, f"runs/{first}/delete")
    expect(listed.rows).to_have_count(1)


def test_a_run_is_deleted_by_two_presses(visit, runs, ended):
    kept, gone = ended(), ended(seed=1)
    runs.rename(kept, "Kept")
    runs.rename(gone, "Gone")
    (runs.path(gone) / "config.json").write_text("{")  # a visitor can delete a damaged run as well
    page, other = visit(), visit()
    listed = RunsList(page).open()
    button = listed.tool("Gone", "Delete")
    button.focus()
    page.keyboard.press("Enter")
    expect(listed.asking).to_have_text("Really delete?")
    expect(listed.asking).to_have_count(0)  # nobody pressed again
    assert runs.get(gone)["name"] == "Gone"
    button.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(listed.row("Gone")).to_have_count(0)
    expect(listed.told).to_have_text("Deleted.")
    expect(listed.row("Kept").locator(".tr-open")).to_be_focused()
    expect(other.locator(".tr-title")).to_contain_text("Kept")
    wait_until(lambda: [entry.name for entry in runs.root.iterdir() if gone in entry.name] == [])
    delete = listed.tool("Kept", "Delete")
    delete.dblclick()  # a double click counts as one press
    expect(listed.asking).to_be_visible()
    assert runs.get(kept)["name"] == "Kept"
    listed.asking.click()
    expect(page.locator(".tr-empty")).to_be_visible()
    expect(other.locator(".tr-empty")).to_be_visible()


def test_a_refusal_is_told_beside_the_list(visit, address, ended):
    run_id = ended()
    page = visit()
    listed = RunsList(page).open()
    page.route("**/delete", lambda route: route.continue_(url=route.request.url.replace(run_id, "none")))
    press_twice(listed.tool("Digits", "Delete"))
    expect(page.locator(".tr-list .tr-told.is-bad")).to_have_text(
        "There is no run called “none”. Choose one from the list of runs."
    )


def test_the_runs_of_one_set_have_names_that_differ_and_stand_before_the_shipped_models(visit, runs, ended):
    first, second = ended(), ended()
    page = visit(tab="explore")
    cards = ModelPanel(page).cards
    expect(cards.nth(0)).to_have_attribute("data-model", f"run:{second}")
    expect(cards.nth(1)).to_have_attribute("data-model", f"run:{first}")
    expect(cards.nth(2)).to_contain_text("Pretrained")
    names = [f"Digits #{runs.status(run_id)['number']}" for run_id in (second, first)]
    assert cards.locator("b").all_inner_texts()[:2] == names
    expect(cards.nth(0)).to_contain_text("Modern (R3GAN) · 160 images")
    runs.rename(second, "My cats")
    expect(cards.nth(0).locator("b")).to_have_text("My cats")


def test_explore_survives_the_deletion_of_what_it_shows(visit, address, runs, ended):
    run_id = ended()
    runs.rename(run_id, "My cats")
    page = visit(tab="explore")
    models, explorer = ModelPanel(page), Explorer(page)
    models.card("My cats").click()
    expect(models.chosen).to_contain_text("My cats")
    explorer.wait_for_sized_canvas()
    post(address, f"runs/{run_id}/delete")
    explorer.random.click()
    expect(explorer.note).to_have_text("“My cats” was deleted. Another model is shown instead.")
    expect(models.chosen).not_to_contain_text("My cats")
    expect(explorer.sliders.first).to_be_enabled()
    changes(page, explorer.random.click)
    models.cards.nth(1).click()
    expect(explorer.note).to_be_hidden()


def test_the_queue_tells_its_times_and_can_be_left_from_the_list(visit, runs):
    page = visit()
    page.click("#train-button")
    page.wait_for_selector(".tr-bar[data-state=running]")
    first = runs.list()[0]["id"]
    page.click("#train-button")
    expect(page.locator(".tr-verdict")).to_have_text(
        re.compile(r"^Waiting for the device: place 1, starts in about [45] min\.$")
    )
    second = runs.list()[0]["id"]
    listed = RunsList(page).open()
    waiting = listed.rows.nth(1)
    expect(waiting.locator(".tr-open span")).to_have_text(
        re.compile(r"^yours · place 1, starts in about [45] min · Modern")
    )
    expect(listed.tool(waiting, "Delete")).to_be_hidden()
    listed.tool(waiting, "from the queue").click()
    expect(listed.told).to_have_text("Removed from the queue.")
    expect(listed.tool(waiting, "Delete")).to_be_visible()
    expect(listed.tool(listed.rows.first, "Delete")).to_be_hidden()
    assert (state(runs, first), state(runs, second)) == ("running", "stopped")
    stop_and_delete(runs, first)


def test_older_runs_are_shown_when_they_are_wanted_and_can_be_kept_in_order(visit, runs):
    now = time.time()
    made = [past(runs, tiny(), state="paused", created=now - 60 * age) for age in range(130)]
    for age, run_id in enumerate(made):
        runs.rename(run_id, f"Nr {age}.")
    page, asked = visit(), []
    page.on("request", lambda request: asked.append(request.url) if "runs/older" in request.url else None)
    listed = RunsList(page).open()
    total = len(runs.list())
    rows, foot = listed.rows, page.locator(".tr-foot span")
    more = page.get_by_role("button", name="Show more")
    expect(foot).to_have_text(f"60 of {total}")
    expect(listed.summary).to_contain_text(f"({total})")
    expect(rows).to_have_count(60)
    assert asked == []
    more.focus()
    page.keyboard.press("Enter")
    expect(foot).to_have_text(f"120 of {total}")
    expect(more).to_be_focused()
    listed.tool("Nr 110.", "Rename").click()
    listed.new_name.fill("Mine")
    press_twice(listed.tool("Nr 3.", "Delete"))
    expect(listed.row("Nr 3.")).to_have_count(0)
    expect(rows).to_have_count(119 if total == 120 else 120)
    listed.new_name.press("Enter")
    expect(listed.row("Mine")).to_be_visible()
    press_twice(listed.tool("Mine", "Delete"))
    expect(listed.row("Mine")).to_have_count(0)
    more.focus()
    page.keyboard.press("Enter")
    expect(rows).to_have_count(total - 2)
    expect(page.locator(".tr-foot")).to_be_hidden()
    expect(rows.nth(120).locator(".tr-open")).to_be_focused()
    runs.rename(made[-1], "From elsewhere")
    expect(listed.row("From elsewhere")).to_be_visible()
    for run_id in made:
        if (runs.root / run_id).exists():
            runs.hide(run_id)
    runs.sweep()


def test_the_lock_closes_by_itself_where_the_server_has_forgotten_this_browser(visit, ended):
    """A server forgets its browsers at a restart.

    The poll tells the page so, before anybody presses a button.
    """
    ended()
    page = visit()
    expect(page.locator(".tr-list .needs-control").first).to_be_attached()
    listed = RunsList(page).open()
    expect(listed.tool("Digits", "Rename")).to_be_visible()
    page.route("**/gan/access", lambda route: route.fulfill(json={"needed": True, "control": False}))

    def locked(route):
        reply = route.fetch()
        route.fulfill(response=reply, json={**reply.json(), "control": False})

    page.route("**/gan/poll*", locked)
    expect(listed.tool("Digits", "Rename")).to_be_hidden()
    expect(page.locator(".gan-lock")).to_be_visible()
    page.unroute_all(behavior="ignoreErrors")


@pytest.mark.parametrize(("lang", "scheme"), [("en-US", "light"), ("zh-CN", "dark")])
def test_the_list_fits_a_phone(visit, runs, ended, lang, scheme):
    runs.rename(ended(), "A very long name of a run, as long as it may be, 60 letters.")
    ended(seed=1, state="paused")
    page = visit(lang=lang, color_scheme=scheme, **PHONE)
    RunsList(page).open()
    page.locator(".tr-tool:visible").nth(1).click()
    page.locator(".tr-tool:visible").nth(2).click()
    expect(page.locator(".tr-rename input")).to_be_focused()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    controls = (
        "[...document.querySelectorAll('.tr-list button, .tr-list input')].filter((one) => one.offsetParent)"
    )
    areas = page.evaluate(
        f"{controls}.map((one) => [one.className, one.getBoundingClientRect().width, "
        f"one.getBoundingClientRect().height])"
    )
    assert len(areas) >= 6
    assert [area for area in areas if min(area[1:]) < 40] == []
