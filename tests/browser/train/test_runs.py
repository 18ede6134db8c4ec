"""Test the list of runs in a real browser: names, deletion, the queue, hanging workers, and disk use."""

import json
import re
import time

import psutil
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from gan.files import append_line
from gan.runs.store import Store
from tests.fakes.app import impatient
from tests.fakes.runs import past, state, tiny, wait_until
from tests.support.browsing import PHONE, serve, spare_is_ready
from tests.support.generators import tiny_spec, write_weights
from tests.support.listing import open_list, post, press_twice, row, tool

pytestmark = pytest.mark.browser
EVIL = "<img src=x onerror=window.hit=1>"


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    return Store(tmp_path_factory.mktemp("care") / "runs")


@pytest.fixture(scope="module")
def address(runs):
    with serve(runs.root, change=impatient) as address:
        spare_is_ready(runs.root)
        yield address


@pytest.fixture
def visit(browser, address):
    """Open a tab as a new visitor. A script error or a name that becomes a script fails the test."""
    pages, faults = [], []

    def open_page(tab: str = "train", lang: str = "en-US", **options) -> Page:
        page = browser.new_context(
            **{"viewport": {"width": 1280, "height": 900}, "locale": lang, **options}
        ).new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(f"{address}#tab={tab}")
        page.wait_for_selector(
            "gan-time [aria-checked=true]" if tab == "train" else ".xp-card", state="attached"
        )
        pages.append(page)
        return page

    yield open_page
    hits = [page.evaluate("window.hit") for page in pages]
    for page in pages:
        page.context.close()
    assert (faults, [hit for hit in hits if hit]) == ([], [])


@pytest.fixture
def ended(runs):
    """Make finished runs that visitors can explore. The runs that a test leaves are removed."""
    made = []

    def make(seed: int = 0, **status) -> str:
        def fill(folder):
            write_weights(folder / "live.safetensors", tiny_spec(), seed)
            (folder / "samples").mkdir()
            Image.effect_noise((224, 224), 80).save(folder / "samples" / "00000040.webp")

        known = {
            "state": "finished",
            "step": 40,
            "sample_step": 40,
            "live_step": 40,
            "images": 1000,
            "progress": 1.0,
        }
        made.append(past(runs, tiny(seed=seed), fill, **{**known, **status}))
        return made[-1]

    yield make
    for run_id in made:
        if (runs.root / run_id).exists():
            runs.hide(run_id)
    runs.sweep()


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
    open_list(page)
    kept = page.locator(".tr-kept")
    expect(kept).to_contain_text("Mirrored to bucket:me/runs: 2 runs.")
    expect(kept).to_contain_text("Runs that can't be mirrored: 1.")
    expect(kept).to_contain_text(f"The run {EVIL} of the mirror could not be restored.")


def test_a_run_is_renamed_in_place_and_its_name_is_plain_text(visit, runs, ended):
    run_id = ended()
    page, other = visit(), visit()
    open_list(page)
    tool(row(page, "Digits"), "Rename").click()
    field = page.get_by_label("Name of the run")
    expect(field).to_be_focused()
    field.fill("My ")
    field.press("Escape")
    expect(row(page, "Digits")).to_be_visible()
    expect(tool(row(page, "Digits"), "Rename")).to_be_focused()
    page.keyboard.press("Enter")
    field.fill(EVIL)
    field.press("Enter")
    expect(row(page, EVIL)).to_be_visible()
    expect(page.locator(".tr-title")).to_contain_text(f"{EVIL} · Digits · Modern")
    expect(other.locator(".tr-title")).to_contain_text(EVIL)
    assert runs.get(run_id)["name"] == EVIL
    page.click("#tab-explore-button")
    expect(page.locator(".xp-card b", has_text=EVIL)).to_be_visible()
    page.locator(".xp-card", has_text=EVIL).click()
    expect(page.locator(".xp-card[aria-pressed=true] b")).to_have_text(EVIL)
    page.click("#tab-train-button")
    tool(row(page, EVIL), "Rename").click()
    field.fill("   ")
    page.click(".tr-rename button[type=submit]")
    expect(row(page, "Digits")).to_be_visible()
    expect(page.locator(".tr-title")).to_have_text(re.compile("^Digits · Modern"))


def test_a_name_that_is_being_typed_survives_what_happens_meanwhile(visit, address, ended):
    first = ended()
    page = visit()
    open_list(page)
    tool(row(page, "Digits"), "Rename").click()
    page.get_by_label("Name of the run").fill("My ca")
    second = ended(seed=1)
    expect(page.locator(".tr-runs li")).to_have_count(2)
    expect(page.get_by_label("Name of the run")).to_have_value("My ca")
    expect(page.get_by_label("Name of the run")).to_be_focused()
    page.keyboard.type("ts")
    page.keyboard.press("Enter")
    expect(row(page, "My cats")).to_be_visible()
    post(address, f"runs/{second}/rename?name={'x' * 60}")
    expect(page.locator(".tr-runs b").first).to_have_text("x" * 60)
    post(address, f"runs/{first}/delete")
    expect(page.locator(".tr-runs li")).to_have_count(1)


