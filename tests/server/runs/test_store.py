"""Test the run store on damaged and undamaged disks: ids, lists and single files."""

import dataclasses
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gan.errors import UserError
from gan.files import read_json, write_bytes, write_json
from gan.recipes import make_config
from gan.runs import disk
from gan.runs import store as room
from tests import ROOT
from tests.fakes.runs import tiny


def spoil(store, run_id, name, content):
    path = store.path(run_id) / name
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)


# Creation and ids


def test_a_new_run_is_queued_and_whole(store):
    run_id = store.create(tiny(seed=3))
    status = store.status(run_id)
    assert status["state"] == "queued"
    assert abs(status["created"] - time.time()) < 10
    assert status["queued_at"] == status["created"]
    assert store.config(run_id) == tiny(seed=3)
    assert store.get(run_id)["config"] == tiny(seed=3).to_json()
    assert (store.samples(run_id), store.stats(run_id), store.log_tail(run_id)) == ([], ([], 0), [])
    assert sorted(os.listdir(store.root)) == [run_id], "nothing temporary stays behind"
    assert (store.path(run_id).stat().st_mode & 0o777) == 0o755


def test_ids_tell_the_data_and_the_recipe_and_never_collide(store, monkeypatch):
    monkeypatch.setattr(room.time, "time", lambda: 1_700_000_000.0)
    ids = [store.create(tiny()) for _ in range(3)]
    assert len(store.list()) == 3
    stamp = time.strftime("%Y%m%d-%H%M%S", time.localtime(1_700_000_000))
    assert ids == [f"{stamp}-digits-modern", f"{stamp}-digits-modern-2", f"{stamp}-digits-modern-3"]


def test_runs_of_one_data_set_are_numbered_and_keep_their_numbers(store):
    first, second, third = (store.create(tiny()) for _ in range(3))
    faces = store.create(make_config("faces"))
    store.hide(second)
    store.begin_anew(third)
    numbers = {run["id"]: run["number"] for run in store.list()}
    assert numbers == {first: 1, third: 3, faces: 1}
    assert store.status(store.create(tiny()))["number"] == 4


@pytest.mark.parametrize(("carried", "here"), [(7, 7), (1, 2), (0, 2)])
def test_a_run_from_elsewhere_keeps_its_number_if_it_is_free(store, carried, here):
    store.create(tiny())
    folder = disk.fresh(store.root)
    write_json(folder / "config.json", tiny().to_json())
    taken = store.take_in(folder, "20250102-030405-digits-modern", {"state": "paused", "number": carried})
    assert store.status(taken)["number"] == here


@pytest.mark.parametrize(
    ("data", "part"),
    [
        ("/me/My Cats (best).zip", "my-cats-best"),
        ("../../etc", "etc"),
        ("图片", "pictures"),
        ("x" * 300, "x" * 24),
        ("a/..", "pictures"),
        ("", "pictures"),
    ],
)
def test_any_data_name_makes_a_plain_id(store, data, part):
    run_id = store.create(dataclasses.replace(tiny(), data=data))
    assert run_id.split("-", 2)[2] == f"{part}-modern"
    assert store.config(run_id).data == data


BAD_IDS = [
    "",
    ".",
    "..",
    "../x",
    "a/b",
    "/etc",
    "A",
    "a b",
    "-a",
    ".new-1",
    "a\n",
    "a" * 101,
    "é",
    None,
    7,
    "20200101-000000-digits-modern",
]


@pytest.mark.parametrize("bad", BAD_IDS)
def test_ids_that_name_no_run_are_refused_by_every_method(store, bad):
    outside = store.root.parent / "x"
    write_json(outside / "status.json", {"state": "finished"})
    store.create(tiny())
    calls = [
        store.get,
        store.config,
        store.status,
        store.stats,
        store.samples,
        store.log_tail,
        store.path,
        store.resumable,
    ]
    calls += [store.drop_commands, store.update_status, store.hide, lambda run_id: store.rename(run_id, "x")]
    calls += [lambda run_id: store.sample_path(run_id, 1), lambda run_id: store.send(run_id, "stop")]
    for call in calls:
        with pytest.raises(UserError) as caught:
            call(bad)
        assert caught.value.key == "runs.unknown"
    assert os.listdir(outside) == ["status.json"]


def test_only_known_commands_are_sent(store):
    run_id = store.create(tiny())
    for name in ("resume", "../../x", "", None):
        with pytest.raises(UserError, match="no command called"):
            store.send(run_id, name)
    store.send(run_id, "sample")
    store.send(run_id, "stop")
    files = sorted((store.path(run_id) / "commands").iterdir())
    assert [path.name.split("-")[1] for path in files] == ["sample.json", "stop.json"], (
        "in the order in which they were sent"
    )
    assert [read_json(path) for path in files] == [{"command": "sample"}, {"command": "stop"}]
    store.drop_commands(run_id)
    assert list((store.path(run_id) / "commands").iterdir()) == []


