"""Test the Train tab in a real browser, with the real worker on real digits."""

import json
import re
import time
import urllib.request

import pytest
from playwright.sync_api import Page, expect

from tests.support.page.browsing import PHONE, SLOW
from tests.support.page.train_form import TrainForm

pytestmark = pytest.mark.browser


def api(address: str, path: str) -> dict:
    with urllib.request.urlopen(f"{address}gradio_api/gan/{path}", timeout=20) as reply:
        return json.load(reply)


def train(page: Page, address: str, minutes: float = 10) -> str:
    """Press Train with this time budget. Returns the id of the new run once it has drawn a grid."""
    known = {run["id"] for run in api(address, "poll")["runs"]}
    page.fill("gan-time input", str(minutes))
    page.press("gan-time input", "Tab")
    page.click("#train-button")
    page.wait_for_function("() => document.querySelector('.tr-bar').dataset.state === 'running'")
    page.wait_for_selector(".tr-picture[src]:not([hidden])")
    return next(run["id"] for run in api(address, "poll")["runs"] if run["id"] not in known)


def state(address: str, run_id: str, *wanted: str) -> None:
    """Wait until the run is in one of these states."""
    end = time.monotonic() + SLOW / 1000
    while (found := api(address, f"poll?run={run_id}")["run"]["status"]["state"]) not in wanted:
        assert time.monotonic() < end, f"{run_id} is {found}, not {wanted}"
        time.sleep(0.1)


def end(page: Page, address: str, run_id: str) -> None:
    """Stop a run, unless it has finished meanwhile."""
    page.request.post(f"{address}gradio_api/gan/runs/{run_id}/stop")
    state(address, run_id, "stopped", "finished")


def press_stop(page: Page) -> None:
    """Press Stop twice at once, because its question lasts a few seconds only."""
    page.wait_for_selector("[data-command=stop]:visible")
    twice = "stop.click(); const asked = stop.textContent; stop.click(); return asked"
    asked = page.evaluate(f"() => {{ const stop = document.querySelector('[data-command=stop]'); {twice}; }}")
    assert asked == "Really stop?"


def shown_step(page: Page) -> int:
    """Return the step of the visible grid."""
    return int(re.search(r"(\d+)\.webp", page.locator(".tr-picture:not([hidden])").get_attribute("src"))[1])


def points(page: Page) -> int:
    return page.evaluate("() => document.querySelector('gan-stage').charts.losses.x.length")


def test_nothing_trained_yet_says_what_to_do(visit):
    """Keep this test the first one of the module. No other module leaves its runs on this server."""
    expect(visit().locator(".tr-empty")).to_contain_text("press Train")


def test_a_short_run_of_digits_from_the_click_to_the_end(visit, address):
    page = visit()
    page.fill("gan-time input", "0.05")
    page.press("gan-time input", "Tab")
    run_id = TrainForm(page).press_train()["run"]
    expect(page.locator(".tr-verdict")).to_contain_text("Finished.")
    assert api(address, f"poll?run={run_id}")["run"]["status"]["state"] == "finished"
    held = api(address, f"poll?run={run_id}")
    page.wait_for_function(
        "wanted => document.querySelector('gan-stage').charts.losses.x.length === wanted",
        arg=len(held["stats"]),
    )
    page.wait_for_function(
        "wanted => document.querySelector('.tr-range').max === String(wanted - 1)",
        arg=len(held["run"]["samples"]),
    )
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 1440


