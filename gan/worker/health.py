"""Put a run's health into a sentence: the doctor's diagnosis, else a verdict on cheap statistics.

The cheap statistics are those that training computes anyway. They say whether there are shapes at all. Where
the run has signals, the doctor (doctor.py) decides the rest, and "healthy" is never said of samples that its
referee tells apart. Without signals, as in the first seconds or on points, the rules here decide.

The thresholds are rules of thumb. Before anything else the samples must have light and dark as real images
have, and be further from noise than from them. D has won when it is right on nearly every pair *and* its loss
is nearly zero. G then gets almost no gradient. A high pair accuracy alone is normal for the relativistic loss
(0.97 in runs that draw good digits). D fails when it is right far less often than chance. Diversity is the
mean distance among fakes divided by that among reals, of images on 8x8 pixels. Far below 1, G draws the same
few samples (mode collapse). Far above 1, samples are unlike the data. Where the modes of the data are known,
as with points, the modes that the samples cover replace diversity.

gan.metrics.texture explains contrast and noise. Noise was .55 to .64 in samples of digits without shapes, .52
in those of emoji, .6 to 1 in the dots and stripes of a DCGAN. It was below .4 where the first shapes showed.
Noise of pixel art (faces) is at .2, and so passes for shapes.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from gan.objectives import LOSSES
from gan.worker.doctor import Doctor

WINDOW = 40  # lines of statistics that a verdict averages over
FEW_LINES = 8  # with fewer lines there is nothing to average
NEWEST = 3  # lines whose scores count: scores change with each sheet
NOISE_IMAGES = 2_000  # until this many images, shapes are the best that samples can show
EARLY_IMAGES, EARLY_PROGRESS = 10_000, 0.2  # a run below both gets no warning
# signals that the sentences name
IN_PER_CENT = (
    "auc", "seen", "referee", "coverage", "lost", "variety", "classes", "turnover", "copies",
)  # fmt: skip
LOW_CONTRAST, NOISE = 0.3, 0.5  # contrast relative to real images; noise from 0 for them to 1
COLLAPSE, LESS_VARIETY, UNLIKE = 0.4, 0.7, 1.3  # diversity
D_WINS_PAIR, D_WINS_LOSS = 0.98, 0.05  # pair accuracy; loss relative to its equilibrium
D_LOST_PAIR = 0.4
# With signals: "healthy" needs both, and the verdicts FIRST on cheap statistics still come before it.
HEALTHY_COVERAGE, HEALTHY_REFEREE = 0.2, 0.98
NO_SHAPES = ("starting", "low_contrast", "noise", "alike")
FIRST = (*NO_SHAPES, "missing_modes", "collapsed_modes", "unlike", "less_variety")

# key -> (of a run that trains, of a run that is paused or over)
VERDICTS: dict[str, tuple[str, str]] = {
    "starting": ("Warming up: it is too early to judge.", "There was not enough to judge yet."),
    "low_contrast": (
        "Low contrast: the samples have only {contrast} % of the contrast of the real data.",
        "Its samples kept a low contrast: {contrast} % of that of the real data.",
    ),
    "noise": (
        "No shapes yet: from the real data (0 %) to pure noise (100 %), the samples are at {noise} %.",
        "It did not get beyond noise: from the real data (0 %) to pure noise (100 %), it was at {noise} %.",
    ),
    "alike": (
        "The samples still look alike: they differ only {diversity} % as much as the real data do.",
        "Its samples looked alike: they differed only {diversity} % as much as the real data do.",
    ),
    "shaping": (
        "The first shapes appear. D tells real from fake in {pair} % of the pairs.",
        "It got as far as the first shapes. D told real from fake in {pair} % of the pairs.",
    ),
    "balanced": (
        "Healthy: G and D keep up with each other. D picks the real one in {pair} % of the pairs.",
        "It was healthy: G and D kept up with each other. D picked the real one in {pair} % of the pairs.",
    ),
    "d_wins": (
        "D is winning: it picks the real one in {pair} % of the pairs, and G learns hardly anything.",
        "D was winning: it picked the real one in {pair} % of the pairs, and G learned hardly anything.",
    ),
    "d_lost": (
        "D is failing: it picks the real one in only {pair} % of the pairs.",
        "D was failing: it picked the real one in only {pair} % of the pairs.",
    ),
    "unlike": (
        "The samples are unlike the real data: they differ {diversity} % as much among themselves.",
        "The samples were unlike the real data: they differed {diversity} % as much among themselves.",
    ),
    "less_variety": (
        "Diversity is low: samples differ only {diversity} % as much as the real data do.",
        "Diversity was low: samples differed only {diversity} % as much as the real data do.",
    ),
    "collapse": (
        "Mode collapse: G generates nearly the same sample again and again ({diversity} % of the diversity "
        "of the real data).",
        "It ended in mode collapse: G generated nearly the same sample again and again ({diversity} % of the "
        "diversity of the real data).",
    ),
    "still_early": (
        "Still early: the samples cover {coverage} % of the real data.",
        "It ended early: the samples covered {coverage} % of the real data.",
    ),
    "well": (
        "Healthy: the samples cover {coverage} % of the real data. D picks the real one in {auc} % of the "
        "pairs.",
        "It was healthy: the samples covered {coverage} % of the real data. D picked the real one in "
        "{auc} % of the pairs.",
    ),
    "converged": (
        "Converged: the samples cover {coverage} % of the real data and improve no more.",
        "It had converged: the samples covered {coverage} % of the real data and improved no more.",
    ),
    "d_strong": (
        "D is winning: it is right on {auc} % of the pairs. The samples cover {coverage} % of the real data.",
        "D was winning: it was right on {auc} % of the pairs. The samples covered {coverage} % of the real "
        "data.",
    ),
    "d_blind": (
        "D is blind: it is right on {auc} % of the pairs, and a referee on {referee} %.",
        "D was blind: it was right on {auc} % of the pairs, and a referee on {referee} %.",
    ),
    "full_collapse": (
        "Mode collapse: the samples show {classes} % of the kinds of images in the data.",
        "It ended in mode collapse: the samples showed {classes} % of the kinds of images in the data.",
    ),
    "same_samples": (
        "Mode collapse: the samples differ only {variety} % as much as the real data.",
        "It ended in mode collapse: the samples differed only {variety} % as much as the real data.",
    ),
    "partial_collapse": (
        "Partial collapse: the samples show {classes} % of the kinds of images in the data.",
        "It ended in a partial collapse: the samples showed {classes} % of the kinds of images in the data.",
    ),
    "lost_coverage": (
        "Variety is lost: the samples cover {coverage} % of the real data, {lost} points less.",
        "Variety was lost: the samples covered {coverage} % of the real data, {lost} points less.",
    ),
    "overfit": (
        "D knows its images by heart: it prefers them to new ones in {seen} % of the pairs.",
        "D knew its images by heart: it preferred them to new ones in {seen} % of the pairs.",
    ),
    "memorising": (
        "G copies: {copies} % of the samples are copies of training images.",
        "G copied: {copies} % of the samples were copies of training images.",
    ),
    "missing_modes": (
        "The samples cover {modes} of the {of} modes of the data.",
        "The samples covered {modes} of the {of} modes of the data.",
    ),
    "collapsed_modes": (
        "Mode collapse: the samples cover {modes} of the {of} modes of the data.",
        "It ended in mode collapse: the samples covered {modes} of the {of} modes of the data.",
    ),
}


# Verdicts of the doctor -> the healthy range of their number, and the reason in plain words.
REASONS: dict[str, str] = {
    "d_strong": "Healthy: under 95 %, or better samples. A D that is always right gives G no direction.",
    "d_blind": "D should see what the referee sees. Its learning rate is too low, or its penalty too high.",
    "full_collapse": "Healthy: over 60 %. D judges single samples, so G is paid for repeating a good one.",
    "same_samples": "Healthy: over 70 %. D judges single samples, so G is paid for repeating a good one.",
    "collapsed_modes": "Healthy: nearly all. G learns faster than D can follow, so all samples go one way.",
    "partial_collapse": "Healthy: over 60 %. G leaves out what is hard, and D does not see what is missing.",
    "lost_coverage": "Healthy: it stays or rises. G forgets what D no longer asks for.",
    "overfit": "Healthy: 40 to 60 %. It teaches what holds for its images. More images or augmentation help.",
    "memorising": "Healthy: under 5 %. D knows its images by heart, so G learns them by heart, too.",
    "converged": "More time changes little now. Wider networks or more images may.",
}


class Verdict(NamedTuple):
    """Sentences of VERDICTS (`key`) with the values for their gaps, and a level: info, good, warn or bad.

    sure: whether a second, independent signal agrees.
    """

    key: str
    level: str
    values: dict[str, Any]
    sure: bool = True


class Seen(NamedTuple):
    """The means that a verdict goes by; None where a score is missing, as in runs of older versions."""

    pair: float
    loss_d: float
    diversity: float | None  # None when all real images are identical
    contrast: float | None
    noise: float | None

    def values(self) -> dict[str, Any]:
        """Return the values for the gaps of a sentence, in per cent."""
        shares = {**self._asdict(), "loss_d": None, "noise": self.noise and min(1.0, self.noise)}
        return {name: round(100 * share) for name, share in shares.items() if share is not None}

    def lacks_contrast(self) -> bool:
        """Return whether the samples lack light and dark."""
        return self.contrast is not None and self.contrast < LOW_CONTRAST

    def looks_noisy(self) -> bool:
        """Return whether the samples are nearer to noise than to real images."""
        return self.noise is not None and self.noise > NOISE


def diagnose(judged: Verdict, doctor: Doctor) -> Verdict:
    """Return what the doctor says, else the verdict on the cheap statistics."""
    signals, found = doctor.signals(), doctor.diagnosis
    if not signals:
        return judged
    values = judged.values | {
        name: round(100 * value) for name, value in signals.items() if name in IN_PER_CENT
    }
    if judged.key == "collapse" and (found is None or found.level != "bad"):
        return judged
    if found is not None and (found.level != "good" or judged.key not in FIRST):
        return Verdict(found.key, found.level, values, found.sure)
    if judged.key in FIRST or judged.level in ("warn", "bad"):
        return judged
    well = signals.get("coverage", 0) >= HEALTHY_COVERAGE and signals.get("referee", 1) <= HEALTHY_REFEREE
    return Verdict("well", "good", values) if well else Verdict("still_early", "info", values)


def judge(stats: Sequence[dict[str, Any]], progress: float, loss: str, modes: int | None = None) -> Verdict:
    """Return the verdict on the last WINDOW lines of stats.jsonl.

    progress: the fraction of the budget used, in [0, 1]. loss: a name in LOSSES. modes: how many modes the
    data has; None if unknown.
    """
    recent = stats[-WINDOW:]
    if not recent:
        return Verdict("starting", "info", {})
    seen, images = _means(recent), recent[-1]["images"]
    covered = {} if modes is None else {"modes": recent[-1]["modes"], "of": modes}
    key, level = _weigh(seen, covered, len(recent), images, progress, loss)
    return Verdict(key, level, {**seen.values(), **covered})


def _weigh(
    seen: Seen, covered: dict[str, int], lines: int, images: int, progress: float, loss: str
) -> tuple[str, str]:
    """Return key and level. The samples come first, then the balance between G and D."""
    early = images < EARLY_IMAGES and progress < EARLY_PROGRESS
    begun = "info" if early else "warn"
    d_wins = not early and _d_wins(seen, loss)  # G then does not get beyond noise
    if seen.lacks_contrast() or seen.looks_noisy():
        return ("d_wins", "warn") if d_wins else ("low_contrast" if seen.lacks_contrast() else "noise", begun)
    if lines < FEW_LINES and images < NOISE_IMAGES:
        return "starting", "info"
    young = early or images < NOISE_IMAGES
    found = _of_modes(covered, progress) or _of_diversity(seen.diversity, begun, young)
    if found is not None:
        return found
    if d_wins:
        return "d_wins", "warn"
    if young:
        return "shaping", "info"
    if LOSSES[loss].equilibrium and seen.pair < D_LOST_PAIR:
        return "d_lost", "warn"
    return "balanced", "good"


def _means(recent: Sequence[dict[str, Any]]) -> Seen:
    """Return the means of D's statistics over all lines, and those of the newest scores."""
    pair, loss_d = (sum(line[name] for line in recent) / len(recent) for name in ("pair", "loss_d"))
    scores = []
    for name in ("diversity", "contrast", "noise"):
        known = [line[name] for line in recent if line.get(name) is not None][-NEWEST:]
        scores.append(sum(known) / len(known) if known else None)
    return Seen(pair, loss_d, *scores)


