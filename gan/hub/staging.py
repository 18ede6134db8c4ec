"""Folders in which downloads grow, and what keeps the downloads of several processes apart.

A download gets its own folder, and goes to its place at once by a rename. So two processes that pull the same
never see each other's parts.
"""

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

NEW = ".new-"  # prefix of a download's folder
ALIVE = ".alive"  # the file in it that its process has locked; the system frees it when the process ends
ABANDONED = 3600  # seconds after which such a folder belongs to no download, if nobody has locked it


@contextmanager
def staging(root: Path) -> Iterator[Path]:
    """Yield an empty folder below `root`, which is deleted at the end. Those of killed downloads go first."""
    root.mkdir(parents=True, exist_ok=True)
    _sweep(root)
    with tempfile.TemporaryDirectory(prefix=NEW, dir=root) as folder, FileLock(Path(folder) / ALIVE):
        yield Path(folder)


def alone(root: Path) -> FileLock:
    """Return a lock for the block in which this process alone changes the models of `root`.

    Nobody downloads inside such a block, so others wait for moments.
    """
    return FileLock(root.with_name(f"{root.name}.lock"))


def _sweep(root: Path) -> None:
    """Delete the folders of downloads whose process has ended without doing so."""
    for folder in root.glob(f"{NEW}*"):
        try:
            old = folder.stat().st_mtime < time.time() - ABANDONED
            if not old:  # it may be so new that its process has not locked it
                continue
            with FileLock(folder / ALIVE, blocking=False):
                pass
        except (Timeout, OSError):  # its process lives, or has just deleted it, or it is of another user
            continue
        shutil.rmtree(folder, ignore_errors=True)
