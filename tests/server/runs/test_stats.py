"""Test a run's statistics: reading beside a writer, thinning, cutting, several readers and writers."""

import itertools
import json
import os
import subprocess
import sys
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import pytest

from gan.files import append_line, write_bytes
from gan.runs import readers
from gan.runs import store as room
from gan.runs.readers import CachedFile, StatsFile, thin
from tests import ROOT
from tests.fakes.runs import tiny


def test_stats_are_read_on_from_where_they_ended(store):
    run_id = store.create(tiny())
    path = store.path(run_id) / "stats.jsonl"
    for step in range(3):
        append_line(path, {"step": step})
    assert store.stats(run_id) == ([{"step": 0}, {"step": 1}, {"step": 2}], 3)
    assert store.stats(run_id, since=3) == ([], 3)
    with open(path, "ab") as file:
        file.write(b'{"step": 3')
    assert store.stats(run_id, since=3) == ([], 3), "half a line is no line"
    with open(path, "ab") as file:
        file.write(b'}\n{"step"')
    assert store.stats(run_id, since=3) == ([{"step": 3}], 4)
    append_line(path, {"step": 4})  # after a crash the writer first ends the broken line, which is lost
    assert store.stats(run_id, since=4) == ([{"step": 4}], 5)


def test_stats_reads_only_what_is_new(store, monkeypatch):
    run_id = store.create(tiny())
    path = store.path(run_id) / "stats.jsonl"
    for step in range(1000):
        append_line(path, {"step": step})
    store.stats(run_id)
    parsed = []
    original = readers.stats_line
    monkeypatch.setattr(readers, "stats_line", lambda raw: parsed.append(raw) or original(raw))
    append_line(path, {"step": 1000})
    for _ in range(30):
        store.stats(run_id, since=1000)
    assert parsed == [b'{"step":1000}\n']


def test_long_stats_are_thinned_and_keep_both_ends(store):
    run_id = store.create(tiny())
    write_bytes(
        store.path(run_id) / "stats.jsonl", b"".join(b'{"step":%d}\n' % step for step in range(10_001))
    )
    lines, total = store.stats(run_id)
    steps = [line["step"] for line in lines]
    assert (len(lines), total, steps[0], steps[-1]) == (1500, 10_001, 0, 10_000)
    assert {after - before for before, after in itertools.pairwise(steps)} <= {6, 7}, "evenly"
    assert store.stats(run_id, since=9_998)[0] == [{"step": 9_998}, {"step": 9_999}, {"step": 10_000}]


@pytest.mark.parametrize(
    ("count", "limit"), [(0, 5), (1, 5), (5, 5), (6, 5), (7, 2), (2999, 1500), (1501, 1500)]
)
def test_thin(count, limit):
    kept = thin(list(range(count)), limit)
    assert len(kept) == min(count, limit)
    assert kept == sorted(set(kept))
    assert not count or (kept[0], kept[-1]) == (0, count - 1)


@pytest.mark.parametrize("in_place", [True, False])
@pytest.mark.parametrize("grown", [False, True])
def test_stats_that_were_cut_back_are_read_anew(store, in_place, grown):
    """A run that resumes from an older checkpoint rewrites its statistics.

    They may be longer than the old ones before a reader looks again.
    """
    run_id = store.create(tiny())
    path = store.path(run_id) / "stats.jsonl"
    for step in range(10):
        append_line(path, {"step": step, "loss_d": 0.25})
    assert store.stats(run_id)[1] == 10
    lines = [{"step": step, "loss_d": 0.75} for step in range(30 if grown else 4)]
    text = "".join(json.dumps(line) + "\n" for line in lines).encode()
    if in_place:
        path.write_bytes(text)
    else:
        write_bytes(path, text)
    if not grown:
        assert store.stats(run_id, since=10) == (lines, 4), "fewer than asked for: the viewer starts anew"
    assert store.stats(run_id) == (lines, len(lines))
    path.unlink()
    assert store.stats(run_id) == ([], 0)


def test_what_went_back_and_outgrew_its_reader_is_told_by_the_last_line_that_it_holds(store):
    run_id = store.create(tiny())
    path = store.path(run_id) / "stats.jsonl"
    lines = [{"step": step, "loss_d": 0.25} for step in range(100)]
    write_bytes(path, "".join(json.dumps(line) + "\n" for line in lines).encode())
    last = readers.mark(store.stats(run_id)[0][-1])
    assert store.follow(run_id, 100, last) == ([], 100, 100)
    rewound = lines[:80] + [{"step": step, "loss_d": 0.75} for step in range(80, 150)]
    write_bytes(path, "".join(json.dumps(line) + "\n" for line in rewound).encode())
    assert store.follow(run_id, 100, last) == (rewound, 150, 0)
    assert store.follow(run_id, 150, readers.mark(rewound[-1])) == ([], 150, 150)


