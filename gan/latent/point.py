"""A point in a model's latent space, parsed from a query string with every value checked.

Imports no torch.
"""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from gan.errors import UserError
from gan.latent.sampling import latent, mixed_label, slerp, truncate

DIRECTIONS = 10  # principal directions with sliders; fewer if z is smaller
MAX_SEED = 2**31 - 1
MAX_PSI = 2.0
MAX_AMOUNT = 10.0  # standard deviations: N(0, 1) never reaches this, so the limit refuses nothing useful
MAX_STEP = 3.0  # standard deviations between two images of a chart
STRIP_COUNTS = (2, 32)  # least and most images in a strip
MAX_MOVES = 32  # directions in one query
_PRINCIPAL = re.compile("p[0-9]{1,3}")
# p0: the first principal direction; s0: the first factorised one; night: a named one
DIRECTION_ID = re.compile(r"[a-z][a-z0-9_]{0,29}")
MAX_TEXT = 20_000  # characters of one query value: 512 raw numbers need about 8,000
# limits for the generator's units: how many a point may change, largest layer, largest unit
MAX_UNITS, MAX_LAYER, MAX_UNIT = 64, 15, 4095
MAX_FACTOR = 4.0
UNITS = 4096  # steps in 1.0 of a number under `at`: 16 bits cover -8 to 8
MIXED = ("", "mixed")


class Shape(Protocol):
    """The fields of gan.models.ModelSpec that this module needs."""

    @property
    def z_dim(self) -> int: ...
    @property
    def num_classes(self) -> int: ...


def _unnamed(name: str) -> np.ndarray:
    raise UserError("latent.unknown_direction", name=name)


@dataclass(frozen=True)
class Point:
    """A point in latent space, with a class and changed units.

    z = psi * z(seed) + the sum of amounts[k] * principal direction k + the sum of the `moves`. A move (id,
    amount) goes along another direction. Then `overrides` (index, value) replace single entries of z.

    - With `to`, another seed, z(seed) becomes the point at `way` in [0, 1] of the great circle to z(to).
    - With `at`, its numbers replace z(seed).
    - label None ("mixed") means the class that the seed chooses; with `to`, the nearer seed chooses.
    - With `other`, a class, its share `share` in [0, 1] is blended in.
    - `units` (layer, unit, factor) scale units of the generator.
    """

    seed: int = 0
    psi: float = 1.0
    label: int | None = None
    amounts: tuple[float, ...] = ()
    overrides: tuple[tuple[int, float], ...] = ()
    to: int | None = None
    way: float = 0.0
    at: tuple[float, ...] = ()
    other: int | None = None
    share: float = 0.0
    units: tuple[tuple[int, int, float], ...] = ()
    moves: tuple[tuple[str, float], ...] = ()

    @classmethod
    def parse(cls, query: Mapping[str, str], shape: Shape) -> "Point":
        """Read a point from a query, with these parameters:

          seed, psi, label, to   as in Point
          t                      `way`
          d                      `amounts` in standard deviations, separated by commas
          x, z                   `moves` as id:amount and `overrides` as index:value, separated by commas
          at                     base64url of z_dim little-endian 16-bit integers, in units of 1 / UNITS
          label2, mix            `other` and `share`
          u                      `units` as layer.unit:factor, separated by commas, counted from 0

        A missing or empty parameter has its default. Unknown parameters are ignored. Raises UserError for an
        invalid, non-finite or out-of-range number, and for a value that does not fit the model's shape.
        """
        amounts = tuple(number(text, "d", -MAX_AMOUNT, MAX_AMOUNT) for text in _items(query, "d"))
        allowed = min(DIRECTIONS, shape.z_dim)
        if len(amounts) > allowed:
            raise UserError("latent.too_many", name="d", count=len(amounts), max=allowed)
        overrides = tuple(_override(text, shape.z_dim) for text in _items(query, "z"))
        if len({index for index, _ in overrides}) < len(overrides):
            raise UserError("latent.twice", name="z")
        to = parse_seed(query, "to") if query.get("to") else None
        way = number(query.get("t") or "0", "t", 0.0, 1.0)
        return cls(
            parse_seed(query, "seed"),
            parse_psi(query),
            parse_label(query, shape),
            amounts,
            overrides,
            to,
            way if to is not None else 0.0,
            parse_at(query, shape),
            *parse_mix(query, shape),
            parse_units(query),
            parse_moves(query),
        )

    def amount(self, name: str) -> float:
        """The position along the direction with this id, in standard deviations."""
        if _PRINCIPAL.fullmatch(name):
            return dict(enumerate(self.amounts)).get(int(name[1:]), 0.0)
        return dict(self.moves).get(name, 0.0)

    def class_label(self, num_classes: int) -> int | None:
        """The class in [0, num_classes), or None for an unconditional model."""
        if not num_classes:
            return None
        nearer = self.seed if self.to is None or self.way < 0.5 else self.to
        return mixed_label(nearer, num_classes) if self.label is None else self.label

    def blend(self, num_classes: int) -> tuple[int, float]:
        """The other class and its share. Without a blend, or without classes, it is the point's own class and
        0.
        """
        return (self.class_label(num_classes) or 0, 0.0) if self.other is None else (self.other, self.share)

    def z(
        self,
        z_dim: int,
        directions: Callable[[], np.ndarray],
        named: Callable[[str], np.ndarray] = _unnamed,
    ) -> np.ndarray:
        """The latent vector (z_dim,) float32.

        `directions()` returns the principal directions (K, z_dim); it is called only for a nonzero amount.
        `named(id)` returns one direction (z_dim,); it is called for each nonzero move.
        """
        start = np.array(self.at, np.float32) if self.at else latent(self.seed, z_dim)
        if self.to is not None and self.way > 0:
            start = slerp(start, latent(self.to, z_dim), [self.way])[0]
        z = truncate(start, self.psi)
        if any(self.amounts):
            vectors = directions()[: len(self.amounts)]
            z = z + np.asarray(self.amounts[: len(vectors)], np.float32) @ vectors
        for name, amount in self.moves:
            if amount:
                z = z + np.float32(amount) * named(name)
        for index, value in self.overrides:
            z[index] = value
        return z


