"""Draw curves over the images of a run as SVG, which needs no script and prints sharp.

Where outliers would flatten the middle 98 % of the points, they are cut at the edge.
"""

import html
import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from gan.export.report.words import short

WIDTH, HEIGHT = 720, 220
LEFT, RIGHT, TOP, BOTTOM = 52, 12, 10, 34  # margins around the plot
POINTS = 600  # of a curve; gan.runs.curves decimates longer ones
TICKS = 5
OUTSIDE = 0.01  # share of the values that may lie above the plot, and below
FLAT = 3.0  # range of all values, relative to that of the middle ones, from which on outliers are cut
PAD = 0.08  # of the range of the values, above and below


class Curve(NamedTuple):
    """One curve of a chart: its name, its style class "d", "g" or "v", and its values, None if undefined."""

    name: str
    style: str
    values: Sequence[float | None]


class Chart(NamedTuple):
    """A drawn chart, and whether values lie outside of it."""

    svg: str
    cut: bool


def draw(images: Sequence[float], curves: Sequence[Curve], title: str, unit: str) -> Chart | None:
    """Draw curves over the numbers of images (N,), or return None if no value is defined.

    title: for readers who see no picture. unit: what the horizontal axis counts.
    """
    known = sorted(value for curve in curves for value in curve.values if value is not None)
    if not known:
        return None
    low, high = _range(known)
    last = max(images[-1], 1)
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM

    def x(at: float) -> float:
        return LEFT + (right - LEFT) * at / last

    def y(value: float) -> float:
        # a value far outside would make a long path, so it ends just beyond the edge
        share = min(2.0, max(-1.0, (value - low) / (high - low)))
        return bottom - (bottom - TOP) * share

    parts = [
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{html.escape(title)}">',
        # nested, so that it cuts what leaves the plot, without an id that two charts would share
        *_axes(low, high, last, x, y, unit),
        f'<svg x="{LEFT}" y="{TOP}" width="{right - LEFT}" height="{bottom - TOP}" '
        f'viewBox="{LEFT} {TOP} {right - LEFT} {bottom - TOP}">',
    ]
    for curve in curves:
        points = [
            f"{x(at):.1f} {y(value):.1f}"
            for at, value in zip(images, curve.values, strict=True)
            if value is not None
        ]
        # a single point would be invisible: a line of no length has round ends
        line = "L".join(points if len(points) > 1 else 2 * points)
        parts.append(f'<path class="{curve.style}" d="M{line}"/>' if points else "")
    return Chart("".join([*parts, "</svg></svg>"]), known[0] < low or known[-1] > high)


def _range(known: Sequence[float]) -> tuple[float, float]:
    """Return the lowest and the highest value of the plot, from the sorted values."""
    cut = int(len(known) * OUTSIDE)
    low, high = known[cut], known[len(known) - 1 - cut]
    if known[-1] - known[0] <= FLAT * (high - low):
        low, high = known[0], known[-1]
    pad = max(PAD * (high - low), 0.02 * abs(high), 1e-6)
    return low - pad, high + pad


def _axes(
    low: float,
    high: float,
    last: float,
    x: Callable[[float], float],
    y: Callable[[float], float],
    unit: str,
) -> list[str]:
    """Return the lines and numbers of both axes."""
    parts = []
    for value in _ticks(low, high):
        at = y(value)
        parts.append(
            f'<path class="grid" d="M{LEFT} {at:.1f}H{WIDTH - RIGHT}"/>'
            f'<text x="{LEFT - 6}" y="{at + 4:.1f}" text-anchor="end">{_number(value)}</text>'
        )
    bottom = HEIGHT - BOTTOM
    parts.append(f'<path class="axis" d="M{LEFT} {bottom}H{WIDTH - RIGHT}"/>')
    for value in _ticks(0, last):
        anchor = "end" if x(value) > WIDTH - RIGHT - 20 else "middle"
        parts.append(
            f'<text x="{x(value):.1f}" y="{bottom + 15}" text-anchor="{anchor}">{short(value)}</text>'
        )
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(f'<text x="{middle:.1f}" y="{HEIGHT - 4}" text-anchor="middle">{html.escape(unit)}</text>')
    return parts


def _ticks(low: float, high: float) -> list[float]:
    """Return about TICKS round numbers from low to high."""
    size = 10 ** math.floor(math.log10((high - low) / TICKS))
    step = size * next(factor for factor in (1, 2, 5, 10) if factor * size * TICKS >= high - low)
    first, last = math.ceil(low / step), math.floor(high / step)
    return [number * step for number in range(first, last + 1)]


def _number(value: float) -> str:
    return f"{value:.4g}".replace("-", "−") if abs(value) > 1e-12 else "0"
