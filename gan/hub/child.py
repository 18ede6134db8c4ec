"""Read files of strangers in a process of its own, without Xet and with little memory.

`prepare` runs in such a process. The others run in the process that starts it.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import gan
from gan.errors import MESSAGES, UserError

MEMORY = 2 * 2**30  # bytes that a process may have for tables
CODE = Path(gan.__file__).resolve().parents[1]  # the folder in which a child finds the package


def prepare(memory: int = 0) -> None:
    """Switch Xet off, and limit the memory of this process to `memory` bytes, 0 for no limit.

    Our limits of time and size follow each request. Xet's transfers make none that we see. Only Linux limits
    the memory that a process has of its own. The pool of the system gives up an address that it does not use.
    """
    os.environ["HF_HUB_DISABLE_XET"] = "1"
    os.environ["ARROW_DEFAULT_MEMORY_POOL"] = "system"
    if memory and sys.platform == "linux":
        import resource

        before = [limit for limit in resource.getrlimit(resource.RLIMIT_DATA) if limit >= 0]
        most = min([memory, *before])
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))


def tell(act: Any) -> int:
    """Print what `act` returns, or {"error": {key, values}}, as JSON. Returns the exit status."""
    try:
        answer, status = act(), 0
    except UserError as error:
        values = {name: str(value) for name, value in error.values.items()}
        answer, status = {"error": {"key": error.key, "values": values}}, 2
    print(json.dumps(answer))
    return status


def ask(command: list[str], name: str) -> dict[str, Any]:
    """Run a command that ends with `tell`, and return its answer. Raises UserError about `name`.

    Where it ends without an answer, its last words go to stderr.
    """
    done = subprocess.run(command, capture_output=True, cwd=CODE, check=False)
    try:
        answer = json.loads(done.stdout)
    except ValueError as error:
        sys.stderr.write(done.stderr.decode("utf-8", "replace"))
        raise UserError("hub.set_not_read", name=name) from error
    return checked(answer, name)


def checked(answer: Any, name: str, otherwise: str = "hub.set_not_read") -> dict[str, Any]:
    """Return the answer of a child, or raise the UserError that it printed about `name`.

    otherwise: the key of the error for an answer that is none.
    """
    if isinstance(answer, dict) and isinstance(error := answer.get("error"), dict):
        key, values = error.get("key"), error.get("values")
        if key in MESSAGES and isinstance(values, dict):
            raise UserError(key, **{"name": name, **values})
    elif isinstance(answer, dict):
        return answer
    raise UserError(otherwise, name=name)
