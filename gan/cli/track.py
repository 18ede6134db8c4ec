"""Send the curves, sample sheets and settings of a run to a tracker.

  python -m gan track my-run --tensorboard logs            files for TensorBoard, in logs/my-run-…
  python -m gan track my-run --trackio PROJECT             a project of trackio's on this machine
  python -m gan track my-run --trackio PROJECT --space ID  a dashboard in a Space on the Hub; needs internet
  python -m gan track my-run --tensorboard logs --follow   goes on while the run trains

Curves go by the number of images. Giving the command again sends what is missing, and nothing twice. The
name in the tracker is the folder's with 8 digits, which differ for each run and after each restart.
A Space that this creates is private, unless --public is given.
"""

import argparse
import sys
import threading
from pathlib import Path

from gan import console
from gan.errors import UserError
from gan.export import track


def main(arguments: list[str] | None = None) -> int:
    """Send a run, and return the exit status: 0, or 2 after an error that the user can correct."""
    console.prepare()
    options = _parser().parse_args(arguments)
    try:
        sent = _send(options)
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:  # the next call sends the rest
        return 0
    print(f"{options.run_dir}: {sent} points")
    return 0


def _send(options: argparse.Namespace) -> int:
    """Send the run, and return the number of points. Raises UserError for whatever the tracker raises."""
    if (options.tensorboard is None) == (options.trackio is None):
        raise UserError("track.which")
    settings, name = track.configuration(options.run_dir), track.name_of(options.run_dir)
    going_on = (lambda: track.trains(options.run_dir)) if options.follow else lambda: False
    try:
        if options.tensorboard is not None:
            options.tensorboard.mkdir(parents=True, exist_ok=True)
        tracker: track.Tracker = (
            track.TensorBoard(options.tensorboard / name, settings)
            if options.tensorboard is not None
            else track.Trackio(options.trackio, name, settings, options.space, options.public)
        )
        try:
            return track.send(options.run_dir, tracker, going_on, threading.Event())
        finally:
            tracker.close()
    except UserError:
        raise
    except Exception as error:  # a tracker's package, the disk or the network: each has its own errors
        tool = "TensorBoard" if options.tensorboard is not None else "trackio"
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UserError("track.failed", tracker=tool, reason=reason.rstrip(".")) from error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m gan track", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run_dir", type=Path, metavar="RUN_DIR", help="the directory of a run")
    parser.add_argument("--tensorboard", type=Path, metavar="DIR", help="a folder for TensorBoard's files")
    parser.add_argument("--trackio", metavar="PROJECT", help="the name of a project of trackio's")
    parser.add_argument("--space", metavar="ID", help="with --trackio: a Space, as owner/name")
    parser.add_argument(
        "--public", action="store_true", help="with --space: everybody may see a Space that this creates"
    )
    parser.add_argument("--follow", action="store_true", help="go on until the run pauses or is over")
    return parser
