"""Test that a run survives a move as one file to the last bit, and that a strange file gets in nowhere."""

import hashlib
import io
import itertools
import json
import shutil
import stat
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from gan.data.names import UPLOADS, find_pictures
from gan.errors import UserError
from gan.export.event_file import FILE, FOLDER, EventFile
from gan.files import read_json, write_bytes, write_json
from gan.mirror import contents, fitting
from gan.mirror.capture import capture, public_event
from gan.mirror.contents import CHECKPOINT, MANIFEST, MB, File, Manifest, digest, read_manifest
from gan.mirror.fitting import fit
from gan.mirror.parcel import pack, unpack
from gan.runs.store import Store
from gan.train.checkpoint import read_state
from gan.train.origin import read_record
from gan.worker.run_dir import read_config
from gan.worker.worker import Worker, work
from tests.fakes.runs import tiny
from tests.support.inputs.generators import tiny_spec, write_weights
from tests.support.inputs.parcels import checkpoint
from tests.unit.mirror.conftest import SECRET, STEPS, state_of


@pytest.fixture(scope="module")
def parcel(trained, tmp_path_factory):
    store, _, half = trained
    target = tmp_path_factory.mktemp("parcel") / "run.zip"
    pack(store.path(half), target)
    return target


def entries(parcel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(parcel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


COUNTERS = {"elapsed": 0.5, "rate": 1.0, "next_snapshot": 2000, "rollbacks": 0}


def rewritten(content: dict[str, bytes], changed: dict[str, bytes | None]) -> bytes:
    """Return a parcel with some files changed (None: removed) and a manifest that agrees with them."""
    files = {name: part for name, part in {**content, **changed}.items() if part is not None}
    manifest = json.loads(content[MANIFEST])
    del files[MANIFEST]
    manifest["files"] = {
        name: {"size": len(part), "sha256": hashlib.sha256(part).hexdigest()} for name, part in files.items()
    }
    return zipped({MANIFEST: json.dumps(manifest).encode(), **files})


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, part in files.items():
            archive.writestr(name, part)
    return out.getvalue()


def test_a_run_that_came_without_its_pictures_asks_for_them_by_name(parcel, tmp_path):
    content = entries(parcel)
    config = {**json.loads(content["config.json"]), "data": "pets.zip"}
    came = rewritten(content, {"config.json": json.dumps(config).encode()})
    (tmp_path / "run.zip").write_bytes(came)
    there = Store(tmp_path / "runs")
    run = there.path(unpack(there, tmp_path / "run.zip"))
    with pytest.raises(UserError) as caught:
        find_pictures(run, read_config(run).data)
    assert (caught.value.key, caught.value.values["name"]) == ("train.pictures_unplaced", "pets.zip")


def test_a_moved_run_ends_on_the_bits_of_the_undisturbed_one(trained, parcel, tmp_path):
    store, whole, half = trained
    there = Store(tmp_path / "runs")
    moved = unpack(there, parcel)
    found = there.get(moved)
    assert moved == half
    assert (found["status"]["state"], found["name"]) == ("paused", "My digits")
    assert 0 < found["status"]["step"] < STEPS
    assert found["status"]["images"] == 8 * found["status"]["step"]
    assert found["samples"]
    assert there.stats(moved)[1] == store.stats(half)[1]
    assert work(there.path(moved)) == "finished"
    assert state_of(there.path(moved)) == state_of(store.path(whole))
    assert unpack(there, parcel) == f"{half}-2", "an id that is taken is not taken again"
    assert not [path for path in there.root.iterdir() if path.name.startswith(".")]


def test_a_finished_run_arrives_as_finished(trained, tmp_path):
    store, whole, _ = trained
    pack(store.path(whole), tmp_path / "run.zip")
    there = Store(tmp_path / "runs")
    moved = unpack(there, tmp_path / "run.zip")
    assert there.status(moved)["state"] == "finished"
    assert there.status(moved)["step"] == STEPS
    assert there.status(moved)["live_step"] == STEPS


def test_the_file_tells_nothing_of_the_machine(trained, parcel):
    store = trained[0]
    for name, part in entries(parcel).items():
        for secret in (SECRET, str(store.root), "4711", str(Path.home())):
            assert secret.encode() not in part, name
    assert b'"name": "secret"' in entries(parcel)["events.jsonl"]


def test_the_file_for_tensorboard_travels_unless_the_run_trains(trained, tmp_path):
    store, _, half = trained
    run, name = tmp_path / "run", f"{FOLDER}/{FILE}"
    shutil.copytree(store.path(half), run)
    (run / FOLDER).mkdir()
    file = EventFile(run / name)
    file.write(b"an event")
    file.close()
    whole = (run / name).read_bytes()
    with open(run / name, "ab") as cut:
        cut.write(whole[:-1])  # the tracker is about to write another one
    pack(run, tmp_path / "run.zip")
    there = Store(tmp_path / "runs")
    assert (there.path(unpack(there, tmp_path / "run.zip")) / name).read_bytes() == whole
    content = entries(tmp_path / "run.zip")
    for damage in (whole[:-1], whole + b"x", b"\xff" * 40, whole + b"\xff" * 12):
        write_bytes(tmp_path / "evil.zip", rewritten(content, {name: damage}))
        with pytest.raises(UserError) as refused:
            unpack(there, tmp_path / "evil.zip")
        assert (refused.value.key, refused.value.values["name"]) == ("mirror.damaged", name)
    status = read_json(run / "status.json")
    write_json(run / "status.json", {**status, "state": "running"})
    pack(run, tmp_path / "run.zip")
    assert name not in entries(tmp_path / "run.zip")


def test_a_path_of_images_travels_as_a_name_and_arrives_as_a_place_where_nothing_lies(trained, tmp_path):
    store, _, half = trained
    run = tmp_path / "own"
    shutil.copytree(store.path(half), run)
    config = read_json(run / "config.json")
    write_json(run / "config.json", {**config, "data": "/etc/passwd"})
    pack(run, tmp_path / "run.zip")
    assert json.loads(entries(tmp_path / "run.zip")["config.json"])["data"] == "passwd"
    there = Store(tmp_path / "runs")
    assert there.config(unpack(there, tmp_path / "run.zip")).data == f"/{UPLOADS}/moved/passwd"
    # A parcel that somebody wrote by hand names the file itself.
    content = entries(tmp_path / "run.zip")
    evil = json.dumps({**config, "data": "/etc/passwd"}).encode()
    write_bytes(tmp_path / "evil.zip", rewritten(content, {"config.json": evil}))
    assert there.config(unpack(there, tmp_path / "evil.zip")).data == f"/{UPLOADS}/moved/passwd"


def test_the_model_that_a_run_started_from_travels_with_it(trained, tmp_path):
    store, _, half = trained
    run = tmp_path / "tuned"
    shutil.copytree(store.path(half), run)
    write_weights(run / "start" / "generator.safetensors", tiny_spec())
    record = {"id": "run:before", "title": "Before", "weights": "0" * 64, "data": "digits", "classes": ["a"]}
    write_json(run / "start" / "origin.json", {**record, "earlier": []})
    write_json(run / "config.json", {**read_json(run / "config.json"), "start_from": "run:before"})
    pack(run, tmp_path / "run.zip")
    there = Store(tmp_path / "runs")
    arrived = there.path(unpack(there, tmp_path / "run.zip"))
    assert read_record(arrived) == {**record, "earlier": []}
    kept = (arrived / "start" / "generator.safetensors").read_bytes()
    assert kept == (run / "start" / "generator.safetensors").read_bytes()
    content = entries(tmp_path / "run.zip")
    odd = {"id": {"x": 1}, "secret": 1, "classes": 7, "earlier": [{"id": "a", "path": "/etc"}, 7]}
    write_bytes(tmp_path / "odd.zip", rewritten(content, {"start/origin.json": json.dumps(odd).encode()}))
    assert read_record(there.path(unpack(there, tmp_path / "odd.zip"))) == {
        "id": "{'x': 1}", "classes": [], "earlier": [{"id": "a"}],
    }  # fmt: skip
    config = {**json.loads(content["config.json"]), "start_from": "/etc"}
    write_bytes(tmp_path / "evil.zip", rewritten(content, {"config.json": json.dumps(config).encode()}))
    with pytest.raises(UserError) as refused:
        unpack(there, tmp_path / "evil.zip")
    assert refused.value.key == "mirror.damaged"


def test_a_copy_is_of_one_step_while_the_run_trains(tmp_path):
    """The copies are made in a thread, as fast as they can, while this one trains."""
    store = Store(tmp_path / "runs")
    run = store.path(store.create(tiny(30)))
    over, taken, faults = threading.Event(), [], []

    def copy():
        for number in itertools.count():
            if over.is_set():
                return
            place = tmp_path / f"copy-{number}"
            place.mkdir()
            try:
                captured = capture(run, place)
                taken.append((captured.step, place))
            except UserError as error:
                faults.append(error.key)

    thread = threading.Thread(target=copy)
    worker = Worker(run, lambda status: None)
    worker.chunk_seconds = 0.0  # one step at a time
    worker.state.seconds = worker.grid.seconds = worker.live.seconds = 0.0
    thread.start()
    worker.prepare()
    worker.train()
    over.set()
    thread.join()
    assert set(faults) <= {"mirror.no_checkpoint"}
    assert len({step for step, _ in taken}) > 1
    for step, place in taken:
        _, facts = read_state(place / CHECKPOINT)
        assert facts["step"] == step
        for line in (place / "stats.jsonl").read_text().splitlines():
            assert json.loads(line)["step"] <= step
        assert all(int(path.stem) <= step for path in (place / "samples").glob("*"))


def status_with(content: dict[str, bytes], **changes: object) -> bytes:
    return json.dumps({**json.loads(content["status.json"]), **changes}).encode()


CASES: dict[str, tuple[Callable[[dict[str, bytes]], bytes], str]] = {
    "no zip": (lambda c: b"PK\x03\x04 nonsense", "mirror.no_run"),
    "nothing": (lambda c: b"", "mirror.no_run"),
    "no manifest": (lambda c: zipped({n: p for n, p in c.items() if n != MANIFEST}), "mirror.no_run"),
    "compressed": (lambda c: zipped(c, zipfile.ZIP_DEFLATED), "mirror.strange_file"),
    "a way out": (lambda c: rewritten(c, {"../../x": b"x"}), "mirror.strange_file"),
    "an absolute name": (lambda c: rewritten(c, {"/etc/x": b"x"}), "mirror.strange_file"),
    "a command": (lambda c: rewritten(c, {"commands/1-stop.json": b"{}"}), "mirror.strange_file"),
    "a pickle": (lambda c: rewritten(c, {"state/checkpoint.pt": b"x"}), "mirror.strange_file"),
    **{
        f"a checkpoint with {name}": (
            lambda c, changes=changes: rewritten(c, {"state/checkpoint.safetensors": checkpoint(**changes)}),
            "mirror.damaged",
        )
        for name, changes in {
            "micro-batches without number": {"parts": 10**9},
            "no micro-batch": {"parts": -1},
            "a time before its beginning": {"counters": {**COUNTERS, "elapsed": -1e9}},
            "no numbers": {"counters": {**COUNTERS, "rate": "fast"}},
            "an endless rate": {"counters": {**COUNTERS, "rate": float("inf")}},
            "no counters": {"counters": {}},
            "a learning rate that grows": {"lr_factor": 7.0},
        }.items()
    },
    "a mark of a visitor": (lambda c: rewritten(c, {"visitor.txt": b"5" * 64}), "mirror.strange_file"),
    "a large text": (lambda c: rewritten(c, {"name.txt": b"x" * 1025}), "mirror.large_file"),
    "no checkpoint": (lambda c: rewritten(c, {CHECKPOINT: None}), "mirror.lacks"),
    "a broken checkpoint": (lambda c: rewritten(c, {CHECKPOINT: c[CHECKPOINT][:-1]}), "mirror.damaged"),
    "another checkpoint": (
        lambda c: rewritten(c, {CHECKPOINT: c[CHECKPOINT][:-1] + bytes([c[CHECKPOINT][-1] ^ 1])}),
        "mirror.damaged",
    ),
    "a file of another digest": (lambda c: zipped({**c, "name.txt": b"My figits"}), "mirror.damaged"),
    "a file too many": (lambda c: zipped({**c, "samples/00000099.webp": b"x"}), "mirror.strange_file"),
    "no picture": (lambda c: rewritten(c, {"samples/00000001.webp": b"<script>"}), "mirror.damaged"),
    "no status": (lambda c: rewritten(c, {"status.json": b"[]"}), "mirror.damaged"),
    "no config": (lambda c: rewritten(c, {"config.json": b"{"}), "mirror.damaged"),
    "another version": (
        lambda c: zipped({**c, MANIFEST: c[MANIFEST].replace(b"ganarium-run-1", b"ganarium-run-9")}),
        "mirror.other_format",
    ),
    "an id with a path": (
        lambda c: zipped({**c, MANIFEST: json.dumps({**json.loads(c[MANIFEST]), "id": "../x"}).encode()}),
        "mirror.no_run",
    ),
    "a size of minus one": (
        lambda c: zipped({**c, MANIFEST: c[MANIFEST].replace(b'"size": ', b'"size": -')}),
        "mirror.large_file",
    ),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("case", CASES)
def test_a_strange_file_is_refused_in_a_sentence_and_leaves_nothing(case, parcel, tmp_path):
    make, key = CASES[case]
    write_bytes(tmp_path / "run.zip", make(entries(parcel)))
    store = Store(tmp_path / "runs")
    with pytest.raises(UserError) as refused:
        unpack(store, tmp_path / "run.zip")
    assert refused.value.key == key
    assert list(store.root.iterdir()) == []


def test_links_encrypted_and_double_entries_are_refused(parcel, tmp_path):
    content = entries(parcel)
    link = zipfile.ZipInfo("name.txt")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    plain = zipfile.ZipInfo("name.txt")
    locked = zipfile.ZipInfo("name.txt")
    locked.flag_bits |= 0x1
    for odd, times in ((link, 1), (plain, 2), (locked, 1)):
        with zipfile.ZipFile(tmp_path / "run.zip", "w") as archive:
            for name, part in content.items():
                if name != "name.txt":
                    archive.writestr(name, part)
            for _ in range(times):
                archive.writestr(odd, content["name.txt"])
        if odd is locked:  # zipfile can't write the flag, so it is set in the list at the end
            raw = bytearray((tmp_path / "run.zip").read_bytes())
            place = raw.rindex(b"PK\x01\x02")
            raw[place + 8] |= 1
            (tmp_path / "run.zip").write_bytes(raw)
        with pytest.raises(UserError) as refused:
            unpack(Store(tmp_path / "runs"), tmp_path / "run.zip")
        assert refused.value.key == "mirror.strange_file"


def test_a_status_brings_only_fields_of_the_right_type(parcel, tmp_path):
    content = entries(parcel)
    status = status_with(
        content, state="running", pid=1, heartbeat=9e9, error={"key": "x"}, created=9e12, classes=["a", 7],
        parameters={"G": -1, "D": 2}, verdict={"key": "<b>", "level": "x", "values": {}}, device="x" * 999,
        interrupted=True, gpus=10**9, step=10**9, number=10**9,
    )  # fmt: skip
    write_bytes(tmp_path / "run.zip", rewritten(content, {"status.json": status}))
    store = Store(tmp_path / "runs")
    run = unpack(store, tmp_path / "run.zip")
    found = store.status(run)
    assert found["state"] == "paused"
    assert found["step"] == json.loads(content[MANIFEST])["step"]
    for name, usual in (("pid", None), ("error", None), ("verdict", None), ("device", None), ("classes", []),
                        ("parameters", None), ("interrupted", False), ("heartbeat", 0.0),
                        ("gpus", 1), ("number", 1)):  # fmt: skip
        assert found[name] == usual, name
    assert found["created"] < 9e12


def test_a_full_store_takes_nothing_in(parcel, tmp_path):
    store = Store(tmp_path / "runs", allowed=1)
    store.create(tiny())
    with pytest.raises(UserError) as refused:
        unpack(store, parcel)
    assert refused.value.key == "runs.quota"


def test_a_run_without_a_checkpoint_says_so(tmp_path):
    store = Store(tmp_path / "runs")
    with pytest.raises(UserError) as refused:
        pack(store.path(store.create(tiny())), tmp_path / "run.zip")
    assert refused.value.key == "mirror.no_checkpoint"
    assert not (tmp_path / "run.zip").exists()


def sparse(path: Path, size: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "wb") as file:
        file.truncate(size)


def test_a_large_run_leaves_snapshots_behind_until_it_fits(tmp_path):
    sparse(tmp_path / CHECKPOINT, 1433 * MB)
    snapshots = [tmp_path / f"snapshots/{step:08d}.safetensors" for step in range(12)]
    for path in snapshots:
        sparse(path, 243 * MB)
    fit(tmp_path, "run")
    assert sorted((tmp_path / "snapshots").iterdir()) == [*snapshots[::2], snapshots[-1]]
    sparse(tmp_path / CHECKPOINT, 2048 * MB)
    for name in ("generator", "discriminator", "../live"):
        sparse(tmp_path / f"start/{name}.safetensors", 500 * MB)
    fit(tmp_path, "run")
    assert sorted((tmp_path / "snapshots").iterdir()) == [snapshots[0], snapshots[-1]]
    sparse(snapshots[0], 513 * MB)
    fit(tmp_path, "run")
    assert sorted((tmp_path / "snapshots").iterdir()) == [snapshots[-1]], "the reader takes no such file"


def test_what_is_packed_can_be_unpacked_and_what_can_not_is_refused_beforehand(
    trained, tmp_path, monkeypatch
):
    store, _, half = trained
    run = shutil.copytree(store.path(half), tmp_path / half)
    (run / "snapshots").mkdir(exist_ok=True)
    for step in range(6):
        shutil.copy(run / "live.safetensors", run / f"snapshots/{step:08d}.safetensors")
    shutil.copy(run / "live.safetensors", run / "snapshots/1.safetensors")  # a person's file
    whole = pack(run, tmp_path / "run.zip")
    for module in (contents, fitting):
        monkeypatch.setattr(module, "MAX_FILES", len(whole.files) - 2)
    packed = pack(run, tmp_path / "run.zip")
    assert whole.files.keys() - packed.files.keys() >= {"snapshots/00000001.safetensors"}
    there = Store(tmp_path / "there")
    assert packed.files.keys() - {"card.json"} <= {
        path.relative_to(there.root / half).as_posix()
        for path in there.path(unpack(there, tmp_path / "run.zip")).rglob("*")
    }
    for module in (contents, fitting):
        monkeypatch.setattr(module, "MAX_ALL", 10_000)
    with pytest.raises(UserError) as refused:
        pack(run, tmp_path / "other.zip")
    assert refused.value.key == "mirror.outgrown"
    assert not (tmp_path / "other.zip").exists()
    monkeypatch.setattr(contents, "SIZES", {**contents.SIZES, r"stats\.jsonl": 10})
    with pytest.raises(UserError) as refused:
        pack(run, tmp_path / "other.zip")
    assert refused.value.key == "mirror.outgrown_file"


def test_an_event_keeps_plain_values_only():
    event = {"time": 1, "key": "copies", "values": {"copies": 2, "total": "C:\\Users\\me\\x.zip", "z": {}}}
    assert public_event(event) == {"time": 1, "key": "copies", "values": {"copies": 2, "total": "x.zip"}}
    assert public_event({**event, "key": "none"}) is None


def test_a_manifest_survives_a_round_trip(tmp_path):
    (tmp_path / "a").write_bytes(b"x")
    file = File(1, digest(tmp_path / "a"))
    manifest = Manifest("run-1", 7, dict.fromkeys(("config.json", "status.json", CHECKPOINT), file))
    assert read_manifest(manifest.to_bytes()) == manifest
