"""Test pictures by name with the real client of the Hub, against a small Hub on this machine."""

import errno
import io
import json
import os
import re
import shutil
import sys
import zipfile

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from gan import data
from gan.cli.train import main as train_command
from gan.cli.train import new_run
from gan.data.own.source import read_source
from gan.errors import UserError
from gan.export.card import origin
from gan.files import read_json
from gan.hub import sets, table
from gan.hub.model_card import model_card
from gan.hub.sets import MOST, parse, pull_set
from gan.ui.api import functions
from gan.ui.server.children import hub_sets
from gan.ui.server.people.access import Access
from gan.ui.server.requests.guard import Guard
from gan.ui.server.requests.uploads import MARK
from gan.ui.server.services import Services
from gan.ui.train import fields, form, own, own_hub
from gan.ui.train.routes import train_routes
from tests import ROOT
from tests.fakes.hub import NOWHERE, TOKEN, WRONG_TOKEN, Refusal, Repository, fake_hub
from tests.support.inputs.tables import picture
from tests.support.inputs.tables import table as rows

NAME = "ada/cats"
PLACE = f"datasets/{NAME}"
FIRST, SECOND = "data/train-00000-of-00002.parquet", "data/train-00001-of-00002.parquet"
CLASSES = ("7", "train", "a/b: c", "never seen")
CARD = {"license": "cc-by-4.0", "pretty_name": "Ada's cats"}


@pytest.fixture(scope="module")
def server():
    with fake_hub() as hub:
        yield hub


@pytest.fixture
def hub(server, monkeypatch, tmp_path):
    """The Hub with a set of 40 pictures in two files, and an empty cache."""
    server.forget()
    monkeypatch.setenv("HF_ENDPOINT", server.endpoint)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GANARIUM_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "none"))
    pictures = [picture(number) for number in range(40)]
    labels = [number % 3 for number in range(40)]
    files = {
        "README.md": b"# cats",
        SECOND: rows(pictures[24:], labels[24:], CLASSES, group=4, caption=["x"] * 16),
        FIRST: rows(pictures[:24], labels[:24], CLASSES, group=8, caption=["x"] * 24),
        "data/test-00000-of-00001.parquet": rows(pictures[:2], [0, 1], CLASSES),
    }
    server.repositories[PLACE] = Repository(files, card=CARD)
    return server


def refused(act) -> str:
    with pytest.raises(UserError) as caught:
        act()
    assert TOKEN not in str(caught.value)
    return caught.value.key


def pull(name=NAME, cap=sets.CAP, **options):
    return pull_set(name, cap, token=False, **options)


def left(tmp_path):
    return sorted(path.name for path in (tmp_path / "cache").rglob("*"))


def test_the_first_rows_of_the_training_split_come_in_their_order_with_classes(hub):
    path = pull(cap=30)
    assert path.name == "hub--ada--cats.zip"
    found = data.load(str(path), 28, 1)
    assert len(found.images) == 30
    assert found.classes == ("7", "train", "a/b: c"), "in the order of the set, and as it spells them"
    assert found.labels.tolist() == [number % 3 for number in range(30)]
    assert found.report.classes == (("7", 10), ("train", 10), ("a/b: c", 10))
    assert not found.report.classes_doubtful
    with zipfile.ZipFile(path) as archive:
        assert [archive.read(one) for one in archive.infolist()] == [picture(number) for number in range(30)]
    source = found.source
    assert (source.name, source.licence, source.title, source.count) == (
        f"hub:{NAME}", "cc-by-4.0", "Ada's cats", 30,
    )  # fmt: skip
    assert source.commit == hub.repositories[PLACE].commit
    assert data.public_name(str(path)) == f"hub:{NAME}"


