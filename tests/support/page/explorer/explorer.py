"""The Explore tab itself: its point, what it says, and what tests change in it."""

from playwright.sync_api import Frame, Locator, Page

ELEMENT = "gan-explorer"  # fires gan:drawn after each drawn image
SLIDERS = ".xp-sliders input[type=range]"
SHOWN = "() => document.querySelector('gan-explorer')?.shown"
SEED = "(seed) => document.querySelector('gan-explorer')?.point.seed === seed"
SHOWN_OF = "(id) => document.querySelector('gan-explorer')?.shown?.model === id"
SHOWN_BLEND = "(share) => document.querySelector('gan-explorer').shown?.mix === share"
LOADED = "() => document.querySelector('gan-explorer').loaded"
MODEL = "(id) => document.querySelector('gan-explorer')?.point.model === id"
AMOUNT = "([nth, value]) => document.querySelector('gan-explorer')?.point.d[nth] === value"
OTHER_AMOUNT = "([nth, value]) => document.querySelector('gan-explorer').point.d[nth] !== value"
MOVED = "() => document.querySelector('gan-explorer').point.d.length > 0"
CLASS = "(label) => document.querySelector('gan-explorer')?.point.label === label"
AXES = "(pattern) => RegExp(`^${pattern}$`).test(document.querySelector('gan-explorer').axes.pair)"
CHOICES = """() => {
  const [first] = document.querySelector("gan-explorer").axes.selects;
  return [...first.element.options].map(({ text }) => text);
}"""
PLAYS = "document.querySelector('gan-explorer').player != null"
RESTS = "() => !document.querySelector('gan-explorer').player"
AT = "() => document.querySelector('gan-explorer')?.point.at"
CHANGE = "(patch) => document.querySelector('gan-explorer').change(patch)"
CHOOSE = "(id) => document.querySelector('gan-explorer').choose(id)"
FORGET = "(name) => { delete document.querySelector('gan-explorer').views.views[name]; }"
RECORD_TIMES = """() => {
  window.drawn = [];
  document.querySelector("gan-explorer").addEventListener("gan:drawn", () => drawn.push(performance.now()));
}"""
RATE = "() => (drawn.length - 1) / (drawn.at(-1) - drawn[0]) * 1000"
RECORD = """(nth) => {
  window.drawn = [];
  document.querySelector("gan-explorer").addEventListener(
    "gan:drawn", (event) => drawn.push(event.detail.point.d[nth]));
}"""
SIZED = "() => document.querySelector('.xp-canvas')?.width > 1"
PIXELS = "(pixels) => document.querySelector('.xp-canvas')?.toDataURL() === pixels"


