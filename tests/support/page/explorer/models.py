"""The chosen model on the Explore tab: its card, its scores and its files."""

from playwright.sync_api import Page


class ModelPanel:
    """What a page says about the chosen model, and what it offers to take away."""

    def __init__(self, page: Page):
        self.chosen = page.locator(".xp-card[aria-pressed=true]")
        self.pull = page.locator("#xp-pull")  # the form that pulls a model of the Hub
        self.take = page.locator(".xp-take")


class Scores:
    """The scores of the chosen model."""

    def __init__(self, page: Page):
        self.section = page.locator(".xp-scores")
        self.title = self.section.locator("h3")
        self.names = self.section.locator("dt")
        self.values = self.section.locator("dd")
        self.against = self.section.locator("small")
        self.help = self.section.locator(".xp-help")
        self.hint = self.section.locator(".xp-hint")  # what the button of help explains
