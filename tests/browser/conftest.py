"""Define the browser of all modules in this folder."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.support.page.browsing import chromium
from tests.support.page.contexts import Contexts


@pytest.fixture(scope="package")
def contexts() -> Iterator[Contexts]:
    with chromium() as browser:
        yield Contexts(browser)


@pytest.fixture(scope="module")
def browser(contexts) -> Iterator[Browser]:
    """Headless Chromium. Its contexts are used again after the test or the module that took them."""
    yield contexts.browser
    contexts.give_back(contexts.in_use())


@pytest.fixture(autouse=True)
def contexts_of_one_test(request) -> Iterator[None]:
    """Give back the contexts that a test took, and not those of its module."""
    if "browser" not in request.fixturenames:
        yield
        return
    contexts = request.getfixturevalue("contexts")
    before = contexts.in_use()
    yield
    contexts.give_back(contexts.in_use() - before)