def test_points_have_recipes_settings_and_a_stage_of_their_own(visit, address):
    page = visit()
    page.locator("gan-recipe").get_by_role("radio", name="Textbook DCGAN").click()
    page.click("text=Points in the plane")
    page.locator("gan-data").get_by_role("radio", name="25 Gaussians").click()
    chosen = page.locator("gan-recipe [aria-checked=true]:visible")
    expect(chosen).to_contain_text("Modern")  # points have no DCGAN
    expect(page.locator("gan-recipe").get_by_role("radio", name="Textbook DCGAN")).not_to_be_visible()
    expect(page.locator(".tr-cost-lead")).to_contain_text("on one CPU core")
    TrainForm(page).open_settings()
    expect(page.locator("#field-points-batch input")).to_have_value("256")
    expect(page.locator("#field-batch")).not_to_be_visible()
    page.locator("#field-points-batch input").fill("64")
    page.locator("#field-points-batch input").press("Tab")
    page.click(".tr-break summary:visible")
    page.locator("gan-recipe").get_by_role("radio", name="Mode collapse").click()
    expect(page.locator("#field-points-lr_g input")).to_have_value("0.0001")
    run_id = train(page, address, 1)
    held = api(address, f"poll?run={run_id}")["run"]["config"]
    assert (held["kind"], held["data"], held["recipe"], held["g_steps"]) == (
        "points",
        "grid25",
        "collapse",
        10,
    )
    expect(page.locator(".tr-title")).to_have_text("25 Gaussians · Mode collapse · seed 0")
    expect(page.locator(".tr-legend")).to_contain_text("generated points")
    expect(page.locator(".tr-facts")).to_contain_text(re.compile(r"Modes covered\s*\d+ of 25"))
    expect(page.locator(".tr-facts")).to_contain_text("Points seen")
    page.locator("gan-data").get_by_role("radio", name="Digits").click()
    expect(page.locator("#field-batch")).to_be_visible()
    expect(chosen).to_contain_text("Modern")  # images have no recipe that collapses
    page.click(".gan-lang")
    expect(page.locator("gan-data [aria-checked=true]")).to_contain_text("手写数字")
    end(page, address, run_id)


def test_a_file_of_points_is_checked_and_trained_on(visit, address, tmp_path):
    good, bad = tmp_path / "mine.csv", tmp_path / "bad.csv"
    good.write_text("x,y\n" + "\n".join(f"{k / 7},{k % 5}" for k in range(300)))
    bad.write_text("x,y\n1,2\n1,here\n")
    page = visit()
    page.click("text=Points in the plane")
    page.locator("gan-data").get_by_role("radio", name="CSV or npy").click()
    page.set_input_files("gan-points input", bad)
    expect(page.locator("gan-points .tr-error")).to_contain_text("Line 3 of “bad.csv” holds “here”")
    page.click("#train-button")
    expect(page.locator("#train-answer .tr-error")).to_contain_text("There are no points yet.")
    page.set_input_files("gan-points input", good)
    expect(page.locator("gan-points .ow-status")).to_have_text("mine.csv: 300 points")
    page.click(".gan-lang")
    expect(page.locator("gan-points .ow-status")).to_have_text("mine.csv：300 个点")  # stored with the form
    run_id = train(page, address, 1)
    expect(page.locator(".tr-title")).to_contain_text("mine.csv")
    expect(page.locator(".tr-facts")).not_to_contain_text("Modes covered")
    end(page, address, run_id)


def test_a_file_of_few_points_gets_a_batch_that_fits(visit, address, tmp_path):
    for count in (40, 60, 300):
        (tmp_path / f"{count}.csv").write_text("\n".join(f"{k / 7},{k % 5}" for k in range(count)))
    page = visit()
    page.click("text=Points in the plane")
    page.locator("gan-data").get_by_role("radio", name="CSV or npy").click()
    TrainForm(page).open_settings()
    batch, note = page.locator("#field-points-batch input"), page.locator("gan-points .ow-line")
    page.set_input_files("gan-points input", tmp_path / "40.csv")
    expect(batch).to_have_value("40")
    expect(note).to_have_text("There are only 40, so each step uses all of them.")
    page.click(".tr-break summary:visible")
    page.locator("gan-recipe").get_by_role("radio", name="Mode collapse").click()
    expect(page.locator("#field-points-g_steps input")).to_have_value("10")
    expect(batch).to_have_value("40")
    page.set_input_files("gan-points input", tmp_path / "300.csv")
    expect(batch).to_have_value("256")
    expect(note).to_be_hidden()
    batch.fill("8")
    batch.press("Tab")
    page.set_input_files("gan-points input", tmp_path / "60.csv")
    expect(page.locator("gan-points .ow-status")).to_have_text("60.csv: 60 points")
    expect(batch).to_have_value("8")  # made by hand
    page.reload()
    expect(page.locator("gan-data [aria-checked=true]")).to_contain_text("CSV or npy")
    expect(page.locator("gan-points .ow-status")).to_have_text("60.csv: 60 points")
    run_id = train(page, address)
    assert api(address, f"poll?run={run_id}")["run"]["config"]["batch"] == 8
    press_stop(page)
    state(address, run_id, "stopped")


