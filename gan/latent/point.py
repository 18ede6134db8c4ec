"""A point in a model's latent space as people choose it, read from a query string with every value checked.
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

DIRECTIONS = 10  # sliders along principal directions that a model offers, fewer where z is smaller
MAX_SEED = 2**31 - 1
MAX_PSI = 2.0
MAX_AMOUNT = 10.0  # standard deviations; N(0, 1) never gets there, so that nothing sensible is refused
MAX_STEP = 3.0  # standard deviations between two pictures of a chart
STRIP_COUNTS = (2, 32)
MAX_MOVES = 32  # directions that are named in one query
_PRINCIPAL = re.compile("p[0-9]{1,3}")
# p0: the first principal one, s0: the first factorised one, night: one that has a name
DIRECTION_ID = re.compile(r"[a-z][a-z0-9_]{0,29}")
MAX_TEXT = 20_000  # characters of one query value: 512 raw numbers are about 8,000
# units of the generator that a point may change, and the largest numbers that they and their layers can have
MAX_UNITS, MAX_LAYER, MAX_UNIT = 64, 15, 4095
MAX_FACTOR = 4.0
UNITS = 4096  # of a number of z that a query writes out: 16 bits for -8 to 8
MIXED = ("", "mixed")


class Shape(Protocol):
    """What of a gan.models.ModelSpec is needed here."""

    z_dim: int
    num_classes: int


@dataclass(frozen=True)
class Point:
    """Where in latent space, and of which class.

    z = psi * z(seed) + the sum of amounts[k] * principal direction k + that of `moves`, other directions by
    id (id, amount); then the raw `overrides` (index, value) replace single numbers of z. label None ("mixed")
    leaves the class to the seed. Where `to` is another seed, z(seed) is taken `way` (0 to 1) along the great
    circle to z(to), and the nearer of the two seeds has the class. Where `at` has numbers, they stand for
    z(seed); the seed still has the class. Where `other` is another class, `share` (0 to 1) of it is blended
    in. `units` (layer, unit, factor) of the generator are multiplied by their factors on the way to the
    picture.
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
        """The point in a query: seed, psi, label, d (amounts in standard deviations, with commas between), x
        (id:amount pairs of directions, likewise), z (index:value pairs, likewise), to and t (`way`), at
        (base64url of z_dim 16-bit integers, little end first, in units of 1 / UNITS), label2 and mix
        (`other`, `share`), u (layer.unit:factor, with commas between, counted from 0).

        What is absent or empty takes its default; names of other things are left alone. Raises UserError for
        what is no number, not finite, out of range or does not fit a model of this shape.
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
        """How far the point is along the direction of this id, in standard deviations."""
        if _PRINCIPAL.fullmatch(name):
            return dict(enumerate(self.amounts)).get(int(name[1:]), 0.0)
        return dict(self.moves).get(name, 0.0)

    def class_label(self, num_classes: int) -> int | None:
        """The class to draw, 0 to num_classes - 1, or None for an unconditional model."""
        if not num_classes:
            return None
        nearer = self.seed if self.to is None or self.way < 0.5 else self.to
        return mixed_label(nearer, num_classes) if self.label is None else self.label

    def blend(self, num_classes: int) -> tuple[int, float]:
        """The class that is blended in, and how much of it there is: the class itself and 0 where nothing is,
        and for an unconditional model.
        """
        return (self.class_label(num_classes) or 0, 0.0) if self.other is None else (self.other, self.share)

    def z(
        self,
        z_dim: int,
        directions: Callable[[], np.ndarray],
        named: Callable[[str], np.ndarray] | None = None,
    ) -> np.ndarray:
        """The latent vector (z_dim,) float32. `directions` is called for vectors (K, z_dim) only if an amount
        is not 0, `named(id)` for the vector (z_dim,) of each of `moves` that is not 0."""
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
    """The point with the direction of this id at `amount`, whatever it was at before."""
    if _PRINCIPAL.fullmatch(name):
        index = int(name[1:])
        amounts = [*point.amounts, *[0.0] * (index + 1 - len(point.amounts))]
        amounts[index] = amount
        return replace(point, amounts=tuple(amounts))
    return replace(point, moves=(*(move for move in point.moves if move[0] != name), (name, amount)))


def parse_seed(query: Mapping[str, str], name: str) -> int:
    """The seed in a query under `name`, 0 where absent. Raises UserError."""
    return whole(query.get(name) or "0", name, 0, MAX_SEED)


def parse_at(query: Mapping[str, str], shape: Shape) -> tuple[float, ...]:
    """The z that a query writes out under `at`: z_dim numbers from -8 to 8, () where absent. Raises UserError
    for what is none of this shape.
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
    """The units of the generator that a query changes under `u`, in order, () where absent. Whether a model
    has them shows when it draws. Raises UserError.
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
    """The text of a z (z_dim,) that `parse_at` reads: numbers beyond -8 to 8 become these, others are rounded
    to 1 / UNITS.
    """
    units = (z.astype(np.float64) * UNITS).round().clip(-(2**15), 2**15 - 1).astype("<i2")
    return base64.urlsafe_b64encode(units.tobytes()).decode().rstrip("=")


def parse_moves(query: Mapping[str, str]) -> tuple[tuple[str, float], ...]:
    """The directions that a query names under `x` and how far to go along each, () where absent; whether a
    model has them is not asked. Raises UserError.
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
    """A direction's id as it may be written. Raises UserError for what none could be."""
    if not DIRECTION_ID.fullmatch(text):
        raise UserError("latent.unknown_direction", name=text[:40])
    return text


def parse_psi(query: Mapping[str, str]) -> float:
    """The truncation in a query, 1 where absent. Raises UserError."""
    return number(query.get("psi") or "1", "psi", 0.0, MAX_PSI)


def parse_step(query: Mapping[str, str]) -> float:
    """The standard deviations between two pictures of a chart, 1 where absent. Raises UserError."""
    return number(query.get("step") or "1", "step", 0.0, MAX_STEP)


def parse_count(query: Mapping[str, str]) -> int:
    """The pictures of a strip, 9 where absent. Raises UserError."""
    return whole(query.get("n") or "9", "n", *STRIP_COUNTS)


def parse_label(query: Mapping[str, str], shape: Shape) -> int | None:
    """The class index in a query, None for mixed. Raises UserError where the model has no such class."""
    text = query.get("label", "")
    if text in MIXED:
        return None
    if not shape.num_classes:
        raise UserError("latent.no_classes")
    return whole(text, "label", 0, shape.num_classes - 1)


def parse_mix(query: Mapping[str, str], shape: Shape) -> tuple[int | None, float]:
    """The other class in a query and its share; None and 0 where there is none of it. Raises UserError where
    the model has no such class.
    """
    other = parse_label({"label": query.get("label2", "")}, shape)
    share = number(query.get("mix") or "0", "mix", 0.0, 1.0)
    return (other, share) if other is not None and share > 0 else (None, 0.0)


def whole(text: str, name: str, smallest: int, largest: int) -> int:
    """A whole number in ASCII digits within its range. Raises UserError."""
    if not re.fullmatch(r"[0-9]{1,20}", text):
        raise UserError("latent.not_whole", name=name, value=text[:40])
    return _in_range(int(text), name, smallest, largest)


def number(text: str, name: str, smallest: float, largest: float) -> float:
    """A finite decimal number within its range. Raises UserError."""
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
