"""Read the mark of the visitor who started a run.

On a Space without a teacher token, each visitor controls only the runs of their own browser. The server
computes the mark of a browser as a keyed hash (see gan.ui.server.people.visitors). So the file tells nobody
how to pass for that visitor. Whatever copies a run leaves FILE out.
"""

import re

FILE = "visitor.txt"
_MARK = re.compile(rb"[0-9a-f]{64}")


def parse(data: bytes | None) -> str:
    """Return the mark in a file's bytes, or "" where there is none.

    A run without a mark belongs to no visitor. Never raises: anybody may have written the file.
    """
    content = (data or b"").strip()
    return content.decode() if _MARK.fullmatch(content) else ""
