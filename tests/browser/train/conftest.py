"""Define the visitors of the Train tab."""

import pytest
from playwright.sync_api import expect

from gan.runs.store import Store
from tests.fakes.runs import wait_until
from tests.support.train_form import TrainForm

ENDED = ("finished", "stopped", "failed")


@pytest.fixture(scope="module")
def runs(runs_folder):
    """No runs at first. Those that the tests start have ended before their folders go."""
    yield runs_folder
    store = Store(runs_folder)
    for run in store.list():
        if run["state"] not in ENDED:
            store.send(run["id"], "stop")
    wait_until(lambda: all(run["state"] in ENDED for run in store.list()))


@pytest.fixture
def visit(browser, address):
    """Open the Train tab as a new visitor. Any script error fails the test."""
    contexts, faults = [], []

    def open_page(lang: str = "en-US", **options):
        contexts.append(
            browser.new_context(**{"viewport": {"width": 1440, "height": 900}, "locale": lang, **options})
        )
        page = contexts[-1].new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        TrainForm(page).visit(address)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert faults == []


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
