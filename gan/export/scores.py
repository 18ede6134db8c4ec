"""Score a model: choose real images, generate samples, and write the results into a card."""

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch

from gan import data
from gan.config import BACKGROUNDS
from gan.data.dataset import Dataset, among, fit, select
from gan.data.idx import read_split
from gan.data.procedural import landscapes
from gan.errors import UserError
from gan.files import read_json, read_object
from gan.images import to_uint8
from gan.kinds.images import identity
from gan.latent.sampling import latents, mixed_label
from gan.metrics.extractors import Extractor, choose_extractor
from gan.metrics.score import MIN_IMAGES, SCORES, score, shown_name
from gan.models import ARCHITECTURES, ModelSpec
from gan.train.inputs.held_out import split as split_held_out

COUNT, MAX_COUNT = 2000, 50_000
BATCH = 100
# Held-out images of a run. With fewer than ENOUGH the scores would be too uncertain, so they go by the
# training images. The copying tests compare two distances of each sample and need fewer.
ENOUGH, ENOUGH_FOR_COPIES = 100, 20
DIGITS = 4  # significant digits of a score in a card; the sampling error is in the second or third
# test split first: the classifiers of digits and fashion were trained on the other split
IDX_SPLITS = ("t10k", "train")
# Bundled data sets that a program draws, so that any number of new images is available.
FRESH: Mapping[str, Callable[[int], torch.Tensor]] = {
    "landscapes": lambda count: landscapes.draw(count, landscapes.SEED + 1)[0]
}


class Reals(NamedTuple):
    """The real images for scoring a model."""

    images: torch.Tensor  # uint8 (N, C, size, size)
    training: Dataset | None  # the training data, if available
    held_out: bool  # whether `images` are disjoint from the training data
    unseen: torch.Tensor | None = None  # others that are, if `images` are not


class Known(NamedTuple):
    """What is known of the images that a model was trained on."""

    content: str  # digest, without their order
    conditional: bool  # whether the digest covers the classes
    record: identity.Identity | None  # of a run; an exported model has none


class Scored(NamedTuple):
    """The scores of a model."""

    scores: dict[str, float]  # by the names in metrics.score.SCORES
    extractor: Extractor
    samples: int  # their number, and that of the real images
    held_out: bool  # as in Reals


def score_model(
    generator: torch.nn.Module,
    spec: ModelSpec,
    folder: Path,
    real: str | None,
    net: str | None,
    count: int = COUNT,
) -> Scored:
    """Score the generator in `folder`, which also holds its config.json.

    See `find_reals` for `real` and `choose_extractor` for `net`, and for the errors that they raise.
    """
    config = read_settings(folder)
    extractor = choose_extractor(
        net, config["data"], spec.channels, ARCHITECTURES[spec.architecture].extractors
    )
    reals = find_reals(folder, config["data"], spec, real, count, config["background"])
    if len(reals.images) < MIN_IMAGES:
        raise UserError(
            "metrics.too_few", place=real or config["data"], count=len(reals.images), least=MIN_IMAGES
        )
    labels = draw_labels(reals.training, len(reals.images), spec.num_classes)
    fake = draw(generator, range(len(reals.images)), spec.z_dim, labels)
    found = score(
        reals.images,
        to_uint8(fake),
        extractor,
        reals.training.images if reals.training and (reals.held_out or reals.unseen is not None) else None,
        reals.unseen,
    )
    return Scored(found, extractor, len(fake), reals.held_out)


def read_settings(folder: Path) -> dict[str, Any]:
    """The settings of a run or checkpoint of any version, with at least "data" and "background".

    Raises UserError if they are unreadable.
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
    """One image for each seed and class label (N,): (N, C, H, W) in [-1, 1].

    `labels` is None for an unconditional model.
    """
    z = torch.from_numpy(latents(seeds, z_dim))
    parts = range(0, len(z), BATCH)
    with torch.inference_mode():
        return torch.cat(
            [generator(z[k : k + BATCH], None if labels is None else labels[k : k + BATCH]) for k in parts]
        )


def draw_labels(training: Dataset | None, count: int, classes: int) -> torch.Tensor | None:
    """Class labels (count,) with the frequencies of the training data; None for an unconditional model.

    Without training data, the classes are uniform.
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
    """At most `count` real images at the resolution of the model in `folder`; a fixed seed selects them.

    `name` is the model's training data. `place` is a data set's name, a folder or zip of images, or a folder
    of IDX files. `background` is the colour behind transparent images, as in training.

    Training images are removed from those at `place`, unless no others remain. Without a place, new images
    are drawn if the data set allows it. Otherwise the images that the run held out are used, if it held out
    enough, else the training images. Raises UserError if there are none.
    """
    known = _known(folder)
    training = _training(name, spec, background, None if data.is_named(name) else known)
    if training is None and place is None:
        raise UserError("metrics.no_reals", place=folder)
    training, held_out = _parted(folder, training, known)
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
    assert training is not None, "images at a place were returned above, for no place is empty"
    if place is None and len(held_out) >= ENOUGH:
        return Reals(some(held_out, count), training, held_out=True)
    unseen = held_out if len(held_out) >= ENOUGH_FOR_COPIES else None
    return Reals(some(training.images, count), training, held_out=False, unseen=unseen)


