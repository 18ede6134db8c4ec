"""Compare what the doctor says with what the oracle found:

    python -m tests.benchmarks.doctor.report --set test --from DIRECTORY

The doctor is asked anew with today's rules, from the recorded signals. It is right about a failing run if it
names the primary cause within 60 s of the onset. An alarm is any warning in a run that the oracle calls
healthy.
"""

import argparse
import itertools
import json
import math
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from gan.worker.doctor import Doctor
from gan.worker.health import Verdict, diagnose
from tests.benchmarks.doctor.cases import SETS
from tests.benchmarks.doctor.truth import Truth, truth
from tests.benchmarks.tables import markdown

# What a line of statistics keeps in the file of a unit test.
KEPT = (
    "seconds", "images", "auc", "held_out", "seen", "by_heart", "referee", "coverage", "precision", "kd",
    "variety", "classes", "copies", "judged",
)  # fmt: skip
WITHIN = 60.0  # seconds after the onset
# What the doctor calls the oracle's causes.
NAMES = {
    "memorising": "memorising", "overfit": "overfit",
    "full_collapse": "collapse", "same_samples": "collapse", "collapse": "collapse",
    "partial_collapse": "partial", "lost_coverage": "partial", "less_variety": "partial",
    "d_strong": "d_wins", "d_wins": "d_wins", "d_blind": "d_blind", "d_lost": "d_blind",
}  # fmt: skip
# Signals that the ablations take away, by what the rules then lack.
ABLATIONS: dict[str, tuple[str, ...]] = {
    "all signals": (),
    "no referee": ("referee",),
    "no kinds": ("classes", "variety"),
    "no seen and r_v": ("seen", "by_heart"),
    "no copies": ("copies",),
    "no coverage and KD": ("coverage", "kd"),
}


class Answer(NamedTuple):
    """One run: what the oracle found, and the times at which the doctor's word changed."""

    run: str
    truth: Truth
    said: Sequence[tuple[float, str | None]]  # seconds, cause or None; one for each check
    seconds: float  # of training

    @property
    def named(self) -> float | None:
        """Seconds from the onset until the primary cause is named; None if it never is in time."""
        if self.truth.primary == "diverged":
            return 0.0  # the worker says so itself, when it gives up
        onset = self.truth.onset
        assert onset is not None
        stands = [cause for seconds, cause in self.said if seconds <= onset][-1:]
        if stands == [self.truth.primary]:
            return 0.0
        for seconds, cause in self.said:
            if cause == self.truth.primary and onset < seconds <= onset + WITHIN:
                return seconds - onset
        return None

    @property
    def last(self) -> str:
        """What the doctor said 60 s after the onset, or at the end: a cause, or "nothing"."""
        if self.truth.primary == "diverged":
            return "diverged"
        until = math.inf if self.truth.onset is None else self.truth.onset + WITHIN
        return ([cause for seconds, cause in self.said if seconds <= until] or [None])[-1] or "nothing"

    @property
    def alarms(self) -> int:
        """How often a cause was named that was not named at the check before."""
        causes = [None, *(cause for _, cause in self.said)]
        return sum(now is not None and now != before for before, now in itertools.pairwise(causes))


def replay(lines: Sequence[Mapping[str, Any]], without: Sequence[str] = ()) -> list[tuple[float, str | None]]:
    """Return what the page says at each check, as a cause or None."""
    doctor, said = Doctor(), []
    for line in lines:
        doctor.see({name: value for name, value in line.items() if name not in without})
        found = diagnose(Verdict(**line["judged"]), doctor)
        bad = found.level in ("warn", "bad")
        said.append((line["seconds"], NAMES.get(found.key, found.key) if bad else None))
    return said


def answers(directory: Path, which: str, without: Sequence[str] = ()) -> list[Answer]:
    """Return the answers for all recorded runs of a set."""
    cases, records = SETS[which], {}
    for path in sorted(directory.glob("*.json")):
        record = json.loads(path.read_text(encoding="utf-8"))
        if record["case"] in cases:
            records[path.stem] = record
    found = []
    for run, record in records.items():
        twin = cases[record["case"]].twin or record["case"]
        twins = [other for other in records.values() if other["case"] == twin]
        lines = record["lines"]
        found.append(
            Answer(run, truth(record, twins), replay(lines, without), lines[-1]["seconds"] if lines else 0.0)
        )
    return found


def wilson(right: int, of: int, z: float = 1.96) -> tuple[float, float]:
    """Return the 95 % interval of a share (Wilson 1927)."""
    if not of:
        return 0.0, 1.0
    share, shrink = right / of, 1 + z * z / of
    middle = (share + z * z / (2 * of)) / shrink
    half = z * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of)) / shrink
    return middle - half, middle + half


