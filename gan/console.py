"""The terminal of a command: what it prints arrives there whatever characters the terminal knows, and whether
or not anybody still reads.

Terminals and pipes are not UTF-8 everywhere (code page 437 of Windows, LANG=C in containers), names of files
need not be text at all, and the reader of a pipe may leave. None of these may end a training that took an
hour.
"""

import codecs
import contextlib
import io
import os
import sys
from typing import TextIO

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
    """Have the standard streams take any text: what they can't show becomes something plainer, and what
    nobody reads is dropped.

    Called first in each command. Streams that a test or a notebook has put in their place are left as they
    are.
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


def _nothing(mode: str) -> TextIO:
    """A stream in place of one that is closed, for as long as the process runs."""
    return open(os.devnull, mode, encoding="utf-8", errors="replace")


class _Pipe(io.FileIO):
    """A file that its reader may leave: what is written after that is dropped."""

    def write(self, data: bytes) -> int:
        try:
            return super().write(data)
        except BrokenPipeError:
            return len(data)


def _patient(stream: io.TextIOWrapper) -> io.TextIOWrapper:
    """The stream with HANDLER for what it can't encode, and over a _Pipe; Windows' console, which is no file,
    only with the former.
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
    """Open /dev/null in place of standard streams that are closed: else the next file takes their number, and
    what a library prints goes into it.
    """
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number, which is this one


def _plainer(error: UnicodeError) -> tuple[str, int]:
    """What to write for characters that an encoding has not: PLAIN's, else a question mark for each."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(
        PLAIN.get(character, "?") for character in error.object[error.start : error.end]
    ), error.end
