"""Test the Compare tab in a real browser: which runs, their curves, and what a link reopens."""

import re
import subprocess
import sys
import time

import psutil
import pytest
from PIL import Image
from playwright.sync_api import expect

from gan.files import append_line
from gan.runs.store import Store
from tests.fakes.runs import past, tiny
from tests.support.page.browsing import PHONE

pytestmark = pytest.mark.browser
ROWS = 60


def stats(step, loss, **more):
    return {
        "step": step,
        "images": 8 * step,
        "seconds": step / 10,
        "loss_d": loss,
        "loss_g": 2 * loss,
        **more,
    }


def fill(level, **more):
    """Write the statistics of a run whose loss of D is `level`, with one spike."""

    def write(folder):
        for step in range(1, ROWS + 1):
            append_line(folder / "stats.jsonl", stats(step, 1000.0 if step == 30 else level, **more))

    return write


@pytest.fixture(scope="module")
def runs(runs_folder):
    return Store(runs_folder)


@pytest.fixture(scope="module")
def ids(runs):
    """Runs A and B, which differ in the seed, and C, which has another batch size and one more statistic."""
    known = {"state": "finished", "step": ROWS, "images": 8 * ROWS, "progress": 1.0}
    a = past(runs, tiny(seed=0), fill(0.25), **known)
    b = past(runs, tiny(seed=1), fill(0.75), **known)
    c = past(runs, tiny(batch=16), fill(0.5, modes=7), **known)
    return a, b, c


@pytest.fixture
def visit(browser, address, ids):
    """Open the tab with this address. A script error fails the test."""
    faults = []

    def open_page(text="", **options):
        page = browser.new_context(
            **{"viewport": {"width": 1280, "height": 720}, "locale": "en-US", **options}
        ).new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(f"{address}#tab=compare&{text}")
        page.wait_for_selector("gan-compare .cm-bar")
        return page

    yield open_page
    assert faults == []


def charts(page):
    return page.locator("gan-compare .cm-chart")


def chart(page, title):
    return charts(page).filter(has=page.get_by_role("heading", name=title, exact=True))


def told(page):
    return page.locator("gan-compare .cm-told")


def test_runs_are_chosen_and_a_reload_shows_them_again(visit, ids):
    a, b, _ = ids
    page = visit(f"compare={a}")
    expect(charts(page)).to_have_count(2)
    boxes = page.locator(".cm-runs input")
    expect(boxes).to_have_count(3)
    expect(page.locator(".cm-runs input:checked")).to_have_count(1)
    boxes.nth(1).focus()
    page.keyboard.press("Space")
    expect(page.locator(".cm-legend > span")).to_have_count(2)
    expect(page).to_have_url(re.compile(f"compare={a},{b}"))
    page.reload()
    expect(page.locator(".cm-legend > span")).to_have_count(2)
    expect(chart(page, "Loss of D").locator(".cm-values")).to_have_text("A0.250B0.750", use_inner_text=False)
    expect(page.locator(".cm-runs input:checked")).to_have_count(2)


def test_only_shared_statistics_are_drawn_and_the_others_named(visit, ids):
    c = ids[2]
    page = visit(f"compare={c}")
    expect(chart(page, "Modes covered")).to_be_visible()
    page.locator(".cm-runs input:not(:checked)").last.check()
    expect(chart(page, "Modes covered")).to_have_count(0)
    expect(page.get_by_text("Left out: Modes covered.")).to_be_visible()
    expect(charts(page)).to_have_count(2)


def test_a_link_sets_axis_smoothing_and_log_and_names_what_it_can_not_mean(visit, ids):
    a = ids[0]
    page = visit(f"compare={a},no-such-run,%3Cb%3E&by=seconds&smooth=7&log=1")
    expect(told(page)).to_contain_text("left out: <b>, no-such-run.")
    expect(told(page)).to_contain_text("smooth=7")
    expect(page.get_by_role("combobox", name="Over")).to_have_value("seconds")
    expect(page.get_by_role("slider", name="Smoothing")).to_have_value("0.99")
    expect(page.get_by_label("Log y axis")).to_be_checked()
    page.get_by_label("Log y axis").uncheck()
    expect(told(page)).to_be_hidden()
    expect(page).to_have_url(re.compile(r"smooth=0\.99(?!.*log=)"))


def test_the_cursor_is_the_same_in_all_charts_and_follows_the_keys(visit, ids):
    a, b, _ = ids
    page = visit(f"compare={a},{b}&smooth=0&by=step")
    first, second = (chart(page, name).locator("canvas") for name in ("Loss of D", "Loss of G"))
    first.hover(position={"x": 200, "y": 80})
    shown = first.get_attribute("aria-valuenow")
    expect(second).to_have_attribute("aria-valuenow", shown)
    expect(second).not_to_have_attribute("aria-valuenow", str(ROWS))
    second.focus()
    page.keyboard.press("Home")
    expect(first).to_have_attribute("aria-valuetext", "step 0: A 0.250, B 0.750")
    for _ in range(5):
        page.keyboard.press("Shift+ArrowRight")
    expect(first).to_have_attribute("aria-valuetext", "step 30: A 1000, B 1000")
    page.keyboard.press("+")
    expect(page.get_by_role("button", name="Reset zoom")).to_be_visible()
    expect(first).to_have_attribute("aria-valuemin", "15")
    expect(second).to_have_attribute("aria-valuemax", "45")
    first.dblclick(position={"x": 200, "y": 80})
    expect(page.get_by_role("button", name="Reset zoom")).to_be_hidden()
    expect(second).to_have_attribute("aria-valuemax", str(ROWS))


