"""Judge a run's health from statistics that training computes anyway.

The thresholds are rules of thumb. D has won when it is right on nearly every pair *and* its loss is nearly
zero. G then gets almost no gradient. A high pair accuracy alone is normal for the relativistic loss (0.97 in
runs that draw good digits). D fails when it is right far less often than chance. Diversity is the mean
distance among fakes divided by that among reals, of images on 8x8 pixels. Far below 1, G draws the same few
samples (mode collapse). Where the modes of the data are known, as with points, the modes that the samples
cover replace diversity.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from gan.objectives import LOSSES

WINDOW = 40  # lines of statistics that a verdict averages over
NOISE_IMAGES = 2_000  # until this many images, samples are noise or blobs
EARLY_IMAGES, EARLY_PROGRESS = 10_000, 0.2  # a run below both gets no warning
COLLAPSE, LESS_VARIETY = 0.4, 0.7  # diversity
D_WINS_PAIR, D_WINS_LOSS = 0.98, 0.05  # pair accuracy; loss relative to its equilibrium
D_LOST_PAIR = 0.4

VERDICTS = {
    "starting": "Warming up: the samples are still noise.",
    "shaping": "The first shapes appear. D tells real from fake in {pair} % of the pairs.",
    "balanced": "Healthy: G and D keep up with each other. D picks the real one in {pair} % of the pairs.",
    "d_wins": (
        "D is winning: it picks the real one in {pair} % of the pairs. Raise gamma, or give G more time."
    ),
    "d_lost": (
        "D is failing: it picks the real one in only {pair} % of the pairs. Lower gamma, or wait a little."
    ),
    "less_variety": "Diversity is falling: samples differ only {diversity} % as much as the real data do.",
    "collapse": (
        "Mode collapse: G generates nearly the same sample again and again ({diversity} % of the diversity "
        "of the real data)."
    ),
    "missing_modes": "The samples cover {modes} of the {of} modes of the data.",
    "collapsed_modes": "Mode collapse: the samples cover {modes} of the {of} modes of the data.",
}


class Verdict(NamedTuple):
    """A sentence of VERDICTS (`key`) with the values for its gaps, and a level: info, good, warn or bad."""

    key: str
    level: str
    values: dict[str, Any]


def judge(stats: Sequence[dict[str, Any]], progress: float, loss: str, modes: int | None = None) -> Verdict:
    """Return the verdict on the last WINDOW lines of stats.jsonl.

    progress: the fraction of the budget used, in [0, 1]. loss: a name in LOSSES. modes: how many modes the
    data has; None if unknown.
    """
    recent = stats[-WINDOW:]
    diversities = [line["diversity"] for line in recent if line.get("diversity") is not None]
    if len(recent) < 8:
        return Verdict("starting", "info", {})
    pair, loss_d = (sum(line[name] for line in recent) / len(recent) for name in ("pair", "loss_d"))
    # None when all real images are identical
    diversity = sum(diversities[-3:]) / len(diversities[-3:]) if diversities else None
    values = {"pair": round(100 * pair), "diversity": None if diversity is None else round(100 * diversity)}
    if modes is not None:
        values |= {"modes": recent[-1]["modes"], "of": modes}
        if progress < EARLY_PROGRESS:
            return Verdict("shaping", "info", values)
        if values["modes"] < COLLAPSE * modes:
            return Verdict("collapsed_modes", "bad", values)
        if values["modes"] < modes:
            return Verdict("missing_modes", "warn", values)
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
