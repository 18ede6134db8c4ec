"""Test how the benchmark of the doctor tells what a run suffers from, and how it counts right and wrong."""

import pytest

from tests.benchmarks.doctor.report import WITHIN, Answer, replay, summary, wilson
from tests.benchmarks.doctor.truth import Truth, truth

WELL = {
    "finite": True, "auc": 0.8, "seen": 0.5, "r_v": 0.0, "own coverage": 0.4, "pixels coverage": 0.6,
    "own precision": 0.7, "own kinds": 0.95, "own copies": 0.01, "pixels copies": 0.01,
}  # fmt: skip
POOR = {"own coverage": 0.1, "pixels coverage": 0.2}


def record(*changes: dict, state: str = "finished") -> dict:
    """A record with a moment every five seconds, each WELL but for its changes."""
    moments = [{**WELL, "seconds": 5.0 * (index + 1), **change} for index, change in enumerate(changes)]
    return {"state": state, "moments": moments}


TWINS = [record(*[{}] * 8)]


@pytest.mark.parametrize(
    ("cause", "measures"),
    [
        ("memorising", {"own copies": 0.3, "pixels copies": 0.2, "seen": 1.0, "r_v": 1.2}),
        ("overfit", {"seen": 0.9, "r_v": 0.8, "own copies": 0.3}),  # copies by one net alone
        ("d_wins", {"auc": 0.99, **POOR}),
        ("d_blind", {"auc": 0.6, **POOR}),
        ("d_blind", {"auc": 0.3}),
        ("collapse", {"auc": 0.92, "own kinds": 0.2, **POOR}),
        ("partial", {"auc": 0.92, "own kinds": 0.5, **POOR}),
        (None, {"auc": 0.99}),  # D is ahead, and the samples are as good as those of the twins
        (None, {"auc": 0.92, "own kinds": 0.2, "own precision": 0.1, **POOR}),  # noise is of one kind too
    ],
)
def test_a_cause_that_lasts_is_the_truth_and_begins_with_its_first_moment(cause, measures):
    found = truth(record({}, {}, measures, measures, measures, {}), TWINS)
    assert (found.primary, found.onset) == (cause, 15.0 if cause else None)
    assert truth(record({}, measures, measures, {}, measures, measures), TWINS).primary is None


def test_the_primary_cause_is_the_one_that_a_run_has_longest():
    by_heart, copies = {"seen": 1.0, "r_v": 1.0}, {"own copies": 0.3, "pixels copies": 0.2}
    found = truth(record(*[by_heart] * 3, *[{**by_heart, **copies}] * 5), TWINS)
    assert found == Truth("memorising", frozenset({"overfit", "memorising"}), 20.0)


def test_a_run_that_the_worker_gave_up_has_diverged():
    assert truth(record({}, state="train.diverged"), TWINS).primary == "diverged"
    assert truth(record(*[{"finite": False}] * 3), TWINS).primary == "diverged"


def answer(primary: str | None, onset: float | None, *said: str | None) -> Answer:
    """An answer with a check every 20 s."""
    causes = frozenset({primary} if primary else ())
    words = [(20.0 * (index + 1), word) for index, word in enumerate(said)]
    return Answer("a run", Truth(primary, causes, onset), words, 20.0 * len(said))


def test_a_cause_counts_if_it_is_named_within_a_minute():
    assert answer("d_wins", 15.0, None, None, "d_wins").named == 45.0
    assert answer("d_wins", 30.0, "d_wins").named == 0.0, "before its onset, and still at it"
    assert answer("d_wins", 15.0, None, "overfit", "overfit").named is None
    late = answer("d_wins", 15.0, None, None, None, "d_wins")
    assert late.named is None
    assert late.said[-1][0] > 15.0 + WITHIN
    assert (late.last, answer("d_wins", 15.0, None, "overfit").last) == ("nothing", "overfit")


def test_each_warning_in_a_healthy_run_is_an_alarm():
    assert answer(None, None, None, "d_wins", "d_wins", None, "overfit").alarms == 2
    told = summary([answer("d_wins", 15.0, None, "d_wins"), answer(None, None, "overfit", None)])
    assert "1 of 1 failing runs" in told
    assert "1 in 0.01 h of 1 healthy runs a run" in told


def test_wilsons_interval_is_the_published_one():
    """46 of 50: .812 to .968 (Newcombe 1998, method 3)."""
    assert wilson(46, 50) == pytest.approx((0.812, 0.968), abs=1e-3)
    assert wilson(0, 0) == (0.0, 1.0)


def test_a_replay_says_what_the_page_says():
    line = {
        "images": 40_000, "auc": 0.999, "seen": 0.5, "referee": 0.99, "coverage": 0.03, "precision": 0.0,
        "kd": 500.0, "variety": 0.6, "classes": 0.9,
        "judged": {"key": "balanced", "level": "good", "values": {}},
    }  # fmt: skip
    lines = [{**line, "seconds": 10.0 * index} for index in range(4)]
    assert [cause for _, cause in replay(lines)] == [None, "d_wins", "d_wins", "d_wins"]
    assert [cause for _, cause in replay(lines, ["referee"])] == [None] * 4
