"""Carry a run to another machine as one file, also while it trains.

  python -m gan move pack RUN_DIR run.zip             write a run as one file
  python -m gan move unpack run.zip --runs ./runs     take it in elsewhere, as paused or finished

The file holds settings, checkpoint, generators, sample grids, statistics and events. It holds no path of this
machine, and none of your own images: resume such a run with “python -m gan train RUN_DIR --data PATH”.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from gan import console
from gan.errors import UserError
from gan.files import replace_with
from gan.mirror.contents import Manifest
from gan.mirror.parcel import pack, unpack
from gan.runs.store import Store, default_root


def main(arguments: Sequence[str] | None = None) -> int:
    """Move a run. Returns the exit status: 0, or 2 after one sentence on stderr."""
    console.prepare()
    options = _parser().parse_args(arguments)
    try:
        options.act(options)
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    except OSError as error:
        path = error.filename or options.file
        print(UserError("mirror.cannot_move", path=path, reason=error.strerror or error), file=sys.stderr)
        return 2
    return 0


def _pack(options: argparse.Namespace) -> None:
    file = options.file.resolve()
    if file.exists() and not file.is_file():  # a device or a pipe can't be replaced
        manifest = pack(options.run, file)
    else:
        found: list[Manifest] = []
        replace_with(file, lambda fresh: found.append(pack(options.run, fresh)))
        manifest = found[0]
    size = options.file.stat().st_size
    print(f"{options.file}: step {manifest.step}, {len(manifest.files)} files, {size / 1e6:.1f} MB")


def _unpack(options: argparse.Namespace) -> None:
    store = Store(options.runs)
    run_id = unpack(store, options.file)
    print(f"{store.path(run_id)}: {store.status(run_id)['state']}, step {store.status(run_id)['step']}")


def _parser() -> argparse.ArgumentParser:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="python -m gan move", description=__doc__, formatter_class=raw)
    ways = parser.add_subparsers(required=True, metavar="pack|unpack")
    packing = ways.add_parser("pack", help="write a run as one file")
    packing.add_argument("run", type=Path, metavar="RUN_DIR")
    packing.add_argument("file", type=Path, metavar="FILE")
    packing.set_defaults(act=_pack)
    taking = ways.add_parser("unpack", help="take in such a file")
    taking.add_argument("file", type=Path, metavar="FILE")
    taking.add_argument("--runs", type=Path, default=default_root(), help="default: $GANARIUM_RUNS or ./runs")
    taking.set_defaults(act=_unpack)
    return parser
