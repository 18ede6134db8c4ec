"""Test the verdict: on recorded statistics, on figures of labelled runs, and at each threshold.

recorded.jsonl holds the statistics of six runs, one line for some hundred images. Somebody looked at the
sample grids: `LOOKED_LIKE` says what was on them.
"""

import json
from pathlib import Path

import pytest

from gan.worker.health import VERDICTS, WINDOW, judge

RECORDED = Path(__file__).with_name("recorded.jsonl")


def line(
    pair: float = 0.8, loss_d: float = 0.4, diversity: float | None = 0.95, images: int = 50_000, **more
):
    return {"pair": pair, "loss_d": loss_d, "diversity": diversity, "images": images, **more}


def recorded(run: str, images: int) -> list[dict]:
    """Return the lines of a run up to some images."""
    lines = [json.loads(text) for text in RECORDED.read_text(encoding="utf-8").splitlines()]
    return [one for one in lines if one["run"] == run and one["images"] <= images]


# (run, images, verdict while it is early, verdict where its budget ends there)
LOOKED_LIKE = [
    # 64 grey tiles; "The first shapes appear" stood over them
    ("dcgan", 400, "low_contrast", "low_contrast"),
    ("dcgan", 1_400, "low_contrast", "low_contrast"),  # 64 tiles of the same dots on grey
    ("dcgan_longer", 2_600, "noise", "noise"),  # 64 times the same stripes
    ("dcgan_longer", 4_900, "shaping", "less_variety"),  # blurred digits
    ("dcgan_narrow", 3_000, "low_contrast", "low_contrast"),
    ("dcgan_narrow", 9_000, "low_contrast", "d_wins"),  # grey, and D's loss is at .004
    ("modern", 1_000, "noise", "noise"),
    ("modern", 1_600, "shaping", "shaping"),
    ("modern", 4_000, "shaping", "balanced"),  # digits
    ("emoji", 200, "noise", "noise"),
    ("emoji", 3_000, "shaping", "balanced"),
    ("landscapes", 3_000, "shaping", "balanced"),
]


@pytest.mark.parametrize(("run", "images", "early", "ended"), LOOKED_LIKE)
def test_the_verdict_names_what_was_on_the_grid(run, images, early, ended):
    loss = "nonsaturating" if run.startswith("dcgan") else "relativistic"
    lines = recorded(run, images)[-10:]  # a window is shorter than the runs
    assert judge(lines, 0.1, loss).key == early
    verdict = judge(lines, 1.0, loss)
    assert verdict.key == ended
    assert (verdict.level == "good") == (ended == "balanced")


@pytest.mark.parametrize(
    ("key", "lines"),
    [
        # 384 images of a DCGAN: 64 grey tiles
        ("alike", [line(pair=0.9, loss_d=0.9, diversity=0.0, images=384)]),
        # 64 blots of one colour
        ("unlike", [line(pair=0.9, diversity=1.52)]),
        # labelled runs on digits (TEACHING.md, 4b)
        ("balanced", [line(pair=0.9, loss_d=0.3, diversity=1.0)]),
        ("balanced", [line(pair=0.8, loss_d=0.58, diversity=0.95)]),
        ("d_lost", [line(pair=0.1, loss_d=0.9, diversity=0.9)]),
    ],
)
def test_statistics_of_versions_without_contrast_and_noise_are_judged_too(key, lines):
    assert judge(lines * WINDOW, 0.5, "relativistic").key == key


@pytest.mark.parametrize(
    ("key", "stats"),
    [
        ("balanced", line()),
        ("balanced", line(pair=0.985)),
        ("d_wins", line(pair=0.999, loss_d=0.001)),
        ("d_lost", line(pair=0.2, loss_d=1.2)),
        ("less_variety", line(diversity=0.6)),
        ("collapse", line(diversity=0.1)),
        ("collapse", line(pair=0.999, loss_d=0.001, diversity=0.1)),
        ("shaping", line(images=2_000)),
        ("balanced", line(diversity=None)),  # identical real images have no diversity
        ("unlike", line(diversity=1.31)),
        ("balanced", line(diversity=1.29)),
        ("low_contrast", line(diversity=0.1, contrast=0.29, noise=0.1)),
        ("collapse", line(diversity=0.1, contrast=0.31, noise=0.1)),
        ("noise", line(diversity=0.1, contrast=0.9, noise=0.51)),  # one tile of noise again and again
        ("noise", line(noise=0.51)),
        ("balanced", line(noise=0.49)),
        ("balanced", line(contrast=None, noise=None)),  # real images of one colour each
        ("d_wins", line(pair=0.999, loss_d=0.001, noise=0.8)),
    ],
)
def test_thresholds(key, stats):
    for lines, progress in (([stats] * WINDOW, 0.1), ([stats], 1.0)):
        verdict = judge(lines, progress, "relativistic")
        if not (key == "shaping" and progress == 1.0):
            assert verdict.key == key
        for sentence in VERDICTS[verdict.key]:
            assert "{" not in sentence.format(**verdict.values)


@pytest.mark.parametrize(("lines", "images"), [(0, 0), (1, 64), (7, 1_999)])
def test_too_few_lines_are_not_judged_unless_the_samples_are_grey_or_noise(lines, images):
    assert judge([line(images=images)] * lines, 0.5, "hinge").key == "starting"
    if lines:
        assert judge([line(images=images, contrast=0.1)] * lines, 0.5, "hinge").key == "low_contrast"
        assert judge([line(images=2_000)] * lines, 0.5, "hinge").key == "balanced", "a fast machine"


@pytest.mark.parametrize(
    ("covered", "progress", "key"),
    [
        (25, 0.5, "balanced"), (24, 0.5, "missing_modes"), (10, 0.5, "missing_modes"),
        (9, 0.5, "collapsed_modes"), (0, 1.0, "collapsed_modes"), (0, 0.1, "shaping"),
    ],
)  # fmt: skip
def test_verdicts_where_the_modes_are_known(covered, progress, key):
    verdict = judge([line(diversity=None, modes=covered)] * WINDOW, progress, "relativistic", 25)
    assert verdict.key == key
    for sentence in VERDICTS[key]:
        assert "{" not in sentence.format(**verdict.values)


@pytest.mark.parametrize("loss", ["relativistic", "wasserstein"])
def test_what_a_sentence_has_gaps_for_travels_with_it(loss):
    """A run that moves keeps only numbers and texts (gan.mirror.arrival)."""
    verdict = judge([line(diversity=None, contrast=None, noise=1.2)] * WINDOW, 0.5, loss)
    assert verdict.values == {"pair": 80, "noise": 100}


def test_no_sentence_advises_what_a_recipe_may_not_have():
    """The page does, by the settings of the run: gan/web/train/stage/advice.js."""
    for sentences in VERDICTS.values():
        for sentence in sentences:
            assert "gamma" not in sentence.lower()
