"""An open generator: encoded images of points, neighbourhoods, interpolations and sample grids."""

import base64
import dataclasses
import functools
import itertools
import re
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from gan.errors import UserError
from gan.images import encode_png, encode_webp, grid, to_uint8
from gan.latent.catalogue import Entry
from gan.latent.directions.attributes import Reader, open_reader
from gan.latent.directions.probes import Named, find_named
from gan.latent.directions.unsupervised import Directions, factorise, find_directions
from gan.latent.dissection import Dissection, Units
from gan.latent.map.sample_bank import SampleBank
from gan.latent.perception import open_perception
from gan.latent.point import DIRECTIONS, Point, placed
from gan.latent.sampling import latents
from gan.latent.serving.fair_lock import FairLock
from gan.latent.serving.picture_cache import PictureCache
from gan.models import count_parameters, load_generator

WALL_SIDE = 8
CHART_SIDE = 5
ALONG, REACH = 7, 3.0  # images along a direction, and standard deviations to each side
LOOKED_AT = 16  # images generated or scored in one turn of the search for attributes, which needs a thousand
CHUNK = 4  # images generated in one turn: a slider waits for these, not for a whole sample grid
EACH = 2**18  # bytes that an open model takes besides its parameters and its samples


class DirectionSlot:
    """The directions of a generator, kept so that a live run's next generator can reuse them.

    `values` maps each family to its directions. `images` is the run's image count when the first family was
    found.
    """

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.images = 0
        self._locks = {family: threading.Lock() for family in ("principal", "factors", "attributes")}

    def fill(self, family: str, find: Callable[[], Any], images: int) -> Any:
        """The directions of a family. The first call runs `find`; concurrent calls wait for it."""
        with self._locks[family]:
            if family not in self.values:
                found = find()
                if not self.values:
                    self.images = images
                self.values[family] = found
            return self.values[family]