def test_a_pinned_set_is_the_same_bytes_and_comes_once(hub):
    first = pull(cap=20)
    content, commit = first.read_bytes(), hub.repositories[PLACE].commit
    hub.seen.clear()
    assert pull(f" https://huggingface.co/datasets/{NAME}/", cap=20) == first
    assert len(hub.seen) == 1, "only the question for the newest commit"
    hub.repositories[PLACE].files["notes.txt"] = b"a new commit"
    other = pull(cap=20)
    assert other.parent != first.parent
    assert other.read_bytes() == content, "equal pictures make equal zips"
    assert refused(lambda: pull(f"{NAME}@{commit}")) == "hub.unknown_revision"


def test_only_what_is_needed_of_a_large_table_is_downloaded(hub, monkeypatch):
    monkeypatch.setattr(table, "BUFFER", 2**16)
    large = rows([picture(number, 200) for number in range(300)], caption=["x"] * 300, group=50)
    hub.repositories[PLACE].files = {FIRST: large}
    came = []
    whole = table._Remote._range

    def counted(self, start, end):
        came.append(end - start)
        return whole(self, start, end)

    monkeypatch.setattr(table._Remote, "_range", counted)
    assert read_source(pull(cap=20)).count == 20
    assert sum(came) < len(large) / 4


def test_broken_rows_are_left_out_by_name_and_reason(hub, monkeypatch):
    monkeypatch.setattr(sets, "MAX_MEMBER", 5000)
    images = [
        picture(0),
        None,
        b"",
        b"no image",
        picture(1)[:200],
        picture(2, 90),
        picture(3, kind="GIF"),
        picture(4),
    ]
    hub.repositories[PLACE].files = {FIRST: rows(images, [0, 0, 1, 0, 1, 0, 1, None], ("a", "b"))}
    found = data.load(str(pull()), 28, 1)
    assert [(one.name, one.reason) for one in found.report.left_out] == [
        ("row-000001", "no_bytes"),
        ("row-000002", "no_bytes"),
        ("row-000005", "bytes"),
        ("00000-a/row-000003.png", "damaged"),
        ("00001-b/row-000006.png", "kind"),
        ("00001-b/row-000004.png", "damaged"),
    ]
    assert len(found.images) == 2


def zipped(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def test_a_zip_and_a_folder_inside_a_repository(hub):
    files = {f"{kind}/{number}.png": picture(number) for kind in ("cat", "dog") for number in range(10)}
    hub.repositories[PLACE].files |= {
        "packed/pets.zip": zipped({**files, "notes.txt": b"x"}),
        **{f"loose pets/{name}": content for name, content in files.items()},
        "loose pets/notes.txt": b"x",
    }
    whole = pull(f"{NAME}/packed/pets.zip")
    assert whole.read_bytes() == hub.repositories[PLACE].files["packed/pets.zip"]
    assert data.load(str(whole), 28, 1).classes == ("cat", "dog")
    assert len(data.load(str(pull(f"{NAME}/packed/pets.zip", cap=12)), 28, 1).images) == 12
    loose = data.load(str(pull(f"{NAME}/loose pets")), 28, 1)
    assert (loose.classes, len(loose.images)) == (("cat", "dog"), 20)
    assert loose.source.name == f"hub:{NAME}/loose pets"
    assert len(data.load(str(pull(f"{NAME}/data")), 28, 1).images) == 40, "a folder of tables"
    assert refused(lambda: pull(f"{NAME}/nowhere")) == "hub.set_no_place"


def test_a_zip_whose_copy_finds_no_room_is_told_in_a_sentence(hub, tmp_path, monkeypatch):
    packed = zipped({f"{number}.png": picture(number) for number in range(20)})
    hub.repositories[PLACE].files["pets.zip"] = packed
    free = [sets.SPARE + len(packed), sets.SPARE + 1000]
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=free.pop(0)))
    with monkeypatch.context() as client:  # it looks too, before each download
        client.setattr("huggingface_hub.file_download._check_disk_space", lambda *facts: None)
        assert refused(lambda: pull(f"{NAME}/pets.zip", cap=12)) == "hub.cannot_keep"
        assert free == [], "once for the download, once for the copy"
        free = [sets.SPARE]
        assert refused(lambda: pull(f"{NAME}/pets.zip")) == "hub.cannot_keep"
    assert set(left(tmp_path)) <= {"hub-data"}


