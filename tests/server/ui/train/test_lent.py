"""Test the form of a server that lends GPUs, which it does not see itself."""

import json

from starlette.applications import Starlette
from starlette.testclient import TestClient

from gan.ui.train import form
from gan.ui.train.routes import train_routes

OURS = "/gradio_api/gan"


class Lender:
    """Stands for gan.ui.zero.Zero, whose package can't be imported beside other tests."""

    def routes(self, services, changed):
        return []

    def state(self, at_work):
        return {"least": 15, "usual": 30, "most": 60, "runs": []}


def test_a_server_that_lends_gpus_starts_and_estimates_what_it_offers(services, store, monkeypatch):
    for place in ("routes", "form"):
        monkeypatch.setattr(f"gan.ui.train.{place}.has_gpu", lambda: False)
    services.zero = Lender()
    client = TestClient(Starlette(routes=train_routes(services)), raise_server_exceptions=False)
    offered = client.get(f"{OURS}/catalogue").json()["recipes"]
    assert not [one["name"] for one in offered if one["needs_gpu"]]
    asked = {"data": "emoji", "recipe": "projected", "minutes": 1}
    asked["values"] = form.defaults("emoji", "projected")
    assert client.get(f"{OURS}/cost", params={"form": json.dumps(asked)}).status_code == 200
    run = client.post(f"{OURS}/runs", json=asked).json()["run"]
    assert store.config(run).recipe == "projected"
    on_cpu = client.post(f"{OURS}/runs/{run}/cpu").json()["error"]
    assert on_cpu["key"] == "ui.needs_gpu", "there it would generate one flat colour"
