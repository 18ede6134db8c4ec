"""List what a carried run may hold: the names of its files, their largest sizes, and its manifest.

A carried run may come from anybody. So each name comes from this list, and each file has the size and the
digest that the manifest declares.
"""

import hashlib
import json
import re
from pathlib import Path
from typing import Any, NamedTuple

from gan.errors import UserError
from gan.export.event_file import FILE, FOLDER
from gan.files import shallow

FORMAT = "ganarium-run-1"
MANIFEST = "run.json"
CHECKPOINT = "state/checkpoint.safetensors"
MAX_MANIFEST = 2**18  # bytes; ours have about 150 for each file
MAX_FILES = 400  # a run keeps at most 240 grids and 32 snapshots
MAX_ALL = 2**32  # bytes of all files together
MB = 2**20
# name, as a pattern -> bytes that one such file may have
SIZES = {
    r"(config|status|card)\.json": MB // 16,
    r"name\.txt": 1024,
    r"directions\.json": MB,
    r"data\.json": 64 * MB,  # two marks of 8 bytes for each of up to two million images
    r"stats\.jsonl": 512 * MB,
    r"events\.jsonl": 4 * MB,
    r"live\.safetensors": 512 * MB,
    r"state/checkpoint\.safetensors": 2048 * MB,
    r"samples/[0-9]{8,15}\.webp": 16 * MB,
    r"snapshots/[0-9]{8,15}\.safetensors": 512 * MB,
    rf"{FOLDER}/{re.escape(FILE)}": 512 * MB,  # for TensorBoard
    r"start/(generator|discriminator)\.safetensors": 512 * MB,  # the model that it started from
    r"start/origin\.json": MB // 16,
}
NEEDED = ("config.json", "status.json", CHECKPOINT)
ID = re.compile(r"[a-z0-9][a-z0-9-]{0,89}")  # leaves room for the -2 of a second run of that name
_SHA = re.compile(r"[0-9a-f]{64}")


class File(NamedTuple):
    """One file of a carried run."""

    size: int
    sha256: str


class Manifest(NamedTuple):
    """What a carried run says of itself: its id, the step of its checkpoint, and its files by name."""

    id: str
    step: int
    files: dict[str, File]

    def to_bytes(self) -> bytes:
        """Return the manifest as JSON, which `read_manifest` reads."""
        files = {name: file._asdict() for name, file in sorted(self.files.items())}
        return json.dumps({"format": FORMAT, "id": self.id, "step": self.step, "files": files}).encode()


def most(name: str) -> int | None:
    """Return the largest size of a file of this name, or None for a name that no run has."""
    return next((size for pattern, size in SIZES.items() if re.fullmatch(pattern, name, re.ASCII)), None)


def read_manifest(content: bytes) -> Manifest:
    """Parse a manifest. Raises UserError for one that GANarium did not write, or that declares too much."""
    try:
        value = shallow(json.loads(content))
        found = Manifest(value["id"], value["step"], {n: File(**f) for n, f in value["files"].items()})
        if value["format"] != FORMAT:
            raise UserError("mirror.other_format", found=str(value["format"])[:40], wanted=FORMAT)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UserError("mirror.no_run") from error
    sound = (
        isinstance(found.id, str)
        and ID.fullmatch(found.id)
        and type(found.step) is int
        and found.step >= 0
        and len(found.files) <= MAX_FILES
        and all(map(_sound, found.files.values()))
    )
    if not sound:
        raise UserError("mirror.no_run")
    for name, file in found.files.items():
        check_size(name, file.size)
    for name in NEEDED:
        if name not in found.files:
            raise UserError("mirror.lacks", name=name)
    if sum(file.size for file in found.files.values()) > MAX_ALL:
        raise UserError("mirror.too_much", gigabytes=MAX_ALL // 10**9)
    return found


def check_size(name: str, size: int) -> None:
    """Raise UserError for a name that no run has, and for a file that is too large for its name."""
    limit = most(name)
    if limit is None:
        raise UserError("mirror.strange_file", name=name[:80])
    if not 0 <= size <= limit:
        raise UserError("mirror.large_file", name=name, megabytes=f"{limit / MB:g}")


def digest(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    sha = hashlib.sha256()
    with open(path, "rb") as file:
        while part := file.read(MB):
            sha.update(part)
    return sha.hexdigest()


def manifest_of(folder: Path, run_id: str, step: int) -> Manifest:
    """Return the manifest of the files in a folder."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    files = {path.relative_to(folder).as_posix(): File(path.stat().st_size, digest(path)) for path in paths}
    return Manifest(run_id, step, files)


def _sound(file: Any) -> bool:
    return type(file.size) is int and isinstance(file.sha256, str) and bool(_SHA.fullmatch(file.sha256))
