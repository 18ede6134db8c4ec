"""Targets of tests.reliability.fuzz on a Space: its settings, leases of GPUs, its key, calls of the API."""

import contextlib
import json
import os
import shutil
from pathlib import Path
from typing import Any
from unittest import mock

import gradio as gr
import torch
from hypothesis import strategies as st
from safetensors.torch import save
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.testclient import TestClient

from gan.data.dataset import Dataset
from gan.errors import UserError
from gan.mirror.jobs.setup import IMAGE, find_image
from gan.mirror.mirror import TOKEN, VARIABLE, find_remote
from gan.recipes import make_config
from gan.runs.store import STATES
from gan.ui.api import functions
from gan.ui.api.gate import CONTROL, PUBLIC, Gate
from gan.ui.page import build_page, launch_options
from gan.ui.server.people.visitors import KEY_BYTES, KEY_FILE, Visitors, find_key
from gan.ui.server.requests.http import PREFIX
from gan.ui.server.services import Services
from gan.worker import decoded
from tests.reliability.attacker.valid_requests import SECRET
from tests.reliability.damaged import cases
from tests.reliability.damaged.damage import NUMBERS, VALUES, Target, as_json, damaged, like
from tests.reliability.damaged.fuzz_routes import served
from tests.support.inputs.parcels import write_state


def variables(folder: Path) -> Target:
    """GANARIUM_MIRROR and GANARIUM_JOB_IMAGE: name a place and an image, or raise UserError.

    What they name is passed on to the Hub, so it holds no spaces, no queries and no way out.
    """
    text = st.text(max_size=30) | damaged(
        [b"bucket:alice/runs", b"dataset:alice/runs", b"hf.co/spaces/alice/gan", b"python:3.12"]
    ).map(lambda content: content.decode("latin-1"))

    def act(said: str) -> None:
        said = said.replace("\0", "")  # which no variable can hold
        given = {VARIABLE: said, TOKEN: "hf_x", IMAGE: said, "SPACE_ID": ""}
        with mock.patch.dict(os.environ, given), contextlib.suppress(UserError):
            image = find_image()
            assert image is None or (image == said.strip() and not set(image) & set(" \n\t?#%&\\'\""))
        with mock.patch.dict(os.environ, given):
            remote = find_remote()
            assert TOKEN not in os.environ or not said.strip(), "workers would inherit the token"
        if remote is not None:
            assert remote.place == said.strip()
            assert len(remote.name.split("/")) == 2
            assert all(part.isascii() and part.strip(".") for part in remote.name.split("/"))

    return text, act


def key(folder: Path) -> Target:
    """The file .visitors-key: whatever it holds, the key is one that nobody can guess, and stays the same."""
    path = folder / KEY_FILE

    def act(content: bytes) -> None:
        path.write_bytes(content)
        with mock.patch.dict(os.environ, {"OAUTH_CLIENT_SECRET": ""}):
            found = find_key(folder)
            assert len(found) >= KEY_BYTES
            assert find_key(folder) == found
        asked = {"type": "http", "scheme": "https", "path": "/", "headers": [(b"host", b"x")]}
        assert Visitors(found).mark(Request(asked)) is None

    return st.binary(max_size=80), act


def decoded_images(folder: Path) -> Target:
    """The decoded images of a run's own data: those of its settings, or none."""
    config = make_config(str(folder / "cats.zip"), "modern", size=28, channels=1)
    images = torch.arange(6 * 784).to(torch.uint8).reshape(6, 1, 28, 28)
    sound = Dataset(
        config.data, images, torch.arange(6) % 2, ("a", "b"), {"age": torch.arange(6)},
        {"age": tuple("abcdef")}, files=tuple(bytes([k]) * 32 for k in range(6)),
    )  # fmt: skip
    decoded.keep(folder, config, sound)
    path = folder / decoded.FILE
    whole = path.read_bytes()
    assert decoded.kept(folder, config)
    known = {
        "settings": [getattr(config, name) for name in ("data", "size", "channels", "background")],
        "name": config.data, "classes": ["a", "b"], "values": {"age": list("abcdef")},
        "files": ["00" * 32] * 6,
    }  # fmt: skip
    shapes = st.lists(st.integers(0, 9), max_size=5)
    kinds = st.sampled_from((torch.uint8, torch.int64, torch.float32))

    def written(said: bytes, shape: list[int], kind: torch.dtype) -> bytes:
        tensors = {"images": torch.zeros(shape, dtype=kind), "labels": torch.arange(6) % 2}
        return save(tensors, {"known": said.decode()})

    odd = st.builds(
        written, like(known).map(as_json) | VALUES.map(as_json), st.just([6, 1, 28, 28]) | shapes, kinds
    )

    def act(content: bytes) -> None:
        path.write_bytes(content)
        found = decoded.kept(folder, config)
        if found is not None:
            assert found.images.shape[1:] == (config.channels, config.size, config.size)
            assert len(found.images) >= 1
            assert found.name == config.data
            assert all(isinstance(name, str) for name in found.classes)

    return damaged([whole]) | st.binary(max_size=60) | odd, act


