"""Test the tense of a verdict, and its advice: what may help, and a form that is filled with it."""

import pytest
from playwright.sync_api import expect

from gan.recipes import make_config
from gan.worker.health import VERDICTS
from gan.worker.run_dir import noted_actions
from tests.fakes.runs import past
from tests.support.page.train_form import TrainForm

pytestmark = pytest.mark.browser


@pytest.fixture
def judged(runs):
    """Make a run with a verdict. The runs that a test leaves are removed."""
    made = []

    def make(
        recipe: str,
        key: str,
        state: str = "finished",
        error: dict | None = None,
        sure: bool = True,
        **settings,
    ) -> str:
        config = make_config("digits", recipe, 28, 1, **settings)
        values = {"pair": 99, "contrast": 8, "diversity": 12, "noise": 90, "auc": 99, "coverage": 8}
        verdict = {"key": key, "level": "warn", "values": values, "sure": sure}
        status = {"state": state, "step": 40, "images": 2_560, "progress": 1.0, "error": error}
        made.append(past(runs, config, lambda folder: None, **status, verdict=verdict))
        return made[-1]

    yield make
    for run_id in made:
        runs.hide(run_id)
    runs.sweep()


@pytest.mark.parametrize("state", ["finished", "stopped", "paused"])
def test_a_run_that_does_not_train_is_judged_in_the_past_tense(visit, judged, state):
    judged("dcgan", "low_contrast", state)
    said = VERDICTS["low_contrast"][1].format(contrast=8)
    expect(visit().locator(".tr-verdict")).to_have_text(f"{state.capitalize()}. {said}")


def test_where_d_has_no_penalty_gamma_is_not_advised_but_a_lower_rate(visit, judged):
    judged("dcgan", "d_wins", seed=7, batch=16)
    page = visit()
    advice = page.locator(".tr-advice")
    expect(advice).to_contain_text("D has no penalty here, so gamma does nothing.")
    expect(advice).to_contain_text("Learning rate of D 0.0001 instead of 0.0002")
    advice.get_by_role("button", name="Start again with Learning rate of D ÷ 2").click()
    note = page.locator(".tr-filled")
    expect(note).to_have_text(
        "The form is filled: Start again with Learning rate of D ÷ 2. Press Train.", timeout=20_000
    )
    expect(note).to_be_in_viewport()
    expect(page.locator("gan-recipe [aria-checked=true]")).to_contain_text("DCGAN")
    page.click("#train-advanced > button")
    for name, value in (("lr_d", "0.0001"), ("lr_g", "0.0002"), ("batch", "16"), ("seed", "7")):
        expect(page.locator(f"#field-{name} input")).to_have_value(value)


def test_where_d_has_a_penalty_its_weight_is_advised_in_chinese_too(visit, judged):
    judged("modern", "d_wins", gamma=0.3)
    advice = visit(lang="zh-CN").locator(".tr-advice")
    expect(advice).to_contain_text("Gamma 0.6（现为 0.3）")
    expect(advice.get_by_role("button", name="重新开始：Gamma × 2")).to_be_visible()


def test_a_run_that_diverged_gets_lower_rates_and_a_healthy_one_no_advice(visit, judged):
    error = {"key": "train.diverged", "values": {"times": 4, "step": 9}, "text": "diverged"}
    judged("modern", "starting", "failed", error)
    page = visit()
    expect(page.locator(".tr-advice button:visible")).to_have_text(
        "Start again with Learning rate of G ÷ 10, Learning rate of D ÷ 10"
    )
    judged("modern", "balanced")
    page.reload()
    expect(page.locator(".tr-verdict")).to_contain_text("Finished. It was healthy")
    expect(page.locator(".tr-advice")).to_be_hidden()


def test_a_form_that_can_t_be_filled_gets_the_advice_without_a_button(visit, judged):
    judged("modern", "d_wins", start_from="shipped:digits")
    advice = visit().locator(".tr-advice")
    expect(advice).to_contain_text("Gamma 0.4 instead of 0.2")
    expect(advice.get_by_role("button")).to_be_hidden()


def test_what_is_only_likely_is_told_as_such_with_its_reason(visit, judged):
    judged("dcgan", "d_strong", sure=False)
    page = visit()
    expect(page.locator(".tr-verdict")).to_have_text(
        "Finished. Looks like: D was winning: it was right on 99\u00a0% of the pairs. The samples covered "
        "8\u00a0% of the real data."
    )
    expect(page.locator(".tr-why")).to_contain_text("Healthy: under 95 %")
    expect(page.locator(".tr-advice button:visible")).to_have_text("Start again with Learning rate of D ÷ 2")


def test_a_change_of_a_running_run_is_flagged_and_undone(visit, runs):
    page = visit()
    TrainForm(page).press_train()
    page.wait_for_function("() => document.querySelector('.tr-bar')?.dataset.state === 'running'")
    run_id = page.evaluate("document.querySelector('gan-stage').runId")
    change = f"gradio_api/gan/runs/{run_id}/adjust?name=lr_d&factor=0.5"
    assert page.request.post(page.url.split("#")[0] + change).ok
    advice, events = page.locator(".tr-advice"), page.locator(".tr-events li")
    undo = advice.get_by_role("button", name="Undo: Learning rate of D × 2")
    expect(undo).to_be_visible()
    expect(events).to_have_count(1)
    expect(events).to_contain_text("Learning rate of D was multiplied by 0.5 at step")
    assert len(page.evaluate("document.querySelector('gan-stage').charts.losses.flags")) == 1
    undo.click()
    expect(undo).to_be_hidden()
    expect(events).to_have_count(2)
    assert [action.factor for action in noted_actions(runs.path(run_id))] == [0.5, 2.0]
    page.get_by_role("button", name="Stop", exact=True).dblclick()