def test_the_memory_of_a_long_run_does_not_grow_with_it(tmp_path):
    """A day of training writes four lines a second, each as long as a real one.

    A server that kept all of them would need a quarter of a GB.
    """
    path, line = tmp_path / "stats.jsonl", dict.fromkeys((f"number_{index}" for index in range(14)), 0.12345)
    rest = json.dumps(line)[1:].encode() + b"\n"
    path.write_bytes(b"".join(b'{"step":%d,' % step + rest for step in range(80_000)))
    reader = StatsFile(str(path))
    tracemalloc.start()
    assert reader.follow(0, "", 1500)[1] == 80_000
    reader.follow(80_000, "", 1500)
    held, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 5e5
    assert most < 12e6, "1,500 lines that are shown are 2 MB, and places being thinned 3 MB"


def test_of_a_long_run_the_newest_part_is_exact_and_the_older_one_evenly_thinned(store, monkeypatch):
    monkeypatch.setattr(readers, "INDEXED", 8000)
    run_id = store.create(tiny())
    path, count = store.path(run_id) / "stats.jsonl", 25_000
    for start in range(0, count, 5000):  # like a reader who looks now and then
        with open(path, "ab") as file:
            file.writelines(b'{"step":%d}\n' % step for step in range(start, start + 5000))
        assert store.stats(run_id)[1] == start + 5000
    lines, total = store.stats(run_id)
    steps = [line["step"] for line in lines]
    assert (total, steps[0], steps[-1]) == (count, 0, count - 1)
    assert 1200 <= len(steps) <= 1500
    assert max(after - before for before, after in itertools.pairwise(steps)) <= 40, (
        "17 would be even; places are left of every 16th line"
    )
    step = count - 1400
    assert store.follow(run_id, step, readers.mark({"step": step - 1})) == (
        [{"step": each} for each in range(step, count)],
        count,
        step,
    )
    assert store.follow(run_id, step, readers.mark({"step": step}))[2] == 0, "what went back begins anew"
    assert store.follow(run_id, 16 * 100 + 2, readers.mark({"step": 16 * 100 + 1}))[2] == 0, (
        "and so does what can't be told any more"
    )


def test_stats_lines_that_can_not_be_shown_are_left_out(store):
    run_id = store.create(tiny())
    write_bytes(
        store.path(run_id) / "stats.jsonl",
        b'{"step":1,"loss_d":NaN}\n[1]\n7\n\xff\xfe\n\n{"step":2,"loss_d":1e999,"note":"<img>","diversity":null}\n{"step":3}\n',
    )
    assert store.stats(run_id) == ([{"step": 2, "diversity": None}, {"step": 3}], 2)


def test_negative_since_reads_all(store):
    run_id = store.create(tiny())
    append_line(store.path(run_id) / "stats.jsonl", {"step": 1})
    assert store.stats(run_id, since=-5) == ([{"step": 1}], 1)


def written(store, count: int) -> str:
    """Make a run with so many lines of statistics."""
    run_id = store.create(tiny())
    write_bytes(
        store.path(run_id) / "stats.jsonl", b"".join(b'{"step":%d}\n' % step for step in range(count))
    )
    return run_id


def test_a_class_that_watches_many_finished_runs_reads_each_of_them_once(store, monkeypatch):
    ids = [written(store, 200) for _ in range(40)]
    marks = {run_id: readers.mark(store.stats(run_id)[0][-1]) for run_id in ids}
    monkeypatch.setattr(StatsFile, "_take", lambda *told: pytest.fail("a file was read again"))
    for _ in range(3):
        for run_id in ids:
            assert store.follow(run_id, 200, marks[run_id]) == ([], 200, 200)


