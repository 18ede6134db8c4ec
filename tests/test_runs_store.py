"""The run store: readers that survive everything, while other processes write."""

import dataclasses
import itertools
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gan.errors import UserError
from gan.files import append_line, read_json, write_bytes, write_json
from gan.runs import readers, store
from gan.runs.readers import CachedFile, StatsFile, thin
from gan.runs.store import Store
from tests.fakes.runs import tiny

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture
def runs(tmp_path):
    return Store(tmp_path / "runs")


def spoil(runs, run_id, name, content):
    path = runs.path(run_id) / name
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)


# Creation and ids


def test_a_new_run_is_queued_and_whole(runs):
    run_id = runs.create(tiny(seed=3))
    status = runs.status(run_id)
    assert status["state"] == "queued"
    assert abs(status["created"] - time.time()) < 10
    assert status["queued_at"] == status["created"]
    assert runs.config(run_id) == tiny(seed=3)
    assert runs.get(run_id)["config"] == tiny(seed=3).to_json()
    assert (runs.samples(run_id), runs.stats(run_id), runs.log_tail(run_id)) == ([], ([], 0), [])
    assert sorted(os.listdir(runs.root)) == [run_id], "nothing temporary stays behind"
    assert (runs.path(run_id).stat().st_mode & 0o777) == 0o755


def test_ids_tell_the_data_and_the_recipe_and_never_collide(runs, monkeypatch):
    monkeypatch.setattr(store.time, "time", lambda: 1_700_000_000.0)
    ids = [runs.create(tiny()) for _ in range(3)]
    assert len(runs.list()) == 3
    stamp = time.strftime("%Y%m%d-%H%M%S", time.localtime(1_700_000_000))
    assert ids == [f"{stamp}-digits-modern", f"{stamp}-digits-modern-2", f"{stamp}-digits-modern-3"]


@pytest.mark.parametrize(
    ("data", "part"),
    [("/me/My Cats (best).zip", "my-cats-best"), ("../../etc", "etc"), ("图片", "pictures"), ("x" * 300, "x" * 24), ("a/..", "pictures"), ("", "pictures")],
)
def test_any_data_name_makes_a_plain_id(runs, data, part):
    run_id = runs.create(dataclasses.replace(tiny(), data=data))
    assert run_id.split("-", 2)[2] == f"{part}-modern"
    assert runs.config(run_id).data == data


BAD_IDS = ["", ".", "..", "../x", "a/b", "/etc", "A", "a b", "-a", ".new-1", "a\n", "a" * 101, "é", None, 7, "20200101-000000-digits-modern"]


@pytest.mark.parametrize("bad", BAD_IDS)
def test_ids_that_name_no_run_are_refused_by_every_method(runs, bad):
    outside = runs.root.parent / "x"
    write_json(outside / "status.json", {"state": "finished"})
    runs.create(tiny())
    calls = [runs.get, runs.config, runs.status, runs.stats, runs.samples, runs.log_tail, runs.path, runs.resumable, runs.drop_commands, runs.update_status]
    calls += [lambda run_id: runs.sample_path(run_id, 1), lambda run_id: runs.send(run_id, "stop")]
    for call in calls:
        with pytest.raises(UserError) as caught:
            call(bad)
        assert caught.value.key == "runs.unknown"
    assert os.listdir(outside) == ["status.json"]


def test_only_known_commands_are_sent(runs):
    run_id = runs.create(tiny())
    for name in ("resume", "../../x", "", None):
        with pytest.raises(UserError, match="no command called"):
            runs.send(run_id, name)
    runs.send(run_id, "sample")
    runs.send(run_id, "stop")
    files = sorted((runs.path(run_id) / "commands").iterdir())
    assert [path.name.split("-")[1] for path in files] == ["sample.json", "stop.json"], "in the order in which they were sent"
    assert [read_json(path) for path in files] == [{"command": "sample"}, {"command": "stop"}]
    runs.drop_commands(run_id)
    assert list((runs.path(run_id) / "commands").iterdir()) == []


def test_default_root_follows_the_environment(monkeypatch):
    monkeypatch.setenv("GANARIUM_RUNS", "/somewhere/else")
    assert store.default_root() == Path("/somewhere/else")
    monkeypatch.setenv("GANARIUM_RUNS", "")
    assert store.default_root() == Path("runs")


# Lists


