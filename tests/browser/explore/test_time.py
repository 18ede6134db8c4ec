"""Test the view "time" in a real browser and by its routes: one latent vector through a run's snapshots."""

import io
import json

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect
from starlette.applications import Starlette
from starlette.testclient import TestClient

from gan.files import write_json
from gan.runs.store import Store
from gan.ui.explore.routes import explore_routes
from gan.ui.server.services import Services
from tests.support.inputs.generators import (
    RUN,
    tiny_spec,
    write_checkpoint,
    write_run,
    write_snapshot,
    write_weights,
)
from tests.support.page.browsing import PHONE
from tests.support.page.explorer.explorer import Explorer
from tests.support.page.explorer.panels.picture import Picture
from tests.support.page.explorer.time import TimeView
from tests.support.page.explorer.views import Layout
from tests.support.page.exploring import bar
from tests.support.page.moving import as_new, visitor

LIVE = "20250102-040506-digits-modern"
BARE = "20250102-050607-digits-modern"
SPEC = tiny_spec(3, channels=3, z_dim=8)
STEPS = (10, 13, 17, 22, 29, 38, 50, 65, 85, 110)
IMAGES = 64  # in a step
ID = f"run:{RUN}"


def write_past(root, name: str, steps=STEPS, **status):
    run = write_run(
        root,
        name,
        SPEC,
        seed=steps[-1],
        step=steps[-1],
        images=IMAGES * steps[-1],
        classes=["cat", "dog", "owl"],
        **status,
    )
    for step in steps:
        write_snapshot(run, step, SPEC)
    return run


# Routes


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("routes")
    write_past(root / "runs", RUN)
    write_checkpoint(root / "checkpoints", "digits", SPEC)
    return root


@pytest.fixture(scope="module")
def ask(root):
    services = Services(store=Store(root / "runs"), checkpoints=root / "checkpoints")
    browser = TestClient(Starlette(routes=explore_routes(services)), raise_server_exceptions=False)
    return lambda path, **query: browser.get(f"/gradio_api/gan/{path}", params=query)


def pixels(reply) -> np.ndarray:
    assert reply.status_code == 200, reply.text
    assert reply.headers["cache-control"] == "no-store"
    return np.asarray(Image.open(io.BytesIO(reply.content))).astype(int)


def test_tells_which_snapshots_there_are(ask):
    assert ask("times", id=ID).json() == [{"step": step, "images": IMAGES * step} for step in STEPS]
    assert ask("times", id="shipped:digits").json() == []
    assert ask("times", id="run:../routes").json()["error"]["key"] == "latent.unknown_model"


def test_draws_a_column_of_moments_and_a_grid_with_a_direction(ask):
    column = pixels(ask("time", id=ID, seed=3, steps="10,110"))
    assert column.shape == (56, 28, 3)
    assert np.array_equal(column[28:], pixels(ask("image", id=ID, seed=3))), (
        "the newest snapshot has the newest weights"
    )
    grid = pixels(ask("time", id=ID, seed=3, steps="10,110", i="p1"))
    assert grid.shape == (56, 7 * 28, 3)
    assert np.abs(grid[:, 84:112] - column).max() <= 1
    for place, amount in ((0, -3), (6, 3)):
        assert (
            np.abs(
                grid[28:, 28 * place : 28 * place + 28] - pixels(ask("image", id=ID, seed=3, d=f"0,{amount}"))
            ).max()
            <= 1
        )


def test_changed_units_are_changed_at_every_step(ask):
    plain, changed = (
        pixels(ask("time", id=ID, seed=3, steps="10,110", u=units)) for units in ("", "0.1:0,1.2:4")
    )
    assert np.array_equal(changed[28:], pixels(ask("image", id=ID, seed=3, u="0.1:0,1.2:4")))
    assert np.abs(changed - plain).max((1, 2)).reshape(2, 28).max(1).min() > 4, "in both rows"


