"""Mistakes that a person can correct, each explained in one sentence.

An engine module raises `UserError("some.key", value=...)`. The modules of this folder have the English
sentences, by the first part of their keys; `gan/web/strings/` has the other languages, and a test keeps the
sets of keys equal. The terminal prints the sentence and exits with status 2. The page shows it beside the
control that caused it. A defect of ours is never a `UserError`: it keeps its traceback.
"""

import errno
import re

from gan.errors import data, hub, latent, mirror, models, runs, train, ui

MESSAGES = {
    **data.MESSAGES,
    **models.MESSAGES,
    **train.MESSAGES,
    **runs.MESSAGES,
    **latent.MESSAGES,
    **hub.MESSAGES,
    **mirror.MESSAGES,
    **ui.MESSAGES,
}


class UserError(Exception):
    """A correctable mistake: `key` names a sentence of MESSAGES, `values` fill its gaps."""

    def __init__(self, key: str, **values: object):
        self.key = key
        self.values = values
        super().__init__(MESSAGES[key].format(**values))


class Unharmed(UserError):
    """A mistake that stops a run but leaves its checkpoint sound: the run keeps its state."""


# The messages of torch's allocator, oneDNN (no memory for a convolution), C++, CUDA and its libraries, and of
# the system as libraries quote it.
_OUT_OF_MEMORY = re.compile(
    r"can't allocate memory|could not create a (primitive(?! desc)|memory)|could not execute a primitive"
    r"|bad_alloc|out of memory|ALLOC(ATION)?_FAILED|cannot allocate memory",
    re.IGNORECASE,
)
_DEEPEST = 20  # errors in a chain of causes


def is_out_of_memory(error: BaseException | None) -> bool:
    """Return whether this error, or one that caused it, is a lack of memory.

    If the whole machine runs out of memory, the system kills processes without an error.
    """
    for _ in range(_DEEPEST):
        if error is None:
            return False
        if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM):
            return True
        # by its name, because torch may not be imported
        if isinstance(error, RuntimeError) and (
            type(error).__name__ == "OutOfMemoryError" or _OUT_OF_MEMORY.search(str(error))
        ):
            return True
        error = error.__cause__ or error.__context__
    return False


def refuse_if_full(error: BaseException) -> None:
    """Raise `error` again if memory ran out: the file that it failed to read may be sound."""
    if is_out_of_memory(error):
        raise error
