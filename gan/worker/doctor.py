"""Diagnose a run from its signals, which a trainer measures every ten seconds or so.

Losses can't tell what is wrong: with the same losses D wins, or knows its images by heart. So the rules in
rules.json compare what D says with what an independent referee says, and with whether the samples improve.
A diagnosis must hold at several checks before it is told, and goes when its rule no longer holds.
"""

import functools
import json
import math
import operator
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

HISTORY = 60  # checks that a doctor remembers
_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
Condition = tuple[str, str, float]  # a signal, an operator, a bound


class Rule(NamedTuple):
    """A rule of rules.json. It holds where all conditions of `when` do, and lasts while those of `stays` do.

    after: checks running at which it must hold, or no longer hold. number: the signal that its sentence
    names, with its healthy range. sure: conditions on a second signal.
    """

    key: str
    level: str
    after: int
    number: str
    healthy: tuple[float, float]
    when: Sequence[Condition]
    stays: Sequence[Condition]
    sure: Sequence[Condition]


class Rules(NamedTuple):
    """All of rules.json. The first rule that holds counts.

    The samples improve where their coverage rises by `coverage`, or their kernel distance falls by a fraction
    `kd`, beyond the best check so far.
    """

    least_images: int
    coverage: float
    kd: float
    rules: tuple[Rule, ...]


class Diagnosis(NamedTuple):
    """A rule's key and level, whether a second signal agrees, and all signals by name."""

    key: str
    level: str
    sure: bool
    signals: dict[str, float]


@functools.cache
def read_rules() -> Rules:
    """Return rules.json."""
    value = json.loads(Path(__file__).with_name("rules.json").read_text(encoding="utf-8"))
    return Rules(**{**value, "rules": tuple(Rule(**rule) for rule in value["rules"])})


def is_check(line: Mapping[str, Any]) -> bool:
    """Return whether a line of statistics holds signals."""
    return line.get("auc") is not None


class Doctor:
    """Follows one run. What it says depends on the checks alone, so replaying them repeats it."""

    def __init__(self) -> None:
        self.checks: deque[Mapping[str, Any]] = deque(maxlen=HISTORY)
        self._rule: Rule | None = None  # None: nothing is wrong, or it is too early
        self._next: tuple[Rule | None, int] = None, 0  # another finding, and at how many checks running
        self._best = 0.0  # coverage so far
        self._top = 0.0, math.inf  # coverage and kernel distance beyond which the samples improve
        self._improved, self._still = 0.0, 0  # seconds of training at the last improvement; checks since then

    def see(self, line: Mapping[str, Any]) -> None:
        """Take a line of statistics with signals into account."""
        self.checks.append(line)
        self._best = max(self._best, line.get("coverage") or 0.0)
        self._follow_trend(line["seconds"])
        if line["images"] < read_rules().least_images:
            return
        found = self._find(self.signals())
        if _key(found) == _key(self._rule):  # possibly by another of the rules with this key
            self._rule, self._next = found, (None, 0)
            return
        self._next = found, 1 + (self._next[1] if _key(self._next[0]) == _key(found) else 0)
        rule = found or self._rule
        if rule is not None and self._next[1] >= rule.after:
            self._rule, self._next = found, (None, 0)

    @property
    def diagnosis(self) -> Diagnosis | None:
        """What the doctor says of the run now, if anything."""
        if self._rule is None:
            return None
        signals = self.signals()
        return Diagnosis(self._rule.key, self._rule.level, _holds(self._rule.sure, signals), signals)

    def signals(self) -> dict[str, float]:
        """Return the newest signals, and three that need the earlier ones; {} before the first check.

        `lost` is the coverage that was lost since the best check, `flat` the seconds without an improvement,
        and `still` the checks without one.
        """
        if not self.checks:
            return {}
        found = {name: value for name, value in self.checks[-1].items() if isinstance(value, (int, float))}
        if "coverage" in found:
            found["lost"] = self._best - found["coverage"]
        return {**found, "flat": found["seconds"] - self._improved, "still": self._still}

    def _follow_trend(self, seconds: float) -> None:
        """Note when the samples last improved: see Rules."""
        coverage, distance = (self.checks[-1].get(name) for name in ("coverage", "kd"))
        most, least = self._top
        self._still += 1
        if coverage is not None and coverage > most:
            most, self._improved, self._still = coverage + read_rules().coverage, seconds, 0
        if distance is not None and distance < least:
            least, self._improved, self._still = distance * (1 - read_rules().kd), seconds, 0
        self._top = most, least

    def _find(self, signals: dict[str, float]) -> Rule | None:
        """Return the first rule that holds. Those of the present key hold while their looser bounds do."""
        for rule in read_rules().rules:
            if _holds(rule.stays if rule.key == _key(self._rule) else rule.when, signals):
                return rule
        return None


def _key(rule: Rule | None) -> str | None:
    return None if rule is None else rule.key


def _holds(conditions: Sequence[Condition], signals: Mapping[str, float]) -> bool:
    """Return whether all conditions hold. A signal that a run does not have fulfils none."""
    return all(name in signals and _OPERATORS[sign](signals[name], bound) for name, sign, bound in conditions)
