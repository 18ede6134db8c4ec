"""Define the visitors of the Train tab."""

import pytest
from PIL import Image
from playwright.sync_api import expect

from gan.runs.store import Store
from tests.fakes.runs import past, tiny, wait_until
from tests.support.inputs.generators import tiny_spec, write_weights
from tests.support.page.browsing import READY
from tests.support.page.train_form import TrainForm

ENDED = ("finished", "stopped", "failed")


@pytest.fixture(scope="module")
def runs(runs_folder):
    """The store, without runs at first. Those that the tests start have ended before their folders go."""
    store = Store(runs_folder)
    yield store
    for run in store.list():
        if run["state"] not in ENDED:
            store.send(run["id"], "stop")
    wait_until(lambda: all(run["state"] in ENDED for run in store.list()))


@pytest.fixture
def visit(browser, address):
    """Open a tab as a new visitor. A script error, or a text that becomes a script, fails the test."""
    pages, faults = [], []

    def open_page(lang: str = "en-US", tab: str = "train", **options):
        page = browser.new_context(
            **{"viewport": {"width": 1440, "height": 900}, "locale": lang, **options}
        ).new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(f"{address}#tab={tab}")
        page.wait_for_selector(READY[tab], state="attached")
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


@pytest.fixture
def visit_own(visit):
    """Open the form as a new visitor who chooses own images."""
    return lambda *lang, **options: TrainForm(visit(*lang, **options)).choose_own()


@pytest.fixture(scope="module")
def own_forms(browser, address):
    """One visitor's form for each language, with own images chosen. Any script error fails the last test."""
    forms, faults = {}, []
    for lang in ("en-US", "zh-CN"):
        page = browser.new_context(viewport={"width": 1280, "height": 1000}, locale=lang).new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        forms[lang] = TrainForm(page).visit(address).choose_own()
    yield forms
    for form in forms.values():
        form.page.context.close()
    assert faults == []


@pytest.fixture
def own(own_forms):
    """That form without images. A test that changes a setting by hand needs `visit_own` instead."""
    used = []

    def as_new(lang: str = "en-US") -> TrainForm:
        used.append(own_forms[lang])
        return used[-1]

    yield as_new
    for form in used:
        form.page.unroute_all(behavior="ignoreErrors")
        form.page.evaluate("document.querySelector('gan-own').clear()")
        expect(form.zone).to_be_visible()
        expect(form.refusal).to_be_hidden()
