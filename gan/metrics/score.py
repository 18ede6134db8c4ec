"""Compute all scores of generated images, for the benchmark, the terminal and the checkpoint cards."""

from typing import NamedTuple

import torch

from gan.metrics.distances import check_features
from gan.metrics.extractors import Extractor
from gan.metrics.frechet import fit_gaussian, frechet_distance
from gan.metrics.kernel import kernel_distance
from gan.metrics.manifold import manifold_scores
from gan.metrics.memory import data_copying, share_of_copies
from gan.metrics.modes import class_histogram, mode_divergence, modes_covered
from gan.metrics.two_sample import one_nearest_neighbour

# Subsets of the kernel distance. At most half of the images each, else their spread would mean nothing.
SUBSETS, SUBSET_SIZE = 30, 1000
# The least number of real and of generated images: four scores use the five nearest neighbours.
MIN_IMAGES = 6


class Meaning(NamedTuple):
    """How to interpret a score."""

    ideal: str  # value of a perfect generator
    words: str


# Every score that `score` can return.
SCORES: dict[str, Meaning] = {
    "FD": Meaning("0", (
        "Fréchet distance of the features: less is better; biased by the number of samples, so compare "
        "equal numbers only"
    )),
    "FD of data": Meaning("0", (
        "FD of the training images: no generator can be expected to get below it "
        "with this number of images"
    )),
    "KD": Meaning("0", (
        "kernel distance (squared MMD, cubic kernel) of the features, mean over random subsets: less is "
        "better"
    )),
    "KD sd": Meaning("", "its standard deviation over the subsets"),
    "precision": Meaning("", "share of samples within the manifold of the real images (k = 5)"),
    "recall": Meaning("", "share of real images within the manifold of the samples (k = 5)"),
    "density": Meaning("1", "how densely real images surround the samples (k = 5)"),
    "coverage": Meaning("0.97", (
        "share of real images with a sample among their five nearest neighbours: low where modes are "
        "missing"
    )),
    "mode KL": Meaning("0", "divergence in nats of the classes of the samples from those of the real images"),
    "modes": Meaning("", "number of classes of the real images that occur among the samples"),
    "1-NN accuracy": Meaning("0.5", (
        "how often a nearest neighbour tells samples from real images: 1 "
        "always, 0.5 no better than chance"
    )),
    "C_T": Meaning("0", (
        "memorisation test: below -3 samples are closer to training images than new real images are "
        "(copies, or many average samples)"
    )),
    "copies": Meaning("0.01", (
        "share of memorised samples: closer to a training image than 99 % of new "
        "real images are"
    )),
}  # fmt: skip
# Names that only distances over Inception features have.
INCEPTION_NAMES = {"FD": "FID", "KD": "KID", "KD sd": "KID sd"}


def score(
    real: torch.Tensor,
    fake: torch.Tensor,
    extractor: Extractor,
    train: torch.Tensor | None = None,
    unseen: torch.Tensor | None = None,
) -> dict[str, float]:
    """Score uint8 images fake (M, C, H, W) against real (N, C, H, W): a dict with keys of SCORES.

    N and M are at least MIN_IMAGES, preferably equal. Extractors that predict classes add the class scores.
    `train` (T, C, H, W) holds the generator's training images and adds the copying tests. They compare it
    with `unseen` (K, C, H, W), real images that it was not trained on. Without those, `real` must be such
    images, and FD of data is added. Raises ValueError for too few images.
    """
    of_real, of_fake = extractor.extract(real), extractor.extract(fake)
    found = compare(of_real.features, of_fake.features)
    if of_real.classes is not None and of_fake.classes is not None:
        found |= compare_classes(of_real.classes, of_fake.classes, extractor.classes)
    if train is not None:
        learned = extractor.extract(train).features
        new = of_real.features if unseen is None else extractor.extract(unseen).features
        if unseen is None:
            some = torch.randperm(len(learned), generator=torch.Generator().manual_seed(0))[: len(fake)]
            found["FD of data"] = frechet_distance(fit_gaussian(new), fit_gaussian(learned[some]))
        found["C_T"] = data_copying(learned, new, of_fake.features)
        found["copies"] = share_of_copies(learned, new, of_fake.features)
    return found


def compare(real: torch.Tensor, fake: torch.Tensor) -> dict[str, float]:
    """Compare features real (N, D) and fake (M, D), N and M at least MIN_IMAGES, without classes.

    Returns FD, KD and its spread, precision, recall, density, coverage and 1-NN accuracy. The 1-NN test cuts
    the larger set to the size of the smaller. Raises ValueError for fewer features, or if they are not
    finite.
    """
    for features in (real, fake):
        check_features(features, least=MIN_IMAGES)
    same = min(len(real), len(fake))
    kernel = kernel_distance(real, fake, SUBSETS, min(SUBSET_SIZE, same // 2))
    return {
        "FD": frechet_distance(fit_gaussian(real), fit_gaussian(fake)), "KD": kernel.mean, "KD sd": kernel.sd,
        **manifold_scores(real, fake)._asdict(),
        "1-NN accuracy": one_nearest_neighbour(real[:same], fake[:same]).accuracy,
    }  # fmt: skip


def compare_classes(real: torch.Tensor, fake: torch.Tensor, count: int) -> dict[str, float]:
    """Compare predicted classes real (N,) and fake (M,): mode KL, and the number of modes that occur.

    `count` is the number of classes. The KL is infinite if fakes have a class that no real image has.
    """
    of_real, of_fake = class_histogram(real, count), class_histogram(fake, count)
    return {"mode KL": mode_divergence(of_real, of_fake), "modes": modes_covered(of_real, of_fake)}


def shown_name(name: str, extractor: str, title: str) -> str:
    """Append the extractor's title to the name of a score. Over Inception, FD is FID and KD is KID."""
    if extractor == "inception":
        return INCEPTION_NAMES.get(name, f"{name} (Inception)")
    return f"{name} ({title})"
