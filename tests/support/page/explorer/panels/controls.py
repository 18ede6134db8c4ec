"""The controls of the Explore tab that are not sliders of directions: class, blend, cluster, entries of z."""

from playwright.sync_api import Page

OWN_CLUSTER = "() => Number(document.querySelector('.xp-cluster input').value) !== 0"


class Controls:
    """The controls of a page."""

    def __init__(self, page: Page):
        self.page = page
        self.chips = page.locator(".xp-chip")  # beside Samples only those of the classes
        self.blend = page.locator(".xp-mix .xp-value")  # the share of the second class
        self.entries = page.locator(".xp-range")  # which entries of z have sliders

    def wait_for_own_cluster(self) -> None:
        """Wait until the slider of the clusters stands where the seed has it."""
        self.page.wait_for_function(OWN_CLUSTER)
