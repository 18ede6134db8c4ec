"""Test Present: the stage alone, large enough for the last row of a class room."""

import io

import pytest
from PIL import Image
from playwright.sync_api import expect

from gan.files import append_line
from gan.worker.run_dir import REALS

pytestmark = pytest.mark.browser
PROJECTOR = {"width": 1280, "height": 720}
# The sizes of all visible texts, in px.
SIZES = """() => [...document.querySelectorAll("body *")]
  .filter((one) => one.checkVisibility({ visibilityProperty: true }) && one.getClientRects().length)
  .filter((one) => [...one.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim()))
  .map((one) => [parseFloat(getComputedStyle(one).fontSize), one.textContent.slice(0, 40)])"""
PARTS = (
    ".tr-verdict", ".tr-grid .tr-frame", ".tr-reals .tr-frame", ".tr-plot >> nth=0", ".tr-plot >> nth=1",
    ".tr-maths .tr-formula", ".tr-facts",
)  # fmt: skip


@pytest.fixture
def trained(runs, ended):
    """A finished run with curves and real images."""
    run_id = ended(
        elapsed=60.0, verdict={"key": "well", "level": "good", "values": {"coverage": 61, "auc": 90}}
    )
    picture = io.BytesIO()
    Image.new("L", (112, 112), 200).save(picture, "WEBP")
    (runs.root / run_id / REALS).write_bytes(picture.getvalue())
    for step in range(1, 41):
        row = {"step": step, "images": 8 * step, "seconds": step / 10, "pair": 0.7, "diversity": 0.9}
        row |= {"loss_d": 0.6, "loss_g": 2.0, "real": 1.0, "fake": -1.0}
        append_line(runs.root / run_id / "stats.jsonl", row)
    return run_id


@pytest.mark.parametrize("lang", ["en-US", "zh-CN"])
def test_all_is_seen_at_once_in_large_type(visit, trained, lang):
    page = visit(lang, viewport=PROJECTOR)
    page.wait_for_selector(".tr-plot canvas")
    page.click(".tr-present")
    expect(page.locator(".tr-reals img")).to_be_visible()
    expect(page.locator("#train-form")).not_to_be_visible()
    page.wait_for_selector(".tr-plot canvas")
    assert [found for found in page.evaluate(SIZES) if found[0] < 20] == []
    for part in PARTS:
        box = page.locator(part).bounding_box()
        assert box["height"] > 20
        assert box["y"] >= 0
        assert box["y"] + box["height"] <= PROJECTOR["height"], part
        assert box["x"] + box["width"] <= PROJECTOR["width"], part
    assert page.evaluate("document.documentElement.scrollHeight") <= PROJECTOR["height"]
    samples = page.locator(".tr-grid .tr-frame").bounding_box()["width"]
    sheet = page.locator(".tr-grid .tr-picture:visible").bounding_box()["width"]
    assert sheet == pytest.approx(2 * samples, abs=1), "4x4 of 8x8"


def test_a_reload_keeps_it_and_escape_leaves(visit, trained):
    page = visit(viewport=PROJECTOR)
    page.wait_for_selector(".tr-plot canvas")
    page.click(".tr-present")
    expect(page.locator("#train-form")).not_to_be_visible()
    page.reload()
    page.wait_for_selector(".tr-plot canvas")
    expect(page.locator("#train-form")).not_to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#train-form")).to_be_visible()
    assert "present" not in page.url
    page.click(".tr-present")
    page.click(".tr-present")
    expect(page.locator("#train-form")).to_be_visible()


def test_a_run_without_real_images_says_so(visit, runs, trained):
    (runs.root / trained / REALS).unlink()
    page = visit(viewport=PROJECTOR)
    page.wait_for_selector(".tr-plot canvas")
    page.click(".tr-present")
    expect(page.locator(".tr-reals")).to_contain_text("keeps no picture")
