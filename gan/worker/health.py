"""A verdict on a run in plain words, from figures that cost next to nothing.

The thresholds are rules of thumb. D has won where it is right on nearly every pair *and* its loss has nearly
vanished, because then G learns nothing any more; a high pair accuracy alone is normal for the relativistic
loss (0.97 in runs that draw good digits). It has lost track where it is right far less often than by chance.
A diversity (mean distance among fakes over that among reals, on 8x8 pixels) far below 1 means that G draws
the same few pictures.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from gan.objectives import LOSSES

WINDOW = 40  # stats lines that a verdict looks back over
NOISE_IMAGES = 2_000  # before them the pictures are noise or blobs, whatever the figures say
EARLY_IMAGES, EARLY_PROGRESS = 10_000, 0.2  # before both of them, nothing is held against a run
COLLAPSE, LESS_VARIETY = 0.4, 0.7
D_WINS_PAIR, D_WINS_LOSS = 0.98, 0.05  # the loss as a part of its value at equilibrium
D_LOST_PAIR = 0.4

VERDICTS = {
    "starting": "Warming up: the samples are still noise.",
    "shaping": "The first shapes appear. D tells real from fake in {pair} % of the pairs.",
    "balanced": "Healthy: G and D keep up with each other. D picks the real image in {pair} % of the pairs.",
    "d_wins": (
        "D is winning: it picks the real image in {pair} % of the pairs. Double gamma, or give G more time."
    ),
    "d_lost": (
        "D is failing: it picks the real image in only {pair} % of the pairs. Halve gamma, or wait a little."
    ),
    "less_variety": "Diversity is falling: samples differ only {diversity} % as much as real images do.",
    "collapse": (
        "Mode collapse: G generates nearly the same sample again and again ({diversity} % of the diversity "
        "of real images)."
    ),
}


class Verdict(NamedTuple):
    """key names a sentence of VERDICTS, level is info, good, warn or bad, values fill the sentence's gaps."""

    key: str
    level: str
    values: dict[str, Any]


def judge(stats: Sequence[dict[str, Any]], progress: float, loss: str) -> Verdict:
    """The verdict on the last WINDOW lines of stats.jsonl at `progress` (0 to 1) of the budget, for a run
    with the loss of that name.
    """
    recent = stats[-WINDOW:]
    diversities = [line["diversity"] for line in recent if line["diversity"] is not None]
    if len(recent) < 8:
        return Verdict("starting", "info", {})
    pair, loss_d = (sum(line[name] for line in recent) / len(recent) for name in ("pair", "loss_d"))
    # None where the real pictures do not differ
    diversity = sum(diversities[-3:]) / len(diversities[-3:]) if diversities else None
    values = {"pair": round(100 * pair), "diversity": None if diversity is None else round(100 * diversity)}
    images = recent[-1]["images"]
    if images < NOISE_IMAGES or (images < EARLY_IMAGES and progress < EARLY_PROGRESS):
        return Verdict("shaping", "info", values)
    if diversity is not None and diversity < COLLAPSE:
        return Verdict("collapse", "bad", values)
    if diversity is not None and diversity < LESS_VARIETY:
        return Verdict("less_variety", "warn", values)
    equilibrium = LOSSES[loss].equilibrium
    if equilibrium and pair > D_WINS_PAIR and loss_d < D_WINS_LOSS * equilibrium[0]:
        return Verdict("d_wins", "warn", values)
    if equilibrium and pair < D_LOST_PAIR:
        return Verdict("d_lost", "warn", values)
    return Verdict("balanced", "good", values)
