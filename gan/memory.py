"""Whether an error says that memory ran out: of a GPU, or of what this process may take of the machine's.

Python, numpy, torch, its libraries and the system each say it in their own way.
"""

import errno
import re

# torch's allocator; oneDNN, which is given no memory for a convolution; C++; CUDA and its libraries; the system, in the words of libraries.
_WORDS = re.compile(
    r"can't allocate memory|could not create a (primitive(?! desc)|memory)|could not execute a primitive"
    r"|bad_alloc|out of memory|ALLOC(ATION)?_FAILED|cannot allocate memory",
    re.IGNORECASE,
)
_DEEPEST = 20  # errors that led to each other


def is_out_of_memory(error: BaseException | None) -> bool:
    """Whether this error, or one that led to it, is for lack of memory. Where the whole machine runs out, the system ends processes without asking."""
    for _ in range(_DEEPEST):
        if error is None:
            return False
        if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM):
            return True
        if isinstance(error, RuntimeError) and (type(error).__name__ == "OutOfMemoryError" or _WORDS.search(str(error))):  # torch's, without importing it
            return True
        error = error.__cause__ or error.__context__
    return False


def refuse_if_full(error: BaseException) -> None:
    """Raise `error` itself where memory ran out: what could not be read for that is neither missing nor damaged."""
    if is_out_of_memory(error):
        raise error
