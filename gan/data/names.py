"""What a config calls its data: the name of a set, or where a person's own pictures lie. Imports neither
torch nor pictures.
"""

import os
import shlex
from pathlib import Path, PureWindowsPath

from gan.data.registry import BUNDLED, DOWNLOADS
from gan.errors import UserError

UPLOADS = ".uploads"  # beside the runs, where the page keeps what people bring


def is_named(name: str) -> bool:
    """Whether this is the name of a data set; whatever else a config says is the path of somebody's own
    pictures.
    """
    return name in BUNDLED or name in DOWNLOADS


def find(name: str) -> str:
    """What a config keeps of a `name` that a person gives: the name of a data set, else the absolute path of
    a folder or zip.

    A relative path would mean another folder wherever the run goes on. Raises UserError where nothing is
    there.
    """
    if is_named(name):
        return name
    place = Path(os.path.abspath(os.path.expanduser(name)))
    if not os.path.exists(place):  # also where the system refuses to look
        raise UserError("data.nowhere", name=name, place=place, choices=", ".join((*BUNDLED, *DOWNLOADS)))
    return str(place)


def find_pictures(run_dir: Path, name: str, began: bool = True) -> str:
    """Where the pictures of a run are whose config says `name`: a set's name, or an absolute path. Raises
    UserError where they are gone.

    Pictures that were brought to the page lie beside the runs, and may have been moved together with them.
    The settings of a published model call its pictures by a name that is no path. Only where a run `began`,
    so that its pictures are known again, may that be a folder of the current one.
    """
    if is_named(name):
        return name
    if not (began or os.path.isabs(os.path.expanduser(name))):
        raise UserError("train.pictures_unplaced", name=name, command=_with_data(run_dir))
    place = Path(os.path.abspath(os.path.expanduser(name)))
    if os.path.exists(place):
        return str(place)
    if UPLOADS in place.parts:
        moved = run_dir.absolute().parent.joinpath(*place.parts[place.parts.index(UPLOADS) :])
        if os.path.exists(moved):
            return str(moved)
    raise UserError("train.pictures_gone", place=place, command=_with_data(run_dir))


def _with_data(run_dir: Path) -> str:
    return f"python -m gan train {shlex.quote(str(run_dir))} --data PATH"


def public_name(name: str) -> str:
    """What others are told of the `data` of a config: a data set's name, or the last part of a path, which is
    nobody's home and no set's name.
    """
    if is_named(name):
        return name
    last = PureWindowsPath(name).name  # which knows either separator: a run may come from another system
    own = last or "pictures"
    if os.path.abspath(name) == str(Path.home()):
        own = "pictures"
    return f"own-{own}" if is_named(own) else own
