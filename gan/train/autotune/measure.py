"""The self-test: measure this machine's fastest training settings and its speed in two seconds.

It takes real steps. The defaults are all threads, float32 and channels last. Only a clear gain replaces them,
because other programs disturb single timings. They can only add time, so the minimum of a few repetitions
counts.
"""

import contextlib
import math
import time
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import psutil
import torch

from gan.config import RunConfig
from gan.data.dataset import Dataset
from gan.device import Device, cpu_quota, pick_device
from gan.recipes import make_config
from gan.train.autotune import machine
from gan.train.autotune.cost import count_step
from gan.train.autotune.machine import Machine, Speed, Trial, Work
from gan.train.trainer import Trainer

CLEAR = 0.9  # settings replace the best so far only if they take less than this fraction of its time
# settings are dropped if their first step takes HOPELESS times the fastest step so far plus SET_UP_SECONDS
HOPELESS, SET_UP_SECONDS = 4.0, 0.5
LIMIT_SECONDS = 3.0  # the self-test skips what is left after this
REPEAT_SECONDS, MAX_REPEATS = 0.1, 5  # a step is repeated for this long, and at most this often
BUSY_CORES = 0.3  # cores that other programs may use on a quiet machine
LOOK_SECONDS, QUIET_SECONDS = 0.3, 10.0  # one check for quiet, and the longest wait for it
GPU_WARM_UP, GPU_STEPS = 10, 20

# Settings are compared on these. All steps have a penalty, so that they are alike, and small batches, so that
# they are short.
_ALIKE = {"penalty_every": 1, "conditional": False}
WORKLOADS = {
    "digits": make_config("digits", "modern", 28, 1, batch=32, **_ALIKE),
    "landscapes": make_config("landscapes", "modern", 64, 3, batch=8, **_ALIKE),
}
# Timed too, with the settings chosen, to fit the speed: mostly call overhead, and mostly wide layers.
PROBES = {
    "small": make_config("digits", "modern", 28, 1, width=16, batch=8, **_ALIKE),
    "wide": make_config("landscapes", "dcgan", 64, 3, batch=4, **_ALIKE),
}


class Mode(NamedTuple):
    """The settings of a training step that the self-test chooses."""

    threads: int
    precision: str = "float32"
    channels_last: bool = True


Seconds = dict[str, float]
Timer = Callable[[Mode], Seconds]


def choose(time_steps: Timer, threads: int, bf16: bool) -> tuple[Mode, list[Trial]]:
    """Return the fastest settings and all trials. It varies one setting at a time, on top of the best.

    time_steps(mode) returns the seconds of a step of each workload, fewer if it gave up. threads: the
    maximum. bf16: whether to try it. A winner has to win again over a second timing of the best so far,
    because noise may have hit the first.
    """
    best = Mode(threads)
    times = time_steps(best)
    trials = [Trial(*best, times)]

    def part(found: Seconds) -> float:
        """Return the time relative to the best so far (geometric mean of workloads); inf if one is absent."""
        return (
            math.prod(found[name] / times[name] for name in times) ** (1 / len(times))
            if found.keys() == times.keys()
            else math.inf
        )

    def wins(mode: Mode) -> float:
        """Try these settings, make them the best if clearly faster, and return their relative time."""
        nonlocal best, times
        trials.append(Trial(*mode, time_steps(mode)))
        found = trials[-1].seconds
        if part(found) <= CLEAR:
            again = time_steps(best)
            times.update({name: min(seconds, times[name]) for name, seconds in again.items()})
        share = part(found)
        if share <= CLEAR:
            best, times = mode, found
        return share

    if bf16:
        wins(best._replace(precision="bf16"))
    wins(best._replace(channels_last=False))
    fewer = threads // 2
    while fewer and wins(best._replace(threads=fewer)) < 1:
        fewer //= 2
    return best, trials