def _of_modes(covered: dict[str, int], progress: float) -> tuple[str, str] | None:
    """Return key and level for the covered modes; None if they are unknown or no reason to complain."""
    if not covered:
        return None
    if progress < EARLY_PROGRESS:
        return "shaping", "info"
    if covered["modes"] < COLLAPSE * covered["of"]:
        return "collapsed_modes", "bad"
    return ("missing_modes", "warn") if covered["modes"] < covered["of"] else None


def _of_diversity(diversity: float | None, begun: str, young: bool) -> tuple[str, str] | None:
    """Return key and level for a diversity far from that of the data; else None.

    begun: the level for samples that are only forming. young: whether there were too few images for more.
    """
    if diversity is None:
        return None
    if diversity < COLLAPSE:
        return ("alike", begun) if young else ("collapse", "bad")
    if young:
        return None
    if diversity < LESS_VARIETY:
        return "less_variety", "warn"
    return ("unlike", "warn") if diversity > UNLIKE else None


def _d_wins(seen: Seen, loss: str) -> bool:
    """Return whether D is right on nearly every pair, at nearly no loss."""
    equilibrium = LOSSES[loss].equilibrium
    return bool(equilibrium and seen.pair > D_WINS_PAIR and seen.loss_d < D_WINS_LOSS * equilibrium[0])
