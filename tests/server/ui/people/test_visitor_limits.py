"""Test how much of a Space visitors can take, so that the owner and other visitors have room."""

import dataclasses
from pathlib import Path

import pytest
from gradio.utils import get_upload_folder

from gan.data.own.report import Report
from gan.errors import UserError
from gan.files import write_bytes, write_json
from gan.kinds.points.recipes import make_config as make_points
from gan.mirror.parcel import pack
from gan.recipes import make_config
from gan.runs.disk import size_of
from gan.runs.store import CHECKPOINTS, Store
from gan.ui.server.children import surveys
from gan.ui.server.people import visitor_limits, visitors
from gan.ui.server.people.visitor_limits import expected_bytes
from gan.ui.server.requests.http import PREFIX
from gan.ui.train import fields, form
from gan.worker.worker import work
from tests.fakes.runs import tiny
from tests.support.inputs.parcels import write_state
from tests.support.page.visiting import key_of, send, served, train, visitor


def over(services, run, size=0):
    """End a run that has this many bytes of weights."""
    write_bytes(services.store.path(run) / "state" / CHECKPOINTS[0], bytes(size))
    services.store.update_status(run, state="finished")


def test_visitors_share_a_part_of_the_quota_and_the_owner_has_the_rest(space, tmp_path):
    one = expected_bytes(form.start("digits", "modern"))
    services = served(tmp_path / "runs", allowed=round(4.2 * one))  # two visitors' runs, and the owner's
    ann, alice = visitor(services), visitor(services, "alice")
    first = train(ann).json()["run"]
    second = train(visitor(services)).json()["run"]
    assert key_of(train(visitor(services))) == (400, "access.no_bytes"), "waiting runs count as they may be"
    assert train(alice).status_code == 200
    over(services, first)
    third = train(visitor(services)).json()["run"]
    services.store.update_status(third, state="paused")
    over(services, second, 2 * one)
    assert key_of(train(ann)) == (400, "access.no_bytes")
    assert key_of(send(ann, first, "more?amount=1")) == (400, "access.no_bytes")
    assert train(alice).status_code == 200
    assert send(ann, first, "delete").status_code == 200, "deleting is for everybody"


def test_uploads_of_visitors_count_to_their_share(space, tmp_path):
    one = expected_bytes(form.start("digits", "modern"))
    services = served(tmp_path / "runs", allowed=6 * one)
    ann = visitor(services)
    write_bytes(services.uploads / "abc" / "images.zip", bytes(3 * one))
    path = Path(get_upload_folder()) / f"{5:064x}" / "images.zip"
    write_bytes(path, b"PK")
    for route in ("pictures", "points"):
        asked = ann.post(f"{PREFIX}/{route}", json={"files": [str(path)]})
        assert key_of(asked) == (400, "access.no_bytes")
    assert key_of(train(ann)) == (400, "access.no_bytes")
    assert [found.name for found in services.uploads.iterdir()] == ["abc"], "nothing was kept"
    theirs = dataclasses.replace(tiny(), data=str(services.uploads / "abc" / "images.zip"))
    services.store.create(theirs)
    assert train(ann).status_code == 200, "the owner uses that upload"


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"recipe": "dcgan", "size": 64, "width": 256}, "access.large_run"),
        ({"size": 128, "width": 256, "batch": 1024, "d_steps": 10}, "access.large_run"),
        ({"size": 128, "width": 64, "batch": 1024, "d_steps": 10}, "access.slow_run"),
        ({"size": 64, "batch": 256}, "access.heavy_run"),
    ],
)
def test_a_visitors_run_fits_the_machine(changes, key, space, tmp_path, monkeypatch):
    """Without these limits a run of three seconds may leave 3 GB, and one step may last for an hour."""
    if key == "access.heavy_run":
        monkeypatch.setattr(visitor_limits, "memory_limit", lambda: 10**9)
    services, made = served(tmp_path / "runs"), make_config("digits", **changes)
    asked = {"recipe": made.recipe, "values": list(fields.spread(made))}
    assert key_of(train(visitor(services), 0.05, **asked)) == (400, key)
    assert train(visitor(services, "alice"), 0.05, **asked).status_code == 200


