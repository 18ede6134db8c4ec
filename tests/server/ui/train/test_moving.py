"""Test the routes that move a run, and what the page is told about where runs are kept."""

import asyncio
import gc
import io
import shutil
import zipfile
from pathlib import Path

import pytest
from gradio.utils import get_upload_folder
from starlette.requests import ClientDisconnect, Request

from gan.errors import UserError
from gan.files import write_bytes
from gan.mirror import deletions
from gan.mirror.contents import Manifest
from gan.mirror.mirror import Mirror
from gan.mirror.remote import open_remote
from gan.runs.disk import SPARE
from gan.runs.store import Store
from gan.ui.server.people.access import Access
from gan.ui.server.requests import sending
from gan.ui.server.services import Services
from gan.ui.train import moving
from tests.fakes.runs import past, tiny, wait_until
from tests.support.inputs.parcels import write_state

OURS = "/gradio_api/gan"


@pytest.fixture
def run(services, store):
    """A finished run with a checkpoint."""

    def fill(folder: Path) -> None:
        write_state(folder)
        write_bytes(folder / "samples" / "00000003.webp", b"RIFF\x00\x00\x00\x00WEBP")

    return past(store, tiny(), fill, state="finished", step=3, images=24)


def uploaded(content: bytes) -> str:
    path = Path(get_upload_folder()) / f"{4:064x}" / "run.zip"
    write_bytes(path, content)
    return str(path)


def test_a_run_is_downloaded_and_added_again(client, store, run, poll):
    reply = client.get(f"{OURS}/runs/{run}/file")
    assert reply.status_code == 200
    assert reply.headers["content-disposition"] == f'attachment; filename="{run}.zip"'
    assert int(reply.headers["content-length"]) == len(reply.content)
    assert zipfile.ZipFile(io.BytesIO(reply.content)).testzip() is None
    assert str(store.root).encode() not in reply.content
    file = uploaded(reply.content)
    added = client.post(f"{OURS}/runs/arrive", json={"files": [file]}).json()["run"]
    assert added == f"{run}-2"
    assert poll(run=added)["run"]["status"]["state"] == "finished"
    assert not Path(file).exists()
    assert not [path for path in store.root.iterdir() if path.name.startswith(".new-")]


def test_what_is_no_run_is_refused_in_a_sentence(client, store, run):
    before = store.ids()
    for files, key in (
        ([], "mirror.one_file"), (["/etc/passwd"], "ui.bad_form"), ([uploaded(b"x")], "mirror.no_run"),
        ([uploaded(b"x")] * 2, "mirror.one_file"), (None, "ui.bad_form"),
    ):  # fmt: skip
        reply = client.post(f"{OURS}/runs/arrive", json={"files": files})
        assert (reply.status_code, reply.json()["error"]["key"]) == (400, key)
    assert client.get(f"{OURS}/runs/none/file").json()["error"]["key"] == "runs.unknown"
    untrained = store.create(tiny(), state="stopped")
    assert client.get(f"{OURS}/runs/{untrained}/file").json()["error"]["key"] == "mirror.no_checkpoint"
    assert sorted(store.ids()) == sorted([*before, untrained])


def test_only_who_controls_the_runs_may_download_and_only_some_at_once(client, services, run, monkeypatch):
    held = [moving.DEPARTURES.begin(f"9.9.9.{number}", True) for number in range(3)]
    with pytest.raises(UserError) as twice:
        moving.DEPARTURES.begin("9.9.9.1", True)
    with pytest.raises(UserError) as fourth:
        moving.DEPARTURES.begin("9.9.9.7", True)
    assert (twice.value.key, fourth.value.key) == ("mirror.one_leaves", "ui.busy")
    assert client.get(f"{OURS}/runs/{run}/file").status_code == 200, "visitors leave a place"
    gc.collect()
    held.append(moving.DEPARTURES.begin("9.9.9.1", False))
    assert client.get(f"{OURS}/runs/{run}/file").json()["error"]["key"] == "ui.busy"
    for leave in held:
        leave()
    for _ in range(6):
        assert client.get(f"{OURS}/runs/{run}/file").status_code == 200
        gc.collect()  # a file is counted until nobody holds it
    monkeypatch.setattr(services, "access", Access("a token of the teacher"))
    reply = client.get(f"{OURS}/runs/{run}/file")
    assert (reply.status_code, reply.json()["error"]["key"]) == (403, "access.needed")


