"""The panel of the Explore tab that pushes a model to the Hub."""

from playwright.sync_api import Page


class PushPanel:
    """The panel of a page, in English."""

    def __init__(self, page: Page):
        self.page = page
        self.panel = page.locator("#xp-push")
        self.open_button = page.get_by_role("button", name="Push to the Hub")
        self.repository = page.get_by_label("Repository", exact=True)
        self.visible_to = page.get_by_label("Visible to")
        self.push_button = page.get_by_role("button", name="Push", exact=True)
        self.licence = page.locator(".xp-push-known")
        self.card = page.locator(".xp-push-card")
        self.status = page.locator(".xp-push-status")
        self.failure = page.locator(".xp-push-status.is-bad")
        self.why = page.locator(".xp-push-why")  # why somebody can't push
        self.who = page.locator(".xp-push-who")