def summary(found: Sequence[Answer]) -> str:
    """Return the figures of one set of answers in sentences."""
    ill = [answer for answer in found if answer.truth.primary not in (None, "diverged")]
    diverged = sum(answer.truth.primary == "diverged" for answer in found)
    well = [answer for answer in found if not answer.truth.primary]
    delays = [answer.named for answer in ill if answer.named is not None]
    low, high = wilson(len(delays), len(ill))
    hours = sum(answer.seconds for answer in well) / 3600
    false = [answer.run for answer in well if answer.alarms]
    lines = [
        f"primary cause named within {WITHIN:.0f} s of the onset: {len(delays)} of {len(ill)} failing runs "
        f"({len(delays) / max(1, len(ill)):.0%}, 95 % interval {low:.0%} to {high:.0%})",
        f"false alarms: {sum(answer.alarms for answer in well)} in {hours:.2f} h of {len(well)} healthy runs "
        f"{', '.join(false)}",
    ]
    if diverged:
        lines.append(f"{diverged} runs diverged, which the worker says itself; they count nowhere")
    if delays:
        lines.append(
            f"seconds until it is named: median {statistics.median(delays):.0f}, worst {max(delays):.0f}"
        )
    minutes = sum(answer.seconds for answer in found) / 60
    changes = sum(
        before != now for answer in found for (_, before), (_, now) in itertools.pairwise(answer.said)
    )
    lines.append(f"changes of the verdict a minute: {changes / max(minutes, 1e-9):.2f}")
    return "\n".join(lines)


def confusion(found: Sequence[Answer]) -> str:
    """Return a table: a row for each primary cause, a column for what was said 60 s after the onset."""
    counts = Counter((answer.truth.primary or "healthy", answer.last) for answer in found)
    rows, columns = (sorted({key[part] for key in counts}) for part in (0, 1))
    return markdown(
        ["oracle \\ doctor", *columns],
        [[row, *(str(counts[row, column]) for column in columns)] for row in rows],
    )


def by_case(found: Sequence[Answer]) -> str:
    """Return a table: for each case the primary causes of its runs, and how many were named in time."""
    cases: dict[str, list[Answer]] = {}
    for answer in found:
        cases.setdefault(answer.run.rpartition("-")[0], []).append(answer)
    rows = []
    for case, group in cases.items():
        causes = Counter(answer.truth.primary or "healthy" for answer in group)
        ill = [answer for answer in group if answer.truth.primary]
        named = sum(answer.named is not None for answer in ill)
        told = ", ".join(f"{count} {cause}" for cause, count in causes.most_common())
        rows.append([case, str(len(group)), told, f"{named} of {len(ill)}" if ill else "–"])
    return markdown(["case", "runs", "the oracle says", "named in time"], rows)


def save(directory: Path, which: str, target: Path) -> None:
    """Write a line of JSON for each run: its name, the truth, and the lines with signals, for a unit test."""
    with open(target, "w", encoding="utf-8") as file:
        for answer in answers(directory, which):
            record = json.loads((directory / f"{answer.run}.json").read_text(encoding="utf-8"))
            lines = [
                {name: line[name] for name in KEPT if line.get(name) is not None} for line in record["lines"]
            ]
            told = {"run": answer.run, **answer.truth._asdict(), "causes": sorted(answer.truth.causes)}
            file.write(json.dumps({**told, "lines": lines}, separators=(",", ":")) + "\n")


def wrong(found: Sequence[Answer]) -> str:
    """List the runs about which the doctor was wrong, with what it said at each check."""
    return "\n".join(
        f"{answer.run}: {answer.truth.primary or 'healthy'} ({', '.join(sorted(answer.truth.causes))}) from "
        f"{answer.truth.onset}: "
        + " ".join(f"{seconds:.0f}:{cause or '-'}" for seconds, cause in answer.said)
        for answer in found
        if (answer.named is None if answer.truth.primary else answer.alarms)
    )


def main() -> None:
    """Print the report of a set."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--set", choices=SETS, required=True)
    parser.add_argument("--from", type=Path, required=True, dest="directory")
    parser.add_argument("--save", type=Path, help="also write the signals, for the unit tests")
    options = parser.parse_args()
    for name, without in ABLATIONS.items():
        found = answers(options.directory, options.set, without)
        print(f"\n## {name}\n\n{summary(found)}")
        if not without:
            print(f"\n{confusion(found)}\n\n{by_case(found)}\n\n{wrong(found)}")
    if options.save:
        save(options.directory, options.set, options.save)


if __name__ == "__main__":
    main()
