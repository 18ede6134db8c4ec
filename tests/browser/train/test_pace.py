"""Test what the stage says of a run that trains far slower than the form estimated."""

import pytest
from playwright.sync_api import Page, expect

from gan.recipes import make_config
from tests.fakes.runs import past

pytestmark = pytest.mark.browser
ESTIMATE = {
    "kind": "images", "parameters": {"G": 1, "D": 1}, "rate": 860.0, "kimg": 51.6, "minutes": 1.0,
    "passes": None, "memory": None, "gpu": False,
}  # fmt: skip


@pytest.fixture
def slow(runs):
    """Make a run that has seen 1,152 images in 60 s. The runs that a test leaves are removed."""
    made = []

    def make(**settings) -> str:
        config = make_config("digits", "modern", 28, 1, **{"minutes": 1.0, **settings})
        status = {
            "state": "finished",
            "step": 18,
            "images": 1152,
            "progress": 1.0,
            "elapsed": 60.0,
            "rate": 19.2,
        }
        made.append(past(runs, config, lambda folder: None, **status))
        return made[-1]

    yield make
    for run_id in made:
        runs.hide(run_id)
    runs.sweep()


def watch(page: Page, estimated: float = 860.0, **status) -> Page:
    """Answer with an estimate of this rate, and change the status of the shown run."""

    def poll(route):
        answer = route.fetch().json()
        if answer.get("run"):
            answer["run"]["status"] |= status
            answer["version"] = ""
        route.fulfill(json=answer)

    estimate = {**ESTIMATE, "rate": estimated, "kimg": 0.06 * estimated}
    page.route("**/cost?run=*", lambda route: route.fulfill(json=estimate))
    page.route("**/poll?*", poll)
    page.reload()
    return page


def test_a_slow_run_says_so_and_how_many_images_it_will_see(visit, slow):
    slow()
    half = {"state": "running", "progress": 0.5, "images": 576, "elapsed": 30.0, "rate": 19.2, "eta": 30.0}
    note = watch(visit(), **half).locator(".tr-pace:visible")
    expect(note).to_have_text(
        "45 times slower than measured: other programs seem to use this computer. About 1,200 images by the "
        "end instead of 52,000."
    )


def test_a_run_at_about_the_estimated_speed_says_nothing(visit, slow):
    slow()
    page = watch(visit(), estimated=40.0)
    expect(page.locator(".tr-verdict")).to_contain_text("Finished.")
    page.wait_for_timeout(500)
    expect(page.locator(".tr-pace:visible")).to_have_count(0)


def test_a_slow_run_that_has_ended_goes_on_to_the_expected_images(visit, slow):
    run_id = slow()
    page = watch(visit())
    note = page.locator(".tr-pace:visible")
    expect(note).to_contain_text(
        "It saw 1,152 images instead of about 52,000, because it trained 45 times slower than measured."
    )
    sent = []
    page.route(
        "**/more?*", lambda route: (sent.append(route.request.url), route.fulfill(json={"done": "more"}))
    )
    note.get_by_role("button", name="Go on to 52,000 images (about 44 min)").click()
    expect(page.locator(".tr-controls .tr-said")).to_have_text("The run goes on with a larger budget.")
    assert [url.split("/runs/")[1] for url in sent] == [f"{run_id}/more?amount=44"]


def test_a_budget_in_images_only_takes_longer(visit, slow):
    slow(kimg=50.0)
    half = {"state": "running", "progress": 0.5, "images": 576, "elapsed": 30.0, "rate": 19.2, "eta": 30.0}
    note = watch(visit(lang="zh-CN"), **half).locator(".tr-pace:visible")
    expect(note).to_have_text("比测得的速度慢 45 倍：可能有其他程序在使用这台电脑。")
