"""Test the export of a generator: the buttons of the Explore tab, and the routes behind them."""

import json
import re

import numpy as np
import onnx
import onnxruntime
import pytest
from playwright.sync_api import expect
from starlette.applications import Starlette
from starlette.testclient import TestClient

from gan.latent.generator import Model
from gan.latent.sampling import latent
from gan.runs.store import Store
from gan.ui.explore import routes as explore_routes_module
from gan.ui.explore.routes import explore_routes
from gan.ui.server.requests.concurrency import LIMITS
from gan.ui.server.services import Services
from tests.support.inputs.generators import RUN, tiny_spec, write_checkpoint, write_run, write_weights
from tests.support.page.explorer.explorer import Explorer
from tests.support.page.explorer.panels.models import ModelPanel
from tests.support.page.exploring import visit

CARD = {"title": "Cats", "data": "cats", "data_licence": "CC0", "data_credit": "a cat", "recipe": "modern",
    "images": 5000, "seconds": 60,
        "classes": ["a", "b", "c"]}  # fmt: skip


@pytest.fixture
def ask(tmp_path):
    write_checkpoint(tmp_path / "checkpoints", "cats", tiny_spec(3), **CARD)
    write_run(tmp_path / "runs", RUN, tiny_spec(), state="running")
    services = Services(store=Store(tmp_path / "runs"), checkpoints=tmp_path / "checkpoints")
    browser = TestClient(Starlette(routes=explore_routes(services)), raise_server_exceptions=False)
    return lambda path, **query: browser.get(f"/gradio_api/gan/{path}", params=query)


def test_onnx_says_where_it_comes_from_and_draws(ask):
    reply = ask("take/onnx", id="shipped:cats")
    assert reply.headers["content-disposition"] == 'attachment; filename="ganarium-cats.onnx"'
    model = onnx.load_from_string(reply.content)
    onnx.checker.check_model(model, full_check=True)
    facts = {entry.key: entry.value for entry in model.metadata_props}
    assert (facts["title"], facts["data_licence"], facts["classes"], facts["images"]) == (
        "Cats",
        "CC0",
        "a, b, c",
        "5000",
    )
    assert "trainedAlgorithmicMedia" in facts["mark"]
    session = onnxruntime.InferenceSession(reply.content, providers=["CPUExecutionProvider"])
    label = np.array([1], np.int32)
    images = session.run(
        ["images"],
        {"z": latent(3, 6)[None], "labels": label, "others": label, "shares": np.zeros(1, np.float32)},
    )[0]
    assert images.shape == (1, 1, 28, 28)


def test_a_page_of_a_run_has_its_newest_weights(ask, tmp_path):
    first = ask("take/html", id=f"run:{RUN}")
    assert first.headers["content-disposition"] == f'attachment; filename="ganarium-{RUN}.html"'
    assert first.headers["cache-control"] == "no-store"
    assert str(tmp_path) not in first.text
    assert ask("take/html", id=f"run:{RUN}").content == first.content
    write_weights(tmp_path / "runs" / RUN / "live.safetensors", tiny_spec(), seed=5)
    assert ask("take/html", id=f"run:{RUN}").content != first.content


def test_a_page_has_the_sliders_that_are_asked_for(ask):
    sliders = lambda **query: json.loads(  # noqa: E731
        re.search(r'id="gan-data">(.*?)</script>', ask("take/html", id="shipped:cats", **query).text)[1]
    )["sliders"]
    assert sliders() == {"list": None, "names": {}, "hidden": [], "more": []}
    name = "<b>\u732b</script>"
    found = sliders(
        sliders=json.dumps({"list": ["s1", "p0"], "names": {"s1": name, "s3": "elsewhere"}, "hidden": []})
    )
    assert (found["list"], found["names"]) == (["s1", "p0"], {"s1": name})
    assert [(each["id"], each["effect"] > 0) for each in found["more"]] == [("s1", True)]
    for wrong in (
        "[]",
        "{",
        "[" * 10_000,
        '{"list": ["p0"]}',
        *({"list": [name], "names": {}, "hidden": []} for name in (7, "s99", "unheard")),
    ):
        reply = ask(
            "take/html", id="shipped:cats", sliders=wrong if isinstance(wrong, str) else json.dumps(wrong)
        )
        assert reply.json()["error"]["key"] in ("latent.bad_choice", "latent.unknown_direction")
        assert reply.status_code < 500


