"""Score attributes of generated images, with a classifier or a direct measurement.

An attribute has real-valued scores; a higher score means more of it. A classifier from gan.metrics gives
log-odds, above 0 if the attribute is present. A measured score has the unit that its function names. READERS
lists the attributes for each data set.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch.nn.functional import adaptive_avg_pool2d

from gan.data.dataset import Dataset, fit
from gan.data.procedural import landscapes, scenery
from gan.data.registry import read_meta
from gan.latent.directions.ridge import Ridge
from gan.metrics.extractors import ALIASES
from gan.metrics.features import FeatureNet, load_net, net_names, to_range

CERTAIN = 8.0  # largest |log-odds|: more certainty adds no information
# number and seed of the landscapes that teach the hour; no other module uses this seed
EXAMPLES, EXAMPLES_SEED = 1024, 4001
POOLED = 8  # side in pixels of the pooled images that join the features in the regression on the hour
LUMA = (0.299, 0.587, 0.114)  # weights of red, green and blue in luma (ITU-R BT.601)


class Attribute(NamedTuple):
    """One attribute of an image.

    share: True for an attribute that an image has or lacks, False for a quantity. content: True for an object
    in the image, False for a property of the whole image, such as brightness. title: the name from the data
    set; "" if the page has a name for it.
    """

    id: str
    share: bool
    content: bool
    title: str = ""


class Reader(NamedTuple):
    """`read(images)` maps uint8 (N, C, H, W) to scores (N, K) float32, one column for each of the K
    `attributes`.
    """

    attributes: tuple[Attribute, ...]
    read: Callable[[torch.Tensor], torch.Tensor]


def open_reader(data: str, channels: int) -> Reader:
    """The reader for images of the data set `data`. An unknown data set gets only the direct measurements."""
    name = ALIASES.get(data, data)
    measured = _measured({**MEASURED[channels], **(STROKES if name == "digits" else {})})
    if name not in READERS or name not in net_names():
        return measured
    net = load_net(name)
    trained = READERS[name](net)

    def read(images: torch.Tensor) -> torch.Tensor:
        fitting = fit(Dataset("", images), net.size, net.channels).images
        return torch.cat([trained.read(fitting), measured.read(images)], 1)

    return Reader(trained.attributes + measured.attributes, read)


# Direct measurements for any image


def brightness(pixels: torch.Tensor) -> torch.Tensor:
    """Mean luma in [0, 1] of pixels (N, C, H, W) in [0, 1]."""
    return (
        pixels.mean((1, 2, 3))
        if pixels.shape[1] == 1
        else (pixels * torch.tensor(LUMA)[:, None, None]).sum(1).mean((1, 2))
    )


def warmth(pixels: torch.Tensor) -> torch.Tensor:
    """Mean of red minus blue, in [-1, 1]."""
    return (pixels[:, 0] - pixels[:, 2]).mean((1, 2))


def colourfulness(pixels: torch.Tensor) -> torch.Tensor:
    """Mean of the largest minus the smallest channel, in [0, 1]."""
    return (pixels.amax(1) - pixels.amin(1)).mean((1, 2))


def slant(pixels: torch.Tensor) -> torch.Tensor:
    """How far strokes lean to the right, as a tangent.

    It is the regression slope of the ink's horizontal position on its height above the centre of mass.
    """
    ink, x, y = _ink(pixels)
    return (ink * x * y).sum((1, 2)) / (ink * y * y).sum((1, 2)).clamp_min(1e-6)


def width(pixels: torch.Tensor) -> torch.Tensor:
    """Standard deviation of the ink's horizontal position, divided by that of its height."""
    ink, x, y = _ink(pixels)
    return ((ink * x * x).sum((1, 2)) / (ink * y * y).sum((1, 2)).clamp_min(1e-6)).sqrt()


