"""Decode the images of a folder or zip one by one, and collect facts about them. Imports no torch."""

import hashlib
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from gan.data.decode.pictures import UNREADABLE, Unusable, decode
from gan.data.own.report import LeftOut, Report
from gan.data.pixels import make_room
from gan.errors import refuse_if_full


class _Facts(NamedTuple):
    """Facts about one image: transparency, shorter side, greyness, and digests of its pixels and its file."""

    transparent: bool
    side: int
    grey: bool
    digest: bytes
    file: bytes


class Reader:
    """Decodes one image after the other.

    `keep` says whether to store the pixels. After `until`, by time.monotonic, it decodes no more.
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
        # One entry for each image in use; None if time ran out before it was decoded.
        self._facts: list[_Facts | None] = []
        self._pixels = np.empty((0, channels, size, size), np.uint8)

    def expect(self, most: int) -> None:
        """Make room for `most` images. Raises UserError if there is too little."""
        if self.keep:
            self._pixels = make_room(most, self.channels, self.size)

    def take(self, name: str, read: Callable[[], bytes]) -> bool:
        """Decode one image, or record under `name` why it is left out. Returns whether it is in use.

        After the time limit, an image counts as usable without decoding.
        """
        if time.monotonic() > self.until:
            self._facts.append(None)
            return True
        try:
            content = read()
            found = decode(content, self.size, self.channels, background=self.background)
        except UNREADABLE as error:
            refuse_if_full(error)  # otherwise a run would silently train on fewer images
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
        """Drop all images except these. `chosen` are their indices among the used ones, ascending."""
        if self.keep:
            for k, number in enumerate(chosen):  # in place, since a copy would double the memory
                self._pixels[k] = self._pixels[number]
        self._facts = [self._facts[number] for number in chosen]

    def pictures(self) -> np.ndarray:
        """Return the decoded images: uint8 (count, channels, size, size)."""
        return self._pixels[: len(self._facts)]

    def files(self) -> tuple[bytes, ...]:
        """Return the SHA-256 of the file of each decoded image."""
        return tuple(facts.file for facts in self._facts if facts is not None)

    def report(self, classes: tuple[tuple[str, int], ...] = ()) -> Report:
        """Report on the images.

        Images with equal pixels at the decoded size count as copies, because a network sees no difference.
        """
        known = [facts for facts in self._facts if facts is not None]
        return Report(
            len(self._facts), classes, tuple(self.left_out),
                transparent=sum(facts.transparent for facts in known),
            copies=len(known) - len({facts.digest for facts in known}),
                grey=bool(known) and all(facts.grey for facts in known),
            side=max((facts.side for facts in known), default=0), unread=len(self._facts) - len(known),
        )  # fmt: skip
