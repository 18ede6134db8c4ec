"""Encode a film for the page, in a process of its own: `python -m gan.cli.film`.

Standard input brings a line of JSON (form, fps, factor, shape), then the bytes of the frames. The process has
the priority of a training run, so it delays neither the page nor a run. It imports no torch.
"""

import json
import sys
from collections.abc import Iterator
from typing import IO

import numpy as np

from gan import console
from gan.cli.commands import NO_COMMAND, instead
from gan.device import be_nice
from gan.export.film import film

NICE = 10


def _read(source: IO[bytes], shape: list[int]) -> Iterator[np.ndarray]:
    """The frames of this shape in a stream."""
    while data := source.read(int(np.prod(shape))):
        yield np.frombuffer(data, np.uint8).reshape(shape)


def main() -> None:
    """Encode the frames from standard input and write the film to standard output."""
    console.prepare()
    a_person = len(sys.argv) > 1 or sys.stdin is None or sys.stdin.isatty()
    order = b"" if a_person else sys.stdin.buffer.readline()
    if not order.strip():  # a person or an empty stream: there are no frames
        print(instead("gan.cli.film"), file=sys.stderr)
        sys.exit(NO_COMMAND)
    be_nice(NICE)
    settings = json.loads(order)
    sys.stdout.buffer.write(
        film(
            _read(sys.stdin.buffer, settings["shape"]), settings["form"], settings["fps"], settings["factor"]
        )
    )


if __name__ == "__main__":
    main()
