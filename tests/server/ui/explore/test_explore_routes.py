"""Test the routes of the Explore tab: lists, samples, caching headers, and errors of wrong requests."""

import base64
import io

import numpy as np
import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient

from gan.export.onnx import generator_onnx
from gan.files import write_json
from gan.latent.point import Point
from gan.recipes import make_config
from gan.runs.store import Store
from gan.ui.explore import routes as explore_routes_module
from gan.ui.explore.routes import explore_routes, map_routes
from gan.ui.server.services import Services
from tests.support.inputs.generators import (
    RUN,
    header_of_another_version,
    tiny_spec,
    write_checkpoint,
    write_run,
    write_weights,
)

SHIPPED = "shipped:digits"
NEWER = "20250102-040506-faces-modern"
ROUTES = (
    "image",
    "neighbours",
    "strip",
    "wall",
    "inside",
    "map",
    "model",
    "latent",
    "generator",
    "directions",
    "factors",
    "attributes",
    "along",
)


def models(root):
    """Write a shipped model with three classes, and a finished run."""
    write_checkpoint(
        root / "checkpoints", "digits", tiny_spec(3), title="Digits", classes=["zero", "one", "two"]
    )
    write_run(root / "runs", RUN, tiny_spec())
    return Services(store=Store(root / "runs"), checkpoints=root / "checkpoints")


def client(services):
    browser = TestClient(
        Starlette(routes=[*explore_routes(services), *map_routes(services)]), raise_server_exceptions=False
    )
    return lambda path, **query: browser.get(f"/gradio_api/gan/{path}", params=query)


@pytest.fixture
def services(tmp_path):
    return models(tmp_path)


@pytest.fixture
def get(services):
    return client(services)


@pytest.fixture(scope="module")
def ask(tmp_path_factory):
    """The fixture `get`, on models that no test changes."""
    return client(models(tmp_path_factory.mktemp("models")))


def pixels(reply) -> np.ndarray:
    assert reply.status_code == 200, reply.text
    return np.asarray(Image.open(io.BytesIO(reply.content)).convert("L")).astype(int)


def test_lists_models_with_what_the_picker_shows(get, tmp_path):
    (tmp_path / "checkpoints" / "digits" / "preview.webp").write_bytes(b"RIFF")
    write_run(tmp_path / "runs", NEWER, tiny_spec(channels=3), state="running", created=5.0)
    shipped, live, finished = get("models").json()
    assert (shipped["id"], shipped["title"], shipped["data"], shipped["classes"]) == (
        SHIPPED,
        "Digits",
        "digits",
        ["zero", "one", "two"],
    )
    assert (live["id"], live["live"]) == (f"run:{NEWER}", True)
    assert (finished["id"], finished["live"]) == (f"run:{RUN}", False)
    preview = get(shipped["preview"])
    assert (preview.content, preview.headers["content-type"]) == (b"RIFF", "image/webp")


def test_a_damaged_model_leaves_the_others_in_peace(get, tmp_path):
    write_run(tmp_path / "runs", NEWER, tiny_spec())
    weights = tmp_path / "runs" / NEWER / "live.safetensors"
    write_json(weights.with_name("config.json"), make_config("faces").to_json())
    weights.write_bytes(weights.read_bytes()[:-200])
    reply = get("image", id=f"run:{NEWER}")
    assert reply.status_code == 400
    error = reply.json()["error"]
    assert (error["key"], error["values"]) == ("latent.damaged", {"name": "faces · modern"})
    assert str(tmp_path) not in reply.text
    assert [model["id"] for model in get("models").json() if model.get("unreadable")] == [f"run:{NEWER}"]
    assert get("image", id=SHIPPED).status_code == 200


def test_a_model_of_another_version_says_so(get, tmp_path):
    write_run(tmp_path / "runs", NEWER, tiny_spec())
    header_of_another_version(tmp_path / "runs" / NEWER / "live.safetensors")
    assert get("model", id=f"run:{NEWER}").json()["error"]["key"] == "latent.other_version"
    write_weights(tmp_path / "runs" / NEWER / "live.safetensors", tiny_spec(), seed=1)
    assert not any("unreadable" in model for model in get("models").json()), "it was replaced"
    (tmp_path / "runs" / NEWER / "live.safetensors").write_bytes(b"nonsense" * 100)
    (tmp_path / "runs" / NEWER / "name.txt").write_text("Mine")
    assert (
        get("model", id=f"run:{NEWER}").json()["error"]["text"].startswith("The model “Mine” can't be read: ")
    )


def test_describes_the_sliders(ask):
    model = ask("model", id=SHIPPED).json()
    assert model["z_dim"] == 6
    assert len(model["directions"]) == 6
    assert all(direction["effect"] > 0 for direction in model["directions"])