def leases(folder: Path) -> Target:
    """A lease of a GPU that ends in any way: the answer is what the run did, or a sentence with an offer.

    The run is then paused with the same sentence, unless it has another state. Needs the package spaces.
    """
    from gan.ui.zero import LEAST, MOST, Zero

    services = Services(checkpoints=folder / "checkpoints")
    services.zero = Zero()
    services.open(folder / "runs")
    app = Starlette(**launch_options(services)["app_kwargs"])
    app.get_blocks = lambda: None
    browser = TestClient(app, raise_server_exceptions=False, base_url="http://localhost")
    titles = [
        "ZeroGPU quota exceeded", "ZeroGPU queue timeout", "ZeroGPU illegal duration", "ZeroGPU worker error",
        "ZeroGPU pending credits exceeded", "ZeroGPU client error",
    ]  # fmt: skip
    words = [
        b"(45s requested vs. 32s left). Try again in 1 day, 2:00:00. ", b"(-1s requested vs. -5s left).",
        b"No GPU was available after 60s. Retry", b"You have exceeded your ZeroGPU runs limit. ", b"(90s)",
        b"(0s requested vs. 99999999999999999999s left). Try again in . ",
    ]  # fmt: skip
    message = st.text(max_size=40) | damaged(words).map(lambda content: content.decode("latin-1"))
    refused = st.builds(
        lambda said, title: _lease_error(said, title), message, st.sampled_from(titles) | st.text(max_size=12)
    )
    broken = st.builds(RuntimeError, message) | st.builds(OSError, st.integers(1, 40), message)
    fine = st.just({"state": "paused", "reason": "lease", "step": 3, "prepare": 1.5, "end": 90.0})
    seconds = st.none() | st.text(max_size=6) | st.integers(-5, 100).map(str) | NUMBERS.map(str)

    def act(case: tuple[Any, str | None, str]) -> None:
        outcome, asked, state = case

        def lend(*_: Any) -> Any:
            if isinstance(outcome, Exception):
                raise outcome
            return outcome

        services.zero._lend = lend
        run = services.store.create(make_config("digits"))
        write_state(services.store.path(run))
        services.store.update_status(run, state=state)
        try:
            query = {} if asked is None else {"seconds": asked}
            reply = browser.post(f"{PREFIX}/runs/{run}/lease", params=query)
            assert reply.status_code in (200, 400, 429), (reply.status_code, reply.content[:300])
            assert not services.supervisor.leases()
            if reply.status_code == 200:
                assert LEAST <= reply.json()["seconds"] <= MOST
                return
            error, shown = reply.json()["error"], services.store.status(run)
            offer = error["values"].get("offer")
            assert offer is None or LEAST <= int(offer) <= MOST
            own = error["key"] not in ("lease.seconds", "lease.cant")
            assert not own or (shown["state"], shown["error"]["key"]) == ("paused", error["key"])
        finally:
            shutil.rmtree(services.store.path(run))

    return st.tuples(fine | refused | broken, seconds, st.just("paused") | st.sampled_from(STATES)), act


def _lease_error(message: str, title: str) -> gr.Error:
    error = gr.Error(message)
    error.title = title
    return error


def calls(folder: Path) -> Target:
    """A call of the API: the gate refuses it, or passes on a call that its function answers or refuses.

    The functions that change runs are not called.
    """
    subject, services = served(folder)
    page = build_page(services)
    passed: list[dict[str, Any]] = []

    async def gradio(request: Request) -> Response:
        body = await request.body()
        assert request.headers["content-length"] == str(len(body))
        passed.append(json.loads(body))
        return Response("{}")

    app = Starlette(
        routes=[Route("/{path:path}", gradio, methods=["POST"])],
        middleware=[Middleware(Gate, services=services)],
    )
    app.get_blocks = lambda: page
    browser = TestClient(app, base_url="http://localhost")
    numbers = {fn._id: fn.api_name for fn in page.fns.values()}

    def act(call: tuple[str, bytes]) -> None:
        path, content = call
        passed.clear()
        reply = browser.post(f"/gradio_api/{path}", content=content)
        assert reply.status_code in (200, 400, 404, 429)
        for value in passed:
            number = value.get("fn_index")  # of any type
            name = numbers.get(number if type(number) is int else None, path.rpartition("/")[2])
            arguments = value["data"] if "data" in value else list(value.values())
            if path in ("cancel", "mcp", "mcp/") or name not in PUBLIC:
                continue
            with contextlib.suppress(UserError):
                answer = json.dumps(getattr(functions, name)(services, *arguments), allow_nan=False)
                assert not any(secret in answer for secret in (str(folder), SECRET))

    return _calls(subject.run), act


def _calls(run: str) -> st.SearchStrategy[tuple[str, bytes]]:
    """Generate paths of the API with bodies of calls, some of which are valid."""
    names = (*PUBLIC, *CONTROL)
    paths = st.sampled_from(
        [*cases.API_POST, *(f"{way}/{name}" for name in names for way in ("run", "call"))]
    )
    known = st.sampled_from(("shipped:digits", run, "address", "png", "", 0, 1, 2, "cat", 0.7))
    body = {"data": [], "fn_index": 0, "session_hash": "x", "event_id": cases.EVENT, "method": "ping"}
    called = st.builds(
        lambda values, more: as_json({**more, "data": values}),
        st.lists(known | VALUES, max_size=8),
        st.just({}) | like(body),
    )
    direct = st.tuples(paths, called | like(body).map(as_json) | damaged([as_json(body)]))
    arguments = st.sampled_from(("model", "seed", "count", "psi", "label", "format", "frames", "run"))
    named = st.dictionaries(arguments, known | VALUES).map(as_json)
    return direct | st.tuples(st.sampled_from([f"call/v2/{name}" for name in PUBLIC]), named)