def test_who_takes_a_run_too_slowly_is_left_and_frees_the_place(services, run, monkeypatch):
    monkeypatch.setattr(sending, "WITHIN", 0.0)
    monkeypatch.setattr(sending, "PIECE", 100)
    scope = {"type": "http", "path": "/", "headers": [], "query_string": b"", "client": ("9.9.9.9", 1),
             "path_params": {"id": run}}  # fmt: skip
    answer, sizes = moving.download(services, Request(scope)), []

    async def take(message):
        sizes.append(len(message.get("body", b"")))
        await asyncio.sleep(0.01)

    assert moving.DEPARTURES._clients == ["9.9.9.9"]
    with pytest.raises(ClientDisconnect):
        asyncio.run(answer({"type": "http"}, lambda: asyncio.sleep(60), take))
    assert sizes.count(100) == 1
    assert moving.DEPARTURES._clients == []


def test_a_run_is_packed_only_where_the_disk_has_room(client, run, monkeypatch):
    found = shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: found._replace(free=SPARE))
    assert client.get(f"{OURS}/runs/{run}/file").json()["error"]["key"] == "mirror.no_room"


def test_the_page_is_told_where_runs_are_kept(services, poll, run, monkeypatch):
    assert poll()["kept"] == {"mirror": None, "space": False}
    monkeypatch.setenv("SPACE_ID", "me/gan")
    assert poll()["kept"] == {"mirror": None, "space": True}
    services.mirror = Mirror(services.store, open_remote("bucket:me/runs", "hf_x"))
    services.mirror._error = UserError("mirror.refused", place="bucket:me/runs", reason="/home/me/x is odd")
    kept = poll()["kept"]["mirror"]
    assert (kept["place"], kept["runs"], kept["error"]["key"]) == ("bucket:me/runs", 0, "mirror.refused")
    assert "/home/me" not in str(kept)
    assert poll()["run"]["mirror"] == {"step": None, "error": None}
    services.mirror._error = None
    fault = UserError("mirror.outgrown_file", run=run, name="/home/me/x", megabytes=1)
    services.mirror._faults[run] = services.mirror._lost["gone"] = fault
    services.mirror._manifests[run] = Manifest(run, 7, {})
    services.store.rename(run, "Another")  # the last answer is shared for a moment
    wait_until(lambda: poll()["run"]["mirror"]["step"] == 7)
    shown = poll()
    assert shown["run"]["mirror"]["error"]["key"] == "mirror.outgrown_file"
    assert (shown["kept"]["mirror"]["left_out"], [*shown["kept"]["mirror"]["lost"]]) == (1, ["gone"])
    assert "/home/me" not in str(shown["run"]["mirror"]) + str(shown["kept"])
    services.command(run, "delete")
    assert services.mirror._deleted == deletions.remembered(services.store.root) == {run}


def test_a_server_opens_with_its_mirror_or_says_what_is_wrong(tmp_path, monkeypatch):
    monkeypatch.setenv("GANARIUM_MIRROR", "somewhere")
    monkeypatch.setenv("HF_TOKEN", "hf_x")
    with pytest.raises(UserError) as refused:
        Services().open(tmp_path / "runs")
    assert refused.value.key == "mirror.bad_place"
    assert not (tmp_path / "runs").exists()
    monkeypatch.setenv("HF_TOKEN", "hf_x")
    monkeypatch.setenv("GANARIUM_MIRROR", "bucket:me/runs")
    services = Services()
    services.open(tmp_path / "runs")
    assert services.kept()["mirror"]["place"] == "bucket:me/runs"
    assert isinstance(services.store, Store)
    services.supervisor.close()
