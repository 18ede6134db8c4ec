"""Make a command's output safe: any text prints on any terminal, and a closed pipe does no harm.

Not all terminals and pipes are UTF-8 (code page 437 of Windows, LANG=C in containers). File names need not be
valid text. The reader of a pipe may leave. None of these may end a training that took an hour.
"""

import codecs
import contextlib
import io
import os
import sys
from typing import TYPE_CHECKING, Literal, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

HANDLER = "ganarium.plain"
PLAIN = {
    "“": '"',
    "”": '"',
    "‘": "'",
    "’": "'",
    "–": "-",
    "—": "-",
    "…": "...",
    "×": "x",
    "±": "+-",
    "→": "->",
    "−": "-",
    "·": ".",
    "ψ": "psi",
    "β": "beta",
    "µ": "u",
}


def prepare() -> None:
    """Make the standard streams accept any text: replace what they can't encode, and drop what nobody reads.

    Each command calls this first. It leaves streams alone that a test or a notebook has replaced.
    """
    codecs.register_error(HANDLER, _plainer)
    _occupy()
    if sys.stdin is None:
        sys.stdin = _nothing("r")
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, _nothing("w"))
        elif stream is getattr(sys, f"__{name}__") and isinstance(stream, io.TextIOWrapper):
            setattr(sys, name, _patient(stream))


def _nothing(mode: Literal["r", "w"]) -> TextIO:
    """Open a stream to replace a closed one, until the process ends."""
    return open(os.devnull, mode, encoding="utf-8", errors="replace")


class _Pipe(io.FileIO):
    """A file whose reader may leave: it drops later writes."""

    def write(self, data: "ReadableBuffer") -> int:
        try:
            return super().write(data)
        except BrokenPipeError:
            return memoryview(data).nbytes


def _patient(stream: io.TextIOWrapper) -> io.TextIOWrapper:
    """Return the stream with HANDLER as its error handler, and on top of a _Pipe.

    Windows' console is no file, and gets only the error handler.
    """
    raw = getattr(stream.buffer, "raw", stream.buffer)
    if type(raw) is not io.FileIO:
        stream.reconfigure(errors=HANDLER)
        return stream
    with contextlib.suppress(OSError):
        stream.flush()
    pipe = _Pipe(raw.fileno(), "wb", closefd=False)
    below = pipe if stream.write_through else io.BufferedWriter(pipe)
    return io.TextIOWrapper(
        below,
        stream.encoding,
        HANDLER,
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )


def _occupy() -> None:
    """Open /dev/null for each closed standard stream.

    Otherwise the next file would get its number, and a library's output would go into that file.
    """
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number, which is this one


def _plainer(error: UnicodeError) -> tuple[str, int]:
    """Replace characters that an encoding lacks: by PLAIN, else by a question mark."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(
        PLAIN.get(character, "?") for character in error.object[error.start : error.end]
    ), error.end