@pytest.mark.parametrize(("query", "key"), [
    ({"steps": "10", "u": "0.4000:0"}, "unknown_unit"), ({"steps": "10", "u": "0.1:5"}, "range"),
    ({"steps": ""}, "not_whole"), ({"steps": "../../etc"}, "not_whole"), ({"steps": "-1"}, "not_whole"),
    ({"steps": "9" * 30}, "not_whole"),
    ({"steps": "9" * 14}, "range"), ({"steps": ",".join(["10"] * 41)}, "too_many"),
    ({"steps": ",".join(["10"] * 30), "i": "p0"}, "too_many"),
    ({"steps": "11"}, "unknown_snapshot"), ({"steps": "10", "i": "p8"}, "unknown_direction"),
    ({"steps": "10", "i": "1"}, "unknown_direction"),
    ({"steps": "10", "seed": "x"}, "not_whole"),
    ({"steps": "10", "id": "shipped:digits"}, "no_snapshots"),
    ({"steps": "10", "id": "run:../runs"}, "unknown_model"),
])  # fmt: skip
def test_wrong_values_get_a_sentence(ask, root, query, key):
    reply = ask("time", **{"id": ID, **query})
    assert reply.status_code in (400, 404)
    assert reply.json()["error"]["key"] == f"latent.{key}"
    assert str(root) not in reply.text


# The page


@pytest.fixture(scope="module")
def runs(runs_folder):
    write_past(runs_folder, RUN, created=1.0)
    write_past(runs_folder, LIVE, STEPS[:4], state="running", created=2.0)
    write_run(runs_folder, BARE, SPEC, classes=["cat", "dog", "owl"], created=3.0)
    return runs_folder


@pytest.fixture(scope="module")
def tab(browser, address):
    """The page of one visitor. The server draws every image."""
    with visitor(browser, address, draws=False) as page:
        yield page


@pytest.fixture
def page(tab):
    """The view as a new visitor finds it."""
    as_new(tab, draws=False)
    TimeView(tab).watch(ID)
    TimeView(tab).settled()
    return tab


@pytest.fixture
def timeline(page):
    return TimeView(page)


def slider(page: Page):
    return page.get_by_role("slider", name="Images seen")


@pytest.mark.browser
def test_the_slider_and_its_keys_go_through_the_training(page, timeline):
    bar = slider(page)
    expect(bar).to_have_attribute("aria-valuetext", "7,040 images")
    asked = []
    page.on("request", lambda request: asked.append(request.url) if "/gan/time" in request.url else None)
    seen = [timeline.film()]
    bar.focus()
    for key, images in (("ArrowLeft", "5,440"), ("Home", "640"), ("ArrowRight", "832")):
        bar.press(key)
        expect(bar).to_have_attribute("aria-valuetext", f"{images} images")
        seen.append(timeline.film())
    assert len(set(seen)) == 4
    box = bar.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert "1,856" in bar.get_attribute("aria-valuetext") or "2,432" in bar.get_attribute("aria-valuetext"), (
        "half of a logarithmic line"
    )
    assert asked == [], "what was drawn needs no server"


@pytest.mark.browser
def test_plays_from_the_beginning_to_the_end(page, timeline):
    page.get_by_role("button", name="Play", exact=True).click()
    expect(page.get_by_role("button", name="Pause", exact=True)).to_be_visible()
    timeline.wait_for_amount("1,088 images")
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()
    expect(slider(page)).to_have_attribute("aria-valuetext", "7,040 images")


@pytest.mark.browser
def test_the_point_moves_the_film_but_not_while_it_is_dragged(page, timeline, address):
    before = timeline.film()
    bar(page, "p0").fill("2.5")
    timeline.wait_for_other_film(before)
    timeline.settled()
    assert timeline.film() == Picture(page).pixels(), "the newest snapshot is the model"


@pytest.mark.browser
def test_a_cell_of_the_grid_goes_to_its_moment_and_its_amount(page, timeline):
    page.get_by_label("Horizontal direction").select_option("p2")
    timeline.settled()
    cells = page.get_by_role("group", name="Direction × training").get_by_role("button")
    expect(cells).to_have_count(56)
    page.get_by_role("button", name="After 640 images, Direction 3 at +2").click()
    expect(slider(page)).to_have_attribute("aria-valuetext", "640 images")
    expect(bar(page, "p2")).to_have_value("2")
    expect(page.get_by_role("button", name="After 640 images, Direction 3 at +2")).to_have_attribute(
        "aria-current", "true"
    )
    page.wait_for_function("location.hash.includes('axes=p2')")
    labels = timeline.moments.all_inner_texts()
    assert (len(labels), labels[0], labels[-1]) == (8, "640", "7,040")
    assert timeline.axes.all_inner_texts() == ["Direction 3 (σ)", "Images seen"]


