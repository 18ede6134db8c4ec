"""Pull a generator from the Hugging Face Hub: `python -m gan pull`."""

import argparse
import sys

from gan import console
from gan.errors import UserError


def main(arguments: list[str] | None = None) -> int:
    """Pull and return the exit status: 0, or 2 after one sentence on stderr. Imports torch after --help."""
    console.prepare()
    options = _parser().parse_args(arguments)
    from gan.hub.pull import pull

    try:
        found = pull(options.repository)
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{found.id} is in {found.folder}, at commit {found.commit[:12]}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m gan pull",
        description=(
            "Pull a generator from the Hugging Face Hub into the cache, with its discriminator if there is "
            "one. Explore lists it, and other commands accept hub:OWNER/NAME. The token is the one that “hf "
            "auth login” saved, or $HF_TOKEN, if any."
        ),
    )
    parser.add_argument("repository", metavar="OWNER/NAME[@REVISION]", help="the repository")
    return parser