def test_default_root_follows_the_environment(monkeypatch):
    monkeypatch.setenv("GANARIUM_RUNS", "/somewhere/else")
    assert room.default_root() == Path("/somewhere/else")
    monkeypatch.setenv("GANARIUM_RUNS", "")
    assert room.default_root() == Path("runs")


# Lists


def test_list_is_newest_first_and_sees_changes(store):
    assert store.list() == []
    ids = [store.create(tiny(seed=seed)) for seed in range(3)]
    assert [summary["id"] for summary in store.list()] == ids[::-1]
    store.update_status(ids[0], state="finished", progress=1.0)
    summary = store.list()[-1]
    assert (summary["state"], summary["progress"], summary["data"], summary["recipe"], summary["size"]) == (
        "finished",
        1.0,
        "digits",
        "modern",
        28,
    )
    (store.root / "Not a run").mkdir()
    (store.root / ".uploads").mkdir()
    (store.root / "notes-txt").write_text("a file")
    assert len(store.list()) == 3
    os.rename(store.path(ids[1]), store.root / ".trash")
    assert [summary["id"] for summary in store.list()] == [ids[2], ids[0]]
    json.dumps(store.list(), allow_nan=False)


def test_list_does_not_parse_unchanged_runs_again(store, monkeypatch):
    parsed = []
    for name in ("_parse_config", "_parse_status"):
        original = getattr(room, name)
        monkeypatch.setattr(room, name, lambda data, original=original: parsed.append(data) or original(data))
    ids = [store.create(tiny()) for _ in range(5)]
    for run_id in ids:  # old enough that a change would show in the files' times
        for name in ("config.json", "status.json"):
            os.utime(store.path(run_id) / name, (1e9, 1e9))
    parsed.clear()  # a new run is numbered after the others
    first = store.list()
    assert len(parsed) == 10
    assert store.list() == first
    assert len(parsed) == 10
    store.update_status(ids[0], state="finished")
    store.list()
    assert len(parsed) == 11


# Damage

GARBAGE = [
    None,
    b"",
    b"{",
    b"\xff\xfe\x00",
    b"[]",
    b"null",
    b'"text"',
    b"{}",
    b"NaN",
    b'{"state": "dancing"}',
    b'{"state": ["running"]}',
]
GARBAGE += [
    b'{"state": "running", "progress": NaN}',
    b'{"state": "running", "created": "yesterday"}',
    b'{"state": "running", "more": {"x": 1e999}}',
]
GARBAGE += [
    b'{"state": "running", "verdict": "good"}',
    b'{"state": "running", "device": {"name": "GPU"}}',
    b'{"state": "failed", "error": "why"}',
]


@pytest.mark.parametrize("name", ["config.json", "status.json"])
@pytest.mark.parametrize("content", GARBAGE)
def test_a_damaged_run_is_listed_with_a_sentence(store, name, content):
    healthy, run_id = store.create(tiny()), store.create(tiny())
    spoil(store, run_id, name, content)
    by_id = {summary["id"]: summary for summary in store.list()}
    assert by_id[healthy]["state"] == "queued"
    assert by_id[run_id]["state"] == "damaged"
    status = store.get(run_id)["status"]
    assert status["state"] == "damaged"
    assert status["error"]["text"].endswith(".")
    assert status["error"]["key"] in ("runs.damaged", "config.other_version")
    json.dumps([store.list(), store.get(run_id)], allow_nan=False)
    if name == "config.json":
        with pytest.raises(UserError):
            store.config(run_id)


def test_a_config_of_another_version_says_so(store):
    run_id = store.create(tiny())
    write_json(store.path(run_id) / "config.json", {**tiny().to_json(), "colour_of_the_bike_shed": 3})
    assert store.status(run_id)["error"]["values"] == {"fields": "colour_of_the_bike_shed"}


def test_an_impossible_number_in_a_config_is_damage(store):
    run_id = store.create(tiny())
    spoil(
        store,
        run_id,
        "config.json",
        json.dumps(tiny().to_json()).replace('"beta2": 0.99', '"beta2": 1' + "0" * 400).encode(),
    )
    assert store.status(run_id)["state"] == "damaged"


def test_an_empty_directory_is_a_damaged_run_that_comes_back_when_repaired(store):
    path = store.root / "mine"
    path.mkdir(parents=True)
    assert store.list()[0]["state"] == "damaged"
    assert store.list()[0]["created"] == pytest.approx(time.time(), abs=10)
    write_json(path / "config.json", tiny().to_json())
    write_json(path / "status.json", {"state": "finished"})
    assert store.list()[0]["state"] == "finished"
    assert store.status("mine")["eta"] is None, "fields that an older worker did not write are there"


