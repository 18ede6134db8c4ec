"""List valid requests for every route of ours, with every query value that the route reads.

The attacker changes one value at a time, and the fuzzer damages the requests. So odd values reach the real
work behind a route. A test compares this list with the existing routes and with the values that each of them
reads.
"""

import base64
import io
import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from gradio.utils import get_upload_folder
from PIL import Image

from gan.files import write_bytes, write_json
from gan.latent.catalogue import Catalogue
from gan.latent.point import UNITS
from gan.recipes import make_config
from gan.runs.readers import mark
from gan.runs.store import Store
from gan.ui.server.requests.http import PREFIX
from gan.ui.server.services import CHECKPOINTS
from gan.ui.train import form
from tests.support.inputs.generators import tiny_spec, write_lively, write_snapshot
from tests.support.inputs.parcels import write_networks, write_parcel

SECRET = "do-not-tell-4711"
SPEC = tiny_spec(3)
PULLED_SET = "hub:ganarium-tests/pets/cats"  # a set that only a fake Hub has
PULLED = "hub:ganarium-tests/digits"  # a model that only a fake Hub has
STEPS = (1, 3)  # snapshots of the planted run
SLIDERS = {"list": ["s1", "p0"], "names": {"s1": "Slim"}, "hidden": ["p2"]}
STATS = tuple(
    {
        "step": step, "images": 8 * step, "seconds": 0.5, "loss_d": 0.1, "loss_g": 2.0, "real": 0.5,
        "fake": -0.5, "pair": 0.1,
    }
    for step in STEPS
)  # fmt: skip
PUSH = {"id": "shipped:digits", "to": "ada/digits", "private": True, "with_d": False, "licence": None}
PUSHED = "a-push-that-is-over"  # the name of a push that a test has put among the server's


class Subject(NamedTuple):
    """The run and the model that requests name.

    The model has at least three classes, and may be that run's.
    """

    run: str
    model: str
    version: str = ""
    z_dim: int = SPEC.z_dim


class Visit(NamedTuple):
    """One valid request.

    path: the route with its gaps filled, under PREFIX like the route itself.
    body: the body of a POST, None for a GET.
    """

    route: str
    query: Mapping[str, str] = MappingProxyType({})
    path: str = ""
    body: bytes | None = None

    @property
    def address(self) -> str:
        """The request's path, without the query."""
        return f"{PREFIX}/{self.path or self.route}"


def plant(root: Path, checkpoints: Path = CHECKPOINTS) -> tuple[Subject, str]:
    """Write a finished run that draws, with SECRET in files that the server must not serve.

    Returns the run's Subject, and the path of an upload.
    """
    store = Store(root)
    upload = root / ".uploads" / "0123456789abcdef" / "cats.zip"
    write_bytes(upload, SECRET.encode())
    config = make_config(str(upload), "modern", width=8)
    run = store.create(config)
    error = {"key": "data.too_few", "values": {"path": str(upload)}, "text": f"“{upload}” holds 1"}
    store.update_status(
        run,
        state="finished",
        step=STEPS[-1],
        images=24,
        classes=["cat", "dog", "owl"],
        sample_step=STEPS[-1],
        error=error,
    )
    write_bytes(store.path(run) / "samples" / "00000003.webp", b"a grid")
    write_bytes(store.path(run) / "reals.webp", b"real images")
    write_bytes(store.path(run) / "worker.log", f"can't read {upload}\n".encode())
    write_bytes(store.path(run) / "stats.jsonl", b"".join(_json(line) + b"\n" for line in STATS))
    write_bytes(store.path(run) / "state" / "checkpoint.safetensors", SECRET.encode())
    write_networks(store.path(run), config, 3, STEPS[-1])  # sound: it can be moved, and D can be asked
    write_json(store.path(run) / "commands" / "1-pause.json", {"secret": SECRET})
    write_lively(store.path(run) / "live.safetensors", SPEC)
    for step in STEPS:
        write_snapshot(store.path(run), step, SPEC)
    return Subject(run, f"run:{run}", Catalogue(root, checkpoints).entry(f"run:{run}").version), str(upload)


