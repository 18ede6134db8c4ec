"""Test the mirror with the real client of the Hub against a local one: copies, restores, refusals."""

import json
import os
import shutil
import threading
from pathlib import Path

import pytest
from huggingface_hub.utils import _xet

from gan.errors import UserError
from gan.files import write_bytes
from gan.mirror import contents, deletions, fitting, remote
from gan.mirror import mirror as mirrors
from gan.mirror.contents import CHECKPOINT, MANIFEST, read_manifest
from gan.mirror.fetching import path_of
from gan.mirror.mirror import Mirror, find_remote
from gan.mirror.remote import open_remote
from gan.runs import marks, names
from gan.runs.store import Store
from tests.fakes.bucket import TOKEN, FakeHub, fake_hub
from tests.fakes.runs import tiny
from tests.support.inputs.parcels import checkpoint
from tests.unit.mirror.conftest import state_of

REAL_SESSION = _xet.get_xet_session
PLACES = ("bucket:owner/runs", "dataset:owner/runs")


@pytest.fixture
def hub(monkeypatch):
    with fake_hub(monkeypatch) as found:
        yield found


def copy_of(trained, root: Path) -> tuple[Store, str, str]:
    """Return a store of its own with both runs."""
    store, whole, half = trained
    shutil.copytree(store.root, root, copy_function=shutil.copy2)
    return Store(root), whole, half


def paths(hub: FakeHub, place: str, run: str) -> list[str]:
    return sorted(path for path in hub.files[place] if path.startswith(f"{run}/"))


def test_runs_of_visitors_take_nothing_of_the_owners_storage(hub, trained, tmp_path):
    store, whole, half = copy_of(trained, tmp_path / "runs")
    write_bytes(store.path(half) / marks.FILE, b"ab" * 32)
    mirror = Mirror(store, open_remote("dataset:owner/runs", TOKEN))
    mirror.work()
    store.update_status(half, state="finished")
    mirror.work()
    assert mirror.state()["runs"] == 1
    assert paths(hub, "dataset:owner/runs", half) == []
    assert paths(hub, "dataset:owner/runs", whole)


@pytest.mark.parametrize("place", PLACES)
def test_runs_are_copied_restored_to_the_same_bits_and_deleted(place, hub, trained, tmp_path):
    store, whole, half = copy_of(trained, tmp_path / "runs")
    store.create(tiny())  # waits, and has nothing to copy yet
    mirror = Mirror(store, open_remote(place, TOKEN))
    mirror.work()
    assert mirror.state() == {"place": place, "runs": 2, "error": None, "left_out": 0, "lost": {}}
    created = hub.created[place]
    assert created.get("private") is True or created.get("visibility") == "private"
    manifest = read_manifest(hub.files[place][f"{half}/{MANIFEST}"])
    assert len(paths(hub, place, half)) == len(manifest.files) + 1
    everything = b"".join(hub.files[place].values())
    assert str(tmp_path).encode() not in everything
    assert TOKEN.encode() not in everything

    asked = len(hub.asked)
    mirror.work()
    assert len(hub.asked) == asked, "nothing has changed, so nothing is asked"

    there = Store(tmp_path / "there")
    restored = Mirror(there, open_remote(place, TOKEN))
    restored.work()
    assert sorted(there.ids()) == sorted((whole, half))
    assert there.status(half)["state"] == "paused"
    assert there.status(whole)["state"] == "finished"
    for run in (whole, half):
        assert state_of(there.path(run)) == state_of(store.path(run))
    assert not [path for path in there.root.iterdir() if path.name.startswith(".new-")]

    asked = len(hub.asked)
    restored.work()
    assert len(hub.asked) == asked, "what was restored is not copied until it changes"

    with mirror.deleting(whole):  # whose id begins the other one's
        store.hide(whole)
    mirror.work()
    assert paths(hub, place, whole) == []
    assert paths(hub, place, half)


