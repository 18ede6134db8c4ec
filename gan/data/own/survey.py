"""Report what a folder or zip of images contains:  python -m gan.data.own.survey PATH

Prints a Report as JSON. If it refuses the whole, it prints {"error": {"key", "values", "text"}} and exits
with status 2. It reads the images as a run would, but keeps no pixels and imports no torch. So the page can
call it while people wait.
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
from gan.data.own.source import read_source
from gan.errors import UserError

SECONDS = 60.0


def survey(path: Path | str, seconds: float = SECONDS, background: str = "white") -> Report:
    """Report what a run would find there.

    Images not decoded within `seconds` count as `unread`. Raises UserError as `gan.data.load` does.
    """
    reader = Reader(files.SIZE, 3, background, keep=False, until=time.monotonic() + seconds)
    return files.read(str(path), reader, read_source(path))[1]


def main(arguments: list[str] | None = None) -> int:
    """Run the command. Returns the exit status: 0, or 2 if there is nothing to train on."""
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
            values["path"] = options.path.name  # hides the folder in which a server stores it
        found, status = (
            {"error": {"key": error.key, "values": values, "text": str(UserError(error.key, **values))}},
            2,
        )
    print(json.dumps(found))
    return status


if __name__ == "__main__":
    sys.exit(main())
