"""Find directions that change a named attribute, such as night or long hair.

InterFaceGAN (Shen et al. 2020) shows that attributes of generated images are nearly linear in z. It fits a
support vector machine between two classes. Here ridge regression fits the scores of `attributes`, which carry
more information than classes.

The regression first subtracts the mean of each class and cluster, because z can't change those. Each
direction is then tried on new samples and kept only if it moves its attribute. If it also moves another
attribute, that attribute's direction is projected out, provided this helps.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn

from gan.latent.directions.attributes import Reader
from gan.latent.directions.ridge import Ridge
from gan.latent.directions.unsupervised import ALIKE, Directions, centred, group_of, measure
from gan.latent.sampling import latents
from gan.models import ImageGenerator, ModelSpec

SAMPLES, TRIALS = 1024, 32  # samples for the regression and for the trial
FIRST, TRIED = 1_100_000_000, 1_200_000_000  # first seeds of both, far from the seeds that people choose
REACH = 2.0  # a trial moves samples by -REACH and REACH standard deviations
# The least values at which a direction is offered:
EXPLAINED = 0.05  # share of the attribute's variance within classes that z explains
MOVED, STEADY = 0.5, 0.75  # change in standard deviations; share of images in which the attribute increases
MORE = 0.1  # share of images that gain the attribute
TOLD = 0.25  # least change of another attribute, in standard deviations, that `facts` lists
# Another attribute's direction is projected out from this ratio of its change to the wanted change. At least
# the share LEFT of the wanted change must remain.
DISTURBING, LEFT = 0.5, 0.6

Draw = Callable[[torch.Tensor, torch.Tensor | None], torch.Tensor]


class Named(NamedTuple):
    """Directions with names: objects first, then properties of the whole image, each by decreasing effect.

    directions: as in `Directions`, but sigma holds `moved` and share holds `explained`. titles: titles by id,
    for attributes that only the data set names. fixed: ids of attributes without a direction, because z does
    not move them or moves them only along with others.

    facts: one dictionary for each direction:
      id, title, share   the attribute
      explained          share of the attribute's variance within classes that z explains
      moved              mean change from -REACH to REACH, in standard deviations over all classes
      steady             share of the images in which the attribute increases
      low, high          at each end: the share of images with the attribute, or its mean in its own unit
      others             other attributes that change, [id, standard deviations], largest first
    """

    directions: Directions
    facts: list[dict[str, Any]]
    fixed: list[str]
    titles: dict[str, str]


class _Tried(NamedTuple):
    """The effect of a direction on K attributes of TRIALS images."""

    moved: torch.Tensor  # (K,) in standard deviations
    low: torch.Tensor  # (TRIALS, K) scores at one end
    high: torch.Tensor


@torch.inference_mode()
def find_named(
    generator: ImageGenerator,
    spec: ModelSpec,
    reader: Reader,
    draw: Draw,
    read: Callable[[torch.Tensor], torch.Tensor],
) -> Named:
    """The directions of those attributes of a reader that z moves.

    `draw(z (N, z_dim), labels (N,) or None)` returns uint8 images and `read` their scores. Both may be slow,
    and both take `turns` themselves.
    """
    z, labels = _samples(spec, FIRST, SAMPLES)
    scores = read(draw(z, labels))
    spread = scores.std(0).clamp_min(1e-6)
    groups = group_of(generator, spec, z, labels)
    inputs = centred(z.clone(), groups)
    if spec.clusters > 1:
        inputs[:, -1] = 0
    fits = [Ridge.fit(inputs, column) for column in centred(scores.clone(), groups).T]
    vectors = [nn.functional.normalize(fit.weights, dim=0) for fit in fits]
    start, classes = _samples(spec, TRIED, TRIALS)

    def try_out(vector: torch.Tensor) -> _Tried:
        low, high = (read(draw(start + side * vector, classes)) for side in (-REACH, REACH))
        return _Tried((high - low).mean(0) / spread, low, high)

    tried = {k: try_out(vectors[k]) for k, fit in enumerate(fits) if fit.explained >= EXPLAINED}
    kept = [k for k, trial in tried.items() if _moves(k, reader, trial)]
    content = [k for k in kept if reader.attributes[k].content]
    purer = {k: _purer(k, content, reader, vectors, tried, try_out) for k in content}
    for k, found in purer.items():
        vectors[k], tried[k] = found
    chosen = torch.stack([vectors[k] for k in kept]) if kept else torch.zeros(0, spec.z_dim)
    effect, overlap = (
        measure(generator, spec, chosen) if kept else (np.zeros(0, np.float32), np.zeros((0, 0), np.float32))
    )
    places = [
        place for place, k in enumerate(kept) if _of_its_own(place, kept, reader, tried[k].moved, overlap)
    ]
    places.sort(key=lambda place: (not reader.attributes[kept[place]].content, -effect[place]))
    kept = [kept[place] for place in places]
    explained = np.array([fits[k].explained for k in kept], np.float32)
    moved = np.array([tried[k].moved[k] for k in kept], np.float32)
    directions = Directions(
        chosen.numpy()[places], moved, explained, effect[places], overlap[np.ix_(places, places)]
    )
    fixed = [attribute.id for k, attribute in enumerate(reader.attributes) if k not in kept]
    titles = {attribute.id: attribute.title for attribute in reader.attributes if attribute.title}
    return Named(directions, [_facts(k, reader, fits[k], tried[k]) for k in kept], fixed, titles)


def _samples(spec: ModelSpec, first: int, count: int) -> tuple[torch.Tensor, torch.Tensor | None]:
    z = torch.from_numpy(latents(range(first, first + count), spec.z_dim))
    return z, torch.arange(count) % spec.num_classes if spec.num_classes else None


def _moves(k: int, reader: Reader, trial: _Tried, least: float = MOVED) -> bool:
    """Whether a direction moves attribute k far enough, in enough images, to be offered."""
    low, high = trial.low[:, k], trial.high[:, k]
    gained = ((high > 0).float() - (low > 0).float()).mean() if reader.attributes[k].share else 1.0
    return bool(trial.moved[k] >= least and (high > low).float().mean() >= STEADY and gained >= MORE)


def _of_its_own(
    place: int, kept: list[int], reader: Reader, moved: torch.Tensor, overlap: np.ndarray
) -> bool:
    """Whether the direction at `place` in `kept` is more than a by-product of another one.

    A direction for an object always is. A direction for a whole-image property is a by-product in two cases.
    It overlaps with an object's direction, or it moves another attribute further than its own. Lower
    brightness, for example, is a by-product of night.
    """
    k = kept[place]
    if reader.attributes[k].content:
        return True
    twins = [
        other
        for other, j in enumerate(kept)
        if reader.attributes[j].content and overlap[place, other] > ALIKE
    ]
    return not twins and bool(moved.abs().max() <= moved[k])


def _purer(
    k: int,
    content: list[int],
    reader: Reader,
    vectors: list[torch.Tensor],
    tried: dict[int, _Tried],
    try_out: Callable[[torch.Tensor], _Tried],
) -> tuple[torch.Tensor, _Tried]:
    """Direction k without the directions of the other objects that it moves, and its new trial.

    This is InterFaceGAN's conditional manipulation: it projects the other directions out. Returns the old
    direction and trial if the new one is not better.
    """
    before = tried[k]
    others = [j for j in content if j != k and abs(before.moved[j]) >= DISTURBING * before.moved[k]]
    if not others:
        return vectors[k], before
    plane = torch.linalg.qr(torch.stack([vectors[j] for j in others], 1)).Q
    left = vectors[k] - plane @ (plane.T @ vectors[k])
    if left.norm() < 1e-3:
        return vectors[k], before
    vector = nn.functional.normalize(left, dim=0)
    after = try_out(vector)
    better = max(abs(after.moved[j]) / after.moved[k] for j in others) < max(
        abs(before.moved[j]) / before.moved[k] for j in others
    )
    enough = _moves(k, reader, after, max(MOVED, LEFT * before.moved[k].item()))
    return (vector, after) if better and enough else (vectors[k], before)


def _facts(k: int, reader: Reader, fit: Ridge, trial: _Tried) -> dict[str, Any]:
    """One dictionary of Named.facts."""
    attribute, low, high = reader.attributes[k], trial.low[:, k], trial.high[:, k]
    ends = [(end > 0).float().mean() if attribute.share else end.mean() for end in (low, high)]
    order = sorted(
        (j for j in range(len(trial.moved)) if j != k and abs(trial.moved[j]) >= TOLD),
        key=lambda j: -abs(trial.moved[j]),
    )
    return {
        "id": attribute.id,
        "title": attribute.title,
        "share": attribute.share,
        "explained": round(fit.explained, 3),
        "moved": round(trial.moved[k].item(), 2),
        "steady": round((high > low).float().mean().item(), 3),
        "low": round(ends[0].item(), 3),
        "high": round(ends[1].item(), 3),
        "others": [[reader.attributes[j].id, round(trial.moved[j].item(), 2)] for j in order],
    }
