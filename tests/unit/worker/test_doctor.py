"""Test the doctor: each rule, when a diagnosis comes and goes, and that a replay repeats it."""

import pytest

from gan.worker.doctor import Doctor, is_check, read_rules
from gan.worker.health import NO_SHAPES, REASONS, VERDICTS, Verdict, diagnose

SOUND = {
    "auc": 0.7, "held_out": 256, "seen": 0.5, "by_heart": 0.0, "referee": 0.8, "coverage": 0.6,
    "precision": 0.7, "kd": 30.0, "variety": 0.9, "classes": 0.95,
    "agreement": None, "turnover": 0.1, "copies": None, "pair": 0.8,
}  # fmt: skip
RULES = {rule.key: rule for rule in reversed(read_rules().rules)}  # the first of each key
BALANCED = Verdict("balanced", "good", {})


def seen(count: int, doctor: Doctor | None = None, **signals: object) -> Doctor:
    """Show a doctor some equal checks, ten seconds apart, at images where it judges."""
    doctor = doctor or Doctor()
    begin = len(doctor.checks)
    for index in range(begin, begin + count):
        doctor.see({**SOUND, "images": 10_000 * (index + 1), "seconds": 10.0 * index, **signals})
    return doctor


FAULTS = {
    "memorising": {"copies": 0.3, "seen": 0.99, "by_heart": 1.0},
    "overfit": {"seen": 0.97, "by_heart": 0.9, "auc": 0.99, "referee": 0.9},
    "full_collapse": {"classes": 0.12, "coverage": 0.02, "referee": 0.99, "variety": 0.4},
    "same_samples": {"classes": None, "variety": 0.1, "coverage": 0.1, "referee": 0.99},
    "partial_collapse": {"classes": 0.45, "coverage": 0.3, "referee": 0.92},
    "d_strong": {"auc": 0.99, "referee": 0.99, "coverage": 0.08},
    "d_blind": {"auc": 0.6, "referee": 0.99, "coverage": 0.05},
}


@pytest.mark.parametrize("key", FAULTS)
def test_each_fault_is_named_after_some_checks_and_not_before(key):
    doctor = seen(RULES[key].after - 1, **FAULTS[key])
    assert doctor.diagnosis is None
    doctor = seen(8, **FAULTS[key])
    assert doctor.diagnosis.key == key
    assert doctor.diagnosis.sure
    assert diagnose(BALANCED, doctor)[:2] == (key, RULES[key].level)


def test_a_sound_run_is_healthy_and_has_converged_once_it_improves_no_more():
    doctor = seen(4)
    assert doctor.diagnosis is None
    assert diagnose(BALANCED, doctor)[:2] == ("well", "good")
    doctor = seen(8, doctor)
    assert diagnose(BALANCED, doctor)[:2] == ("well", "good"), "for two minutes"
    doctor = seen(2, doctor)
    assert diagnose(BALANCED, doctor)[:2] == ("converged", "good")
    doctor = seen(2, doctor, coverage=0.7)
    assert diagnose(BALANCED, doctor)[:2] == ("well", "good"), "it improves again"


@pytest.mark.parametrize(("seconds", "gain"), [(10.0, 0.02 / 6), (65.0, 0.025)])
def test_a_run_that_improves_slowly_has_not_converged(seconds, gain):
    doctor, told = Doctor(), []
    for index in range(40):
        doctor.see(
            {**SOUND, "images": 10_000 + index, "seconds": seconds * index, "coverage": 0.3 + gain * index}
        )
        told.append(diagnose(BALANCED, doctor).key)
    assert set(told) == {"well"}


@pytest.mark.parametrize(
    "judged",
    [
        Verdict("collapse", "bad", {}),
        Verdict("less_variety", "warn", {}),
        Verdict("unlike", "warn", {}),
        Verdict("d_wins", "warn", {}),
    ],
)
def test_what_the_cheap_statistics_warn_of_is_not_healthy(judged):
    assert diagnose(judged, seen(3)).key == judged.key
    strong = seen(6, **FAULTS["d_strong"])
    assert diagnose(judged, strong).key == ("collapse" if judged.key == "collapse" else "d_strong")


def test_copies_are_told_also_where_d_does_not_know_the_images():
    copies = {"copies": 0.9, "seen": None, "held_out": 4, "coverage": 1.0, "referee": 0.1}
    assert diagnose(BALANCED, seen(3, **copies)).key == "memorising"


