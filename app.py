"""GANarium's page. `python app.py` serves it; Hugging Face Spaces runs this file unchanged."""

import sys

from gan.cli import serve

if __name__ == "__main__":
    serve.run(sys.argv[1:])