def test_a_drag_zooms_all_charts(visit, ids):
    page = visit(f"compare={ids[0]}&by=step")
    first, second = (chart(page, name).locator("canvas") for name in ("Loss of D", "Loss of G"))
    box = first.bounding_box()
    page.mouse.move(box["x"] + 100, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 200, box["y"] + 90, steps=4)
    page.mouse.up()
    expect(page.get_by_role("button", name="Reset zoom")).to_be_visible()
    left = float(second.get_attribute("aria-valuemin"))
    assert 0 < left < float(second.get_attribute("aria-valuemax")) < ROWS
    page.get_by_role("button", name="Reset zoom").click()
    expect(second).to_have_attribute("aria-valuemin", "0")


def test_seeds_become_their_mean_with_its_band(visit, ids):
    a, b, c = ids
    page = visit(f"compare={a},{b},{c}&smooth=0")
    expect(page.locator(".cm-legend > span")).to_have_count(3)
    page.get_by_label("Average over seeds").check()
    expect(page.locator(".cm-legend > span")).to_have_count(2)
    expect(page.locator(".cm-legend")).to_contain_text("2 seeds")
    expect(chart(page, "Loss of D").locator(".cm-values")).to_contain_text("0.500 (0.250 … 0.750)")


def test_a_run_that_was_changed_is_named_flagged_and_no_seed_of_the_others(visit, runs, ids):
    def change(folder):
        fill(0.25)(folder)
        values = {"step": ROWS // 2, "name": "gamma", "factor": 4.0, "images": 4 * ROWS}
        append_line(folder / "events.jsonl", {"time": 1.0, "key": "adjusted", "values": values})

    run_id = past(runs, tiny(seed=2), change, state="finished", step=ROWS, images=8 * ROWS, progress=1.0)
    try:
        page = visit(f"compare={ids[0]},{run_id}&smooth=0&by=step")
        row = page.get_by_role("row").filter(
            has=page.get_by_role("rowheader", name="Changed while it trained")
        )
        expect(row.locator("td")).to_have_text(["–", f"Gamma × 4 from step {ROWS // 2} on"])
        expect(page.get_by_label("Average over seeds")).to_be_hidden()
        # the flag is a line of the run's colour from top to bottom, in the middle of the plot
        colour = """(canvas) => {
          const ctx = canvas.getContext("2d"), ratio = devicePixelRatio;
          const x = Math.round((50 + (canvas.clientWidth - 58) / 2) * ratio);
          const rows = ctx.getImageData(x - 2, 12 * ratio, 5, 140 * ratio);
          const inked = (row) => [0, 1, 2, 3, 4].some((at) => rows.data[4 * (5 * row + at) + 3] > 100);
          const found = Array.from({ length: rows.height }, (_, row) => inked(row));
          return found.filter(Boolean).length / rows.height;
        }"""
        canvas = chart(page, "Loss of G").locator("canvas")
        page.wait_for_function(f"(canvas) => ({colour})(canvas) > 0.95", arg=canvas.element_handle())
        alone = visit(f"compare={ids[0]}&smooth=0&by=step")
        expect(charts(alone)).to_have_count(2)
        assert chart(alone, "Loss of G").locator("canvas").evaluate(colour) < 0.5
    finally:
        runs.hide(run_id)


@pytest.fixture
def worker():
    """A process that passes for the worker of a run."""
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)"]) as process:
        yield {"pid": process.pid, "pid_started": psutil.Process(process.pid).create_time()}
        process.kill()


def test_a_running_run_grows(visit, runs, worker):
    run_id = past(runs, tiny(seed=5), fill(0.5), state="running", heartbeat=time.time(), step=ROWS, **worker)
    try:
        page = visit(f"compare={run_id}&by=step")
        canvas = chart(page, "Loss of D").locator("canvas")
        expect(canvas).to_have_attribute("aria-valuemax", str(ROWS))
        append_line(runs.path(run_id) / "stats.jsonl", stats(ROWS + 40, 0.5))
        expect(canvas).to_have_attribute("aria-valuemax", str(ROWS + 40))
    finally:
        runs.update_status(run_id, state="finished")
        runs.hide(run_id)


def test_a_run_that_is_deleted_leaves_the_charts(visit, runs, ids):
    run_id = past(runs, tiny(seed=6), fill(0.5), state="finished", step=ROWS)
    page = visit(f"compare={ids[0]},{run_id}")
    expect(page.locator(".cm-legend > span")).to_have_count(2)
    runs.hide(run_id)
    expect(told(page)).to_contain_text(run_id)
    expect(page.locator(".cm-legend > span")).to_have_count(1)