@pytest.mark.parametrize("short", [{"coverage": 0.19}, {"referee": 0.99}])
def test_nothing_is_called_healthy_that_the_referee_tells_apart(short):
    doctor = seen(2, **short)
    verdict = diagnose(BALANCED, doctor)
    assert verdict[:2] == ("still_early", "info")
    assert verdict.values["coverage"] == round(100 * short.get("coverage", SOUND["coverage"]))


def test_samples_that_improve_are_no_case_of_d_winning():
    doctor = Doctor()
    for step in range(12):
        seen(1, doctor, auc=0.99, referee=0.97, coverage=0.12 + 0.035 * step)
        assert doctor.diagnosis is None
    assert seen(4, doctor, auc=0.99, referee=0.97, coverage=0.5).diagnosis.key == "d_strong"


def test_one_odd_check_is_no_diagnosis_and_ends_none():
    doctor = seen(8, **FAULTS["full_collapse"])
    seen(RULES["full_collapse"].after - 1, doctor)
    assert doctor.diagnosis.key == "full_collapse"
    seen(1, doctor)
    assert doctor.diagnosis is None
    hardly = {**FAULTS["overfit"], "seen": 0.8}
    seen(1, doctor, **hardly)
    seen(1, doctor)
    seen(2, doctor, **hardly)
    assert doctor.diagnosis is None, "never three running"


def test_checks_that_fulfil_different_rules_of_one_key_count_together():
    strong = {"auc": 0.99, "referee": 0.96, "coverage": 0.12}
    doctor = seen(2, **strong, images=20_000)  # the second does not improve
    assert doctor.diagnosis is None
    many = {"referee": 0.99, "coverage": 0.05, "kd": 1.0, "images": 40_000, "seconds": 20.0}
    doctor.see({**SOUND, **strong, **many})  # it improves, and D has seen many images
    assert doctor.diagnosis.key == "d_strong"


def test_a_diagnosis_lasts_while_its_looser_bound_holds():
    doctor = seen(4, **FAULTS["overfit"])
    seen(10, doctor, seen=0.7)
    assert doctor.diagnosis.key == "overfit"
    assert not doctor.diagnosis.sure
    assert seen(4, seen=0.7).diagnosis is None


def test_nothing_is_told_before_there_are_images_to_judge():
    doctor = Doctor()
    for index in range(10):
        doctor.see({**SOUND, **FAULTS["d_blind"], "images": 1_900, "seconds": 10.0 * index})
    assert doctor.diagnosis is None


def test_a_replay_of_the_checks_repeats_the_diagnosis():
    doctor = Doctor()
    for signals in ({}, FAULTS["d_blind"], FAULTS["d_strong"], {}, FAULTS["overfit"]):
        seen(3, doctor, **signals)
    again = Doctor()
    for check in doctor.checks:
        again.see(check)
    assert again.diagnosis == doctor.diagnosis


@pytest.mark.parametrize("key", NO_SHAPES)
def test_without_shapes_only_a_fault_is_told(key):
    judged = Verdict(key, "info", {"noise": 80})
    assert diagnose(judged, Doctor()) == judged
    assert diagnose(judged, seen(12)) == judged, "not that it has converged"
    assert diagnose(judged, seen(8, **FAULTS["d_strong"])).key == "d_strong"


def test_each_rule_has_its_sentences_and_bounds_that_make_sense():
    names = set(SOUND) | {"lost", "flat", "still", "images", "modes"}
    for rule in read_rules().rules:
        assert rule.key in VERDICTS
        assert rule.key in REASONS
        assert rule.level in ("good", "warn", "bad")
        assert {name for name, _, _ in (*rule.when, *rule.stays, *rule.sure)} <= names
        assert rule.number in names
        assert rule.healthy[0] < rule.healthy[1]
        # where it begins it also stays
        loose = {name: (sign, bound) for name, sign, bound in rule.stays}
        for name, sign, bound in rule.when:
            if name in loose and sign[0] == loose[name][0][0]:
                assert loose[name][1] <= bound if sign[0] == ">" else loose[name][1] >= bound


def test_a_line_without_signals_is_no_check():
    assert is_check({"auc": 0.5})
    assert not is_check({"step": 3})
    assert not is_check({"auc": None})