class Model:
    """One generator with the weights that it had when it was opened. Thread-safe and deterministic.

    All models of a server share the lock `turns`: they generate one after the other, so they don't compete
    for cores. They also share `memory`, the cache of encoded images. Raises UserError for weights that are
    damaged or of another version.
    """

    def __init__(
        self,
        entry: Entry,
        slot: DirectionSlot | None = None,
        turns: FairLock | None = None,
        memory: PictureCache | None = None,
    ):
        self.entry, self._slot, self.turns, self._memory = (
            entry,
            slot or DirectionSlot(),
            turns or FairLock(),
            memory or PictureCache(),
        )
        generator, self.spec = load_generator(entry.weights)
        # channels_last takes a fifth to a half less time for every architecture here
        self.generator = generator.to(memory_format=torch.channels_last)
        self.bank = SampleBank(
            lambda seeds, labels: self._draw(
                latents(seeds, self.spec.z_dim), labels, [(0, 0.0)] * len(seeds)
            ),
            self.spec.num_classes,
            lambda: open_perception(entry.data),
            self.turns,
        )
        self._numbers = count_parameters(self.generator)
        self._dissection_lock = threading.Lock()
        self._dissection: Dissection | None = None

    @property
    def version(self) -> str:
        """A text that changes whenever an image of this model may change."""
        return self.entry.version

    @property
    def owner(self) -> tuple:
        """The key of this model's images in the cache.

        The images depend on the weights and the directions. Another model with the same weights and
        directions finds them again.
        """
        return str(self.entry.weights), self.version, self._slot

    @property
    def held(self) -> int:
        """Approximate bytes of memory that the model takes, without its images in the shared cache."""
        return EACH + 4 * self._numbers + self.bank.held

    def directions(self) -> Directions:
        """The principal directions.

        The first call finds them in a second or two. Other threads generate images meanwhile.
        """
        return self._slot.fill(
            "principal", lambda: find_directions(self.generator, self.spec, DIRECTIONS), self.entry.images
        )

    def factors(self) -> Directions:
        """The directions of the first layer's closed-form factorisation. The first call finds them in a
        second or two.
        """
        return self._slot.fill(
            "factors", lambda: factorise(self.generator, self.spec, DIRECTIONS), self.entry.images
        )

    def attributes(self) -> Named:
        """The named directions. The first call finds them in some seconds, a few images in a turn."""
        return self._slot.fill("attributes", self._find_attributes, self.entry.images)

    @functools.cached_property
    def _reader(self) -> Reader:
        return open_reader(self.entry.data, self.spec.channels)

    def _find_attributes(self) -> Named:
        reader = self._reader

        def draw(z: torch.Tensor, labels: torch.Tensor | None) -> torch.Tensor:
            return self._draw(
                z.numpy(),
                [None] * len(z) if labels is None else labels.tolist(),
                [(0, 0.0)] * len(z),
                chunk=LOOKED_AT,
            )

        def read(images: torch.Tensor) -> torch.Tensor:
            parts = []
            for part in images.split(LOOKED_AT):
                with self.turns:
                    parts.append(reader.read(part))
            return torch.cat(parts)

        return find_named(self.generator, self.spec, reader, draw, read)

    def vector(self, name: str) -> np.ndarray:
        """The direction (z_dim,) with this id: "p0" (principal), "s0" (factorised) or a name.

        Raises UserError for an unknown id, and for a name before `attributes` has run: no image waits for
        that search.
        """
        numbered = re.fullmatch(r"([ps])([0-9]{1,3})", name)
        if numbered:
            vectors = (self.directions() if numbered[1] == "p" else self.factors()).vectors
            if int(numbered[2]) < len(vectors):
                return vectors[int(numbered[2])]
        elif "attributes" not in self._slot.values:
            if name in {attribute.id for attribute in self._reader.attributes}:
                raise UserError("latent.finding")
        else:
            found = self.attributes()
            for vector, fact in zip(found.directions.vectors, found.facts, strict=True):
                if fact["id"] == name:
                    return vector
        raise UserError("latent.unknown_direction", name=name)

    def family(self, name: str) -> dict[str, Any]:
        """The JSON object for GET factors and GET attributes:

        directions   a list
        vectors      base64 of little-endian float32 (K, z_dim)
        fixed        ids of the attributes that z does not move
        titles       titles of attributes by id
        """
        if name == "factors":
            found, fixed, titles = self.factors(), [], {}
            listed = _numbered(found, "s")
        else:
            named = self.attributes()
            found, fixed, titles = named.directions, named.fixed, named.titles
            listed = [
                {**fact, "effect": round(float(effect), 2)}
                for fact, effect in zip(named.facts, found.effect, strict=True)
            ]
        return {
            "directions": listed,
            "vectors": base64.b64encode(found.vectors.astype("<f4").tobytes()).decode(),
            "fixed": fixed,
            "titles": titles,
        }

    def describe(self) -> dict[str, Any]:
        """The JSON object for GET model. While a run trains, `directions_version` changes only when the
        directions do.
        """
        directions = _numbered(self.directions(), "p")
        return {
            **self.entry.to_json(),
            "directions": directions,
            "version": self.version,
            "directions_version": f"{'live' if self.entry.live else self.version}-{self._slot.images}",
        }

    def latent(self, point: Point) -> np.ndarray:
        """The latent vector z of a point: (z_dim,) float32."""
        return point.z(self.spec.z_dim, lambda: self.directions().vectors, self.vector)

    def image(self, point: Point) -> bytes:
        """A PNG of one point at the model's resolution."""
        return self.remember(("image", point), lambda: encode_png(self.pictures([point])[0]))

    def chart(self, point: Point, i: str, j: str, step: float) -> bytes:
        """A PNG of 5x5 images around a point, `step` standard deviations apart.

        Direction i increases to the right and direction j upwards. Raises UserError as `vector` does.
        """
        for name in (i, j):
            self.vector(name)
        points = [
            _moved(point, i, j, step * (column - CHART_SIDE // 2), step * (CHART_SIDE // 2 - row))
            for row in range(CHART_SIDE)
            for column in range(CHART_SIDE)
        ]
        return self.remember(
            ("chart", point, i, j, step), lambda: encode_png(grid(self.pictures(points), CHART_SIDE))
        )

    def strip(self, point: Point, to: int, count: int) -> bytes:
        """A PNG of one row of `count` images along the great circle from a point to the seed `to`.

        The rest of the point stays constant.
        """
        points = [dataclasses.replace(point, to=to, t=k / (count - 1)) for k in range(count)]
        return self.remember(
            ("strip", point, to, count), lambda: encode_png(grid(self.pictures(points), count))
        )

    def along(self, point: Point, name: str) -> bytes:
        """A PNG of one row of ALONG images with the direction `name` from -REACH to REACH.

        Raises UserError as `vector` does.
        """
        self.vector(name)
        points = [placed(point, name, REACH * (2 * k / (ALONG - 1) - 1)) for k in range(ALONG)]
        return self.remember(("along", point, name), lambda: encode_png(grid(self.pictures(points), ALONG)))

    def wall(
        self,
        seed: int,
        psi: float = 1.0,
        label: int | None = None,
        other: int | None = None,
        share: float = 0.0,
        units: Units = (),
    ) -> bytes:
        """A WebP of 8x8 samples, row by row, of the seeds seed, seed + 1, ..., seed + 63."""
        points = [
            Point(seed + k, psi, label, other=other, share=share, units=units) for k in range(WALL_SIDE**2)
        ]
        return self.remember(
            ("wall", seed, psi, label, other, share, units),
            lambda: encode_webp(grid(self.pictures(points), WALL_SIDE)),
        )

    def pictures(self, points: list[Point]) -> torch.Tensor:
        """The images of points: uint8 (N, C, H, W)."""
        parts = []
        for units, group in itertools.groupby(points, lambda point: point.units):
            same = list(group)
            blends = [point.blend(self.spec.num_classes) for point in same]
            parts.append(
                self._draw(
                    np.stack([self.latent(point) for point in same]),
                    [self._class(point) for point in same],
                    blends,
                    units,
                )
            )
        return torch.cat(parts)

    def dissection(self) -> Dissection:
        """The generator with scalable units. Hold `turns` while using it."""
        with self._dissection_lock:
            self._dissection = self._dissection or Dissection(self.generator)
            return self._dissection

    def _class(self, point: Point) -> int | None:
        return point.class_label(self.spec.num_classes)

    def _draw(
        self,
        z: np.ndarray,
        labels: list[int | None],
        blends: list[tuple[int, float]],
        units: Units = (),
        chunk: int = CHUNK,
    ) -> torch.Tensor:
        """Images of z (N, z_dim) with blended classes and scaled units: uint8 (N, C, H, W), `chunk` in a
        turn.
        """
        draw = functools.partial(self.dissection().draw, units=units) if units else self.generator
        parts = []
        for start in range(0, len(z), chunk):
            part = slice(start, start + chunk)
            classes = torch.tensor(labels[part]) if self.spec.num_classes else None
            others, shares = zip(*blends[part], strict=True)
            blend = (torch.tensor(others), torch.tensor(shares)) if any(shares) else None
            with self.turns, torch.inference_mode():
                parts.append(to_uint8(draw(torch.from_numpy(z[part]), classes, blend)))
        return torch.cat(parts)

    def remember(self, key: tuple, draw: Callable[[], bytes]) -> bytes:
        """The cached bytes for this key, or the result of `draw`. Concurrent calls for one key share one
        `draw`.
        """
        return self._memory.recall(self.owner, key, draw)


def _numbered(found: Directions, letter: str) -> list[dict[str, Any]]:
    """Directions as JSON objects: "id", "effect", "dead", and the id of the "twin" or None."""
    listed = []
    for k, (effect, verdict) in enumerate(zip(found.effect, found.verdicts(), strict=True)):
        twin = None if verdict["twin"] is None else f"{letter}{verdict['twin']}"
        listed.append(
            {"id": f"{letter}{k}", "effect": round(float(effect), 2), "dead": verdict["dead"], "twin": twin}
        )
    return listed


def _moved(point: Point, i: str, j: str, across: float, down: float) -> Point:
    """The point, moved by `across` along direction i and by `down` along direction j."""
    for name, step in ((i, across), (j, down)):
        point = placed(point, name, point.amount(name) + step)
    return point
