"""Test what programs are answered, without a server."""

import base64
import io
from urllib.parse import parse_qsl, urlsplit

import numpy as np
import pytest
from PIL import Image
from starlette.datastructures import QueryParams

from gan.errors import UserError
from gan.files import write_bytes
from gan.hub.sets import CAP
from gan.latent.point import Point
from gan.recipes import make_config
from gan.runs.store import CHECKPOINTS
from gan.train.origin import read_record
from gan.ui.api import functions
from gan.ui.server.services import Services
from tests.support.inputs.generators import tiny_spec, write_checkpoint

MODEL = "shipped:digits"
SAMPLE = {"model": MODEL, "seed": 0, "count": 1, "psi": 1.0, "label": "", "format": "address"}
BETWEEN = {"model": MODEL, "seed_a": 3, "seed_b": 8, "frames": 5, "psi": 0.7, "label": "", "format": "png"}


@pytest.fixture(scope="module")
def services(tmp_path_factory):
    """A tiny shipped model of three classes, and a supervisor that starts nothing."""
    root = tmp_path_factory.mktemp("api")
    write_checkpoint(root / "checkpoints", "digits", tiny_spec(3), classes=["zero", "one", "two"])
    services = Services(checkpoints=root / "checkpoints")
    services.open(root / "runs")
    return services


def pixels(png: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(png))))


def test_models_are_listed_with_addresses(services):
    (model,) = functions.models(services)
    assert (model["id"], model["classes"], model["data"]) == (MODEL, ["zero", "one", "two"], "digits")
    assert set(model) == {*functions._MODEL, "preview"}


def test_samples_are_those_of_the_seeds(services):
    asked = {**SAMPLE, "seed": 5, "count": 3, "format": "png", "label": "one"}
    answer = functions.sample(services, **asked)
    assert [(image["seed"], image["class"]) for image in answer["images"]] == [
        (5, "one"), (6, "one"), (7, "one"),
    ]  # fmt: skip
    opened = services.explorer().open(MODEL)
    for image in answer["images"]:
        drawn = opened.image(Point(image["seed"], 1.0, 1))
        np.testing.assert_array_equal(pixels(image["png"]), np.asarray(Image.open(io.BytesIO(drawn))))
    assert pixels(answer["images"][0]["png"]).shape[0] == answer["size"]


def test_an_address_leads_to_the_same_image(services):
    answer = functions.sample(services, **{**SAMPLE, "seed": 9, "count": 2, "psi": 0.5})
    opened = services.explorer().open(MODEL)
    for image in answer["images"]:
        address = urlsplit(image["address"])
        query = QueryParams(parse_qsl(address.query))
        assert (address.path, query["id"], query["v"]) == ("gradio_api/gan/image", MODEL, opened.version)
        assert Point.parse(query, opened.spec) == Point(image["seed"], 0.5, None)


def test_an_interpolation_begins_and_ends_at_its_seeds(services):
    answer = functions.interpolate(services, **BETWEEN)
    assert [image["t"] for image in answer["images"]] == [0, 0.25, 0.5, 0.75, 1]
    ends = [
        functions.sample(services, **{**SAMPLE, "seed": seed, "psi": 0.7, "format": "png"})["images"][0]
        for seed in (3, 8)
    ]
    first, last = answer["images"][0], answer["images"][-1]
    np.testing.assert_array_equal(pixels(first["png"]), pixels(ends[0]["png"]))
    assert np.abs(pixels(last["png"]).astype(int) - pixels(ends[1]["png"])).max() <= 1
    assert [first["class"], last["class"]] == [end["class"] for end in ends]


def test_images_beyond_the_limit_are_refused_in_base64_only(services, monkeypatch):
    monkeypatch.setattr(functions, "MAX_BASE64", 2000)
    with pytest.raises(UserError, match="These 64 images are more than"):
        functions.sample(services, **{**SAMPLE, "count": 64, "format": "png"})
    assert len(functions.sample(services, **{**SAMPLE, "count": 64})["images"]) == 64


ODD = {
    "model": ("nothing", "shipped:../x", 7, None, ["shipped:digits"]),
    "seed": (-1, 1.5, "x", None, True, [], 2**31, 10**40),
    "count": (0, 65, 1.5, "many", None, {}),
    "psi": (-1, 9, float("nan"), float("inf"), "x", None, [1]),
    "label": ("owl", -1, 3, 1.5, ["one"]),
    "format": ("gif", None, 7, ["png"], {}),
}


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in ODD.items() for value in values]
)
def test_an_odd_argument_gives_a_sentence(name, value, services):
    with pytest.raises(UserError) as caught:
        functions.sample(services, **{**SAMPLE, name: value})
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize("change", [{"frames": 1}, {"frames": 61}, {"seed_a": -1}, {"seed_b": "x"}])
def test_an_odd_interpolation_gives_a_sentence(change, services):
    with pytest.raises(UserError):
        functions.interpolate(services, **{**BETWEEN, **change})


