"""Test where things stand on the stage: samples and losses together, and nothing that jumps."""

import pytest
from playwright.sync_api import expect

from gan.files import append_line
from tests.support.page.runs_list import RunsList
from tests.support.page.train_form import TrainForm

pytestmark = pytest.mark.browser
PROJECTOR = {"width": 1280, "height": 720}
PHONE = {"width": 390, "height": 844}
MEASURED = {"device": "CPU, 2 threads", "parameters": {"G": 431_000, "D": 241_000}, "elapsed": 3600.0}
# The sum of all shifts but those within half a second of a press, as browsers report them.
SHIFTS = """() => {
  window.shifts = [];
  new PerformanceObserver((list) => {
    for (const one of list.getEntries())
      if (!one.hadRecentInput)
        window.shifts.push([one.value, one.sources.map(({ node }) => node?.className ?? "").join()]);
  }).observe({ type: "layout-shift", buffered: false });
}"""


def curves(folder, lines=40):
    for step in range(1, lines + 1):
        row = {"step": step, "images": 8 * step, "seconds": step / 10, "pair": 0.7, "diversity": 0.9}
        append_line(folder / "stats.jsonl", {**row, "loss_d": 0.6, "loss_g": 2.0, "real": 1.0, "fake": -1.0})


def edges(page, *selectors):
    """Return [left, top, right, bottom] of the visible elements."""
    boxes = [page.locator(one).locator("visible=true").first.bounding_box() for one in selectors]
    return [(box["x"], box["y"], box["x"] + box["width"], box["y"] + box["height"]) for box in boxes]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_samples_and_losses_are_seen_together_on_a_projector(visit, runs, ended, scheme):
    curves(runs.root / ended(**MEASURED))
    page = visit(viewport=PROJECTOR, color_scheme=scheme)
    page.wait_for_selector(".tr-plot canvas")
    grid, losses, logits, facts = edges(
        page, ".tr-frame", ".tr-plot >> nth=0", ".tr-plot >> nth=1", ".tr-facts"
    )
    assert grid[2] < losses[0], "the charts stand right of the grid"
    assert losses[3] <= logits[1], "one below the other"
    assert max(grid[3], losses[3], logits[3]) <= PROJECTOR["height"]
    assert facts[3] <= grid[1]
    tops = page.locator(".tr-facts > div:visible").evaluate_all("all => all.map((one) => one.offsetTop)")
    assert len(set(tops)) == 1, "the figures stand in one line"
    assert grid[2] - grid[0] >= 380, "large enough for the last row"
    recipe = page.locator("gan-recipe [role=radio]").first.bounding_box()
    assert recipe["y"] < page.locator("#train-button").bounding_box()["y"], "the recipe is in sight"


def test_on_a_phone_the_controls_stand_between_samples_and_charts(visit, runs, ended):
    curves(runs.root / ended(**MEASURED))
    page = visit(viewport=PHONE)
    page.wait_for_selector(".tr-plot canvas")
    grid, controls, charts = edges(page, ".tr-frame", ".tr-controls", ".tr-charts")
    assert grid[3] <= controls[1] < controls[3] <= charts[1]
    facts = page.locator(".tr-facts > div:visible")
    for fact in facts.locator("dd").all():
        assert fact.evaluate("(one) => one.scrollWidth <= one.clientWidth"), fact.inner_text()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


@pytest.mark.parametrize("size", [PROJECTOR, PHONE], ids=["projector", "phone"])
def test_a_run_without_curves_yet_shows_none_of_another(visit, runs, ended, size):
    curves(runs.root / ended(**MEASURED))
    page = visit(viewport=size)
    expect(page.locator(".tr-key b").first).to_have_text("0.60")
    ended(seed=1, state="paused", step=0, images=0, progress=0.0)
    RunsList(page).open().rows.filter(has_text="Paused").first.locator("button").first.click()
    expect(page.locator(".tr-title")).to_contain_text("seed 1")
    expect(page.locator(".tr-charts")).to_be_visible()  # its place is kept
    assert page.locator(".tr-key b").all_inner_texts() == [""] * 4
    for chart in ("losses", "logits"):
        drawn = f"document.querySelector('gan-stage').charts.{chart}.plot.data[0].length"
        assert page.evaluate(drawn) == 0, chart