def fit(measured: Sequence[tuple[Work, float]]) -> Speed:
    """Return the speed that best fits the timings: least squares of relative errors, no negative term."""
    parts = np.array([[work.calls / seconds, work.flops / seconds] for work, seconds in measured])
    wanted = np.ones(len(parts))
    both, *_ = np.linalg.lstsq(parts, wanted, rcond=None)
    if (both >= 0).all():
        return Speed(*both.tolist())
    alone = parts.T @ wanted / (parts**2).sum(0)
    call_is_better = ((parts * alone - 1) ** 2).sum(0).argmin() == 0
    return Speed(float(alone[0]), 0.0) if call_is_better else Speed(0.0, float(alone[1]))


def measure(picked: Device) -> Machine:
    """Measure this machine: about two seconds if idle, LIMIT_SECONDS or slightly more if busy.

    It changes torch's number of threads. If other programs disturbed it, comparisons mean nothing and the
    defaults stay.
    """
    torch.set_flush_denormal(True)
    bench = _Bench(picked)
    with _quietness() as disturbed:
        mode, trials = (
            bench.on_gpu()
            if picked.torch_name == "cuda"
            else choose(bench.workloads, picked.threads, native_bf16("cpu"))
        )
    if disturbed():
        mode = _mode(trials[0])
    seconds = next(trial.seconds for trial in trials if _mode(trial) == mode) | bench.time(
        mode, PROBES, must=True
    )
    speed = fit(
        [(count_step(config).work, seconds[name]) for name, config in {**WORKLOADS, **PROBES}.items()]
    )
    return Machine(picked.label, picked.torch_name, *mode, speed, bench.base, not disturbed(), tuple(trials))


def load_or_measure(picked: Device) -> Machine:
    """Return the saved profile of this device, or measure and save it."""
    known = machine.load_profile()
    if known is None or (known.torch_name, known.label) != (picked.torch_name, picked.label):
        known = measure(picked)
        machine.save_profile(known)
    return known


def measure_when_quiet(called: Callable[[float], bool]) -> None:
    """Measure the machine before its first run, as soon as other programs leave it alone.

    called(seconds) waits up to that long and returns whether there is a run to train, which ends the waiting.
    A profile from a busy machine is measured again, but only in quiet.
    """
    known, end = machine.load_profile(), time.monotonic() + QUIET_SECONDS
    while known is None or not known.quiet:
        with _quietness() as disturbed:
            if called(LOOK_SECONDS):
                return
        late = time.monotonic() > end
        if late and known is not None:
            return
        if late or not disturbed():
            machine.save_profile(measure(pick_device()))
            return


def _mode(trial: Trial) -> Mode:
    return Mode(trial.threads, trial.precision, trial.channels_last)


def native_bf16(torch_name: str) -> bool:
    """Return whether a device (torch's name) has bf16 hardware.

    GPUs have it from Ampere on, CPUs with AVX512_BF16 or AMX. Otherwise torch emulates bf16, on CPUs many
    times slower than float32.
    """
    if torch_name == "cuda":
        return torch.cuda.get_device_capability() >= (8, 0) and torch.cuda.is_bf16_supported()
    return any(
        getattr(torch.cpu, name, bool)() for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    )


