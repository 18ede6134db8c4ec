"""Load a named data set or an upload as one uint8 tensor.

`catalogue()` and `info()` describe the data sets without importing torch. `load()` reads one into memory.
"""

from typing import TYPE_CHECKING

from gan.data.names import find, find_pictures, is_named, public_name
from gan.data.registry import BUNDLED, DOWNLOADS, Info, catalogue, info

if TYPE_CHECKING:
    from gan.data.dataset import Dataset

__all__ = ["Dataset", "Info", "catalogue", "find", "find_pictures", "info", "is_named", "load", "public_name"]


def load(
    name: str, size: int | None = None, channels: int | None = None, background: str = "white"
) -> "Dataset":
    """Load a data set: a name of `catalogue()`, or the path of a folder or .zip of images.

    Returns a `Dataset` whose images are uint8 (N, channels, size, size), contiguous, on the CPU. `size`
    resizes with antialiasing; None keeps the native size, which is 64 for files. `channels` is 1 or 3; None
    keeps the native number. `background` is the colour behind transparent parts of uploads: white, grey or
    black.

    Raises UserError for an unknown name, a damaged file, a failed download, or an unsupported size or number
    of channels.
    """
    from gan.data.dataset import check_shape

    check_shape(size, channels)
    if name in BUNDLED:
        from gan.data import bundled

        return bundled.load(name, size, channels)
    if name in DOWNLOADS:
        from gan.data import downloads

        return downloads.load(name, size, channels)
    find(name)  # raises the UserError that lists the names and the place that was searched
    from gan.data.own import files

    return files.load(name, size, channels, background)


def __getattr__(attribute: str):
    if attribute == "Dataset":
        from gan.data.dataset import Dataset

        return Dataset
    raise AttributeError(f"module {__name__!r} has no attribute {attribute!r}")
