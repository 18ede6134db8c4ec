"""Actions of browser tests in the view of directions."""

from playwright.sync_api import Page, expect


def choose(page: Page, name: str) -> None:
    page.locator(".xp-directions > .xp-chips").get_by_role("button", name=name, exact=True).click()


def names(page: Page) -> list[str]:
    return page.locator(".xp-dir-name").all_text_contents()


def slider_names(page: Page) -> list[str]:
    return page.locator(".xp-sliders .xp-name").all_text_contents()


def row(page: Page, name: str):
    return page.locator(".xp-dir").filter(has=page.get_by_text(name, exact=True))


def drawn(page: Page, name: str) -> None:
    row(page, name).scroll_into_view_if_needed()
    expect(row(page, name).locator(".xp-mosaic")).not_to_have_class("xp-mosaic is-locked")
