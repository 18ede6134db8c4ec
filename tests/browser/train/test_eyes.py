"""Test the panel that shows how real each sample looks to D, and its three histograms."""

import json

import pytest
from playwright.sync_api import expect

from gan.files import write_bytes
from gan.worker.run_dir import EYES
from tests.browser.train.test_stage_layout import PHONE, PROJECTOR, SHIFTS, curves

pytestmark = pytest.mark.browser

FLAT, LEFT, RIGHT = [16] * 16, [32] * 8 + [0] * 8, [0] * 8 + [32] * 8
TOLD = {
    "step": 40, "images": 1000, "sheet": 40, "low": -2.5, "high": 1.25,
    "trained": RIGHT, "held_out": LEFT, "fakes": LEFT, "tiles": [30, None, 90, 0, *[50] * 60],
}  # fmt: skip


@pytest.fixture
def seen(runs, ended):
    """Make a finished run in which D said this; None for a run without D's answers."""

    def make(told: dict | None = TOLD, **status) -> str:
        run_id = ended(**{"held_out": 256, **status})
        curves(runs.root / run_id)
        if told:
            write_bytes(runs.root / run_id / EYES, json.dumps(told).encode())
        return run_id

    return make


def opened(page):
    page.locator(".tr-eyes > summary").click()
    return page


def numbers(page) -> list[str]:
    return page.locator(".tr-tile b").all_inner_texts()


def test_each_tile_has_its_number_and_they_are_sorted_both_ways(visit, seen):
    seen()
    page = opened(visit())
    assert numbers(page)[:5] == ["30", "–", "90", "0", "50"]
    third = page.locator(".tr-tile i").nth(2).evaluate("one => getComputedStyle(one).backgroundPosition")
    page.get_by_role("button", name="Most real first").click()
    assert [numbers(page)[at] for at in (0, 1, 61, 62, 63)] == ["90", "50", "30", "0", "–"]
    first = page.locator(".tr-tile i").first.evaluate("one => getComputedStyle(one).backgroundPosition")
    assert first == third, "the picture moves with its number"
    page.get_by_role("button", name="Least real first").click()
    assert [numbers(page)[at] for at in (0, 1, 62, 63)] == ["0", "30", "90", "–"]
    expect(page.get_by_role("button", name="Least real first")).to_have_attribute("aria-pressed", "true")
    widths = (
        page.locator(".tr-tile")
        .nth(62)
        .evaluate("one => [getComputedStyle(one.querySelector('u')).backgroundImage, one.style.cssText]")
    )
    assert "90%" in widths[0]


def test_the_tiles_are_those_of_the_sheet_that_d_judged(visit, seen):
    run_id = seen()
    page = opened(visit())
    page.wait_for_function("document.querySelector('.tr-tiles').style.getPropertyValue('--sheet')")
    assert f"{run_id}/samples/00000040.webp" in page.locator(".tr-tiles").get_attribute("style")


def test_the_overlaps_are_told_in_a_sentence(visit, seen):
    seen()
    page = opened(visit())
    heart, tell = (page.locator(f".tr-seen[data-question={name}] .tr-note") for name in ("heart", "tell"))
    expect(heart).to_contain_text("Overlap 0 %")
    expect(heart).to_contain_text("It knows them by heart.")
    expect(tell).to_contain_text("Overlap 100 %")
    expect(tell).to_contain_text("D can hardly tell fakes")
    expect(page.locator(".tr-ends").first).to_have_text("−2.5D's output: fake to real1.3")


def test_the_panel_speaks_chinese(visit, seen):
    seen()
    page = opened(visit("zh-CN"))
    expect(page.locator(".tr-seen[data-question=heart] .tr-note")).to_contain_text("它把图片背下来了")


@pytest.mark.parametrize(
    ("told", "status", "sentence"),
    [
        (None, {}, "D was never asked in this run."),
        (None, {"held_out": 3}, "fewer than 5 images are held out"),
        (None, {"state": "paused"}, "after 1,000 images"),
    ],
)
def test_a_sentence_says_why_there_is_nothing_to_see(visit, seen, told, status, sentence):
    seen(told, **status)
    page = opened(visit())
    expect(page.locator(".tr-eyes > .tr-note")).to_contain_text(sentence)
    expect(page.locator(".tr-eyes-body")).to_be_hidden()


def test_few_held_out_images_are_told(visit, seen):
    seen({**TOLD, "held_out": [2] * 16}, held_out=32)
    page = opened(visit())
    expect(page.locator(".tr-seens > .tr-note")).to_have_text(
        "Only 32 images are held out, so these answers are uncertain."
    )


@pytest.mark.parametrize("viewport", [PROJECTOR, PHONE])
def test_new_answers_move_nothing_but_the_curves(visit, runs, seen, viewport):
    run_id = seen()
    page = opened(visit(viewport=viewport))
    expect(page.locator(".tr-seen[data-question=tell] .tr-note")).to_contain_text("100 %")
    page.wait_for_timeout(600)  # the shifts that follow a press do not count
    page.evaluate(SHIFTS)
    write_bytes(
        runs.root / run_id / EYES,
        json.dumps({**TOLD, "step": 39, "fakes": FLAT, "tiles": [7] * 64}).encode(),
    )
    page.evaluate("import('./gradio_api/gan/static/shell/run-feed.js').then((feed) => feed.refresh())")
    expect(page.locator(".tr-tile b").first).to_have_text("7")
    expect(page.locator(".tr-seen[data-question=tell] .tr-note")).to_contain_text("Overlap 50 %")
    assert sum(value for value, _ in page.evaluate("window.shifts")) < 0.05
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
