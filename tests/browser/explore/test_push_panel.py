"""Test the form that pushes a model to the Hub, in a browser, against a small Hub on this machine."""

import pytest
from playwright.sync_api import expect

from tests.fakes.hub import TOKEN, Refusal
from tests.support.page.browsing import serve
from tests.support.page.explorer.explorer import Explorer
from tests.support.page.explorer.panels.push import PushPanel
from tests.support.page.exploring import visit

pytestmark = pytest.mark.browser
SHIPPED = "shipped:digits"


@pytest.fixture(scope="module")
def private_page(tmp_path_factory, hub_of_models):
    """The URL of a page that only this machine shows. Its owner has a token."""
    runs = tmp_path_factory.mktemp("pushing") / "runs"
    with serve(runs, more={"HF_ENDPOINT": hub_of_models.endpoint, "HF_TOKEN": TOKEN}) as address:
        yield address


def test_a_model_is_pushed_from_the_panel(browser, private_page, hub_of_models):
    hub = hub_of_models
    page = browser.new_context(viewport={"width": 390, "height": 844}, locale="en-US").new_page()
    panel = PushPanel(page)
    try:
        visit(page, private_page, SHIPPED)
        panel.open_button.click()
        field = panel.repository
        expect(field).to_be_focused()
        expect(panel.licence).to_have_text("CC BY-SA 3.0")
        field.fill("ada/pushed-sevens")
        page.get_by_text("Files and model card").click()
        expect(panel.card).to_contain_text('load("hub:ada/pushed-sevens")')
        panel.visible_to.select_option("1")
        hub.refusals["/api/repos/create"] = Refusal(403)
        panel.push_button.click()
        expect(panel.failure).to_contain_text("may not write to “ada/pushed-sevens”")
        hub.refusals.clear()
        panel.push_button.click()
        link = panel.status.get_by_role("link", name="ada/pushed-sevens")
        expect(link).to_have_attribute("href", f"{hub.endpoint}/ada/pushed-sevens")
        assert hub.repositories["ada/pushed-sevens"].private
        assert "generator.onnx" in hub.repositories["ada/pushed-sevens"].files
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert TOKEN not in page.content()
    finally:
        hub.forget()
        page.context.close()


def test_a_page_that_is_loaded_anew_shows_the_push_that_it_has_begun(browser, private_page, hub_of_models):
    """The Hub answers so slowly that the page is loaded in the middle of the push."""
    hub = hub_of_models
    page = browser.new_context(viewport={"width": 390, "height": 844}, locale="en-US").new_page()
    panel = PushPanel(page)
    try:
        visit(page, private_page, SHIPPED)
        panel.open_button.click()
        panel.repository.fill("ada/slow-sevens")
        panel.visible_to.select_option("1")
        hub.hold(25)  # it is asked several times, and after 30 s a push gives up
        panel.push_button.click()
        expect(panel.status).to_contain_text("Writing the files")
        page.reload()
        expect(panel.status).to_contain_text("Writing the files")
        expect(panel.repository).to_have_value("ada/slow-sevens")
        expect(panel.visible_to).to_have_value("1")
        expect(panel.push_button).to_be_disabled()
        hub.release()
        link = panel.status.get_by_role("link", name="ada/slow-sevens")
        expect(link).to_be_visible()
        expect(panel.push_button).to_be_enabled()
        page.reload()
        Explorer(page).ready()
        expect(panel.panel).to_be_hidden()
        panel.open_button.click()
        expect(link).to_be_visible()
        assert sum(path == "/api/repos/create" for _, path, _ in hub.seen) == 1
    finally:
        hub.forget()
        page.context.close()


def test_a_visitor_of_a_space_is_sent_to_the_sign_in(browser, private_page):
    """The answer is that of a Space, whose sign-in a browser reaches over https only."""
    page = browser.new_context(viewport={"width": 1280, "height": 800}, locale="zh-CN").new_page()
    panel = PushPanel(page)
    try:
        visit(page, private_page, SHIPPED)
        page.route("**/gan/push?*", lambda route: route.fulfill(json=refused(route)))
        page.get_by_role("button", name="推送到 Hub").click()
        expect(panel.why).to_contain_text("请先用 Hugging Face 登录")
        link = page.get_by_role("link", name="登录以推送")
        assert "_for=push" in link.get_attribute("href")
        expect(page.get_by_label("仓库", exact=True)).to_be_hidden()
    finally:
        page.context.close()


def test_whoever_pushes_is_named_and_can_sign_out(browser, private_page):
    """On a page with a teacher token the header has no sign-out, and pupils share computers."""
    page = browser.new_context(viewport={"width": 390, "height": 844}, locale="en-US").new_page()
    panel = PushPanel(page)
    left = []
    try:
        visit(page, private_page, SHIPPED)
        page.route(
            "**/gan/push?*",
            lambda route: route.fulfill(
                json=refused(route) if left else {**route.fetch().json(), "name": "ada"}
            ),
        )
        page.on("request", lambda request: left.append(1) if request.url.endswith("/access/leave") else None)
        panel.open_button.click()
        expect(panel.who).to_contain_text("You push as ada.")
        page.get_by_role("button", name="Sign out").click()
        expect(panel.why).to_contain_text("Sign in with Hugging Face first")
        expect(panel.who).to_be_hidden()
        assert left
    finally:
        page.context.close()


def refused(route):
    """Return what a Space answers to somebody who has not signed in."""
    found = route.fetch().json()
    return {**found, "why": {"key": "hub.sign_in", "values": {}, "text": ""}, "sign_in": True}
