"""Choose the images of a set that a run is judged by, and never trained on.

D overfits before G copies anything, and only images that D never saw show that. The choice depends on the
set alone. So runs with other seeds, and runs that start from another's model, are judged by the same images.
"""

from typing import NamedTuple

import torch

from gan.train.base import seed_for

SHARE = 10  # one image in so many is held out
MOST = 500  # images held out; more would not make a judgement of a few seconds more certain


class Split(NamedTuple):
    """The indices of a set's images, both int64 and ascending: of those to train on, and of the others."""

    trained: torch.Tensor
    held_out: torch.Tensor


def split(count: int, labels: torch.Tensor | None, batch: int, few: int = 0) -> Split:
    """Hold out a tenth of `count` images, MOST at most, with a fixed seed.

    labels: their classes, int64 (count,), or None. One image of each class is always trained on, and at least
    `batch` images are. So a small set may lose fewer than a tenth, or none. few: train on this many of the
    others alone, of all classes alike; 0: on all. What is held out does not depend on it.
    """
    order = torch.randperm(count, generator=torch.Generator().manual_seed(seed_for("held out", count)))
    spare = order if labels is None else order[_not_last(labels[order])]
    number = max(0, min(MOST, count // SHARE, count - batch))
    is_held = torch.zeros(count, dtype=torch.bool)
    is_held[spare[:number]] = True
    trained = order[~is_held[order]]
    chosen = trained if not few else _by_turns(trained, labels)[:few]
    return Split(chosen.sort().values, is_held.nonzero().squeeze(1))


def _by_turns(rows: torch.Tensor, labels: torch.Tensor | None) -> torch.Tensor:
    """Return the rows (N,) with one of each class first, then a second one of each, and so on."""
    if labels is None:
        return rows
    turns = torch.empty_like(rows)
    for label in labels[rows].unique():
        of_class = labels[rows] == label
        turns[of_class] = torch.arange(int(of_class.sum()))
    return rows[turns.argsort(stable=True)]


def _not_last(labels: torch.Tensor) -> torch.Tensor:
    """Return whether each label (N,) occurs again behind its place, bool (N,)."""
    last = torch.zeros(int(labels.max()) + 1 if len(labels) else 0, dtype=torch.int64)
    last.scatter_reduce_(0, labels, torch.arange(len(labels)), "amax", include_self=False)
    return torch.arange(len(labels)) != last[labels]