def grids_and_curves_stream_in(page: Page) -> None:
    page.wait_for_selector(".tr-canvas canvas")
    step, count = shown_step(page), points(page)
    page.wait_for_function(
        "before => document.querySelector('gan-stage').charts.losses.x.length > before + 2", arg=count
    )
    page.wait_for_function(
        "before => !document.querySelector('.tr-picture:not([hidden])').src.includes(before)",
        arg=f"{step:08d}.webp",
    )
    expect(page.locator(".gan-pill")).to_contain_text("Training")
    page.reload()  # the run belongs to the server, not to the page
    page.wait_for_selector(".tr-picture[src]:not([hidden])")
    expect(page.locator(".tr-title")).to_contain_text("Digits · Modern (R3GAN) · 28 px")


def history_stays_where_the_reader_put_it(page: Page, address: str) -> None:
    page.wait_for_function("() => Number(document.querySelector('.tr-range').max) >= 2")
    page.locator(".tr-range").fill("0")
    first = api(address, "poll")["run"]["samples"][0]
    page.wait_for_function(
        (
            "first => "
            "Number(/(\\d+)\\.webp/.exec(document.querySelector('.tr-picture:not([hidden])').src)[1]) === "
            "first"
        ),
        arg=first,
    )
    most = page.locator(".tr-range").get_attribute("max")
    page.wait_for_function("most => document.querySelector('.tr-range').max !== most", arg=most)
    assert (shown_step(page), page.locator(".tr-range").input_value()) == (first, "0")
    page.click(".tr-live")
    page.wait_for_function(
        (
            "first => "
            "Number(/(\\d+)\\.webp/.exec(document.querySelector('.tr-picture:not([hidden])').src)[1]) > "
            "first"
        ),
        arg=first,
    )


def zoom_stays_while_data_streams_in(page: Page) -> None:
    page.wait_for_function("() => document.querySelector('gan-stage').charts.losses.x.length > 6")
    plot = page.locator(".tr-plot .u-over").first
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.7 * box["width"], box["y"] + 60, steps=4)
    page.mouse.up()
    scale = (
        "() => { const { min, max } = document.querySelector('gan-stage').charts.logits.plot.scales.x; "
        "return [min, max]; }"
    )
    zoomed, count, drawing = (
        page.evaluate(scale),
        points(page),
        page.evaluate_handle("() => document.querySelector('.tr-canvas canvas')"),
    )
    assert zoomed[0] > 0
    page.wait_for_function(
        "before => document.querySelector('gan-stage').charts.losses.x.length > before + 2", arg=count
    )
    assert page.evaluate(scale) == zoomed
    assert page.evaluate("before => document.querySelector('.tr-canvas canvas') === before", drawing), (
        "the drawing was rebuilt"
    )
    plot.dblclick()
    page.wait_for_function("() => document.querySelector('gan-stage').charts.losses.plot.scales.x.min === 0")


def pauses_resumes_and_stops(page: Page, address: str, run_id: str) -> None:
    page.click("[data-command=pause]")
    state(address, run_id, "paused")
    page.click("[data-command=resume]")
    state(address, run_id, "running")
    page.wait_for_selector("[data-command=sample]:visible")
    page.click("[data-command=sample]")
    expect(page.locator(".tr-controls > .tr-said")).to_have_text("Generating a new sample grid.")
    press_stop(page)
    state(address, run_id, "stopped")
    expect(page.locator(".tr-verdict")).to_contain_text("Stopped.")
    expect(page.locator("[data-command=resume]")).to_be_hidden()


