"""Remember which runs a person has deleted, until the mirror has lost them too.

A hidden empty file in the directory of runs stands for each, which needs no room on a full disk. Without it,
a server that ends between both deletions would restore the run at its next start.
"""

from pathlib import Path

PREFIX = ".deleted-"


def remember(root: Path, run_id: str) -> None:
    """Note that a run is being deleted. Raises OSError."""
    (root / f"{PREFIX}{run_id}").touch()


def forget(root: Path, run_id: str) -> None:
    """Drop the note, because the mirror has lost the run, or because the run stays. Raises OSError."""
    (root / f"{PREFIX}{run_id}").unlink(missing_ok=True)


def remembered(root: Path) -> set[str]:
    """Return the ids of all runs with a note."""
    return {path.name.removeprefix(PREFIX) for path in root.glob(f"{PREFIX}*")}
