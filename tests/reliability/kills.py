"""Kill workers repeatedly, and check that each run ends as if nobody had interrupted it.

Usage: python -m tests.reliability.kills --folder kept

Each run of scenarios.py trains with shipped settings, while other programs keep the cores busy. SIGKILL ends
its workers at random moments, a third of them during a checkpoint. New workers resume until the run is
finished. Its files are then compared with an uninterrupted trainer in this process:
    checkpoint tensors    by SHA-256: networks, averages, both optimizers, augmentation, statistics, groups
    sample grids          byte by byte
    statistics            every number except times
    and where there are   the record of the model that the run began with, its larger budget, tracked points
With --folder the command itself may be killed: it resumes where it was. Two commands with --load 0 and the
same folder share the runs: each is the other's load.
"""

import argparse
import contextlib
import dataclasses
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gan.files import read_json, read_lines, read_object, write_json
from gan.train.checkpoint import NEWEST, saved_step
from tests.reliability.scenario.scenarios import SCENARIOS, Scenario, next_words
from tests.reliability.scenario.trainees import PATIENCE, Place, Trainee
from tests.reliability.scenario.undisturbed import differences, retrain
from tests.reliability.shipped import THREADS, busy

POLL = 0.002  # seconds
AIMED = 1 / 3  # share of the kills that wait for a half-written checkpoint
# Share of a slow run's other kills that come after it has trained for longer than it may lose.
LATE = 1 / 3
SOON, LATER = (0.0, 2.0), (8.0, 14.0)  # seconds from the first step to the other kills
MOST_LOST = 10.0  # seconds


@dataclass
class Outcome:
    """The result of one run so far."""

    kills: int = 0
    in_writing: int = 0  # kills during a checkpoint
    lost: float = 0.0  # seconds of training that the worst kill lost
    done: bool = False
    # Of each kill: the step of the checkpoint, and that of the newest statistics.
    back: list[list[int]] = field(default_factory=list)
    # Differences from the uninterrupted run; empty where there are none.
    differences: list[str] = field(default_factory=list)


def survive(
    name: str, steps: int, kills: int, folder: Path, seed: int = 0, train: Place | None = None
) -> Outcome:
    """Train a scenario's run in `folder` to its end, kill its workers so many times, and compare it.

    steps: the command's. train: what trains the run, if not that of the scenario. Resumes a run that was
    interrupted there.
    """
    scenario, run, report = SCENARIOS[name], folder / name / "run", folder / name / "outcome.json"
    outcome, (first, last) = Outcome(), scenario.steps(steps)
    with contextlib.suppress(FileNotFoundError):
        outcome = Outcome(**read_json(report))
    if outcome.done:
        return outcome
    if not (run / "config.json").exists():
        scenario.make(run, first)
    with (train or scenario.train)(run) as start:
        for goal, due in {first: round(kills * scenario.first), last: kills}.items():
            while (words := next_words(run, goal)) is not None:
                trainee = start(words)
                if outcome.kills >= due:
                    hit = None
                else:
                    hit = _kill_one(run, trainee, scenario.slow, f"{seed} {name} {outcome.kills}")
                if hit is not None:
                    count_kill(outcome, run, hit)
                    write_json(report, dataclasses.asdict(outcome))
                elif not trainee.wait():
                    break
    outcome.differences, outcome.done = list(_compared(scenario, run, (first, last), outcome)), True
    write_json(report, dataclasses.asdict(outcome))
    return outcome


