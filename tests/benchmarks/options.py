"""Define option types that the benchmarks share.

argparse reports a wrong value in a sentence and exits with status 2, before any measurement.
"""

import argparse
import math
from collections.abc import Callable
from pathlib import Path


def at_least(least: float, kind: type[int] | type[float] = float) -> Callable[[str], float]:
    """Return the type of an option for finite numbers of a kind, from `least` on."""

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
    """Convert an option to the path of a file that lines are added to.

    The file is created here, so that a benchmark does not measure first and then fail to write.
    """
    try:
        with open(text, "a", encoding="utf-8"):
            return Path(text)
    except OSError as error:
        raise argparse.ArgumentTypeError(f"“{text}” can't be written ({error.strerror})") from error