def test_a_page_leaves_out_what_newer_weights_do_not_move_any_more(ask, monkeypatch):
    """A list that was saved for everybody keeps an attribute's id, but newer weights may not move it."""
    family = Model.family
    monkeypatch.setattr(
        Model,
        "family",
        lambda model, name: (
            {**family(model, name), "fixed": ["lake"]} if name == "attributes" else family(model, name)
        ),
    )
    page = ask(
        "take/html",
        id="shipped:cats",
        sliders=json.dumps({"list": ["s1", "lake", "p0"], "names": {"lake": "See"}, "hidden": []}),
    )
    choice = json.loads(re.search(r'id="gan-data">(.*?)</script>', page.text)[1])["sliders"]
    assert (choice["list"], choice["names"], [each["id"] for each in choice["more"]]) == (
        ["s1", "p0"],
        {},
        ["s1"],
    )


@pytest.mark.parametrize(("form", "query", "key"), [
    ("exe", {"id": "shipped:cats"}, "unknown_file"), ("HTML", {"id": "shipped:cats"}, "unknown_file"),
    ("html", {"id": "run:../x"}, "unknown_model"), ("onnx", {}, "unknown_model"),
])  # fmt: skip
def test_wrong_requests_get_a_sentence(ask, form, query, key):
    reply = ask(f"take/{form}", **query)
    assert reply.status_code == 404
    assert reply.json()["error"]["key"] == f"latent.{key}"


@pytest.mark.parametrize("form", ["html", "onnx"])
def test_what_is_too_large_for_a_browser_stays(ask, monkeypatch, form):
    monkeypatch.setattr(explore_routes_module, "MAX_PARAMETERS", 2**10)
    assert ask(f"take/{form}", id="shipped:cats").json()["error"]["key"] == "latent.too_large"


def test_what_takes_long_has_a_lane_of_its_own():
    lanes = [LIMITS[path] for path in ("take/{form}", "time", "times")]
    assert (
        len({id(lane) for lane in [*lanes, LIMITS["poll"], LIMITS["image"], LIMITS["wall"], LIMITS["model"]]})
        == 7
    )


@pytest.fixture(scope="module")
def runs(runs_folder):
    write_run(runs_folder, RUN, tiny_spec(), created=1.0)
    return runs_folder


@pytest.mark.browser
def test_the_buttons_save_files(browser, address):
    context = browser.new_context(
        viewport={"width": 1440, "height": 900}, locale="en-US", accept_downloads=True
    )
    page = context.new_page()
    visit(page, address, rest="&seed=9&d=0,1.5&psi=0.8&x=s0:2&u=0.1:0&view=walk")
    section = ModelPanel(page).take
    for button, ending, start in (("Web page", "html", b"<!doctype html>"), ("ONNX", "onnx", b"\x08")):
        with page.expect_download() as info:
            section.get_by_role("button", name=button, exact=True).click()
        assert info.value.suggested_filename == f"ganarium-{RUN}.{ending}"
        with open(info.value.path(), "rb") as file:
            data = file.read()
        assert data.startswith(start)
        if ending == "html":
            at = json.loads(re.search(rb'id="gan-point">(.*?)</script>', data)[1])
            assert at == {"seed": "9", "psi": "0.8", "d": "0,1.5", "x": "s0:2"}
            choice = json.loads(re.search(rb'id="gan-data">(.*?)</script>', data)[1])["sliders"]
            assert choice["list"][-1] == "s0", "the page has what the point has moved along"
        expect(section.get_by_role("button", name=button, exact=True)).to_be_enabled()
    page.route(
        "**/gan/take/*",
        lambda route: route.fulfill(
            status=400, json={"error": {"key": "latent.too_large", "values": {"most": "8"}, "text": "no"}}
        ),
    )
    section.get_by_role("button", name="Web page", exact=True).click()
    expect(Explorer(page).note).to_contain_text("8 million parameters")
    context.close()
