"""Build the bundled fashion set from the Debian package dataset-fashion-mnist (0.0~git20200523.55506a9-1).

    apt-get install dataset-fashion-mnist
    python -m gan.data.build.fashion /usr/share/datasets/fashion-mnist

It takes the first 1,000 images of each class of the *training* split, in order. The test split stays unseen.
"""

from pathlib import Path

import numpy as np

from gan import console
from gan.data.build.pack import asked, write_set
from gan.data.idx import read_idx
from gan.data.registry import DOWNLOADS

PER_CLASS = 1000
LICENCE = """
Fashion-MNIST, the first 1,000 training images of each kind with their labels, unchanged, stored as one lossless WebP sheet.
Source: https://github.com/zalandoresearch/fashion-mnist, from the Debian package dataset-fashion-mnist (0.0~git20200523.55506a9-1).

The MIT License (MIT) Copyright © 2017 Zalando SE, https://tech.zalando.com

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation files (the
“Software”), to deal in the Software without restriction, including without limitation the rights to use, copy, modify, merge, publish,
distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is furnished to do so, subject to
the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED “AS IS”, WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF
MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR
ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH
THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""  # noqa: E501


def main(folder: Path) -> None:
    labels = read_idx(folder / "train-labels-idx1-ubyte.gz")
    chosen = np.sort(np.concatenate([np.flatnonzero(labels == kind)[:PER_CLASS] for kind in range(10)]))
    images = read_idx(folder / "train-images-idx3-ubyte.gz")[chosen][:, None]
    meta = {
        "name": "fashion",
        "size": 28,
        "classes": list(DOWNLOADS["fashion-mnist"].classes),
        "attributes": {},
        "licence": "MIT",
        "credit": "Fashion-MNIST, by Zalando SE",
        "source": (
            "Debian dataset-fashion-mnist 0.0~git20200523.55506a9-1: the first 1,000 training images of "
            "each kind, in order"
        ),
    }
    write_set("fashion", images, {"label": labels[chosen]}, meta, LICENCE)


if __name__ == "__main__":
    console.prepare()
    main(asked(__doc__, "folder").folder)
