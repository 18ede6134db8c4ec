"""Two seconds of real training steps that measure which settings train fastest on this machine, and how fast.

Only a clear gain moves a choice away from the defaults (all threads, float32, channels last), because other
programs make single timings uncertain. They can only add time, so the shortest of a few repetitions counts.
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

CLEAR = 0.9  # part of the time that another way may take at most to be chosen
# a way whose first step takes so many times the least step so far, and this, is not measured further
HOPELESS, SET_UP_SECONDS = 4.0, 0.5
LIMIT_SECONDS = 3.0  # after that the rest is left out
REPEAT_SECONDS, REPEAT_MOST = 0.1, 5
BUSY_CORES = 0.3  # cores that other programs may use while the machine still counts as quiet
LOOK_SECONDS, QUIET_SECONDS = 0.3, 10.0
GPU_WARM_UP, GPU_STEPS = 10, 20

# Ways are compared on these. Every step has its penalty, so that all are alike, and batches are small, so
# that they are short.
_ALIKE = {"penalty_every": 1, "conditional": False}
WORKLOADS = {
    "digits": make_config("digits", "modern", 28, 1, batch=32, **_ALIKE),
    "landscapes": make_config("landscapes", "modern", 64, 3, batch=8, **_ALIKE),
}
# These are timed beside them in the way that was chosen: mostly overhead, and mostly wide layers.
PROBES = {
    "small": make_config("digits", "modern", 28, 1, width=16, batch=8, **_ALIKE),
    "wide": make_config("landscapes", "dcgan", 64, 3, batch=4, **_ALIKE),
}


class Way(NamedTuple):
    """How steps can be taken on a device: what the self-test chooses."""

    threads: int
    precision: str = "float32"
    channels_last: bool = True


Seconds = dict[str, float]
Timer = Callable[[Way], Seconds]


def choose(time_steps: Timer, threads: int, bf16: bool) -> tuple[Way, list[Trial]]:
    """The fastest way and all that were tried, one setting after the other, each on top of the best before.

    time_steps(way) gives the seconds of a step of each workload, or fewer workloads where it gave up.
    `threads` is the most that may be used, `bf16` whether that is worth trying. A way that wins has to win
    again over a second timing of the way before, which noise may have hit.
    """
    best = Way(threads)
    times = time_steps(best)
    trials = [Trial(*best, times)]

    def part(found: Seconds) -> float:
        """Mean part of the best way's time, over the workloads; infinite where one was given up."""
        return (
            math.prod(found[name] / times[name] for name in times) ** (1 / len(times))
            if found.keys() == times.keys()
            else math.inf
        )

    def wins(way: Way) -> float:
        """Try a way, make it the best where it is clearly faster, and return its part of the time that was to
        beat.
        """
        nonlocal best, times
        trials.append(Trial(*way, time_steps(way)))
        found = trials[-1].seconds
        if part(found) <= CLEAR:
            again = time_steps(best)
            times.update({name: min(seconds, times[name]) for name, seconds in again.items()})
        share = part(found)
        if share <= CLEAR:
            best, times = way, found
        return share

    if bf16:
        wins(best._replace(precision="bf16"))
    wins(best._replace(channels_last=False))
    fewer = threads // 2
    while fewer and wins(best._replace(threads=fewer)) < 1:
        fewer //= 2
    return best, trials


def fit(measured: Sequence[tuple[Work, float]]) -> Speed:
    """The speed that explains the seconds of these pieces of work best: least squares of relative errors,
    neither part of it negative.
    """
    parts = np.array([[work.calls / seconds, work.flops / seconds] for work, seconds in measured])
    wanted = np.ones(len(parts))
    both, *_ = np.linalg.lstsq(parts, wanted, rcond=None)
    if (both >= 0).all():
        return Speed(*both.tolist())
    alone = parts.T @ wanted / (parts**2).sum(0)
    call_is_better = ((parts * alone - 1) ** 2).sum(0).argmin() == 0
    return Speed(float(alone[0]), 0.0) if call_is_better else Speed(0.0, float(alone[1]))


def measure(picked: Device) -> Machine:
    """Time this machine: some two seconds on an idle one, LIMIT_SECONDS or a little more on a busy one.
    Changes the number of torch's threads.

    Where other programs were at work, comparisons mean nothing: the defaults stay.
    """
    torch.set_flush_denormal(True)
    bench = _Bench(picked)
    with _quietness() as disturbed:
        way, trials = (
            bench.on_gpu()
            if picked.torch_name == "cuda"
            else choose(bench.workloads, picked.threads, native_bf16("cpu"))
        )
    if disturbed():
        way = _way(trials[0])
    seconds = next(trial.seconds for trial in trials if _way(trial) == way) | bench.time(
        way, PROBES, must=True
    )
    speed = fit(
        [(count_step(config).work, seconds[name]) for name, config in {**WORKLOADS, **PROBES}.items()]
    )
    return Machine(picked.label, picked.torch_name, *way, speed, bench.base, not disturbed(), tuple(trials))


def load_or_measure(picked: Device) -> Machine:
    """What is remembered of this device, else what is measured now, and remembered from then on."""
    known = machine.load_profile()
    if known is None or (known.torch_name, known.label) != (picked.torch_name, picked.label):
        known = measure(picked)
        machine.save_profile(known)
    return known