def test_list_is_newest_first_and_sees_changes(runs):
    assert runs.list() == []
    ids = [runs.create(tiny(seed=seed)) for seed in range(3)]
    assert [summary["id"] for summary in runs.list()] == ids[::-1]
    runs.update_status(ids[0], state="finished", progress=1.0)
    summary = runs.list()[-1]
    assert (summary["state"], summary["progress"], summary["data"], summary["recipe"], summary["size"]) == ("finished", 1.0, "digits", "modern", 28)
    (runs.root / "Not a run").mkdir()
    (runs.root / ".uploads").mkdir()
    (runs.root / "notes-txt").write_text("a file")
    assert len(runs.list()) == 3
    os.rename(runs.path(ids[1]), runs.root / ".trash")
    assert [summary["id"] for summary in runs.list()] == [ids[2], ids[0]]
    json.dumps(runs.list(), allow_nan=False)


def test_list_does_not_parse_unchanged_runs_again(runs, monkeypatch):
    parsed = []
    for name in ("_parse_config", "_parse_status"):
        original = getattr(store, name)
        monkeypatch.setattr(store, name, lambda data, original=original: parsed.append(data) or original(data))
    ids = [runs.create(tiny()) for _ in range(5)]
    for run_id in ids:  # long enough ago that a change would show in the files' times
        for name in ("config.json", "status.json"):
            os.utime(runs.path(run_id) / name, (1e9, 1e9))
    first = runs.list()
    assert len(parsed) == 10
    assert runs.list() == first
    assert len(parsed) == 10
    runs.update_status(ids[0], state="finished")
    runs.list()
    assert len(parsed) == 11


# Damage

GARBAGE = [None, b"", b"{", b"\xff\xfe\x00", b"[]", b"null", b'"text"', b"{}", b"NaN", b'{"state": "dancing"}', b'{"state": ["running"]}']
GARBAGE += [b'{"state": "running", "progress": NaN}', b'{"state": "running", "created": "yesterday"}']


@pytest.mark.parametrize("name", ["config.json", "status.json"])
@pytest.mark.parametrize("content", GARBAGE)
def test_a_damaged_run_is_listed_with_a_sentence(runs, name, content):
    healthy, run_id = runs.create(tiny()), runs.create(tiny())
    spoil(runs, run_id, name, content)
    by_id = {summary["id"]: summary for summary in runs.list()}
    assert by_id[healthy]["state"] == "queued"
    assert by_id[run_id]["state"] == "damaged"
    status = runs.get(run_id)["status"]
    assert status["state"] == "damaged"
    assert status["error"]["text"].endswith(".")
    assert status["error"]["key"] in ("runs.damaged", "config.other_version")
    json.dumps([runs.list(), runs.get(run_id)], allow_nan=False)
    if name == "config.json":
        with pytest.raises(UserError):
            runs.config(run_id)


def test_a_config_of_another_version_says_so(runs):
    run_id = runs.create(tiny())
    write_json(runs.path(run_id) / "config.json", {**tiny().to_json(), "colour_of_the_bike_shed": 3})
    assert runs.status(run_id)["error"]["values"] == {"fields": "colour_of_the_bike_shed"}


def test_an_impossible_number_in_a_config_is_damage(runs):
    run_id = runs.create(tiny())
    spoil(runs, run_id, "config.json", json.dumps(tiny().to_json()).replace('"gamma": 0.5', '"gamma": 1' + "0" * 400).encode())
    assert runs.status(run_id)["state"] == "damaged"


def test_an_empty_directory_is_a_damaged_run_that_comes_back_when_repaired(runs):
    path = runs.root / "mine"
    path.mkdir(parents=True)
    assert runs.list()[0]["state"] == "damaged"
    assert runs.list()[0]["created"] == pytest.approx(time.time(), abs=10)
    write_json(path / "config.json", tiny().to_json())
    write_json(path / "status.json", {"state": "finished"})
    assert runs.list()[0]["state"] == "finished"
    assert runs.status("mine")["eta"] is None, "fields that an older worker did not write are there"


def test_files_where_directories_should_be_and_the_other_way_round(runs):
    run_id = runs.create(tiny())
    path = runs.path(run_id)
    (path / "stats.jsonl").mkdir()
    (path / "worker.log").mkdir()
    (path / "samples").write_text("")
    (path / "state").write_text("")
    assert (runs.stats(run_id), runs.log_tail(run_id), runs.samples(run_id), runs.resumable(run_id)) == (([], 0), [], [], False)


def test_update_status_repairs_a_garbled_status(runs):
    run_id = runs.create(tiny())
    spoil(runs, run_id, "status.json", b"{{{")
    runs.update_status(run_id, state="paused")
    assert runs.status(run_id)["state"] == "paused"


# Samples, checkpoints, logs