def test_a_run_is_watched_paused_resumed_and_stopped(visit, address):
    """One run for all of that, because each start of a run costs seconds."""
    page = visit()
    run_id = train(page, address)
    grids_and_curves_stream_in(page)
    history_stays_where_the_reader_put_it(page, address)
    zoom_stays_while_data_streams_in(page)
    pauses_resumes_and_stops(page, address, run_id)


def test_a_second_page_follows_the_same_run_and_a_second_run_waits(visit, address):
    first, second = visit(), visit(**PHONE)
    run_id = train(first, address)
    second.wait_for_selector(".tr-picture[src]:not([hidden])")
    expect(second.locator("[data-command=pause]")).to_be_visible()
    second.locator("#train-button").click()
    expect(second.locator(".tr-verdict")).to_contain_text("place 1, starts in about")
    second.click("[data-command=cancel]")
    expect(second.locator(".tr-verdict")).to_contain_text("Stopped.")
    assert api(address, "poll")["active"] == run_id
    press_stop(first)
    state(address, run_id, "stopped")


def test_the_cost_of_the_run_stands_above_the_button_and_follows_the_form(visit, address):
    page = visit()
    lead, pace, needs = (page.locator(f"gan-cost p >> nth={number}") for number in range(3))
    expect(lead).to_have_text(re.compile(r"^About [\d,]+ images in 5 min$"))
    expect(pace).to_have_text(re.compile(r"^[\d,]+ images/s · "))
    expect(needs).to_have_text(re.compile(r"^Parameters: G [\d.]+k, D [\d.]+k · [\d.]+ GB of "))
    narrow = needs.inner_text()
    page.click("gan-time [role=radio] >> nth=3")
    expect(lead).to_have_text(re.compile("in 10 min$"))
    TrainForm(page).open_settings()
    TrainForm(page).set("width", 64)
    expect(needs).not_to_have_text(narrow)
    expect(needs).to_contain_text("Parameters: G ")
    TrainForm(page).set("batch", 1)
    wrong = "The setting Batch size = 1 is out of range. Choose a value from 2 to 1024."
    expect(lead).to_have_text(wrong)
    expect(needs).to_have_text("")
    before = len(api(address, "poll")["runs"])
    page.click("#train-button")
    expect(page.locator("gan-answer .tr-error")).to_have_text(wrong)
    expect(page.locator("#field-batch input")).to_have_value("1")
    assert len(api(address, "poll")["runs"]) == before
    TrainForm(page).set("batch", 16)
    expect(lead).to_have_text(re.compile("in 10 min$"))
    page.click(".gan-lang")
    expect(page.locator("gan-cost p >> nth=0")).to_have_text(re.compile("^10 分钟约看 [\\d,]+ 张图片$"))


def test_where_offers_machines_with_their_cost_and_train_asks_for_the_chosen_one(visit):
    """The server of this test has no jobs, so its answers about them come from here."""
    page, asked = visit(), []
    where = page.locator("gan-where .tr-where")
    expect(where).to_be_hidden()
    offer = {"owner": "school", "spare": 15, "flavors": [{"name": "t4-small", "title": "T4", "price": 0.4}]}
    page.route("**/gan/jobs", lambda route: route.fulfill(json=offer))

    def train(route):
        asked.append(route.request.post_data_json["flavor"])
        route.fulfill(status=400, json={"error": {"text": "Add credit."}})

    page.route("**/gan/runs", train)
    page.evaluate("dispatchEvent(new CustomEvent('gan:control'))")
    expect(where).to_be_visible()
    page.click("#train-button")
    expect(page.locator("gan-answer .tr-error")).to_have_text("Add credit.")
    page.select_option("gan-where select", "t4-small")
    expect(where.locator("option:checked")).to_have_text("T4: $0.40 an hour")
    expect(where).to_contain_text("about $0.03, at most $0.13. school pays.")
    page.click("gan-time [role=radio] >> nth=3")
    expect(where).to_contain_text("about $0.07, at most $0.17.")
    with page.expect_response("**/gan/runs"):
        page.click("#train-button")
    assert asked == ["", "t4-small"]


