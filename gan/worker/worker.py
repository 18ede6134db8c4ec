"""Train one run: drive its trainer on a run directory until the budget is used or a command ends it.

The run's kind brings data and trainer (see gan.kinds). The trainer knows neither clock nor files; the worker
has both. It runs the trainer in chunks of about a quarter of a second. Between chunks it writes statistics,
sample sheets, the live generator and checkpoints, and reads commands. However the worker ends, the run can
resume from its last checkpoint.
"""

import dataclasses
import math
import os
import signal
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from gan.data import Dataset, public_name
from gan.device import Device, pick_device
from gan.device import be_nice as lower_priority
from gan.errors import Unharmed, UserError, is_out_of_memory
from gan.files import FULL, read_object, write_json
from gan.kinds import KINDS, RECORD, Trainer, get_kind
from gan.train.autotune.machine import compute
from gan.train.checkpoint import (
    NEWEST,
    PREVIOUS,
    Loaded,
    has_state,
    load_state,
    save_state,
    saved_counters,
    saved_step,
)
from gan.train.parallel.team import ALONE, Team, TeamLost
from gan.train.throttle import CHUNK_SECONDS, GRID_SECONDS, GRID_SHARE, Throttle
from gan.worker import decoded, ranks
from gan.worker.adjustments import adjust
from gan.worker.alone import refuse_second_worker
from gan.worker.growth import settle
from gan.worker.health import WINDOW, judge
from gan.worker.mistakes import harmless, status_error, translate
from gan.worker.run_dir import RunDir, noted_actions, read_config
from gan.worker.watch import Watch

STATUS_SECONDS = 0.5
LIVE_SECONDS = 3.0
# with one chunk and the write itself, a crash loses less than 10 s of training
STATE_SECONDS, STATE_SHARE = 6.0, 0.5
ROLLBACKS = 3  # a run that diverges once more fails
SNAPSHOT_GROWTH = 1.3  # images seen at a snapshot, relative to the previous one
FIRST_SNAPSHOT = 2000


