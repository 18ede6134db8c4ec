"""Targets of tests.reliability.fuzz that read a mirror's place on the Hub, where anybody may have written."""

import contextlib
import hashlib
import json
import logging
import shutil
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from hypothesis import strategies as st

from gan.errors import UserError
from gan.files import write_bytes
from gan.mirror.contents import MANIFEST, File, Manifest
from gan.mirror.fetching import path_of
from gan.mirror.jobs.messages import ENDED, ORDER, read_end, take_commands, take_order
from gan.mirror.mirror import Mirror
from gan.mirror.remote import Entry, Source
from gan.recipes import make_config
from gan.runs.store import COMMANDS, STATES, Store
from gan.train.origin import RECORD, START, describe
from gan.worker.run_dir import read_config
from tests.reliability.damaged.damage import VALUES, Target, as_json, damaged, deep, like
from tests.support.inputs.parcels import write_parcel

RUN = "20250101-000000-digits"
NAMES = st.text(max_size=30) | st.from_regex(r"(\.\.|[a-z0-9-]{1,9})(/(\.\.|[a-z0-9.-]{1,9})){0,3}")


class Memory:
    """A place of a mirror whose files lie in memory: path -> content."""

    place, owner, token = "bucket:alice/runs", "alice", "hf_x"

    def __init__(self, files: Mapping[str, bytes]):
        self.files = dict(files)

    def create(self) -> None:
        pass

    def listing(self, folder: str = "") -> dict[str, Entry]:
        start = f"{folder}/" if folder else ""
        return {path: Entry(len(one), one) for path, one in self.files.items() if path.startswith(start)}

    def fetch(self, wanted: Mapping[str, tuple[Entry, Path]]) -> None:
        for entry, target in wanted.values():
            target.write_bytes(entry.handle)

    def replace(self, add: Mapping[str, Source], last: Mapping[str, Source], gone: Sequence[str]) -> None:
        for path in gone:
            del self.files[path]


@contextlib.contextmanager
def silent() -> Iterator[None]:
    """Log nothing during the block: the log names every damaged run."""
    logging.disable()
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


def restored(folder: Path) -> Target:
    """Mirror.restore: takes in whole runs, leaves all others out, and never fails.

    Damaged files, and files whose manifest agrees with their damage, so that every later check is reached.
    """
    write_parcel(folder / "sound.zip")
    with zipfile.ZipFile(folder / "sound.zip") as archive:
        sound = {name: archive.read(name) for name in archive.namelist()}
    listed = json.loads(sound.pop(MANIFEST))

    def placed(run_id: str, files: Mapping[str, bytes], manifest: bytes | None = None) -> dict[str, bytes]:
        facts = {name: File(len(part), hashlib.sha256(part).hexdigest()) for name, part in files.items()}
        found = {path_of(run_id, name, facts[name]): part for name, part in files.items()}
        whole = Manifest(run_id, listed["step"], facts).to_bytes()
        return {**found, f"{run_id}/{MANIFEST}": whole if manifest is None else manifest}

    whole = placed(RUN, sound)
    own = json.loads(whole[f"{RUN}/{MANIFEST}"])

    def agreeing(name: str) -> st.SearchStrategy[dict[str, bytes]]:
        texts = name.endswith(".json")
        odd = like(json.loads(sound[name])).map(as_json) if texts else damaged([sound[name]])
        return odd.map(lambda content: placed(RUN, {**sound, name: content}))

    manifests = damaged([as_json(own)]) | like(own).map(as_json) | deep(own) | VALUES.map(as_json)
    spoiled = st.sampled_from(sorted(whole)).flatmap(
        lambda path: damaged([whole[path]]).map(lambda content: {**whole, path: content})
    )
    strange = st.tuples(NAMES, NAMES).map(
        lambda names: placed(names[0], {**sound, names[1]: b"x"}) if all(map(_is_path, names)) else whole
    )
    places = (
        manifests.map(lambda manifest: placed(RUN, sound, manifest))
        | st.sampled_from(sorted(sound)).flatmap(agreeing)
        | spoiled
        | strange
    )

    def act(files: dict[str, bytes]) -> None:
        store = Store(folder / "place" / "runs")
        try:
            with silent():
                taken = Mirror(store, Memory({**files, **placed("other", sound)})).restore()
            assert "other" in taken, "one damaged run must not keep the others away"
            for run_id in taken:
                assert store.get(run_id)["status"]["state"] in ("paused", "finished", "stopped")
                store.follow(run_id, 0)
            assert {path.name for path in store.root.glob("*")} == set(taken)
            assert [path.name for path in (folder / "place").iterdir()] == ["runs"]
        except UserError as error:
            raise AssertionError("a damaged run keeps all others away") from error
        finally:
            shutil.rmtree(folder / "place")

    return places, act


def _is_path(name: str) -> bool:
    """Whether a place could list this name, and a manifest name it."""
    return bool(name.strip("/.")) and "\0" not in name and not name.endswith("/")


def messages(folder: Path) -> Target:
    """What a server and its job leave for each other: an order, commands, and how the worker ended.

    Each is taken as what it should be, or left, or refused in a sentence.
    """
    config = make_config("digits").to_json()
    end = {"state": "failed", "error": {"key": "data.too_few", "values": {"path": "x", "count": 1}}}
    record = {"id": "shipped:digits", "title": "Digits", "classes": ["a"], "earlier": [{"id": "x"}]}
    sound = {f"{ORDER}/config.json": config, ENDED: end, f"{ORDER}/{START}/{RECORD}": record}

    def content(name: str) -> st.SearchStrategy[bytes]:
        value = sound[name]
        odd = VALUES.map(as_json) | like(value).map(as_json) | deep(value) | damaged([as_json(value)])
        if name == ENDED:
            odd |= like(end["error"]).map(lambda error: as_json({**end, "error": error}))
        return odd

    orders = st.sampled_from([f"commands/{number}-{name}.json" for number in (1, 9) for name in COMMANDS])
    others = st.dictionaries(orders | NAMES.filter(_is_path), st.binary(max_size=9), max_size=4)
    places = st.builds(
        lambda files, more: {f"{RUN}/{name}": part for name, part in {**more, **files}.items()},
        st.fixed_dictionaries({}, optional={name: content(name) for name in sound}),
        others,
    )

    def act(files: dict[str, bytes]) -> None:
        remote, run = Memory(files), folder / RUN
        run.mkdir()
        try:
            _read(remote, run, files)
        finally:
            shutil.rmtree(run)

    return places, act


def _read(remote: Memory, run: Path, files: Mapping[str, bytes]) -> None:
    ended = read_end(remote, RUN, run)
    assert ended is None or (ended[0] in STATES and (ended[1] is None or str(ended[1])))
    waiting = sum(path.startswith(f"{RUN}/commands/") for path in files)
    taken = take_commands(remote, RUN)
    assert set(taken) <= set(COMMANDS)
    assert len(taken) <= waiting
    assert take_commands(remote, RUN) == []
    with contextlib.suppress(UserError):
        take_order(remote, RUN, run)
    written = {str(path.relative_to(run)) for path in run.rglob("*") if path.is_file()}
    assert written <= {ENDED, "config.json", f"{START}/{RECORD}"}
    json.dumps(describe(run), allow_nan=True)
    write_bytes(run / "status.json", b"{}")
    with contextlib.suppress(UserError):
        read_config(run)