def test_a_run_is_started_shown_and_deleted(services):
    run = functions.train(services, "digits", "dcgan", 0.5, "", CAP)["run"]
    shown = functions.status(services, run)
    assert shown["queue"] == [run]
    (entry,) = shown["runs"]
    known = ("id", "data", "recipe", "minutes", "state", "grid", "model", "error", "verdict")
    assert [entry[name] for name in known] == [run, "digits", "dcgan", 0.5, "queued", None, None, None, None]
    assert run in [one["id"] for one in functions.status(services, "")["runs"]]
    assert functions.command(services, run, "cancel", 0.0) == {"done": "cancel"}


def test_a_run_tells_no_path_of_the_server(services):
    place = services.uploads / "0123456789abcdef" / "cats.zip"
    run = services.store.create(make_config(str(place), "modern"))
    error = {"key": "data.too_few", "values": {"path": str(place)}, "text": f"“{place}” holds 1"}
    services.store.update_status(run, state="failed", error=error, sample_step=12, live_step=12)
    (entry,) = functions.status(services, run)["runs"]
    assert (entry["data"], entry["error"]) == ("cats.zip", "“cats.zip” holds 1")
    assert entry["grid"] == f"gradio_api/gan/runs/{run}/samples/12.webp"
    assert entry["model"] == f"run:{run}"
    assert str(services.store.root) not in repr(entry)


WRONG_RUNS = [
    ("nothing", "modern", 1), ("own", "modern", 1), ("own-points", "modern", 1), ("/etc", "modern", 1),
    ("digits", "magic", 1), ("digits", "modern", 0), ("digits", "modern", "long"), ("digits", "modern", None),
    (7, "modern", 1), ("digits", [], 1), ("grid", "dcgan", 1),
    ("digits", "modern", 1, "shipped:none", 9), ("digits", "dcgan", 1, MODEL, 9),
    ("grid", "modern", 1, MODEL, 9),
    ("digits", "modern", 1, None, 9), ("hub:..", "modern", 1, "", 9), ("hub:a/b", "modern", 1, "", 1),
    ("hub:a/b", "modern", 1, "", "many"), ("hub:a/b", "modern", 1, "shipped:none", 9),
]  # fmt: skip


@pytest.mark.parametrize("asked", WRONG_RUNS, ids=str)
def test_an_impossible_run_gives_a_sentence(asked, services):
    before = services.store.ids()
    with pytest.raises(UserError):
        functions.train(services, *asked[:3], *(asked[3:] or ("", CAP)))
    assert services.store.ids() == before


def test_a_name_without_a_set_names_what_a_program_may_choose(services):
    with pytest.raises(UserError) as caught:
        functions.train(services, "/etc", "modern", 1, "", CAP)
    assert "path" not in str(caught.value)
    assert "hub:OWNER/NAME" in str(caught.value)


def test_a_run_begins_with_the_weights_of_a_model(services):
    run = functions.train(services, "fashion", "modern", 1, MODEL, CAP)["run"]
    config = services.store.config(run)
    assert (config.start_from, config.width, config.z_dim) == (MODEL, tiny_spec().width, tiny_spec().z_dim)
    assert read_record(services.store.path(run))["id"] == MODEL
    functions.command(services, run, "cancel", 0.0)


def test_a_finished_run_is_given_more_minutes(services):
    run = services.store.create(make_config("digits", "modern", minutes=5.0))
    path = services.store.path(run)
    write_bytes(path / "state" / CHECKPOINTS[0], b"weights")
    for state, amount in (("paused", 2), ("finished", 0), ("finished", "long"), ("finished", None)):
        services.store.update_status(run, state=state)
        with pytest.raises(UserError):
            functions.command(services, run, "more", amount)
    assert functions.command(services, run, "more", 2.5) == {"done": "more"}
    assert (services.store.config(run).minutes, services.store.status(run)["state"]) == (7.5, "queued")
    functions.command(services, run, "cancel", 0.0)


@pytest.mark.parametrize(("run", "name"), [("none", "pause"), (7, "pause"), ("..", "delete"), ("none", [])])
def test_a_command_to_nothing_gives_a_sentence(run, name, services):
    with pytest.raises(UserError):
        functions.command(services, run, name, 0.0)
