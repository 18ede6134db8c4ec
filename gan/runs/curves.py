"""Decimate the statistics of runs for charts: at most POINTS points a curve, and every spike stays.

Consecutive rows share a bucket. A bucket keeps the lowest and the highest value of each statistic, so a curve
through them covers whatever the rows cover.
"""

import math
import threading
from array import array
from collections import OrderedDict
from collections.abc import Iterable
from typing import Any

from gan.runs.readers import AppendedLines, stats_line
from gan.runs.store import Store

POINTS = 1500  # of a curve
AXES = ("step", "images", "seconds")  # what the charts' x can be; a row without one of them has no place
COLUMNS = 32  # statistics of a run; a worker writes about ten
OPEN = 32  # runs in memory, each of at most 2 MB
LARGEST = 1e290  # a damaged file may hold integers that are no float, or whose sum is none
_NONE = math.nan


def extremes(values: Iterable[float]) -> tuple[float, float]:
    """Return the lowest and the highest value, in the order in which they occur. NaN counts as no value."""
    seen = [value for value in values if not math.isnan(value)]
    if not seen:
        return _NONE, _NONE
    low, high = min(seen), max(seen)
    return (low, high) if seen.index(low) <= seen.index(high) else (high, low)


class _Column:
    """One statistic: for each bucket its two extremes, the sum of its values, and their number."""

    def __init__(self, buckets: int):
        self.first, self.second = array("d", [_NONE] * buckets), array("d", [_NONE] * buckets)
        self.total, self.count = array("d", bytes(8 * buckets)), array("q", bytes(8 * buckets))

    def grow(self) -> None:
        self.first.append(_NONE)
        self.second.append(_NONE)
        self.total.append(0.0)
        self.count.append(0)

    def add(self, value: float) -> None:
        """Add a value to the last bucket."""
        self.first[-1], self.second[-1] = extremes((self.first[-1], self.second[-1], value))
        self.total[-1] += value
        self.count[-1] += 1

    def halve(self) -> None:
        """Merge every two neighbours; the last bucket of an odd number stays alone."""
        ordered = _woven(self.first, self.second)
        pairs = [extremes(ordered[place : place + 4]) for place in range(0, len(ordered), 4)]
        self.first, self.second = array("d", (one for one, _ in pairs)), array("d", (two for _, two in pairs))
        self.total = array("d", _sums(self.total))
        self.count = array("q", _sums(self.count))


class Buckets:
    """The rows of a run's statistics, in at most `points` points a curve.

    Up to `points` rows, each has a bucket of its own. Beyond them the buckets take twice as many rows as
    often as necessary: there are then `points` / 4 to `points` / 2 of them, each drawn by two points.
    """

    def __init__(self, points: int = POINTS):
        self._most, self._stride, self._rows = points, 1, 0
        self._begins = {name: array("d") for name in AXES}
        self._ends = {name: array("d") for name in AXES}
        self._columns: dict[str, _Column] = {}

    def add(self, row: dict[str, Any]) -> None:
        """Add the next row: numbers by name, None for missing ones."""
        row = {name: value for name, value in row.items() if value is not None and abs(value) < LARGEST}
        if any(name not in row for name in AXES):
            return
        if self._rows % self._stride == 0:
            self._open(row)
        self._rows += 1
        for name in AXES:
            self._ends[name][-1] = row[name]
        for name, value in row.items():
            if name in AXES:
                continue
            if name not in self._columns and len(self._columns) < COLUMNS:
                self._columns[name] = _Column(len(self._begins[AXES[0]]))
            if name in self._columns:
                self._columns[name].add(float(value))

    def _open(self, row: dict[str, Any]) -> None:
        """Begin the bucket of a row. Where it would be one too many, the buckets merge first."""
        while len(self._begins[AXES[0]]) >= (self._most if self._stride == 1 else self._most // 2):
            self._halve()
            if self._rows % self._stride:  # the row belongs to the last bucket now
                return
        for name in AXES:
            self._begins[name].append(row[name])
            self._ends[name].append(row[name])
        for column in self._columns.values():
            column.grow()

    def _halve(self) -> None:
        self._stride *= 2
        for name in AXES:
            ends = self._ends[name]
            self._begins[name] = self._begins[name][::2]
            self._ends[name] = ends[1::2] + (ends[-1:] if len(ends) % 2 else array("d"))
        for column in self._columns.values():
            column.halve()

    def to_json(self) -> dict[str, Any]:
        """Return {axes, values, means}: by name, lists of equal length, with None for no value.

        axes: where the points are, step, images and seconds of training. values: the statistics there. means:
        the mean of each bucket at both of its points, from which a smoothed line starts; None where each row
        has a point of its own.
        """
        if self._stride == 1:
            axes = {name: _axis(self._begins[name]) for name in AXES}
            return {
                "axes": axes,
                "values": {n: _plain(c.first) for n, c in self._columns.items()},
                "means": None,
            }
        axes = {name: _axis(_woven(self._begins[name], self._ends[name])) for name in AXES}
        values, means = {}, {}
        for name, column in self._columns.items():
            values[name] = _plain(_woven(column.first, column.second))
            mean = [t / n if n else _NONE for t, n in zip(column.total, column.count, strict=True)]
            means[name] = _plain(_woven(mean, mean))
        return {"axes": axes, "values": values, "means": means}


def _sums(values: Any) -> list[Any]:
    return [sum(values[place : place + 2]) for place in range(0, len(values), 2)]


def _woven(one: Iterable[float], two: Iterable[float]) -> list[float]:
    return [value for pair in zip(one, two, strict=True) for value in pair]


def _axis(values: Iterable[float]) -> list[float]:
    return [int(value) if value.is_integer() else round(value, 2) for value in values]


def _plain(values: Iterable[float]) -> list[float | None]:
    """Return the values in six significant digits, which no screen can tell apart."""
    return [None if math.isnan(value) else float(f"{value:.6g}") for value in values]


class _CurveFile(AppendedLines):
    """The curves of one stats.jsonl. Each call reads only what was appended since the last one."""

    def _forget(self) -> None:
        super()._forget()
        self._buckets = Buckets()
        self._shown: tuple[int, dict[str, Any]] | None = None

    def _take(self, raw: bytes) -> None:
        line = stats_line(raw)
        if line is not None:
            self._buckets.add(line)

    def read(self) -> dict[str, Any]:
        """Return the curves. All callers share them and must not change them."""
        with self._lock:
            try:
                with open(self.path, "rb") as file:
                    self._read_on(file)
            except OSError:
                self._forget()
            if self._shown is None or self._shown[0] != self._offset:
                self._shown = (self._offset, self._buckets.to_json())
            return self._shown[1]


class Curves:
    """The curves of the runs of a store. Safe to use from many threads."""

    def __init__(self, store: Store):
        self._store = store
        self._lock = threading.Lock()
        self._files: OrderedDict[str, _CurveFile] = OrderedDict()

    def read(self, run_id: str) -> dict[str, Any]:
        """Return a run's curves; see Buckets.to_json. Raises UserError if the run does not exist."""
        path = str(self._store.path(run_id) / "stats.jsonl")
        with self._lock:
            file = self._files.get(run_id)
            if file is None:
                file = self._files[run_id] = _CurveFile(path)
            self._files.move_to_end(run_id)
            while len(self._files) > OPEN:
                self._files.popitem(last=False)
        return file.read()
