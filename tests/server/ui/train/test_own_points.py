"""Test uploaded files of points: the server's description of them, and the runs that train on them."""

from pathlib import Path

import numpy as np
import pytest
from starlette.responses import Response

from gan.kinds.points.reading import read_points
from gan.ui.server.requests.concurrency import GONE, LIMITS
from gan.ui.server.requests.uploads import MARK
from gan.ui.train import fields, form

GOOD = "x,y\n" + "\n".join(f"{k / 7},{k % 5}" for k in range(300))


@pytest.fixture
def upload(tmp_path, monkeypatch):
    """Write a file into Gradio's upload folder. Returns its path."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "gradio"))

    def put(content: str, name: str = "my points.csv") -> str:
        path = tmp_path / "gradio" / f"{len(content):064x}" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        return str(path)

    return put


@pytest.fixture
def press(client):
    """Press Train on files."""

    def submit(files: list[str], recipe: str = "modern", **changes: object):
        values = dict(zip(fields.keys(), form.defaults(fields.USER_POINTS, recipe), strict=True))
        asked = {"data": fields.USER_POINTS, "recipe": recipe, "minutes": 1, "files": files}
        return client.post(
            "/gradio_api/gan/runs", json={**asked, "values": list({**values, **changes}.values())}
        )

    return submit


def test_a_file_is_counted_and_kept_for_the_press_on_train(client, upload, services):
    reply = client.post("/gradio_api/gan/points", json={"files": [upload(GOOD)]})
    assert reply.json() == {"count": 300}
    kept = [path for path in services.uploads.rglob("*") if path.is_file()]
    assert sorted(path.name for path in kept) == [MARK, "my-points.csv"]


def test_a_run_learns_the_stored_file_and_keeps_it_until_it_is_deleted(press, upload, services, store):
    run_id = press([upload(GOOD)]).json()["run"]
    config = store.config(run_id)
    assert (config.kind, config.recipe, config.batch) == ("points", "modern", 256)
    kept = Path(config.data)
    assert kept.parents[1] == services.uploads
    assert np.array_equal(read_points(kept)[1], [1 / 7, 1])
    services.remove_uploads()
    assert kept.exists(), "a run refers to it"


@pytest.mark.parametrize(
    ("content", "name", "key"),
    [
        ("x,y\n1,2\n1,here\n", "a.csv", "points.number"),
        ("1 2\n2 3\n", "a.txt", "points.too_few"),
        (GOOD, "a.xlsx", "points.kind"),
        (GOOD, "a.npy", "points.array"),
    ],
)
def test_an_unusable_file_is_refused_by_its_own_name(client, press, upload, services, content, name, key):
    files = [upload(content, name)]
    for reply in (client.post("/gradio_api/gan/points", json={"files": files}), press(files)):
        error = reply.json()["error"]
        assert (error["key"], error["values"]["name"]) == (key, name)
    assert not services.uploads.exists() or not any(services.uploads.iterdir())


def test_train_needs_one_file_and_fitting_settings(press, upload):
    assert press([]).json()["error"]["key"] == "ui.no_points"
    assert press([upload(GOOD), upload(GOOD + "\n1,2")]).json()["error"]["key"] == "ui.no_points"
    assert press([upload(GOOD)], **{"points-batch": 512}).json()["error"]["key"] == "points.batch"
    assert press(["/etc/passwd"]).json()["error"]["key"] == "ui.bad_form"
    assert press([upload(GOOD)], recipe="dcgan").json()["error"]["key"] == "config.unknown_recipe"


def test_a_visitor_who_left_while_it_waited_gets_no_run(press, upload, store, monkeypatch):
    async def gone(*_):
        return Response(status_code=GONE)

    monkeypatch.setattr(LIMITS["points"], "run", gone)
    assert press([upload(GOOD)]).status_code == GONE
    assert store.list() == []
