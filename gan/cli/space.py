"""Deploy this checkout to a Hugging Face Space.

  python -m gan space check                             say what the Hub would refuse
  python -m gan space push OWNER/NAME [--private]       check, create the Space, upload
  python -m gan space push OWNER/NAME --hardware NAME   with paid hardware, for example t4-small

It uploads what git tracks, without tests. Sign in first: “hf auth login”, or $HF_TOKEN.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from gan import console
from gan.errors import UserError
from gan.mirror.space import Plan, plan, push

NAMED = 5  # files that a line names


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command. Returns the exit status: 0, or 2 after the sentences of all faults on stderr."""
    console.prepare()
    options = _parser().parse_args(arguments)
    try:
        found = plan(options.folder.absolute())
        _tell(found)
        if found.faults:
            print(*found.faults, sep="\n", file=sys.stderr)
            return 2
        if options.command == "push":
            print(push(found, options.space, options.private, options.hardware, print))
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _tell(found: Plan) -> None:
    print(f"{len(found.files)} files that git tracks, {found.size / 1e6:.1f} MB, without tests.")
    if found.changed:
        print(f"These files differ from the last commit and go as they are: {_some(found.changed)}")
    if found.left_out:
        print(f"Git does not track these files, so they are left out: {_some(found.left_out)}")


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")


def _parser() -> argparse.ArgumentParser:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="python -m gan space", description=__doc__, formatter_class=raw)
    commands = parser.add_subparsers(dest="command", required=True)
    checking = commands.add_parser("check", help="say what the Hub would refuse")
    pushing = commands.add_parser("push", help="check, create the Space, upload")
    pushing.add_argument("space", metavar="OWNER/NAME")
    pushing.add_argument("--private", action="store_true", help="let nobody else see it")
    pushing.add_argument(
        "--hardware", metavar="NAME", help="the Space's hardware (default: the Hub's choice)"
    )
    for one in (checking, pushing):
        one.add_argument("--folder", type=Path, default=Path(), help="the checkout (default: this folder)")
    return parser
