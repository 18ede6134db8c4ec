"""A run's statistics as CSV or as JSON Lines, in pieces: those of a long run take hundreds of megabytes.

Both forms hold numbers only. Another program may have written anything into stats.jsonl, for example a path
or the formula of a spreadsheet. So texts are left out, and so are columns whose name is no plain word.
"""

import csv
import io
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from gan.errors import UserError
from gan.runs.readers import is_number, stats_line

FIRST = ("step", "images", "seconds")  # the first columns; trackio.import_csv needs `step`
COLUMNS = 64  # at most; a damaged file could name others on each line
PIECE = 2**16  # bytes of a piece, about
_NAME = re.compile(r"[A-Za-z_]\w{0,63}", re.ASCII)


class Form(NamedTuple):
    """A file format: its media type, and `write(rows, columns)`, which yields lines of text."""

    media_type: str
    write: Callable[[Iterator[dict[str, Any]], list[str]], Iterator[str]]


def rows(run_dir: Path) -> Iterator[dict[str, Any]]:
    """Yield the numbers of each line of a run's statistics, by name, where the line has a step.

    Undefined numbers are None. A run without statistics has no rows.
    """
    try:
        file = open(run_dir / "stats.jsonl", "rb")  # noqa: SIM115 - the block below closes it
    except FileNotFoundError:
        return
    with file:
        for raw in file:
            # the worker may be writing the last line
            line = stats_line(raw) if raw.endswith(b"\n") else None
            if line is not None and is_number(line.get("step")):
                yield {name: value for name, value in line.items() if _NAME.fullmatch(name)}


def columns(run_dir: Path) -> list[str]:
    """Return the names in a run's statistics, in the order of the CSV file; [] without statistics."""
    found: dict[str, None] = {}
    for row in rows(run_dir):
        found |= dict.fromkeys(row)
        if len(found) > COLUMNS:
            break
    return [*FIRST, *(name for name in found if name not in FIRST)][:COLUMNS] if found else []


def write(run_dir: Path, form: str) -> Iterator[bytes]:
    """Return the pieces of a run's statistics in a form of FORMS. Raises UserError for a run without any."""
    names = columns(run_dir)
    if not names:
        raise UserError("export.no_statistics", name=run_dir.absolute().name)
    return _pieces(FORMS[form].write(rows(run_dir), names))


def _csv(lines: Iterator[dict[str, Any]], names: list[str]) -> Iterator[str]:
    out = io.StringIO()
    writer = csv.DictWriter(out, names, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for line in lines:
        writer.writerow(line)
        yield out.getvalue()
        out.seek(0)
        out.truncate()


def _jsonl(lines: Iterator[dict[str, Any]], names: list[str]) -> Iterator[str]:
    for line in lines:
        kept = {name: value for name, value in line.items() if name in names}
        yield json.dumps(kept, separators=(",", ":")) + "\n"


FORMS = {
    "csv": Form("text/csv; charset=utf-8", _csv),
    "jsonl": Form("application/jsonl; charset=utf-8", _jsonl),
}


def _pieces(lines: Iterator[str]) -> Iterator[bytes]:
    """Join lines of text to pieces of about PIECE bytes."""
    held, size = [], 0
    for line in lines:
        held.append(line)
        size += len(line)
        if size >= PIECE:
            yield "".join(held).encode()
            held, size = [], 0
    if held:
        yield "".join(held).encode()
