"""Test what the form and the page ask for: a model to start from, a tracker, and more time."""

import importlib.util
import json

import pytest

from gan.latent.catalogue import Catalogue
from gan.recipes import USER_DATA
from gan.train.origin import GENERATOR, START, describe
from gan.ui.train import fields, form
from tests.fakes.runs import LONG, reaches, tiny

OURS = "/gradio_api/gan"


def asked(data="digits", recipe="modern", start="", **changes):
    values = dict(zip(fields.keys(), form.defaults(data, recipe), strict=True))
    return {
        "data": data,
        "recipe": recipe,
        "minutes": 5,
        "start": start,
        "values": list({**values, **changes}.values()),
    }


@pytest.fixture
def submit(client):
    return lambda question: client.post(f"{OURS}/runs", json=question).json()


@pytest.fixture
def shape(services):
    """The settings that the page gets with a model, without the one that the recipe sets."""
    entry = Catalogue(services.store.root, services.checkpoints).entry("shipped:faces")
    return {name: value for name, value in entry.to_json()["shape"].items() if name != "architecture"}


def test_a_run_of_the_form_holds_a_copy_of_the_model(submit, store, services, shape):
    run_id = submit(asked(start="shipped:faces", **shape))["run"]
    config = store.config(run_id)
    assert (config.start_from, config.data, config.channels, config.pixel) == (
        "shipped:faces",
        "digits",
        3,
        4,
    )
    known = describe(store.path(run_id))
    assert (known["id"], known["earlier"]) == ("shipped:faces", [])
    copy = store.path(run_id) / START / GENERATOR
    assert copy.read_bytes() == (services.checkpoints / "faces" / GENERATOR).read_bytes()


@pytest.mark.parametrize(
    ("question", "key"),
    [
        (asked(start="shipped:faces"), "start.shape"),
        (asked("emoji", "dcgan", start="shipped:emoji"), "start.recipe"),
        (asked("ring8", start="shipped:digits"), "start.other_kind"),
        (asked(start="shipped:nothing"), "latent.unknown_model"),
        (asked(start="../checkpoints/digits"), "latent.unknown_model"),
        (asked(start=["shipped:digits"]), "ui.bad_form"),
    ],
)
def test_cost_and_train_refuse_alike_what_does_not_fit(question, key, submit, client, store):
    before = set(store.ids())
    assert submit(question)["error"]["key"] == key
    told = client.get(f"{OURS}/cost", params={"form": json.dumps(question)}).json()
    assert told["error"]["key"] == key
    assert set(store.ids()) == before


def test_the_cost_follows_a_model_also_for_own_pictures(client, shape):
    question = {**asked(USER_DATA, start="shipped:faces", **shape), "own": 500}
    assert client.get(f"{OURS}/cost", params={"form": json.dumps(question)}).json()["kind"] == "images"


def test_a_tracker_that_is_not_installed_is_told(submit, monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "trackio" else found(name))
    assert submit(asked(track="trackio"))["error"]["key"] == "track.missing"


@pytest.mark.parametrize(
    ("amount", "key"),
    [("x", "ui.bad_form"), (None, "ui.bad_form"), ("nan", "config.not_a_number"), ("1e9", "config.range")],
)
def test_more_time_is_checked(amount, key, client, store):
    run_id = store.create(tiny(kimg=0.0, minutes=5.0), state="finished")
    state = store.path(run_id) / "state"
    state.mkdir()
    (state / "checkpoint.safetensors").write_bytes(b"weights")
    query = {} if amount is None else {"amount": amount}
    refused = client.post(f"{OURS}/runs/{run_id}/more", params=query).json()
    assert refused["error"]["key"] == key
    assert store.config(run_id).minutes == 5.0
    assert client.post(f"{OURS}/runs/{run_id}/more", params={"amount": "1.5"}).json() == {"done": "more"}
    assert store.config(run_id).minutes == 6.5
    store.hide(run_id)


@pytest.mark.parametrize(
    ("query", "key"),
    [
        ({"name": "lr_d", "factor": "x"}, "ui.bad_form"),
        ({"name": "lr_d"}, "ui.bad_form"),
        ({"name": "batch", "factor": "2"}, "runs.no_such_adjustment"),
        ({"factor": "2"}, "runs.no_such_adjustment"),
        ({"name": "lr_d", "factor": "nan"}, "runs.adjusted_too_far"),
        ({"name": "lr_d", "factor": "-2"}, "runs.adjusted_too_far"),
        ({"name": "lr_d", "factor": "1e9"}, "runs.adjusted_too_far"),
    ],
)
def test_a_change_of_a_running_run_is_checked(query, key, client, services, store):
    run_id = services.supervisor.submit(tiny(LONG))
    reaches(store, run_id, "running")
    assert client.post(f"{OURS}/runs/{run_id}/adjust", params=query).json()["error"]["key"] == key
    accepted = client.post(f"{OURS}/runs/{run_id}/adjust", params={"name": "lr_d", "factor": "0.5"})
    assert accepted.json() == {"done": "adjust"}
    ended = store.create(tiny(), state="stopped")
    refused = client.post(f"{OURS}/runs/{ended}/adjust", params={"name": "lr_d", "factor": "0.5"})
    assert refused.json()["error"]["key"] == "runs.cant_adjust"
