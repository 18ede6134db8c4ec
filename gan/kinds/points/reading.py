"""Read points from a file: two columns of text, or a NumPy array. No pickle is read, so nothing is executed.

Limits are checked before anything is parsed. A tab, semicolon or comma separates columns, else spaces do.
"""

import io
import math
from pathlib import Path

import numpy as np

from gan.errors import UserError, refuse_if_full

TEXT, ARRAY = (".csv", ".tsv", ".txt"), ".npy"
MEGABYTES = 32  # of a file
LEAST, MOST = 20, 500_000  # points
FARTHEST = 1e15  # of a coordinate; its square still fits into float32
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
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError("points.text", name=name) from error
    lines = [
        (number, line)
        for number, line in enumerate(text.splitlines(), 1)
        if line.strip() and not line.lstrip().startswith("#")
    ]
    if len(lines) > MOST + 1:
        raise UserError("points.too_many", name=name, count=len(lines), most=MOST)
    separator = next((mark for mark in "\t;," if lines and mark in lines[0][1]), None)
    if lines and _is_header(lines[0][1], separator):
        lines = lines[1:]
    return np.array(
        [_point(line, separator, number, name) for number, line in lines], dtype=np.float64
    ).reshape(-1, 2)


def _is_header(line: str, separator: str | None) -> bool:
    """Whether no cell of the first line is a number: names of columns."""
    return all(_number(cell) is None for cell in line.split(separator))


def _point(line: str, separator: str | None, number: int, name: str) -> list[float]:
    cells = line.split(separator)
    if len(cells) != 2:
        raise UserError("points.columns", line=number, name=name, count=len(cells))
    values = []
    for cell in cells:
        value = _number(cell)
        if value is None:
            raise UserError("points.number", line=number, name=name, value=cell.strip()[:SHOWN])
        values.append(value)
    return values


def _number(cell: str) -> float | None:
    try:
        return float(cell.strip().strip('"'))
    except ValueError:
        return None


def _checked(points: np.ndarray, name: str) -> np.ndarray:
    """Return the points themselves.

    Raises UserError for too few or too many, for NaN and infinity, and if all are equal.
    """
    if not LEAST <= len(points) <= MOST:
        key, limit = ("few", {"least": LEAST}) if len(points) < LEAST else ("many", {"most": MOST})
        raise UserError(f"points.too_{key}", name=name, count=len(points), **limit)
    bad = ~(np.abs(points) <= FARTHEST).all(1)  # true for NaN as well
    if bad.any():
        raise UserError("points.not_finite", place=int(bad.argmax()) + 1, name=name, most=f"{FARTHEST:g}")
    spread = np.ptp(points, axis=0).max()
    if not spread > 1e-9 * max(1.0, float(np.abs(points).max())) or not math.isfinite(spread):
        raise UserError("points.all_equal", name=name)
    return points