def test_samples(runs):
    run_id = runs.create(tiny())
    for step in (500, 7, 123456789, 0):
        write_bytes(runs.path(run_id) / "samples" / f"{step:08d}.webp", b"webp")
    (runs.path(run_id) / "samples" / ".00000009.webp.x.tmp").write_bytes(b"half")
    assert runs.samples(run_id) == [0, 7, 500, 123456789]
    assert runs.sample_path(run_id, 7).read_bytes() == b"webp"
    for step in (8, -1):
        with pytest.raises(UserError, match="no sample grid"):
            runs.sample_path(run_id, step)
    (runs.path(run_id) / "samples" / "00000007.webp").unlink()
    assert runs.samples(run_id) == [0, 500, 123456789]


def test_resumable_needs_a_whole_checkpoint(runs):
    run_id = runs.create(tiny())
    assert not runs.resumable(run_id)
    (runs.path(run_id) / "state").mkdir()
    (runs.path(run_id) / "state" / ".checkpoint.safetensors.abc.tmp").write_bytes(b"half")
    assert not runs.resumable(run_id)
    write_bytes(runs.path(run_id) / "state" / "previous.safetensors", b"whole")
    assert runs.resumable(run_id)


def test_log_tail_is_short_even_of_a_huge_log(runs):
    run_id = runs.create(tiny())
    with open(runs.path(run_id) / "worker.log", "wb") as file:
        file.write(b"\xff\x00 binary\n" * 200_000)
        file.write(b"10 %\r20 %\r30 %\n\nTraceback\nRuntimeError: ouch \n")
    assert runs.log_tail(run_id, lines=3) == ["30 %", "Traceback", "RuntimeError: ouch"]
    assert len(runs.log_tail(run_id)) == 20


# Statistics


def test_stats_are_read_on_from_where_they_ended(runs):
    run_id = runs.create(tiny())
    path = runs.path(run_id) / "stats.jsonl"
    for step in range(3):
        append_line(path, {"step": step})
    assert runs.stats(run_id) == ([{"step": 0}, {"step": 1}, {"step": 2}], 3)
    assert runs.stats(run_id, since=3) == ([], 3)
    with open(path, "ab") as file:
        file.write(b'{"step": 3')
    assert runs.stats(run_id, since=3) == ([], 3), "half a line is no line"
    with open(path, "ab") as file:
        file.write(b'}\n{"step"')
    assert runs.stats(run_id, since=3) == ([{"step": 3}], 4)
    append_line(path, {"step": 4})  # after a crash: the broken line is ended first, and lost
    assert runs.stats(run_id, since=4) == ([{"step": 4}], 5)


def test_stats_reads_only_what_is_new(runs, monkeypatch):
    run_id = runs.create(tiny())
    path = runs.path(run_id) / "stats.jsonl"
    for step in range(1000):
        append_line(path, {"step": step})
    runs.stats(run_id)
    parsed = []
    original = readers._stats_line
    monkeypatch.setattr(readers, "_stats_line", lambda raw: parsed.append(raw) or original(raw))
    append_line(path, {"step": 1000})
    for _ in range(30):
        runs.stats(run_id, since=1000)
    assert parsed == [b'{"step":1000}']


def test_long_stats_are_thinned_and_keep_both_ends(runs):
    run_id = runs.create(tiny())
    write_bytes(runs.path(run_id) / "stats.jsonl", b"".join(b'{"step":%d}\n' % step for step in range(10_001)))
    lines, total = runs.stats(run_id)
    steps = [line["step"] for line in lines]
    assert (len(lines), total, steps[0], steps[-1]) == (1500, 10_001, 0, 10_000)
    assert {after - before for before, after in itertools.pairwise(steps)} <= {6, 7}, "evenly"
    assert runs.stats(run_id, since=9_998)[0] == [{"step": 9_998}, {"step": 9_999}, {"step": 10_000}]


@pytest.mark.parametrize(("count", "limit"), [(0, 5), (1, 5), (5, 5), (6, 5), (7, 2), (2999, 1500), (1501, 1500)])
def test_thin(count, limit):
    kept = thin(list(range(count)), limit)
    assert len(kept) == min(count, limit)
    assert kept == sorted(set(kept))
    assert not count or (kept[0], kept[-1]) == (0, count - 1)


