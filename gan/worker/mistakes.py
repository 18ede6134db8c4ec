"""What an error means for a run, and how status.json records it."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gan.errors import Unharmed, UserError, is_out_of_memory
from gan.files import FULL


@contextlib.contextmanager
def harmless(began: bool) -> Iterator[None]:
    """Turn errors from reading the data of a run that `began` into Unharmed: its checkpoint is sound."""
    try:
        yield
    except UserError as error:
        raise Unharmed(error.key, **error.values) if began else error from error
    except OSError as error:
        if not began or error.errno in FULL or is_out_of_memory(error):
            raise
        raise Unharmed(
            "train.no_file", file=Path(str(error.filename or "?")).name, reason=error.strerror or error
        ) from error


def translate(error: Exception) -> Exception:
    """Translate an error for people: full memory and file errors become UserErrors, all others stay."""
    if is_out_of_memory(error):
        return UserError("train.out_of_memory")
    if isinstance(error, OSError):
        return UserError(
            "train.no_file", file=Path(str(error.filename or "?")).name, reason=error.strerror or error
        )
    return error


def status_error(error: Exception) -> dict[str, Any]:
    """Return an error as status.json holds it."""
    if isinstance(error, UserError):
        return {
            "key": error.key,
            "values": {name: str(value) for name, value in error.values.items()},
            "text": str(error),
        }
    return {"key": None, "values": {}, "text": f"{type(error).__name__}: {error}"}
