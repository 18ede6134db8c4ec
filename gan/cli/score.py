"""Score the samples of a run, a checkpoint or a shipped model: `python -m gan score`."""

import argparse
import sys

from gan import console
from gan.errors import UserError
from gan.hub.pull import find
from gan.latent.point import whole
from gan.runs.disk import writing


def main(arguments: list[str] | None = None) -> int:
    """Print the scores and return the exit status: 0, or 2 after one sentence on stderr."""
    console.prepare()
    options = parser().parse_args(arguments)
    try:
        print(report(options))
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def report(options: argparse.Namespace) -> str:
    """The table of scores. Raises UserError. Imports torch here, so that --help and errors appear at once."""
    entry = find(options.place)
    import torch

    from gan.device import cpu_quota
    from gan.export.kept_scores import as_kept, keep, step_of
    from gan.export.scores import MAX_COUNT, score_model, table
    from gan.models import load_generator

    if options.keep and entry.kind != "run":
        raise UserError("export.keep_run")
    count = whole(options.count, "--count", 6, MAX_COUNT)

    torch.set_num_threads(cpu_quota())
    folder = entry.weights.parent
    step = step_of(folder, entry.title) if options.keep else None
    generator, spec = load_generator(entry.weights)
    scored = score_model(generator, spec, folder, options.real, options.net, count)
    if options.keep:
        with writing():
            keep(folder, as_kept(step, scored))
    return f"{entry.title}: {table(scored)}"


def parser() -> argparse.ArgumentParser:
    """The parser of this command."""
    parser = argparse.ArgumentParser(
        prog="python -m gan score",
        description=(
            "Score a generator's samples against real images. A Fréchet distance is named after its "
            "feature extractor. Compare it only with distances of the "
            "same feature extractor and number of images. With Inception it is the FID."
        ),
    )
    parser.add_argument(
        "place",
        metavar="RUN_OR_CHECKPOINT",
        help="directory of a run or a checkpoint, or the name of a pretrained model, for example digits",
    )
    parser.add_argument(
        "--keep", action="store_true", help="keep the scores with the run, for its page and its report"
    )
    add_options(parser)
    return parser


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of every command that scores."""
    parser.add_argument(
        "--real",
        metavar="IMAGES",
        help=(
            "real images to score against, without those that the model was trained on: a folder or "
            "zip, a folder of IDX files, or the name of a data set "
            "(default: new ones where a program draws the data set, else the training images)"
        ),
    )
    parser.add_argument(
        "--net",
        help=(
            "the feature extractor: the name of a bundled set (digits, fashion, ...), efficientnet, "
            "pixels, or inception, which is downloaded "
            "(default: the data set's own, else efficientnet)"
        ),
    )
    parser.add_argument(
        "--count",
        default="2000",
        help="number of samples and of real images, if there are as many (default: 2000)",
    )
