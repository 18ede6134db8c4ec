"""The scores of one model: which real pictures it is held against, which pictures it draws for that, and what
a card says of the outcome.
"""

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch

from gan import data
from gan.config import BACKGROUNDS
from gan.data.dataset import Dataset, among, fit
from gan.data.idx import read_split
from gan.data.procedural import landscapes
from gan.errors import UserError
from gan.files import read_json, read_object
from gan.images import to_uint8
from gan.latent.sampling import latents, mixed_label
from gan.metrics.extractors import Extractor, choose_extractor
from gan.metrics.score import LEAST, SCORES, score, shown_name
from gan.models import ARCHITECTURES, ModelSpec
from gan.worker import identity

COUNT, MAX_COUNT = 2000, 50_000
BATCH = 100
DIGITS = 4  # of a score in a card; its sampling error is in the second or third
# the test split first: the nets of digits and fashion have learned from the other one
IDX_SPLITS = ("t10k", "train")
# Bundled sets of which any number of pictures can be drawn anew.
FRESH: Mapping[str, Callable[[int], torch.Tensor]] = {
    "landscapes": lambda count: landscapes.draw(count, landscapes.SEED + 1)[0]
}


class Reals(NamedTuple):
    """What a model is scored against."""

    images: torch.Tensor  # uint8 (N, C, size, size)
    training: Dataset | None  # what the model was trained on, where that is at hand
    held_out: bool  # whether `images` are others than these


class Scored(NamedTuple):
    """The outcome of scoring a model."""

    scores: dict[str, float]  # by the names in metrics.score.SCORES
    extractor: Extractor
    count: int  # pictures of either kind
    held_out: bool  # whether the real ones are others than the model was trained on


def score_model(
    generator: torch.nn.Module,
    spec: ModelSpec,
    folder: Path,
    real: str | None,
    net: str | None,
    count: int = COUNT,
) -> Scored:
    """Score a generator that lies in `folder` beside its config.json; see `find_reals` and `choose_extractor`
    for what `real` and `net` name, and raise.
    """
    config = read_settings(folder)
    extractor = choose_extractor(
        net, config["data"], spec.channels, ARCHITECTURES[spec.architecture].extractors
    )
    reals = find_reals(folder, config["data"], spec, real, count, config["background"])
    if len(reals.images) < LEAST:
        raise UserError("metrics.too_few", place=real or config["data"], count=len(reals.images), least=LEAST)
    labels = draw_labels(reals.training, len(reals.images), spec.num_classes)
    fake = draw(generator, range(len(reals.images)), spec.z_dim, labels)
    found = score(
        reals.images,
        to_uint8(fake),
        extractor,
        reals.training.images if reals.training and reals.held_out else None,
    )
    return Scored(found, extractor, len(fake), reals.held_out)


def read_settings(folder: Path) -> dict[str, Any]:
    """The settings of a run or checkpoint, of whatever version, which say at least "data" and "background".
    Raises UserError without readable ones.
    """
    try:
        config = read_json(folder / "config.json")
    except (OSError, ValueError):
        config = None
    if not isinstance(config, dict) or not isinstance(config.get("data"), str):
        raise UserError("train.not_a_run", path=folder)
    return {
        **config,
        "background": config["background"] if config.get("background") in BACKGROUNDS else BACKGROUNDS[0],
    }


def draw(generator: torch.nn.Module, seeds: range, z_dim: int, labels: torch.Tensor | None) -> torch.Tensor:
    """One picture for each seed and class label (N,), (N, C, H, W) in [-1, 1]; labels are None for an
    unconditional model.
    """
    z = torch.from_numpy(latents(seeds, z_dim))
    parts = range(0, len(z), BATCH)
    with torch.inference_mode():
        return torch.cat(
            [generator(z[k : k + BATCH], None if labels is None else labels[k : k + BATCH]) for k in parts]
        )


def draw_labels(training: Dataset | None, count: int, classes: int) -> torch.Tensor | None:
    """Class labels (count,) as frequent as in the training pictures, in equal parts where these are not at
    hand; None for an unconditional model.
    """
    if not classes:
        return None
    if training is None or training.labels is None:
        return torch.tensor([mixed_label(seed, classes) for seed in range(count)])
    return training.labels[
        torch.randint(len(training.labels), (count,), generator=torch.Generator().manual_seed(0))
    ]


