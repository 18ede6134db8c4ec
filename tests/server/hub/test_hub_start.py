"""Test runs that start from a model of the Hub, with the real client against a small Hub on this machine."""

import subprocess
import sys

import pytest
from huggingface_hub import ModelCard

from gan.cli.push import main as push
from gan.cli.train import main as train_command
from gan.errors import UserError
from gan.files import read_json, read_lines, write_json
from gan.hub.model_card import model_card
from gan.hub.pull import pull
from gan.library import train
from gan.train.checkpoint import NEWEST, digest, read_state
from tests import ROOT
from tests.fakes.hub import NOWHERE, TOKEN, fake_hub
from tests.support.inputs.generators import SMALL
from tests.support.processes.killing import killed_before

NAME, STEPS = "ada/digits", 24
KILLED = killed_before(STEPS - 4)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A Hub with a model that was pushed with its D."""
    run = tmp_path_factory.mktemp("pushed") / "run"
    train("digits", out=run, report=None, **SMALL)
    with fake_hub() as hub, pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_ENDPOINT", hub.endpoint)
        patch.setenv("HF_TOKEN", TOKEN)
        assert push([str(run), NAME, "--with-d", "--count", "60", "--title", "Ada's digits"]) == 0
        yield hub


@pytest.fixture
def hub(server, monkeypatch, tmp_path):
    """That Hub, with an empty cache and no token."""
    monkeypatch.setenv("HF_ENDPOINT", server.endpoint)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GANARIUM_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "none"))
    return server


def arguments(run) -> list[str]:
    settings = ["--batch", "8", "--clusters", "1", "--seed", "4", "--kimg", str(STEPS * 8 / 1000)]
    return ["--start-from", f"hub:{NAME}", "--data", "fashion", *settings, "--out", str(run)]


def weights(run):
    tensors, facts = read_state(run / "state" / NEWEST)
    return facts["step"], digest(tensors)


def test_a_run_starts_from_a_model_that_was_never_pulled_and_survives_a_kill(hub, tmp_path, monkeypatch):
    calm, killed = tmp_path / "calm", tmp_path / "killed"
    ended = subprocess.run(
        [sys.executable, "-c", KILLED, *arguments(killed)], cwd=ROOT, capture_output=True, check=False
    )
    assert ended.returncode == -9, ended.stderr
    assert 0 < weights(killed)[0] < STEPS
    assert train_command(arguments(calm)) == 0
    monkeypatch.setenv("HF_ENDPOINT", NOWHERE)
    assert train_command([str(killed)]) == 0, "the run has a copy of the model"
    assert weights(calm) == weights(killed) == (STEPS, weights(calm)[1])
    [event, *_] = [
        line for line in read_lines(calm / "events.jsonl")[0] if line["key"].startswith("began_from")
    ]
    assert event["key"] == "began_from", "G and D"
    assert event["values"]["title"] == "Ada's digits"


def test_a_config_that_names_a_model_of_the_hub_brings_it(hub, tmp_path, capsys, monkeypatch):
    run, other = tmp_path / "run", tmp_path / "other"
    assert train_command(arguments(run)) == 0
    write_json(other / "config.json", read_json(run / "config.json"))
    assert train_command([str(other)]) == 0
    assert weights(other) == weights(run)
    monkeypatch.setenv("GANARIUM_CACHE", str(tmp_path / "empty"))
    monkeypatch.setenv("HF_ENDPOINT", NOWHERE)
    assert train_command([*arguments(tmp_path / "third")]) == 2
    assert str(UserError("hub.offline", name=f"hub:{NAME}")) in capsys.readouterr().err


def test_a_newer_commit_brings_its_discriminator_and_one_without_says_so(hub):
    folder = pull(NAME, token=False).folder
    file = folder / "discriminator.safetensors"
    assert file.is_file()
    files = hub.repositories[NAME].files
    files["notes.txt"] = b"a new commit"
    pull(NAME, token=False)
    assert file.is_file()
    kept = files.pop(file.name)
    try:
        pull(NAME, token=False)
        assert not file.exists(), "an old D beside new weights would be another model's"
    finally:
        files[file.name] = kept


CARD = {
    "title": "Shoes",
    "data": "fashion",
    "started_from": {
        "id": f"hub:{NAME}@v1",
        "title": "Ada's | digits",
        "weights": "ab" * 32,
        "discriminator": "loaded",
        "earlier": [],
    },
    "extended": [{"at_images": 192, "minutes": 5.0}, {"at_images": 400, "kimg": 2.0}],
}


def test_the_model_card_says_where_the_model_comes_from():
    card = ModelCard(model_card(CARD, "bob/shoes", True))
    assert card.data.to_dict()["base_model"] == NAME
    began = f"| Began with | Ada's \\| digits (SHA-256 {'ab' * 32}) · {NAME} · D loaded |"
    assert began in card.text
    assert "| Budget added | 5.0 minutes after 192 images; 2.0 kimg after 400 images |" in card.text
    own = {**CARD, "started_from": {**CARD["started_from"], "id": "run:mine"}}
    card = ModelCard(model_card(own, "bob/shoes", True))
    assert "base_model" not in card.data.to_dict()
    assert "run:mine" not in card.text
    plain = ModelCard(model_card({"title": "Shoes", "data": "fashion"}, "bob/shoes", True))
    assert "Began with" not in plain.text
    assert "Budget added" not in plain.text
