"""A picture that somebody brings, looked for in a model's latent space: bit by bit, so that others get their
pictures meanwhile.
"""

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

SAMPLES = 1024  # among which a search begins
LIMIT = 20.0  # seconds from its first turn after which a search ends with what it has
BIT = 0.15  # seconds of work for one answer
PLAIN = 4.0  # grey values; a picture that varies less shows nothing


class InversionJob:
    """One search in one model. Only the picture's pixels at the model's size are kept, in memory, until it is
    over. Threads take turns.

    target: uint8 (C, H, W) of the model's size. Raises UserError for a picture of one colour.
    """

    def __init__(self, model: Model, target: np.ndarray):
        if target.std(axis=(1, 2)).max() < PLAIN:
            raise UserError("latent.plain_picture")
        self.model, self.target = model, as_floats(torch.from_numpy(target))[None]
        self._lock = threading.Lock()
        self._search: Search | None = None
        self._end = math.inf

    def advance(self, seconds: float = BIT) -> dict[str, Any]:
        """Go on for so long; what there is to tell.

        {"state": "looking", "samples", "of"} while samples are drawn to begin at, then {"state": "searching"
        or "done", "step", "of", "distance", "nearest", "spacing", "seen", "likeness", "at", "label"}: mean
        absolute differences of pixels in [0, 1] of the picture that was found, of the sample nearest to what
        is looked for, and of samples to their nearest; how far apart is what an eye sees in the two (1 -
        cosine), and what is usual between a sample and its nearest, as on mostly black pictures almost
        anything is near in pixels; the place as points write it, and its class or None.
        """
        with self._lock:
            end = time.monotonic() + seconds
            self._end = min(self._end, time.monotonic() + LIMIT)
            if self._search is None:
                bank = self.model.bank
                there = bank.grow(SAMPLES, seconds)
                seen = bank.extract_features(max(0.0, end - time.monotonic())) if there >= SAMPLES else 0
                if min(there, seen) < SAMPLES and time.monotonic() < self._end - LIMIT / 2:
                    return {"state": "looking", "samples": (there + seen) // 2, "of": SAMPLES}
                self._begin()
            while not self._over and time.monotonic() < end:
                self._search.step()
            return self._told()

    @property
    def _over(self) -> bool:
        return self._search.done or time.monotonic() > self._end

    def _begin(self) -> None:
        bank, spec = self.model.bank, self.model.spec
        bank.extract_features(0.0)  # at least at a few, where the time was too short for all
        with self.model.turns:
            wanted = (
                seen_classes(self.model.entry.data, self.target, spec.num_classes)
                if spec.num_classes
                else None
            )
        seeds = starts(bank, self.target, wanted)[0]
        z = torch.from_numpy(latents(seeds, spec.z_dim))[None]
        labels = torch.tensor([[bank.label(seed) for seed in seeds]]) if spec.num_classes else None
        self._spacing, self._likeness, self._eye = (
            bank.spacing(),
            bank.likeness(),
            open_perception(self.model.entry.data),
        )
        self._search = Search(
            self.model.generator, self.target, z, labels, self._eye, self.model.turns, wanted
        )

    def _told(self) -> dict[str, Any]:
        search, found = self._search, self._search.found()
        with self.model.turns, torch.inference_mode():
            pair = torch.cat([self.target, self.model.generator(found.z, found.labels).float()]).clamp(-1, 1)
            seen = F.cosine_similarity(
                *self._eye(as_floats(small(((pair + 1) * 127.5).round().to(torch.uint8)))).split(1)
            )
        return {
            "state": "done" if self._over else "searching", "step": search.steps, "of": STEPS,
            "distance": _number(found.distance), "nearest": _number(search.nearest),
            "spacing": round(self._spacing, 4),
            "seen": _number(1 - seen), "likeness": round(self._likeness, 4),
            "at": write_at(found.z[0].numpy()),
            "label": None if found.labels is None else int(found.labels[0]),
        }  # fmt: skip


def _number(value: torch.Tensor) -> float:
    return round(float(value[0].nan_to_num(1.0)), 4)
