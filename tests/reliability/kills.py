"""Kill a run again and again, and see that it ends as if nothing had happened:  python -m tests.reliability.kills --kills 100

Workers are killed (SIGKILL) at random moments, a third of them while they write a checkpoint, and started again until the run is finished. What it has then
left is held against a trainer in this process that nobody interrupts: all tensors of the checkpoint (networks, averages, both optimizers, augmentation,
statistics, groups) by their SHA-256, every sample grid byte by byte, every number of every statistics line but the clock's.
"""

import argparse
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch

from gan import data
from gan.config import RunConfig, make_config
from gan.device import pick_device
from gan.files import read_json, read_lines, write_json
from gan.images import encode_webp, grid, to_uint8
from gan.train.machine import same_compute
from gan.train.state import NEWEST, digest, read_state, save_state, saved_step
from gan.train.trainer import METRICS, Trainer

POLL = 0.002  # seconds
AIMED = 1 / 3  # part of the kills that wait for a checkpoint to be half written
LATE = 1 / 3  # part of a long run's other kills that come when it has gone on alone for longer than it may lose
SOON, LATER = (0.0, 2.0), (8.0, 14.0)  # seconds after the first step at which other kills come
MOST_LOST = 10.0  # seconds
PATIENCE = 120.0
# Small networks, so that a run is mostly starts and ends; together they have every kind of state that a step depends on.
RUNS: dict[str, dict[str, Any]] = {
    "modern": {"conditional": True, "looks": 4, "augment": "color,translation,cutout", "adaptive": True, "penalty_every": 2, "kimg": 8.0},
    "wasserstein": {"flip": True, "kimg": 8.0},
    "hinge": {"augment": "translation", "kimg": 8.0},
    "least_squares": {"kimg": 100.0},  # long enough for late kills
    "dcgan": {"kimg": 1.2},
}


class Outcome(NamedTuple):
    """What became of one run."""

    kills: int
    in_writing: int  # of them, while a checkpoint was half written
    lost: float  # seconds of training that the worst kill took back
    differences: list[str]  # empty where the run is the one that was never killed


def config_of(recipe: str, seed: int = 0, **changes: Any) -> RunConfig:
    """A small run of the digits."""
    return make_config("digits", recipe, 28, 1, **{"width": 8, "z_dim": 16, "batch": 16, "seed": seed, **RUNS[recipe], **changes})


def survive(config: RunConfig, kills: int, folder: Path, rng: random.Random) -> Outcome:
    """Train a run in `folder` to its end over so many kills, and compare it. Uses as many threads as torch would."""
    run = folder / f"{config.recipe}-{config.seed}"
    write_json(run / "config.json", config.to_json())
    done = in_writing = 0
    lost = 0.0
    while done < kills:
        late = config.kimg >= 100 and rng.random() < LATE
        hit = _kill_one(run, rng.random() < AIMED, LATER if late else SOON, rng)
        if hit is None:
            break  # it was finished before it could be killed
        done += 1
        in_writing += hit
        lost = max(lost, _seconds_after_checkpoint(run))
    _start(run).wait(600)
    return Outcome(done, in_writing, lost, list(differences(run, config)))


def _start(run: Path) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, "-m", "gan.train", str(run)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _kill_one(run: Path, aimed: bool, after: tuple[float, float], rng: random.Random) -> bool | None:
    """Start a worker and kill it. Whether it was writing a checkpoint; None where it ended by itself."""
    worker = _start(run)
    end = time.monotonic() + PATIENCE
    while not (_training(run, worker.pid) or worker.poll() is not None) and time.monotonic() < end:
        time.sleep(POLL)
    if aimed:
        time.sleep(rng.uniform(0, 0.3))
        write_json(run / "commands" / "1-save.json", {"command": "save"})
        while not (found := any((run / "state").glob(f".{NEWEST}*"))) and worker.poll() is None and time.monotonic() < end:
            pass
        time.sleep(rng.choice([0, 0, rng.uniform(0, 0.02)]))
    else:
        if after is SOON and rng.random() < 0.5:  # so that the run gets on
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
    """Seconds of training that are in the statistics and not in the checkpoint."""
    lines, _ = read_lines(run / "stats.jsonl")
    saved = saved_step(run / "state")
    kept = max((line["seconds"] for line in lines if line["step"] <= saved), default=0.0)
    return max((line["seconds"] for line in lines), default=0.0) - kept


def differences(run: Path, config: RunConfig) -> Iterator[str]:
    """In what a finished run is not what a trainer that was never interrupted makes of its config."""
    status = read_json(run / "status.json")
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
        if step in grids and grids[step].read_bytes() != encode_webp(grid(to_uint8(trainer.sample_grid()), columns=8)):
            yield f"the grid of step {step}"
    tensors, meta = read_state(run / "state" / NEWEST)
    if (meta["step"], meta["total_images"]) != (trainer.step, trainer.total_images):
        yield f"it ended at step {meta['step']} of {meta['total_images']} images"
    with tempfile.TemporaryDirectory() as place:
        expected = _state_of(trainer, Path(place))
    if digest(tensors) != digest(expected):
        shared = tensors.keys() & expected.keys()
        wrong = sorted((tensors.keys() ^ expected.keys()) | {name for name in shared if not torch.equal(tensors[name], expected[name])})
        yield f"{len(wrong)} tensors of the checkpoint, as {wrong[0] if wrong else 'none alone'}"


def _state_of(trainer: Trainer, place: Path) -> dict[str, torch.Tensor]:
    save_state(place, trainer, {})
    return read_state(place / NEWEST)[0]


def main(words: Sequence[str] | None = None) -> int:
    """The command: 0 where every run ended as it should."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=100, help="in all")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(words)
    rng, total, bad, aimed = random.Random(options.seed), 0, 0, 0
    with tempfile.TemporaryDirectory() as place:
        number = 0
        while total < options.kills:
            recipe = list(RUNS)[number % len(RUNS)]
            outcome = survive(config_of(recipe, seed=number), min(25, options.kills - total), Path(place), rng)
            total, bad, number = total + outcome.kills, bad + bool(outcome.differences or outcome.lost > MOST_LOST), number + 1
            aimed += outcome.in_writing
            print(f"{recipe:12} {outcome.kills:3} kills, {outcome.in_writing} while a checkpoint was written, at most {outcome.lost:.1f} s lost: "
                  f"{'; '.join(outcome.differences) or 'the same to the last bit'}", flush=True)  # fmt: skip
    print(f"{total} kills, {aimed} of them while a checkpoint was written, {number} runs, {bad} of them different or set back by more than {MOST_LOST:g} s")
    return 1 if bad or (options.kills >= 10 and not aimed) else 0


if __name__ == "__main__":
    sys.exit(main())
