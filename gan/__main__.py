"""Run the command `ganarium` as `python -m gan`."""

import sys

from gan.cli.commands import program

if __name__ == "__main__":
    sys.exit(program())