@pytest.mark.parametrize("in_place", [True, False])
@pytest.mark.parametrize("grown", [False, True])
def test_stats_that_were_cut_back_are_read_anew(runs, in_place, grown):
    """A run that goes on from an older checkpoint rewrites its statistics, and may have outgrown the old ones before anybody looks."""
    run_id = runs.create(tiny())
    path = runs.path(run_id) / "stats.jsonl"
    for step in range(10):
        append_line(path, {"step": step, "loss_d": 0.25})
    assert runs.stats(run_id)[1] == 10
    lines = [{"step": step, "loss_d": 0.75} for step in range(30 if grown else 4)]
    text = "".join(json.dumps(line) + "\n" for line in lines).encode()
    if in_place:
        path.write_bytes(text)
    else:
        write_bytes(path, text)
    if not grown:
        assert runs.stats(run_id, since=10) == (lines, 4), "fewer than asked for: the viewer starts anew"
    assert runs.stats(run_id) == (lines, len(lines))
    path.unlink()
    assert runs.stats(run_id) == ([], 0)


def test_stats_lines_that_can_not_be_shown_are_left_out(runs):
    run_id = runs.create(tiny())
    write_bytes(
        runs.path(run_id) / "stats.jsonl",
        b'{"step":1,"loss_d":NaN}\n[1]\n7\n\xff\xfe\n\n{"step":2,"loss_d":1e999,"note":"<img>","diversity":null}\n{"step":3}\n',
    )
    assert runs.stats(run_id) == ([{"step": 2, "diversity": None}, {"step": 3}], 2)


def test_negative_since_reads_all(runs):
    run_id = runs.create(tiny())
    append_line(runs.path(run_id) / "stats.jsonl", {"step": 1})
    assert runs.stats(run_id, since=-5) == ([{"step": 1}], 1)


def test_few_runs_keep_their_statistics_in_memory(runs):
    ids = [runs.create(tiny()) for _ in range(store.STATS_KEPT + 3)]
    for run_id in ids:
        append_line(runs.path(run_id) / "stats.jsonl", {"step": 1})
        assert runs.stats(run_id)[1] == 1
    assert list(runs._stats) == ids[3:]


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
"""


def test_a_reader_beside_a_writer_sees_whole_files_in_order(runs):
    run_id = runs.create(tiny())
    with subprocess.Popen([sys.executable, "-c", WRITER, str(runs.path(run_id))], stdout=subprocess.PIPE, cwd=REPOSITORY) as writer:
        assert writer.stdout.readline() == b"go\n"
        steps, lines, since = [], [], 0
        while True:
            ended = writer.poll() is not None
            status = runs.status(run_id)
            assert status["state"] in ("queued", "running"), status["error"]
            if status["state"] == "running":
                assert status["images"] == status["step"]
                assert status["classes"] == [str(status["step"])] * 500
                steps.append(status["step"])
            new, since = runs.stats(run_id, since)
            lines += new
            if ended:
                break
    assert writer.returncode == 0
    assert steps == sorted(steps), "never back to an older status"
    assert steps[-1] == 1600, "and the last one is not missed"
    assert len(set(steps)) > 20
    assert lines == [{"step": step, "images": step} for step in range(1, 601)]


@pytest.mark.parametrize(("age", "seen"), [(-60, b"2"), (60, b"1")])  # seconds; a file server's clock may be ahead of ours
def test_a_cached_file_is_trusted_only_when_its_time_can_tell(tmp_path, age, seen):
    """Replacements within one tick of the file system's clock may reuse an inode: time, number and size are then all the same."""
    path = tmp_path / "status.json"
    cached = CachedFile(str(path), lambda data: data)
    then = time.time_ns() - age * 10**9
    for content in (b"1", b"2"):
        path.write_bytes(content)
        os.utime(path, ns=(then, then))
        found = cached.read()
    assert found == seen


def test_many_threads_read_one_growing_file(runs):
    from concurrent.futures import ThreadPoolExecutor

    run_id = runs.create(tiny())
    path = runs.path(run_id) / "stats.jsonl"
    reader = StatsFile(str(path))

    def view(_: int) -> list[int]:
        seen = 0
        while seen < 200:
            lines = reader.lines()
            count = len(lines)
            assert [line["step"] for line in lines[:count]] == list(range(count))
            assert count >= seen
            seen = count
        return [line["step"] for line in reader.lines()]

    with ThreadPoolExecutor(8) as pool:
        views = pool.map(view, range(8))
        for step in range(200):
            append_line(path, {"step": step})
        assert all(steps == list(range(200)) for steps in views)


def test_importing_the_room_is_light():
    """The web server imports it at its start: no torch, no gradio, no psutil before a process is looked at."""
    code = "import sys; import gan.runs.store, gan.runs.supervisor; print(sorted({'torch', 'gradio', 'numpy', 'psutil', 'PIL'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=REPOSITORY, check=True).stdout == "[]\n"