def _parted(
    folder: Path, dataset: Dataset | None, known: Known | None
) -> tuple[Dataset | None, torch.Tensor]:
    """Return the part of a set that a model was trained on, and the images that it has never seen.

    Both go by the order of the images. That of somebody's own images is known from the run's record alone.
    """
    if dataset is None:
        return None, torch.empty(0, 1, 1, 1, dtype=torch.uint8)
    ordered = data.is_named(dataset.name) or (known is not None and known.record is not None)
    config = read_object(folder / "config.json")
    batch, few = config.get("batch"), config.get("images", 0)  # a checkpoint of an older version has all
    told = [read_object(folder / file).get("held_out") for file in ("status.json", "card.json")]
    if ordered and type(batch) is int and type(few) is int:
        parts = split_held_out(len(dataset.images), dataset.labels, batch, few)
        if len(parts.held_out) in told:  # else an older version trained it, on all images
            trained, held_out = select(dataset, parts.trained), dataset.images[parts.held_out]
            return trained, held_out[~among(held_out, trained.images)]  # a set may hold an image twice
    return dataset, dataset.images[:0]


def _known(folder: Path) -> Known | None:
    """What the record of a run or the card of a model says of its images; None if neither has a digest."""
    record, config = identity.read(folder, {}), read_object(folder / "config.json")
    content = record.content if record else read_object(folder / "card.json").get("data_digest")
    return Known(str(content), config.get("conditional") is True, record) if content else None


def _training(name: str, spec: ModelSpec, background: str, known: Known | None) -> Dataset | None:
    """The data set `name`, if it is available; with `known`, only if it has that digest.

    With a run's record, its images are in the order of the run.

    The files at a path may have changed since the training. A published model keeps only the name of a user's
    images, which is no path. Only a digest can identify such images.
    """
    if known is None and not (data.is_named(name) or Path(name).is_absolute()):
        return None
    try:
        found = data.load(name, spec.size, spec.channels, background)
        if known is None:
            return found
        if identity.identify(found, known.conditional).content != known.content:
            return None
        if known.record is None:
            return found
        return identity.as_it_began(found, known.record, known.conditional)[0]
    except UserError:
        return None


def read_reals(place: str, spec: ModelSpec, background: str = "white") -> list[torch.Tensor]:
    """The images at a place, uint8 (N, C, H, W), in order of preference.

    Raises UserError as `data.load` does. It also raises it for a named data set with another number of
    channels than the model's: its images can't match the model's training data.
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
    """At most `count` of the images, selected with a fixed seed."""
    return images[torch.randperm(len(images), generator=torch.Generator().manual_seed(0))[:count]]


def rounded(scored: Scored) -> dict[str, float]:
    """The finite scores, rounded to DIGITS significant digits, as a card stores them."""
    short = {
        name: value if isinstance(value, int) else float(f"{value:.{DIGITS}g}")
        for name, value in scored.scores.items()
    }
    return {name: value for name, value in short.items() if math.isfinite(value)}


def card_entries(scored: Scored) -> dict[str, Any]:
    """The entries of a card that explain the scores: {"scored": ..., "scores_meaning": ...}."""
    return {
        "scored": {
            "net": scored.extractor.name,
            "title": scored.extractor.title,
            "pictures": scored.samples,
            "against": "held_out" if scored.held_out else "training",
        },
        "scores_meaning": {name: SCORES[name].words for name in rounded(scored)},
    }


def table(scored: Scored) -> str:
    """The scores as lines for a terminal."""
    names = {name: shown_name(name, scored.extractor.name, scored.extractor.title) for name in scored.scores}
    width = max(map(len, names.values()))
    kind = "that it was not trained on" if scored.held_out else "that it was trained on"
    lines = [f"{scored.samples} samples against {scored.samples} images {kind}"]
    for name, value in scored.scores.items():
        lines.append(f"{names[name]:{width}}  {value:<10.4g}{SCORES[name].words}".rstrip())
    return "\n".join(lines)
