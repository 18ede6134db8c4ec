"""Deleting runs: a directory is first renamed out of sight, in one step, and then removed, so that nobody ever lists half a run.

And emptying one, of all that a worker has made in it.
"""

import os
import shutil
import time
from pathlib import Path

LEARNT = ("state", "samples", "snapshots", "stats.jsonl", "live.safetensors", "commands", "data.json")
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


def empty(directory: Path) -> None:
    """Remove what a run has learnt, checkpoints first; its settings, name, history and log stay. Raises OSError where something can't be removed."""
    for path in (directory / name for name in LEARNT):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
