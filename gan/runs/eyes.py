"""Read what D makes of a run's images and samples: the file that its worker writes with the signals."""

from typing import Any

from gan.runs.readers import is_number, parse_json

MOST_BINS, TILES = 100, 64
COUNTED = ("trained", "held_out", "fakes")


def parse(data: bytes | None) -> dict[str, Any] | None:
    """Return the content of eyes.json, or None where it is missing or not what a worker writes.

    {step, images, sheet, low, high, trained, held_out, fakes, tiles}: when D judged, the step of the sheet
    whose tiles it judged, the ends of the bins, three lists of counts, and a percentile or None per tile.
    """
    try:
        value = parse_json(data)
    except ValueError:
        return None
    if not isinstance(value, dict):
        return None
    whole = all(_is_count(value.get(name)) for name in ("step", "images", "sheet"))
    numbers = all(is_number(value.get(name)) for name in ("low", "high"))
    counts = [value.get(name) for name in COUNTED]
    if not (whole and numbers and value["low"] < value["high"] and _are_bins(counts)):
        return None
    tiles = value.get("tiles")
    if not isinstance(tiles, list) or len(tiles) != TILES or not all(map(_is_percentile, tiles)):
        return None
    return {name: value[name] for name in ("step", "images", "sheet", "low", "high", *COUNTED, "tiles")}


def _is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value < 2**53


def _is_percentile(value: Any) -> bool:
    return value is None or (type(value) is int and 0 <= value <= 100)


def _are_bins(counts: list[Any]) -> bool:
    """Whether these are lists of counts of one length, each with at least one example."""
    if not all(isinstance(one, list) and 0 < len(one) <= MOST_BINS for one in counts):
        return False
    alike = len({len(one) for one in counts}) == 1
    return alike and all(all(map(_is_count, one)) and any(one) for one in counts)