def test_sliders_are_saved_with_the_model(services, get, tmp_path):
    browser = TestClient(Starlette(routes=explore_routes(services)), raise_server_exceptions=False)
    wanted = {"list": ["s0", "p1"], "names": {"s0": "Slim"}, "hidden": ["p2"]}
    for model, path in ((SHIPPED, ".directions/digits.json"), (f"run:{RUN}", f"{RUN}/directions.json")):
        assert get("model", id=model).json()["saved"] is None
        keep = lambda value, model=model: browser.post(  # noqa: E731
            f"/gradio_api/gan/directions/save?id={model}", json=value
        )
        assert keep(wanted).json() == {"saved": wanted}
        assert get("model", id=model).json()["saved"] == wanted
        assert (tmp_path / "runs" / path).exists()
        assert "Slim" in get("take/html", id=model).text, "they are taken home as well"
        for wrong, key in (
            ({"list": ["s99"]}, "unknown_direction"),
            ({"names": 7}, "bad_choice"),
            ({"hidden": ["x y"]}, "bad_choice"),
        ):
            reply = keep({**wanted, **wrong})
            assert (reply.status_code < 500, reply.json()["error"]["key"]) == (True, f"latent.{key}")
        assert get("model", id=model).json()["saved"] == wanted
        assert keep({"values": []}).json()["error"]["key"] == "latent.bad_choice"
        assert keep({"list": None, "names": {}, "hidden": []}).json() == {"saved": None}
        assert not (tmp_path / "runs" / path).exists()
    assert (
        browser.post("/gradio_api/gan/directions/save?id=run:../runs", json=wanted).json()["error"]["key"]
        == "latent.unknown_model"
    )
    assert browser.post(f"/gradio_api/gan/directions/save?id={SHIPPED}", content=b"[]").status_code == 400


def test_every_control_changes_the_picture(ask):
    base = pixels(ask("image", id=SHIPPED, seed=3, label=0))
    assert base.shape == (28, 28)
    for change in ({"seed": 4}, {"psi": 0.2}, {"label": 2}, {"d": "2"}, {"z": "1:3"}, {"to": 9, "t": 0.5}):
        other = pixels(ask("image", **{"id": SHIPPED, "seed": 3, "label": 0, **change}))
        assert np.abs(other - base).max() > 4, change


def test_the_same_request_gives_the_same_bytes(ask):
    query = {"id": SHIPPED, "seed": 8, "d": "0.5,-1", "z": "0:1.5"}
    assert ask("image", **query).content == ask("image", **query).content


def test_neighbours_lie_along_the_two_directions(ask):
    sheet = pixels(ask("neighbours", id=SHIPPED, seed=5, label=1, d="0,0.5", i="p1", j="p2", step=1))
    assert sheet.shape == (140, 140)
    for row, column in ((2, 2), (0, 4), (3, 1)):
        alone = pixels(ask("image", id=SHIPPED, seed=5, label=1, d=f"0,{0.5 + column - 2},{2 - row}"))
        cell = sheet[28 * row : 28 * row + 28, 28 * column : 28 * column + 28]
        assert np.abs(cell - alone).max() <= 1


def test_neighbours_lie_along_any_two_directions(ask):
    where = {"id": SHIPPED, "seed": 5, "label": 1}
    sheet = pixels(ask("neighbours", **where, x="s2:0.5", i="s2", j="p1"))
    alone = pixels(ask("image", **where, x="s2:2.5", d="0,1"))
    assert np.abs(sheet[28:56, 112:140] - alone).max() <= 1
    reply = ask("neighbours", **where, i="night_sky")
    assert reply.json()["error"]["key"] == "latent.unknown_direction", "there is no such thing to look for"


def test_the_strip_leads_from_the_point_to_the_other_seed(ask):
    strip = pixels(ask("strip", id=SHIPPED, seed=5, to=6, n=5, d="1"))
    assert strip.shape == (28, 140)
    for frame in range(5):
        alone = pixels(ask("image", id=SHIPPED, seed=5, to=6, t=frame / 4, d="1"))
        assert np.abs(strip[:, 28 * frame : 28 * frame + 28] - alone).max() <= 1
    end = pixels(ask("image", id=SHIPPED, seed=6, d="1"))
    assert np.abs(strip[:, 112:] - end).max() <= 1


def test_the_wall_shows_one_seed_after_another(ask):
    wall = pixels(ask("wall", id=SHIPPED, seed=100))
    assert wall.shape == (224, 224)
    assert np.abs(wall[28:56, 56:84] - pixels(ask("image", id=SHIPPED, seed=110))).max() <= 1


