"""Test the server's survey of a visitor's images before training, with real files in a real child process."""

import io
import json
import os
import sys
import threading
import time
import zipfile

import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient

from gan.data.own.report import Report
from gan.errors import UserError
from gan.files import read_json, write_json
from gan.recipes import USER_DATA
from gan.ui.server.children import processes, surveys
from gan.ui.server.children.surveys import Surveys
from gan.ui.server.people.access import Access
from gan.ui.server.requests.guard import Guard
from gan.ui.server.requests.uploads import AWAITED, MARK, keep_uploads
from gan.ui.server.services import Services
from gan.ui.train import fields, form, own
from gan.ui.train.routes import train_routes
from tests.fakes.runs import wait_until


@pytest.fixture
def services(services):
    yield services
    services.surveys.close()


@pytest.fixture
def bring(tmp_path, monkeypatch):
    """A function that writes files {name: bytes} into Gradio's upload folder.

    It returns the paths that a page then knows.
    """
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "gradio"))

    def put(files):
        paths = []
        for number, (name, content) in enumerate(files.items()):
            paths.append(tmp_path / "gradio" / f"{number:064x}" / name)
            paths[-1].parent.mkdir(parents=True, exist_ok=True)
            paths[-1].write_bytes(content)
        return list(map(str, paths))

    return put


@pytest.fixture
def ask(client):
    """Request the route that surveys files."""
    return lambda files: client.post("/gradio_api/gan/pictures", json={"files": files})


@pytest.fixture
def press(client):
    """Press Train on files, with some of the form's settings changed."""
    values = dict(zip(fields.keys(), form.defaults(USER_DATA, "modern"), strict=True))

    def submit(files, **changes):
        asked = {
            "data": USER_DATA,
            "recipe": "modern",
            "minutes": 1,
            "files": files,
            "values": list({**values, **changes}.values()),
        }
        return client.post("/gradio_api/gan/runs", json=asked)

    return submit


def picture(number, mode="RGB", side=24, kind="PNG"):
    out = io.BytesIO()
    Image.new(
        mode, (side, side), {"L": number, "RGB": (number, 90, 40), "RGBA": (number, 90, 40, 99)}[mode]
    ).save(out, kind)
    return out.getvalue()


def zipped(members):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def pets(each=8, **more):
    return zipped(
        {
            **{
                f"{name}/{n}.png": picture(20 * n + at)
                for at, name in enumerate(("cat", "dog"))
                for n in range(each)
            },
            **more,
        }
    )


def key(reply):
    return reply.status_code, reply.json()["error"]["key"]


def test_a_zip_is_told_with_its_classes_and_what_was_left_out(ask, bring):
    files = bring({"pets.zip": pets(**{"cat/a.png": b"\x89PNG\r\n\x1a\n cut", "dog/IMG_1.heic": HEIC})})
    answer = ask(files).json()
    report = answer["report"]
    assert (report["count"], report["classes"]) == (16, [["cat", 8], ["dog", 8]])
    left_out = {
        (group["reason"], group["detail"], group["count"], *group["names"]) for group in report["left_out"]
    }
    assert left_out == {("damaged", "", 1, "cat/a.png"), ("kind", "HEIC", 1, "dog/IMG_1.heic")}
    assert answer["suggestions"]["modern"]["conditional"] is True
    assert "conditional" not in answer["suggestions"]["dcgan"], "its recipe has none"
    assert answer["suggestions"]["modern"]["batch"] == 16


def test_transparent_grey_and_equal_pictures_are_told(ask, bring):
    icons = ask(bring({f"{n}.png": picture(9 * n, "RGBA" if n < 3 else "RGB") for n in range(4)})).json()[
        "report"
    ]
    assert (icons["count"], icons["transparent"], icons["copies"], icons["grey"]) == (4, 3, 0, False)
    scans = ask(bring({f"s{n}.png": picture(50, "L", 20) for n in range(4)})).json()
    assert (
        scans["report"]["copies"],
        scans["report"]["grey"],
        scans["suggestions"]["modern"]["channels"],
    ) == (3, True, 1)
    assert scans["suggestions"]["modern"]["size"] == 28


