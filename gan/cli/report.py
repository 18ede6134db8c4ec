"""Write a run's report: `python -m gan report`."""

import argparse
import sys
from pathlib import Path

from gan import console
from gan.errors import UserError
from gan.files import write_bytes
from gan.ui.strings import LANGUAGES, table

STANDARD_OUTPUT = "-"


def main(arguments: list[str] | None = None) -> int:
    """Write the report and return the exit status: 0, or 2 after one sentence on stderr."""
    console.prepare()
    options = _parser().parse_args(arguments)
    try:
        page = _report(options.run_dir, options.language)
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    if options.out == STANDARD_OUTPUT:
        sys.stdout.buffer.write(page)
        return 0
    try:
        write_bytes(Path(options.out), page)
    except OSError as error:
        print(
            UserError("latent.cannot_write", path=options.out, reason=error.strerror or error),
            file=sys.stderr,
        )
        return 2
    print(f"{options.out}: {len(page) / 1e6:.1f} MB")
    return 0


def _report(run_dir: Path, language: str) -> bytes:
    """Return the report of a run, without paths of this machine. Raises UserError."""
    from gan.export.report.page import report
    from gan.export.report.words import Words
    from gan.ui.server.requests.redact import shortened, without

    folders = [run_dir.absolute().parent]
    return report(run_dir, Words(language, table(language), lambda text: shortened(without(text, folders))))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m gan report",
        description=(
            "Write a run's report: one HTML file with its settings, curves, samples, scores and events. It "
            "needs no network, and a browser prints it on A4."
        ),
    )
    parser.add_argument("run_dir", type=Path, metavar="RUN_DIR", help="the directory of a run")
    parser.add_argument(
        "--out", required=True, metavar="FILE", help="the .html file to write; - for standard output"
    )
    parser.add_argument("--language", choices=LANGUAGES, default="en", help="its language (default: en)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
