"""Loops: closed walks through keys in latent space, parsed from a query string with every value checked.

Imports no torch.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from gan.errors import UserError
from gan.latent.point import MAX_UNITS, Point, Shape, whole
from gan.latent.sampling import slerp

MAX_KEYS = 24
MAX_STEPS = 120  # frames from one key to the next
MAX_FRAMES = 600
MAX_FPS = 30
# Parts of a key in a query, separated by commas; the last part may contain commas. Semicolons separate keys.
KEY_PARTS = ("at", "label", "label2", "mix", "u")

Units = tuple[tuple[int, int, float], ...]  # (layer, unit, factor)


class Classes(NamedTuple):
    """The class of an image: a label, another class, and the share in [0, 1] of the other class."""

    label: int
    other: int
    share: float

    @property
    def main(self) -> int:
        """The class with the larger share."""
        return self.label if self.share < 0.5 else self.other


@dataclass(frozen=True)
class Loop:
    """Keys, the number of frames (`steps`) from each key to the next, and frames per second."""

    keys: tuple[Point, ...]
    steps: int
    fps: int

    @classmethod
    def parse(cls, query: Mapping[str, str], shape: Shape) -> "Loop":
        """Read a loop from a query: keys (each at,label,label2,mix,u; see Point.parse), steps (24), fps (12).

        Raises UserError for fewer than two keys, an invalid key, or too many keys, frames or changed units in
        total.
        """
        texts = [text for text in query.get("keys", "").split(";") if text]
        if not 2 <= len(texts) <= MAX_KEYS:
            raise UserError("latent.keys", count=len(texts), most=MAX_KEYS)
        steps = whole(query.get("steps") or "24", "steps", 1, MAX_STEPS)
        if len(texts) * steps > MAX_FRAMES:
            raise UserError("latent.frames", count=len(texts) * steps, most=MAX_FRAMES)
        keys = tuple(
            Point.parse(dict(zip(KEY_PARTS, text.split(",", len(KEY_PARTS) - 1), strict=False)), shape)
            for text in texts
        )
        if not all(key.at for key in keys):
            raise UserError("latent.bad_z")
        units = len({unit[:2] for key in keys for unit in key.units})
        if units > MAX_UNITS:
            raise UserError("latent.too_many", name="u", count=units, max=MAX_UNITS)
        return cls(keys, steps, whole(query.get("fps") or "12", "fps", 1, MAX_FPS))

    def points(self, num_classes: int) -> list[Point]:
        """The point of each frame, beginning with the first key."""
        latents = loop(np.array([key.at for key in self.keys], np.float32), self.steps)
        classes = [_classes(key, num_classes) for key in self.keys]
        points = []
        for frame, z in enumerate(latents):
            place, part = frame // self.steps, frame % self.steps / self.steps
            after = (place + 1) % len(classes)
            now = between(classes[place], classes[after], part)
            units = units_between(self.keys[place].units, self.keys[after].units, part)
            points.append(
                Point(
                    label=now.label if num_classes else None,
                    at=tuple(z.tolist()),
                    other=now.other if now.share else None,
                    share=now.share,
                    units=units,
                )
            )
        return points


def loop(keys: np.ndarray, steps: int) -> np.ndarray:
    """The closed walk through keys (K, z_dim): (K * steps, z_dim) float32.

    Key k is frame k * steps. The last frame is one step before the first key. The walk follows great circles
    with linearly changing lengths (gan.latent.sampling.slerp; Shoemake 1985, White 2016).
    """
    amounts = np.arange(steps) / steps
    return np.concatenate(
        [slerp(key, keys[(place + 1) % len(keys)], amounts) for place, key in enumerate(keys)]
    )


def between(a: Classes, b: Classes, part: float) -> Classes:
    """Interpolate the classes of two keys at `part` in [0, 1], without a jump.

    If both keys blend the same two classes, only the share changes. Otherwise up to three steps of equal
    duration follow each other. The first blend turns into its main class. That class turns into the main
    class of the second key. This class turns into the second key's blend.
    """
    ways = []
    if a[:2] == b[:2]:
        ways.append((*a, b.share))
    else:
        if 0 < a.share < 1:
            ways.append((*a, float(a.share >= 0.5)))
        if a.main != b.main:
            ways.append((a.main, b.main, 0.0, 1.0))
        if 0 < b.share < 1:
            ways.append((b.label, b.other, float(b.share >= 0.5), b.share))
    if not ways:
        return Classes(a.main, a.main, 0.0)
    place = min(int(part * len(ways)), len(ways) - 1)
    label, other, start, end = ways[place]
    return Classes(label, other, start + (part * len(ways) - place) * (end - start))


def units_between(a: Units, b: Units, part: float) -> Units:
    """Interpolate the unit factors of two keys at `part` in [0, 1].

    Each factor changes linearly. A unit that a key does not mention has the factor 1 there.
    """
    ends = [{(layer, unit): factor for layer, unit, factor in units} for units in (a, b)]
    factors = {
        place: (1 - part) * ends[0].get(place, 1.0) + part * ends[1].get(place, 1.0)
        for place in sorted({*ends[0], *ends[1]})
    }
    return tuple((*place, factor) for place, factor in factors.items() if factor != 1)


def _classes(point: Point, num_classes: int) -> Classes:
    other, share = point.blend(num_classes)
    return Classes(point.class_label(num_classes) or 0, other, share)
