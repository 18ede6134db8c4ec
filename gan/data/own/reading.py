"""Decodes the pictures of a folder or zip in turn, and counts what they have in common. Imports no torch."""

import hashlib
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from gan.data.decode.pictures import UNREADABLE, Unusable, decode
from gan.data.own.report import LeftOut, Report
from gan.errors import refuse_if_full


class _Facts(NamedTuple):
    """What is known of one picture: whether any of it is transparent, its shorter side, whether it has no
    colour, digests of its pixels and of its file.
    """

    transparent: bool
    side: int
    grey: bool
    digest: bytes
    file: bytes


class Reader:
    """Takes one picture after the other. `keep` says whether their pixels are wanted; `until` is when, by
    time.monotonic, no more are decoded.
    """

    def __init__(
        self,
        size: int,
        channels: int,
        background: str = "white",
        keep: bool = True,
        until: float = float("inf"),
    ):
        self.size, self.channels, self.background, self.keep, self.until = (
            size,
            channels,
            background,
            keep,
            until,
        )
        self.left_out: list[LeftOut] = []
        # of each picture that is used; None for one that was not decoded for lack of time
        self._facts: list[_Facts | None] = []
        self._pixels = np.empty((0, channels, size, size), np.uint8)

    def expect(self, most: int) -> None:
        """Make room for so many pictures. Raises UserError where they would take too much memory."""
        if self.keep:
            from gan.data.dataset import check_memory

            check_memory(most, self.channels, self.size)
            self._pixels = np.empty((most, self.channels, self.size, self.size), np.uint8)

    def take(self, name: str, read: Callable[[], bytes]) -> bool:
        """Decode one picture, or note under `name` why it is left out. Returns whether it is used; one that
        time does not suffice for is taken to be sound.
        """
        if time.monotonic() > self.until:
            self._facts.append(None)
            return True
        try:
            content = read()
            found = decode(content, self.size, self.channels, background=self.background)
        except UNREADABLE as error:
            refuse_if_full(error)  # else a run would quietly learn from fewer pictures than it was given
            self.left_out.append(
                LeftOut(
                    name, *((error.reason, error.detail) if isinstance(error, Unusable) else ("damaged", ""))
                )
            )
            return False
        if self.keep:
            self._pixels[len(self._facts)] = found.pixels
        digest = hashlib.blake2b(found.pixels.tobytes(), digest_size=16).digest()
        self._facts.append(
            _Facts(found.transparent, found.side, found.grey, digest, hashlib.sha256(content).digest())
        )
        return True

    def keep_only(self, chosen: list[int]) -> None:
        """Forget all pictures but these, by their numbers in ascending order among those that are used."""
        if self.keep:
            for k, number in enumerate(chosen):  # in place: a copy would take as much memory again
                self._pixels[k] = self._pixels[number]
        self._facts = [self._facts[number] for number in chosen]

    def pictures(self) -> np.ndarray:
        """What was decoded: uint8 (count, channels, size, size)."""
        return self._pixels[: len(self._facts)]

    def files(self) -> tuple[bytes, ...]:
        """SHA-256 of the file of each picture that was decoded."""
        return tuple(facts.file for facts in self._facts if facts is not None)

    def report(self, classes: tuple[tuple[str, int], ...] = ()) -> Report:
        """What was found. Pictures are copies where all their pixels are equal at the size that they are read
        at, which is all that a network sees of them.
        """
        known = [facts for facts in self._facts if facts is not None]
        return Report(
            len(self._facts), classes, tuple(self.left_out),
                transparent=sum(facts.transparent for facts in known),
            copies=len(known) - len({facts.digest for facts in known}),
                grey=bool(known) and all(facts.grey for facts in known),
            side=max((facts.side for facts in known), default=0), unread=len(self._facts) - len(known),
        )  # fmt: skip