def _ink(pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The ink's distribution (N, H, W), and its horizontal and upward offsets from its centre of mass.

    The images show light strokes on black. Each distribution sums to 1.
    """
    ink = pixels.mean(1)
    ink = ink / ink.sum((1, 2), keepdim=True).clamp_min(1e-6)
    down, across = torch.meshgrid(
        torch.arange(ink.shape[1]).float(), torch.arange(ink.shape[2]).float(), indexing="ij"
    )
    return (
        ink,
        across - (ink * across).sum((1, 2), keepdim=True),
        (ink * down).sum((1, 2), keepdim=True) - down,
    )


Measure = Callable[[torch.Tensor], torch.Tensor]
MEASURED: dict[int, dict[str, Measure]] = {
    1: {"brightness": brightness},
    3: {"brightness": brightness, "warmth": warmth, "colourfulness": colourfulness},
}
STROKES: dict[str, Measure] = {"slant": slant, "width": width}


def _measured(measures: dict[str, Measure]) -> Reader:
    def read(images: torch.Tensor) -> torch.Tensor:
        pixels = images.float() / 255
        return torch.stack([measure(pixels) for measure in measures.values()], 1)

    return Reader(tuple(Attribute(name, share=False, content=name in STROKES) for name in measures), read)


# Scores from the classifier of a bundled data set


def log_odds(logits: torch.Tensor, values: Sequence[int]) -> torch.Tensor:
    """Log-odds of `values` against all other values, from logits (N, V): (N,), clamped to [-CERTAIN,
    CERTAIN].
    """
    others = [value for value in range(logits.shape[1]) if value not in values]
    return (logits[:, list(values)].logsumexp(1) - logits[:, others].logsumexp(1)).clamp(-CERTAIN, CERTAIN)


def _classes(name: str) -> Callable[[FeatureNet], Reader]:
    """A factory for a reader with one attribute for each class of the data set `name`.

    A conditional generator fixes the class, so z hardly changes these scores. In an unconditional one, z
    decides the class.
    """

    def reader(net: FeatureNet) -> Reader:
        titles = read_meta(name)["classes"]

        def read(images: torch.Tensor) -> torch.Tensor:
            logits = net(to_range(images))[1]
            return torch.stack([log_odds(logits, [label]) for label in range(net.classes)], 1)

        return Reader(
            tuple(Attribute(f"class{label}", True, True, title) for label, title in enumerate(titles)), read
        )

    return reader


def _faces(net: FeatureNet) -> Reader:
    """Scores for DiceBear's attributes, merged into visible ones: any beard, not which of eight beards."""
    values = read_meta("faces")["attributes"]
    attributes = [Attribute(name, True, True) for name in FACES] + [
        Attribute(name, False, True) for name in SHADES
    ]
    chosen = {
        name: (head, [index for index, value in enumerate(values[head]) if wanted(value)])
        for name, (head, wanted) in FACES.items()
    }
    shades = {head: torch.tensor([_luma(value) for value in values[head]]) for head in SHADES.values()}

    def read(images: torch.Tensor) -> torch.Tensor:
        features, _ = net(to_range(images))
        logits = {head: module(features) for head, module in net.attribute_heads.items()}
        seen = [log_odds(logits[head], indices) for head, indices in chosen.values()]
        return torch.stack(seen + [logits[head].softmax(1) @ shades[head] for head in SHADES.values()], 1)

    return Reader(tuple(attributes), read)


# Attribute -> the head of the faces classifier that scores it, and the values that mean "present".
FACES: dict[str, tuple[str, Callable[[str], bool]]] = {
    "long_hair": ("hair_length", lambda value: value == "long"),
    "happy": ("mood", lambda value: value == "happy"),
    **{name: (name, lambda value: value != "none") for name in ("beard", "glasses", "hat", "accessories")},
    "warm_background": ("background", lambda value: int(value[1:3], 16) > int(value[5:7], 16)),
}  # fmt: skip
# Attribute -> the head whose classes are colours; the score is their expected luma in [0, 1].
SHADES = {"fair_skin": "skin_colour", "fair_hair": "hair_colour", "light_clothes": "clothing_colour"}


def _luma(code: str) -> float:
    return sum(weight * int(code[at : at + 2], 16) / 255 for weight, at in zip(LUMA, (1, 3, 5), strict=True))


def _landscapes(net: FeatureNet) -> Reader:
    """Scores for the classifier's binary attributes, and for the darkness of the sky at the hour in the
    image.

    The classifier has no head for the hour, but the program that draws landscapes knows it. Ridge regression
    therefore learns darkness from EXAMPLES newly drawn landscapes.
    """

    def see(images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        features, _ = net(to_range(images))
        return features, torch.cat(
            [features / 10, adaptive_avg_pool2d(images.float() / 255, POOLED).flatten(1)], 1
        )

    images, facts = landscapes.draw(EXAMPLES, EXAMPLES_SEED)
    with torch.inference_mode():
        seen = torch.cat([see(part)[1] for part in images.split(16)])
    dark = Ridge.fit(seen, darkness(facts["time_of_day"].numpy()))

    def read(images: torch.Tensor) -> torch.Tensor:
        features, wide = see(images)
        return torch.stack(
            [
                dark.predict(wide),
                *(log_odds(net.attribute_heads[head](features), [1]) for head in SCENES.values()),
            ],
            1,
        )

    return Reader((Attribute("night", False, True), *(Attribute(name, True, True) for name in SCENES)), read)


SCENES = {
    "sea": "scene",
    "lake": "lake",
    "trees": "trees",
    "shore": "shore",
    "boat": "boat",
    "aurora": "aurora",
}


def darkness(hours: np.ndarray) -> torch.Tensor:
    """Darkness of the sky at hours (N,) in [0, 24]: 1 minus the mean luma of its colours, (N,) float32 in [0,
    1].
    """
    colours = scenery.palette(np.where(hours < min(scenery.PHASES["at dawn"]), hours + 24, hours))
    sky = np.mean([colours[role] for role in ("zenith", "middle", "low")], 0) / 255
    return torch.from_numpy(1 - sky @ np.array(LUMA)).float()


READERS: dict[str, Callable[[FeatureNet], Reader]] = {
    "digits": _classes("digits"), "fashion": _classes("fashion"), "emoji": _classes("emoji"), "faces": _faces,
    "landscapes": _landscapes,
}  # fmt: skip
