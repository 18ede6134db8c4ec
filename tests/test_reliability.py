"""Short versions of what tests/reliability does at length: an attacker's walk, and readers fed with damage."""

import pytest

from gan.runs.supervisor import Supervisor
from tests.reliability.attack import TOKEN, attack_own
from tests.reliability.cases import COMMANDS
from tests.reliability.fuzz import TARGETS, fuzz

EVERY = 41  # one of so many cases where there are thousands; a prime, so that all kinds of them come up
CASES = 150


@pytest.mark.parametrize("token", [None, TOKEN], ids=["open", "locked"])
def test_an_attacker_gets_refusals_and_right_answers(token, tmp_path):
    count, faults = attack_own(tmp_path, token, EVERY)
    assert faults == []
    assert count.total() > 1000


def test_an_attacker_knows_every_command(store):
    assert set(COMMANDS) == set(Supervisor(store)._actions)


@pytest.mark.parametrize("target", TARGETS)
def test_damage_is_told_in_a_sentence(target):
    assert fuzz(target, CASES) >= CASES