def test_the_button_that_resets_the_zoom_covers_nothing(visit, runs, ended):
    curves(runs.root / ended(**MEASURED))
    page = visit(viewport=PROJECTOR)
    page.wait_for_selector(".tr-plot canvas")
    page.evaluate("document.querySelector('gan-stage').charts.zoom.set([0.1, 0.2])")
    button, plot, facts = edges(page, ".tr-quiet", ".tr-plot .u-over >> nth=0", ".tr-facts")
    assert button[1] >= plot[3] - 1, "below the curves"
    assert button[1] > facts[3]
    page.locator(".tr-quiet").click()
    expect(page.locator(".tr-quiet")).to_be_hidden()


@pytest.mark.parametrize("size", [PROJECTOR, PHONE], ids=["projector", "phone"])
def test_nothing_jumps_while_a_run_trains(visit, size):
    page = visit(viewport=size)
    page.fill("gan-time input", "0.05")
    page.press("gan-time input", "Tab")
    page.locator("gan-stage").scroll_into_view_if_needed()
    page.evaluate(SHIFTS)
    TrainForm(page).press_train()
    expect(page.locator(".tr-verdict")).to_contain_text("Finished.")
    page.wait_for_selector(".tr-plot canvas")
    shifts = page.evaluate("window.shifts")
    assert sum(value for value, _ in shifts) < 0.05, [one for one in shifts if one[0] > 0.001]


@pytest.mark.parametrize("lang", ["en-US", "zh-CN"])
def test_the_first_recipes_are_in_sight_on_a_projector(visit, lang):
    page = visit(lang, viewport=PROJECTOR)
    cards = page.locator("gan-recipe .tr-recipe")
    for card in (cards.nth(0), cards.nth(1)):
        expect(card.locator(".tr-facts-line")).not_to_be_empty()
        box = card.bounding_box()
        assert box["y"] + box["height"] <= page.locator("#train-go").bounding_box()["y"]
    assert page.evaluate("scrollY") == 0


def test_a_finished_run_has_no_time_left_and_no_speed(visit, runs, ended):
    curves(runs.root / ended(**{**MEASURED, "elapsed": 100.0}))
    page = visit(viewport=PROJECTOR)
    page.wait_for_selector(".tr-plot canvas")
    facts = page.locator(".tr-facts > div:visible")
    expect(facts.filter(has_text="Time left")).to_have_count(0)
    expect(facts.filter(has_text="Speed")).to_have_count(0)
    frame = page.locator(".tr-grid .tr-frame")
    gaps = frame.evaluate("one => getComputedStyle(one, '::after').backgroundSize")
    assert gaps.startswith("12.5% 12.5%"), "64 samples with gaps between them"
    expect(page.locator(".tr-plot >> nth=0")).to_contain_text("smoothedmeasured")
    page.mouse.move(*[sum(edges(page, ".tr-plot .u-over")[0][axis::2]) / 2 for axis in (0, 1)])
    dots = page.locator(".tr-plot >> nth=0").locator(".u-cursor-pt")
    widths = dots.evaluate_all("all => all.map((one) => one.offsetWidth)")
    assert sorted(widths) == [0, 0, 7, 7], "one dot for each of D and G"


def test_a_finished_run_fills_the_form_again(visit, ended):
    ended(seed=7)
    page = visit()
    page.get_by_role("button", name="Change and train again").click()
    expect(page.locator(".tr-filled")).to_contain_text("The form has the settings of this run")


def test_a_pause_pressed_while_the_run_starts_is_seen_after_a_reload(visit, ended):
    ended()
    page = visit()
    asked = {"state": "starting"}

    def begins(route):
        answer = route.fetch().json()
        if answer.get("run"):
            answer["run"] |= {"pausing": True, "silent": None}
            answer["run"]["status"] |= asked
        route.fulfill(json=answer)

    page.route("**/gan/poll*", begins)
    page.reload()
    expect(page.locator(".tr-verdict")).to_have_text("Pausing…")
    expect(page.locator("[data-command=pause]")).to_be_disabled()