def test_a_full_disk_is_no_damage(hub, monkeypatch):
    hub.repositories[PLACE].files["pets.zip"] = zipped({f"{k}.png": picture(k) for k in range(20)})

    def full(*parts):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(sets, "_write", full)
    assert refused(lambda: pull(f"{NAME}/pets.zip", cap=12)) == "hub.cannot_keep"


def test_a_repository_without_tables_is_read_from_the_converted_ones(hub):
    hub.repositories[PLACE].files = {"cats.tar": b"x"}
    assert refused(pull) == "hub.set_no_table"
    hub.repositories[PLACE].converted = {"default/train/0000.parquet": rows([picture(1), picture(2)])}
    found = read_source(pull())
    assert (found.count, found.classes, found.licence) == (2, (), "cc-by-4.0")
    with_revision = f"{NAME}@{hub.repositories[PLACE].commit}"
    assert refused(lambda: pull(with_revision)) == "hub.set_no_table"
    assert read_source(pull(f"{NAME}@{found.commit}")).count == 2, "the pinned commit comes again"


ANSWERS = {
    401: (Refusal(401, {"X-Error-Code": "RepoNotFound"}), "hub.set_unknown"),
    "a wrong token": (Refusal(401, WRONG_TOKEN), "hub.set_unknown"),
    "gated": (Refusal(403, {"X-Error-Code": "GatedRepo"}), "hub.set_forbidden"),
    403: (Refusal(403), "hub.set_forbidden"),
    404: (Refusal(404, {"X-Error-Code": "RepoNotFound"}), "hub.set_unknown"),
    429: (Refusal(429), "hub.too_often"),
    503: (Refusal(503), "hub.down"),
    400: (Refusal(400, {"X-Error-Message": "no"}), "hub.refused"),
}


@pytest.mark.parametrize("where", ["/api/.*", ".*/resolve/.*"])
@pytest.mark.parametrize("status", ANSWERS)
def test_a_refusal_of_the_hub_is_told_and_nothing_stays(status, where, hub, tmp_path):
    hub.refusals[where], key = ANSWERS[status]
    assert refused(pull) == key
    assert set(left(tmp_path)) <= {"hub-data"}


def test_no_net_and_what_breaks_on_the_way(hub, tmp_path, monkeypatch):
    hub.ranges = False
    assert refused(pull) == "hub.broken"
    hub.ranges = True
    hub.repositories[PLACE].files[SECOND] = hub.repositories[PLACE].files[SECOND][:-50]
    assert refused(pull) == "hub.set_damaged", "after 24 rows"
    assert set(left(tmp_path)) <= {"hub-data"}
    assert read_source(pull(cap=24)).count == 24, "rows before the damage can be had"
    monkeypatch.setenv("HF_ENDPOINT", NOWHERE)
    assert refused(pull) == "hub.offline"


def test_what_is_no_set_of_pictures_is_told(hub, tmp_path, monkeypatch):
    import pyarrow as pa
    import pyarrow.parquet as parquet

    files = hub.repositories[PLACE].files = {}
    out = io.BytesIO()
    parquet.write_table(pa.table({"text": ["a", "b"], "n": [1, 2]}), out)
    files[FIRST] = out.getvalue()
    with pytest.raises(UserError, match="text, n") as caught:
        pull()
    assert caught.value.key == "hub.set_no_images"
    files[FIRST] = rows([None, None])
    assert refused(pull) == "hub.set_empty"
    files[FIRST] = b"PAR1 no table PAR1"
    assert refused(pull) == "hub.set_damaged"
    files["evil.zip"] = zipped({"../out.png": picture(1), "a.png": picture(2)})
    with pytest.raises(UserError, match=r"hub:ada/cats/evil\.zip") as caught:
        pull(f"{NAME}/evil.zip")
    assert caught.value.key == "data.leads_out"
    monkeypatch.setattr(sets, "MAX_TOTAL", 3000)
    files[FIRST] = rows([picture(number) for number in range(9)])
    assert refused(pull) == "hub.set_too_large"
    hub.announced["evil.zip"] = 100
    assert refused(lambda: pull(f"{NAME}/evil.zip")) == "hub.broken", "longer than announced"
    files["a/b.png"], files["a/c.png"] = picture(1, 60), picture(2, 60)
    assert refused(lambda: pull(f"{NAME}/a")) == "hub.set_too_large"
    assert set(left(tmp_path)) <= {"hub-data"}
    for cap in (0, 1, -5, MOST + 1):
        assert refused(lambda cap=cap: pull(cap=cap)) == "hub.set_cap"


