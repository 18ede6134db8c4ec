"""A generator that is open for reading: pictures of points, neighbourhoods, strips and walls, as encoded
bytes.
"""

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
from gan.latent.fair_lock import FairLock
from gan.latent.map.sample_bank import SampleBank
from gan.latent.perception import open_perception
from gan.latent.picture_cache import PictureCache
from gan.latent.point import DIRECTIONS, Point, placed
from gan.latent.sampling import latents
from gan.models import count_parameters, load_generator

WALL_SIDE = 8
CHART_SIDE = 5
ALONG, REACH = 7, 3.0  # pictures along a direction, and standard deviations to each side
# pictures that are drawn, or looked at by a net, in one turn where there are a thousand to come
LOOKED_AT = 16
CHUNK = 4  # pictures drawn before others get their turn: a slider waits for these, not for a wall
EACH = 2**18  # bytes of memory that an open model takes besides its numbers and its samples


class DirectionSlot:
    """Where the directions of a generator are kept, so that a newer generator of the same live run can go on
    using them.

    `values` holds what was found of each family; `images` is how many the run had been shown when the first
    of them was.
    """

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.images = 0
        self._locks = {family: threading.Lock() for family in ("principal", "factors", "attributes")}

    def fill(self, family: str, find: Callable[[], Any], images: int) -> Any:
        """The directions of a family; the first call finds them, others wait for it."""
        with self._locks[family]:
            if family not in self.values:
                found = find()
                if not self.values:
                    self.images = images
                self.values[family] = found
            return self.values[family]


class Model:
    """One generator as it was when opened; it never changes. Every method may be called from any thread, and
    gives the same bytes each time.

    `turns` are shared by all models of a server, so that pictures are drawn one after the other and never
    fight for the processor; so is `memory`, which keeps what was drawn. Raises UserError where the weights
    are damaged or of another version.
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
        # a fifth to a half less time than without, for every architecture here
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
        """Changes whenever any picture of this model may have changed."""
        return self.entry.version

    @property
    def owner(self) -> tuple:
        """Under what name the memory keeps its pictures: functions of the weights and the directions, which
        the next model with the same finds again.
        """
        return str(self.entry.weights), self.version, self._slot

    @property
    def held(self) -> int:
        """About how many bytes of memory it takes, apart from what the shared memory keeps."""
        return EACH + 4 * self._numbers + self.bank.held

    def directions(self) -> Directions:
        """The principal directions; found on first use, which takes a second or two and holds up nobody's
        pictures.
        """
        return self._slot.fill(
            "principal", lambda: find_directions(self.generator, self.spec, DIRECTIONS), self.entry.images
        )

    def factors(self) -> Directions:
        """The directions of the first layer's closed-form factorisation; found on first use, in less than a
        second or two.
        """
        return self._slot.fill(
            "factors", lambda: factorise(self.generator, self.spec, DIRECTIONS), self.entry.images
        )

    def attributes(self) -> Named:
        """The directions that have names; found on first use, which takes some seconds, a few pictures in a
        turn.
        """
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
        """A direction by its id, (z_dim,): "p0" of the principal ones, "s0" of the factorised ones, or a
        name.

        Raises UserError for one that there is not, and while those that have names were not looked for yet:
        no picture waits for that.
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
        """The form of GET factors and GET attributes: "directions", their "vectors" (K, z_dim) as base64 of
        little-endian float32, the ids "fixed" of those attributes that z does not move, and the "titles" of
        attributes by id."""
        if name == "factors":
            found, fixed, titles = self.factors(), [], {}
            told = _numbered(found, "s")
        else:
            named = self.attributes()
            found, fixed, titles = named.directions, named.fixed, named.titles
            told = [
                {**fact, "effect": round(float(effect), 2)}
                for fact, effect in zip(named.facts, found.effect, strict=True)
            ]
        return {
            "directions": told,
            "vectors": base64.b64encode(found.vectors.astype("<f4").tobytes()).decode(),
            "fixed": fixed,
            "titles": titles,
        }

    def describe(self) -> dict[str, Any]:
        """The form of GET model. While a run trains, `directions_version` stays the same as long as the
        sliders keep their meaning.
        """
        directions = _numbered(self.directions(), "p")
        return {
            **self.entry.to_json(),
            "directions": directions,
            "version": self.version,
            "directions_version": f"{'live' if self.entry.live else self.version}-{self._slot.images}",
        }

    def latent(self, point: Point) -> np.ndarray:
        """z of a point: (z_dim,) float32."""
        return point.z(self.spec.z_dim, lambda: self.directions().vectors, self.vector)

    def image(self, point: Point) -> bytes:
        """PNG of one point at the model's own size."""
        return self.remember(("image", point), lambda: encode_png(self.pictures([point])[0]))

    def chart(self, point: Point, i: str, j: str, step: float) -> bytes:
        """PNG of 5x5 pictures around a point, `step` standard deviations apart along the directions of two
        ids: i grows to the right, j upwards.

        Raises UserError as `vector` does.
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
        """PNG of one row of `count` pictures from a point along the great circle to another seed, everything
        else about the point staying as it is.
        """
        points = [dataclasses.replace(point, to=to, way=k / (count - 1)) for k in range(count)]
        return self.remember(
            ("strip", point, to, count), lambda: encode_png(grid(self.pictures(points), count))
        )

    def along(self, point: Point, name: str) -> bytes:
        """PNG of one row of ALONG pictures of a point, with the direction of this id at -REACH to REACH.
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
        """WebP of 8x8 pictures, row by row of the seeds seed, seed + 1, ..., seed + 63."""
        points = [
            Point(seed + k, psi, label, other=other, share=share, units=units) for k in range(WALL_SIDE**2)
        ]
        return self.remember(
            ("wall", seed, psi, label, other, share, units),
            lambda: encode_webp(grid(self.pictures(points), WALL_SIDE)),
        )

    def pictures(self, points: list[Point]) -> torch.Tensor:
        """The pictures of points: uint8 (N, C, H, W)."""
        parts = []
        for units, same in itertools.groupby(points, lambda point: point.units):
            same = list(same)
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
        """The generator with units that can be changed; to be used within `turns`."""
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
        """Pictures of z (N, z_dim), of classes into which others are blended, with units changed: uint8 (N,
        C, H, W), `chunk` in a turn.
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
        """What `draw` gave for this key before, or gives now; equal requests at the same time wait for the
        one that draws.
        """
        return self._memory.recall(self.owner, key, draw)


def _numbered(found: Directions, letter: str) -> list[dict[str, Any]]:
    """Directions as the page is told of them: "id", "effect", whether it is "dead", and the id of its "twin"
    or None.
    """
    told = []
    for k, (effect, verdict) in enumerate(zip(found.effect, found.verdicts(), strict=True)):
        twin = None if verdict["twin"] is None else f"{letter}{verdict['twin']}"
        told.append(
            {"id": f"{letter}{k}", "effect": round(float(effect), 2), "dead": verdict["dead"], "twin": twin}
        )
    return told


def _moved(point: Point, i: str, j: str, across: float, down: float) -> Point:
    """The point, `across` further along direction i and `down` further along direction j."""
    for name, step in ((i, across), (j, down)):
        point = placed(point, name, point.amount(name) + step)
    return point