def test_loose_files_are_known_by_content_and_told_by_their_own_names(ask, bring):
    files = {
        "a.jfif": picture(1, kind="JPEG"),
        "no suffix": picture(2),
        "Möwe (1).png": b"damaged",
        "notes.txt": b"text",
        "c.webp": picture(3, kind="WEBP"),
    }
    report = ask(bring(files)).json()["report"]
    assert report["count"] == 3
    assert sorted(name for group in report["left_out"] for name in group["names"]) == [
        "Möwe (1).png",
        "notes.txt",
    ]


def test_a_zip_is_known_by_content_as_well(ask, bring):
    assert ask(bring({"pets": pets()})).json()["report"]["count"] == 16


HEIC = b"\0\0\0\x18ftypheic" + bytes(80)
ENCRYPTED = (
    pets()
    .replace(b"PK\x01\x02\x14\x03\x14\0\0", b"PK\x01\x02\x14\x03\x14\0\x01")
    .replace(b"PK\x03\x04\x14\0\0", b"PK\x03\x04\x14\0\x01")
)


@pytest.mark.parametrize(
    ("files", "refused"),
    [
        ({"locked.zip": ENCRYPTED}, "data.locked"),
        ({"phone.zip": zipped({f"{n}.heic": HEIC for n in range(4)})}, "data.other_kinds"),
        ({"IMG_1.heic": HEIC}, "ui.other_kind"),
        ({"cats.zip": b"no zip"}, "data.not_pictures"),
        ({"cats.zip": zipped({"a.png": picture(1), "more.zip": b""})}, "data.nested"),
        ({"cats.zip": zipped({f"../{n}.png": picture(n) for n in range(4)})}, "data.leads_out"),
        ({"one.png": picture(1)}, "ui.one_picture"),
        ({"one.zip": zipped({"one.png": picture(1)})}, "data.too_few"),
        ({"notes.txt": b"text"}, "ui.other_files"),
        ({"a.zip": pets(), "b.png": picture(1)}, "ui.mixed_files"),
        ({}, "ui.no_files"),
    ],
)
def test_what_can_not_be_used_is_told_at_once_and_not_kept(files, refused, ask, press, bring, services):
    paths = bring(files)
    reply = ask(paths)
    assert key(reply) == (400, refused)
    values = reply.json()["error"]["values"]
    assert values.get("path", next(iter(files), None)) == next(iter(files), None), "the name that people know"
    assert key(press(paths)) == (400, refused)
    assert not services.uploads.exists() or list(services.uploads.iterdir()) == []
    assert services.store.list() == []


NOTES = {f"notes {n}.txt": b"text" for n in range(3)}
CUT = b"\x89PNG\r\n\x1a\n cut"


@pytest.mark.parametrize(
    ("files", "sentence"),
    [({f"IMG_{n}.heic": HEIC for n in range(10)}, (
        "None of these 10 files has a format that can be read "
        "(HEIC)."
    )),
     ({"IMG_1.heic": HEIC}, "“IMG_1.heic” is an image in a format that can't be read (HEIC)."),
     ({"a b.png": CUT, **NOTES}, "None of these 4 files is a usable image (a b.png). Add"),
     (NOTES, "None of these 3 files is a usable image (notes 0.txt, notes 1.txt, notes 2.txt). Add"),
     ({"a.png": CUT}, "“a.png” is not a usable image."),
     ({"one.png": picture(1)}, "One image is not enough to learn from. Add at least one more."),
     ({"one.png": picture(1), "notes 1.txt": b"text"}, (
         "Only one of these 2 files is a usable image (1 "
         "can't be used: notes 1.txt)."
     )),
     ({"one.png": picture(1), "IMG_1.heic": HEIC, **NOTES},
      (
          "Only one of these 5 files is a usable image (4 can't be used: IMG_1.heic (HEIC), notes 0.txt, "
          "notes 1.txt, …)."
      ))],
)  # fmt: skip
def test_loose_files_are_refused_by_their_number_and_their_own_names(files, sentence, ask, bring):
    assert ask(bring(files)).json()["error"]["text"].startswith(sentence)


