"""Test what the Train tab says of one run in a real browser: verdicts, grids, curves, and more time."""

import json
import re
import subprocess
import time

import psutil
import pytest
from PIL import Image
from playwright.sync_api import expect

from gan.files import append_line
from tests.fakes.runs import state, wait_until
from tests.support.page.runs_list import RunsList

pytestmark = pytest.mark.browser
EVIL = "<img src=x onerror=window.hit=1>"


def test_the_page_says_which_runs_the_mirror_lacks(visit, ended):
    ended()
    refused = {"key": "mirror.outgrown", "values": {"run": EVIL, "gigabytes": 4}, "text": ""}
    mirror = {"place": "bucket:me/runs", "runs": 2, "error": None, "left_out": 1, "lost": {EVIL: refused}}
    told = {"step": 7, "error": None}

    def answer(route):
        poll = route.fetch().json()
        if poll.get("run"):
            poll["kept"]["mirror"], poll["run"]["mirror"] = mirror, told
            poll["version"] = ""
        route.fulfill(json=poll)

    page = visit()
    page.route("**/poll?*", answer)
    page.reload()  # it asks for changes since what it holds
    fact = page.locator(".tr-facts .is-mirror dd")
    expect(fact).to_have_text("up to step 7")
    told["error"] = refused
    expect(fact).to_contain_text(f"Not mirrored. The run “{EVIL}” has more than 4 GB")
    RunsList(page).open()
    kept = page.locator(".tr-kept")
    expect(kept).to_contain_text("Mirrored to bucket:me/runs: 2 runs.")
    expect(kept).to_contain_text("Runs that can't be mirrored: 1.")
    expect(kept).to_contain_text(f"The run {EVIL} of the mirror could not be restored.")


def test_a_run_whose_checkpoints_are_damaged_starts_again_from_nothing(visit, runs, ended):
    run_id = ended(
        state="failed", error={"key": "train.no_sound_checkpoint", "values": {}, "text": "no sound one"}
    )
    page = visit()
    button = page.locator("[data-command=restart]")
    expect(button).to_have_text("Restart from scratch")
    expect(page.locator("[data-command=resume]")).to_be_hidden()
    expect(page.locator(".tr-picture:visible")).to_have_attribute("src", re.compile("00000040.webp"))
    button.click()
    expect(button).to_have_text("Really restart?")
    assert state(runs, run_id) == "failed"
    page.wait_for_timeout(600)  # two clicks within a shorter time count as one press
    button.click()
    wait_until(lambda: state(runs, run_id) == "finished")
    expect(page.locator(".tr-picture:visible")).to_have_attribute("src", re.compile("00000020.webp"))
    assert 40 not in runs.samples(run_id)


def test_a_run_that_went_back_shows_its_new_grid_of_the_same_step(visit, runs, ended):
    """Browsers cache grids permanently."""
    run_id = ended()
    page = visit()
    picture = page.locator(".tr-picture:visible")
    expect(picture).to_have_attribute("src", re.compile("00000040.webp"))
    before = picture.get_attribute("src")
    red = (
        "img => { const c = document.createElement('canvas'); c.width = c.height = 1; const x = "
        "c.getContext('2d'); x.drawImage(img, 0, 0, 1, 1); "
        "return [...x.getImageData(0, 0, 1, 1).data][0]; }"
    )
    assert picture.evaluate(red) < 200
    Image.new("L", (224, 224), 250).save(runs.path(run_id) / "samples" / "00000040.webp")
    append_line(
        runs.path(run_id) / "events.jsonl",
        {"time": time.time(), "key": "rolled_back", "values": {"at": 50, "step": 30, "percent": "50"}},
    )
    expect(picture).not_to_have_attribute("src", before)
    assert picture.evaluate(red) > 240


def test_a_page_that_stays_open_for_hours_keeps_its_curves_and_its_size(visit, runs, ended):
    run_id = ended()
    stats = runs.path(run_id) / "stats.jsonl"
    at = lambda step: {  # noqa: E731
        "step": step,
        "images": 8 * step,
        "loss_d": 0.5,
        "loss_g": 1.0,
        "real": 0.1,
        "fake": -0.1,
    }
    append_line(stats, at(0))
    page = visit()
    shown = lambda: page.evaluate(  # noqa: E731
        "() => { const { x } = document.querySelector('gan-stage').charts.losses; return [x.length, "
        "x[0], x.at(-1)]; }"
    )
    most = 0
    for start in range(1, 9000, 1400):
        with open(stats, "a") as file:
            file.writelines(json.dumps(at(step)) + "\n" for step in range(start, start + 1400))
        last = 8 * (start + 1399) / 1000
        page.wait_for_function(
            "last => document.querySelector('gan-stage').charts.losses.x.at(-1) === last", arg=last
        )
        assert shown()[1:] == [0, last]
        most = max(most, shown()[0])
    assert 4000 < most <= 6000
    x = page.evaluate("() => document.querySelector('gan-stage').charts.losses.x")
    assert x == sorted(set(x)), "each once, in order"


