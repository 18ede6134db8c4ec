"""The chosen model on the Explore tab: its card, its scores and its files."""

from playwright.sync_api import Locator, Page


class ModelPanel:
    """What a page says about the chosen model, and what it offers to take away."""

    def __init__(self, page: Page):
        self.page = page
        self.chosen = page.locator(".xp-card[aria-pressed=true]")
        self.pull = page.locator("#xp-pull")  # the form that pulls a model of the Hub
        self.take = page.locator(".xp-take")
        self.cards = page.locator(".xp-card")
        self.names = self.cards.locator("b")
        self.broken = page.locator(".xp-card.is-broken small")  # what the card of a damaged model says

    def card_of(self, model: str) -> Locator:
        """The card of a model, by its id, such as run:NAME."""
        return self.page.locator(f".xp-card[data-model='{model}']")

    def card(self, words: str) -> Locator:
        """The cards that say `words`, such as a name."""
        return self.cards.filter(has_text=words)


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
