"""A place of a mirror in a folder, for processes that share no memory. As in a bucket, nothing is atomic."""

import shutil
from pathlib import Path

from gan.files import write_bytes
from gan.mirror.remote import Entry


class Folder:
    """Stands for a place on the Hub (gan.mirror.remote.Remote). Each file appears whole, or not at all."""

    owner, token = "owner", ""

    def __init__(self, root: Path):
        self.root, self.place = root, f"bucket:{root.name}"

    def create(self) -> None:
        self.root.mkdir(exist_ok=True)

    def listing(self, folder: str = "") -> dict[str, Entry]:
        paths = [path for path in (self.root / folder).rglob("[!.]*") if path.is_file()]
        return {path.relative_to(self.root).as_posix(): Entry(path.stat().st_size, None) for path in paths}

    def fetch(self, wanted) -> None:
        for path, (_, target) in wanted.items():
            shutil.copyfile(self.root / path, target)

    def replace(self, add, last, gone) -> None:
        for path, source in (*add.items(), *last.items()):
            write_bytes(self.root / path, source if isinstance(source, bytes) else source.read_bytes())
        for path in gone:
            (self.root / path).unlink()
