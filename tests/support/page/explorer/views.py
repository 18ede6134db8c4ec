"""The views of the Explore tab: which one is open, and where it stands on the page."""

from playwright.sync_api import Locator, Page

from tests.support.page.touch import lower_than

OPENED = "() => document.querySelector('gan-explorer')?.views.opened"
IS_OPEN = "Boolean(document.querySelector('gan-explorer').views.opened)"
PRESS = """async ({ names, pause }) => {
  for (const name of names) {
    document.getElementById(`xp-tab-${name}`).click();
    await new Promise((later) => setTimeout(later, pause));
  }
}"""
STATE = """() => {
  const { views, panel, opened, current } = document.querySelector("gan-explorer").views;
  const sheets = [...document.querySelectorAll("link[rel=stylesheet]")].map((link) => link.href);
  return {
    current,
    alone: panel.children.length === 1 && panel.firstChild === opened.element && opened === views[current],
    open: Object.values(views).filter((view) => view.opened).length,
    twice: sheets.length - new Set(sheets).size,
    made: window.made,
  };
}"""
COUNT = """() => {
  window.made = [];
  const { views } = document.querySelector("gan-explorer");
  views.views = new Proxy({}, {
    set: (all, name, view) => { window.made.push(name); all[name] = view; return true; },
  });
}"""
BELOW = """([place, height]) => {
  const top = document.querySelector(place)?.getBoundingClientRect().top;
  return top >= height && top < height + 60;
}"""
TO_MOVE = (
    ".xp-moving button:not(.xp-help), .xp-moving select, .xp-moving input:not([type=checkbox]), "
    ".xp-stroll, .xp-heart"
)
ALL = ".xp button:not(.xp-help, .xp-cells *), .xp select:not(.xp-cells *), .xp-number:not(.xp-cells *)"
CUT_OFF = """(all) => all
  .filter((one) => {
    const { right } = one.getBoundingClientRect();
    return one.scrollWidth > one.clientWidth + 1 || right > innerWidth;
  })
  .map((one) => one.textContent)"""


class Views:
    """The views of a page, and their tabs."""

    def __init__(self, page: Page):
        self.page = page
        self.samples = page.locator(".xp-wall")
        self.walk_pad = page.locator(".xp-pad")
        self.unit = page.locator(".xp-units .xp-cell").first  # of the view Layers
        self.moving = page.locator(".xp-moving")  # Walk, Loop or Favourites
        self.selects = page.locator(".xp select")  # of the whole tab

    def wait_for_opened(self) -> None:
        """Wait until a view with a module of its own is open."""
        self.page.wait_for_function(OPENED)

    def is_open(self) -> bool:
        """Whether a view with a module of its own is open. Samples has none."""
        return self.page.evaluate(IS_OPEN)

    def count_made(self) -> None:
        """Count from now on which views are made, for `state`."""
        self.page.evaluate(COUNT)

    def press_quickly(self, names: list[str], pause: int) -> None:
        """Press the tabs of these views, with a pause in milliseconds after each."""
        self.page.evaluate(PRESS, {"names": names, "pause": pause})

    def state(self) -> dict:
        """What the page holds of its views.

        current: the chosen view. alone: the panel holds that view and nothing else. open: how many are
        open. twice: how many style sheets are there twice. made: the views made since `count_made`.
        """
        return self.page.evaluate(STATE)

    def too_low_to_move(self) -> list[str]:
        """What a finger moves in Walk, Loop or Favourites and on the picture, lower than 40 pixels."""
        return lower_than(self.page.locator(TO_MOVE), 39.5)

    def too_low(self) -> list[str]:
        """Buttons, choices and numbers that are lower than 40 pixels, beside the samples of sheets."""
        return lower_than(self.page.locator(ALL), 39.5)


class Layout:
    """The parts of the Explore tab from top to bottom."""

    def __init__(self, page: Page):
        self.page = page
        self.cards = page.locator(".xp-cards")  # of the models
        self.picture = page.locator(".xp-large")
        self.tools = page.locator(".xp-tools")
        self.tabs = page.locator(".xp-views")
        self.chosen_tab = page.locator(".xp-views [aria-selected=true]")
        self.samples = page.locator(".xp-wall")
        self.sheet = page.locator(".xp-wall .xp-mosaic")  # of those samples
        self.sliders = page.locator(".xp-sliders")
        self.help = page.locator(".xp-help")  # the buttons that explain
        self.view = page.locator(".xp-view > *")  # what the open view shows
        self.right = page.locator(".xp-right")
        self.neighbours = page.locator(".xp-near")

    def top(self, part: Locator) -> float:
        """The pixels from the top of the window to a part."""
        box = part.first.bounding_box()
        assert box, "it is hidden"
        return box["y"]

    def cut_off_titles(self) -> list[str]:
        """The titles of panels that are wider than their place or than the window."""
        return self.page.locator("gan-explorer header, gan-explorer h3").evaluate_all(CUT_OFF)

    def wait_for_sliders_below(self, height: float) -> None:
        """Wait until the sliders begin at most 60 pixels below `height` in the window."""
        self.page.wait_for_function(BELOW, arg=[".xp-controls", height])

    def wait_for_tabs_below(self, height: float) -> None:
        """Wait until the tabs of the views begin at most 60 pixels below `height` in the window."""
        self.page.wait_for_function(BELOW, arg=[".xp-views", height])