def test_what_statistics_take_of_memory_is_bounded(store, monkeypatch):
    ids = [written(store, count) for count in (10, 3000, 3000, 10)]
    one = StatsFile(str(store.path(ids[1]) / "stats.jsonl"))
    one.follow(0, "", 2)
    monkeypatch.setattr(room, "STATS_BYTES", one.held + one.held // 2)
    for run_id in ids:
        store.stats(run_id)
    assert list(store._stats) == ids[2:], "one of the long ones has room, beside a short one"
    monkeypatch.setattr(room, "STATS_BYTES", 0)
    assert store.stats(ids[0])[1] == 10
    assert list(store._stats) == [ids[0]]


def test_the_memory_that_a_long_run_takes_is_what_it_says(tmp_path):
    path = tmp_path / "stats.jsonl"
    path.write_text(
        "".join(
            json.dumps({"step": step, **{f"number_{k}": step / 7 + k for k in range(14)}}) + "\n"
            for step in range(20_000)
        )
    )
    tracemalloc.start()
    reader = StatsFile(str(path))
    reader.follow(0, "", 2)
    taken = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert taken / 2 < reader.held < 2 * taken, "names and buffers aside"


# Writers and readers at the same time

WRITER = """
import os, sys, time
from pathlib import Path
from gan.files import write_json
path = Path(sys.argv[1])
print("go", flush=True)
for step in range(1, 601):
    # Every status has the same length, and the padding makes a torn one show.
    write_json(path / "status.json", {"state": "running", "step": 1000 + step, "images": 1000 + step, "classes": [str(1000 + step)] * 500})
    line = b'{"step":%d,"images":%d}\\n' % (step, step)
    with open(path / "stats.jsonl", "ab", buffering=0) as file:
        file.write(line[:7])
        if step % 3 == 0:
            time.sleep(0.001)
        file.write(line[7:])
"""  # noqa: E501


def test_a_reader_beside_a_writer_sees_whole_files_in_order(store):
    run_id = store.create(tiny())
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(store.path(run_id))], stdout=subprocess.PIPE, cwd=ROOT
    ) as writer:
        assert writer.stdout.readline() == b"go\n"
        steps, lines, since = [], [], 0
        while True:
            ended = writer.poll() is not None
            status = store.status(run_id)
            assert status["state"] in ("queued", "running"), status["error"]
            if status["state"] == "running":
                assert status["images"] == status["step"]
                assert status["classes"] == [str(status["step"])] * 500
                steps.append(status["step"])
            new, since = store.stats(run_id, since)
            lines += new
            if ended:
                break
    assert writer.returncode == 0
    assert steps == sorted(steps), "never back to an older status"
    assert steps[-1] == 1600, "and the last one is not missed"
    assert len(set(steps)) > 20
    assert lines == [{"step": step, "images": step} for step in range(1, 601)]


# Seconds. A file server's clock may be ahead of ours.
@pytest.mark.parametrize(("age", "seen"), [(-60, b"2"), (60, b"1")])
def test_a_cached_file_is_trusted_only_when_its_time_can_tell(tmp_path, age, seen):
    """Replacements within one tick of the file system's clock may reuse an inode.

    Time, number and size of both files are equal then.
    """
    path = tmp_path / "status.json"
    cached = CachedFile(str(path), lambda data: data)
    then = time.time_ns() - age * 10**9
    for content in (b"1", b"2"):
        path.write_bytes(content)
        os.utime(path, ns=(then, then))
        found = cached.read()
    assert found == seen


def test_a_file_that_can_not_be_read_for_once_is_what_it_was_and_tried_again(tmp_path):
    path, loads = tmp_path / "config.json", [None, b"1", None, b"2"]
    path.write_bytes(b"1")
    os.utime(path, (1, 1))
    cached = CachedFile(str(path), lambda data: data, lambda _: loads.pop(0))
    assert [cached.read() for _ in range(3)] == [None, b"1", b"1"]
    os.utime(path, (2, 2))
    assert [cached.read() for _ in range(3)] == [b"1", b"2", b"2"]
    path.unlink()
    assert cached.read() is None


def test_many_threads_read_one_growing_file(store):
    run_id = store.create(tiny())
    path = store.path(run_id) / "stats.jsonl"
    reader = StatsFile(str(path))

    def view(_: int) -> list[int]:
        seen = 0
        while seen < 200:
            lines, count, _ = reader.follow(0, "", 1500)
            assert [line["step"] for line in lines] == list(range(count))
            assert count >= seen
            seen = count
        return [line["step"] for line in reader.follow(0, "", 1500)[0]]

    with ThreadPoolExecutor(8) as pool:
        views = pool.map(view, range(8))
        for step in range(200):
            append_line(path, {"step": step})
        assert all(steps == list(range(200)) for steps in views)
