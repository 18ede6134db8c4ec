"""Measure which settings train fastest on this machine, in two seconds of real training steps.

  python -m gan measure            show the measurement of this machine; measure first if there is none
  python -m gan measure --again    measure again

Only a clear gain moves a choice away from the defaults: all threads, float32, channels last.
"""

import argparse
from collections.abc import Sequence

from gan import console


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the measurement and return the exit status 0. Imports torch after --help."""
    console.prepare()
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="python -m gan measure", description=__doc__, formatter_class=raw)
    parser.add_argument(
        "--again", action="store_true", help="measure even if this machine was measured before"
    )
    options = parser.parse_args(arguments)
    from gan.device import pick_device
    from gan.train.autotune import machine, measure

    picked = pick_device()
    if options.again:
        machine.save_profile(measure.measure(picked))
    print(measure.table(measure.load_or_measure(picked)))
    return 0
