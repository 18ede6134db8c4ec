"""What D makes of the images that it learns, of held-out ones, of G's fakes, and of the tiles of a sheet.

Only logits of one group can be compared: those of different groups have no common zero, and with a
relativistic loss no logit has one. So the realness of a tile is no probability. It is the percentile of the
tile's logit among those of held-out images of its group.
"""

from typing import Any, NamedTuple

import torch

BINS = 24  # of each histogram; 256 logits fill no more
CUT = 0.005  # share of all logits beyond each end of the bins; the outermost bins hold them
LEAST = 5  # held-out images of a tile's group


class Judged(NamedTuple):
    """D's logits (N,) on some images, and the images' groups (N,), or None without conditioning."""

    logits: torch.Tensor
    groups: torch.Tensor | None


class Looks(NamedTuple):
    """What D said at one moment. Without a sheet so far there are no tiles."""

    trained: Judged
    held_out: Judged
    fakes: Judged
    tiles: Judged | None


def describe(looks: Looks) -> dict[str, Any] | None:
    """Return the histograms and the realness of the tiles, as eyes.json holds them.

    {low, high, trained, held_out, fakes, tiles}: the ends of the bins, three lists of BINS counts, and what
    `realness` returns. None without tiles or with fewer than LEAST held-out images, and for logits that are
    not finite.
    """
    parts = [part for part in looks if part is not None]
    finite = all(bool(part.logits.isfinite().all()) for part in parts)
    if looks.tiles is None or len(looks.held_out.logits) < LEAST or not finite:
        return None
    return {**_histograms(looks), "tiles": realness(looks.tiles, looks.held_out)}


def realness(tiles: Judged, held_out: Judged) -> list[int | None]:
    """Return the percentile of each tile's logit among those of held-out images of its group, 0 to 100.

    Ties count half. None where fewer than LEAST images of the group are held out.
    """
    below = (tiles.logits[:, None] > held_out.logits).double()
    below += 0.5 * (tiles.logits[:, None] == held_out.logits)
    alike = torch.ones_like(below)
    if tiles.groups is not None and held_out.groups is not None:
        alike = (tiles.groups[:, None] == held_out.groups).double()
    counts, sums = alike.sum(1).tolist(), (below * alike).sum(1).tolist()
    pairs = zip(sums, counts, strict=True)
    return [round(100 * found / count) if count >= LEAST else None for found, count in pairs]


def _histograms(looks: Looks) -> dict[str, Any]:
    """Return the ends of the bins, and the counts of training images, held-out images and fakes in them."""
    centres = _centres(looks)
    named = {"trained": looks.trained, "held_out": looks.held_out, "fakes": looks.fakes}
    values = {name: _centred(part, centres) for name, part in named.items()}
    pooled = torch.cat([*values.values()])
    low, high = pooled.quantile(CUT).item(), pooled.quantile(1 - CUT).item()
    if not low < high:
        low, high = low - 0.5, high + 0.5
    return {
        "low": float(f"{low:.4g}"),
        "high": float(f"{high:.4g}"),
        **{name: _counts(part, low, high) for name, part in values.items()},
    }


def _counts(values: torch.Tensor, low: float, high: float) -> list[int]:
    places = ((values - low) / (high - low) * BINS).long().clamp(0, BINS - 1)
    return torch.bincount(places, minlength=BINS).tolist()


def _centres(looks: Looks) -> torch.Tensor | None:
    """Return the mean logit of the real images of each group, or None without groups.

    Training and held-out images count alike, so that neither comes to lie nearer to the middle. A group
    without real images has NaN.
    """
    of_trained, of_held = looks.trained.groups, looks.held_out.groups
    if of_trained is None or of_held is None or looks.fakes.groups is None:
        return None
    groups = torch.cat([of_trained, of_held])
    logits = torch.cat([looks.trained.logits, looks.held_out.logits])
    size = int(torch.cat([groups, looks.fakes.groups]).max()) + 1
    sums, counts = (logits.new_zeros(size) for _ in range(2))
    sums.index_add_(0, groups, logits)
    counts.index_add_(0, groups, torch.ones_like(logits))
    return sums / counts


def _centred(part: Judged, centres: torch.Tensor | None) -> torch.Tensor:
    """Return the logits less the centres of their groups, without those of a group that has none."""
    if centres is None or part.groups is None:
        return part.logits
    found = part.logits - centres[part.groups]
    return found[found.isfinite()]