def test_more_folders_than_classes_are_told_and_can_not_be_learnt_by_class(ask, press, bring, monkeypatch):
    many = json.dumps(Report(4000, too_many_classes=1100).to_json())
    monkeypatch.setattr(surveys, "COMMAND", (sys.executable, "-c", f"print({many!r})"))
    files = bring({"pets.zip": pets()})
    report = ask(files).json()["report"]
    assert (report["too_many_classes"], report["most_classes"]) == (1100, 1000)
    assert key(press(files, conditional=True)) == (400, "ui.too_many_classes")


def test_what_was_read_before_is_answered_from_beside_the_pictures(ask, bring, services, monkeypatch):
    files = bring({"pets.zip": pets()})
    first = ask(files).json()
    monkeypatch.setattr(surveys, "COMMAND", (sys.executable, "-c", "raise SystemExit(3)"))
    assert ask(files).json() == first
    next(services.uploads.rglob("report.json")).write_text("{")
    assert key(ask(files)) == (400, "ui.no_survey"), "by a child that fails"


WRONG = ({"count": "3"}, {"classes": [["x", {}]]}, {"left_out": [7]}, {"grey": 1})
DAMAGE = ("{", "[]", "{}", "7", *(json.dumps({**Report(3).to_json(), **change}) for change in WRONG))


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_report_is_made_anew(damage, tmp_path, monkeypatch):
    monkeypatch.setattr(
        surveys, "COMMAND", (sys.executable, "-c", f"print({json.dumps(Report(7).to_json())!r})")
    )
    (tmp_path / "report.json").write_text(damage)
    every = Surveys()
    assert every.report(tmp_path / "cats.zip") == Report(7)
    assert read_json(tmp_path / "report.json") == json.loads(json.dumps(Report(7).to_json()))
    every.close()


def test_thirty_that_bring_the_same_pictures_have_them_read_once(tmp_path, monkeypatch):
    kept = tmp_path / "0" / "cats.zip"
    kept.parent.mkdir()
    count = f"open({str(tmp_path / 'count')!r}, 'a').write('x')"
    monkeypatch.setattr(
        surveys,
        "COMMAND",
        (
            sys.executable,
            "-c",
            f"import time; {count}; time.sleep(0.5); print({json.dumps(Report(7).to_json())!r})",
        ),
    )
    every, found = Surveys(), []
    crowd = [threading.Thread(target=lambda: found.append(every.report(kept))) for _ in range(30)]
    for one in crowd:
        one.start()
    for one in crowd:
        one.join()
    assert (found, (tmp_path / "count").read_text()) == ([Report(7)] * 30, "x")
    every.close()


def test_who_waits_too_long_asks_again_and_a_slow_child_is_ended(tmp_path, monkeypatch):
    monkeypatch.setattr(surveys, "COMMAND", (sys.executable, "-c", "import time; time.sleep(600)"))
    every = Surveys()
    (tmp_path / "0").mkdir()
    assert every.report(tmp_path / "0" / "cats.zip", 0.05) is None
    wait_until(lambda: every._children.running)
    child = next(iter(every._children.running))
    if hasattr(os, "getpriority"):
        wait_until(lambda: os.getpriority(os.PRIO_PROCESS, child.pid) >= processes.NICE)
    every.close()
    assert child.returncode is not None
    monkeypatch.setattr(surveys, "SECONDS", 0.1)
    with pytest.raises(UserError) as caught:
        Surveys().report(tmp_path / "0" / "cats.zip")
    assert caught.value.key == "ui.survey_too_slow"


