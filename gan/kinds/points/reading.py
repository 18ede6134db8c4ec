"""Read points from a file: two columns of text, or a NumPy array. No pickle is read, so nothing is executed.

Neither the size of a file nor its contents can fill the memory. A tab, semicolon or comma separates columns,
else spaces do.
"""

import io
import math
from array import array
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from gan.errors import UserError, refuse_if_full

TEXT, ARRAY = (".csv", ".tsv", ".txt"), ".npy"
MEGABYTES = 32  # of a file
MIN_POINTS, MAX_POINTS = 20, 500_000  # points
FARTHEST = 1e15  # of a coordinate; its square still fits into float32
LINES = 4 * MAX_POINTS  # with comments and empty lines
MAX_CHARACTERS = 100  # characters of a number
SHOWN = 20  # characters of a wrong value in a sentence


def read_points(path: Path) -> np.ndarray:
    """Return the points of a file: float64 (N, 2), all finite, not all equal. Raises UserError."""
    suffix = path.suffix.lower()
    if suffix not in (*TEXT, ARRAY):
        raise UserError("points.kind", name=path.name)
    data = _bytes(path)
    points = _array(data, path.name) if suffix == ARRAY else _rows(data, path.name)
    return _checked(points, path.name)


def _bytes(path: Path) -> bytes:
    try:
        with open(path, "rb") as file:
            data = file.read(MEGABYTES * 2**20 + 1)
    except OSError as error:
        raise UserError("points.unreadable", name=path.name, reason=error.strerror or error) from error
    if len(data) > MEGABYTES * 2**20:
        raise UserError("points.too_large", name=path.name, megabytes=MEGABYTES)
    return data


def _array(data: bytes, name: str) -> np.ndarray:
    try:
        array = np.load(io.BytesIO(data))  # refuses pickled objects
    except Exception as error:  # numpy raises many kinds for damage; pickled objects are a ValueError
        refuse_if_full(error)
        raise UserError("points.array", name=name) from error
    if (
        not isinstance(array, np.ndarray)
        or array.ndim != 2
        or array.shape[1] != 2
        or array.dtype.kind not in "fiu"
    ):
        raise UserError("points.array", name=name)
    return array.astype(np.float64)


def _rows(data: bytes, name: str) -> np.ndarray:
    """Return the points in the lines of a text: float64 (N, 2).

    Lines are read one at a time into an array of numbers, so that memory holds little more than the file.
    """
    lines = data.count(b"\n")
    if lines > LINES:
        raise UserError("points.too_many", name=name, count=lines, most=MAX_POINTS)
    try:
        values = _values(io.TextIOWrapper(io.BytesIO(data), "utf-8-sig"), lines, name)
    except UnicodeDecodeError as error:
        raise UserError("points.text", name=name) from error
    return np.frombuffer(values).reshape(-1, 2) if values else np.empty((0, 2))


def _values(text: Iterable[str], lines: int, name: str) -> "array[float]":
    """Return x and y of each line in turn. lines: their number, for the error if they are too many."""
    values, separator, first = array("d"), None, True
    for number, line in enumerate(text, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if first:
            first, separator = False, next((mark for mark in "\t;," if mark in line), None)
            if _is_header(line, separator):
                continue
        if len(values) >= 2 * MAX_POINTS:
            raise UserError("points.too_many", name=name, count=lines, most=MAX_POINTS)
        values.extend(_point(line, separator, number, name))
    return values


def _is_header(line: str, separator: str | None) -> bool:
    """Whether neither of the first two cells of the first line is a number: names of columns."""
    return all(_number(cell) is None for cell in line.split(separator, 2)[:2])


def _point(line: str, separator: str | None, number: int, name: str) -> list[float]:
    cells = line.split(separator, 2)
    if len(cells) != 2:
        count = line.count(separator) + 1 if separator else len(line.split(None, SHOWN))
        raise UserError("points.columns", line=number, name=name, count=count)
    first, second = _number(cells[0]), _number(cells[1])
    if first is None or second is None:
        wrong = cells[0 if first is None else 1].strip()[:SHOWN]
        raise UserError("points.number", line=number, name=name, value=wrong)
    return [first, second]


def _number(cell: str) -> float | None:
    if len(cell) > MAX_CHARACTERS:
        return None
    try:
        return float(cell.strip().strip('"'))
    except ValueError:
        return None


def _checked(points: np.ndarray, name: str) -> np.ndarray:
    """Return the points themselves.

    Raises UserError for too few or too many, for NaN and infinity, and if all are equal.
    """
    if not MIN_POINTS <= len(points) <= MAX_POINTS:
        key, limit = (
            ("few", {"least": MIN_POINTS}) if len(points) < MIN_POINTS else ("many", {"most": MAX_POINTS})
        )
        raise UserError(f"points.too_{key}", name=name, count=len(points), **limit)
    bad = ~(np.abs(points) <= FARTHEST).all(1)  # true for NaN as well
    if bad.any():
        raise UserError("points.not_finite", place=int(bad.argmax()) + 1, name=name, most=f"{FARTHEST:g}")
    spread = np.ptp(points, axis=0).max()
    if not spread > 1e-9 * max(1.0, float(np.abs(points).max())) or not math.isfinite(spread):
        raise UserError("points.all_equal", name=name)
    return points
