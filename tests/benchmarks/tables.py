"""Format numbers for the benchmarks: means with their spread, and tables."""

import math
import statistics
from collections.abc import Sequence


def spread(values: Sequence[float]) -> str:
    """Return the mean. Several values also give ± their sample standard deviation: “0.5123 ±0.012”."""
    mean = statistics.fmean(values)
    around = f" ±{statistics.stdev(values):.2g}" if len(values) > 1 and math.isfinite(mean) else ""
    return f"{mean:.4g}{around}"


def markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table that also lines up in a terminal.

    The first column is aligned to the left, all others to the right.
    """
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]

    def line(cells: Sequence[str]) -> str:
        aligned = [
            cells[0].ljust(widths[0]),
            *(cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True)),
        ]
        return f"| {' | '.join(aligned)} |"

    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    return "\n".join([line(header), f"| {' | '.join(rule)} |", *map(line, rows)])
