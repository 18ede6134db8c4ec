"""Decodes the pictures of a folder or zip in turn, and counts what they have in common. Imports no torch."""

import hashlib
import time
from collections.abc import Callable

import numpy as np

from gan.data.pictures import UNREADABLE, Unusable, decode
from gan.data.report import LeftOut, Report
from gan.memory import refuse_if_full


class Reader:
    """Takes one picture after the other. `keep` says whether their pixels are wanted; `until` is when, by time.monotonic, no more are decoded."""

    def __init__(self, size: int, channels: int, background: str = "white", keep: bool = True, until: float = float("inf")):
        self.size, self.channels, self.background, self.keep, self.until = size, channels, background, keep, until
        self.left_out: list[LeftOut] = []
        self.count = self.unread = self.transparent = self.side = 0
        self._grey = True
        self._seen: set[bytes] = set()
        self._pixels = np.empty((0, channels, size, size), np.uint8)

    def expect(self, most: int) -> None:
        """Make room for so many pictures. Raises UserError where they would take too much memory."""
        if self.keep:
            from gan.data.dataset import check_memory

            check_memory(most, self.channels, self.size)
            self._pixels = np.empty((most, self.channels, self.size, self.size), np.uint8)

    def take(self, name: str, read: Callable[[], bytes]) -> bool:
        """Decode one picture, or note under `name` why it is left out. Returns whether it is used; one that time does not suffice for is taken to be sound."""
        if time.monotonic() > self.until:
            self.count, self.unread = self.count + 1, self.unread + 1
            return True
        try:
            found = decode(read(), self.size, self.channels, background=self.background)
        except UNREADABLE as error:
            refuse_if_full(error)  # else a run would quietly learn from fewer pictures than it was given
            self.left_out.append(LeftOut(name, *((error.reason, error.detail) if isinstance(error, Unusable) else ("damaged", ""))))
            return False
        if self.keep:
            self._pixels[self.count] = found.pixels
        self.count += 1
        self.transparent += found.transparent
        self.side = max(self.side, found.side)
        self._grey &= found.grey
        self._seen.add(hashlib.blake2b(found.pixels.tobytes(), digest_size=16).digest())
        return True

    def pictures(self) -> np.ndarray:
        """What was decoded: uint8 (count, channels, size, size)."""
        return self._pixels[: self.count]

    def report(self, classes: tuple[tuple[str, int], ...] = ()) -> Report:
        """What was found. Pictures are copies where all their pixels are equal at the size that they are read at, which is all that a network sees of them."""
        decoded = self.count - self.unread
        return Report(self.count, classes, tuple(self.left_out), self.transparent, decoded - len(self._seen), self._grey and decoded > 0, self.side,
                      unread=self.unread)