def test_a_run_is_deleted_by_two_presses(visit, runs, ended):
    kept, gone = ended(), ended(seed=1)
    runs.rename(kept, "Kept")
    runs.rename(gone, "Gone")
    (runs.path(gone) / "config.json").write_text("{")  # a visitor can delete a damaged run as well
    page, other = visit(), visit()
    open_list(page)
    button = tool(row(page, "Gone"), "Delete")
    button.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".tr-tool.is-asking")).to_have_text("Really delete?")
    expect(page.locator(".tr-tool.is-asking")).to_have_count(0)  # nobody pressed again
    assert runs.get(gone)["name"] == "Gone"
    button.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(row(page, "Gone")).to_have_count(0)
    expect(page.locator(".tr-list .tr-told")).to_have_text("Deleted.")
    expect(row(page, "Kept").locator(".tr-open")).to_be_focused()
    expect(other.locator(".tr-title")).to_contain_text("Kept")
    wait_until(lambda: [entry.name for entry in runs.root.iterdir() if gone in entry.name] == [])
    delete = tool(row(page, "Kept"), "Delete")
    delete.dblclick()  # a double click counts as one press
    expect(page.locator(".tr-tool.is-asking")).to_be_visible()
    assert runs.get(kept)["name"] == "Kept"
    page.locator(".tr-tool.is-asking").click()
    expect(page.locator(".tr-empty")).to_be_visible()
    expect(other.locator(".tr-empty")).to_be_visible()


def test_a_refusal_is_told_beside_the_list(visit, address, ended):
    run_id = ended()
    page = visit()
    open_list(page)
    page.route("**/delete", lambda route: route.continue_(url=route.request.url.replace(run_id, "none")))
    press_twice(tool(row(page, "Digits"), "Delete"))
    expect(page.locator(".tr-list .tr-told.is-bad")).to_have_text(
        "There is no run called “none”. Choose one from the list of runs."
    )


def test_explore_survives_the_deletion_of_what_it_shows(visit, address, runs, ended):
    run_id = ended()
    runs.rename(run_id, "My cats")
    page = visit("explore")
    page.locator(".xp-card", has_text="My cats").click()
    expect(page.locator(".xp-card[aria-pressed=true]")).to_contain_text("My cats")
    page.wait_for_function("() => document.querySelector('.xp-canvas').width > 1")
    post(address, f"runs/{run_id}/delete")
    page.locator(".xp-tools .xp-random").click()
    expect(page.locator(".xp-note")).to_have_text("“My cats” was deleted. Another model is shown instead.")
    expect(page.locator(".xp-card[aria-pressed=true]")).not_to_contain_text("My cats")
    expect(page.locator(".xp-sliders input").first).to_be_enabled()
    before = page.locator(".xp-canvas").evaluate("(canvas) => canvas.toDataURL()")
    page.locator(".xp-tools .xp-random").click()
    page.wait_for_function(
        "before => document.querySelector('.xp-canvas').toDataURL() !== before", arg=before
    )
    page.locator(".xp-card").nth(1).click()
    expect(page.locator(".xp-note")).to_be_hidden()


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
    open_list(page)
    waiting = page.locator(".tr-runs li").nth(1)
    expect(waiting.locator(".tr-open span")).to_have_text(
        re.compile(r"^yours · place 1, starts in about [45] min · Modern")
    )
    expect(tool(waiting, "Delete")).to_be_hidden()
    tool(waiting, "from the queue").click()
    expect(page.locator(".tr-list .tr-told")).to_have_text("Removed from the queue.")
    expect(tool(waiting, "Delete")).to_be_visible()
    expect(tool(page.locator(".tr-runs li").first, "Delete")).to_be_hidden()
    assert (state(runs, first), state(runs, second)) == ("running", "stopped")
    end(runs, first)


