"""The runs that the doctor is tried on: settings that make a fault likely, and settings that do not.

What a run really suffers from is not read off here: the oracle finds it. FIT was looked at while the
thresholds of rules.json were chosen. TEST was not, and its runs have other seeds. Fashion's faults, faces'
faults, the least-squares and the non-saturating recipe occur in TEST alone.
"""

import types
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from gan.recipes import FAILING


class Case(NamedTuple):
    """Settings of runs that differ in their seed."""

    data: str
    recipe: str
    seeds: Sequence[int]
    changes: Mapping[str, Any] = types.MappingProxyType({})
    twin: str = ""  # the case whose runs show what is possible; empty: the case is its own


NO_LABELS = {"conditional": False, "clusters": 1, "batch": 32}
NO_PENALTY = {**NO_LABELS, "penalty": "none"}
TEST_SEEDS, HEALTHY_SEEDS = range(100, 105), range(100, 103)
FIT: dict[str, Case] = {
    "plain": Case("digits", "modern", range(2), NO_LABELS),
    "labels": Case("digits", "modern", range(2)),
    "landscapes": Case("landscapes", "modern", range(2)),
    "emoji": Case("emoji", "modern", range(2)),
    "faces": Case("faces", "modern", range(2)),
    **{name: Case("digits", name, range(2), twin="plain") for name in FAILING},
}
TEST: dict[str, Case] = {
    "plain": Case("digits", "modern", HEALTHY_SEEDS, NO_LABELS),
    "fashion_plain": Case("fashion", "modern", HEALTHY_SEEDS, NO_LABELS),
    "labels": Case("digits", "modern", HEALTHY_SEEDS),
    "fashion": Case("fashion", "modern", HEALTHY_SEEDS),
    "faces": Case("faces", "modern", HEALTHY_SEEDS),
    "emoji": Case("emoji", "modern", HEALTHY_SEEDS),
    "landscapes": Case("landscapes", "modern", HEALTHY_SEEDS),
    "least_squares": Case("digits", "least_squares", HEALTHY_SEEDS, twin="plain"),
    "nonsaturating": Case("fashion", "nonsaturating", HEALTHY_SEEDS, twin="fashion_plain"),
    "tense": Case("digits", "modern", HEALTHY_SEEDS, {
        **NO_PENALTY, "loss": "nonsaturating", "lr_g": 5e-3, "lr_d": 5e-3,
    }, twin="plain"),
    **{name: Case("digits", name, TEST_SEEDS, twin="plain") for name in FAILING},
    **{
        f"fashion_{name}": Case("fashion", name, TEST_SEEDS, twin="fashion_plain")
        for name in ("d_wins", "blind", "overfit")
    },
    "faces_d_wins": Case("faces", "d_wins", TEST_SEEDS, twin="faces"),
    "least_squares_d_wins": Case(
        "digits", "least_squares", TEST_SEEDS,
        {**NO_PENALTY, "lr_d": 2e-3, "lr_g": 1e-4, "d_steps": 3}, twin="plain",
    ),
}  # fmt: skip
SETS = {"fit": FIT, "test": TEST}
