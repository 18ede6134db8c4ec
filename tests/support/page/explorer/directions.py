"""The view of directions on the Explore tab, and what this browser chose of its directions."""

from pathlib import Path

from playwright.sync_api import Download, Locator, Page

from tests.support.page.directing import row

AS_NEW = """() => new Promise((done) => {
  const explorer = document.querySelector("gan-explorer");
  explorer.addEventListener("gan:drawn", (event) => event.detail.point === explorer.point && done());
  explorer.chosen.reset();
  explorer.change({ d: [], x: {}, seed: 0 });
})"""
ADD = """async ([family, id]) => {
  const { chosen, families } = document.querySelector("gan-explorer");
  await families.load(family);
  chosen.add(id);
}"""
RENAME = "([id, name]) => document.querySelector('gan-explorer').chosen.rename(id, name)"
HIDE = "(id) => document.querySelector('gan-explorer').chosen.hide(id)"
RESET = "() => document.querySelector('gan-explorer').chosen.reset()"
CHOSEN = """() => {
  const { names, hidden } = document.querySelector("gan-explorer").chosen;
  return [names, hidden];
}"""
FOUND = "(family) => document.querySelector('gan-explorer').families.found[family]"
CHOICES_OF = "(id) => document.querySelector('gan-explorer')?.chosen.model?.id === id"
SMALL = """(view) => [...view.querySelectorAll("button:not(.xp-cell)")]
  .filter((button) => button.offsetParent && (button.offsetHeight < 40 || button.offsetWidth < 40))
  .map((button) => button.outerHTML)"""


class DirectionsView:
    """The list of directions of a page."""

    def __init__(self, page: Page):
        self.page = page
        self.view = page.locator(".xp-directions")
        self.group = page.locator("#xp-group-directions")  # the tab of the group, in any language
        self.rows = page.locator(".xp-dir")
        self.list = page.locator(".xp-dirs")
        self.names = page.locator(".xp-dir-name")
        self.families = page.locator(".xp-directions > .xp-chips button")  # the lists to choose from
        self.opened = page.locator(".xp-directions > .xp-chips [aria-pressed=true]")
        self.search = page.locator(".xp-directions > [aria-live]")  # how the search for attributes goes
        self.my_sliders = self.view.locator(".xp-chip[value=chosen]")  # in any language
        self.status = self.view.locator("[role=status]")  # what the last action did
        self.rest = page.locator(".xp-dir-rest")  # how many directions are hidden
        self.recomputed = page.locator(".xp-controls").get_by_text("numbered directions were recomputed")

    def wait_for_found(self, family: str) -> None:
        """Wait until the directions of a family are found, by the family's id."""
        self.page.wait_for_function(FOUND, arg=family)

    def effects(self) -> list[float]:
        """How strongly each direction changes the sample, as the rows say it."""
        texts = self.page.locator(".xp-dir-head small").all_text_contents()
        return [float(text.removeprefix("×")) for text in texts]

    def samples(self, name: str) -> Locator:
        """The seven samples along a direction, by its name."""
        return row(self.page, name).locator(".xp-cell")

    def id_at(self, nth: int) -> str | None:
        """The id of the direction at `nth`, from 0."""
        return self.rows.nth(nth).get_attribute("data-id")

    def up(self, nth: int) -> Locator:
        """The button that moves the direction at `nth` up, in any language."""
        return self.page.locator(".xp-dir .is-up").nth(nth)

    def slider_button(self, name: str) -> Locator:
        """The button that gives a direction a slider or takes it away."""
        return row(self.page, name).get_by_role("button", name=f"Slider for {name}")

    def rename(self, name: str, new: str) -> None:
        """Give a direction a new name, by its button and the keyboard."""
        self.page.get_by_role("button", name=f"Rename {name}", exact=True).click()
        self.page.keyboard.type(new)
        self.page.keyboard.press("Enter")

    def export(self) -> Download:
        """Press Export. Returns the downloaded list."""
        with self.page.expect_download() as info:
            self.page.get_by_role("button", name="Export", exact=True).click()
        return info.value

    def give(self, path: Path) -> None:
        """Import a list."""
        self.view.locator("input[type=file]").set_input_files(path)

    def too_small(self) -> list[str]:
        """The HTML of each visible button under 40 pixels, beside the samples."""
        return self.view.evaluate(SMALL)


class Choices:
    """What this browser chose of a model's directions: names, order, and which are hidden."""

    def __init__(self, page: Page):
        self.page = page

    def as_new(self) -> None:
        """Forget the choices and all moves, and wait until the sample of seed 0 is drawn."""
        self.page.evaluate(AS_NEW)

    def reset(self) -> None:
        """Forget the choices."""
        self.page.evaluate(RESET)

    def add(self, family: str, direction: str) -> None:
        """Give a direction a slider, by the id of its family, such as factors, and its own id."""
        self.page.evaluate(ADD, [family, direction])

    def rename(self, direction: str, name: str) -> None:
        """Name a direction, by its id."""
        self.page.evaluate(RENAME, [direction, name])

    def hide(self, direction: str) -> None:
        """Hide a direction, by its id."""
        self.page.evaluate(HIDE, direction)

    def names_and_hidden(self) -> list:
        """The names by id, and the ids of the hidden directions."""
        return self.page.evaluate(CHOSEN)

    def wait_for_model(self, model: str) -> None:
        """Wait until the choices are those of a model, by its id, such as run:NAME."""
        self.page.wait_for_function(CHOICES_OF, arg=model)
