"""Write small checkpoints, and runs as one file."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from safetensors.torch import save

from gan.config import RunConfig
from gan.export.event_file import FILE, FOLDER
from gan.files import write_bytes
from gan.mirror.parcel import pack
from gan.models import FORMAT, build_discriminator, build_generator
from gan.recipes import make_config
from gan.runs.store import Store
from gan.train.checkpoint import PREVIOUS, digest
from gan.train.trainer import model_spec
from tests.support.inputs.generators import tiny_spec, write_lively

RECORD = (2).to_bytes(8, "little") + b"sum." + b"\x10\x08" + b"sum."  # an event of step 8, for TensorBoard


def checkpoint(step: int = 3, tensors: dict[str, torch.Tensor] | None = None, **changes: object) -> bytes:
    """Return a checkpoint with these tensors, or a single one. Its digest fits.

    changes: of its metadata.
    """
    tensors = tensors or {"g.weight": torch.arange(4.0)}
    counters = {"elapsed": 0.5, "rate": 1.0, "next_snapshot": 2000, "rollbacks": 0}
    meta = {"step": step, "total_images": 24, "lr_factor": 1.0, "parts": 1, "counters": counters}
    text = json.dumps({**meta, **changes})
    return save(tensors, {"trainer": text, "sha256": digest(tensors, text)})


def write_state(run: Path, step: int = 3) -> None:
    """Write a checkpoint as the previous one of a run."""
    write_bytes(run / "state" / PREVIOUS, checkpoint(step))


def write_networks(run: Path, config: RunConfig, classes: int, step: int = 3) -> None:
    """Write a checkpoint with networks that have learnt nothing as the previous one of a run."""
    spec = model_spec(config, classes)
    networks = {"ema": build_generator(spec), "D": build_discriminator(spec)}
    tensors = {
        f"{part}.{name}": tensor.clone()
        for part, network in networks.items()
        for name, tensor in network.state_dict().items()
    }
    write_bytes(run / "state" / PREVIOUS, checkpoint(step, tensors, format=FORMAT))


def write_parcel(target: Path) -> None:
    """Write a small paused run as one file."""
    with TemporaryDirectory() as folder:
        store = Store(Path(folder) / "runs")
        run = store.path(store.create(make_config("digits", "modern")))
        store.update_status(run.name, state="paused", step=3, images=24)
        write_state(run)
        write_lively(run / "live.safetensors", tiny_spec(3))
        write_bytes(run / "samples" / "00000003.webp", b"RIFF\x00\x00\x00\x00WEBP")
        write_bytes(run / "stats.jsonl", b'{"step":3,"images":24,"seconds":0.5,"loss_d":0.1}\n')
        write_bytes(run / "events.jsonl", b'{"time":1.5,"key":"went_on","values":{"step":3}}\n')
        (run / FOLDER).mkdir()
        write_bytes(run / FOLDER / FILE, RECORD)
        target.parent.mkdir(parents=True, exist_ok=True)
        pack(run, target)
