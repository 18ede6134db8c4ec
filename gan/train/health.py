"""A verdict on a run in plain words, from figures that cost next to nothing.

The thresholds are rules of thumb: pair accuracy near 1 for long means that D has won, far below one half that it has lost track; a diversity (mean distance
among fakes over that among reals, on 8x8 pixels) far below 1 means that G draws the same few pictures.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

WINDOW = 40  # stats lines that a verdict looks back over

VERDICTS = {
    "starting": "Warming up: the pictures are still noise.",
    "shaping": "The first shapes appear. D tells real from fake in {pair} % of the pairs.",
    "balanced": "Healthy: G and D are balanced, D picks the real picture in {pair} % of the pairs.",
    "d_wins": "D is winning: it picks the real picture in {pair} % of the pairs. Double gamma, or give G more time.",
    "d_lost": "D has lost track: it picks the real picture in only {pair} % of the pairs. Halve gamma, or wait a little.",
    "less_variety": "Variety is falling: the fakes differ only {diversity} % as much as real pictures do.",
    "collapse": "Mode collapse: G draws nearly the same picture again and again ({diversity} % of the variety of real pictures).",
}


class Verdict(NamedTuple):
    """key names a sentence of VERDICTS, level is info, good, warn or bad, values fill the sentence's gaps."""

    key: str
    level: str
    values: dict[str, Any]


def judge(stats: Sequence[dict[str, Any]], progress: float) -> Verdict:
    """The verdict on the last WINDOW lines of stats.jsonl at `progress` (0 to 1) of the budget."""
    recent = stats[-WINDOW:]
    diversities = [line["diversity"] for line in recent if line["diversity"] is not None]
    if len(recent) < 8 or not diversities:
        return Verdict("starting", "info", {})
    pair = sum(line["pair"] for line in recent) / len(recent)
    diversity = sum(diversities[-3:]) / len(diversities[-3:])
    values = {"pair": round(100 * pair), "diversity": round(100 * diversity)}
    early = recent[-1]["images"] < 10_000 and progress < 0.2
    if not early and diversity < 0.4:
        return Verdict("collapse", "bad", values)
    if not early and diversity < 0.7:
        return Verdict("less_variety", "warn", values)
    if early:
        return Verdict("shaping", "info", values)
    if pair > 0.95:
        return Verdict("d_wins", "warn", values)
    if pair < 0.4:
        return Verdict("d_lost", "warn", values)
    return Verdict("balanced", "good", values)
