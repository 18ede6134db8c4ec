"""Test the routes of dragged points: from arrows to a point, and refusals of impossible drags.

Drags share one queue with other searches.
"""

import pytest

from gan.latent.search.drag_job import MAX_PAIRS
from tests.server.ui.explore.test_find_routes import picture

MODEL = "shipped:digits"
PAIRS = [[0.4, 0.5, 0.6, 0.5], [0.2, 0.2, 0.2, 0.2]]


def begin(client, pairs=PAIRS, headers=None, **point):
    return client.post(
        "/gradio_api/gan/drag", params={"id": MODEL, **point}, json={"pairs": pairs}, headers=headers
    )


def on(client, **value):
    return client.post("/gradio_api/gan/drag/on", json=value)


@pytest.mark.parametrize(
    "point",
    [
        {},
        {
            "seed": "3",
            "psi": "0.5",
            "label2": "1",
            "mix": "0.4",
            "d": "1,-1",
            "x": "s0:1",
            "u": "0.1:0,1.0:2",
        },
        {"label": "2"},
    ],
)
def test_a_drag_from_its_arrows_to_its_place(client, services, point):
    job = begin(client, **point).json()["job"]
    states = []
    while "done" not in states:
        answer = on(client, job=job).json()
        states.append(answer["state"])
    assert set(states) <= {"dragging", "done"}
    assert answer["step"] == answer["of"]
    assert answer["from"] == [5.6, 0]
    assert [len(answer[name]) for name in ("points", "away", "lost")] == [2, 2, 2]
    assert answer["psi"] == float(point.get("psi", 1))
    assert answer["label"] == (int(point["label"]) if "label" in point else None)
    there = {
        "id": MODEL,
        "at": answer["at"],
        **{name: value for name, value in point.items() if name in ("psi", "label", "label2", "mix", "u")},
    }
    assert client.get("/gradio_api/gan/image", params=there).status_code == 200
    assert on(client, job=job).json()["error"]["key"] == "latent.search_over", "what is done is not kept"


def test_a_drag_can_be_stopped(client):
    job = begin(client).json()["job"]
    assert on(client, job=job, end=True).json() == {"state": "ended"}
    assert on(client, job=job).status_code == 400


def test_drags_and_searches_wait_in_one_queue(client):
    jobs = [begin(client).json()["job"]]
    jobs.append(client.post("/gradio_api/gan/find", params={"id": MODEL}, content=picture()).json()["job"])
    jobs.append(begin(client).json()["job"])
    assert on(client, job=jobs[2]).json() == {"state": "waiting", "ahead": 1}
    on(client, job=jobs[1], end=True)
    assert on(client, job=jobs[2]).json()["state"] == "dragging"
    for job in jobs:
        on(client, job=job, end=True)


@pytest.mark.parametrize(("pairs", "key"), [
    (None, "latent.bad_pairs"), ("x", "latent.bad_pairs"), ([[0.5, 0.5]], "latent.bad_pairs"),
    ([[0.5, 0.5, 1.5, 0.5]], "latent.bad_pairs"),
    (PAIRS * MAX_PAIRS, "latent.too_many_pairs"), ([[0.5] * 4], "latent.nothing_moves"),
    ([], "latent.nothing_moves"),
])  # fmt: skip
def test_what_can_not_be_dragged_gets_a_sentence(client, pairs, key):
    reply = begin(client, pairs)
    assert reply.status_code == 400
    assert reply.json()["error"]["key"] == key


@pytest.mark.parametrize(
    "body",
    [b"", b"x", b"[]", b"7", b'{"pairs": [[NaN, 0, 0, 0]]}', b'{"pairs": [[1e999, 0, 0, 0]]}', b"[" * 10_000],
)
def test_a_body_that_is_none_gets_a_sentence(client, body):
    reply = client.post("/gradio_api/gan/drag", params={"id": MODEL}, content=body)
    assert reply.status_code == 400
    assert reply.json()["error"]["key"] in ("ui.bad_form", "latent.bad_pairs")


def test_a_point_that_there_is_not_is_refused(client):
    assert begin(client, psi="9").json()["error"]["key"] == "latent.range"
    assert begin(client, at="AAAA").json()["error"]["key"] == "latent.bad_z"
    assert begin(client, u="0.4000:0").json()["error"]["key"] == "latent.unknown_unit"
    assert begin(client, id="shipped:nothing").status_code == 404
    assert (
        begin(
            client, headers={"Origin": "http://elsewhere.example", "Sec-Fetch-Site": "cross-site"}
        ).status_code
        == 403
    )
    assert (
        client.post("/gradio_api/gan/drag", params={"id": MODEL}, content=b"x" * (2**20 + 1)).status_code
        == 413
    )


@pytest.mark.parametrize(
    "value", [{}, {"job": None}, {"job": 3}, {"job": ["x"]}, {"job": "nobody"}, {"job": "x" * 5000}]
)
def test_a_drag_that_there_is_not_gets_a_sentence(client, value):
    reply = on(client, **value)
    assert reply.status_code == 400
    assert reply.json()["error"]["key"] in ("ui.bad_form", "latent.search_over")