def test_a_lent_gpu_allows_longer_steps_and_the_cpu_does_not(space, monkeypatch):
    made = make_config("digits", size=128, width=64, batch=512)
    visitor_limits.check_size(made, lent=True)
    with pytest.raises(UserError) as caught:
        visitor_limits.check_size(made)
    assert caught.value.key == "access.slow_run"


def test_an_estimate_of_bytes_is_more_than_a_run_takes(tmp_path):
    for made in (tiny(3), make_points("moons", steps=3)):
        write_json(tmp_path / made.kind / "config.json", made.to_json())
        work(tmp_path / made.kind)
        assert size_of(tmp_path / made.kind) < expected_bytes(made)


def test_the_images_of_an_upload_count_for_disk_and_memory(tmp_path, monkeypatch):
    """For leases, a run keeps them decoded in its directory, beside the upload."""
    kept = tmp_path / ".uploads" / "abc" / "images.zip"
    made = make_config(str(kept), "modern", 64, 3)
    before = expected_bytes(made)
    monkeypatch.setattr(visitor_limits, "memory_limit", lambda: 2 * 10**9)
    visitor_limits.check_size(made)
    write_json(kept.parent / surveys.FILE, Report(100_000).to_json())
    assert expected_bytes(made) == before + 100_000 * 64 * 64 * 3
    with pytest.raises(UserError) as caught:
        visitor_limits.check_size(made)
    assert caught.value.key == "access.heavy_run"


def test_new_cookies_bring_no_more_waiting_runs_than_an_address_may_have(space, tmp_path, monkeypatch):
    monkeypatch.setattr(visitors, "WAITING_CLIENT", 2)
    services = served(tmp_path / "runs")

    def starts(address):
        browser = visitor(services)
        browser.headers["X-Forwarded-For"] = address
        return train(browser)

    assert [starts("9.9.9.9").status_code for _ in range(2)] == [200, 200]
    assert key_of(starts("9.9.9.9")) == (400, "access.many_wait")
    assert starts("8.8.8.8").status_code == 200


def test_a_visitor_brings_a_run_back_within_their_limits(space, tmp_path):
    """They download a run before the Space sleeps, and add it again afterwards."""
    services, elsewhere = served(tmp_path / "runs", allowed=10**9), Store(tmp_path / "elsewhere")
    ann = visitor(services)

    def brings(config):
        run = elsewhere.path(elsewhere.create(config))
        write_state(run)
        file = Path(get_upload_folder()) / f"{6:064x}" / "run.zip"
        file.parent.mkdir(parents=True, exist_ok=True)
        pack(run, file)
        return ann.post(f"{PREFIX}/runs/arrive", json={"files": [str(file)]})

    run = brings(form.start("digits", "modern")).json()["run"]
    assert ann.get(f"{PREFIX}/poll").json()["mine"] == [run]
    assert services.store.status(run)["state"] == "paused"
    assert key_of(send(visitor(services), run, "delete")) == (403, "access.not_yours")
    assert send(ann, run, "resume").status_code == 200
    assert brings(form.start("digits", "modern")).status_code == 200, "one that arrives does not wait"
    for changes, key in (
        ({"minutes": 60.0}, (400, "access.long_run")), ({"kimg": 1.0}, (400, "access.long_run")),
        ({"track": "trackio"}, (403, "access.owner_only")),
        ({"width": 256, "size": 128}, (400, "access.large_run")),
    ):  # fmt: skip
        assert key_of(brings(dataclasses.replace(form.start("digits", "modern"), **changes))) == key
    before = services.store.ids()
    write_bytes(services.store.path(run) / "large", bytes(5 * 10**8))
    assert key_of(brings(form.start("digits", "modern"))) == (400, "access.no_bytes")
    assert sorted(services.store.ids()) == sorted(before)