class Explorer:
    """The Explore tab of a page. Its waits begin before the page has an Explorer."""

    def __init__(self, page: Page | Frame):
        self.page = page
        self.note = page.locator(".xp-note")  # the sentence about what just failed
        self.path = page.locator(".xp-path")  # who draws: the browser or the server
        self.drawn_here = page.locator(".xp-path.is-here")  # the browser draws
        self.sliders = page.locator(SLIDERS)
        self.off = page.locator("gan-explorer [inert]")  # the parts that can't be used
        self.random = page.locator(".xp-tools .xp-random")  # draws a random sample, in any language
        self.slider_names = page.locator(".xp-sliders .xp-name")

    def ready(self) -> None:
        """Wait until an image is drawn."""
        self.page.wait_for_function(SHOWN)

    def wait_for_image_of(self, model: str) -> None:
        """Wait until the large image comes from a model, by its id, such as run:NAME."""
        self.page.wait_for_function(SHOWN_OF, arg=model)

    def wait_for_image_of_blend(self, share: float) -> None:
        """Wait until the large image has this share of a second class."""
        self.page.wait_for_function(SHOWN_BLEND, arg=share)

    def wait_for_details(self) -> None:
        """Wait until the server's details of the chosen model are here."""
        self.page.wait_for_function(LOADED)

    def wait_for_seed(self, seed: int) -> None:
        """Wait until the point has this seed."""
        self.page.wait_for_function(SEED, arg=seed)

    def wait_for_model(self, model: str) -> None:
        """Wait until the point belongs to a model, by its id, such as run:NAME."""
        self.page.wait_for_function(MODEL, arg=model)

    def wait_for_own_z(self) -> None:
        """Wait until the point spells out its z."""
        self.page.wait_for_function(AT)

    def wait_for_amount(self, nth: int, value: float) -> None:
        """Wait until the point has this amount of the principal direction at `nth`, from 0."""
        self.page.wait_for_function(AMOUNT, arg=[nth, value])

    def wait_for_other_amount(self, nth: int, value: float) -> None:
        """Wait until the point has another amount than this of the principal direction at `nth`, from 0."""
        self.page.wait_for_function(OTHER_AMOUNT, arg=[nth, value])

    def wait_for_move(self) -> None:
        """Wait until the point is moved along principal directions."""
        self.page.wait_for_function(MOVED)

    def wait_for_class(self, label: int) -> None:
        """Wait until the point has this class, by its number."""
        self.page.wait_for_function(CLASS, arg=label)

    def wait_for_axes(self, pattern: str) -> None:
        """Wait until the ids of the two directions that hands move match, joined by a comma."""
        self.page.wait_for_function(AXES, arg=pattern)

    def choices_of_axes(self) -> list[str]:
        """The names of the directions that hands can be made to move."""
        return self.page.evaluate(CHOICES)

    def plays(self) -> bool:
        """Whether a random walk or a loop plays."""
        return self.page.evaluate(PLAYS)

    def wait_for_rest(self) -> None:
        """Wait until neither a random walk nor a loop plays."""
        self.page.wait_for_function(RESTS)

    def change(self, **patch: object) -> None:
        """Change parts of the point, as a view does."""
        self.page.evaluate(CHANGE, patch)

    def record_drawn(self, nth: int) -> None:
        """Record from now on the amount of the principal direction at `nth` in each drawn image."""
        self.page.evaluate(RECORD, nth)

    def record_times(self) -> None:
        """Record from now on when each image is drawn."""
        self.page.evaluate(RECORD_TIMES)

    def forget_times(self) -> None:
        """Forget what `record_times` recorded, and go on recording."""
        self.page.evaluate("() => { drawn.length = 0; }")

    def rate(self) -> float:
        """The images drawn a second since `record_times` or `forget_times`."""
        return self.page.evaluate(RATE)

    def drawn(self) -> list[float]:
        """The amounts in the images drawn since `record_drawn`."""
        return self.page.evaluate("drawn")

    def wait_for_drawn(self, value: float) -> None:
        """Wait until the image drawn last has this amount, since `record_drawn`."""
        self.page.wait_for_function("(value) => drawn.at(-1) === value", arg=value)

    def is_off(self) -> bool:
        """Whether sliders, tools, files and interpolation can't be used."""
        parts = self.page.locator(".xp-controls, .xp-tools, .xp-take, .xp-way")
        return parts.evaluate_all("(all) => all.every((one) => one.inert)")

    def forget_view(self, name: str) -> None:
        """Drop an open view, so that its next opening reads what is stored."""
        self.page.evaluate(FORGET, name)

    def slider_row(self, direction: str) -> Locator:
        """The row of a direction's slider, by the direction's id."""
        return self.page.locator(f'.xp-sliders [data-id="{direction}"]')

    def slider_value(self, direction: str) -> Locator:
        """The amount beside a direction's slider, by the direction's id."""
        return self.slider_row(direction).locator(".xp-value")

    def wait_for_pixels(self, pixels: bytes) -> None:
        """Wait until the large image has these pixels, as `large` and `still` return them."""
        self.page.wait_for_function(PIXELS, arg=pixels.decode())

    def choose(self, model: str) -> None:
        """Choose a model, by its id, such as run:NAME."""
        self.page.evaluate(CHOOSE, model)

    def wait_for_sized_canvas(self) -> None:
        """Wait until the large image is wider than one pixel."""
        self.page.wait_for_function(SIZED)