def find_reals(
    folder: Path, name: str, spec: ModelSpec, place: str | None, count: int, background: str = "white"
) -> Reals:
    """At most `count` real pictures for a model in `folder`, by chance but always the same, of the model's
    size; `name` is what it was trained on.

    `place` is a data set's name, a folder or zip of pictures, or a folder of IDX files; pictures that the
    model was trained on are left out where any others are there. `background` is what the model was shown
    behind transparent ones. Without a place new pictures are drawn where they can be, and else the training
    pictures serve. Raises UserError where there are none.
    """
    known = _digest(folder)
    training = _training(name, spec, background, None if data.is_named(name) else known)
    if training is None and place is None:
        raise UserError("metrics.no_reals", place=folder)
    fresh = FRESH.get(name)
    offered = read_reals(place, spec, background) if place is not None else [fresh(count)] if fresh else []
    for images in offered:
        images = fit(Dataset("", images), spec.size, spec.channels).images
        training = training or (
            _training(place, spec, background, known) if place is not None and known else None
        )
        others = images if training is None else images[~among(images, training.images)]
        if len(others):
            return Reals(some(others, count), training, held_out=True)
    return Reals(some(training.images, count), training, held_out=False)


def _digest(folder: Path) -> tuple[str, bool] | None:
    """The digest of what a model in `folder` was trained on, and whether by class, as its run or its card
    keeps it; None where neither does.
    """
    known, config = identity.read(folder, {}), read_object(folder / "config.json")
    content = known.content if known else read_object(folder / "card.json").get("data_digest")
    return (str(content), config.get("conditional") is True) if content else None


def _training(name: str, spec: ModelSpec, background: str, known: tuple[str, bool] | None) -> Dataset | None:
    """The data set `name`, where it can be had and is what a model was trained on: what lies there now may be
    other pictures.

    A published model has but the name of own pictures, which is no path: only its digest can tell that some
    are those.
    """
    if known is None and not (data.is_named(name) or Path(name).is_absolute()):
        return None
    try:
        found = data.load(name, spec.size, spec.channels, background)
    except UserError:
        return None
    return found if known is None or identity.identify(found, known[1]).content == known[0] else None


def read_reals(place: str, spec: ModelSpec, background: str = "white") -> list[torch.Tensor]:
    """The pictures at a place, uint8 (N, C, H, W), in the order in which they are preferred.

    Raises UserError as `data.load` does, and for a named data set that is grey where the model draws in
    colour, or the other way round: no other pictures of what the model was trained on.
    """
    if any(Path(place).glob("*-images-idx3-ubyte*")):
        try:
            return [read_split(Path(place), split)[0] for split in IDX_SPLITS]
        except (OSError, ValueError) as error:
            raise UserError("data.not_pictures", path=place) from error
    known = data.catalogue().get(place)
    if known is not None and known.channels != spec.channels:
        raise UserError("metrics.channels", place=place, found=known.channels, wanted=spec.channels)
    return [data.load(place, spec.size, spec.channels, background).images]


def some(images: torch.Tensor, count: int) -> torch.Tensor:
    """At most `count` of the images, by chance but always the same."""
    return images[torch.randperm(len(images), generator=torch.Generator().manual_seed(0))[:count]]


def rounded(scored: Scored) -> dict[str, float]:
    """The scores as a card holds them: to DIGITS digits, those that are not finite left out."""
    short = {
        name: value if isinstance(value, int) else float(f"{value:.{DIGITS}g}")
        for name, value in scored.scores.items()
    }
    return {name: value for name, value in short.items() if math.isfinite(value)}


def card_entries(scored: Scored) -> dict[str, Any]:
    """What a card says of the scores beside their values: {"scored": ..., "scores_meaning": ...}."""
    return {
        "scored": {
            "net": scored.extractor.name,
            "title": scored.extractor.title,
            "pictures": scored.count,
            "against": "held_out" if scored.held_out else "training",
        },
        "scores_meaning": {name: SCORES[name].words for name in rounded(scored)},
    }


def table(scored: Scored) -> str:
    """The scores as lines for a terminal."""
    names = {name: shown_name(name, scored.extractor.name, scored.extractor.title) for name in scored.scores}
    width = max(map(len, names.values()))
    kind = "that it was not trained on" if scored.held_out else "that it was trained on"
    lines = [f"{scored.count} samples against {scored.count} images {kind}"]
    for name, value in scored.scores.items():
        lines.append(f"{names[name]:{width}}  {value:<10.4g}{SCORES[name].words}".rstrip())
    return "\n".join(lines)
