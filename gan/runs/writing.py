"""What a disk refuses, told in a sentence, and once."""

import contextlib
import logging
from collections.abc import Iterator

from gan.errors import UserError
from gan.files import FULL


@contextlib.contextmanager
def writing() -> Iterator[None]:
    """Turn an OSError from writing into the runs' directory into a UserError: people can make room, a traceback helps nobody."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise UserError("runs.disk_full") from error
        raise UserError("runs.cannot_write", reason=error.strerror or type(error).__name__) from error


class Complaints:
    """What fails in the background and is tried again every few seconds: the log says it once, until it is something else or all has been well."""

    def __init__(self, log: logging.Logger):
        self._log, self._said = log, ""

    def tell(self, error: Exception) -> bool:
        """Log it, with its traceback unless it is a full disk; returns whether it is that."""
        full = isinstance(error, OSError) and error.errno in FULL
        said = "the disk is full" if full else repr(error)
        if said != self._said:
            again = "and tries again every few seconds, which is not said again"
            self._log.error("the supervisor failed %s%s", again, ": the disk is full" if full else "", exc_info=None if full else error)
        self._said = said
        return full

    def over(self) -> None:
        """All went well."""
        self._said = ""
