"""What a disk refuses, told in a sentence."""

import contextlib
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
