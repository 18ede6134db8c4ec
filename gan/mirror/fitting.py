"""Make a copied run small enough for those who take it in: what contents.py refuses would never come back."""

from pathlib import Path

from gan.errors import UserError
from gan.mirror.contents import MAX_ALL, MAX_FILES, MB, most

_SNAPSHOTS = "snapshots/"  # a run resumes without them


def fit(folder: Path, run: str) -> None:
    """Delete snapshots of a copied run in `folder` until the rest may be taken in.

    Every second one stays, or every fourth and so on, and always the newest. So the same ones stay when a
    snapshot is added. run: the run's name, for errors. Raises UserError for a run that is too large without
    snapshots.
    """
    sizes = {
        path.relative_to(folder).as_posix(): path.stat().st_size
        for path in folder.rglob("*")
        if path.is_file()
    }  # fmt: skip
    snapshots = sorted((name for name in sizes if name.startswith(_SNAPSHOTS)), key=_step)
    rest = sizes.keys() - set(snapshots)
    for name in sorted(rest):
        limit = most(name) or 0
        if sizes[name] > limit:
            raise UserError("mirror.outgrown_file", run=run, name=name, megabytes=f"{limit / MB:g}")
    small = [name for name in snapshots if sizes[name] <= (most(name) or 0)]
    kept = next((kept for kept in _thinned(small) if _fits(sizes, rest, kept)), None)
    if kept is None:
        raise UserError("mirror.outgrown", run=run, gigabytes=MAX_ALL // 10**9)
    for name in set(snapshots) - set(kept):
        (folder / name).unlink()


def _thinned(snapshots: list[str]) -> list[list[str]]:
    """Return ever fewer of the snapshots, at last none. They are oldest first."""
    strides = [2**power for power in range(len(snapshots).bit_length() + 1)]
    spaced = [sorted({*snapshots[::stride], *snapshots[-1:]}, key=_step) for stride in strides]
    return [*spaced, snapshots[-1:], []]


def _fits(sizes: dict[str, int], rest: set[str], kept: list[str]) -> bool:
    together = len(rest) + len(kept), sum(sizes[name] for name in (*rest, *kept))
    return together[0] <= MAX_FILES and together[1] <= MAX_ALL


def _step(name: str) -> int:
    return int(Path(name).stem)
