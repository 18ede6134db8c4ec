"""Replay the recorded signals of labelled runs: each fault is named, and no healthy run gets an alarm.

signals.jsonl holds the checks of runs of 72 s on one thread of a busy machine, with these settings. Where
not said otherwise, they are the recipe `modern` without labels and clusters, at batch 32. The thresholds of
rules.json were chosen on these runs and others like them, so this is no test of the doctor on new data.
"""

import json
import random
from collections import defaultdict
from pathlib import Path

import pytest

from gan.worker.doctor import Doctor

RECORDED = Path(__file__).with_name("signals.jsonl")
FAULTS = {
    "d_wins": "d_strong",  # lr_d 2e-3, lr_g 1e-4, d_steps 3, non-saturating, no penalty
    "blind": "d_blind",  # gamma 300
    "g_wins": "d_blind",  # lr_g 1e-2, lr_d 1e-4; it heals within a minute
    "overfit": "overfit",  # 50 images, no penalty
}
HEALTHY = (
    "healthy_default",  # digits as shipped, with labels and clusters
    "healthy_nolabels",
    "healthy_nopenalty",  # non-saturating, no penalty, both rates 5e-3
    "hinge",
    "dcgan_small",
    "fashion_default",
    "emoji_default",
    "faces_default",
    "landscapes_default",
)


def runs() -> dict[str, list[dict]]:
    found = defaultdict(list)
    for text in RECORDED.read_text(encoding="utf-8").splitlines():
        line = json.loads(text)
        found[line.pop("run")].append(line)
    return found


def named(lines: list[dict]) -> list[str]:
    """Return the faults that the doctor names while it sees these checks."""
    doctor, found = Doctor(), []
    for line in lines:
        doctor.see(line)
        if doctor.diagnosis and doctor.diagnosis.level != "good" and doctor.diagnosis.key not in found:
            found.append(doctor.diagnosis.key)
    return found


def is_of(run: str, labels) -> bool:
    return run.rpartition("-")[0] in labels


@pytest.mark.parametrize("run", [run for run in runs() if is_of(run, FAULTS)])
def test_a_fault_is_named_within_the_minute(run):
    lines = [line for line in runs()[run] if line["seconds"] <= 70]
    assert named(lines) == [FAULTS[run.rpartition("-")[0]]]


@pytest.mark.parametrize("run", [run for run in runs() if is_of(run, HEALTHY)])
def test_a_healthy_run_gets_no_alarm(run):
    assert named(runs()[run]) == []


@pytest.mark.parametrize("seed", range(5))
def test_noise_and_lost_checks_make_no_healthy_run_ill(seed):
    """The noise is twice the standard deviation of a share of 256 images. A third of the checks is lost."""
    rng = random.Random(seed)
    alarms = []
    for run, lines in runs().items():
        if not is_of(run, HEALTHY):
            continue
        kept = [line for line in lines if rng.random() > 1 / 3]
        noisy = [
            {name: shaken(rng, value) if name in SHARES else value for name, value in line.items()}
            for line in kept
        ]
        alarms += [(run, key) for key in named(noisy)]
    assert len(alarms) <= 1, alarms


SHARES = ("auc", "referee", "coverage", "precision")


def shaken(rng: random.Random, share: float | None) -> float | None:
    if share is None:
        return None
    sd = (share * (1 - share) / 256) ** 0.5
    return min(1.0, max(0.0, rng.gauss(share, 2 * sd)))