class Worker:
    """One run, from the state of its directory until it ends, pauses or fails.

    In a team this is rank 0; the others follow its orders (gan.worker.ranks).
    """

    def __init__(
        self,
        path: Path,
        report: Callable[[dict[str, Any]], None],
        place: str | None = None,
        team: Team = ALONE,
    ):
        self.path, self.report, self.place, self.team = path, report, place, team
        settle(path)
        self.config = read_config(path)
        self.kind = get_kind(self.config.kind)
        self.engine = self.kind.load_engine()
        self.trainer: Trainer
        self.dir = RunDir(path)
        self.asked_to_end: str | None = None
        self.elapsed = 0.0  # seconds of training, without pauses
        self.rate = 0.0  # images/s, smoothed
        self.rollbacks = 0
        self.went_back_to = -1  # step of the checkpoint that the last rollback loaded
        self.next_snapshot: float = FIRST_SNAPSHOT  # images seen
        often = self.kind.SHEET_SECONDS
        self.chunk_seconds = min(CHUNK_SECONDS, often)
        self.grid = Throttle(min(GRID_SECONDS, often), GRID_SHARE)
        self.status, self.live, self.state = (
            Throttle(min(STATUS_SECONDS, often)),
            Throttle(LIVE_SECONDS),
            Throttle(STATE_SECONDS, STATE_SHARE),
        )
        self.watch = Watch()
        self.scores: dict[str, float | None] = {}  # of the newest sheet
        self.stats: deque[dict[str, Any]] = deque(maxlen=WINDOW)

    def prepare(self) -> None:
        """Load data and networks, load the checkpoint if there is one, and write the first sheet."""
        self.dir.reserve()
        picked, process = pick_device(), ranks.owner()
        self.dir.write_status(
            state="starting",
            kind=self.config.kind,
            device=picked.label,
            pid=process.pid,
            pid_started=process.create_time(),
            where=None,
        )
        device = self._device(picked)
        torch.set_num_threads(device.threads)
        self.dir.write_status(device=device.label, compute=compute(device))
        began = has_state(self.path / "state")
        with self.dir.signs_of_life(), harmless(began):
            found = self.kind.locate(self.path, self.place or self.config.data, began)
            self.config = dataclasses.replace(self.config, data=found)
            data = self.load_data()
            if began or not self.dir.has_learnt():
                data = self._share(self._record(data, began))
            if self.team.size > self.config.batch:
                raise UserError("train.team_too_large", size=self.team.size, batch=self.config.batch)
            ranks.order_build(self.team, device, (self.path / decoded.FILE).exists())
            self.trainer = self.engine.build(self.config, data, device, self.team)
            self.trainer.actions = noted_actions(self.path)
        self.dir.write_reals(self.trainer.real_sheet())
        self.scores = dict.fromkeys(self.trainer.SCORES)
        sizes = {
            name: sum(p.numel() for p in net.parameters())
            for name, net in (("G", self.trainer.G), ("D", self.trainer.D))
        }
        self.dir.status |= {
            "parameters": sizes,
            "classes": list(self.trainer.classes),
            "modes": self.trainer.modes,
            "held_out": self.trainer.held_out,
        }
        if began:
            self._go_back()
        # a checkpoint exists from step 0 on, so somebody removed it and may have a copy
        elif self.dir.has_learnt():
            raise UserError("train.no_sound_checkpoint")
        else:
            for key, values in self.engine.remarks(data):
                self.dir.note(key, **values)
            for key, values in self.engine.begin(self.trainer, self.config, self.path):
                self.dir.note(key, **values)
            self.dir.rewind(-1)
            self.grid.run(self._write_sheet)
            self.state.run(self._write_state)  # a rollback always finds a checkpoint
            ranks.order_load(self.team, NEWEST)  # the others lack what `begin` has loaded
        self.dir.write_status(state="running", step_seconds=self.engine.first_step_seconds(self.config, data))

    def load_data(self) -> Any:
        """Return the data of the run. Raises UserError if they can't be read."""
        return self.engine.load(self.config)

    def _share(self, data: Any) -> Any:
        """Let the ranks of a team share one file with a person's own images, in the recorded order."""
        if self.team.size == 1 or self.kind.is_named(self.config.data) or not isinstance(data, Dataset):
            return data
        decoded.keep(self.path, self.config, data)
        found = decoded.kept(self.path, self.config)
        return data if found is None else dataclasses.replace(found, report=data.report, source=data.source)

    def _record(self, data: Any, began: bool) -> Any:
        """Write the record of a new run's data; restore the order of the data of a run that `began`.

        Raises Unharmed when the data is other than before.
        """
        saved = saved_counters(self.path / "state") if began else None
        # raises before config.json gets the path of data that the run can't learn from
        data, self.record, events = self.engine.recognise(self.config, data, self.path, saved)
        for key, values in events:
            self.dir.note(key, **values)
        if read_object(self.path / RECORD) != self.record.to_json():
            write_json(self.path / RECORD, self.record.to_json())
        before = read_config(self.path)
        if before != self.config:  # the data moved, or its path was relative
            if self.place is not None and began:
                self.dir.note("pictures_moved", name=public_name(self.config.data))
            write_json(self.path / "config.json", self.config.to_json())
        return data

    def _device(self, picked: Device) -> Device:
        """Return the kind's choice of device, and note a choice other than the first session's."""
        began = saved_counters(self.path / "state").get("compute")
        device = self.choose_device(picked, began)
        self.compute = {"device": device.torch_name, **compute(device)}
        # before the first step nothing depends on the device
        if began not in (None, self.compute) and saved_step(self.path / "state") > 0:
            self.dir.note("other_machine", began=_described(began), now=_described(self.compute))
        return device

    def choose_device(self, picked: Device, began: Any) -> Device:
        """Return the device to train on. began: the compute settings in the checkpoint, if any."""
        return self.engine.choose_device(picked, began)

    def _load(self, order: Sequence[str]) -> Loaded:
        """Load the first sound checkpoint in this order. Where memory is full, try once more."""
        try:
            return load_state(self.path / "state", self.trainer, order)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
        # outside the except block, so that the tensors read so far are freed
        return load_state(self.path / "state", self.trainer, order)

    def _go_back(self, order: Sequence[str] = (NEWEST, PREVIOUS)) -> None:
        """Roll back to the first sound checkpoint in this order."""
        counters, damage = self._load(order)
        ranks.order_load(self.team, order[1 if damage else 0])
        self.elapsed, self.rate, self.next_snapshot, self.rollbacks = (
            counters[name] for name in ("elapsed", "rate", "next_snapshot", "rollbacks")
        )
        self._apply_budget()
        self.dir.rewind(self.trainer.step)
        self.stats.clear()
        lines = self.dir.stats()
        self.stats.extend(lines[-WINDOW:])
        self.watch.replay(lines)
        if damage and order[0] == NEWEST:
            self.dir.note(f"checkpoint_{damage}", step=self.trainer.step)

    def _apply_budget(self) -> None:
        """Make the schedules go by the budget, which may be larger than it was at the checkpoint."""
        if self.config.budget_images:
            self.trainer.total_images = float(self.config.budget_images)
        elif self.trainer.progress >= 1 > self.progress:
            self._forecast()

    def train(self) -> str:
        """Train until the end and return the run's final state: finished, paused or stopped."""
        steps = 1
        while self.progress < 1 and self.asked_to_end is None and not self.out_of_time():
            if ranks.deserted():
                self.end("pause")
                break
            start = time.monotonic()
            means = self._advance(steps)
            if means is None:
                steps = 1
                continue
            chunk_seconds = time.monotonic() - start
            self.dir.status["step_seconds"] = chunk_seconds / steps
            self._publish(means)
            self._account(time.monotonic() - start, steps)
            steps = max(1, min(2 * steps, round(steps * self.chunk_seconds / chunk_seconds)))
            if self.config.budget_images:
                left = (self.trainer.total_images - self.trainer.images_seen) / (
                    self.config.batch * self.config.d_steps
                )
                steps = max(1, min(steps, math.ceil(left)))
        return self._end()

    def _advance(self, steps: int) -> dict[str, float] | None:
        """Take some steps and return their mean statistics; None if the run had to roll back."""
        means, outcome = ranks.advance_together(self.team, self.trainer, steps)
        if outcome == ranks.HEALTHY:
            return means
        (self._save_memory if outcome == ranks.OUT_OF_MEMORY else self._slow_down)(self.trainer.step)
        return None

    def _slow_down(self, at: int) -> None:
        """Recover from NaN or inf: roll back, and halve the learning rates.

        If the run diverged twice from the same checkpoint, that one may already hold the cause: load the
        previous one. Raises UserError after ROLLBACKS rollbacks.
        """
        rollbacks = self.rollbacks + 1
        if rollbacks > ROLLBACKS:
            raise UserError("train.diverged", times=rollbacks, step=at)
        again = saved_step(self.path / "state") == self.went_back_to
        self._go_back((PREVIOUS, NEWEST) if again else (NEWEST, PREVIOUS))
        self.went_back_to = self.trainer.step
        self.rollbacks = rollbacks  # the checkpoint may hold an older count
        self.trainer.lr_factor = 0.5**rollbacks
        self.dir.note(
            "rolled_back", at=at, step=self.trainer.step, percent=f"{100 * self.trainer.lr_factor:g}"
        )
        self.trainer.actions = noted_actions(self.path)  # without those after this step, a cause perhaps
        ranks.order_actions(self.team)
        self._write_state(replace=True)

    def _save_memory(self, at: int) -> None:
        """Recover from full memory: roll back, and halve the micro-batch.

        Raises UserError when a micro-batch is a single image already.
        """
        parts = 2 * self.trainer.splits
        if parts > self.config.batch:
            raise UserError("train.out_of_memory")
        self._go_back()
        self.trainer.splits = parts
        self.dir.note("in_parts", at=at, step=self.trainer.step, parts=parts)
        self._write_state(replace=True)

    def end(self, how: str) -> None:
        """Ask the run to end after its step: "pause" or "stop". A stop is final and overrides a pause."""
        if self.asked_to_end != "stop":
            self.asked_to_end = how

    def out_of_time(self) -> bool:
        """Return whether the process must end before the run does. This one may stay."""
        return False

    @property
    def progress(self) -> float:
        """Fraction of the budget used: of images if the config sets a number of them, else of time."""
        return (
            self.trainer.progress
            if self.config.budget_images
            else min(1.0, self.elapsed / (60 * self.config.minutes))
        )

    def _account(self, seconds: float, steps: int) -> None:
        """Update time and rate. With a time budget, forecast its images: schedules depend on images alone."""
        rate = steps * self.config.batch * self.config.d_steps / seconds
        weight = 1 - math.exp(-seconds / 5) if self.rate else 1.0
        self.rate += weight * (rate - self.rate)
        self.elapsed += seconds
        if not self.config.budget_images:
            self._forecast()

    def _forecast(self) -> None:
        """Forecast the images of a budget in minutes."""
        left = max(0.0, 60 * self.config.minutes - self.elapsed)
        self.trainer.total_images = self.trainer.images_seen + self.rate * left

    def _publish(self, means: dict[str, float]) -> None:
        commands = self.dir.take_commands()
        asked = [command["command"] for command in commands]
        for command in commands:
            if command["command"] in ("pause", "stop"):
                self.end(command["command"])
            if command["command"] == "adjust" and adjust(self.trainer, self.config, self.dir, command):
                ranks.order_actions(self.team)
        line: dict[str, Any] = {
            "step": self.trainer.step,
            "images": self.trainer.images_seen,
            "seconds": round(self.elapsed, 2),
        }
        line |= {name: float(f"{value:.5g}") for name, value in means.items()}
        measured = self.watch.measure(self.trainer)
        line |= {**self.scores, "rate": round(self.rate, 1), **measured}
        if measured:
            self._write_eyes()
        self.stats.append(line)
        self.dir.write_stats(line)
        self.watch.see(line)
        self.grid.run(self._write_sheet, force="sample" in asked)
        self.live.run(self._write_live)
        if self.trainer.images_seen >= self.next_snapshot or "save" in asked:
            self.dir.write_snapshot(self.trainer.step, self.trainer.published())
            self.next_snapshot = SNAPSHOT_GROWTH * max(self.trainer.images_seen, FIRST_SNAPSHOT)
        self.state.run(self._write_state, force="save" in asked)
        self.status.run(self._write_status, force=bool(asked) or self.trainer.step <= 4)

    def _write_sheet(self) -> None:
        sheet = self.trainer.sample_sheet()
        self.scores = sheet.scores
        self.dir.write_sheet(self.trainer.step, sheet.data)

    def _write_eyes(self, anew: bool = False) -> None:
        eyes = self.trainer.eyes(anew)
        if eyes is not None:
            self.dir.write_eyes(self.trainer.step, self.trainer.images_seen, eyes)

    def _write_live(self) -> None:
        self.dir.write_live(self.trainer.step, self.trainer.published())

    def _write_state(self, replace: bool = False) -> None:
        counters = {
            "elapsed": self.elapsed,
            "rate": self.rate,
            "next_snapshot": self.next_snapshot,
            "rollbacks": self.rollbacks,
            "compute": self.compute,
            "data": self.record.short(),
        }
        save_state(self.path / "state", self.trainer, counters, replace)

    def _write_status(self, state: str = "running") -> None:
        total = self.trainer.total_images
        left = (
            max(0.0, total - self.trainer.images_seen) / self.rate
            if self.rate and math.isfinite(total)
            else None
        )
        judged = judge(list(self.stats), self.progress, self.config.loss, self.trainer.modes)
        self.dir.write_status(
            state=state,
            step=self.trainer.step,
            images=self.trainer.images_seen,
            progress=round(self.progress, 5),
            elapsed=round(self.elapsed, 2),
            eta=None if left is None or state != "running" else round(left, 1),
            rate=round(self.rate, 1) or None,
            verdict=self.watch.verdict(judged),
        )
        self.report(self.dir.status)

    def _end(self) -> str:
        """Write the checkpoint, the live generator and a last sheet; unless paused, a last snapshot too."""
        state = {None: "finished", "pause": "paused", "stop": "stopped"}[self.asked_to_end]
        self._write_state()
        self._write_sheet()
        self._write_eyes(anew=True)
        self._write_live()
        if state != "paused":
            decoded.drop(self.path)
            self.dir.write_snapshot(self.trainer.step, self.trainer.published())
        self._write_status(state)
        return state

    def pause_on_full_disk(self) -> str:
        """Pause the run and write why, in the reserved space. The last checkpoint stays as it is."""
        self.dir.give_up_reserve()
        saved = saved_step(self.path / "state")
        self.dir.note("disk_full", at=self.dir.status["step"], step=saved)
        self.dir.write_status(state="paused", eta=None, error=status_error(UserError("train.disk_full")))
        return "paused"


