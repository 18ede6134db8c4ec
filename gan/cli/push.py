"""Push a generator to the Hugging Face Hub: `python -m gan push`."""

import argparse
import sys
from pathlib import Path

from gan import console
from gan.cli.score import add_options
from gan.errors import UserError
from gan.latent.catalogue import find


def main(arguments: list[str] | None = None) -> int:
    """Push and return the exit status: 0, or 2 after one sentence on stderr. Imports torch after --help."""
    console.prepare()
    options = _parser().parse_args(arguments)
    try:
        print(push(options))
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def push(options: argparse.Namespace) -> str:
    """Push the generator that the options name; a run becomes a checkpoint first. Returns its address.

    Raises UserError.
    """
    entry = find(options.place)  # before the imports of torch, so that errors appear at once
    from gan.hub.client import open_client, saved_token
    from gan.hub.push import push, push_run

    client = open_client(saved_token())  # a missing token should not wait for the scores
    how = options.private, options.with_d, client, options.licence
    if entry.kind != "run":
        return push(entry.weights.parent, options.repository, *how)
    return push_run(Path(options.place), options.repository, options, *how)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m gan push",
        description=(
            "Push a generator with its card, scores, preview and ONNX to the Hugging Face Hub. The token is "
            "the one that “hf auth login” saved, or $HF_TOKEN. A run is scored first."
        ),
    )
    parser.add_argument(
        "place",
        metavar="RUN_OR_CHECKPOINT",
        help="directory of a finished run or of a checkpoint, or the name of a pretrained model",
    )
    parser.add_argument(
        "repository", metavar="OWNER/NAME", help="the repository, which is created if missing"
    )
    parser.add_argument("--private", action="store_true", help="create a private repository")
    parser.add_argument(
        "--with-d", action="store_true", help="send the discriminator too, so that others can train on"
    )
    parser.add_argument(
        "--licence", help="licence of a model of your own images, as the Hub writes it, for example cc0-1.0"
    )
    parser.add_argument("--title", help="title of a run's model (default: the data set's name)")
    add_options(parser)
    return parser