def test_a_phone_has_the_list_folded_and_no_sideways_scroll(visit, ids):
    page = visit(f"compare={ids[0]},{ids[2]}", **{**PHONE, "locale": "zh-CN", "color_scheme": "dark"})
    expect(chart(page, "D 的损失")).to_be_visible()
    expect(page.locator(".cm-runs")).to_be_hidden()
    page.locator(".cm-picker summary").click()
    expect(page.locator(".cm-runs")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    expect(page.locator("#tab-compare-button")).to_be_visible()


def test_only_settings_that_differ_are_in_the_table(visit, ids):
    a, _, c = ids
    page = visit(f"compare={a},{c}")
    table = page.locator("gan-compare table")
    row = table.get_by_role("row").filter(has=page.get_by_role("rowheader", name="Batch size"))
    expect(row.locator("td")).to_have_text(["8", "16"])
    expect(table.get_by_role("rowheader", name="Learning rate of G")).to_have_count(0)
    modes = table.get_by_role("row").filter(has=page.get_by_role("rowheader", name="Modes covered"))
    expect(modes.locator("td")).to_have_text(["–", "7 of –"])
    page.goto(page.url.replace(f"{a},{c}", a))
    expect(table.locator("thead b")).to_have_count(1)
    expect(table.get_by_role("rowheader", name="Batch size")).to_have_count(0)


@pytest.fixture
def drawn(runs):
    """Two runs with three grids each; the second is twice as long. They go after the test."""

    def grids(*steps):
        def write(folder):
            fill(0.5)(folder)
            if steps[-1] > ROWS:
                append_line(folder / "stats.jsonl", stats(steps[-1], 0.5))
            (folder / "samples").mkdir()
            for step in steps:
                Image.effect_noise((224, 224), 80).save(folder / "samples" / f"{step:08d}.webp")

        return write

    made = [
        past(runs, tiny(seed=8), grids(0, 30, 60), state="finished", step=60, images=480),
        past(runs, tiny(seed=9), grids(0, 60, 120), state="finished", step=120, images=960),
    ]
    yield made
    for run_id in made:
        runs.hide(run_id)


def test_one_slider_moves_all_grids_and_a_cursor_on_the_curves(visit, drawn):
    page = visit(f"compare={','.join(drawn)}&by=step&smooth=0")
    images = page.locator(".cm-grid img")
    expect(images.nth(0)).to_have_attribute("src", re.compile("00000060"))
    expect(images.nth(1)).to_have_attribute("src", re.compile("00000120"))
    slider = page.get_by_role("slider", name="Sample history")
    slider.fill("500")
    expect(images.nth(0)).to_have_attribute("src", re.compile("00000030"))
    expect(images.nth(1)).to_have_attribute("src", re.compile("00000060"))
    expect(slider).to_have_attribute("aria-valuetext", "50 % of each run")
    # the spike of both runs is at step 30, where the slider is in the first one alone
    expect(chart(page, "Loss of D").locator(".cm-values")).to_have_text(re.compile("A1000B0.500"))


def test_the_cursor_on_a_curve_shows_the_grids_there(visit, drawn):
    page = visit(f"compare={','.join(drawn)}&by=step")
    images = page.locator(".cm-grid img")
    expect(images.nth(1)).to_have_attribute("src", re.compile("00000120"))
    canvas = chart(page, "Loss of D").locator("canvas")
    canvas.focus()
    page.keyboard.press("Home")
    expect(images.nth(0)).to_have_attribute("src", re.compile("00000000"))
    expect(images.nth(1)).to_have_attribute("src", re.compile("00000000"))
    for _ in range(5):
        page.keyboard.press("Shift+ArrowRight")
    expect(images.nth(0)).to_have_attribute("src", re.compile("00000060"))
    expect(images.nth(1)).to_have_attribute("src", re.compile("00000060"))
    page.locator(".cm-picker summary").focus()
    expect(images.nth(1)).to_have_attribute("src", re.compile("00000120"))


def test_three_tabs_and_the_running_run_have_room_on_a_phone(visit, runs, worker):
    known = {"heartbeat": time.time(), "eta": 3000.0, **worker}
    run_id = past(runs, tiny(seed=7), fill(0.5), state="starting", step=ROWS, **known)
    try:
        page = visit(f"compare={run_id}", **PHONE)
        for state in ("starting", "running"):
            runs.update_status(run_id, state=state, **known)
            expect(page.locator(f".gan-pill[data-state={state}]")).to_be_visible()
            tab, pill = (page.locator(name).bounding_box() for name in ("#tab-compare-button", ".gan-pill"))
            assert tab["x"] + tab["width"] <= pill["x"] + 1
            assert page.evaluate("document.documentElement.scrollWidth") <= 390
    finally:
        runs.update_status(run_id, state="finished")
        runs.hide(run_id)
