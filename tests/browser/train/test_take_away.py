"""Test what a visitor takes away of a run: files, a report that a browser shows, and scores."""

import pytest
from playwright.sync_api import expect

from gan.files import append_line
from tests.fakes.runs import PATIENCE

pytestmark = pytest.mark.browser


@pytest.fixture
def run(ended, runs):
    """A finished run with statistics."""
    run_id = ended()
    for step in (20, 40):
        line = {"step": step, "images": 25 * step, "seconds": 1.0, "loss_d": 0.5, "loss_g": 2.0}
        append_line(runs.path(run_id) / "stats.jsonl", line)
    return run_id


def taken(page, name, folder):
    with page.expect_download() as coming:
        page.locator(f"[data-take={name}]").click()
    path = folder / coming.value.suggested_filename
    coming.value.save_as(path)
    return path


@pytest.mark.parametrize(("lang", "title"), [("en-US", "Report of a training run"), ("zh-CN", "训练报告")])
def test_a_visitor_takes_report_and_statistics_away(visit, run, browser, tmp_path, lang, title):
    page = visit(lang)
    assert taken(page, "csv", tmp_path).read_text().startswith("step,images,seconds,loss_d,loss_g\n20,500,")
    assert len(taken(page, "jsonl", tmp_path).read_text().splitlines()) == 2
    path = taken(page, "report", tmp_path)
    assert path.name == f"{run}.html"
    faults = []
    for width in (390, 1280):
        paper = browser.new_page(viewport={"width": width, "height": 800})
        paper.on("console", lambda message: faults.append(message.text))
        paper.on("request", lambda request: faults.append(request.url) if "://" in request.url[5:] else None)
        paper.goto(path.as_uri())
        expect(paper.locator(".kicker")).to_contain_text(title)
        assert paper.evaluate("document.documentElement.scrollWidth") == width, (
            "nothing is wider than the page"
        )
        shown = "image => image.complete && image.naturalWidth > 0"
        assert paper.locator("img").evaluate_all(f"images => images.every({shown})")
        paper.close()
    assert faults == []


def test_a_refusal_stands_beside_the_buttons(visit, run, runs):
    page = visit()
    button = page.locator("[data-take=csv]")
    expect(button).to_be_visible()
    (runs.path(run) / "stats.jsonl").unlink()
    button.click()
    expect(page.locator(".tr-take .tr-said")).to_contain_text("has no statistics yet")
    expect(button).to_be_enabled()


def test_scores_of_a_finished_run_are_computed_once_and_stand_for_everybody(visit, run, runs):
    page, other = visit(), visit("zh-CN")
    button = page.locator(".tr-scores [data-command=score]")
    expect(button).to_have_text("Score it")
    button.click()
    for shown in (page, other):
        expect(shown.locator(".tr-scores dd")).to_have_count(3, timeout=PATIENCE * 1000)
        expect(shown.locator(".tr-scores [data-command=score]")).to_be_hidden()
    expect(page.locator(".tr-scores dt").first).to_have_text("FD (Digits net)")
    expect(other.locator(".tr-scores dt").nth(1)).to_have_text("精确率")
    assert (runs.path(run) / "scores.json").exists()


def test_a_run_that_can_not_be_scored_says_why(visit, ended, runs):
    run_id = ended()
    (runs.path(run_id) / "live.safetensors").write_bytes(b"no weights")
    page = visit()
    page.locator(".tr-scores [data-command=score]").click()
    expect(page.locator(".tr-scores .tr-said.is-bad")).not_to_be_empty(timeout=PATIENCE * 1000)
    expect(page.locator(".tr-scores [data-command=score]")).to_be_enabled()