def test_recipes_change_the_defaults_and_the_formula(visit):
    page = visit()
    TrainForm(page).open_settings()
    expect(page.locator("#field-z_dim input")).to_have_value("64")
    TrainForm(page).set("seed", 77)
    TrainForm(page).set("z_dim", 32)
    page.click("gan-recipe [role=radio] >> nth=1")
    expect(page.locator("#field-z_dim input")).to_have_value("100")
    expect(page.locator("#field-seed input")).to_have_value("77")  # no recipe sets a seed
    expect(page.locator("gan-recipe .tr-formula")).to_contain_text("softplus( −D(x) )")
    page.click(".tr-break summary:visible")
    page.locator("gan-recipe").get_by_role("radio", name="G copies 12 images").click()
    expect(page.locator("#field-images input")).to_have_value("12")
    expect(page.locator("#field-batch input")).to_have_value("8")
    page.click("gan-recipe [role=radio] >> nth=0")
    expect(page.locator("#field-images input")).to_have_value("0")


def test_a_budget_in_thousands_of_images_is_chosen_kept_and_sent(visit):
    page = visit()
    time_step = page.locator("gan-time")
    time_step.locator("select").select_option("kimg")
    expect(time_step.locator("[aria-checked=true]")).to_have_text("50")
    expect(page.locator("gan-cost .tr-cost-lead")).to_contain_text("About 50,000 images in", timeout=60_000)
    page.fill("gan-time input", "0.2")
    page.press("gan-time input", "Tab")
    page.locator("gan-header").get_by_text("中文").click()
    page.wait_for_function("() => document.documentElement.lang.startsWith('zh')")
    expect(page.locator("gan-time select")).to_have_value("kimg")
    expect(page.locator("gan-time input")).to_have_value("0.2")
    sent = []
    page.route("**/gan/runs", lambda route: (sent.append(route.request.post_data_json), route.abort()))
    page.click("#train-button")
    page.wait_for_timeout(500)
    assert [form["minutes"] for form in sent] == [{"kimg": 0.2}]


def test_points_have_no_budget_in_images(visit):
    page = visit()
    page.locator("gan-time select").select_option("kimg")
    page.get_by_text("Points in the plane").click()
    page.locator("gan-data").get_by_role("radio", name="25 Gaussians").click()
    expect(page.locator("gan-time select")).to_have_value("minutes")
    expect(page.locator("gan-time select option[value=kimg]")).to_be_disabled()
    expect(page.locator("gan-time [aria-checked=true]")).to_have_text("5")
    expect(page.locator("gan-cost .tr-cost-lead")).to_contain_text("5 min on one CPU core")


def test_each_recipe_says_its_size_parameters_and_labels_on_the_chosen_data(visit):
    page = visit()
    facts = page.locator(".gan-kind-images .tr-recipe .tr-facts-line")
    expect(facts.nth(0)).to_have_text("28 px · 672k parameters · with labels")
    expect(facts.nth(1)).to_have_text("64 px · 6.34M parameters · without labels")
    expect(facts.nth(2)).to_have_text("32 px · 536k parameters · without labels")
    page.locator("gan-data").get_by_role("radio", name="Landscapes").click()
    expect(facts.nth(0)).to_have_text(re.compile(r"64 px · \S+ parameters · with labels"))
    expect(facts.nth(2)).to_have_text("32 px · 538k parameters · without labels")
    page.locator("gan-data").get_by_role("radio", name="zip or files").click()
    expect(facts.nth(1)).to_have_text("64 px · 6.34M parameters · without labels")


def test_what_is_typed_before_the_scripts_have_come_stays(browser, address):
    page = browser.new_context(locale="en-US").new_page()
    held = []
    page.route("**/static/train/form/settings.js", lambda route: held.append(route))
    page.goto(f"{address}#tab=train")
    TrainForm(page).open_settings()
    TrainForm(page).set("seed", 77)
    page.wait_for_timeout(1000)  # the load event arrives meanwhile
    for route in held:
        route.continue_()
    page.wait_for_selector("gan-cost .tr-cost-lead:not(:empty)")
    assert held
    expect(page.locator("#field-seed input")).to_have_value("77")
    page.context.close()