def test_files_where_directories_should_be_and_the_other_way_round(store):
    run_id = store.create(tiny())
    path = store.path(run_id)
    (path / "stats.jsonl").mkdir()
    (path / "worker.log").mkdir()
    (path / "samples").write_text("")
    (path / "state").write_text("")
    assert (store.stats(run_id), store.log_tail(run_id), store.samples(run_id), store.resumable(run_id)) == (
        ([], 0),
        [],
        [],
        False,
    )


def test_update_status_repairs_a_garbled_status(store):
    run_id = store.create(tiny())
    spoil(store, run_id, "status.json", b"{{{")
    store.update_status(run_id, state="paused")
    assert store.status(run_id)["state"] == "paused"


# Samples, checkpoints, logs


def test_a_run_that_begins_anew_keeps_its_gpus_and_its_date(store):
    run_id = store.create(tiny(), gpus=4)
    created = store.status(run_id)["created"]
    store.update_status(run_id, state="failed", step=7)
    store.begin_anew(run_id)
    status = store.status(run_id)
    assert (status["state"], status["step"]) == ("queued", 0)
    assert (status["gpus"], status["created"]) == (4, created)


def test_samples(store):
    run_id = store.create(tiny())
    for step in (500, 7, 123456789, 0):
        write_bytes(store.path(run_id) / "samples" / f"{step:08d}.webp", b"webp")
    (store.path(run_id) / "samples" / ".00000009.webp.x.tmp").write_bytes(b"half")
    assert store.samples(run_id) == [0, 7, 500, 123456789]
    assert store.sample_path(run_id, 7).read_bytes() == b"webp"
    for step in (8, -1):
        with pytest.raises(UserError, match="no sample grid"):
            store.sample_path(run_id, step)
    (store.path(run_id) / "samples" / "00000007.webp").unlink()
    assert store.samples(run_id) == [0, 500, 123456789]


def test_resumable_needs_a_whole_checkpoint(store):
    run_id = store.create(tiny())
    assert not store.resumable(run_id)
    (store.path(run_id) / "state").mkdir()
    (store.path(run_id) / "state" / ".checkpoint.safetensors.abc.tmp").write_bytes(b"half")
    assert not store.resumable(run_id)
    write_bytes(store.path(run_id) / "state" / "damaged.safetensors", b"set aside")
    assert not store.resumable(run_id)
    assert store.spoilt(run_id)
    write_bytes(store.path(run_id) / "state" / "previous.safetensors", b"whole")
    assert store.resumable(run_id)
    assert not store.spoilt(run_id)


@pytest.mark.parametrize("left", ["stats.jsonl", "samples/00000007.webp", "snapshots/00000007.safetensors"])
def test_a_run_that_has_learnt_and_has_no_checkpoint_left_is_spoilt(left, store):
    run_id = store.create(tiny())
    write_bytes(store.path(run_id) / "samples" / "00000000.webp", b"before the first step")
    assert not store.spoilt(run_id)
    write_bytes(store.path(run_id) / left, b'{"step": 1}\n')
    assert store.spoilt(run_id)
    write_bytes(store.path(run_id) / "state" / "checkpoint.safetensors", b"whole")
    assert not store.spoilt(run_id)


def test_log_tail_is_short_even_of_a_huge_log(store):
    run_id = store.create(tiny())
    with open(store.path(run_id) / "worker.log", "wb") as file:
        file.write(b"\xff\x00 binary\n" * 200_000)
        file.write(b"10 %\r20 %\r30 %\n\nTraceback\nRuntimeError: ouch \n")
    assert store.log_tail(run_id, lines=3) == ["30 %", "Traceback", "RuntimeError: ouch"]
    assert len(store.log_tail(run_id)) == 20


TRACEBACK = """Traceback (most recent call last):
  File "worker.py", line 3, in work
    train()

KeyError: 'x'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "worker.py", line 7, in work
    ^^^^^^^
RuntimeError: ouch
"""


def test_log_tail_has_no_tracebacks(store):
    log = store.path(run_id := store.create(tiny())) / "worker.log"
    log.write_text(f"training from step 0\n{TRACEBACK}training from step 7\nno room left\n{TRACEBACK}")
    assert store.log_tail(run_id) == ["training from step 0", "training from step 7", "no room left"]
    log.write_text(TRACEBACK * 1000)
    assert not any(line.startswith((" ", "Traceback")) for line in store.log_tail(run_id))


def test_importing_the_room_is_light():
    """The web server imports this module at its start.

    It must not import torch or gradio. It imports psutil only to look at a process.
    """
    code = (
        "import sys; import gan.runs.store, gan.runs.supervisor; print(sorted({'torch', 'gradio', 'numpy', "
        "'psutil', 'PIL'} & set(sys.modules)))"
    )
    assert (
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True
        ).stdout
        == "[]\n"
    )
