"""Resolve the `data` of a config: the name of a data set, or the path of a user's images.

Imports neither torch nor any image library.
"""

import os
import re
import shlex
from pathlib import Path, PureWindowsPath

from gan.data.registry import BUNDLED, DOWNLOADS
from gan.errors import UserError

UPLOADS = ".uploads"  # the folder beside the runs in which the page stores uploads
MOVED = f"/{UPLOADS}/moved"  # stands before the name of data that a run came without; nothing lies there
HUB = "hub:"  # what stands before the name of a repository of the Hub
_WORD = r"[A-Za-z0-9_]+(?:[.-][A-Za-z0-9_]+)*"
_OF_HUB = re.compile(rf"{HUB}({_WORD})/({_WORD})", re.ASCII)
_HUB_FILE = re.compile(rf"hub--({_WORD})--({_WORD})\.zip", re.ASCII)


def hub_file(owner: str, name: str) -> str:
    """Return the name of the zip that holds pictures of a repository of the Hub."""
    return f"hub--{owner}--{name}.zip"


def kept_name(name: str) -> str:
    """Return a file name that `public_name` turns into the public name `name`."""
    found = _OF_HUB.fullmatch(name)
    return hub_file(found[1], found[2]) if found else name


def is_named(name: str) -> bool:
    """Whether this is the name of a data set. Any other `data` is the path of a user's images."""
    return name in BUNDLED or name in DOWNLOADS


def find(name: str) -> str:
    """Turn a `name` from a user into the `data` of a config.

    That is the name of a data set, else the absolute path of a folder or zip. A relative path would mean
    another folder if the run resumes elsewhere. Raises UserError if nothing is there.
    """
    if is_named(name):
        return name
    place = Path(os.path.abspath(os.path.expanduser(name)))
    if not os.path.exists(place):  # also if the system denies access
        raise UserError("data.nowhere", name=name, place=place, choices=", ".join((*BUNDLED, *DOWNLOADS)))
    return str(place)


def find_pictures(run_dir: Path, name: str, began: bool = True) -> str:
    """Find the images of a run whose config says `name`: a data set's name, or an absolute path.

    Uploads lie beside the runs, and may have moved together with them. The settings of a published model name
    its images without a path. Such a name may mean a folder in the current one only if the run `began`. Then
    it can recognise its images. Raises UserError if the images are gone.
    """
    if is_named(name):
        return name
    left_behind = name.startswith(f"{MOVED}/")
    if left_behind or not (began or os.path.isabs(os.path.expanduser(name))):
        shown = name.removeprefix(f"{MOVED}/")
        raise UserError("train.pictures_unplaced", name=shown, command=resume_with_data(run_dir))
    place = Path(os.path.abspath(os.path.expanduser(name)))
    if os.path.exists(place):
        return str(place)
    if UPLOADS in place.parts:
        moved = run_dir.absolute().parent.joinpath(*place.parts[place.parts.index(UPLOADS) :])
        if os.path.exists(moved):
            return str(moved)
    raise UserError("train.pictures_gone", place=place, command=resume_with_data(run_dir))


def resume_with_data(run_dir: Path) -> str:
    """Return the command that resumes a run with its data in a new place."""
    return f"python -m gan train {shlex.quote(str(run_dir))} --data PATH"


def public_name(name: str) -> str:
    """Return the public form of a config's `data`: a data set's name, or the last part of a path.

    Pictures from the Hub have the name of their repository, hub:owner/name.

    It reveals no home folder. For a user's own images, it is never the name of a data set.
    """
    if is_named(name):
        return name
    if _OF_HUB.fullmatch(name):
        return name
    last = PureWindowsPath(name).name  # accepts both separators, since a run may come from another system
    if from_hub := _HUB_FILE.fullmatch(last):
        return f"{HUB}{from_hub[1]}/{from_hub[2]}"
    own = last or "pictures"
    if os.path.abspath(name) == str(Path.home()):
        own = "pictures"
    return f"own-{own}" if is_named(own) else own