def test_a_restored_run_says_so_once(hub, trained, tmp_path):
    store, whole, half = copy_of(trained, tmp_path / "runs")
    for place in ("there", "elsewhere"):
        Mirror(store, open_remote(PLACES[0], TOKEN)).work()
        store = Store(tmp_path / place)
        Mirror(store, open_remote(PLACES[0], TOKEN)).work()
        write_bytes(store.path(half) / names.FILE, place.encode())  # so that it is copied again
    events = [event for event in store.get(half)["events"] if event["key"] == "restored"]
    assert [event["values"] for event in events] == [{"place": PLACES[0], "step": store.status(half)["step"]}]
    assert store.get(half)["events"][0]["key"] == "set_changed", "what it went through stays"
    assert [event["key"] for event in store.get(whole)["events"]] == ["restored"]


@pytest.mark.parametrize("place", PLACES)
def test_a_deletion_outlives_the_server_and_one_that_fails_deletes_nothing(place, hub, trained, tmp_path):
    store, whole, half = copy_of(trained, tmp_path / "runs")
    mirror = Mirror(store, open_remote(place, TOKEN))
    mirror.work()
    with mirror.deleting(half):
        store.hide(half)
    with pytest.raises(KeyError), mirror.deleting(whole):
        raise KeyError
    with pytest.raises(UserError), mirror.deleting("../x"):
        pass
    deletions.remember(store.root, whole)  # a server was killed before it hid this run
    Mirror(store, open_remote(place, TOKEN)).work()  # the next server
    assert store.ids() == [whole]
    assert paths(hub, place, half) == []
    assert paths(hub, place, whole)
    assert deletions.remembered(store.root) == set()


class Cut:
    """Ends each upload before the manifest, as a fault or a kill does."""

    def __init__(self, remote):
        self.remote, self.place = remote, remote.place
        self.create, self.listing, self.fetch = remote.create, remote.listing, remote.fetch

    def replace(self, add, last, gone):
        self.remote.replace(add, {}, [])
        raise UserError("mirror.offline", place=self.place)


@pytest.mark.parametrize("place", PLACES)
def test_uploads_that_are_cut_off_leave_nothing_behind(place, hub, trained, tmp_path):
    store, whole, half = copy_of(trained, tmp_path / "runs")
    mirror = Mirror(store, open_remote(place, TOKEN))
    with mirror.deleting(whole):
        store.hide(whole)
    mirror.work()
    sound = mirror.remote
    for step in (9, 10, 11):
        write_bytes(store.path(half) / CHECKPOINT, checkpoint(step))
        mirror.remote = Cut(sound)
        mirror._attempt()
        assert mirror.fault is not None
    assert sum("/state/" in path for path in paths(hub, place, half)) == 4
    Mirror(store, sound).work()  # another server: it knows nothing of these
    manifest = read_manifest(hub.files[place][f"{half}/{MANIFEST}"])
    assert manifest.step == 11
    named = {path_of(half, name, file) for name, file in manifest.files.items()}
    assert set(paths(hub, place, half)) == {*named, f"{half}/{MANIFEST}"}

    write_bytes(store.path(half) / CHECKPOINT, checkpoint(12))
    mirror._attempt()
    mirror.remote = sound
    with mirror.deleting(half):
        store.hide(half)
    mirror.work()
    assert hub.files[place] == {}


@pytest.mark.parametrize("place", PLACES)
def test_files_without_a_manifest_go_with_the_next_server(place, hub, trained, tmp_path):
    store, _, _ = copy_of(trained, tmp_path / "runs")
    Mirror(store, Cut(open_remote(place, TOKEN)))._attempt()  # the run comes first, and is cut off
    assert len(hub.files[place]) > 5
    assert not [path for path in hub.files[place] if path.endswith(f"/{MANIFEST}")]
    job = f"run-of-a-job/state/checkpoint.{'0' * 12}.safetensors"
    others = {
        "README.md": b"of a person",
        "cats/1.webp": b"too",
        job: b"",
        "run-of-a-job/order/config.json": b"",
    }
    hub.files[place] |= others
    there = Store(tmp_path / "there")
    Mirror(there, open_remote(place, TOKEN)).work()  # the disk was lost, too
    assert there.ids() == []
    assert hub.files[place] == others


