"""Run a drag for a visitor in small slices, so that other visitors' images don't wait."""

import math
import threading
import time
from typing import Any

import numpy as np
import torch

from gan.errors import UserError
from gan.latent.generator import Model
from gan.latent.point import Point, write_at
from gan.latent.search.adam import BOUND
from gan.latent.search.drag import STEPS, Drag, Look

MAX_PAIRS = 8  # points in one drag
LIMIT = 20.0  # seconds after its first slice; then a drag ends with its best z so far
BIT = 0.04  # seconds of work for one answer: a drag takes about a second, and the page shows its progress


class DragJob:
    """One drag in one model, from a point. Thread-safe.

    `pairs` (P, 4) are the starts and targets from `read_pairs`.
    """

    def __init__(self, model: Model, point: Point, pairs: np.ndarray):
        self.model, self.point = model, point
        starts, ends = torch.from_numpy(pairs.astype(np.float32)).split(2, 1)
        z = torch.from_numpy(model.latent(point))[None]
        self._lock = threading.Lock()
        self._end = math.inf
        self._drag = Drag(
            feature_maps(model, point), z, starts, ends, model.turns, fixed=model.spec.clusters > 1
        )

    def advance(self, seconds: float = BIT) -> dict[str, Any]:
        """Work for `seconds`, then return the state as JSON.

        state              "dragging" or "done"
        step, of           steps so far and in total
        points             [[x, y]], the position of each point as fractions of the image
        away, from         each point's distance from its target, now and at the start, in the model's pixels
        lost               for each point: True if no patch near its path matches it
        at, psi, label     the changed values of the point
        """
        with self._lock:
            now = time.monotonic()
            self._end = min(self._end, now + LIMIT)
            until = min(now + seconds, self._end)
            while not self._drag.done:
                self._drag.step()
                if time.monotonic() >= until:
                    break
            return self._answer(self._drag.done or time.monotonic() >= self._end)

    def _answer(self, over: bool) -> dict[str, Any]:
        drag, held = self._drag, self._drag.held()
        psi = self.point.psi
        z = held.z[0].numpy()
        if not psi or np.abs(z).max() > psi * BOUND:
            psi = 1.0  # z / psi would leave the range of `at`
        later = self.point.to is not None and self.point.t >= 0.5
        label = self.point.class_label(self.model.spec.num_classes) if later else self.point.label
        return {
            "state": "done" if over else "dragging", "step": drag.steps, "of": STEPS,
            "points": [[_rounded(x, 4), _rounded(y, 4)] for x, y in held.at.tolist()],
            "away": [_rounded(each, 2) for each in held.away.tolist()],
            "from": [_rounded(each, 2) for each in drag.away.tolist()], "lost": held.lost.tolist(),
            "at": write_at(z / psi), "psi": psi, "label": label,
        }  # fmt: skip


def read_pairs(value: Any) -> np.ndarray:
    """Parse JSON pairs [[x, y, to x, to y], ...] into (P, 4) float64.

    Coordinates are fractions of the image in [0, 1], left to right and top to bottom. A point with equal
    start and end is held in place.

    Raises UserError for invalid pairs, more than MAX_PAIRS, or if no point moves.
    """
    if not isinstance(value, list):
        raise UserError("latent.bad_pairs")
    if len(value) > MAX_PAIRS:
        raise UserError("latent.too_many_pairs", most=MAX_PAIRS)
    for pair in value:
        if not isinstance(pair, list) or len(pair) != 4 or not all(_part(number) for number in pair):
            raise UserError("latent.bad_pairs")
    pairs = np.array(value, np.float64).reshape(-1, 4)
    if not (pairs[:, :2] != pairs[:, 2:]).any():
        raise UserError("latent.nothing_moves")
    return pairs


def _part(number: Any) -> bool:
    return isinstance(number, (int, float)) and not isinstance(number, bool) and 0 <= number <= 1


def _rounded(number: float, digits: int) -> float:
    return round(number, digits) if math.isfinite(number) else 0.0


def feature_maps(model: Model, point: Point) -> Look:
    """The function for `Drag`: z (1, z_dim) -> image and layers, with the point's class and changed units."""
    dissection, classes = model.dissection(), model.spec.num_classes
    label, (other, share) = point.class_label(classes), point.blend(classes)
    labels = None if label is None else torch.tensor([label])
    blend = (torch.tensor([other]), torch.tensor([share])) if share else None

    def look(z: torch.Tensor) -> tuple[torch.Tensor, list[torch.Tensor]]:
        return dissection.look(z, labels, blend, point.units)

    return look