class _Bench:
    """Times steps on one device, and skips the rest once it has taken too long."""

    def __init__(self, picked: Device):
        self.picked, self.on_cuda = picked, picked.torch_name == "cuda"
        self.end = math.inf
        self.least: dict[str, float] = {}
        # untimed: a process's first steps load parts of torch
        self.time(Mode(picked.threads), {"small": PROBES["small"]})
        self.base = _memory(self.on_cuda)
        self.end, self.least = time.monotonic() + LIMIT_SECONDS, {}  # forgets the untimed step

    def on_gpu(self) -> tuple[Mode, list[Trial]]:
        """Return the settings for a GPU, which need no comparison: bf16 if it has the hardware."""
        mode = Mode(self.picked.threads, "bf16" if native_bf16("cuda") else "float32")
        return mode, [Trial(*mode, self.workloads(mode))]

    def workloads(self, mode: Mode) -> Seconds:
        """Return the minimum seconds of a step of each workload. The first settings are measured in full."""
        return self.time(mode, WORKLOADS, must=not self.least)

    def time(self, mode: Mode, configs: dict[str, RunConfig], must: bool = False) -> Seconds:
        """Return the minimum seconds of a step of each config.

        Stops at the first hopeless one, or when time is up unless they `must` be measured.
        """
        times: Seconds = {}
        torch.set_num_threads(mode.threads)
        for name, config in configs.items():
            if not must and time.monotonic() > self.end:
                break
            images = torch.randint(
                0, 256, (2 * config.batch, config.channels, config.size, config.size), dtype=torch.uint8
            )
            trainer = Trainer(config, Dataset("self-test", images), machine.set_up(self.picked, *mode))
            first = self._seconds(trainer, GPU_WARM_UP if self.on_cuda else 1)  # libraries pick algorithms
            if not self.on_cuda and first > HOPELESS * self.least.get(name, math.inf) + SET_UP_SECONDS:
                break
            times[name] = self._least(trainer)
            self.least[name] = min(times[name], self.least.get(name, math.inf))
        return times

    def _least(self, trainer: Trainer) -> float:
        """Return the minimum seconds of a step over a few repetitions; over one if time is up."""
        steps = GPU_STEPS if self.on_cuda else 1
        times: list[float] = []
        while not times or (
            time.monotonic() < self.end
            and len(times) < MAX_REPEATS
            and (len(times) < 2 or sum(times) < REPEAT_SECONDS)
        ):
            times.append(self._seconds(trainer, steps))
        return min(times) / steps

    def _seconds(self, trainer: Trainer, steps: int) -> float:
        """Return the seconds of so many steps; on a CPU at most the process time of all threads together.

        If other programs take the cores, process time is far smaller than real time. It still is an upper
        bound of the time on an idle machine. On a GPU, `advance` waits for the device at its end.
        """
        start, worked = time.perf_counter(), time.process_time()
        trainer.advance(steps)
        waited = time.perf_counter() - start
        return waited if self.on_cuda else min(waited, time.process_time() - worked)


def _memory(on_cuda: bool) -> int:
    """Return the bytes used before a run: of the GPU, by all programs, or of this process."""
    if not on_cuda:
        return psutil.Process().memory_info().rss
    free, total = torch.cuda.mem_get_info()
    return total - free - torch.cuda.memory_reserved()


@contextlib.contextmanager
def _quietness() -> Iterator[Callable[[], bool]]:
    """Yield a function that says, after the block, whether other programs used this one's cores meanwhile."""
    start, busy, own = time.monotonic(), _busy(), time.process_time()
    others: list[float] = []
    yield lambda: others[0] > (psutil.cpu_count() or 1) - cpu_quota() + BUSY_CORES
    others.append((_busy() - busy - (time.process_time() - own)) / (time.monotonic() - start))


def _busy() -> float:
    """Return the busy seconds of all cores since the system started, with those that a VM's host took."""
    times = psutil.cpu_times()
    return sum(getattr(times, name, 0.0) for name in ("user", "nice", "system", "irq", "softirq", "steal"))


def table(known: Machine) -> str:
    """Return the trials as a table in images per second, with the chosen settings marked."""
    busy = "" if known.quiet else " (measured while other programs kept it busy, so the defaults stay)"
    lines = [
        known.label + busy,
        "  threads  arithmetic  layout         " + "  ".join(f"{name:>10}" for name in WORKLOADS),
    ]
    for trial in known.trials:
        layout = "channels last" if trial.channels_last else "contiguous"
        rates = [
            f"{config.batch / trial.seconds[name]:.0f}" if name in trial.seconds else "–"
            for name, config in WORKLOADS.items()
        ]
        mark = "*" if _mode(trial) == (known.threads, known.precision, known.channels_last) else " "
        lines.append(
            f"{mark} {trial.threads:>7}  {trial.precision:<10}  {layout:<13}  "
            + "  ".join(f"{rate:>10}" for rate in rates)
        )
    speed = known.speed
    arithmetic = f" and works at {1e-9 / speed.flop:.1f} GFLOP/s" if speed.flop else ""
    return "\n".join(
        [
            *lines,
            (
                f"images/s, * is used. A step takes {1e6 * speed.call:.0f} µs for each call of "
                f"torch{arithmetic}."
            ),
        ]
    )
