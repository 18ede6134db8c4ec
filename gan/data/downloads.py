"""Load the data sets that torchvision downloads.

Each set is one line in LOADERS and one entry in `registry.DOWNLOADS`. Only this module imports torchvision,
and only when a user asks for a set. torchvision verifies its downloads. If the cache folder has the files,
no network is needed.
"""

import errno
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gan.data import cache
from gan.data.dataset import Dataset, fit
from gan.data.decode import pictures
from gan.data.pixels import has_room, make_room
from gan.data.registry import OMNIGLOT_ALPHABETS, info
from gan.errors import UserError

PATIENCE = 20  # seconds without an answer after which the network counts as absent
_DISK = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.ENOTDIR, errno.EEXIST}
# torchvision's messages for no answer and for a file with a wrong hash.
_REFUSALS = ("Error downloading", "not found or corrupted")

Arrays = tuple[torch.Tensor, torch.Tensor, dict[str, torch.Tensor]]  # images, labels, attributes
Open = Callable[..., Any]  # opens a torchvision data set by its class name


def load(name: str, size: int | None = None, channels: int | None = None) -> Dataset:
    """Load the training split of a downloaded set as a `Dataset` (see `gan.data.load`).

    flowers102 combines all three splits. Raises UserError if torchvision cannot be imported, the network or
    the disk fails, or the files are damaged.
    """
    about = info(name)
    size, channels = size or about.size, channels or about.channels
    folder = cache.cache_dir() / "torchvision"
    datasets = _torchvision(name)

    def opened(kind: str, **options):
        with _in_a_sentence(name, folder):
            return getattr(datasets, kind)(folder, download=True, **options)

    try:
        images, labels, attributes = LOADERS[name](opened, size, channels)
    except (OSError, ValueError, EOFError) as error:
        raise UserError("data.download_damaged", name=name, folder=folder) from error
    return fit(Dataset(name, images, labels, about.classes, attributes), size, channels)


def _torchvision(name: str):
    """Import torchvision.datasets. Raises UserError if that fails.

    A torchvision for another torch raises RuntimeError on import; a missing library raises OSError.
    """
    try:
        from torchvision import datasets
    except (ImportError, RuntimeError, OSError, AttributeError) as error:
        raise UserError("data.torchvision", name=name, reason=str(error).split("\n")[0]) from error
    return datasets


@contextmanager
def _in_a_sentence(name: str, folder: Path) -> Iterator[None]:
    """Turn every exception of a downloader into a UserError.

    urllib, gdown and requests raise so many kinds that this function catches all.
    """
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(PATIENCE)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except Exception as error:
        raise _sentence(error, name, folder) from error
    finally:
        socket.setdefaulttimeout(before)


def _sentence(error: Exception, name: str, folder: Path) -> UserError:
    text = str(error)
    if isinstance(error, OSError) and error.errno in _DISK:
        return UserError("data.cache", folder=folder, reason=error.strerror)
    if isinstance(error, ModuleNotFoundError) or "'gdown' is required" in text:
        return UserError("data.package", name=name, package=getattr(error, "name", None) or "gdown")
    if "many users" in text or "quota" in text.lower():
        return UserError("data.quota", name=name)
    refused = any(words in text for words in _REFUSALS)
    if isinstance(error, OSError) or refused or type(error).__module__.startswith("gdown"):
        return UserError("data.offline", name=name)
    return UserError("data.download_damaged", name=name, folder=folder)


def _digits_like(kind: str) -> Callable[[Open, int, int], Arrays]:
    def read(opened: Open, size: int, channels: int) -> Arrays:
        source = opened(kind, train=True)
        return source.data[:, None].contiguous(), source.targets.long(), {}

    return read


def _cifar10(opened: Open, size: int, channels: int) -> Arrays:
    source = opened("CIFAR10", train=True)
    return torch.from_numpy(source.data).permute(0, 3, 1, 2).contiguous(), torch.tensor(source.targets), {}


def _svhn(opened: Open, size: int, channels: int) -> Arrays:
    source = opened("SVHN", split="train")
    return torch.from_numpy(np.ascontiguousarray(source.data)), torch.from_numpy(source.labels).long(), {}


def _photos(name: str, sources: Sequence[Any], size: int, channels: int) -> torch.Tensor:
    """Crop and resize every image of torchvision data sets, one at a time.

    The cache stores the result, because decoding takes minutes.
    """
    count = sum(map(len, sources))
    key = f"{name}-{size}-{channels}-{count}"
    stored = cache.kept(key)
    if stored and stored.keys() == {"images"} and stored["images"].shape == (count, channels, size, size):
        return stored["images"]
    images = torch.from_numpy(make_room(count, channels, size))
    at = 0
    for source in sources:
        source.transform = lambda picture: pictures.square(picture, size, channels)
        for k in range(len(source)):
            images[at] = torch.from_numpy(source[k][0])
            at += 1
    if has_room(cache.cache_dir(), images.nbytes):
        cache.keep(key, {"images": images})
    return images


def _omniglot(opened: Open, size: int, channels: int) -> Arrays:
    """Read the background set, with the alphabets as labels.

    The files hold black strokes on white. The images become white on black, as in mnist, because the defaults
    of such sets were found there. torchvision lists folders in an arbitrary order, so this function sorts.
    Raises ValueError if an alphabet is missing, as after an interrupted extraction.
    """
    source = opened("Omniglot", background=True)
    if sorted(source._alphabets) != list(OMNIGLOT_ALPHABETS):
        raise ValueError("other alphabets than published")
    source._flat_character_images.sort(key=lambda entry: (source._characters[entry[1]], entry[0]))
    alphabets = [Path(source._characters[k]).parent.name for _, k in source._flat_character_images]
    labels = torch.tensor([OMNIGLOT_ALPHABETS.index(name) for name in alphabets])
    return 255 - _photos("omniglot", [source], size, channels), labels, {}


def _flowers102(opened: Open, size: int, channels: int) -> Arrays:
    splits = [opened("Flowers102", split=split) for split in ("train", "val", "test")]
    labels = torch.tensor([label for split in splits for label in split._labels])
    return _photos("flowers102", splits, size, channels), labels, {}


def _celeba(opened: Open, size: int, channels: int) -> Arrays:
    source = opened("CelebA", split="train")
    marks = {name: source.attr[:, k].contiguous() for k, name in enumerate(source.attr_names) if name}
    return _photos("celeba", [source], size, channels), marks["Smiling"], marks


LOADERS = {
    "mnist": _digits_like("MNIST"),
    "fashion-mnist": _digits_like("FashionMNIST"),
    "kmnist": _digits_like("KMNIST"),
    "omniglot": _omniglot,
    "cifar10": _cifar10,
    "svhn": _svhn,
    "flowers102": _flowers102,
    "celeba": _celeba,
}