def _kill_one(run: Path, trainee: Trainee, slow: bool, seed: str) -> bool | None:
    """Kill what trains a run, at a moment that depends on the seed. slow: see Scenario.

    Returns whether it was writing a checkpoint, or None where it ended by itself.
    """
    rng = random.Random(seed)
    after = LATER if slow and rng.random() < LATE else SOON
    aimed = rng.random() < AIMED
    end = time.monotonic() + PATIENCE
    while not (trainee.trains() or trainee.ended()) and time.monotonic() < end:
        time.sleep(POLL)
    if aimed:
        time.sleep(rng.uniform(0, 0.3))
        write_json(run / "commands" / "1-save.json", {"command": "save"})
        while (
            not (found := any((run / "state").glob(f".{NEWEST}*")))
            and not trainee.ended()
            and time.monotonic() < end
        ):
            pass
        time.sleep(rng.choice([0, 0, rng.uniform(0, 0.02)]))
    else:
        if after is SOON and rng.random() < 0.5:  # a checkpoint, so that the run makes progress
            write_json(run / "commands" / "1-save.json", {"command": "save"})
        time.sleep(rng.uniform(*after))
        found = any((run / "state").glob(f".{NEWEST}*"))
    if trainee.ended():
        return None
    trainee.kill()
    return found


def count_kill(outcome: Outcome, run: Path, in_writing: bool) -> None:
    """Add a kill to the outcome of its run."""
    lines, _ = read_lines(run / "stats.jsonl")
    saved = saved_step(run / "state")
    kept, newest = (
        max((line[name] for line in of), default=0)
        for name, of in (("seconds", [one for one in lines if one["step"] <= saved]), ("step", lines))
    )
    outcome.kills += 1
    outcome.in_writing += in_writing
    outcome.lost = max(outcome.lost, max((line["seconds"] for line in lines), default=0) - kept)
    outcome.back.append([saved, newest])


def _compared(scenario: Scenario, run: Path, steps: tuple[int, int], outcome: Outcome) -> Iterator[str]:
    """Yield the differences between a run that is over and an undisturbed one."""
    status = read_object(run / "status.json")
    if status.get("state") != "finished":
        log = run.parent / "log"
        said = log.read_text(errors="replace")[-2000:] if log.exists() else ""
        yield f"it is {status.get('state', 'not begun')}: {status.get('error') or said}"
        return
    yield from differences(run, retrain(scenario.make, steps, run), outcome.back, scenario.check)


def main(words: Sequence[str] | None = None) -> int:
    """Run the command. Returns 0 where every run ended as it should."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=20, help="of each run")
    parser.add_argument("--steps", type=int, default=300, help="of each run")
    parser.add_argument("--runs", nargs="+", choices=SCENARIOS, default=list(SCENARIOS))
    parser.add_argument(
        "--folder",
        type=Path,
        help="where runs and results are kept, for a command that goes on after it was broken off",
    )
    parser.add_argument("--seed", type=int, default=0, help="of the moments at which workers are killed")
    parser.add_argument(
        "--load", type=int, default=THREADS, help="programs beside the runs that do nothing else than compute"
    )
    options = parser.parse_args(words)
    with contextlib.ExitStack() as stack:
        folder = options.folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        stack.enter_context(busy(options.load))
        outcomes = []
        for name in options.runs:
            outcomes.append(survive(name, options.steps, options.kills, folder, options.seed))
            print(_line(name, outcomes[-1]), flush=True)
    total, aimed = sum(one.kills for one in outcomes), sum(one.in_writing for one in outcomes)
    bad = sum(bool(one.differences or one.lost > MOST_LOST) for one in outcomes)
    print(
        f"{total} kills, {aimed} while a checkpoint was written; {len(outcomes)} runs, {bad} different "
        f"or set back by more than {MOST_LOST:g} s"
    )
    few = [name for name, one in zip(options.runs, outcomes, strict=True) if one.kills < options.kills / 2]
    if few:
        print(f"Too few kills for a verdict: {', '.join(few)} ended too early. Give more --steps.")
    return 1 if bad or few or (total >= 10 and not aimed) else 0


def _line(name: str, outcome: Outcome) -> str:
    found = "; ".join(outcome.differences) or "the same to the last bit"
    return (
        f"{name:14} {outcome.kills:3} kills, {outcome.in_writing} while a checkpoint was written, at most "
        f"{outcome.lost:.1f} s lost: {found}"
    )


if __name__ == "__main__":
    sys.exit(main())
