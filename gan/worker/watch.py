"""Measure a run's signals as often as they may cost, and keep the doctor who reads them."""

import time
from collections.abc import Iterable, Mapping
from typing import Any

from gan.kinds import Trainer
from gan.train.throttle import Throttle
from gan.worker.doctor import Doctor, is_check
from gan.worker.health import Verdict, diagnose

SECONDS, SHARE = 10.0, 0.025  # between two measurements, at least; the part of the time that they may take
LEAST_IMAGES = 1_000  # seen by D; before that there are no shapes to look at


class Watch:
    """The signals of one run that trains."""

    def __init__(self) -> None:
        self.doctor = Doctor()
        self._due = Throttle(SECONDS, SHARE)

    def measure(self, trainer: Trainer) -> dict[str, float | None]:
        """Return the signals if they are due, else {}."""
        if trainer.images_seen < LEAST_IMAGES:
            return {}
        found: dict[str, float | None] = {}
        first = not self._due.due
        self._due.run(lambda: found.update(trainer.measure()))
        if first:  # it also opened the referee's net, which happens once
            self._due.due = min(self._due.due, time.monotonic() + SECONDS)
        return found

    def see(self, line: Mapping[str, Any]) -> None:
        """Show a line of statistics to the doctor, if it has signals."""
        if is_check(line):
            self.doctor.see(line)

    def replay(self, lines: Iterable[Mapping[str, Any]]) -> None:
        """Begin anew with the statistics of a run that resumes."""
        self.doctor = Doctor()
        for line in lines:
            self.see(line)

    def verdict(self, judged: Verdict) -> dict[str, Any]:
        """Return what the doctor says, else `judged`, as status.json holds it."""
        return diagnose(judged, self.doctor)._asdict()
