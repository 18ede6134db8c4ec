"""Invert a visitor's image in small slices, so that other visitors' images don't wait."""

import math
import threading
import time
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from gan.errors import UserError
from gan.latent.generator import Model
from gan.latent.map.sample_bank import as_floats, small
from gan.latent.perception import open_perception, seen_classes
from gan.latent.point import write_at
from gan.latent.sampling import latents
from gan.latent.search.inversion import STEPS, Search, starts

SAMPLES = 1024  # samples from which the starts are chosen
LIMIT = 20.0  # seconds after its first slice; then a search ends with its best z so far
BIT = 0.15  # seconds of work for one answer
PLAIN = 4.0  # least standard deviation of the pixels, in grey values


class InversionJob:
    """One inversion in one model. Thread-safe.

    target: uint8 (C, H, W) at the model's resolution. The job keeps only these pixels, in memory, until it
    ends. Raises UserError for an image of one colour.
    """

    def __init__(self, model: Model, target: np.ndarray):
        if target.std(axis=(1, 2)).max() < PLAIN:
            raise UserError("latent.plain_picture")
        self.model, self.target = model, as_floats(torch.from_numpy(target))[None]
        self._lock = threading.Lock()
        self._search: Search | None = None
        self._end = math.inf

    def advance(self, seconds: float = BIT) -> dict[str, Any]:
        """Work for `seconds`, then return the state as JSON.

        While the bank grows, it is {"state": "looking", "samples", "of"}. Afterwards:
          state       "searching" or "done"
          step, of    steps so far and in total
          distance    mean absolute difference of pixels in [0, 1] between the target and the found image
          nearest     the same, between the target and the nearest start
          spacing     the same, between a sample and its nearest neighbour, on average
          seen        cosine distance between the features of the target and of the found image
          likeness    90th percentile of that distance from a sample to its nearest neighbour
          at, label   the found z as a point writes it, and its class or None

        Pixels alone mislead on mostly black images, where nearly any two images are close. Hence `seen`.
        """
        with self._lock:
            end = time.monotonic() + seconds
            self._end = min(self._end, time.monotonic() + LIMIT)
            search = self._search
            if search is None:
                bank = self.model.bank
                there = bank.grow(SAMPLES, seconds)
                seen = bank.extract_features(max(0.0, end - time.monotonic())) if there >= SAMPLES else 0
                if min(there, seen) < SAMPLES and time.monotonic() < self._end - LIMIT / 2:
                    return {"state": "looking", "samples": (there + seen) // 2, "of": SAMPLES}
                search = self._search = self._begin()
            while not self._over(search) and time.monotonic() < end:
                search.step()
            return self._answer(search)

    def _over(self, search: Search) -> bool:
        return search.done or time.monotonic() > self._end

    def _begin(self) -> Search:
        bank, spec = self.model.bank, self.model.spec
        bank.extract_features(0.0)  # at least one chunk, if the time was too short for all
        with self.model.turns:
            wanted = (
                seen_classes(self.model.entry.data, self.target, spec.num_classes)
                if spec.num_classes
                else None
            )
        seeds = starts(bank, self.target, wanted)[0]
        z = torch.from_numpy(latents(seeds, spec.z_dim))[None]
        labels = torch.tensor([[bank.label(seed) for seed in seeds]]) if spec.num_classes else None
        self._spacing, self._likeness, self._perceive = (
            bank.spacing(),
            bank.likeness(),
            open_perception(self.model.entry.data),
        )
        return Search(self.model.generator, self.target, z, labels, self._perceive, self.model.turns, wanted)

    def _answer(self, search: Search) -> dict[str, Any]:
        found = search.found()
        with self.model.turns, torch.inference_mode():
            pair = torch.cat([self.target, self.model.generator(found.z, found.labels).float()]).clamp(-1, 1)
            seen = F.cosine_similarity(
                *self._perceive(as_floats(small(((pair + 1) * 127.5).round().to(torch.uint8)))).split(1)
            )
        return {
            "state": "done" if self._over(search) else "searching", "step": search.steps, "of": STEPS,
            "distance": _number(found.distance), "nearest": _number(search.nearest),
            "spacing": round(self._spacing, 4),
            "seen": _number(1 - seen), "likeness": round(self._likeness, 4),
            "at": write_at(found.z[0].numpy()),
            "label": None if found.labels is None else int(found.labels[0]),
        }  # fmt: skip


def _number(value: torch.Tensor) -> float:
    return round(float(value[0].nan_to_num(1.0)), 4)
