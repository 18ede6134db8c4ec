"""The words of a report: texts of a language, numbers, and texts that a stranger may have written."""

import html
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from gan.runs.names import tidy
from gan.runs.readers import is_number

MAX_TEXT = 1000  # characters of a text that somebody else wrote
HUGE = 1e30  # no number of a run is as large; a damaged file may hold one that no float can


class Words(NamedTuple):
    """How a report speaks.

    lang: the code of its language. texts: those of the page in that language, by key. shorten: returns a text
    without paths of this machine.
    """

    lang: str
    texts: Mapping[str, str]
    shorten: Callable[[str], str]

    def plain(self, value: Any) -> str:
        """Return any value as one line of text, without paths and characters that turn a line around."""
        if isinstance(value, bool):
            return self.texts["report.yes" if value else "report.no"]
        if is_number(value) and abs(value) < HUGE:
            return number(value)
        return tidy(self.shorten(str(value)))[:MAX_TEXT]

    def shown(self, value: Any) -> str:
        """Return any value as text of an HTML page."""
        return html.escape(self.plain(value))

    def text(self, key: str, **values: Any) -> str:
        """Return a text of the page, with its gaps filled, for HTML. Raises KeyError for an unknown key."""
        plain = {name: self.plain(value) for name, value in values.items()}
        return html.escape(self.texts[key].format(**plain))

    def sentence(self, key: Any, values: Any) -> str | None:
        """Return a text with the gaps that a run's file fills, for HTML; None if it can't be filled."""
        try:
            return self.text(str(key), **values)
        except (KeyError, IndexError, TypeError, ValueError, AttributeError):
            return None

    def named(self, prefix: str, name: Any) -> str:
        """Return what the page calls a data set, recipe or setting, else its name itself. For HTML."""
        key = f"{prefix}.{name}"
        return html.escape(self.texts[key]) if key in self.texts else self.shown(name)


def number(value: float) -> str:
    """Return a number in at most four significant digits, and a whole one with thousands separators."""
    if value == int(value) and abs(value) < 10**15:
        return f"{int(value):,}"
    return f"{value:.4g}"


def short(value: float) -> str:
    """Return a count for an axis: 950, 12k, 4.5M."""
    for unit, size in (("M", 10**6), ("k", 1000)):
        if abs(value) >= size:
            return f"{value / size:.3g}{unit}"
    return f"{value:.3g}"


def clock(seconds: Any) -> str:
    """Return a duration as 0:42, 12:05 or 3:07:00."""
    if not is_number(seconds) or not 0 <= seconds < 10**9:
        return "–"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def when(unix: Any) -> str:
    """Return a time in the zone of this machine, "" for a value that is no time."""
    if not is_number(unix) or not 0 < unix < 10**11:
        return ""
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(unix))
