"""The process that packs a film for the page: `python -m gan.cli.film`.

Its standard input brings a line of JSON (form, fps, factor, shape) and then the frames' bytes. It has the
priority of a training, so that neither the page nor a training waits for it. It imports no torch.
"""

import io
import json
import sys
from collections.abc import Iterator

import numpy as np

from gan import console
from gan.cli.commands import NO_COMMAND, instead
from gan.device import be_nice
from gan.export.film import film

NICE = 10


def _read(source: io.BufferedIOBase, shape: list[int]) -> Iterator[np.ndarray]:
    """The frames of this shape that come from a stream."""
    while data := source.read(int(np.prod(shape))):
        yield np.frombuffer(data, np.uint8).reshape(shape)


def main() -> None:
    """Pack what comes in."""
    console.prepare()
    a_person = len(sys.argv) > 1 or sys.stdin is None or sys.stdin.isatty()
    order = b"" if a_person else sys.stdin.buffer.readline()
    if not order.strip():  # whoever it is has no frames to give
        print(instead("gan.cli.film"), file=sys.stderr)
        sys.exit(NO_COMMAND)
    be_nice(NICE)
    told = json.loads(order)
    sys.stdout.buffer.write(
        film(_read(sys.stdin.buffer, told["shape"]), told["form"], told["fps"], told["factor"])
    )


if __name__ == "__main__":
    main()
