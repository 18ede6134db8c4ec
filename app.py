"""GANarium's page. `python app.py` serves it; Hugging Face Spaces runs this file unchanged."""

import sys

from gan.cli.serve import main, run

__all__ = ["main"]

if __name__ == "__main__":
    run(sys.argv[1:])
