"""What an address shows on the Explore tab, and the button that copies it."""

from playwright.sync_api import Frame, Page

STANDS = """([model, view]) => {
  const { point, shown } = document.querySelector("gan-explorer") ?? {};
  const hash = new URLSearchParams(location.hash.slice(1));
  const told = hash.get("model") === model && (hash.get("view") ?? "samples") === view;
  return told && shown?.model === model && point.model === model && point.view === view;
}"""
NO_CLIPBOARD = "Object.defineProperty(navigator, 'clipboard', { value: undefined, configurable: true })"
HEAR = "document.addEventListener('copy', () => { window.heard = document.activeElement.value; })"


def stands(page: Page, run: str, view: str) -> None:
    """Wait until the page shows a run's model and a view, and the URL names both."""
    page.wait_for_function(STANDS, arg=[f"run:{run}", view])


class CopyLink:
    """The button that copies a link to the point."""

    def __init__(self, page: Page | Frame):
        self.page = page
        self.button = page.locator(".xp-link")

    def without_clipboard(self) -> None:
        """Take the browser's clipboard away, and note what a copy command copies."""
        self.page.evaluate(NO_CLIPBOARD)
        self.page.evaluate(HEAR)

    def copied(self) -> str:
        """What a copy command copied last, since `without_clipboard`."""
        return self.page.evaluate("heard")