def test_tells_where_the_raw_sliders_stand(get, services):
    z = get("latent", id=SHIPPED, seed=5, psi=0.5).json()["z"]
    assert z == pytest.approx(services.explorer().open(SHIPPED).latent(Point(5, 0.5)).tolist(), abs=1e-4)


def test_browsers_keep_only_what_names_the_version(get, tmp_path):
    version = get("model", id=f"run:{RUN}").json()["version"]
    assert "immutable" in get("wall", id=f"run:{RUN}", v=version).headers["cache-control"]
    assert get("wall", id=f"run:{RUN}").headers["cache-control"] == "no-store"
    write_weights(tmp_path / "runs" / RUN / "live.safetensors", tiny_spec(), seed=7)
    newer = get("wall", id=f"run:{RUN}", v=version)
    assert newer.headers["cache-control"] == "no-store"
    assert newer.headers["x-model-version"] not in ("", version)


def test_the_generator_travels_with_its_directions(get, services):
    model = services.explorer().open(SHIPPED)
    onnx, directions = (get(path, id=SHIPPED, v=model.version) for path in ("generator", "directions"))
    assert onnx.content == generator_onnx(model.generator, model.spec)
    assert np.array_equal(np.frombuffer(directions.content, "<f4").reshape(-1, 6), model.directions().vectors)
    for reply in (onnx, directions):
        assert "immutable" in reply.headers["cache-control"]
        assert reply.headers["x-model-version"] == model.version


def vectors(family) -> np.ndarray:
    return np.frombuffer(base64.b64decode(family["vectors"]), "<f4").reshape(len(family["directions"]), -1)


def test_factorised_directions_come_with_what_is_known_of_them(get, services):
    model = services.explorer().open(SHIPPED)
    reply = get("factors", id=SHIPPED, v=model.version)
    found = reply.json()
    assert np.array_equal(vectors(found), model.factors().vectors)
    assert [direction["id"] for direction in found["directions"]] == [f"s{k}" for k in range(6)]
    assert [direction["effect"] for direction in found["directions"]] == sorted(
        (d["effect"] for d in found["directions"]), reverse=True
    )
    assert "immutable" in reply.headers["cache-control"]


def test_named_directions_say_how_much_they_move_and_what_else(ask):
    found = ask("attributes", id=SHIPPED).json()
    ids = [direction["id"] for direction in found["directions"]]
    assert len(ids) + len(found["fixed"]) == 13, "ten digits, brightness, slant and width"
    assert set(ids).isdisjoint(found["fixed"])
    assert found["titles"]["class3"] == "3"
    assert vectors(found).shape == (len(ids), 6)
    for direction in found["directions"]:
        assert {"effect", "moved", "steady", "low", "high", "others", "explained"} <= direction.keys()


def test_no_picture_waits_until_directions_have_been_named(get):
    refused = get("image", id=SHIPPED, x="brightness:1")
    assert (refused.status_code, refused.json()["error"]["key"]) == (503, "latent.finding")
    ids = [direction["id"] for direction in get("attributes", id=SHIPPED).json()["directions"]]
    assert get("image", id=SHIPPED, x=f"{ids[0]}:1").status_code == 200
    unknown = get("image", id=SHIPPED, x="nonsense:1")
    assert (unknown.status_code, unknown.json()["error"]["key"]) == (404, "latent.unknown_direction")


def test_a_strip_goes_along_one_direction_and_leaves_the_others(ask):
    for k, at in (("s1", {"x": "s0:0.5,s1:{}"}), ("p2", {"x": "s0:0.5", "d": "0,0,{}"})):
        strip = pixels(ask("along", id=SHIPPED, seed=5, label=1, x="s0:0.5", k=k))
        assert strip.shape == (28, 196)
        for cell in (0, 3, 4):
            alone = pixels(
                ask(
                    "image",
                    id=SHIPPED,
                    seed=5,
                    label=1,
                    **{name: text.format(cell - 3) for name, text in at.items()},
                )
            )
            assert np.abs(strip[:, 28 * cell : 28 * cell + 28] - alone).max() <= 1


def test_a_generator_too_large_for_a_browser_stays(get, monkeypatch):
    monkeypatch.setattr(explore_routes_module, "MAX_PARAMETERS", 2**10)
    reply = get("generator", id=SHIPPED)
    assert (reply.status_code, reply.json()["error"]["key"]) == (400, "latent.too_large")


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize(
    "name",
    [
        "",
        "shipped:",
        "shipped:nothing",
        "run:../../etc",
        "shipped:..",
        "run:%2e%2e",
        "/etc/passwd",
        "x" * 5000,
        "run:\x00",
        "0",
    ],
)
def test_unknown_models_get_a_sentence(ask, route, name):
    reply = ask(route, id=name)
    assert reply.status_code in (400, 404)
    assert reply.json()["error"]["key"] == "latent.unknown_model"
    assert "Traceback" not in reply.text