def test_a_failed_run_folds_its_log_under_the_sentence(visit, runs, ended):
    run_id = ended(
        state="failed", error={"key": "runs.ended", "values": {"seconds": 60}, "text": "It was ended."}
    )
    (runs.path(run_id) / "worker.log").write_text("no room on the device\n")
    page = visit(lang="zh-CN")
    page.evaluate("async id => (await import('/gradio_api/gan/static/shell/run-feed.js')).view(id)", run_id)
    expect(page.locator(".tr-verdict")).to_contain_text("60")
    lines = page.locator(".tr-last .tr-lines")
    expect(lines).to_have_text("no room on the device")
    expect(lines).to_be_hidden()
    page.click(".tr-last > summary")
    expect(lines).to_be_visible()


def test_state_and_pause_stay_in_sight_over_the_curves(visit, runs, ended):
    with subprocess.Popen(["sleep", "3600"]) as worker:  # the server takes it for the run's worker
        started = psutil.Process(worker.pid).create_time()
        run_id = ended(state="running", pid=worker.pid, pid_started=started, heartbeat=time.time() + 600)
        try:
            _stay_in_sight(visit(), runs, run_id)
        finally:
            worker.kill()


def _stay_in_sight(page, runs, run_id):
    page.evaluate("async id => (await import('/gradio_api/gan/static/shell/run-feed.js')).view(id)", run_id)
    page.set_viewport_size({"width": 1280, "height": 500})
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    for part in (".gan-pill", ".gan-pause", "#tab-train-button"):
        expect(page.locator(part)).to_be_in_viewport()
    assert page.evaluate("scrollY") > 100
    page.click(".gan-pause")
    wait_until(lambda: runs.commands(run_id) == {"pause"})
    page.click("#tab-explore-button")
    expect(page.locator(".gan-pause")).to_be_hidden()


def test_a_finished_run_is_given_more_time(visit, runs, ended):
    run_id = ended()
    (runs.path(run_id) / "state").mkdir()
    (runs.path(run_id) / "state" / "checkpoint.safetensors").write_bytes(b"no weights")
    before = runs.config(run_id).kimg
    page = visit()
    listed = RunsList(page).open()
    listed.row("Digits").get_by_role("button").first.click()
    field = page.get_by_label("More thousand images")
    field.fill("0")
    page.click("[data-command=more]")
    assert runs.config(run_id).kimg == before
    field.fill("2.5")
    page.click("[data-command=more]")
    expect(page.locator(".tr-events")).to_contain_text("2.5 thousand more")
    assert runs.config(run_id).kimg == before + 2.5
    expect(field).to_be_hidden()
    wait_until(lambda: state(runs, run_id) == "failed")


def test_a_model_to_start_from_sets_the_shapes_of_the_form(visit):
    page = visit()
    page.get_by_text("Start from a model").click()
    select = page.get_by_label("Start from a model")
    expect(select.locator("option")).not_to_have_count(1)
    select.select_option("shipped:faces")
    expect(page.locator("gan-start .tr-about")).to_contain_text("begin anew")
    page.click("#train-advanced > button")
    expect(page.locator("#field-pixel input")).to_have_value("4")
    expect(page.locator("#field-size input")).to_have_value("64")
    expect(page.locator("#field-channels input")).to_have_value("3")
    page.locator("gan-recipe details summary").first.click()
    page.get_by_role("radio", name="Textbook DCGAN").click()
    expect(page.locator("gan-cost .tr-cost-lead")).to_contain_text("Choose a recipe")
    select.select_option("")
    expect(page.locator("#field-z_dim input")).to_have_value("100")


def test_states_processors_and_figures_are_told_in_the_reader_s_language(visit):
    i18n, form, plot = (
        f"await import('/gradio_api/gan/static/{name}.js')"
        for name in ("core/i18n", "core/format", "widgets/plot")
    )
    error = "{key: 'runs.cant_pause', values: {state: 'finished'}, text: ''}"
    names = "device('CPU, 1 thread'), device('CPU, 8 threads')"
    script = (
        f"async () => {{ const [{{ sentence }}, {{ device }}] = [{i18n}, {form}]; return "
        f"[sentence({error}), {names}]; }}"
    )
    english = "This run is finished, so it can't be paused. Only a run that is training or waiting can."
    assert visit().evaluate(script) == [english, "CPU, 1 thread", "CPU, 8 threads"]
    page = visit(lang="zh-CN")
    assert page.evaluate(script) == [
        "这次训练的状态是“已完成”，不能暂停。只有正在训练或排队的才能暂停。",
        "CPU，1 线程",
        "CPU，8 线程",
    ]
    ticks = [
        (-6e6, 2e6),
        (-2.5e6, 2.5e6),
        (0, 2e6),
        (12500, 2500),
        (-0.05, 0.05),
        (-0.001, 1),
        (1.002e6, 2000),
        (7500, 2500),
    ]
    shown = page.evaluate(
        (
            f"async (ticks) => {{ const {{ figure }} = {plot}; return ticks.map(([value, least]) => "
            f"figure(value, least)); }}"
        ),
        ticks,
    )
    assert shown == ["−6M", "−2.5M", "0", "12.5k", "−0.05", "0", "1.002M", "7500"]
