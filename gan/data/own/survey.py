"""What a folder or zip of images contains:  python -m gan.data.own.survey PATH

Prints a Report as JSON, or {"error": {"key", "values", "text"}} with exit status 2 if it refuses the whole.
It reads as a run would, but keeps no pixels and imports no torch, so that the page can call it while people
wait.
"""

import argparse
import json
import sys
import time
from pathlib import Path

from gan import console
from gan.config import BACKGROUNDS
from gan.data.own import files
from gan.data.own.reading import Reader
from gan.data.own.report import Report
from gan.errors import UserError

SECONDS = 60.0


def survey(path: Path | str, seconds: float = SECONDS, background: str = "white") -> Report:
    """What a run would find there. Pictures that it does not come to within `seconds` are counted as
    `unread`. Raises UserError as `gan.data.load` does.
    """
    reader = Reader(files.SIZE, 3, background, keep=False, until=time.monotonic() + seconds)
    return files.read(str(path), reader)[1]


def main(arguments: list[str] | None = None) -> int:
    """The command; returns the exit status: 0, or 2 where there is nothing to learn from."""
    console.prepare()
    parser = argparse.ArgumentParser(
        prog="python -m gan.data.own.survey",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("path", type=Path, help="a folder or zip of images")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="time limit (default: %(default)g)")
    parser.add_argument(
        "--background",
        choices=BACKGROUNDS,
        default="white",
        help="colour behind the transparent parts of images",
    )
    options = parser.parse_args(arguments)
    try:
        found, status = survey(options.path, options.seconds, options.background).to_json(), 0
    except UserError as error:
        values = {name: str(value) for name, value in error.values.items()}
        if "path" in values:
            values["path"] = options.path.name  # not where a server keeps it
        found, status = (
            {"error": {"key": error.key, "values": values, "text": str(UserError(error.key, **values))}},
            2,
        )
    print(json.dumps(found))
    return status


if __name__ == "__main__":
    sys.exit(main())