def test_what_is_typed_while_a_choice_sets_the_settings_stays(visit):
    page = visit()
    TrainForm(page).open_settings()
    page.evaluate("""() => {
      const answer = window.ganDefaults;
      window.ganDefaults = async (...all) => {
        const settings = await answer(...all);
        await new Promise((later) => { window.release = later; });
        return settings;
      };
    }""")
    page.click("gan-recipe [role=radio] >> nth=1")
    page.wait_for_function("() => window.release")
    page.fill("#field-seed input", "77")
    page.evaluate("() => window.release()")
    expect(page.locator("#field-z_dim input")).to_have_value("100")
    expect(page.locator("#field-seed input")).to_have_value("77")


def test_another_language_and_a_reload_keep_the_form_and_the_theme_stays(visit):
    page = visit()
    page.click("gan-data [role=radio] >> nth=2")
    page.click("gan-recipe [role=radio] >> nth=1")
    page.click("gan-time [role=radio] >> nth=0")
    TrainForm(page).open_settings()
    TrainForm(page).set("seed", 77)
    page.click(".gan-lang")
    expect(page.locator("#train-button")).to_have_text("开始训练")
    expect(page.locator("#tab-train-button")).to_have_text("训练")
    expect(page.locator("gan-step").first).to_contain_text("数据")
    expect(page.locator("gan-data [aria-checked=true]")).to_contain_text("像素人脸")
    expect(page.locator("gan-recipe [aria-checked=true]")).to_contain_text("DCGAN")
    expect(page.locator("gan-time [aria-checked=true]")).to_have_text("1")
    TrainForm(page).open_settings()
    expect(page.locator("#field-seed input")).to_have_value("77")
    expect(page.locator("#field-z_dim input")).to_have_value("100")
    expect(page.locator("#field-size input")).to_have_value("64")
    page.reload()
    expect(page.locator("gan-data [aria-checked=true]")).to_contain_text("像素人脸")
    expect(page.locator("gan-time [aria-checked=true]")).to_have_text("1")
    page.click(".gan-lang")
    expect(page.locator("#train-button")).to_have_text("Train")
    switch = page.locator(".gan-header .gan-ghost").last
    switch.click()
    switch.click()
    expect(page.locator("body.dark")).to_have_count(1)
    page.reload()
    expect(page.locator("body.dark")).to_have_count(1)


def test_a_reader_who_is_faster_than_the_returning_form_keeps_theirs(visit):
    page = visit()
    page.click("gan-data [role=radio] >> nth=2")
    expect(page.locator("gan-data [aria-checked=true]")).to_contain_text("Faces")
    page.add_init_script("""setInterval(() => {
      document.querySelector("#train")?.dispatchEvent(new PointerEvent("pointerdown", {bubbles: true}));
    }, 5)""")
    page.reload()
    page.wait_for_selector("gan-cost .tr-cost-lead:not(:empty)")
    page.wait_for_timeout(1_000)
    expect(page.locator("gan-data [aria-checked=true]")).to_contain_text("Digits")


def test_the_page_fits_a_phone_and_brings_the_reason_back_into_sight(visit):
    page = visit(**PHONE)
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
    assert TrainForm(page).too_low() == []
    TrainForm(page).open_settings()
    TrainForm(page).set("batch", 1)
    # as long as a run on display makes the page
    page.evaluate("document.querySelector('#train').style.paddingBottom = '100vh'")
    page.evaluate(
        "document.activeElement.blur(); document.querySelector('#train-button').scrollIntoView({ "
        "block: 'start', behavior: 'instant' })"
    )
    # without Playwright's click, which might scroll by itself
    page.evaluate("document.querySelector('#train-button').click()")
    expect(page.locator("gan-answer .tr-error")).to_be_in_viewport(ratio=1)
    expect(page.locator("gan-answer .tr-error")).to_contain_text("out of range")


def test_a_lost_connection_is_told_and_survived(visit, address):
    page = visit()
    page.wait_for_selector(".tr-verdict, .tr-empty:visible")
    page.context.set_offline(True)
    expect(page.locator(".tr-offline")).to_be_visible()
    page.context.set_offline(False)
    expect(page.locator(".tr-offline")).to_be_hidden()
