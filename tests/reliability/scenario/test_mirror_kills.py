"""Kill processes that move and mirror runs, at any of their calls for files, and start anew.

After that a run is whole or absent, here and at the mirror's place, and nothing else is left.
"""

import os
import shutil
import signal
import sys
from pathlib import Path

import pytest

from gan.cli import move
from gan.files import write_bytes
from gan.mirror.contents import CHECKPOINT, MANIFEST, digest, read_manifest
from gan.mirror.fetching import path_of
from gan.mirror.mirror import Mirror
from gan.mirror.parcel import unpack
from gan.runs.store import Store
from tests.fakes.folder import Folder
from tests.support.inputs.parcels import checkpoint, write_parcel
from tests.support.processes.forked import Child

KILLS = 8  # of an act, evenly over its calls
MANY = 12  # of an act that writes to its file in few of its calls
# Python tells of these calls beforehand; "open" also of imports
CALLS = {"os.rename", "os.link", "os.mkdir", "os.remove", "os.rmdir", "os.chmod", "shutil.copyfile"}


def mirror_once(here: Path) -> None:
    """Restore what is missing, and copy what is new, as a server does."""
    Mirror(Store(here / "runs"), Folder(here / "place")).work()


def delete(here: Path) -> None:
    mirror = Mirror(Store(here / "runs"), Folder(here / "place"))
    mirror.prepare()
    (run,) = mirror.store.ids()
    with mirror.deleting(run):
        mirror.store.hide(run)
        mirror.store.sweep()
    mirror.work()


def unpack_once(here: Path) -> None:
    unpack(Store(here / "runs"), here / "run.zip")


def pack_once(here: Path) -> None:
    (run,) = Store(here / "runs").ids()
    assert move.main(["pack", str(here / "runs" / run), str(here / "packed.zip")]) == 0


def attempt(act, here: Path, at: int) -> None:
    """Act in a process of its own. It is killed at call number `at`, and else writes how many there were."""
    calls = 0

    def count(event: str, arguments: tuple) -> None:
        nonlocal calls
        if event in CALLS or (event == "open" and str(here) in str(arguments[0])):
            calls += 1
            if calls == at:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)
    act(here)
    (here / "calls").write_text(str(calls))


def kills(act, base: Path, folder: Path, count: int = KILLS):
    """Yield folders in which a process was killed amid an act. Each began as a copy of `base`."""
    whole = shutil.copytree(base, folder / "whole")
    assert Child(attempt, act, whole, 0).wait() == 0
    calls = int((whole / "calls").read_text())
    assert calls > count
    for number in range(count):
        here = shutil.copytree(base, folder / str(number))
        at = 1 + number * (calls - 1) // (count - 1)
        assert Child(attempt, act, here, at).wait() in (-signal.SIGKILL, 0)
        yield here


def content(run: Path) -> dict[str, str]:
    """Return the digests of a run's files, without those that tell when it came."""
    own = ("status.json", "events.jsonl")
    return {
        path.relative_to(run).as_posix(): digest(path)
        for path in run.rglob("*")
        if path.is_file() and path.name not in own
    }


def start_anew(here: Path) -> Store:
    """Do what the next server does first. Nothing but runs is left over, here and at the place."""
    store = Store(here / "runs")
    store.root.mkdir(exist_ok=True)
    store.sweep(crashed=True)
    place = Folder(here / "place")
    mirror = Mirror(store, place)
    mirror.work()
    assert sorted(path.name for path in store.root.iterdir()) == sorted(store.ids())
    named = set()
    for run in store.ids():
        manifest = read_manifest((place.root / run / MANIFEST).read_bytes())
        named |= {f"{run}/{MANIFEST}", *(path_of(run, name, file) for name, file in manifest.files.items())}
    assert set(place.listing()) == named
    assert mirror.state()["lost"] == {}
    return store


@pytest.fixture
def base(tmp_path):
    """A folder with a run in "runs", and an empty place."""
    base = tmp_path / "base"
    write_parcel(base / "run.zip")
    store = Store(base / "runs")
    unpack(store, base / "run.zip")
    (base / "place").mkdir()
    return base


def test_a_copy_that_is_killed_leaves_the_old_or_the_new_checkpoint(base, tmp_path):
    mirror_once(base)
    (run,) = Store(base / "runs").ids()
    write_bytes(base / "runs" / run / CHECKPOINT, checkpoint(4))
    steps = set()
    for here in kills(mirror_once, base, tmp_path):
        lost = tmp_path / "lost" / here.name  # the disk goes too
        shutil.copytree(here / "place", lost / "place")
        store = start_anew(lost)
        assert store.ids() == [run]
        steps.add(store.status(run)["step"])
        store = start_anew(here)
        assert content(store.path(run)) == content(base / "runs" / run)
        manifest = (here / "place" / run / MANIFEST).read_bytes()
        assert read_manifest(manifest).step == 4
    assert steps == {3, 4}


def test_a_first_copy_that_is_killed_leaves_a_run_or_nothing(base, tmp_path):
    (run,) = Store(base / "runs").ids()
    found = []
    for here in kills(mirror_once, base, tmp_path):
        lost = tmp_path / "lost" / here.name
        shutil.copytree(here / "place", lost / "place")
        found.append(start_anew(lost).ids())
        assert start_anew(here).ids() == [run]
    assert [] in found
    assert all(ids in ([], [run]) for ids in found)


def test_a_restoration_that_is_killed_is_done_by_the_next_server(base, tmp_path):
    mirror_once(base)
    (run,) = Store(base / "runs").ids()
    before = content(base / "runs" / run)
    shutil.rmtree(base / "runs")
    for here in kills(mirror_once, base, tmp_path):
        store = start_anew(here)
        assert content(store.path(run)) == {**before, **{
            name: sha for name, sha in content(store.path(run)).items() if name == "config.json"
        }}  # fmt: skip
        assert [event["key"] for event in store.get(run)["events"]].count("restored") == 1


def test_a_deletion_that_is_killed_happens_in_both_places_or_in_none(base, tmp_path):
    mirror_once(base)
    (run,) = Store(base / "runs").ids()
    left = [start_anew(here).ids() for here in kills(delete, base, tmp_path)]
    assert all(ids in ([], [run]) for ids in left)
    assert left[0] == [run]
    assert left[-1] == []


def test_a_run_that_arrives_while_the_server_is_killed_is_whole_or_absent(base, tmp_path):
    (run,) = Store(base / "runs").ids()
    before = content(base / "runs" / run)
    shutil.rmtree(base / "runs")
    for here in kills(unpack_once, base, tmp_path):
        store = start_anew(here)
        assert store.ids() in ([], [run])
        if store.ids():
            assert content(store.path(run)) == before


def test_a_file_that_was_packed_before_outlives_a_packing_that_is_killed(base, tmp_path):
    shutil.copy(base / "run.zip", base / "packed.zip")
    for here in kills(pack_once, base, tmp_path, MANY):
        start_anew(here)
        assert unpack(Store(here / "elsewhere"), here / "packed.zip")
