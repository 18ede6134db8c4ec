"""Deleting runs: a directory is first renamed out of sight, in one step, and then removed, so that nobody ever lists half a run."""

import os
import shutil
import time
from pathlib import Path

GONE, NEW = ".gone-", ".new-"  # hidden names: of what is being deleted, and of what is being made


def hide(directory: Path) -> None:
    """Take a run's directory out of sight. Needs no space on the disk. Raises OSError where it can't be renamed."""
    os.rename(directory, directory.with_name(f"{GONE}{directory.name}-{time.time_ns()}"))


def sweep(root: Path, *prefixes: str) -> None:
    """Remove what has one of these hidden names. What can't be removed now is left for the next sweep."""
    for prefix in prefixes:
        for path in root.glob(f"{prefix}*"):
            if path.is_symlink():
                path.unlink(missing_ok=True)
            else:
                shutil.rmtree(path, ignore_errors=True)
