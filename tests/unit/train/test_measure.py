"""Test the self-test: its choice from given timings, its stored profile, and its limits.

In some cases it must not measure.
"""

import dataclasses
import json
import subprocess
import sys

import pytest

from gan.device import Device, pick_device
from gan.files import write_json
from gan.train.autotune import machine, measure
from gan.train.autotune.machine import Machine, Speed, Work
from gan.train.autotune.measure import Mode, choose, fit

CPU4 = Device("cpu", "CPU, 4 threads", 4)
KNOWN = Machine("CPU, 4 threads", "cpu", 2, "bf16", False, Speed(1e-4, 1e-11), 10**9)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache folder of its own."""
    monkeypatch.setenv("GANARIUM_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def timings(threads=lambda n: 1.0, bf16=1.0, contiguous=1.0):
    """Return a timer whose step takes the product of these, for two workloads of different length."""

    def time_steps(mode):
        seconds = (
            threads(mode.threads)
            * (bf16 if mode.precision == "bf16" else 1)
            * (1 if mode.channels_last else contiguous)
        )
        return {"digits": 0.1 * seconds, "landscapes": 0.3 * seconds}

    return time_steps


@pytest.mark.parametrize(
    ("timer", "best"),
    [
        (timings(), Mode(4)),
        # no clear gain anywhere
        (timings(bf16=0.95, contiguous=0.93, threads=lambda n: 0.92 if n < 4 else 1), Mode(4)),
        (timings(bf16=0.5), Mode(4, "bf16")),
        (timings(contiguous=0.8), Mode(4, channels_last=False)),
        (timings(bf16=2.0, contiguous=1.5, threads=lambda n: {4: 1.0, 2: 0.7, 1: 1.2}[n]), Mode(2)),
        (
            timings(threads=lambda n: {4: 1.0, 2: 0.7, 1: 0.5}[n], bf16=0.6, contiguous=0.5),
            Mode(1, "bf16", False),
        ),
        # tries fewer threads as long as the steps get faster
        (timings(threads=lambda n: {4: 1.0, 2: 0.95, 1: 0.5}[n]), Mode(1)),
    ],
)
def test_only_a_clear_gain_moves_the_choice(timer, best):
    assert choose(timer, 4, bf16=True)[0] == best


def test_bf16_is_not_even_tried_where_the_processor_lacks_it():
    mode, trials = choose(timings(bf16=0.1), 4, bf16=False)
    assert mode.precision == "float32"
    assert {trial.precision for trial in trials} == {"float32"}


def test_what_was_given_up_can_not_win():
    def time_steps(mode):
        return {"digits": 0.01} if mode != Mode(4) else {"digits": 0.1, "landscapes": 0.3}

    assert choose(time_steps, 4, bf16=True)[0] == Mode(4)


def test_a_disturbed_first_timing_makes_no_winner():
    """Noise hit only the first timing of the defaults. The second one shows that nothing is faster."""
    calls = []

    def time_steps(mode):
        calls.append(mode)
        return {"digits": 0.5 if len(calls) == 1 else 0.1}

    mode, trials = choose(time_steps, 2, bf16=False)
    assert (mode, calls.count(Mode(2))) == (Mode(2), 2)
    assert trials[0].seconds == {"digits": 0.1}


def test_the_speed_is_found_from_planted_seconds():
    planted = Speed(2e-4, 3e-11)
    works = [Work(150, 1e9), Work(200, 2e10), Work(150, 1e8), Work(500, 9e9)]
    found = fit([(work, planted.seconds(work)) for work in works])
    assert dataclasses.astuple(found) == pytest.approx(dataclasses.astuple(planted), rel=1e-6)


def test_no_part_of_a_speed_is_negative():
    assert fit([(Work(150, 1e9), 0.02), (Work(200, 2e10), 0.6)]) == Speed(
        0.0, pytest.approx(2.4e-11, rel=0.2)
    )
    assert fit([(Work(100, 2e9), 0.1), (Work(200, 2e9), 0.22)]) == Speed(pytest.approx(1.04e-3, rel=0.1), 0.0)


def test_it_measures_this_machine(monkeypatch):
    monkeypatch.setattr(measure, "LIMIT_SECONDS", 0.5)
    picked = pick_device()
    found = measure.measure(picked)
    assert (found.label, found.torch_name) == (picked.label, picked.torch_name)
    assert 1 <= found.threads <= picked.threads
    assert set(found.trials[0].seconds) == set(measure.WORKLOADS)
    for config in measure.WORKLOADS.values():
        assert 1 < config.batch / found.speed.seconds(measure.count_step(config).work) < 1e6
    assert "channels last" in measure.table(found)


def test_a_busy_machine_keeps_the_defaults(monkeypatch):
    monkeypatch.setattr(measure, "BUSY_CORES", -1e9)
    monkeypatch.setattr(measure, "LIMIT_SECONDS", 0.0)
    monkeypatch.setattr(
        measure,
        "choose",
        lambda timer, threads, bf16: (
            Mode(1, "bf16", False),
            [machine.Trial(*Mode(threads), timer(Mode(threads)))],
        ),
    )
    found = measure.measure(pick_device())
    assert (found.quiet, found.precision, found.channels_last, found.threads) == (
        False,
        "float32",
        True,
        pick_device().threads,
    )
    assert "busy" in measure.table(found)


def test_what_was_found_is_remembered(cache):
    assert machine.load_profile() is None
    machine.save_profile(
        dataclasses.replace(KNOWN, trials=(machine.Trial(4, "float32", True, {"digits": 0.1}),))
    )
    assert machine.load_profile() == dataclasses.replace(
        KNOWN, trials=(machine.Trial(4, "float32", True, {"digits": 0.1}),)
    )
    assert [path.name for path in cache.iterdir()] == [machine.path().name]


@pytest.mark.parametrize(
    "damage",
    [
        b"", b"{", b"[1]", b"[" * 100_000, {"threads": 0}, {"threads": 2.0}, {"precision": "int8"},
        {"channels_last": 1}, {"label": None},
        {"speed": {"flop": 1}}, {"speed": {"call": 0, "flop": -1}}, {"speed": {"call": 0, "flop": 0}},
        {"base": None}, {"extra": 1},
        {"trials": [1]}, {"quiet": "no"},
    ],
)  # fmt: skip
def test_a_damaged_file_is_as_none(damage, cache):
    machine.save_profile(KNOWN)
    content = (
        damage if isinstance(damage, bytes) else json.dumps({**dataclasses.asdict(KNOWN), **damage}).encode()
    )
    machine.path().write_bytes(content)
    assert machine.load_profile() is None


def test_an_unwritable_cache_is_no_error(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("GANARIUM_CACHE", str(tmp_path / "file" / "cache"))
    machine.save_profile(KNOWN)
    assert machine.load_profile() is None


def test_another_processor_quota_or_visible_gpu_is_another_machine(cache, monkeypatch):
    machine.save_profile(KNOWN)
    for name, other in (("_cpu", "another"), ("cpu_quota", 77)):
        with monkeypatch.context() as patch:
            patch.setattr(machine, name, lambda other=other: other)
            assert machine.load_profile() is None
    with monkeypatch.context() as patch:
        patch.setenv("CUDA_VISIBLE_DEVICES", "")
        assert machine.load_profile() is None
        patch.setenv("CUDA_VISIBLE_DEVICES", "GPU-7")
        assert machine.load_profile() == KNOWN, "the GPUs of a pool share a profile"
    assert machine.load_profile() == KNOWN


def test_what_is_known_is_not_measured_again(cache, monkeypatch):
    measured = []
    monkeypatch.setattr(
        measure,
        "measure",
        lambda picked: measured.append(picked) or dataclasses.replace(KNOWN, label=picked.label),
    )
    assert measure.load_or_measure(CPU4) == measure.load_or_measure(CPU4) == KNOWN
    assert measured == [CPU4]
    other = Device("cuda", "Another GPU", 4)
    assert measure.load_or_measure(other).label == "Another GPU"
    assert measured == [CPU4, other]


@pytest.mark.parametrize(
    ("known", "called", "again"),
    [
        (None, False, True),
        (None, True, False),
        (True, False, False),
        (False, False, True),
        (False, True, False),
    ],
)
def test_a_spare_measures_once_unless_a_run_waits(known, called, again, cache, monkeypatch):
    """known: None without a stored profile, else whether it was measured in quiet"""
    monkeypatch.setattr(measure, "BUSY_CORES", 1e9)  # always quiet
    monkeypatch.setattr(measure, "measure", lambda picked: KNOWN)
    if known is not None:
        machine.save_profile(dataclasses.replace(KNOWN, quiet=known, threads=1))
    measure.measure_when_quiet(lambda seconds: called)
    after = machine.load_profile()
    assert (after == KNOWN) == again


@pytest.mark.parametrize("known", [None, False])
def test_a_machine_that_is_never_quiet_is_measured_once(known, cache, monkeypatch):
    monkeypatch.setattr(measure, "BUSY_CORES", -1e9)
    monkeypatch.setattr(measure, "QUIET_SECONDS", 0.05)
    measured = []
    monkeypatch.setattr(measure, "measure", lambda picked: measured.append(1) or KNOWN)
    if known is not None:
        machine.save_profile(dataclasses.replace(KNOWN, quiet=known))
    measure.measure_when_quiet(lambda seconds: False)
    assert len(measured) == (known is None)


def test_a_device_is_set_up_as_remembered_or_as_recorded():
    assert KNOWN.device(CPU4) == Device("cpu", "CPU, 2 threads", 2, "bf16", False)
    recorded = {"device": "cpu", "threads": 1, "precision": "float32", "channels_last": True}
    assert machine.same_compute(CPU4, recorded) == Device("cpu", "CPU, 1 thread", 1)
    for change in (
        {"device": "cuda"},
        {"threads": 10_000},
        {"threads": True},
        {"precision": "fp8"},
        {"channels_last": None},
    ):
        assert machine.same_compute(CPU4, {**recorded, **change}) is None
    for odd in (None, [], "cpu", {}):
        assert machine.same_compute(CPU4, odd) is None


def test_the_knowledge_is_read_without_torch():
    code = (
        "import sys; from gan.train.autotune import machine; machine.load_profile(); sys.exit('torch' in "
        "sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_command_prints_a_table(cache):
    picked = pick_device()
    write_json(
        machine.path(),
        dataclasses.asdict(
            dataclasses.replace(
                KNOWN,
                label=picked.label,
                torch_name=picked.torch_name,
                trials=(machine.Trial(2, "bf16", False, {"digits": 0.1}),),
            )
        ),
    )
    done = subprocess.run(
        [sys.executable, "-m", "gan", "measure"], capture_output=True, text=True, check=True
    )
    lines = done.stdout.splitlines()
    assert lines[0] == picked.label
    assert lines[2].split() == [
        "*",
        "2",
        "bf16",
        "contiguous",
        str(measure.WORKLOADS["digits"].batch * 10),
        "–",
    ]
