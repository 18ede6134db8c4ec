"""Types of options that the benchmarks share: argparse tells what does not fit in a sentence and ends with
status 2, before anything is measured.
"""

import argparse
import math
from collections.abc import Callable
from pathlib import Path


def at_least(least: float, kind: type[int] | type[float] = float) -> Callable[[str], float]:
    """The type of an option that takes finite numbers of a kind from `least` on."""

    def read(text: str) -> float:
        try:
            number = kind(text)
        except ValueError:
            number = math.nan
        if not least <= number < math.inf:
            raise argparse.ArgumentTypeError(
                f"“{text}” is not a {'whole ' if kind is int else ''}number from {least:g} on"
            )
        return number

    return read


def writable(text: str) -> Path:
    """The type of an option that names a file which lines are added to; it is made here, so that nothing is
    measured in vain.
    """
    try:
        with open(text, "a", encoding="utf-8"):
            return Path(text)
    except OSError as error:
        raise argparse.ArgumentTypeError(f"“{text}” can't be written ({error.strerror})") from error
