"""Generate damaged input for readers: by Hypothesis, from sound input."""

import json
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

Target = tuple[st.SearchStrategy, Callable[[Any], None]]

NUMBERS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from((10**400, -(10**400), 2**63, 1e308))
)
VALUES = st.recursive(
    NUMBERS | st.text(max_size=20) | st.just("\ud800"),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def like(sound: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Generate a valid object with some fields replaced by anything, some missing and some added."""
    changed = st.dictionaries(st.sampled_from(sorted(sound)) | st.text(max_size=8), VALUES, max_size=3)
    dropped = st.sets(st.sampled_from(sorted(sound)), max_size=1)
    return st.builds(
        lambda change, drop: {name: value for name, value in {**sound, **change}.items() if name not in drop},
        changed,
        dropped,
    )


def deep(sound: dict[str, Any]) -> st.SearchStrategy[bytes]:
    """Generate a valid object with one field nested in lists, deeper than any parser accepts."""
    nest = lambda name, depth: as_json({**sound, name: "@@"}).replace(b'"@@"', b"[" * depth + b"]" * depth)  # noqa: E731
    return st.builds(nest, st.sampled_from(sorted(sound)), st.integers(1, 1200))


@st.composite
def damaged(draw: st.DrawFn, originals: list[bytes]) -> bytes:
    """Generate one of the originals with some bytes overwritten, truncated, inserted, removed or repeated."""
    content = bytearray(draw(st.sampled_from(originals)))
    for _ in range(draw(st.integers(0, 5))):
        place = draw(st.integers(0, len(content)))
        how, length = draw(st.sampled_from(("set", "cut", "put", "take", "double"))), draw(st.integers(1, 40))
        if how == "set":
            content[place : place + 4] = draw(st.binary(min_size=1, max_size=4))
        elif how == "cut":
            del content[place:]
        elif how == "put":
            content[place:place] = draw(st.binary(max_size=8))
        elif how == "take":
            del content[place : place + length]
        else:
            content[place:place] = content[place : place + length]
    return bytes(content)


def as_json(value: Any) -> bytes:
    return json.dumps(value).encode()
