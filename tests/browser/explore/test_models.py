"""Test the model information of the Explore tab in a real browser, with scores and without a model."""

import shutil

import pytest
from playwright.sync_api import expect

from gan.latent.catalogue import CHECKPOINTS, pulled_root
from tests.fakes.hub import Repository
from tests.support.inputs.generators import RUN, tiny_spec, write_run
from tests.support.page.explorer.explorer import Explorer
from tests.support.page.explorer.panels.models import ModelPanel, Scores
from tests.support.page.exploring import large, visit

pytestmark = pytest.mark.browser

OTHER = "20250102-040506-digits-modern"


@pytest.fixture(scope="module")
def runs(runs_folder):
    for name, created in ((RUN, 1.0), (OTHER, 2.0)):
        write_run(runs_folder, name, tiny_spec(z_dim=20), created=created)
    return runs_folder


def test_without_any_model_it_says_what_to_do(browser, address):
    context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-US")
    page = context.new_page()
    page.route("**/gan/models", lambda route: route.fulfill(json=[]))
    page.goto(address)
    expect(page.get_by_text("No generator to explore yet")).to_be_visible()
    page.get_by_role("button", name="Go to Train").click()
    expect(page.locator("#tab-train")).to_be_visible()
    context.close()


def test_a_model_of_the_hub_is_pulled_by_its_name_and_draws(browser, address, hub_of_models):
    files = {path.name: path.read_bytes() for path in (CHECKPOINTS / "digits").iterdir()}
    hub_of_models.repositories["ada/sevens"] = Repository(files)
    page = browser.new_context(viewport={"width": 390, "height": 844}, locale="en-US").new_page()
    try:
        visit(page, address)
        page.get_by_role("button", name="Hub", exact=True).click()
        field = page.get_by_label("Model on the Hugging Face Hub")
        expect(field).to_be_focused()
        field.fill("ada/none")
        field.press("Enter")
        expect(Explorer(page).note).to_contain_text("no public model “hub:ada/none”")
        field.fill("ada/sevens")
        page.get_by_role("button", name="Pull", exact=True).click()
        Explorer(page).wait_for_image_of("hub:ada/sevens")
        expect(ModelPanel(page).chosen).to_contain_text("Hub · ada/sevens")
        expect(Explorer(page).note).to_be_hidden()
        assert len(large(page)) > 500
        assert "model=hub%3Aada%2Fsevens" in page.evaluate("location.hash") or page.wait_for_function(
            "decodeURIComponent(location.hash).includes('model=hub:ada/sevens')"
        )
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
    finally:
        page.context.close()
        shutil.rmtree(pulled_root(), ignore_errors=True)  # the other modules share this server


@pytest.mark.parametrize(
    ("lang", "title", "through", "against"),
    [
        ("en-US", "Scores", "FD (Digits net)", "Against 2,000 images that the model was not trained on"),
        ("zh-CN", "评分", "FD（手写数字网络）", "对照 2,000 张训练时没有用过的图片"),
    ],
)
def test_shows_the_scores_of_a_model_that_has_some(browser, address, lang, title, through, against):
    page = browser.new_context(viewport={"width": 390, "height": 844}, locale=lang).new_page()
    scored = {
        "net": "digits",
        "title": "digits net",
        "against": "held_out",
        "pictures": 2000,
        "scores": {
            "FD": 11.546,
            "precision": 0.8444,
            "coverage": 0.77,
            "copies": 0.0115,
            "FD of data": 3.251,
        },
    }

    def with_scores(route):
        route.fulfill(
            json=[
                {**model, "scored": scored if model["id"] == f"run:{RUN}" else None}
                for model in route.fetch().json()
            ]
        )

    page.route("**/gan/models", with_scores)
    visit(page, address)
    scores = Scores(page)
    expect(scores.title).to_have_text(title)
    expect(scores.names.first).to_have_text(through)
    expect(scores.against).to_have_text(against)
    assert scores.values.all_inner_texts() == ["11.5", "0.84", "0.77", "1.2%"]
    expect(scores.hint).to_be_hidden()
    tall = page.evaluate("document.documentElement.scrollHeight")
    scores.help.click()
    expect(scores.hint).to_contain_text("3.25")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.evaluate("document.documentElement.scrollHeight") == tall, "an explanation pushes nothing"
    page.keyboard.press("Escape")
    expect(scores.hint).to_be_hidden()
    expect(scores.help).to_have_attribute("aria-expanded", "false")
    expect(scores.help).to_be_focused()
    scores.help.click()
    page.evaluate(f"location.hash = 'model=run:{OTHER}'")
    expect(scores.section).to_be_hidden()
    expect(scores.help).to_have_attribute("aria-expanded", "false")
    page.context.close()