@pytest.mark.browser
def test_the_saved_grid_says_that_a_machine_made_it(page):
    page.evaluate("""() => {
      window.written = [];
      const { fillText } = CanvasRenderingContext2D.prototype;
      CanvasRenderingContext2D.prototype.fillText = function (text, ...rest) {
        written.push(text);
        return fillText.call(this, text, ...rest);
      };
    }""")
    with page.expect_download() as info:
        page.get_by_role("button", name="Download this grid as PNG").click()
    saved = Image.open(info.value.path())
    saved.load()
    assert saved.info["Software"] == "GANarium"
    assert "trainedAlgorithmicMedia" in saved.info["XML:com.adobe.xmp"]
    assert saved.width > 7 * 64
    assert {"Direction 1 (σ)", "Images seen", "−3", "+3", "640", "7,040"} < set(page.evaluate("written"))


@pytest.mark.browser
def test_new_snapshots_of_a_running_run_appear(page, timeline, runs):
    timeline.watch(f"run:{LIVE}")
    timeline.settled()
    expect(slider(page)).to_have_attribute("aria-valuetext", "1,408 images")
    slider(page).press("Home")
    run = runs / LIVE
    write_snapshot(run, 40, SPEC)
    write_json(
        run / "status.json",
        {**json.loads((run / "status.json").read_text()), "step": 40, "images": 40 * IMAGES},
    )
    write_weights(run / "live.safetensors", SPEC, seed=40)
    expect(timeline.moments.last).to_have_text("2,560")
    expect(slider(page)).to_have_attribute("aria-valuetext", "640 images")
    timeline.settled()
    slider(page).press("End")
    expect(slider(page)).to_have_attribute("aria-valuetext", "2,560 images")


@pytest.mark.browser
def test_what_was_thinned_out_or_is_damaged_is_left_out(page, timeline, runs):
    name = "20250102-060708-digits-modern"
    run = write_past(runs, name, STEPS[:5], created=4.0)
    timeline.watch(f"run:{name}")
    expect(timeline.moments).to_have_count(5)
    timeline.settled()
    (run / "snapshots" / "00000013.safetensors").unlink()
    damaged = run / "snapshots" / "00000017.safetensors"
    damaged.write_bytes(damaged.read_bytes()[:-100])
    page.get_by_role("button", name="Randomise").click()
    expect(timeline.moments).to_have_count(3)
    expect(Explorer(page).note).to_contain_text("The snapshot of step 17")
    timeline.settled()


@pytest.mark.browser
@pytest.mark.parametrize(("model", "told"), [
    ("shipped:digits", "This model has no training snapshots"), (f"run:{BARE}", "This run has no snapshots"),
])  # fmt: skip
def test_without_snapshots_it_says_what_to_do(page, timeline, model, told):
    timeline.watch(model)
    expect(page.get_by_role("heading", name=told)).to_be_visible()
    timeline.nothing.get_by_role("button", name="Go to Train").click()
    expect(page.locator("#tab-train-button")).to_have_attribute("aria-selected", "true")
    page.locator("#tab-explore-button").click()


@pytest.mark.browser
@pytest.mark.parametrize("lang", ["en-US", "zh-CN"])
def test_fits_a_phone(browser, address, lang):
    with visitor(browser, address, draws=False, locale=lang, **PHONE) as page:
        timeline = TimeView(page)
        timeline.watch(ID)
        timeline.grid.scroll_into_view_if_needed()
        timeline.settled()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert "explore." not in timeline.view.inner_text()
        bar = page.get_by_role("slider", name={"en-US": "Images seen", "zh-CN": "已看图片数"}[lang])
        bar.scroll_into_view_if_needed()
        box = bar.bounding_box()
        page.touchscreen.tap(box["x"] + 12, box["y"] + box["height"] / 2)
        expect(bar).to_have_attribute("aria-valuetext", {"en-US": "640 images", "zh-CN": "640 张图片"}[lang])
        assert timeline.too_low() == []
        timeline.watch("shipped:digits")
        timeline.nothing.get_by_role("heading").wait_for()
        assert Layout(page).cut_off_titles() == []
