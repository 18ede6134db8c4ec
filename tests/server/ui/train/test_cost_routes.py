"""Test the cost that the Train tab shows: of its form, and of a run."""

import json

import pytest

from gan.recipes import USER_DATA
from gan.ui.train import fields, form
from tests.fakes.runs import past


def asked(data="digits", recipe="modern", minutes=5, own=0, **changes):
    """Return the query for the cost of a form, with some fields changed."""
    values = dict(zip(fields.keys(), form.defaults(data, recipe), strict=True))
    return {
        "data": data,
        "recipe": recipe,
        "minutes": minutes,
        "own": own,
        "values": list({**values, **changes}.values()),
    }


@pytest.fixture
def cost(client):
    """A function that returns the reply to a query, given as JSON or as any text."""
    return lambda question: client.get(
        "/gradio_api/gan/cost",
        params={"form": question if isinstance(question, str) else json.dumps(question)},
    )


def test_the_cost_of_points_needs_no_measured_machine(cost):
    found = cost(asked("ring8", minutes=1)).json()
    assert found == {"kind": "points", "parameters": {"G": 17410, "D": 16641}, "minutes": 1}
    refused = cost(asked("ring8", **{"points-batch": 1})).json()
    assert refused["error"]["key"] == "config.range"


def test_the_cost_of_the_form_follows_it(cost, known_machine):
    found = cost(asked()).json()
    assert (found["minutes"], found["gpu"]) == (5, known_machine.torch_name == "cuda")
    assert found["kimg"] == pytest.approx(found["rate"] * 300 / 1000)
    assert found["passes"] == pytest.approx(found["kimg"] / 10)  # of 10,000 digits
    assert found["memory"] > known_machine.base
    assert cost(asked(minutes=10)).json()["kimg"] == pytest.approx(2 * found["kimg"])
    wider = cost(asked(width=64)).json()
    assert wider["rate"] < found["rate"]
    assert wider["parameters"]["G"] > found["parameters"]["G"] > 10_000 < found["parameters"]["D"]
    assert cost(asked("emoji", "dcgan")).json()["rate"] < found["rate"]


def test_a_budget_in_images_takes_as_long_as_the_machine_needs(cost):
    found = cost(asked(minutes={"kimg": 50})).json()
    assert found["kimg"] == 50
    assert found["minutes"] == pytest.approx(50_000 / found["rate"] / 60)


def test_a_run_has_the_cost_of_the_form_that_began_it(client, cost, services, known_machine):
    config = form.config("digits", "modern", 2, asked()["values"])
    run_id = past(services.store, config, state="finished")
    found = client.get("/gradio_api/gan/cost", params={"run": run_id}).json()
    before = cost(asked(minutes=2)).json()
    assert {name: found[name] for name in ("kind", "rate", "kimg", "minutes", "parameters")} == {
        name: before[name] for name in ("kind", "rate", "kimg", "minutes", "parameters")
    }
    missing = client.get("/gradio_api/gan/cost", params={"run": "none"})
    assert missing.json()["error"]["text"]


@pytest.mark.parametrize(
    ("data", "budget", "key"),
    [
        ("digits", {"kimg": 0}, "config.range"),  # 0 would mean that the time decides
        ("digits", {"kimg": 0.05}, "config.range"),
        ("digits", {"kimg": 2e6}, "config.range"),
        ("digits", {"kimg": "many"}, "config.not_a_number"),
        ("digits", {"kimg": None}, "config.not_a_number"),
        ("digits", {"kimg": True}, "config.not_a_number"),
        ("digits", {"kimg": 5, "minutes": 5}, "ui.bad_form"),
        ("digits", {"steps": 5}, "ui.bad_form"),
        ("digits", {}, "ui.bad_form"),
        ("digits", [5], "config.not_a_number"),
        ("ring8", {"kimg": 5}, "ui.bad_form"),
    ],
)
def test_a_budget_that_no_run_can_have_is_refused(cost, data, budget, key):
    assert cost(asked(data, minutes=budget)).json()["error"]["key"] == key


def test_own_pictures_are_counted_where_they_can_be(cost):
    assert cost(asked(USER_DATA, own=200)).json()["passes"] > 0
    assert cost(asked(USER_DATA, own=None)).json()["passes"] is None
    assert cost(asked(USER_DATA)).json()["passes"] is None  # no images added yet
    assert cost(asked(USER_DATA, own=20)).json()["error"]["key"] == "train.batch_too_large"
    assert cost(asked(USER_DATA, own=1)).json()["error"]["key"] == "ui.too_few"


def test_before_the_self_test_the_cost_has_no_rate(cost, tmp_path, monkeypatch):
    monkeypatch.setenv("GANARIUM_CACHE", str(tmp_path))
    found = cost(asked()).json()
    assert (found["rate"], found["kimg"], found["passes"], found["memory"]) == (None, None, None, None)
    assert found["parameters"]["G"] > 10_000


IMPOSSIBLE = [
    (asked(batch=1), "config.range"),
    (asked(size=77), "config.choice"),
    (asked(minutes=None), "config.not_a_number"),
    (asked(minutes=10**400), "config.not_a_number"),
    (asked(batch=10**400), "config.not_whole"),
    (asked(width={"a": [1]}), "config.not_whole"),
    (asked(lr_g=float("nan")), "config.not_a_number"),
    (asked(conditional=3), "config.not_yes_no"),
    (asked("emoji", batch=1000), "train.batch_too_large"),
    (asked("celeba", recipe="magic"), "config.unknown_recipe"),
    (asked(recipe=["modern"]), "config.unknown_recipe"),
    (asked("/etc"), "data.unknown"),
    ({**asked(), "data": {}}, "data.unknown"),
    ({"values": []}, "data.unknown"),
    ({**asked(), "values": [1]}, "ui.bad_form"),
    ('{"data": "digits"}', "ui.bad_form"),
    *((text, "ui.bad_form") for text in ("", "{", "[]", "[" * 20_000, "7" * 9000)),
]


@pytest.mark.parametrize(("question", "key"), IMPOSSIBLE)
def test_an_impossible_form_costs_a_sentence(question, key, cost):
    reply = cost(question)
    assert reply.status_code in (400, 404)
    assert reply.json()["error"]["key"] == key
