"""What D makes of the images that it learns, of held-out ones, of G's fakes, and of the tiles of a sheet.

With a relativistic loss no logit has a zero. So the realness of a tile is no probability. It is the
percentile of the tile's logit among those of held-out images.

Logits of different groups have no common zero either: D never compares them. On digits with ten clusters a
class, the groups' means scatter by 4.6 and the logits within a group by 1.2. So each logit counts from the
mean of the real images of its group. That mean must not hold the image itself, or real images would lie
nearer to it than samples do.
"""

from typing import Any, NamedTuple

import torch

BINS = 24  # of each histogram; 256 logits fill no more
CUT = 0.005  # share of all logits beyond each end of the bins; the outermost bins hold them
LEAST = 5  # held-out images; as many of one class, if a tile is compared with its class alone
LEAST_OF_GROUP = 3  # real images in a group's mean


class Judged(NamedTuple):
    """D's logits (N,) on some images, and the images' groups (N,), or None without conditioning."""

    logits: torch.Tensor
    groups: torch.Tensor | None

    def on_cpu(self) -> "Judged":
        """Return the same answers on the CPU."""
        return Judged(self.logits.cpu(), None if self.groups is None else self.groups.cpu())

    def first(self, count: int) -> "Judged":
        """Return the answers on the first `count` images."""
        return Judged(self.logits[:count], None if self.groups is None else self.groups[:count])


class Looks(NamedTuple):
    """What D said at one moment. Without a sheet so far there are no tiles."""

    trained: Judged
    held_out: Judged
    fakes: Judged
    tiles: Judged | None


def describe(looks: Looks, clusters: int) -> dict[str, Any] | None:
    """Return the histograms and the realness of the tiles, as eyes.json holds them.

    {low, high, trained, held_out, fakes, tiles}: the ends of the bins, three lists of BINS counts, and what
    `realness` returns. None without tiles, with fewer than LEAST held-out images that can be compared, and
    for logits that are not finite. clusters: groups in each class.
    """
    if looks.tiles is None or len(looks.held_out.logits) < LEAST:
        return None
    parts = [part.on_cpu() for part in looks if part is not None]
    if not all(part.logits.isfinite().all() for part in parts):
        return None
    trained, held_out, fakes, tiles = centred(*parts)
    histograms = [part.logits[part.logits.isfinite()] for part in (trained, held_out, fakes)]
    if not all(map(len, histograms)) or len(histograms[1]) < LEAST:
        return None
    return {**_histograms(*histograms), "tiles": realness(tiles, held_out, clusters)}


def centred(
    trained: Judged, held_out: Judged, fakes: Judged, tiles: Judged
) -> tuple[Judged, Judged, Judged, Judged]:
    """Return D's answers, each from the mean of the real images of its group; NaN where these are too few.

    A real image counts from the mean of the others: n / (n - 1) times as far as from that of all. Without
    groups nothing changes.
    """
    if trained.groups is None or held_out.groups is None:
        return trained, held_out, fakes, tiles
    logits = torch.cat([trained.logits, held_out.logits])
    groups = torch.cat([trained.groups, held_out.groups])
    others = [part.groups for part in (fakes, tiles) if part.groups is not None]
    size = 1 + int(torch.cat([groups, *others]).max())
    counts = torch.bincount(groups, minlength=size)
    sums = logits.new_zeros(size).index_add_(0, groups, logits)
    means = torch.where(counts >= LEAST_OF_GROUP, sums / counts, torch.nan)
    farther = counts / (counts - 1).clamp(min=1)

    def from_mean(part: Judged, is_real: bool) -> Judged:
        away = part.logits - means[part.groups]
        return Judged(away * farther[part.groups] if is_real else away, part.groups)

    return (
        from_mean(trained, True), from_mean(held_out, True), from_mean(fakes, False), from_mean(tiles, False)
    )  # fmt: skip


def realness(tiles: Judged, held_out: Judged, clusters: int) -> list[int | None]:
    """Return the percentile of each tile's logit among those of held-out images of its class, 0 to 100.

    Ties count half. A class with fewer than LEAST held-out images is compared with all. None for a tile
    without a finite logit.
    """
    known = held_out.logits.isfinite()
    below = (tiles.logits[:, None] > held_out.logits).double()
    below += 0.5 * (tiles.logits[:, None] == held_out.logits)
    counted = known.expand_as(below)
    if tiles.groups is not None and held_out.groups is not None:
        alike = counted & (tiles.groups[:, None] // clusters == held_out.groups // clusters)
        counted = torch.where(alike.sum(1, keepdim=True) >= LEAST, alike, counted)
    shares = (below * counted).sum(1) / counted.sum(1)
    is_judged = tiles.logits.isfinite()
    return [
        round(100 * share) if found else None
        for share, found in zip(shares.tolist(), is_judged.tolist(), strict=True)
    ]


def _histograms(trained: torch.Tensor, held_out: torch.Tensor, fakes: torch.Tensor) -> dict[str, Any]:
    """Return the ends of the bins, and the counts of the three sets of logits in them."""
    pooled = torch.cat([trained, held_out, fakes])
    low, high = pooled.quantile(CUT).item(), pooled.quantile(1 - CUT).item()
    if not low < high:
        low, high = low - 0.5, high + 0.5
    return {
        "low": float(f"{low:.4g}"),
        "high": float(f"{high:.4g}"),
        "trained": _counts(trained, low, high),
        "held_out": _counts(held_out, low, high),
        "fakes": _counts(fakes, low, high),
    }


def _counts(logits: torch.Tensor, low: float, high: float) -> list[int]:
    places = ((logits - low) / (high - low) * BINS).long().clamp(0, BINS - 1)
    return torch.bincount(places, minlength=BINS).tolist()