def placed(point: Point, name: str, amount: float) -> Point:
    """The point with the direction of this id set to `amount`."""
    if _PRINCIPAL.fullmatch(name):
        index = int(name[1:])
        amounts = [*point.amounts, *[0.0] * (index + 1 - len(point.amounts))]
        amounts[index] = amount
        return replace(point, amounts=tuple(amounts))
    return replace(point, moves=(*(move for move in point.moves if move[0] != name), (name, amount)))


def parse_seed(query: Mapping[str, str], name: str) -> int:
    """The seed under `name`, 0 if missing. Raises UserError."""
    return whole(query.get(name) or "0", name, 0, MAX_SEED)


def parse_at(query: Mapping[str, str], shape: Shape) -> tuple[float, ...]:
    """The latent vector under `at`: z_dim numbers from -8 to 8, or () if missing. Raises UserError for
    another shape.
    """
    text = query.get("at", "")
    if not text:
        return ()
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise UserError("latent.bad_z") from error
    if len(raw) != 2 * shape.z_dim:
        raise UserError("latent.bad_z")
    return tuple((np.frombuffer(raw, "<i2") / UNITS).tolist())


def parse_units(query: Mapping[str, str]) -> tuple[tuple[int, int, float], ...]:
    """The changed units under `u`, sorted, or () if missing. Raises UserError.

    The generator checks later whether these units exist.
    """
    found = {}
    items = _items(query, "u")
    if len(items) > MAX_UNITS:
        raise UserError("latent.too_many", name="u", count=len(items), max=MAX_UNITS)
    for text in items:
        place, _, factor = text.partition(":")
        layer, _, unit = place.partition(".")
        found[whole(layer, "u", 0, MAX_LAYER), whole(unit, "u", 0, MAX_UNIT)] = number(
            factor, "u", 0.0, MAX_FACTOR
        )
    if len(found) < len(items):
        raise UserError("latent.twice", name="u")
    return tuple((*place, factor) for place, factor in sorted(found.items()))