def test_a_missing_package_is_told_in_a_sentence(hub, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pyarrow.parquet", None)
    with pytest.raises(UserError, match=re.escape(f'pip install "{table.PACKAGE}"')) as caught:
        pull()
    assert caught.value.key == "hub.no_pyarrow"
    assert f'hub-data = [\n    "{table.PACKAGE}",' in (ROOT / "pyproject.toml").read_text()


def test_private_and_gated_sets_need_the_token_of_the_terminal(hub, monkeypatch):
    hub.repositories[PLACE].gated = True
    assert refused(pull) == "hub.set_forbidden"
    hub.repositories[PLACE].private = True
    assert refused(lambda: pull_set(NAME)) == "hub.set_unknown"
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    assert refused(pull) == "hub.set_unknown", "an anonymous pull sends no token"
    assert read_source(pull_set(NAME, 5)).count == 5


@pytest.mark.parametrize(
    "name",
    ["", "a", "hub:", "../b", "a/..", "a/b/..", "a/b/../c", "a/b//c", "a/b/.git", "a/b@", "a/b@x/./y",
     "a--b/c", "a/b/c\\d", "a/b/c?d", "a/b/c#d", "a/b/%2e%2e", "a/b/\0", "a/b/c:d", "/etc/passwd", "http://x/y/z",
     "a/b/" + "c" * 200, "a/b" + "/c" * 11],
)  # fmt: skip
def test_what_is_no_name_is_refused_before_any_request(name, hub):
    assert refused(lambda: pull(name)) == "hub.set_bad_name"
    assert hub.seen == []


def test_the_parts_of_a_name():
    assert parse("hub:a/b@v1.0/c d/e.zip") == ("a/b", "v1.0", "c d/e.zip")
    assert parse("a/b") == ("a/b", None, "")


@pytest.mark.parametrize(
    ("files", "chosen"),
    [
        (["b/test-00000-of-00001.parquet", "a/x-00001-of-00002.parquet", "a/x-00000-of-00002.parquet"],
         ["a/x-00000-of-00002.parquet", "a/x-00001-of-00002.parquet"]),
        (["default/test/0000.parquet", "default/train/0001.parquet", "default/train/0000.parquet"],
         ["default/train/0000.parquet", "default/train/0001.parquet"]),
        (["mnist/test-00000-of-00001.parquet", "mnist/train-00000-of-00001.parquet"],
         ["mnist/train-00000-of-00001.parquet"]),
        (["cats.parquet", "dogs.parquet"], ["cats.parquet", "dogs.parquet"]),
        (["data/val-00000-of-00001.parquet", "data/test-00000-of-00001.parquet"],
         ["data/test-00000-of-00001.parquet"]),
    ],
)  # fmt: skip
def test_the_files_of_one_table(files, chosen):
    assert table.choose(files) == chosen


def test_a_run_learns_a_set_of_the_hub_and_goes_on_without_the_net(hub, tmp_path, monkeypatch, capsys):
    out = tmp_path / "run"
    small = ["--kimg", "0.08", "--width", "8", "--batch", "8", "--z-dim", "16", "--clusters", "1"]
    assert train_command(["--data", f"hub:{NAME}", "--cap", "32", "--out", str(out), *small]) == 0
    commit = hub.repositories[PLACE].commit
    said = capsys.readouterr().err
    assert f"32 pictures of hub:{NAME}, at commit {commit[:12]}. Licence: cc-by-4.0." in said
    config = read_json(out / "config.json")
    assert (config["conditional"], config["size"], config["channels"]) == (True, 28, 1)
    events = [json.loads(line) for line in (out / "events.jsonl").read_text().splitlines()]
    told = {"name": f"hub:{NAME}", "commit": commit, "licence": "cc-by-4.0", "count": 32}
    assert [event["values"] for event in events if event["key"] == "from_hub"] == [told]
    shown = origin(config["data"], out)
    assert shown == {
        "data": f"hub:{NAME}",
        "data_licence": "cc-by-4.0",
        "data_credit": f"Ada's cats · {NAME}",
        "data_commit": commit,
    }
    card = model_card({"title": "Cats", **shown}, "ada/cats-gan", False)
    assert f"datasets:\n- {NAME}" in card
    assert "license: cc-by-4.0" in card
    assert commit in card

    record = read_json(out / "data.json")
    monkeypatch.setenv("HF_ENDPOINT", NOWHERE)
    assert train_command([str(out), "--more", "0.08"]) == 0, "without the net"
    assert read_json(out / "data.json") == record

    shutil.rmtree(tmp_path / "cache")
    assert train_command([str(out), "--more", "0.08"]) == 2, "the cache was emptied"
    assert "--data" in capsys.readouterr().err
    assert train_command([str(out), "--data", f"hub:{NAME}", "--cap", "32"]) == 2, "and there is no net"
    assert str(UserError("hub.offline", name=f"hub:{NAME}")) in capsys.readouterr().err
    monkeypatch.setenv("HF_ENDPOINT", hub.endpoint)
    again = ["--data", f"hub:{NAME}@{commit}", "--cap", "32"]
    assert train_command([str(out), *again]) == 0, "with the budget that the second --more gave"
    assert read_json(out / "data.json") == record, "the same pictures in the same order"


def test_the_terminal_tells_a_cap_without_a_set_and_one_beyond_the_room(hub, tmp_path, capsys, monkeypatch):
    assert train_command(["--data", "digits", "--cap", "5", "--out", str(tmp_path / "a")]) == 2
    assert train_command([str(tmp_path), "--cap", "5"]) == 2
    monkeypatch.setattr("gan.data.pixels.most", lambda *shape: 12 if shape == (3, 64) else 99)
    new_run({"data": f"hub:{NAME}", "size": 64, "batch": 4, "conditional": False}, tmp_path / "b")
    assert "12 pictures of" in capsys.readouterr().err


@pytest.fixture
def page(hub, tmp_path):
    """A client of the page's routes behind the guard, and the services, which have a token."""
    services = Services(checkpoints=tmp_path / "none", access=Access("a token of the teacher"))
    services.open(tmp_path / "runs")
    app = Guard(Starlette(routes=train_routes(services)), services)
    yield TestClient(app, raise_server_exceptions=False, base_url="http://localhost"), services
    services.close()


def test_whoever_controls_pulls_a_set_into_the_page_and_starts_a_run(hub, page, monkeypatch):
    browser, services = page
    monkeypatch.setenv("HF_TOKEN", TOKEN)

    def post(path, value):
        return browser.post(f"/gradio_api/gan/{path}", json=value)

    asked = {"id": NAME, "cap": 30}
    assert post("pictures/pull", asked).json()["error"]["key"] == "access.needed"
    assert hub.seen == []
    services.access = Access()
    assert post("pictures/pull", {"id": "../x", "cap": 5}).json()["error"]["key"] == "hub.set_bad_name"
    for cap in (1, MOST + 1, "5", True, None, 10**400):
        assert post("pictures/pull", {"id": NAME, "cap": cap}).json()["error"]["key"] == "hub.set_cap"
    assert hub.seen == []
    monkeypatch.setattr(own, "WAIT", 300.0)  # on a busy machine the child takes long to start
    hub.repositories["datasets/bob/secret"] = Repository(hub.repositories[PLACE].files, private=True)
    refusal = post("pictures/pull", {"id": "bob/secret", "cap": 5})
    assert (refusal.status_code, refusal.json()["error"]["key"]) == (404, "hub.set_unknown")

    monkeypatch.setattr(own, "WAIT", 0.01)
    assert post("pictures/pull", asked).json() == {"reading": True}
    monkeypatch.setattr(own, "WAIT", 300.0)
    found = post("pictures/pull", asked).json()
    assert {token for *_, token in hub.seen} == {None}, "the server's token is not sent"
    assert found["report"]["classes"] == [["7", 10], ["train", 10], ["a/b: c", 10]]
    assert found["source"] == {
        "name": f"hub:{NAME}",
        "commit": hub.repositories[PLACE].commit,
        "licence": "cc-by-4.0",
        "title": "Ada's cats",
        "count": 30,
    }
    [kept] = services.uploads.glob("hub-*")
    assert kept.name == found["set"]
    assert (kept / MARK).exists()
    assert not any((services.uploads.parent / ".pulls").iterdir())

    values = form.defaults("own", "modern")
    sent = {"data": "own", "recipe": "modern", "minutes": 1, "values": values}
    for odd in ("hub-" + "0" * 16, "../x", "", 7, []):
        reply = post("runs", {**sent, "hub": odd}).json()
        assert reply["error"]["key"] in ("ui.lost_files", "ui.bad_form")
    values[fields.keys().index("batch")] = 8
    run = post("runs", {**sent, "hub": found["set"]}).json()["run"]
    assert services.store.get(run)["config"]["data"] == str(kept / "hub--ada--cats.zip")
    shown = browser.get("/gradio_api/gan/poll", params={"run": run}).json()["run"]
    assert shown["config"]["data"] == f"hub:{NAME}"
    assert not (kept / MARK).exists()
    services.remove_uploads()
    assert kept.exists(), "a run learns from it"
    with pytest.raises(UserError) as caught:
        own_hub.start(services, {**sent, "hub": found["set"]}, "a visitor")
    assert caught.value.key == "access.owner_only"


def test_a_program_starts_a_run_on_a_set_with_the_settings_that_the_page_suggests(hub, page):
    services = page[1]
    run = functions.train(services, f"hub:{NAME}", "modern", 2, "", 30)["run"]
    [kept] = services.uploads.glob("hub-*")
    config = services.store.config(run)
    assert (config.data, config.minutes) == (str(kept / "hub--ada--cats.zip"), 2.0)
    suggested = functions.own_hub.pull(services, {"id": NAME, "cap": 30}, None)["suggestions"]["modern"]
    assert suggested["batch"] == 30
    assert {name: getattr(config, name) for name in suggested} == suggested
    (shown,) = functions.status(services, run)["runs"]
    assert shown["data"] == f"hub:{NAME}"
    hub.repositories.clear()
    with pytest.raises(UserError) as caught:
        functions.train(services, "hub:ada/dogs", "modern", 2, "", 30)
    assert caught.value.key == "hub.set_unknown"


def test_a_child_that_dies_or_takes_long_leaves_nothing(hub, page, monkeypatch):
    browser, services = page
    services.access = Access()
    staging = services.uploads.parent / ".pulls"
    with monkeypatch.context() as full:
        full.setattr(hub_sets, "ROOM", 10**18)
        reply = browser.post("/gradio_api/gan/pictures/pull", json={"id": NAME, "cap": 5})
        assert (reply.status_code, reply.json()["error"]["key"]) == (413, "ui.no_room")
    begun = f"import pathlib, time; pathlib.Path({str(staging / '.new-x')!r}).mkdir(parents=True)"
    for end, minutes, key in (
        ("raise SystemExit(9)", 1.0, "hub.set_not_read"),
        ("time.sleep(600)", 0.02, "hub.set_too_slow"),
    ):
        monkeypatch.setattr(hub_sets, "COMMAND", (sys.executable, "-S", "-c", f"{begun}; {end}"))
        monkeypatch.setattr(hub_sets, "MINUTES", minutes)
        asked = {"id": NAME, "cap": 5}
        reply = browser.post("/gradio_api/gan/pictures/pull", json=asked).json()
        assert reply["error"]["key"] == key
        assert not staging.exists()
