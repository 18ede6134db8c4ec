"""Test that no export or answer of the server names a folder of the machine, or its user.

The tests search every byte.
"""

import base64
import gzip
import io
import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from urllib.parse import quote

import numpy as np
import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient

from gan.cli.export import main as export
from gan.cli.sample import main as draw
from gan.cli.score import main as score
from gan.cli.train import main as train
from gan.data import public_name
from gan.export import scores
from gan.files import read_json, write_json
from gan.models import load_generator
from gan.ui.page import launch_options
from gan.ui.server.requests import redact
from gan.ui.server.requests.http import PREFIX
from gan.ui.server.services import Services
from tests import ROOT
from tests.reliability.attacker.valid_requests import Subject, asked

USER, FOLDER, RUNS, RUN = "evamarple", "Zuhäuse fotos", "geheime-läufe", "20260102-030405-album-modern"


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A user's home with images and a finished run on them, started at a terminal in that home."""
    home = tmp_path_factory.mktemp("users") / USER
    for number in range(24):
        path = home / FOLDER / "album" / ("cat", "dog")[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.random.default_rng(number).integers(0, 256, (28, 28, 3), np.uint8)).save(path)
    settings = [
        "--size",
        "28",
        "--width",
        "8",
        "--z-dim",
        "8",
        "--batch",
        "8",
        "--kimg",
        "0.1",
        "--conditional",
    ]
    command = [
        sys.executable,
        "-m",
        "gan",
        "train",
        "--data",
        f"{FOLDER}/album",
        *settings,
        "--out",
        f"{RUNS}/{RUN}",
    ]
    environment = {**os.environ, "HOME": str(home), "USER": USER, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command, cwd=home, env=environment, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stderr
    assert read_json(home / RUNS / RUN / "config.json")["data"] == str(home / FOLDER / "album")
    return home


@pytest.fixture(autouse=True)
def at_home(home, monkeypatch):
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USER", USER)


def secrets() -> Iterator[bytes]:
    """Yield each name in the forms in which a file could hold it."""
    for name in (USER, FOLDER, RUNS, FOLDER.split()[0]):
        for text in (
            name,
            json.dumps(name)[1:-1],
            json.dumps(json.dumps(name)[1:-1])[1:-1],
            quote(name),
            quote(name, safe="").replace("%20", "+"),
        ):
            yield text.encode()
        for coding in ("utf-16-le", "utf-16-be", "latin-1"):
            yield name.encode(coding)


def layers(content: bytes, depth: int = 0) -> Iterator[bytes]:
    """Yield the content, and the content packed in it: zip members, gzip, and base64 in text."""
    yield content
    if depth > 3:
        return
    if content[:2] == b"\x1f\x8b":
        yield from layers(gzip.decompress(content), depth + 1)
    elif content[:4] == b"PK\x03\x04":
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for entry in archive.infolist():
                yield entry.filename.encode()
                yield from layers(archive.read(entry), depth + 1)
    elif b"\0" not in content[:4096]:
        for found in re.finditer(rb"[A-Za-z0-9+/]{40,}={0,2}|[A-Za-z0-9_-]{40,}", content):
            text = found[0].replace(b"-", b"+").replace(b"_", b"/").rstrip(b"=")
            yield from layers(
                base64.b64decode(
                    text[: len(text) // 4 * 4] if len(text) % 4 == 1 else text + b"=" * (-len(text) % 4)
                ),
                depth + 1,
            )


def told(content: bytes) -> list[bytes]:
    """Return the secrets in the content."""
    every = set(secrets())
    return sorted({secret for layer in layers(content) for secret in every if secret in layer})


def test_what_looks_finds():
    """The search finds secrets that are packed as deep as an export packs them."""
    for text in (USER, FOLDER, f"/home/{USER}/x"):
        plain = f"<p>{text}</p>".encode()
        page = b"<script>" + base64.b64encode(gzip.compress(plain * 3)) + b"</script>"
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("a.txt", plain)
        for content in (
            plain,
            page,
            packed.getvalue(),
            json.dumps({"a": json.dumps({"b": text})}).encode(),
            text.encode("utf-16-le"),
            quote(text).encode(),
        ):
            assert told(content), content
    assert told(b"nothing of the kind") == []


def test_what_is_exported_at_the_terminal(home, tmp_path, capsysbinary, monkeypatch):
    run = home / RUNS / RUN
    monkeypatch.chdir(home)
    made = tmp_path / "made"
    made.mkdir()
    for command, arguments in (
        (draw, [run, "--out", made / "grid.png", "--count", "4"]),
        (draw, [run, "--out", made / "grid.webp", "--count", "4"]),
        (export, ["webpage", run, made / "page.html"]), (export, ["onnx", run, made / "model.onnx"]),
        (export, ["checkpoint", run, made / "checkpoint", "--net", "pixels", "--count", "12"]),
    ):  # fmt: skip
        assert command([str(argument) for argument in arguments]) == 0, capsysbinary.readouterr().err
    capsysbinary.readouterr()
    assert score([str(run), "--net", "pixels", "--count", "12"]) == 0
    (made / "scores.txt").write_bytes(capsysbinary.readouterr().out)
    for name in ("live.safetensors", "stats.jsonl", "data.json", "events.jsonl", "samples", "snapshots"):
        for path in [run / name, *(run / name).glob("*")]:
            if path.is_file():
                (made / path.name).write_bytes(path.read_bytes())
    files = [path for path in made.rglob("*") if path.is_file()]
    assert len(files) > 12
    assert {str(path.relative_to(made)): found for path in files if (found := told(path.read_bytes()))} == {}


@pytest.fixture
def client(home):
    """The server of that home's runs, as a visitor sees it."""
    services = Services()
    services.open(home / RUNS)
    yield TestClient(
        Starlette(**launch_options(services)["app_kwargs"]),
        raise_server_exceptions=False,
        base_url="http://localhost",
    )
    (home / RUNS / ".supervisor.json").unlink(missing_ok=True)


def test_every_answer_of_the_server(home, client):
    subject = Subject(RUN, f"run:{RUN}", z_dim=8)
    answered = 0
    for visit in asked(subject):
        if visit.body is None and not visit.route.startswith(("map", "time", "loop")):
            # the run has two classes
            query = {**visit.query, "label2": "0"} if "label2" in visit.query else dict(visit.query)
            reply = client.get(visit.address, params=query)
            answered += reply.status_code == 200
            assert told(reply.content) == [], visit
            assert told(str(reply.headers).encode()) == [], visit
    assert answered > 20
    saved = client.post(
        f"{PREFIX}/directions/save",
        params={"id": subject.model},
        json={"list": ["p0"], "names": {"p0": "Slim"}, "hidden": []},
    )
    assert saved.status_code == 200
    assert told((home / RUNS / RUN / "directions.json").read_bytes()) == []


ERRORS = (
    (
        "train.pictures_gone",
        {"place": "{home}/{folder}/album", "command": "python -m gan train '{home}/{runs}/x y' --data PATH"},
    ),
    ("data.too_few", {"path": "/mnt/usb/{user}/album", "usable": "1", "skipped": "0", "examples": ""}),
    (
        "data.nowhere",
        {"name": "{home}/{folder}/album", "place": "{home}/{folder}/album", "choices": "digits"},
    ),
    ("train.no_file", {"file": "x.png", "reason": "[Errno 5] Input/output error: '{home}/{folder}/x.png'"}),
)


@pytest.mark.parametrize(("key", "values"), ERRORS)
def test_why_a_run_cannot_go_on(key, values, home, client):
    """The page and its log describe the run without the folders."""
    from gan.errors import UserError

    filled = {
        name: text.format(home=home, folder=FOLDER, runs=RUNS, user=USER) for name, text in values.items()
    }
    path = home / RUNS / RUN / "status.json"
    before = path.read_bytes()
    sentence = str(UserError(key, **filled))
    write_json(
        path,
        {**json.loads(before), "state": "failed", "error": {"key": key, "values": filled, "text": sentence}},
    )
    (path.parent / "worker.log").write_text(
        f"{sentence}\n{home}/{RUNS}/{RUN}: failed\nIt is in {home}/.cache/x.bin\n"
    )
    try:
        poll, log = client.get(f"{PREFIX}/poll", params={"run": RUN}), client.get(f"{PREFIX}/runs/{RUN}/log")
        assert poll.json()["run"]["status"]["error"]["key"] == key
        assert len(log.json()["lines"]) == 3
        assert {secret for reply in (poll, log) for secret in told(reply.content)} == set()
    finally:
        path.write_bytes(before)
        (path.parent / "worker.log").unlink()


def test_a_published_checkpoint_knows_its_pictures_again(home, tmp_path, capsys):
    target = tmp_path / "published"
    assert (
        export(["checkpoint", str(home / RUNS / RUN), str(target), "--net", "pixels", "--count", "12"]) == 0
    )
    card, config = read_json(target / "card.json"), read_json(target / "config.json")
    assert (card["data"], config["data"], card["data_count"]) == ("album", "album", 24)
    _, spec = load_generator(target / "generator.safetensors")
    assert score([str(target), "--net", "pixels", "--count", "12"]) == 2
    assert "--real" in capsys.readouterr().err
    found = scores.find_reals(target, "album", spec, str(home / FOLDER / "album"), 12)
    assert (found.held_out, len(found.training.images)) == (False, 24), (
        "they are what it was trained on, and no new ones"
    )
    assert (
        score([str(target), "--net", "pixels", "--count", "12", "--real", str(home / FOLDER / "album")]) == 0
    )
    assert "images that it was trained on" in capsys.readouterr().out
    again = tmp_path / "again"
    write_json(again / "config.json", {**config, "kimg": 0.05})
    assert train([str(again)]) == 2
    assert f"python -m gan train {again} --data PATH" in capsys.readouterr().err
    assert train([str(again), "--data", str(home / FOLDER / "album")]) == 0


def test_pictures_that_were_changed_are_not_scored_as_those_that_a_run_learnt_from(home, tmp_path, capsys):
    run = home / RUNS / RUN
    _, spec = load_generator(run / "live.safetensors")
    one = home / FOLDER / "album" / "cat" / "0.png"
    one.rename(tmp_path / "0.png")
    try:
        assert score([str(run), "--net", "pixels", "--count", "12"]) == 2
        assert "are not available" in capsys.readouterr().err
    finally:
        (tmp_path / "0.png").rename(one)
    assert scores.find_reals(run, str(home / FOLDER / "album"), spec, None, 12).held_out is False


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("digits", "digits"), ("/x/y/pics", "pics"), ("/x/pics.zip", "pics.zip"), ("/x/digits", "own-digits"),
        ("/", "pictures"), ("pics/", "pics"),
        (r"C:\Users\eva\pics", "pics"), (r"\\server\eva\pics.zip", "pics.zip"),
    ],
)  # fmt: skip
def test_a_name_without_its_place(name, told):
    assert public_name(name) == told


def test_a_home_is_called_like_its_owner(home):
    assert public_name(str(home)) == "pictures"
    error = redact.public(
        {"key": "data.too_few", "values": {"path": str(home), "usable": "1", "skipped": "0"}, "text": ""}
    )
    assert told(json.dumps(error).encode()) == []


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("can't read “/home/eva maria/a b.png”: no", "can't read “a b.png”: no"),
        ("see /home/eva/x.png, please", "see x.png, please"),
        (r"in C:\Users\eva\x.png", "in x.png"), ("12 images/s and 1/2", "12 images/s and 1/2"),
        ("https://example.org/a/b", "https://example.org/a/b"),
        ("'/home/eva maria/x': busy", "'x': busy"), ("and/or", "and/or"),
    ],
)  # fmt: skip
def test_paths_in_a_line(text, short):
    assert redact.shortened(text) == short