WRONG = [
    {"seed": "-1"},
    {"seed": "1.5"},
    {"seed": "x"},
    {"seed": "9" * 30},
    {"seed": "2147483648"},
    {"seed": "１"},
    {"psi": "nan"},
    {"psi": "-1"},
    {"psi": "3"},
    {"psi": "1e999"},
    {"label": "3"},
    {"label": "-1"},
    {"label": "two"},
    {"d": "1,x"},
    {"d": "inf"},
    {"d": "11"},
    {"d": ",".join("0" * 11)},
    {"d": "0," * 15000},
    {"z": "9"},
    {"z": "6:0"},
    {"z": "0:1,0:2"},
    {"z": "0:1e9"},
    {"z": "0:1," * 6000},
    {"to": "x"},
    {"to": "1", "t": "2"},
    {"x": "s0"},
    {"x": "s0:x"},
    {"x": "s0:11"},
    {"x": "s0:1,s0:2"},
    {"x": "s0:1," * 5000},
]


@pytest.mark.parametrize("query", WRONG, ids=lambda query: repr(query)[:30])
def test_wrong_values_get_a_sentence(ask, query):
    reply = ask("image", id=SHIPPED, **query)
    assert reply.status_code == 400
    error = reply.json()["error"]
    assert error["text"].endswith(".")
    assert error["key"].startswith("latent.")
    assert len(reply.content) < 1000


@pytest.mark.parametrize(("route", "query"), [
    ("neighbours", {"i": "p6"}), ("neighbours", {"j": "1"}), ("neighbours", {"i": "../p0"}),
    ("neighbours", {"step": "x"}), ("neighbours", {"step": "99"}),
    ("strip", {"n": "1"}), ("strip", {"n": "1000"}), ("strip", {"to": "-4"}), ("wall", {"seed": "x"}),
    ("wall", {"psi": "9"}),
    ("wall", {"u": "0.9999:0"}), ("image", {"u": "0.4000:0"}), ("image", {"u": "12.0:0"}),
    ("inside", {"layer": "9"}), ("inside", {"layer": "x"}),
    ("inside", {"u": "0.1:9"}), ("map", {"by": "guess"}), ("map", {"known": "-1"}), ("map", {"known": "x"}),
])  # fmt: skip
def test_wrong_values_of_sheets_get_a_sentence(ask, route, query):
    reply = ask(route, id=SHIPPED, **query)
    assert reply.status_code in (400, 404)
    assert reply.json()["error"]["text"]


@pytest.mark.parametrize("name", ["", "s6", "p6", "s999", "s9999999999", "p-1", "Night", "../s0", "x" * 5000])
def test_directions_that_a_model_has_not_get_a_sentence(ask, name):
    ask("attributes", id=SHIPPED)
    reply = ask("along", id=SHIPPED, k=name)
    assert (reply.status_code, reply.json()["error"]["key"]) == (404, "latent.unknown_direction")
    assert len(reply.content) < 1000


@pytest.mark.parametrize("name", ["..", "%2e%2e", "..%2fdigits", "nothing", ".hidden"])
def test_previews_stay_in_their_folder(ask, name):
    assert ask(f"checkpoints/{name}/preview.webp").status_code == 404


def test_a_run_without_pictures_yet_says_so(get, tmp_path):
    write_run(tmp_path / "runs", NEWER, tiny_spec())
    (tmp_path / "runs" / NEWER / "live.safetensors").unlink()
    assert [model["id"] for model in get("models").json()] == [SHIPPED, f"run:{RUN}"]
    assert get("image", id=f"run:{NEWER}").json()["error"]["key"] == "latent.not_yet"


def test_a_map_is_kept_once_it_is_whole(ask, monkeypatch):
    monkeypatch.setattr("gan.latent.map.sample_map.COUNT", 32)
    version = ask("image", id=SHIPPED).headers["X-Model-Version"]
    whole = ask("map", id=SHIPPED, by="pca", v=version)
    assert (whole.status_code, "immutable" in whole.headers["Cache-Control"]) == (200, True)
    assert ask("map", id=SHIPPED, by="pca").headers["Cache-Control"] == "no-store"
    assert len(ask("map", id=SHIPPED, by="pca", v=version, known=32).content) < len(whole.content) / 2
    assert len(ask("map", id=SHIPPED, by="pca", v="older", known=32).content) == len(whole.content)
    monkeypatch.setattr("gan.latent.map.sample_map.COUNT", 64)
    monkeypatch.setattr("gan.latent.map.sample_map.FIRST", -1.0)
    assert ask("map", id=SHIPPED, by="pca", v=version).headers["Cache-Control"] == "no-store"
