"""Test push and pull with the real client of the Hub, against a small Hub on this machine."""

import json
import sys

import numpy as np
import pytest
import torch
from huggingface_hub import ModelCard, constants
from starlette.applications import Starlette
from starlette.testclient import TestClient

from gan.cli.pull import main as pull_command
from gan.cli.push import main as push_command
from gan.cli.sample import main as sample_command
from gan.errors import UserError
from gan.files import read_json
from gan.hub import pull as pulling
from gan.hub import staging
from gan.hub.folder import LIMITS, check
from gan.hub.pull import as_id, pull
from gan.hub.push import push
from gan.latent.catalogue import Catalogue, pulled_folder, pulled_id
from gan.latent.origins import origin_of
from gan.library import load, train
from gan.models import build_generator, generator_file, load_discriminator, load_generator
from gan.runs.store import Store
from gan.ui.explore.tab import routes
from gan.ui.server.children import hub_models
from gan.ui.server.people.access import Access
from gan.ui.server.requests.guard import Guard
from gan.ui.server.services import Services
from gan.ui.server.starting import parse_root
from gan.ui.train import form
from tests.fakes.hub import NOWHERE, TOKEN, WRONG_TOKEN, Refusal, Repository, fake_hub
from tests.support.inputs.generators import SMALL, tiny_spec

NAME = "ada/digits"
PULLED = ("config.json", "card.json", "generator.safetensors")
D = "discriminator.safetensors"
CLOSED = "a token of the teacher"


@pytest.fixture(scope="module")
def server():
    with fake_hub() as hub:
        yield hub


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run that was trained for a moment."""
    place = tmp_path_factory.mktemp("hub") / "run"
    train("digits", out=place, report=None, **SMALL)
    return place


@pytest.fixture(scope="module")
def published(server, run):
    """The files that `ganarium push RUN --with-d` sends."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_ENDPOINT", server.endpoint)
        patch.setenv("HF_TOKEN", TOKEN)
        assert push_command([str(run), NAME, "--with-d", "--count", "60", "--title", "Ada's digits"]) == 0
    return dict(server.repositories[NAME].files)