def _described(compute: Any) -> str:
    """Describe the compute settings without words that need translation; a checkpoint may hold anything."""
    if not isinstance(compute, dict):
        return str(compute)
    layout = "channels_last" if compute.get("channels_last") else "contiguous"
    return f"{compute.get('device')} × {compute.get('threads')}, {compute.get('precision')}, {layout}"


def be_nice() -> None:
    """Lower this process's priority by $GANARIUM_NICE, which the server sets for its workers."""
    lower_priority(int(os.environ.get("GANARIUM_NICE", "0")))


def warm_up() -> None:
    """Import and warm up every kind: the first step of a process costs seconds."""
    for name in KINDS:
        get_kind(name).load_engine().warm_up()


def work(
    path: Path,
    report: Callable[[dict[str, Any]], None] = lambda status: None,
    place: str | None = None,
    team: Team = ALONE,
    make: "Callable[..., Worker]" = Worker,
) -> str:
    """Train the run in directory `path` until it finishes, pauses or stops, and return that state.

    place: where its data is now, if they moved. team: this process must be its rank 0. make: builds the
    worker. SIGTERM and SIGINT pause the run. A UserError or a defect sets the status to "failed" and is
    raised again; Unharmed leaves the run's state as it was. TeamLost leaves the run "running", because
    torchrun starts it again.
    """
    refuse_second_worker(path)
    torch.set_flush_denormal(True)
    try:
        worker = make(path, report, place, team)
        if threading.current_thread() is threading.main_thread():  # only it can handle signals
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: worker.end("pause"))
        try:
            worker.prepare()
            return worker.train()
        except OSError as error:
            if error.errno not in FULL:
                raise
            return worker.pause_on_full_disk()
    except TeamLost:
        raise
    except Exception as error:
        mistake = translate(error)
        if is_out_of_memory(error):
            traceback.clear_frames(error.__traceback__)  # frees tensors, so that writing the status succeeds
        if isinstance(mistake, Unharmed):
            worker.dir.stay_as_it_was(None if place else status_error(mistake))
        else:
            _fail(path, mistake)
        if mistake is error:
            raise
        raise mistake from error


def _fail(path: Path, error: Exception) -> None:
    """Set the status to "failed" with this error, if `path` is a run."""
    if not (path / "config.json").exists():
        return
    RunDir(path).write_status(state="failed", eta=None, error=status_error(error))
    decoded.drop(path)
