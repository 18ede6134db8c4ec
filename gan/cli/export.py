"""Export a generator as a web page, as an ONNX model, or as a checkpoint, and a run's statistics as a table.

  python -m gan export webpage RUN_OR_CHECKPOINT page.html
  python -m gan export onnx RUN_OR_CHECKPOINT generator.onnx
  python -m gan export checkpoint RUN_DIR checkpoints/digits --real IMAGES
  python -m gan export checkpoint checkpoints/digits --rescore --real IMAGES
  python -m gan export csv RUN_DIR statistics.csv
  python -m gan export jsonl RUN_DIR statistics.jsonl

A checkpoint directory holds four files:

  generator.safetensors   the EMA generator in half precision
  config.json             the settings, enough to train the model again
  card.json               what it is, how it was trained, its scores
  preview.webp            a grid of its samples

For your own images the checkpoint stores their name and a digest that identifies them, but no path. With
--rescore the command only updates the scores of a checkpoint.
"""

import argparse
import sys
from pathlib import Path

from gan import console
from gan.cli.score import add_options
from gan.errors import UserError
from gan.files import write_bytes
from gan.hub.pull import find


def main(arguments: list[str] | None = None) -> int:
    """Export and return the exit status: 0, or 2 after one sentence on stderr. Imports torch after --help."""
    console.prepare()
    options = _parser().parse_args(arguments)
    try:
        options.write(options)
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    except OSError as error:
        key = "export.cannot_write" if options.write is _checkpoint else "latent.cannot_write"
        print(UserError(key, path=_written(options), reason=error.strerror or error), file=sys.stderr)
        return 2
    return 0


def _webpage(options: argparse.Namespace) -> None:
    from gan.export.webpage import take_home

    size = take_home(find(options.place), options.target)
    print(f"{options.target}: {size / 1e6:.1f} MB")


def _onnx(options: argparse.Namespace) -> None:
    entry = find(options.place)  # before the imports of torch, so that errors appear at once
    from gan.export.card import onnx_facts
    from gan.export.onnx import generator_onnx
    from gan.models import load_generator

    model = generator_onnx(*load_generator(entry.weights), onnx_facts(entry))
    write_bytes(options.target, model)
    print(f"{options.target}: {len(model) / 1e6:.1f} MB")


def _checkpoint(options: argparse.Namespace) -> None:
    if options.rescore == (options.target is not None):
        options.refuse("give RUN_DIR and CHECKPOINT_DIR, or CHECKPOINT_DIR and --rescore")
    from gan.export.checkpoint import export, rescore

    if options.rescore:
        rescore(_written(options), options)
    else:
        export(options.source, _written(options), options)


def _statistics(options: argparse.Namespace) -> None:
    from gan.export.report import statistics
    from gan.worker.run_dir import read_config

    read_config(options.source)  # raises for a folder that holds no run
    pieces = statistics.write(options.source, options.form)
    with open(options.target, "wb") as file:
        file.writelines(pieces)
    print(f"{options.target}: {options.target.stat().st_size / 1e6:.1f} MB")


def _written(options: argparse.Namespace) -> Path:
    return options.source if options.target is None else options.target


def _parser() -> argparse.ArgumentParser:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="python -m gan export", description=__doc__, formatter_class=raw)
    forms = parser.add_subparsers(metavar="FORM", required=True)
    place = "directory of a run or a checkpoint, or the name of a pretrained model, for example digits"
    for name, write, target, text in (
        ("webpage", _webpage, "PAGE", "one .html file that needs no network"),
        ("onnx", _onnx, "FILE", "an .onnx file, with the card in its metadata"),
    ):
        form = forms.add_parser(name, help=text, description=f"Export a generator: {text}.")
        form.add_argument("place", metavar="RUN_OR_CHECKPOINT", help=place)
        form.add_argument("target", type=Path, metavar=target, help="the file to write")
        form.set_defaults(write=write)
    for name, text in (
        ("csv", "a table with a row for each point of the curves, also for trackio.import_csv"),
        ("jsonl", "JSON Lines, one object for each point of the curves"),
    ):
        form = forms.add_parser(name, help=text, description=f"Export a run's statistics: {text}.")
        form.add_argument("source", type=Path, metavar="RUN_DIR", help="the directory of a run")
        form.add_argument("target", type=Path, metavar="FILE", help="the file to write")
        form.set_defaults(write=_statistics, form=name)
    form = forms.add_parser("checkpoint", help="a model that ships", description=__doc__, formatter_class=raw)
    form.add_argument(
        "source", type=Path, metavar="RUN_DIR", help="a finished run; with --rescore a checkpoint"
    )
    form.add_argument("target", type=Path, nargs="?", metavar="CHECKPOINT_DIR", help="the directory to write")
    form.add_argument("--title", help="title of the model (default: the data set's name)")
    form.add_argument("--rescore", action="store_true", help="only score a checkpoint again")
    add_options(form)
    form.set_defaults(write=_checkpoint, refuse=form.error)
    return parser