def test_the_page_asks_again_where_reading_takes_long(ask, bring, monkeypatch):
    monkeypatch.setattr(own, "WAIT", 0.0)
    files = bring({"pets.zip": pets()})
    assert ask(files).json() == {"reading": True}
    wait_until(lambda: "report" in ask(files).json())


def test_train_waits_for_the_survey_and_is_held_to_it(press, bring, store):
    files = bring({f"{n}.png": picture(9 * n) for n in range(10)})
    assert key(press(files)) == (400, "train.batch_too_large")
    assert key(press(files, batch=10, conditional=True)) == (400, "ui.no_classes")
    reply = press(files, batch=10, channels=1, background="black")
    assert reply.status_code == 200, reply.text
    config = store.config(reply.json()["run"])
    assert (config.batch, config.channels, config.background) == (10, 1, "black")
    assert (read_json(next(store.root.rglob("report.json")))["count"]) == 10


def test_pictures_wait_for_train_but_not_for_ever(ask, press, bring, services):
    files = bring({"pets.zip": pets()})
    ask(files)
    kept = next(services.uploads.iterdir())
    services.remove_uploads()
    assert kept.exists(), "somebody may be about to press Train"
    long_ago = time.time() - AWAITED - 1
    os.utime(kept / MARK, (long_ago, long_ago))
    ask(files)
    services.remove_uploads()
    assert kept.exists(), "they were brought again"
    os.utime(kept / MARK, (long_ago, long_ago))
    services.remove_uploads()
    assert not kept.exists()
    run = press(files, batch=8).json()["run"]
    assert not (kept / MARK).exists(), "a run refers to them"
    services.remove_uploads()
    assert kept.exists()
    wait_until(lambda: services.store.status(run)["state"] in ("finished", "failed"))
    services.command(run, "delete")
    assert not kept.exists(), "room is made at once"


def test_the_server_tidies_up_by_itself(services, monkeypatch):
    monkeypatch.setattr("gan.ui.server.services.TIDY_EVERY", 0.01)
    monkeypatch.setattr(services.supervisor, "start", lambda: None)
    monkeypatch.setattr(Services, "explorer", lambda self: type("None", (), {"warm_up": lambda self: None})())
    services.start()
    stale = services.uploads / "stale"
    stale.mkdir(parents=True)
    wait_until(lambda: not stale.exists())
    services.close()


def test_a_full_quota_takes_no_more_pictures(ask, bring, services):
    files = bring({"pets.zip": pets()})
    write_json(services.store.root / "large.json", "x" * 5000)
    services.store.usage.allowed = 1000
    services.store.usage.forget()
    assert key(ask(files)) == (400, "runs.quota")
    assert not services.uploads.exists()


def test_only_who_controls_has_pictures_read(services, bring):
    services.access = Access("a long token")
    locked = TestClient(
        Guard(Starlette(routes=train_routes(services)), services),
        raise_server_exceptions=False,
        base_url="http://localhost",
    )
    assert key(locked.post("/gradio_api/gan/pictures", json={"files": bring({"pets.zip": pets()})})) == (
        403,
        "access.needed",
    )


def test_what_gradio_would_take_is_refused_in_words_and_by_key(services):
    services.access = Access("a long token")
    locked = TestClient(
        Guard(Starlette(), services), raise_server_exceptions=False, base_url="http://localhost"
    )
    reply = locked.post("/gradio_api/upload", headers={"Accept-Language": "zh"})
    assert (reply.status_code, "教师口令" in reply.text, json.loads(reply.headers["X-Refusal"])) == (
        403,
        True,
        {"key": "access.needed", "values": {}},
    )


def test_a_suffix_is_no_place_of_the_server(ask, bring):
    """Neither an answer nor a refusal names the folder of the images."""
    for files in ({"pets.zip": pets()}, {"x.zip": b"no zip"}):
        assert ".uploads" not in ask(bring(files)).text


def test_a_zip_keeps_its_name_when_it_becomes_a_run(bring, tmp_path):
    paths = bring({"My pets": pets()})
    assert keep_uploads(paths, tmp_path / "root").name == "My-pets.zip"
