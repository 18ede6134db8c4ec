"""Deploy this checkout to a Hugging Face Space, after checking what the Hub would refuse.

Only what git tracks is uploaded, and no tests: a Space does not run them. The upload goes through
huggingface_hub, because the Hub refuses binary files in a plain `git push`.
"""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from gan.errors import UserError
from gan.hub.client import open_client
from gan.mirror.remote import in_words

MAX_LINE = 60  # characters of short_description, which the Hub checks
MAX_TEXT = 10 * 2**20  # bytes of a text file in the Hub's git
MAX_FILE = 50 * 10**9  # bytes of one file: the disk of a Space
MAX_FILES, MAX_ALL = 10_000, 10**9  # ours are some hundred files of some 20 MB
REQUIRED = ("title", "sdk", "sdk_version", "python_version", "app_file", "short_description", "license")
# Folders that a Space does not need: tests, and what only developers and GitHub read.
LEFT_OUT = ("tests/", ".ci/", "node_modules/")
_REPO = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}", re.ASCII)


class Plan(NamedTuple):
    """What a push would upload: paths relative to `root`, and why the Hub would refuse it.

    changed: those of `files` that differ from the last commit. left_out: files that git does not track.
    """

    root: Path
    files: list[str]
    changed: list[str]
    left_out: list[str]
    faults: list[UserError]

    @property
    def size(self) -> int:
        """The bytes of all files."""
        return sum((self.root / name).stat().st_size for name in self.files)


def front_matter(readme: str) -> dict[str, str]:
    """Return the plain values at the top of a README, between two lines of dashes. Lists are left out."""
    found = re.match(r"---\n(.*?)\n---\n", readme, re.DOTALL)
    lines = found[1].splitlines() if found else []
    pairs = (re.fullmatch(r"(\w+): *(.+)", line) for line in lines)
    return {pair[1]: pair[2].strip().strip("\"'") for pair in pairs if pair}


def floor(requirements: str, package: str = "gradio") -> tuple[int, ...]:
    """Return the least version of a package that requirements.txt allows; () without a floor."""
    found = re.search(rf"^{re.escape(package)}(?:\[[\w,]*\])?>=([\d.]+)", requirements, re.MULTILINE)
    return version(found[1]) if found else ()


def version(text: str) -> tuple[int, ...]:
    """Return a version as numbers: "6.31.0" is (6, 31). Zeros at the end are dropped."""
    numbers = [int(part) for part in re.findall(r"\d+", text)]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def front_faults(readme: str, requirements: str) -> list[UserError]:
    """Return why the Hub or its builder would refuse this front matter; [] if they would not."""
    front = front_matter(readme)
    faults = [UserError("space.field_missing", name=name) for name in REQUIRED if name not in front]
    line = front.get("short_description", "")
    if len(line) > MAX_LINE:
        faults.append(UserError("space.long_line", count=len(line), most=MAX_LINE))
    least = floor(requirements)
    if version(front.get("sdk_version", "")) < least:
        wanted = ".".join(map(str, least))
        faults.append(UserError("space.old_sdk", found=front.get("sdk_version", "?"), least=wanted))
    return faults


def plan(root: Path) -> Plan:
    """Look at a checkout and return what a push would upload.

    Raises UserError where `root` is no checkout, or git is missing.
    """
    tracked = _git(root, "ls-files", "-z").split("\0")[:-1]
    wanted = [name for name in tracked if not name.startswith(LEFT_OUT)]
    files = [name for name in wanted if (root / name).is_file() and not (root / name).is_symlink()]
    changed = _git(root, "diff", "--name-only", "-z", "HEAD").split("\0")[:-1]
    untracked = _git(root, "ls-files", "-z", "--others", "--exclude-standard").split("\0")[:-1]
    read = lambda name: (root / name).read_text(encoding="utf-8") if name in files else ""  # noqa: E731
    faults = front_faults(read("README.md"), read("requirements.txt"))
    faults += [UserError("space.not_there", name=name) for name in ("app.py", "README.md", "requirements.txt")
               if name not in files]  # fmt: skip
    faults += [fault for name in files if (fault := _too_large(root, name))]
    total = sum((root / name).stat().st_size for name in files)
    if len(files) > MAX_FILES or total > MAX_ALL:
        faults.append(UserError("space.too_much", files=len(files), megabytes=total >> 20))
    lost = set(wanted) - set(files)  # deleted since the last commit, or links
    return Plan(root, files, sorted({*changed} & {*files}), sorted({*untracked, *lost}), faults)


def _too_large(root: Path, name: str) -> UserError | None:
    """Return why a file is refused for its size, or None. A text has no zero byte in its first 8 KB."""
    size = (root / name).stat().st_size
    if size > MAX_FILE:
        return UserError("space.large_file", name=name, megabytes=size >> 20)
    if size > MAX_TEXT:
        with open(root / name, "rb") as file:
            if b"\0" not in file.read(8192):
                return UserError("space.large_text", name=name, megabytes=size >> 20)
    return None


def push(found: Plan, repo: str, private: bool, hardware: str | None, tell: Callable[[str], Any]) -> str:
    """Create the Space if it is missing, upload the plan's files, and return the Space's address.

    Files of an earlier push that are no longer wanted are deleted there. Raises UserError for a bad name, and
    for anything that the Hub refuses.
    """
    if not _REPO.fullmatch(repo):
        raise UserError("space.bad_name", name=repo[:100])
    hub: Any = open_client()  # its types list the hardware that existed when it was made
    try:
        url = hub.create_repo(
            repo, repo_type="space", space_sdk="gradio", private=private or None, exist_ok=True,
            space_hardware=hardware,
        )  # fmt: skip
        tell(f"{len(found.files)} files, {found.size / 1e6:.1f} MB, to {url}")
        hub.upload_folder(
            repo_id=repo, repo_type="space", folder_path=found.root, allow_patterns=_exactly(found.files),
            delete_patterns="*", commit_message="GANarium",
        )  # fmt: skip
        if hardware is not None:  # create_repo ignores it for a Space that exists
            hub.request_space_hardware(repo, hardware)
    except Exception as error:
        raise in_words(error, repo) from error
    return str(url)


def _exactly(names: list[str]) -> list[str]:
    """Return patterns of fnmatch that match these names alone."""
    return [re.sub(r"([*?\[])", r"[\1]", name) for name in names]


def _git(root: Path, *words: str) -> str:
    try:
        done = subprocess.run(["git", "-C", str(root), *words], capture_output=True, check=False)
    except OSError as error:
        raise UserError("space.no_git", path=root) from error
    if done.returncode:
        raise UserError("space.no_git", path=root)
    return done.stdout.decode("utf-8", "surrogateescape")
