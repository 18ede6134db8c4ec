"""Train a run as if nobody had killed it, and compare with one that was killed."""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from gan.device import pick_device
from gan.export.event_file import FILE, FOLDER, whole_size
from gan.files import read_json, read_lines, read_object
from gan.kinds import Sheet, get_kind
from gan.runs.more import extensions
from gan.train.base import METRICS
from gan.train.checkpoint import NEWEST, digest, read_state, tensors_of
from gan.train.origin import START
from gan.worker.run_dir import KEEP_GRIDS, read_config
from tests.support.processes.events import read_events

Back = Sequence[Sequence[int]]  # of each kill: the step of the checkpoint, and of the newest statistics


@dataclass
class Undisturbed:
    """A run that nobody killed: its end, and what it showed at the steps at which the killed run did."""

    config: Any
    origin: dict[str, Any]  # the record of the model that it began with
    of_step: int  # images
    first: int  # step at which it was given more, or its last one
    means: dict[int, dict[str, float]]
    sheets: dict[int, Sheet]
    tensors: dict[str, torch.Tensor]
    step: int
    total_images: float


Check = Callable[[Path, Undisturbed, Back], Iterator[str]]


def retrain(make: Callable[[Path, int], None], steps: tuple[int, int], run: Path) -> Undisturbed:
    """Train what `make` writes on the device of a killed run, past the steps at which that wrote files.

    steps: of the first budget and the last one.
    """
    first, last = steps
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder, "fresh")
        make(fresh, first)
        config = read_config(fresh)
        engine = get_kind(config.kind).load_engine()
        compute = {"device": pick_device().torch_name, **read_json(run / "status.json")["compute"]}
        device = engine.choose_device(pick_device(), compute)
        torch.set_num_threads(device.threads)
        torch.set_flush_denormal(True)
        trainer = engine.build(config, engine.load(config), device)
        for _ in engine.begin(trainer, config, fresh):
            pass
        record = read_object(fresh / START / "origin.json")
    of_step, grids = config.batch * config.d_steps, _grids(run)
    shown = {*_lines(run), *grids, *(images // of_step for images in tracked_images(run)), first, last}
    means, sheets = {}, {}
    for step in sorted(shown):
        if step > trainer.step:
            means[step] = trainer.advance(step - trainer.step)
        if step in grids:
            sheets[step] = trainer.sample_sheet()
        if step == first:
            trainer.total_images = float(last * of_step)
    if last > first:
        config = config.longer((last - first) * of_step / 1000)
    end = tensors_of(trainer), trainer.step, trainer.total_images
    return Undisturbed(config, record, of_step, first, means, sheets, *end)


def differences(run: Path, expected: Undisturbed, back: Back, check: Check) -> Iterator[str]:
    """Yield the differences between a killed run that finished and an undisturbed one."""
    if read_config(run) != expected.config:
        yield "its settings"
    yield from _statistics(run, expected)
    for step, path in _grids(run).items():
        if path.read_bytes() != expected.sheets[step].data:
            yield f"the grid of step {step}"
    yield from check(run, expected, back)
    yield from _tensors(run, expected)


def _lines(run: Path) -> dict[int, dict[str, Any]]:
    return {line["step"]: line for line in read_lines(run / "stats.jsonl")[0]}


def _grids(run: Path) -> dict[int, Path]:
    return {int(path.stem): path for path in sorted((run / "samples").glob("*.webp"))}


def _statistics(run: Path, expected: Undisturbed) -> Iterator[str]:
    """Compare all numbers but times. The scores are those of an earlier grid, or none after a kill."""
    lines, thinned = _lines(run), len(expected.sheets) >= KEEP_GRIDS
    names = list(next(iter(expected.sheets.values())).scores)
    if len(lines) != len(read_lines(run / "stats.jsonl")[0]):
        yield "statistics of a step that come twice"
    for step, line in lines.items():
        wrong = [name for name in METRICS if line[name] != float(f"{expected.means[step][name]:.5g}")]
        found = [line[name] for name in names]
        before = [list(sheet.scores.values()) for at, sheet in expected.sheets.items() if at < step]
        if not (thinned or found in before or found == [None] * len(names)):
            wrong += names
        if wrong or line["images"] != step * expected.of_step:
            yield f"statistics of step {step}: {', '.join(wrong) or 'images'}"


def _tensors(run: Path, expected: Undisturbed) -> Iterator[str]:
    tensors, meta = read_state(run / "state" / NEWEST)
    if (meta["step"], meta["total_images"]) != (expected.step, expected.total_images):
        yield f"it ended at step {meta['step']} of {meta['total_images']} images"
    if digest(tensors) != digest(expected.tensors):
        shared = tensors.keys() & expected.tensors.keys()
        wrong = sorted(
            (tensors.keys() ^ expected.tensors.keys())
            | {name for name in shared if not torch.equal(tensors[name], expected.tensors[name])}
        )
        yield f"{len(wrong)} tensors of the checkpoint, as {wrong[0] if wrong else 'none alone'}"


def nothing(run: Path, expected: Undisturbed, back: Back) -> Iterator[str]:
    """Check nothing more."""
    return iter(())


def origin(run: Path, expected: Undisturbed, back: Back) -> Iterator[str]:
    """Compare the record of the model that a run began with."""
    if not expected.origin or read_object(run / START / "origin.json") != expected.origin:
        yield "the model that it began with"


def extension(run: Path, expected: Undisturbed, back: Back) -> Iterator[str]:
    """Check that the run's card tells once that it was given more."""
    at, end = expected.first * expected.of_step, expected.step * expected.of_step
    if extensions(run) != [{"at_images": at, "kimg": (end - at) / 1000}]:
        yield f"its extensions: {extensions(run)}"


def tracked_images(run: Path) -> list[int]:
    """Return the images of each point that TensorBoard has of a run."""
    path = run / FOLDER / FILE
    return [one.step for one in _points(path)] if path.exists() else []


def _points(path: Path) -> list[Any]:
    return [
        one for one in read_events(path) if {each.tag for each in one.summary.value} & {"pair", "samples"}
    ]


def tracked(run: Path, expected: Undisturbed, back: Back) -> Iterator[str]:
    """Check that TensorBoard's file has each point of the run once, with its values.

    After a kill a run goes back to its checkpoint. The points behind it stay, and the run's own come after
    the last of them.
    """
    path = run / FOLDER / FILE
    points, lines = _points(path), _lines(run)
    if whole_size(path) != path.stat().st_size:
        yield "half a record of the tracker"
    steps = [one.step // expected.of_step for one in points]
    if steps != sorted(set(steps)) or steps[:1] != [0]:
        yield "points of the tracker that come twice or in disorder"
    for step in sorted({*steps[1:]} ^ lines.keys()):
        if not any(saved < step <= newest for saved, newest in back):
            yield f"step {step} {'is missing in' if step in lines else 'is only in'} the tracker"
    for step, one in zip(steps[1:], points[1:], strict=True):
        values = {each.tag: each.simple_value for each in one.summary.value}
        means = {name: float(f"{value:.5g}") for name, value in expected.means[step].items()}
        if any(values[name] != torch.tensor(means[name]).item() for name in METRICS):
            yield f"values of step {step} in the tracker"
    if "samples" not in {each.tag for each in points[-1].summary.value}:
        yield "the last grid in the tracker"