def asked(subject: Subject) -> list[Visit]:
    """Return the requests that change nothing and need no token."""
    model, run = {"id": subject.model}, f"runs/{subject.run}"
    drawn = {**model, "v": subject.version}
    here, there = (_at(subject.z_dim, start) for start in (-1.0, 0.5))
    point = {
        "seed": "1", "psi": "0.7", "label": "1", "label2": "2", "mix": "0.3", "d": "1,-0.5",
        "x": "s0:1,p1:-1", "z": "0:0.5", "to": "5", "t": "0.4", "at": here,
        "u": "0.1:2,1.0:0",
    }  # fmt: skip
    wall = {name: point[name] for name in ("seed", "psi", "label", "label2", "mix", "u")}
    film = {"keys": f"{here},1,2,0.3;{there},0,,", "steps": "2", "fps": "12", "as": "gif", "side": "128"}
    poll = {
        "run": subject.run,
        "had": subject.run,
        "since": "1",
        "last": mark(STATS[0]),
        "list": "0" * 16,
        "version": "0" * 16,
    }
    return [
        Visit("poll", poll),
        Visit("cost", {"form": _json({**run_form(), "own": 9}).decode(), "run": ""}),
        Visit("cost", {"form": "", "run": subject.run}),
        Visit("catalogue"),
        Visit("jobs"),
        Visit("push", {**model, "to": "ada/cats", "d": "1", "licence": "mit"}),
        Visit("push/now", model),
        Visit("access"),
        Visit("models"),
        Visit("model", model),
        Visit("latent", {**model, **point}),
        Visit("image", {**drawn, **point}),
        Visit("wall", {**drawn, **wall}),
        Visit("strip", {**drawn, **point, "n": "3"}),
        Visit("neighbours", {**drawn, **point, "i": "p0", "j": "p2", "step": "0.5"}),
        Visit("along", {**drawn, **point, "k": "s1"}),
        Visit("inside", {**drawn, **point, "layer": "1", "page": "0"}),
        Visit("map", {**drawn, "by": "pca", "known": "0"}),
        Visit("generator", drawn),
        Visit("directions", drawn),
        Visit("factors", drawn),
        Visit("times", model),
        Visit("time", {**drawn, **point, "steps": ",".join(map(str, STEPS)), "i": "p1"}),
        Visit("loop", {**model, **film}),
        Visit("take/{form}", {**model, "sliders": _json(SLIDERS).decode()}, "take/html"),
        Visit("take/{form}", model, "take/onnx"),
        Visit("checkpoints/{name}/preview.webp", {"v": "1"}, "checkpoints/digits/preview.webp"),
        Visit("thumbnails/{name}.webp", path="thumbnails/digits.webp"),
        Visit("strings/{lang}.json", path="strings/zh.json"),
        Visit("runs/{id}/samples/{step:int}.webp", path=f"{run}/samples/3.webp"),
        Visit("runs/{id}/log", path=f"{run}/log"),
        Visit("played", body=_json({"run": subject.run, "right": 7, "d": 9})),
        Visit("runs/{id}/saliency/{tile:int}", path=f"{run}/saliency/3"),
        Visit("runs/{id}/report", {"lang": "zh"}, f"{run}/report"),
        Visit("runs/{id}/statistics.{form}", path=f"{run}/statistics.csv"),
        Visit("runs/{id}/statistics.{form}", path=f"{run}/statistics.jsonl"),
        Visit("find", model, body=picture()),
        Visit("find/on", body=_json({"job": "x", "end": True})),
        Visit("attributes", drawn),
        Visit(
            "drag", {**model, **point}, body=_json({"pairs": [[0.4, 0.5, 0.6, 0.5], [0.2, 0.2, 0.2, 0.2]]})
        ),
        Visit("drag/on", body=_json({"job": "x", "end": True})),
        Visit("runs/older", {"count": "60"}),
        Visit("runs/{id}/curves", {"version": "0" * 16}, f"{run}/curves"),
    ]


def told(subject: Subject, token: str, waiting: str) -> list[Visit]:
    """Return the requests that change something, in an order in which all succeed.

    waiting: a run that waits for a lease of a GPU.
    """
    run = f"runs/{subject.run}"
    return [
        Visit("access", body=_json({"token": token})),
        Visit("pictures", body=_json({"files": uploaded()})),
        Visit("pictures/pull", body=_json({"id": PULLED_SET, "cap": 8})),
        Visit("points", body=_json({"files": [points_file()]})),
        Visit("runs", body=_json(run_form())),
        Visit("runs/{id}/file", path=f"{run}/file"),
        Visit("runs/{id}/nearest", path=f"{run}/nearest"),
        Visit("runs/{id}/pairs", path=f"{run}/pairs"),
        Visit("runs/{id}/reals.webp", path=f"{run}/reals.webp"),
        Visit("runs/arrive", body=_json({"files": [parcel()]})),
        Visit("directions/save", {"id": subject.model}, body=_json(SLIDERS)),
        Visit("pull", body=_json({"id": PULLED})),
        Visit("push/begin", body=_json(PUSH)),
        Visit("push/on", body=_json({"job": PUSHED})),
        Visit("runs/{id}/rename", {"name": "My cats"}, f"{run}/rename", b""),
        Visit("runs/{id}/lease", {"seconds": "30"}, f"runs/{waiting}/lease", b""),
        Visit("runs/{id}/{command}", {}, f"{run}/delete", b""),
        Visit("access/leave", body=b""),
    ]


def run_form() -> dict[str, Any]:
    """Return the form of a run."""
    return {
        "data": "digits",
        "recipe": "modern",
        "minutes": 1,
        "files": [],
        "values": form.defaults("digits", "modern"),
    }


def uploaded() -> list[str]:
    """Write two images into Gradio's upload folder, and return their names as a page sends them."""
    paths = [Path(get_upload_folder()) / f"{number:064x}" / "cat.png" for number in range(2)]
    for path in paths:
        write_bytes(path, picture())
    return list(map(str, paths))


def points_file() -> str:
    """Write a file of points into Gradio's upload folder, and return its name as a page sends it."""
    path = Path(get_upload_folder()) / f"{2:064x}" / "points.csv"
    write_bytes(path, b"".join(b"%d,%d\n" % (place, place % 7) for place in range(40)))
    return str(path)


def parcel() -> str:
    """Write a run as one file to Gradio's upload folder, and return its name as a page sends it."""
    path = Path(get_upload_folder()) / f"{3:064x}" / "run.zip"
    write_parcel(path)
    return str(path)


def picture() -> bytes:
    """Return a small PNG."""
    out = io.BytesIO()
    Image.fromarray(np.arange(28 * 28, dtype=np.uint16).reshape(28, 28).astype(np.uint8)).save(out, "PNG")
    return out.getvalue()


def _at(z_dim: int, first: float) -> str:
    """Return a z that is spelled out in the page's encoding."""
    z = (np.linspace(first, 1.0, z_dim) * UNITS).astype("<i2")
    return base64.urlsafe_b64encode(z.tobytes()).decode().rstrip("=")


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()