def measure_when_quiet(called: Callable[[float], bool]) -> None:
    """Measure the machine ahead of its first run, if that is not done yet, as soon as other programs leave it
    alone.

    called(seconds) waits up to that long and says whether there is a run to train, which ends the waiting.
    What was once measured while the machine was busy is measured again, but only in quiet.
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


def _way(trial: Trial) -> Way:
    return Way(trial.threads, trial.precision, trial.channels_last)


def native_bf16(torch_name: str) -> bool:
    """Whether a device, by torch's name of it, multiplies bf16 by itself: GPUs from Ampere on, CPUs with
    AVX512_BF16 or AMX.

    Where it does not, torch's bf16 is emulated, on CPUs many times slower than float32.
    """
    if torch_name == "cuda":
        return torch.cuda.get_device_capability() >= (8, 0) and torch.cuda.is_bf16_supported()
    return any(
        getattr(torch.cpu, name, bool)() for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    )


class _Bench:
    """Times steps on one device, and leaves things out once it has taken too long."""

    def __init__(self, picked: Device):
        self.picked, self.on_cuda = picked, picked.torch_name == "cuda"
        self.end, self.least = math.inf, {}
        # the first steps of a process load parts of torch, which is not to be timed
        self.time(Way(picked.threads), {"small": PROBES["small"]})
        self.base = _memory(self.on_cuda)
        self.end, self.least = time.monotonic() + LIMIT_SECONDS, {}

    def on_gpu(self) -> tuple[Way, list[Trial]]:
        """The way of a GPU is known without comparing: bf16 where it has that."""
        way = Way(self.picked.threads, "bf16" if native_bf16("cuda") else "float32")
        return way, [Trial(*way, self.workloads(way))]

    def workloads(self, way: Way) -> Seconds:
        """Least seconds of a step of each of WORKLOADS; the first way is measured whole."""
        return self.time(way, WORKLOADS, must=not self.least)

    def time(self, way: Way, configs: dict[str, RunConfig], must: bool = False) -> Seconds:
        """Least seconds of a step of each config. Ends with the first that is hopeless, or for which there is
        no time left unless it `must` be measured.
        """
        times: Seconds = {}
        torch.set_num_threads(way.threads)
        for name, config in configs.items():
            if not must and time.monotonic() > self.end:
                break
            images = torch.randint(
                0, 256, (2 * config.batch, config.channels, config.size, config.size), dtype=torch.uint8
            )
            trainer = Trainer(config, Dataset("self-test", images), machine.set_up(self.picked, *way))
            first = self._seconds(trainer, GPU_WARM_UP if self.on_cuda else 1)  # it also chooses algorithms
            if not self.on_cuda and first > HOPELESS * self.least.get(name, math.inf) + SET_UP_SECONDS:
                break
            times[name] = self._least(trainer)
            self.least[name] = min(times[name], self.least.get(name, math.inf))
        return times

    def _least(self, trainer: Trainer) -> float:
        """Least seconds of a step over a few repetitions; of one where it is late."""
        steps, times = GPU_STEPS if self.on_cuda else 1, []
        while not times or (
            time.monotonic() < self.end
            and len(times) < REPEAT_MOST
            and (len(times) < 2 or sum(times) < REPEAT_SECONDS)
        ):
            times.append(self._seconds(trainer, steps))
        return min(times) / steps

    def _seconds(self, trainer: Trainer, steps: int) -> float:
        """Of so many steps: `advance` waits for the device at its end. On a CPU never more than the time that
        all its threads were at work together.

        On a machine whose cores are taken that is the smaller of the two by far, and still an upper bound of
        what the steps take without the others.
        """
        start, worked = time.perf_counter(), time.process_time()
        trainer.advance(steps)
        waited = time.perf_counter() - start
        return waited if self.on_cuda else min(waited, time.process_time() - worked)


def _memory(on_cuda: bool) -> int:
    """Bytes taken before there is a run: of the GPU, by all who use it, or by this process."""
    if not on_cuda:
        return psutil.Process().memory_info().rss
    free, total = torch.cuda.mem_get_info()
    return total - free - torch.cuda.memory_reserved()


@contextlib.contextmanager
def _quietness() -> Iterator[Callable[[], bool]]:
    """Yields what says, after the block, whether other programs kept cores busy meanwhile that this one may
    use.
    """
    start, busy, own = time.monotonic(), _busy(), time.process_time()
    others: list[float] = []
    yield lambda: others[0] > (psutil.cpu_count() or 1) - cpu_quota() + BUSY_CORES
    others.append((_busy() - busy - (time.process_time() - own)) / (time.monotonic() - start))


def _busy() -> float:
    """Seconds of all cores that were not idle since the system started; those that a virtual machine's host
    took away count as well.
    """
    times = psutil.cpu_times()
    return sum(getattr(times, name, 0.0) for name in ("user", "nice", "system", "irq", "softirq", "steal"))


def table(known: Machine) -> str:
    """What was tried, in images a second, with the chosen way marked."""
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
        mark = "*" if _way(trial) == (known.threads, known.precision, known.channels_last) else " "
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
