"""Measure how near dragged points come to their targets, and how much the rest of the image changes:

    python -m tests.benchmarks.search.dragging --count 24

It drags one point of each of some seeds, for each shipped model, on one thread. The point is the most salient
corner of the sample (Shi and Tomasi 1994). Its target lies a tenth of the side away (an eighth at 64 px), in
a random direction.

A tracker that knows only pixels measures where the point went, so that the drag does not judge itself. It
searches all directions for the neighbourhood with the smallest squared difference from the start's. The table
has means over the seeds.
"""

import argparse
import math
import time

import torch
import torch.nn.functional as F

from gan.images import to_uint8
from gan.latent.catalogue import read_shipped
from gan.latent.generator import Model
from gan.latent.map.sample_bank import as_floats
from gan.latent.point import Point
from gan.latent.search.drag import Drag, disk, distances
from gan.latent.search.drag_job import feature_maps
from tests.support.page.browsing import ROOT

MODELS = ("digits", "fashion", "faces", "emoji", "landscapes")
MOVES = {28: 3, 64: 8}  # pixels, by the side of the image
FIRST = 1000  # the first seed
MARGIN = 0.15  # share of the side, at each edge, in which no point begins
BESIDE = 4  # Pixels (of 28) that the tracker searches beyond the drag's own distance.


def salient(image: torch.Tensor) -> torch.Tensor:
    """Return the corner (x, y) in pixels of an image (C, H, H): it changes most there in every direction."""
    grey = image.mean(0)[None, None]
    across, down = (
        F.pad(grey[..., 2:] - grey[..., :-2], (1, 1)),
        F.pad(grey[..., 2:, :] - grey[..., :-2, :], (0, 0, 1, 1)),
    )
    xx, xy, yy = (
        F.avg_pool2d(product, 7, 1, 3)[0, 0] for product in (across * across, across * down, down * down)
    )
    least = (xx + yy) / 2 - (((xx - yy) / 2).square() + xy.square()).sqrt()
    side, edge = len(least), round(MARGIN * len(least))
    inner = torch.full_like(least, -1)
    inner[edge:-edge, edge:-edge] = least[edge:-edge, edge:-edge]
    place = inner.argmax().item()
    return torch.tensor([place % side, place // side]).float()


def tracked(before: torch.Tensor, after: torch.Tensor, start: torch.Tensor, move: float) -> torch.Tensor:
    """Find the neighbourhood of a place (2,) of one image (C, H, H) in the other, to half a pixel."""
    side = before.shape[-1]
    around, places = disk(3.5 * side / 28, 1.0), start + disk(move + BESIDE * side / 28, 0.5)
    places = places[((places >= 0) & (places <= side - 1)).all(1)]
    weights = torch.exp(-(around.norm(dim=1) * 28 / side / 3.5).square())

    def seen(image: torch.Tensor, at: torch.Tensor) -> torch.Tensor:
        flat = 2 * (at[:, None] + around + 0.5) / side - 1
        return F.grid_sample(image[None], flat[None], padding_mode="border", align_corners=False)[0]

    different = (seen(after, places) - seen(before, start[None])).square().sum(0) @ weights
    return places[different.argmin()]


def goal(start: torch.Tensor, side: int, chance: torch.Generator) -> torch.Tensor:
    """Return a place at the drag's distance from `start`, in a random direction that stays in the image."""
    while True:
        angle = 2 * math.pi * torch.rand((), generator=chance)
        end = start + MOVES[side] * torch.stack([angle.cos(), angle.sin()])
        if ((end >= 2) & (end <= side - 3)).all():
            return end


def dragged(model: Model, seed: int, chance: torch.Generator) -> dict[str, float]:
    """The result of one drag: distances in pixels, seconds of one core, and shares of a pixel's range."""
    point = Point(seed)
    before = as_floats(model.pictures([point]))
    side = before.shape[-1]
    start = salient(before[0])
    end = goal(start, side, chance)
    places = [((place + 0.5) / side)[None] for place in (start, end)]
    begin = time.process_time()
    drag = Drag(
        feature_maps(model, point),
        torch.from_numpy(model.latent(point))[None],
        *places,
        fixed=model.spec.clusters > 1,
    )
    while not drag.done:
        drag.step()
    held = drag.held()
    spent = time.process_time() - begin
    with torch.inference_mode():
        after = as_floats(to_uint8(feature_maps(model, point)(held.z)[0]))
    left = (tracked(before[0], after[0], start, MOVES[side]) - end).norm().item()
    far = distances(side, *places) * side > 9 * side / 28
    changed, other = (
        (picture - before).abs().mean(1)[0][far].mean().item() / 2
        for picture in (after, as_floats(model.pictures([Point(seed + 500)])))
    )
    return {"left": left, "arrived": float(left <= 1.01), "own": held.away.item(),
        "lost": held.lost.float().item(), "seconds": spent, "changed": changed,
            "other": other, "length": held.z.norm().item() / model.spec.z_dim**0.5}  # fmt: skip


def main() -> None:
    """Run the command, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=24, help="seeds for each model")
    count = parser.parse_args().count
    torch.set_num_threads(1)
    titles = (
        "model",
        "way, px",
        "left by pixels, px",
        "within 1 px",
        "left as told, px",
        "lost",
        "rest changed",
        "another sample's rest",
        "length of z",
        "s",
    )
    print(f"| {' | '.join(titles)} |\n|{'---|' * len(titles)}")
    for name in MODELS:
        model = Model(read_shipped(f"shipped:{name}", ROOT / "checkpoints" / name))
        chance = torch.Generator().manual_seed(1)
        found = [dragged(model, FIRST + k, chance) for k in range(count)]
        mean = {key: sum(each[key] for each in found) / count for key in found[0]}
        forms = {
            "left": ".2f",
            "arrived": ".0%",
            "own": ".2f",
            "lost": ".0%",
            "changed": ".3f",
            "other": ".3f",
            "length": ".2f",
            "seconds": ".1f",
        }
        cells = (name, MOVES[model.spec.size], *(format(mean[key], form) for key, form in forms.items()))
        print(f"| {' | '.join(map(str, cells))} |", flush=True)


if __name__ == "__main__":
    main()