def write_at(z: np.ndarray) -> str:
    """Encode z (z_dim,) for `parse_at`: numbers are clamped to [-8, 8) and rounded to 1 / UNITS."""
    units = (z.astype(np.float64) * UNITS).round().clip(-(2**15), 2**15 - 1).astype("<i2")
    return base64.urlsafe_b64encode(units.tobytes()).decode().rstrip("=")


def parse_moves(query: Mapping[str, str]) -> tuple[tuple[str, float], ...]:
    """The directions under `x` with their amounts, or () if missing. Raises UserError.

    The model checks later whether these directions exist.
    """
    pairs = [text.partition(":") for text in _items(query, "x")]
    if len(pairs) > MAX_MOVES:
        raise UserError("latent.too_many", name="x", count=len(pairs), max=MAX_MOVES)
    if len({name for name, _, _ in pairs}) < len(pairs):
        raise UserError("latent.twice", name="x")
    return tuple(
        (direction_id(name), number(amount, "x", -MAX_AMOUNT, MAX_AMOUNT)) for name, _, amount in pairs
    )


def direction_id(text: str) -> str:
    """The text, if it is a well-formed id of a direction. Raises UserError otherwise."""
    if not DIRECTION_ID.fullmatch(text):
        raise UserError("latent.unknown_direction", name=text[:40])
    return text


def parse_psi(query: Mapping[str, str]) -> float:
    """The truncation psi, 1 if missing. Raises UserError."""
    return number(query.get("psi") or "1", "psi", 0.0, MAX_PSI)


def parse_step(query: Mapping[str, str]) -> float:
    """The standard deviations between two images of a chart, 1 if missing. Raises UserError."""
    return number(query.get("step") or "1", "step", 0.0, MAX_STEP)


def parse_count(query: Mapping[str, str]) -> int:
    """The number of images in a strip, 9 if missing. Raises UserError."""
    return whole(query.get("n") or "9", "n", *STRIP_COUNTS)


def parse_label(query: Mapping[str, str], shape: Shape) -> int | None:
    """The class index, or None for mixed. Raises UserError if the model has no such class."""
    text = query.get("label", "")
    if text in MIXED:
        return None
    if not shape.num_classes:
        raise UserError("latent.no_classes")
    return whole(text, "label", 0, shape.num_classes - 1)


def parse_mix(query: Mapping[str, str], shape: Shape) -> tuple[int | None, float]:
    """The other class and its share; None and 0 without a blend. Raises UserError if the model has no such
    class.
    """
    other = parse_label({"label": query.get("label2", "")}, shape)
    share = number(query.get("mix") or "0", "mix", 0.0, 1.0)
    return (other, share) if other is not None and share > 0 else (None, 0.0)


def whole(text: str, name: str, smallest: int, largest: int) -> int:
    """An integer in ASCII digits within [smallest, largest]. Raises UserError."""
    if not re.fullmatch(r"[0-9]{1,20}", text):
        raise UserError("latent.not_whole", name=name, value=text[:40])
    return _in_range(int(text), name, smallest, largest)


def number(text: str, name: str, smallest: float, largest: float) -> float:
    """A finite decimal number within [smallest, largest]. Raises UserError."""
    if not re.fullmatch(
        r"[-+]?([0-9]{1,20}(\.[0-9]{0,20})?|\.[0-9]{1,20})(e[-+]?[0-9]{1,3})?", text, re.IGNORECASE
    ):
        raise UserError("latent.not_a_number", name=name, value=text[:40])
    return _in_range(float(text), name, smallest, largest)


def _in_range(value: Any, name: str, smallest: Any, largest: Any) -> Any:
    if not smallest <= value <= largest:
        raise UserError("latent.range", name=name, value=value, min=round(smallest, 2), max=round(largest, 2))
    return value


def _items(query: Mapping[str, str], name: str) -> list[str]:
    text = query.get(name, "")
    if len(text) > MAX_TEXT:
        raise UserError("latent.too_many", name=name, count=text.count(",") + 1, max=512)
    return text.split(",") if text else []


def _override(text: str, z_dim: int) -> tuple[int, float]:
    index, _, value = text.partition(":")
    return whole(index, "z", 0, z_dim - 1), number(value, "z", -MAX_AMOUNT, MAX_AMOUNT)
