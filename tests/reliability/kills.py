"""Kill workers repeatedly, and check that each run ends as if nobody had interrupted it.

Usage: python -m tests.reliability.kills --folder kept

Each run of shipped.py trains with its shipped settings, while other programs keep the cores busy. SIGKILL
ends its workers at random moments, a third of them during a checkpoint. New workers resume until the run is
finished. Its files are then compared with an uninterrupted trainer in this process:
    checkpoint tensors    by SHA-256: networks, averages, both optimizers, augmentation, statistics, groups
    sample grids          byte by byte
    statistics            every number except times
With --folder the command itself may be killed: it resumes where it was. Two commands with --load 0 and the
same folder share the runs: each is the other's load.
"""

import argparse
import contextlib
import dataclasses
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch

from gan import data
from gan.config import RunConfig
from gan.device import pick_device
from gan.files import read_json, read_lines, write_json
from gan.images import encode_webp, grid, to_uint8
from gan.train.autotune.machine import same_compute
from gan.train.base import METRICS
from gan.train.checkpoint import NEWEST, digest, read_state, saved_step, tensors_of
from gan.train.trainer import Trainer
from tests.reliability.shipped import RUNS, SLOW, THREADS, busy, config_of

POLL = 0.002  # seconds
AIMED = 1 / 3  # share of the kills that wait for a half-written checkpoint
# Share of a slow run's other kills that come after it has trained for longer than it may lose.
LATE = 1 / 3
SOON, LATER = (0.0, 2.0), (8.0, 14.0)  # seconds from the first step to the other kills
MOST_LOST = 10.0  # seconds
PATIENCE = 600.0  # seconds for a worker's first step, on a busy machine


@dataclass
class Outcome:
    """The result of one run so far."""

    kills: int = 0
    in_writing: int = 0  # kills during a checkpoint
    lost: float = 0.0  # seconds of training that the worst kill lost
    done: bool = False
    # Differences from the uninterrupted run; empty where there are none.
    differences: list[str] = field(default_factory=list)


def survive(name: str, config: RunConfig, kills: int, folder: Path, seed: int = 0) -> Outcome:
    """Train a run in `folder` to its end, kill its workers so many times, and compare it.

    Resumes a run that was interrupted there.
    """
    run, report = folder / name, folder / f"{name}.json"
    outcome = Outcome()
    with contextlib.suppress(FileNotFoundError):
        outcome = Outcome(**read_json(report))
    if not (run / "config.json").exists():
        write_json(run / "config.json", config.to_json())
    while outcome.kills < kills and not outcome.done:
        rng = random.Random(f"{seed} {name} {outcome.kills}")
        late = name in SLOW and rng.random() < LATE
        hit = _kill_one(run, rng.random() < AIMED, LATER if late else SOON, rng)
        if hit is None:
            break  # the run finished before the kill
        outcome.kills += 1
        outcome.in_writing += hit
        outcome.lost = max(outcome.lost, _seconds_after_checkpoint(run))
        write_json(report, dataclasses.asdict(outcome))
    if not outcome.done:
        _start(run).wait()
        outcome.differences, outcome.done = list(differences(run, config)), True
        write_json(report, dataclasses.asdict(outcome))
    return outcome


def _start(run: Path) -> subprocess.Popen:
    with open(run.parent / f"{run.name}.log", "ab") as said:
        return subprocess.Popen([sys.executable, "-m", "gan", "train", str(run)], stdout=said, stderr=said)


def _kill_one(run: Path, aimed: bool, after: tuple[float, float], rng: random.Random) -> bool | None:
    """Start a worker and kill it.

    Returns whether it was writing a checkpoint, or None where it ended by itself.
    """
    worker = _start(run)
    end = time.monotonic() + PATIENCE
    while not (_training(run, worker.pid) or worker.poll() is not None) and time.monotonic() < end:
        time.sleep(POLL)
    if aimed:
        time.sleep(rng.uniform(0, 0.3))
        write_json(run / "commands" / "1-save.json", {"command": "save"})
        while (
            not (found := any((run / "state").glob(f".{NEWEST}*")))
            and worker.poll() is None
            and time.monotonic() < end
        ):
            pass
        time.sleep(rng.choice([0, 0, rng.uniform(0, 0.02)]))
    else:
        if after is SOON and rng.random() < 0.5:  # a checkpoint, so that the run makes progress
            write_json(run / "commands" / "1-save.json", {"command": "save"})
        time.sleep(rng.uniform(*after))
        found = any((run / "state").glob(f".{NEWEST}*"))
    if worker.poll() is not None:
        return None
    worker.kill()
    worker.wait()
    return found


def _training(run: Path, pid: int) -> bool:
    try:
        status = read_json(run / "status.json")
    except (OSError, ValueError):
        return False
    return status.get("pid") == pid and status.get("state") == "running"


def _seconds_after_checkpoint(run: Path) -> float:
    """Return the seconds of training that the statistics have and the checkpoint lacks."""
    lines, _ = read_lines(run / "stats.jsonl")
    saved = saved_step(run / "state")
    kept = max((line["seconds"] for line in lines if line["step"] <= saved), default=0.0)
    return max((line["seconds"] for line in lines), default=0.0) - kept


def differences(run: Path, config: RunConfig) -> Iterator[str]:
    """Yield the differences between a finished run and an uninterrupted training of its config."""
    try:
        status = read_json(run / "status.json")
    except FileNotFoundError:
        status = {"state": "not begun", "error": (run.parent / f"{run.name}.log").read_text()[-2000:]}
    if status["state"] != "finished":
        yield f"it is {status['state']}: {status['error']}"
        return
    compute = {"device": pick_device().torch_name, **status["compute"]}
    device = same_compute(pick_device(), compute)
    torch.set_num_threads(device.threads)
    torch.set_flush_denormal(True)
    trainer = Trainer(config, data.load(config.data, config.size, config.channels), device)
    lines = {line["step"]: line for line in read_lines(run / "stats.jsonl")[0]}
    grids = {int(path.stem): path for path in (run / "samples").glob("*.webp")}
    for step in sorted({*lines, *grids}):
        if step > trainer.step:
            means = trainer.advance(step - trainer.step)
        if step in lines:
            wrong = [name for name in METRICS if lines[step][name] != float(f"{means[name]:.5g}")]
            if wrong or lines[step]["images"] != trainer.images_seen:
                yield f"statistics of step {step}: {', '.join(wrong) or 'images'}"
        if step in grids and grids[step].read_bytes() != encode_webp(
            grid(to_uint8(trainer.sample_grid()), columns=8)
        ):
            yield f"the grid of step {step}"
    tensors, meta = read_state(run / "state" / NEWEST)
    if (meta["step"], meta["total_images"]) != (trainer.step, trainer.total_images):
        yield f"it ended at step {meta['step']} of {meta['total_images']} images"
    expected = tensors_of(trainer)
    if digest(tensors) != digest(expected):
        shared = tensors.keys() & expected.keys()
        wrong = sorted(
            (tensors.keys() ^ expected.keys())
            | {name for name in shared if not torch.equal(tensors[name], expected[name])}
        )
        yield f"{len(wrong)} tensors of the checkpoint, as {wrong[0] if wrong else 'none alone'}"


def main(words: Sequence[str] | None = None) -> int:
    """Run the command. Returns 0 where every run ended as it should."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=20, help="of each run")
    parser.add_argument("--steps", type=int, default=300, help="of each run")
    parser.add_argument("--runs", nargs="+", choices=RUNS, default=list(RUNS))
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
            outcomes.append(
                survive(name, config_of(name, options.steps), options.kills, folder, options.seed)
            )
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