def test_a_run_that_is_too_large_says_so_and_comes_when_it_fits(hub, trained, tmp_path, monkeypatch):
    store, _, half = copy_of(trained, tmp_path / "runs")
    mirror = Mirror(store, open_remote(PLACES[0], TOKEN))
    monkeypatch.setattr(fitting, "MAX_ALL", 1000)
    mirror.work()
    assert (mirror.state()["runs"], mirror.state()["left_out"]) == (0, 2)
    fault = mirror.fault_of(half)
    assert fault is not None
    assert fault.key == "mirror.outgrown"
    assert half in str(fault)
    assert mirror.fault is None, "it is no fault of the place"
    assert hub.files[PLACES[0]] == {}
    monkeypatch.setattr(fitting, "MAX_ALL", contents.MAX_ALL)
    store.rename(half, "Smaller")
    mirror.work()
    assert mirror.fault_of(half) is None
    assert mirror.state()["left_out"] == 1


def test_a_restored_run_keeps_its_gpus(hub, trained, tmp_path):
    store, whole, half = copy_of(trained, tmp_path / "runs")
    store.update_status(half, gpus=4)
    Mirror(store, open_remote(PLACES[1], TOKEN)).work()
    there = Store(tmp_path / "there")
    Mirror(there, open_remote(PLACES[1], TOKEN)).work()
    assert there.status(half)["gpus"] == 4
    assert there.status(whole)["gpus"] == 1


@pytest.mark.parametrize("place", PLACES)
def test_a_new_checkpoint_replaces_the_old_one_when_its_time_has_come(place, hub, trained, tmp_path):
    store, whole, half = copy_of(trained, tmp_path / "runs")
    mirror = Mirror(store, open_remote(place, TOKEN), every=1000.0)
    mirror.work()
    before = paths(hub, place, half)
    store.update_status(half, state="running")
    newer = store.path(whole) / CHECKPOINT
    write_bytes(store.path(half) / CHECKPOINT, newer.read_bytes())
    mirror.work()
    assert paths(hub, place, half) == before, "a run that trains is copied at most every so often"
    store.update_status(half, state="paused")
    mirror.work()
    now = paths(hub, place, half)
    checkpoints = [path for path in now if "/state/" in path]
    assert len(checkpoints) == 1
    assert checkpoints[0] not in before, "at its end a run is copied at once"
    manifest = read_manifest(hub.files[place][f"{half}/{MANIFEST}"])
    assert manifest.step == 12
    assert len(now) == len(manifest.files) + 1, "what the manifest no longer names is gone"


REFUSALS = {
    401: "mirror.not_signed_in", 403: "mirror.forbidden", 404: "mirror.nowhere", 429: "mirror.too_often",
    500: "mirror.refused", "silent": "mirror.offline", "closed": "mirror.offline",
}  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
def test_a_refusal_is_named_disturbs_nothing_and_is_over_when_the_hub_is_back(
    place, hub, trained, tmp_path, monkeypatch
):
    store, _, half = copy_of(trained, tmp_path / "runs")
    mirror = Mirror(store, open_remote(place, TOKEN))
    for refusal, key in REFUSALS.items():
        hub.refuse = refusal
        # a busy machine may need long for an answer; only silence has to be cut short
        monkeypatch.setattr("gan.hub.client.TIMEOUT", 0.3 if refusal == "silent" else 600.0)
        mirror._attempt()
        error = mirror.state()["error"]
        assert error["key"] == key, (refusal, error)
        assert place in error["text"]
        assert hub.url not in error["text"]
    assert store.status(half)["state"] == "paused"
    assert mirror._wait == mirrors.LONGEST
    hub.over.set()
    hub.refuse = None
    mirror._attempt()
    assert mirror.state()["error"] is None
    assert mirror._wait == mirrors.EVERY
    assert paths(hub, place, half)
    wrong = Mirror(store, open_remote(place, "hf_another"))
    wrong._attempt()
    assert wrong.state()["error"]["key"] == "mirror.not_signed_in"
    for refusal in (403, 429, "closed"):
        hub.refuse = refusal
        fetching = open_remote(place, TOKEN)
        with pytest.raises(UserError) as refused:
            fetching.fetch({f"{half}/{MANIFEST}": (remote.Entry(1, f"{half}/{MANIFEST}"), tmp_path / "x")})
        assert refused.value.key == REFUSALS[refusal]


