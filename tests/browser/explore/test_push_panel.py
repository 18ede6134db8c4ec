"""Test the form that pushes a model to the Hub, in a browser, against a small Hub on this machine."""

import pytest
from playwright.sync_api import expect

from tests.fakes.hub import TOKEN, Refusal
from tests.support.page.browsing import serve
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
    try:
        visit(page, private_page, SHIPPED)
        page.get_by_role("button", name="Push to the Hub").click()
        field = page.get_by_label("Repository", exact=True)
        expect(field).to_be_focused()
        expect(page.locator(".xp-push-known")).to_have_text("CC BY-SA 3.0")
        field.fill("ada/pushed-sevens")
        page.get_by_text("Files and model card").click()
        expect(page.locator(".xp-push-card")).to_contain_text('load("hub:ada/pushed-sevens")')
        page.get_by_label("Visible to").select_option("1")
        hub.refusals["/api/repos/create"] = Refusal(403)
        page.get_by_role("button", name="Push", exact=True).click()
        expect(page.locator(".xp-push-status.is-bad")).to_contain_text("may not write to “ada/pushed-sevens”")
        hub.refusals.clear()
        page.get_by_role("button", name="Push", exact=True).click()
        link = page.locator(".xp-push-status").get_by_role("link", name="ada/pushed-sevens")
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
    try:
        visit(page, private_page, SHIPPED)
        page.get_by_role("button", name="Push to the Hub").click()
        page.get_by_label("Repository", exact=True).fill("ada/slow-sevens")
        page.get_by_label("Visible to").select_option("1")
        hub.hold(25)  # it is asked several times, and after 30 s a push gives up
        page.get_by_role("button", name="Push", exact=True).click()
        status = page.locator(".xp-push-status")
        expect(status).to_contain_text("Writing the files")
        page.reload()
        expect(status).to_contain_text("Writing the files")
        expect(page.get_by_label("Repository", exact=True)).to_have_value("ada/slow-sevens")
        expect(page.get_by_label("Visible to")).to_have_value("1")
        expect(page.get_by_role("button", name="Push", exact=True)).to_be_disabled()
        hub.release()
        link = status.get_by_role("link", name="ada/slow-sevens")
        expect(link).to_be_visible()
        expect(page.get_by_role("button", name="Push", exact=True)).to_be_enabled()
        page.reload()
        page.wait_for_function("() => document.querySelector('gan-explorer')?.shown")
        expect(page.locator("#xp-push")).to_be_hidden()
        page.get_by_role("button", name="Push to the Hub").click()
        expect(link).to_be_visible()
        assert sum(path == "/api/repos/create" for _, path, _ in hub.seen) == 1
    finally:
        hub.forget()
        page.context.close()


def test_a_visitor_of_a_space_is_sent_to_the_sign_in(browser, private_page):
    """The answer is that of a Space, whose sign-in a browser reaches over https only."""
    page = browser.new_context(viewport={"width": 1280, "height": 800}, locale="zh-CN").new_page()
    try:
        visit(page, private_page, SHIPPED)
        page.route("**/gan/push?*", lambda route: route.fulfill(json=refused(route)))
        page.get_by_role("button", name="推送到 Hub").click()
        expect(page.locator(".xp-push-why")).to_contain_text("请先用 Hugging Face 登录")
        link = page.get_by_role("link", name="登录以推送")
        assert "_for=push" in link.get_attribute("href")
        expect(page.get_by_label("仓库", exact=True)).to_be_hidden()
    finally:
        page.context.close()


def test_whoever_pushes_is_named_and_can_sign_out(browser, private_page):
    """On a page with a teacher token the header has no sign-out, and pupils share computers."""
    page = browser.new_context(viewport={"width": 390, "height": 844}, locale="en-US").new_page()
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
        page.get_by_role("button", name="Push to the Hub").click()
        expect(page.locator(".xp-push-who")).to_contain_text("You push as ada.")
        page.get_by_role("button", name="Sign out").click()
        expect(page.locator(".xp-push-why")).to_contain_text("Sign in with Hugging Face first")
        expect(page.locator(".xp-push-who")).to_be_hidden()
        assert left
    finally:
        page.context.close()


def refused(route):
    """Return what a Space answers to somebody who has not signed in."""
    found = route.fetch().json()
    return {**found, "why": {"key": "hub.sign_in", "values": {}, "text": ""}, "sign_in": True}
