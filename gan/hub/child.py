"""Work with the Hub in a process of its own, which ends with its parent, without Xet and with little memory.

`prepare` runs in such a process. The others run in the process that starts it.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import gan
from gan.errors import UserError
from gan.runs import processes

MEMORY = 2 * 2**30  # bytes for tables
CODE = Path(gan.__file__).resolve().parents[1]  # the folder in which a child finds the package


def prepare(memory: int = 0) -> None:
    """End this process with its parent, switch Xet off, and limit its memory.

    memory: at most so many bytes more than now, 0 for no limit.

    Our limits of time and size belong to requests of the Hub's client, and Xet's transfers are none. Only
    Linux limits the memory. What the process has already does not count, because it grows with the number of
    cores. Arrow's own pool would reserve more than it uses.
    """
    processes.end_with(os.getppid())
    os.environ["HF_HUB_DISABLE_XET"] = "1"
    if memory and sys.platform == "linux":
        import resource

        os.environ["ARROW_DEFAULT_MEMORY_POOL"] = "system"
        pages = int(Path("/proc/self/statm").read_text().split()[5])  # of data and stack
        memory += pages * resource.getpagesize()
        before = [limit for limit in resource.getrlimit(resource.RLIMIT_DATA) if limit >= 0]
        most = min([memory, *before])
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))


def ask(command: list[str], name: str) -> dict[str, Any]:
    """Run a command that ends with `processes.tell`, and return its answer. Raises UserError about `name`.

    Where it ends without an answer, its last words go to stderr.
    """
    done = subprocess.run(command, capture_output=True, cwd=CODE, check=False)
    try:
        answer = json.loads(done.stdout)
    except ValueError as error:
        sys.stderr.write(done.stderr.decode("utf-8", "replace"))
        raise UserError("hub.set_not_read", name=name) from error
    return processes.checked(answer, "hub.set_not_read", name=name)