def test_the_transfer_librarys_own_refusals_are_named(hub, tmp_path, monkeypatch):
    """hf_xet asks the Hub for a token of its own, and tells a refusal in the text of its error alone."""
    monkeypatch.setattr(_xet, "get_xet_session", REAL_SESSION)
    for status in (401, 403):
        hub.refuse = status
        with pytest.raises(UserError) as refused:
            open_remote(PLACES[0], TOKEN).replace({"a": b"x"}, {}, [])
        assert refused.value.key == REFUSALS[status]
    assert {path for _, path in hub.asked} == {"/api/buckets/owner/runs/xet-write-token"}


@pytest.mark.parametrize("place", PLACES)
def test_what_is_damaged_there_is_left_out_and_all_else_is_restored(place, hub, trained, tmp_path, caplog):
    store, whole, half = copy_of(trained, tmp_path / "runs")
    Mirror(store, open_remote(place, TOKEN)).work()
    checkpoint = next(path for path in paths(hub, place, half) if "/state/" in path)
    content = hub.files[place][checkpoint]
    hub.files[place][checkpoint] = content[:-1] + bytes([content[-1] ^ 1])
    hub.files[place]["strange/run.json"] = b"[" * 9
    hub.files[place]["large/run.json"] = b" " * 2**19
    hub.files[place]["other-id/run.json"] = hub.files[place][f"{whole}/{MANIFEST}"]
    hub.files[place]["README.md"] = b"of a person"
    there = Store(tmp_path / "there")
    mirror = Mirror(there, open_remote(place, TOKEN))
    mirror.work()
    assert there.ids() == [whole]
    assert mirror.state()["error"] is None
    assert half in caplog.text
    lost = mirror.state()["lost"]
    assert lost.keys() == {half, "strange", "large", "other-id"}
    assert lost[half]["key"] == "mirror.damaged"
    assert not [path for path in there.root.iterdir() if path.name.startswith(".new-")]
    assert hub.files[place]["README.md"] == b"of a person"


def test_the_thread_copies_at_the_end_of_the_server(hub, trained, tmp_path, monkeypatch):
    monkeypatch.setattr(mirrors, "CLOSING", 600.0)
    store, whole, half = copy_of(trained, tmp_path / "runs")
    store.update_status(half, state="running")
    mirror = Mirror(store, open_remote(PLACES[0], TOKEN), look=1000.0)
    mirror.start()
    assert hub.asked == [], "the first look is due later"
    mirror.close()
    assert len(read_manifest(hub.files[PLACES[0]][f"{half}/{MANIFEST}"]).files) > 5
    assert paths(hub, PLACES[0], whole)
    assert not [thread for thread in threading.enumerate() if thread.name == "mirror"]


def test_the_setting_names_a_place_and_takes_the_token_away(monkeypatch):
    monkeypatch.delenv("GANARIUM_MIRROR", raising=False)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    assert find_remote() is None
    monkeypatch.setenv("GANARIUM_MIRROR", "dataset:me/runs")
    found = find_remote()
    assert found is not None
    assert found.place == "dataset:me/runs"
    assert "HF_TOKEN" not in os.environ, "workers inherit the environment"
    with pytest.raises(UserError) as refused:
        find_remote()
    assert refused.value.key == "mirror.no_token"
    for odd in ("me/runs", "bucket:runs", "bucket:../x", "model:me/runs", "bucket:me/runs/x", "bucket:me/ü"):
        with pytest.raises(UserError) as refused:
            open_remote(odd, TOKEN)
        assert refused.value.key == "mirror.bad_place", odd


def test_a_run_that_has_no_checkpoint_is_no_fault(hub, tmp_path):
    store = Store(tmp_path / "runs")
    store.create(tiny())
    mirror = Mirror(store, open_remote(PLACES[0], TOKEN))
    mirror._attempt()
    assert mirror.state() == {"place": PLACES[0], "runs": 0, "error": None, "left_out": 0, "lost": {}}
    assert json.dumps(mirror.state())
