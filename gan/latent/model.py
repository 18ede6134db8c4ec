"""A generator that is open for reading: pictures of points, neighbourhoods, strips and walls, as encoded bytes."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from gan.images import encode_png, encode_webp, grid, to_uint8
from gan.latent import sampling
from gan.latent.catalogue import Entry
from gan.latent.directions import Directions, find_directions
from gan.latent.point import DIRECTIONS, Point
from gan.models import load_generator

WALL_SIDE = 8
MEMORY = 128  # encoded pictures that a model keeps: thirty viewers open the same wall


class DirectionSlot:
    """Where the directions of a generator are kept, so that a newer generator of the same live run can go on using them.

    `images` is how many the run had been shown when they were found.
    """

    def __init__(self) -> None:
        self.value: Directions | None = None
        self.images = 0
        self._lock = threading.Lock()

    def fill(self, find: Callable[[], Directions], images: int) -> Directions:
        """The directions; the first call finds them, others wait for it."""
        with self._lock:
            if self.value is None:
                self.value, self.images = find(), images
            return self.value


class Model:
    """One generator as it was when opened; it never changes. Every method may be called from any thread, and gives the same bytes each time.

    `lock` is shared by all models of a server, so that pictures are drawn one after the other and never fight for the processor.
    """

    def __init__(self, entry: Entry, slot: DirectionSlot, lock: threading.RLock):
        self.entry, self._slot, self._lock = entry, slot, lock
        self._generator, self.spec = load_generator(entry.weights)
        self._memory: OrderedDict[tuple, bytes] = OrderedDict()

    @property
    def version(self) -> str:
        """Changes whenever any picture of this model may have changed."""
        return self.entry.version

    def directions(self) -> Directions:
        """The principal directions; found on first use, which takes up to a second and holds up nobody's pictures."""
        return self._slot.fill(lambda: find_directions(self._generator, self.spec, DIRECTIONS), self.entry.images)

    def describe(self) -> dict[str, Any]:
        """The form of GET model. While a run trains, `directions_version` stays the same as long as the sliders keep their meaning."""
        found = self.directions()
        directions = [{"sigma": round(float(sigma), 6), "share": round(float(share), 6)} for sigma, share in zip(found.sigma, found.share, strict=True)]
        return {**self.entry.to_json(), "z_dim": self.spec.z_dim, "directions": directions, "version": self.version,
                "directions_version": f"{'live' if self.entry.live else self.version}-{self._slot.images}"}

    def latent(self, point: Point) -> np.ndarray:
        """z of a point: (z_dim,) float32."""
        return point.z(self.spec.z_dim, lambda: self.directions().vectors)

    def image(self, point: Point) -> bytes:
        """PNG of one point at the model's own size."""
        return self._remember(("image", point), lambda: encode_png(self._draw(self.latent(point)[None], [point.class_label(self.spec.num_classes)])[0]))

    def neighbours(self, point: Point, radius: float, side: int = 3) -> bytes:
        """PNG of side x side pictures (side odd): the point in the middle, around it points `radius` radians away in directions that the seed chooses."""
        count = side * side
        labels = [point.class_label(self.spec.num_classes)] * count
        return self._remember(("neighbours", point, radius, side), lambda: encode_png(grid(
            self._draw(sampling.neighbours(self.latent(point), radius, count, point.seed), labels), side)))

    def strip(self, seed_a: int, seed_b: int, count: int, psi: float = 1.0, label: int | None = None) -> bytes:
        """PNG of one row of `count` pictures on the great circle between two seeds.

        With mixed classes the first half has the class of seed_a and the rest that of seed_b, so that both ends are those seeds' own pictures.
        """
        z = sampling.truncate(sampling.strip(seed_a, seed_b, count, self.spec.z_dim), psi)
        labels = [Point(seed_a if 2 * k < count else seed_b, label=label).class_label(self.spec.num_classes) for k in range(count)]
        return self._remember(("strip", seed_a, seed_b, count, psi, label), lambda: encode_png(grid(self._draw(z, labels), count)))

    def wall(self, seed: int, psi: float = 1.0, label: int | None = None) -> bytes:
        """WebP of 8x8 pictures, row by row of the seeds seed, seed + 1, ..., seed + 63."""
        points = [Point(seed + k, psi, label) for k in range(WALL_SIDE**2)]
        return self._remember(("wall", seed, psi, label), lambda: encode_webp(grid(self.pictures(points), WALL_SIDE)))

    def pictures(self, points: list[Point]) -> torch.Tensor:
        """The pictures of points: uint8 (N, C, H, W)."""
        return self._draw(np.stack([self.latent(point) for point in points]), [point.class_label(self.spec.num_classes) for point in points])

    def _draw(self, z: np.ndarray, labels: list[int | None]) -> torch.Tensor:
        classes = torch.tensor(labels) if self.spec.num_classes else None
        with self._lock, torch.inference_mode():
            return to_uint8(self._generator(torch.from_numpy(z), classes))

    def _remember(self, key: tuple, draw: Callable[[], bytes]) -> bytes:
        with self._lock:
            found = self._memory.pop(key, None)
        found = found or draw()
        with self._lock:
            self._memory[key] = found
            while len(self._memory) > MEMORY:
                self._memory.popitem(last=False)
        return found
