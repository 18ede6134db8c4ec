"""Test the cache that all models share: its bound in bytes, concurrent requests, and release."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from gan.latent.serving import picture_cache as module
from gan.latent.serving.picture_cache import EACH, PictureCache


def never() -> bytes:
    pytest.fail("made again")


def test_what_it_keeps_is_bounded_in_bytes(monkeypatch):
    monkeypatch.setattr(module, "MAX_BYTES", 10 * (EACH + 1000))
    memory = PictureCache()
    for key in range(10):
        memory.recall("a", key, lambda: bytes(1000))
    assert memory.recall("a", 0, never) == bytes(1000)
    memory.recall("b", 0, lambda: bytes(2 * EACH))
    assert memory._held == sum(EACH + len(data) for data in memory._kept.values()) <= module.MAX_BYTES
    assert memory.recall("a", 0, never), "asked for not long ago"
    made = []
    memory.recall("a", 1, lambda: made.append(1) or b"")
    assert made == [1], "asked for longest ago"
    memory.recall("b", 1, lambda: bytes(module.MAX_BYTES))
    assert (memory._held, len(memory._kept)) == (0, 0), "what has no room at all is not kept"


def test_an_owner_that_is_forgotten_takes_its_own_along(monkeypatch):
    memory = PictureCache()
    for owner in ("a", "b"):
        memory.recall(owner, 0, owner.encode)
    memory.forget("a")
    assert memory.recall("b", 0, never) == b"b"
    assert memory.recall("a", 0, lambda: b"anew") == b"anew"
    memory.forget("a")
    memory.forget("b")
    assert memory._held == 0


def test_who_asks_at_once_waits_for_one():
    memory, go, made = PictureCache(), threading.Event(), []

    def make() -> bytes:
        made.append(1)
        assert go.wait(10)
        return b"x"

    with ThreadPoolExecutor(4) as pool:
        waiting = [pool.submit(memory.recall, "a", 0, make) for _ in range(4)]
        go.set()
        assert [each.result() for each in waiting] == [b"x"] * 4
    assert made == [1]


def test_a_failure_is_told_to_all_and_not_kept():
    memory = PictureCache()
    with pytest.raises(ZeroDivisionError):
        memory.recall("a", 0, lambda: 1 / 0)
    assert memory.recall("a", 0, lambda: b"x") == b"x"
    assert not memory._making