@pytest.fixture
def hub(server, published, monkeypatch, tmp_path):
    """A Hub with that model in public, and an empty cache."""
    server.forget()
    server.repositories[NAME] = Repository(dict(published))
    monkeypatch.setenv("HF_ENDPOINT", server.endpoint)
    monkeypatch.setenv("GANARIUM_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "no-token"))
    return server


@pytest.fixture
def root(tmp_path):
    return tmp_path / "cache" / "hub"


@pytest.fixture
def checkpoint(published, tmp_path):
    """The directory of that checkpoint."""
    folder = tmp_path / "checkpoint"
    folder.mkdir()
    for name in (*PULLED, "preview.webp", "discriminator.safetensors"):
        (folder / name).write_bytes(published[name])
    return folder


def left(root) -> list:
    """Return what lies in the folder of pulled models, hidden files included."""
    return sorted(path.name for path in root.iterdir()) if root.exists() else []


def test_what_was_pushed_comes_back_byte_for_byte_and_draws(hub, root, run, published, capsys, tmp_path):
    assert pull_command([NAME]) == 0
    assert capsys.readouterr().out.startswith(f"hub:{NAME} is in {root / 'ada--digits'}, at commit ")
    names = (*PULLED, "discriminator.safetensors")
    assert left(root / "ada--digits") == sorted([*names, "pulled.json"])
    assert {name: (root / "ada--digits" / name).read_bytes() for name in names} == {
        name: published[name] for name in names
    }
    assert published["generator.safetensors"] == (run / "live.safetensors").read_bytes()
    _, spec = load_generator(run / "live.safetensors")
    d = load_discriminator(root / "ada--digits" / "discriminator.safetensors", spec)
    assert all(tensor.isfinite().all() for tensor in d.state_dict().values())
    hub.repositories.clear()  # what is here needs no Hub
    np.testing.assert_array_equal(load(f"hub:{NAME}").images(range(4)), load(run).images(range(4)))
    assert sample_command([f"hub:{NAME}", "--count", "4", "--out", str(tmp_path / "grid.png")]) == 0
    assert sample_command([f"hub:{NAME}", "--snapshot", "3"]) == 2


def test_the_model_card_says_what_the_card_says(published, tmp_path):
    (tmp_path / "README.md").write_bytes(published["README.md"])
    readme, card = ModelCard.load(tmp_path / "README.md"), json.loads(published["card.json"])
    data = readme.data.to_dict()
    assert (data["library_name"], data["pipeline_tag"]) == ("ganarium", "unconditional-image-generation")
    assert (data["license"], data["datasets"]) == ("cc-by-sa-3.0", ["ylecun/mnist"])
    scores = {result.metric_name: result.metric_value for result in readme.data.eval_results}
    assert scores["FD (digits net)"] == card["scores"]["FD"]
    assert scores["diversity"] == card["scores"]["diversity"]
    assert readme.data.eval_results[0].dataset_name == "digits"
    text = readme.text
    for said in (
        "# Ada's digits",
        f"hub:{NAME}",
        card["data_credit"],
        card["hardware"],
        "trainedAlgorithmicMedia",
    ):
        assert said in text
    assert "| Recipe | modern |" in text
    assert f"| SHA-256 of the images | {card['data_digest']} |" in text
    assert published["generator.onnx"][:2] == b"\x08\x08"
    assert published["preview.webp"][8:12] == b"WEBP"


def test_own_images_have_no_licence_of_the_hub(hub, checkpoint, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    card = {**read_json(checkpoint / "card.json"), "data": "cats.zip", "data_licence": "that of the images"}
    del card["scores"], card["scored"]
    (checkpoint / "card.json").write_text(json.dumps(card))
    push(checkpoint, "ada/cats", private=True)
    assert hub.repositories["ada/cats"].private
    data = ModelCard(hub.repositories["ada/cats"].files["README.md"].decode()).data.to_dict()
    assert (data["license"], data["license_name"]) == ("other", "that-of-the-images")
    assert "datasets" not in data
    assert "model-index" not in data


def test_a_second_push_without_d_removes_the_old_one(hub, checkpoint, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    assert push(checkpoint, NAME) == f"{hub.endpoint}/{NAME}"
    files = hub.repositories[NAME].files
    assert sorted(files) == sorted([".gitattributes", "README.md", "generator.onnx", "preview.webp", *PULLED])
    (checkpoint / "discriminator.safetensors").unlink()
    assert refused(lambda: push(checkpoint, NAME, with_d=True)) == "hub.no_d"


def refused(act) -> str:
    """Return the key of the error that `act` raises. No sentence holds the token."""
    with pytest.raises(UserError) as caught:
        act()
    assert TOKEN not in str(caught.value)
    assert "\n" not in str(caught.value)
    return caught.value.key


CREATE, COMMIT = "/api/repos/create", ".*/commit/.*"


@pytest.mark.parametrize(
    ("path", "refusal", "key"),
    [
        (CREATE, Refusal(401, WRONG_TOKEN), "hub.bad_token"),
        (CREATE, Refusal(403), "hub.forbidden"),
        (CREATE, Refusal(404), "hub.forbidden"),
        (CREATE, Refusal(429), "hub.too_often"),
        (CREATE, Refusal(500), "hub.down"),
        (COMMIT, Refusal(409), "hub.conflict"),
        (COMMIT, Refusal(403), "hub.forbidden"),
    ],
)
def test_a_push_that_the_hub_refuses_is_told_in_a_sentence(path, refusal, key, hub, checkpoint, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    hub.refusals[path] = refusal
    assert refused(lambda: push(checkpoint, "ada/new")) == key


def test_the_hubs_own_words_are_shown_without_the_token(hub, checkpoint, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    hub.refusals[CREATE] = Refusal(400, body={"error": f"the token {TOKEN} is odd"})
    with pytest.raises(UserError, match=r"status 400: the token … is odd"):
        push(checkpoint, "ada/new")


def test_a_push_leaves_other_repositories_and_public_ones_alone(hub, checkpoint, monkeypatch):
    assert refused(lambda: push(checkpoint, NAME)) == "hub.no_token"
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    before = dict(hub.repositories[NAME].files)
    assert refused(lambda: push(checkpoint, NAME, private=True)) == "hub.public"
    hub.repositories[NAME].files["model.gguf"] = b"weights of something else"
    assert refused(lambda: push(checkpoint, NAME)) == "hub.other_repository"
    assert hub.repositories[NAME].files == {**before, "model.gguf": b"weights of something else"}
    for name in ("digits", "ada/digits@main", "ada/../x", "https://x/y"):
        assert refused(lambda name=name: push(checkpoint, name)) == "hub.bad_id"
    (checkpoint / "config.json").write_text("{}")
    assert refused(lambda: push(checkpoint, NAME)) == "hub.other_version"
    (checkpoint / "preview.webp").unlink()
    assert refused(lambda: push(checkpoint, NAME)) == "export.not_a_checkpoint"


def test_the_token_is_asked_for_before_the_scores(hub, run, capsys):
    assert push_command([str(run), NAME]) == 2
    assert capsys.readouterr().err == f"{UserError('hub.no_token')}\n"


FILE = f"/{NAME}/resolve/main/config.json"


@pytest.mark.parametrize(
    ("refusal", "key"),
    [
        (Refusal(401), "hub.unknown"),
        (Refusal(403, {"X-Error-Code": "GatedRepo"}), "hub.gated"),
        (Refusal(403), "hub.forbidden"),
        (Refusal(404, {"X-Error-Code": "EntryNotFound"}), "hub.unknown_file"),
        (Refusal(429), "hub.too_often"),
        (Refusal(503), "hub.down"),
        (Refusal(418), "hub.refused"),
        (Refusal(200), "hub.broken"),
    ],
)
def test_a_pull_that_the_hub_refuses_is_told_in_a_sentence(refusal, key, hub, root):
    hub.refusals[FILE] = refusal
    assert refused(lambda: pull(NAME, token=False)) == key
    assert left(root) == []


def test_a_missing_model_a_missing_revision_and_no_internet(hub, root, monkeypatch):
    assert refused(lambda: pull("ada/none", token=False)) == "hub.unknown"
    assert refused(lambda: pull(f"{NAME}@v9", token=False)) == "hub.unknown_revision"
    assert refused(lambda: pull(NAME, token="hf_wrong")) == "hub.bad_token"
    hub.hold(3.0)
    with monkeypatch.context() as patched:
        patched.setattr("gan.hub.client.TIMEOUT", 0.05)
        assert refused(lambda: pull(NAME, token=False)) == "hub.timeout"
    hub.release()
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert refused(lambda: pull(NAME, token=False)) == "hub.offline"
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setenv("HF_ENDPOINT", NOWHERE)
    assert refused(lambda: pull(NAME, token=False)) == "hub.offline"
    assert left(root) == []


def changed(published, name, **values) -> bytes:
    """Return one of the JSON files with some values changed."""
    return json.dumps({**json.loads(published[name]), **values}).encode()


def lying(published) -> bytes:
    """Return weights whose header declares a tensor of another size."""
    content = published["generator.safetensors"]
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    name = next(name for name in header if name.endswith("dense.weight"))
    header[name]["shape"] = [2**20, 2**20]
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + content[8 + length :]


def broken_weights(spec) -> bytes:
    generator = build_generator(spec)
    with torch.no_grad():
        next(generator.parameters()).fill_(float("nan"))
    return generator_file(generator, spec)


WICKED = {
    "a pickle": ("generator.safetensors", lambda files: b"\x80\x04cos\nsystem\n(S'true'\ntR."),
    "a header of absurd length": ("generator.safetensors", lambda files: b"\xff" * 64),
    "a header that lies": ("generator.safetensors", lying),
    "weights cut off": ("generator.safetensors", lambda files: files["generator.safetensors"][:-9]),
    "weights of other networks": (
        "generator.safetensors",
        lambda files: generator_file(build_generator(tiny_spec(3)), tiny_spec(3)),
    ),
    "weights that are no numbers": ("generator.safetensors", lambda files: broken_weights(tiny_spec(3))),
    "no config": ("config.json", None),
    "a config that is no JSON": ("config.json", lambda files: b"data: digits"),
    "a path of this machine": ("config.json", lambda files: changed(files, "config.json", data="/etc")),
    "a way out": ("config.json", lambda files: changed(files, "config.json", data="../../x.zip")),
    "a hidden file": ("config.json", lambda files: changed(files, "config.json", data=".ssh")),
    "a width of another model": ("config.json", lambda files: changed(files, "config.json", width=9)),
    "an impossible setting": ("config.json", lambda files: changed(files, "config.json", batch=10**9)),
    "a config of points": ("config.json", lambda files: changed(files, "config.json", kind="points")),
    "a setting of tomorrow": ("config.json", lambda files: changed(files, "config.json", dream=1)),
    "deep JSON": ("card.json", lambda files: b'{"format":' * 5000 + b"1" + b"}" * 5000),
    "a list": ("card.json", lambda files: b"[]"),
    "no number": ("card.json", lambda files: files["card.json"].replace(b'"steps":', b'"steps": NaN, "x":')),
    "infinity": ("card.json", lambda files: files["card.json"].replace(b'"steps":', b'"y": 1e999, "x":')),
    "endless digits": ("card.json", lambda files: changed(files, "card.json", steps=10**400)),
    "half a character": ("card.json", lambda files: changed(files, "card.json", title="\ud800")),
    "another format": ("card.json", lambda files: changed(files, "card.json", format="ganarium-1")),
    "no format": ("card.json", lambda files: changed(files, "card.json", format=7)),
    "a large card": ("card.json", lambda files: changed(files, "card.json", title="x" * 2**17)),
    "a D that is a pickle": ("discriminator.safetensors", lambda files: b"\x80\x04."),
    "a D of other networks": ("discriminator.safetensors", lambda files: files["generator.safetensors"]),
}


@pytest.mark.parametrize("name", WICKED)
def test_what_is_no_generator_is_told_in_a_sentence(name, checkpoint, published):
    file, make = WICKED[name]
    check(checkpoint, NAME, with_d=True)
    if make is None:
        (checkpoint / file).unlink()
    else:
        (checkpoint / file).write_bytes(make(published))
    key = refused(lambda: check(checkpoint, NAME, with_d=True))
    assert key in ("hub.not_a_generator", "hub.other_version", "hub.too_large")


@pytest.mark.parametrize(
    "name", ["a pickle", "no config", "a way out", "a D that is a pickle", "a large card"]
)
def test_a_malicious_repository_leaves_nothing(name, hub, root, published):
    file, make = WICKED[name]
    files = hub.repositories[NAME].files
    if make is None:
        del files[file]
    else:
        files[file] = make(published)
    key = refused(lambda: pull(NAME, token=False))
    assert key in ("hub.not_a_generator", "hub.other_version", "hub.unknown_file", "hub.too_large")
    assert left(root) == []
    assert Catalogue(root, root).entries() == []


def test_a_huge_file_is_not_downloaded_and_a_longer_one_not_to_its_end(hub, root, monkeypatch):
    weights = "generator.safetensors"
    hub.announced[weights] = LIMITS[weights] + 1
    assert refused(lambda: pull(NAME, token=False)) == "hub.too_large"
    assert "GET" not in {method for method, *_ in hub.seen}
    hub.announced[weights] = 1000
    assert refused(lambda: pull(NAME, token=False)) == "hub.broken"
    monkeypatch.setitem(LIMITS, weights, 2000)
    assert refused(lambda: pull(NAME, token=False)) == "hub.too_large"
    assert left(root) == []


def test_nothing_but_the_named_files_comes_and_the_same_commit_only_once(hub, root):
    hub.repositories[NAME].files |= {"setup.py": b"import os", "../../evil.py": b"x", "model.pkl": b"x"}
    first = pull(f" https://huggingface.co/{NAME}/ ", token=False)
    asked = {path.rpartition("/")[2] for _, path, _ in hub.seen}
    assert asked == {*PULLED, D}
    hub.seen.clear()
    assert pull(f"hub:{NAME}", token=False) == first
    assert {method for method, *_ in hub.seen} == {"HEAD"}
    assert left(first.folder) == sorted([*PULLED, D, "pulled.json"])
    hub.repositories[NAME].files["notes.txt"] = b"a new commit"
    assert pull(NAME, token=False).commit != first.commit
    assert left(root) == ["ada--digits"]


def test_the_oldest_models_make_room(hub, root, monkeypatch, published):
    monkeypatch.setattr(pulling, "KEPT", 2)
    for name in ("a/one", "a/two", "a/three"):
        hub.repositories[name] = Repository(dict(published))
    (root / ".new-killed").mkdir(parents=True)
    monkeypatch.setattr(staging, "ABANDONED", -1)
    assert [pull(name, token=False).dropped for name in ("a/one", "a/two")] == [(), ()]
    assert pull("a/three", token=False).dropped == ("hub:a/one",)
    assert left(root) == ["a--three", "a--two"]


@pytest.mark.parametrize("name", ["a/b", "hub:A_1/b.c-d", "a/b@v1.0", "hub:a/b@0123abc", "hub:x-y/z_"])
def test_an_id_is_the_name_of_a_folder_and_back(name):
    assert pulled_id(pulled_folder(as_id(name))) == as_id(name)


@pytest.mark.parametrize(
    "name",
    ["", "a", "a/b/c", "../b", "a/..", "a/.b", "a--b/c", "a/b--c", "a/b@", "a/b@x/y", "a/b@--", "é/b",
     "a b/c", "a\n/b", "a/b\0", "/etc/passwd", "a/" + "b" * 96, "a/b@" + "c" * 101, "hub:hub:a/b", "http://x/y"],
)  # fmt: skip
def test_what_is_no_id_is_refused_before_any_request(name, hub):
    assert refused(lambda: pull(name, token=False)) == "hub.bad_id"
    assert hub.seen == []


@pytest.fixture
def page(hub, tmp_path):
    """A client of the page's routes, and the services behind it, which have a token."""
    return visit(tmp_path, access=Access(CLOSED))


def visit(tmp_path, **options):
    services = Services(store=Store(tmp_path / "runs"), checkpoints=tmp_path / "none", **options)
    app = Guard(Starlette(routes=routes(services)), services)
    return TestClient(app, raise_server_exceptions=False, base_url="http://localhost"), services


def test_whoever_controls_pulls_into_the_page_without_the_servers_token(hub, page, monkeypatch):
    browser, services = page
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    address, model = "/gradio_api/gan/pull", f"hub:{NAME}"
    assert browser.post(address, json={"id": NAME}).json()["error"]["key"] == "access.needed"
    assert hub.seen == []
    services.access = Access()
    lost = browser.get("/gradio_api/gan/model", params={"id": model})
    assert (lost.status_code, lost.json()["error"]["key"]) == (404, "hub.not_pulled")
    assert browser.post(address, json={"id": NAME}).json() == {"id": model}
    [listed] = browser.get("/gradio_api/gan/models").json()
    assert (listed["id"], listed["kind"], listed["title"]) == (model, "hub", "Ada's digits")
    assert listed["data"] == "digits"
    [start] = [origin_of(entry) for entry in services.catalogue().entries()]
    assert start.discriminator is not None
    assert listed["scored"]["scores"]["FD"] > 0
    for route in ("image", "model", "wall", "take/onnx", "take/html", "times"):
        reply = browser.get(f"/gradio_api/gan/{route}", params={"id": model})
        assert reply.status_code == 200, reply.text[:200]
        if route.startswith("take"):
            assert 'filename="ganarium-ada--digits.' in reply.headers["content-disposition"]
    hub.repositories["bob/secret"] = Repository(hub.repositories[NAME].files, private=True)
    refusal = browser.post(address, json={"id": "bob/secret"})
    assert (refusal.status_code, refusal.json()["error"]["key"]) == (404, "hub.unknown")
    assert {token for *_, token in hub.seen} == {None}
    for body in ({}, {"id": 7}, {"id": None}):
        assert browser.post(address, json=body).json()["error"]["key"] == "ui.bad_form"


def test_a_dropped_model_is_gone_from_the_page(hub, page, monkeypatch, published):
    browser, services = page
    services.access = Access()
    keeping_one = "import sys; from gan.hub import pull; pull.KEPT = 1; sys.exit(pull.main())"
    monkeypatch.setattr(hub_models, "COMMAND", (sys.executable, "-c", keeping_one))
    hub.repositories["a/two"] = Repository(dict(published))
    for name in (NAME, "a/two"):
        browser.post("/gradio_api/gan/pull", json={"id": name})
        assert browser.get("/gradio_api/gan/image", params={"id": f"hub:{name}"}).status_code == 200
    assert browser.get("/gradio_api/gan/image", params={"id": f"hub:{NAME}"}).status_code == 404


def test_a_private_model_comes_with_the_token_of_the_terminal(hub, root, monkeypatch, capsys):
    hub.repositories[NAME].private = True
    assert pull_command([NAME]) == 2
    assert capsys.readouterr().err == f"{UserError('hub.unknown', name=f'hub:{NAME}')}\n"
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    assert pull_command([NAME]) == 0
    assert left(root) == ["ada--digits"]


SHARED = {
    "a token": {"access": Access(CLOSED)},
    "a network": {"host": "0.0.0.0"},
    "a proxy": {"root": parse_root("/gan")},
}


@pytest.mark.parametrize("name", SHARED)
def test_a_page_that_others_see_keeps_private_models_for_itself(name, hub, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    hub.repositories[NAME].private = True
    pull(NAME)
    model = f"hub:{NAME}"
    browser, services = visit(tmp_path, **SHARED[name])
    assert browser.get("/gradio_api/gan/models").json() == []
    for route in ("image", "model", "take/onnx"):
        reply = browser.get(f"/gradio_api/gan/{route}", params={"id": model})
        assert (reply.status_code, reply.json()["error"]["key"]) == (404, "hub.not_pulled")
    with pytest.raises(UserError) as caught:
        form.origin(services, {"start": model})
    assert caught.value.key == "hub.not_pulled"
    alone, _ = visit(tmp_path)
    assert [listed["id"] for listed in alone.get("/gradio_api/gan/models").json()] == [model]
    hub.repositories[NAME].private = False
    pull(NAME)
    assert [listed["id"] for listed in browser.get("/gradio_api/gan/models").json()] == [model]
