"""Test that the history of samples and the curves move each other."""

import json

import pytest
from PIL import Image
from playwright.sync_api import expect

pytestmark = pytest.mark.browser
STEPS = range(10, 101, 10)


@pytest.fixture
def page(visit, runs, ended):
    """A finished run with ten grids, whose loss of D is its step, and its page."""
    folder = runs.root / ended(step=100, sample_step=100, images=6_400)
    lines = [
        {
            "step": step,
            "images": 64 * step,
            "seconds": step,
            "loss_d": step,
            "loss_g": 0,
            "real": 0,
            "fake": 0,
        }
        for step in range(1, 101)
    ]
    (folder / "stats.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    for step in STEPS:
        Image.new("L", (224, 224), step).save(folder / "samples" / f"{step:08d}.webp")
    page = visit()
    page.wait_for_selector(".tr-plot canvas")
    page.wait_for_function("() => document.querySelector('gan-stage')?.charts.losses.x.length === 100")
    return page


def marked(page) -> float | None:
    return page.evaluate("document.querySelector('gan-stage').charts.losses.marked")


def test_moving_through_the_history_moves_a_line_on_the_curves(page):
    assert marked(page) is None, "the newest samples need no mark"
    newest = page.locator(".tr-key b").first.inner_text()
    for _ in range(4):
        page.get_by_label("Earlier samples").click()
    assert marked(page) == pytest.approx(64 * 60 / 1000)
    assert float(page.locator(".tr-key b").first.inner_text()) < float(newest)
    page.get_by_role("button", name="Newest").click()
    assert marked(page) is None
    expect(page.locator(".tr-key b").first).to_have_text(newest)


def test_a_press_on_a_curve_shows_the_samples_of_that_time(page):
    plot = page.locator(".tr-plot .u-over").last
    box = plot.bounding_box()
    plot.click(position={"x": 0.31 * box["width"], "y": box["height"] / 2})
    assert marked(page) == pytest.approx(64 * 30 / 1000)
    expect(page.locator(".tr-caption")).to_have_text("1,920 images")
    plot.click(position={"x": box["width"] - 2, "y": box["height"] / 2})
    assert marked(page) is None, "the last grid is the newest one"


def test_a_range_that_is_dragged_zooms_and_moves_no_samples(page):
    box = page.locator(".tr-plot .u-over").first.bounding_box()
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 0.2 * box["width"], y)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.6 * box["width"], y, steps=5)
    page.mouse.up()
    expect(page.get_by_role("button", name="Reset zoom")).to_be_visible()
    assert marked(page) is None
