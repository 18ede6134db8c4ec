"""Share one visitor's page between browser tests of Explore, reset for each test."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.support.inputs.generators import RUN, tiny_spec, write_lively_run, write_run
from tests.support.page.exploring import still, visit

CLASSES = "20250102-040506-faces-modern"
COLOUR = tiny_spec(3, channels=3, z_dim=20, clusters=4)
READY = (
    "() => document.querySelector('gan-explorer').local.ready(document.querySelector('gan-explorer').model)"
)
AS_NEW = """async (model) => {
  const { fresh } = await import("/gradio_api/gan/static/latent/point.js");
  const explorer = document.querySelector("gan-explorer");
  explorer.player?.pause();
  document.activeElement?.blur();
  explorer.choose(model, fresh());
  for (const name of ["loop", "favourites", "find", "time"]) delete explorer.views.views[name];
  if (explorer.chosen.model) explorer.chosen.reset();
  localStorage.clear();
  dispatchEvent(new StorageEvent("storage", { key: null }));
  scrollTo(0, 0);
}"""


def write_models(root: Path) -> Path:
    """Write a grey model, and a colour model with three classes and clusters."""
    write_run(root, RUN, tiny_spec(z_dim=40), created=1.0)
    write_lively_run(root, CLASSES, COLOUR, classes=["cat", "dog", "owl"], created=2.0)
    return root


@contextmanager
def visitor(
    browser: Browser, address: str, model: str = RUN, draws: bool = True, **options: object
) -> Iterator[Page]:
    """Open the page of one visitor. Any script error fails the test.

    draws: the browser draws. Else it can't, and the server draws each image.
    """
    context: BrowserContext = browser.new_context(
        **{"viewport": {"width": 1440, "height": 900}, "locale": "en-US", "accept_downloads": True, **options}
    )
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    if not draws:
        page.add_init_script("delete window.WebAssembly")
    visit(page, address, f"run:{model}")
    if draws:
        page.wait_for_function(READY)
    yield page
    assert errors == []
    context.close()


def as_new(page: Page, draws: bool = True) -> Page:
    """Reset the page: seed 0, no favourites, no key frames. draws: as for `visitor`."""
    page.unroute_all()
    page.evaluate(AS_NEW, f"run:{RUN}")
    if draws:
        page.wait_for_function(READY)
    page.wait_for_function("() => document.querySelector('gan-explorer')?.shown")
    return page


def again(page: Page) -> None:
    """Reload the page once its URL holds the current point, and wait until the browser draws."""
    still(page)
    page.reload()
    page.wait_for_function("() => document.querySelector('gan-explorer')?.shown")
    page.wait_for_function(READY)


def point(page: Page) -> dict:
    return page.evaluate("document.querySelector('gan-explorer').point")


def view(page: Page, name: str) -> None:
    """Open a view by its tab, and before that the tab of its group, if the view shares one."""
    tab = page.get_by_role("tab", name=name, exact=True, include_hidden=True)
    row = page.locator(".xp-subviews").filter(has=tab)
    if row.count():
        title = row.get_attribute("aria-label")
        page.locator(".xp-views").get_by_role("tab", name=title, exact=True).click()
    tab.click()
    expect(tab).to_have_attribute("aria-selected", "true")


def saved(page: Page, act) -> tuple[str, bytes]:
    """Return name and contents of the file that `act` downloads."""
    with page.expect_download() as info:
        act()
    return info.value.suggested_filename, info.value.path().read_bytes()