def test_older_runs_are_shown_when_they_are_wanted_and_can_be_kept_in_order(visit, runs):
    now = time.time()
    made = [past(runs, tiny(), state="paused", created=now - 60 * age) for age in range(130)]
    for age, run_id in enumerate(made):
        runs.rename(run_id, f"Nr {age}.")
    page, asked = visit(), []
    page.on("request", lambda request: asked.append(request.url) if "runs/older" in request.url else None)
    open_list(page)
    total = len(runs.list())
    rows, foot = page.locator(".tr-runs li"), page.locator(".tr-foot span")
    more = page.get_by_role("button", name="Show more")
    expect(foot).to_have_text(f"60 of {total}")
    expect(page.locator(".tr-list > summary")).to_contain_text(f"({total})")
    expect(rows).to_have_count(60)
    assert asked == []
    more.focus()
    page.keyboard.press("Enter")
    expect(foot).to_have_text(f"120 of {total}")
    expect(more).to_be_focused()
    tool(row(page, "Nr 110."), "Rename").click()
    page.get_by_label("Name of the run").fill("Mine")
    tool(row(page, "Nr 3."), "Delete").evaluate("(button) => { button.click(); button.click(); }")
    expect(row(page, "Nr 3.")).to_have_count(0)
    expect(rows).to_have_count(119 if total == 120 else 120)
    page.get_by_label("Name of the run").press("Enter")
    expect(row(page, "Mine")).to_be_visible()
    press_twice(tool(row(page, "Mine"), "Delete"))
    expect(row(page, "Mine")).to_have_count(0)
    more.focus()
    page.keyboard.press("Enter")
    expect(rows).to_have_count(total - 2)
    expect(page.locator(".tr-foot")).to_be_hidden()
    expect(rows.nth(120).locator(".tr-open")).to_be_focused()
    runs.rename(made[-1], "From elsewhere")
    expect(row(page, "From elsewhere")).to_be_visible()
    for run_id in made:
        if (runs.root / run_id).exists():
            runs.hide(run_id)
    runs.sweep()


def test_a_hanging_run_is_told_and_ended(visit, runs):
    page = visit(**PHONE)
    page.click("#train-button")
    page.wait_for_selector(".tr-bar[data-state=running]")
    run_id = runs.list()[0]["id"]
    expect(page.locator("[data-command=end]")).to_be_hidden()
    worker = psutil.Process(runs.status(run_id)["pid"])
    worker.suspend()
    verdict = page.locator(".tr-verdict")
    expect(verdict).to_have_text(re.compile(r"^Not responding for \d+ s: the training seems to hang\."))
    expect(verdict).to_have_attribute("data-level", "warn")
    expect(page.locator(".gan-pill")).to_have_text("Not responding")
    expect(page.locator(".gan-pill")).to_have_attribute("data-state", "silent")
    expect(page.locator(".tr-facts dd").nth(1)).to_have_text("–")
    expect(page.locator(".tr-facts dd").nth(2)).to_have_text("–")
    expect(page.locator(".tr-live")).not_to_have_class(re.compile("is-live"))
    expect(page.locator(".tr-runs small").first).to_have_text("Not responding", use_inner_text=False)
    button = page.locator("[data-command=end]")
    assert button.bounding_box()["height"] >= 40
    press_twice(button)
    expect(verdict).to_have_text(
        re.compile(
            r"^The training process did not respond for \d+ s and was stopped by force\. Resume the run"
        )
    )
    assert not worker.is_running()
    page.click("[data-command=resume]")
    wait_until(lambda: state(runs, run_id) == "running")
    expect(page.locator("[data-command=end]")).to_be_hidden()
    end(runs, run_id)


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


def end(runs: Store, run_id: str) -> None:
    """Stop a run, and delete it."""
    runs.send(run_id, "stop")
    wait_until(lambda: state(runs, run_id) == "stopped")
    wait_until(lambda: not psutil.pid_exists(runs.status(run_id)["pid"] or 0))
    for run in runs.list():
        runs.hide(run["id"])
    runs.sweep()


def test_the_lock_closes_by_itself_where_the_server_has_forgotten_this_browser(visit, ended):
    """A server forgets its browsers at a restart.

    The poll tells the page so, before anybody presses a button.
    """
    ended()
    page = visit()
    expect(page.locator(".tr-list .needs-control").first).to_be_attached()
    open_list(page)
    expect(tool(row(page, "Digits"), "Rename")).to_be_visible()
    page.route("**/gan/access", lambda route: route.fulfill(json={"needed": True, "control": False}))

    def locked(route):
        reply = route.fetch()
        route.fulfill(response=reply, json={**reply.json(), "control": False})

    page.route("**/gan/poll*", locked)
    expect(tool(row(page, "Digits"), "Rename")).to_be_hidden()
    expect(page.locator(".gan-lock")).to_be_visible()
    page.unroute_all(behavior="ignoreErrors")


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


@pytest.mark.parametrize(("lang", "scheme"), [("en-US", "light"), ("zh-CN", "dark")])
def test_the_list_fits_a_phone(visit, runs, ended, lang, scheme):
    runs.rename(ended(), "A very long name of a run, as long as it may be, 60 letters.")
    ended(seed=1, state="paused")
    page = visit(lang=lang, color_scheme=scheme, **PHONE)
    open_list(page)
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


def test_a_finished_run_is_given_more_time(visit, runs, ended):
    run_id = ended()
    (runs.path(run_id) / "state").mkdir()
    (runs.path(run_id) / "state" / "checkpoint.safetensors").write_bytes(b"no weights")
    before = runs.config(run_id).kimg
    page = visit()
    open_list(page)
    row(page, "Digits").get_by_role("button").first.click()
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
    page.get_by_role("radio", name="DCGAN").click()
    expect(page.locator("gan-cost .tr-cost-lead")).to_contain_text("Choose a recipe")
    select.select_option("")
    expect(page.locator("#field-z_dim input")).to_have_value("100")
