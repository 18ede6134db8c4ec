"""`python -m gan`: the same as the command `ganarium`."""

import sys

from gan.cli.commands import main

if __name__ == "__main__":
    sys.exit(main())
