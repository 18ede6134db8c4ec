"""Write small generators to disk, as runs and as shipped checkpoints."""

import json
from pathlib import Path

import torch

from gan.files import write_json
from gan.models import ModelSpec, build_generator, save_generator

# Settings of a run that trains for a moment.
SMALL = {"kimg": 0.08, "width": 8, "batch": 8, "z_dim": 16, "clusters": 1}
RUN = "20250102-030405-digits-modern"


def tiny_spec(num_classes: int = 0, channels: int = 1, z_dim: int = 6, clusters: int = 1) -> ModelSpec:
    """Return the spec of a model that draws an image in about a millisecond."""
    return ModelSpec("modern", 28, channels, z_dim, 8, num_classes, clusters=clusters)


def write_weights(path: Path, spec: ModelSpec, seed: int = 0) -> None:
    """Write random weights in the file format of a generator."""
    torch.manual_seed(seed)
    save_generator(path, build_generator(spec), spec)


def write_lively(path: Path, spec: ModelSpec, seed: int = 0) -> None:
    """Write random weights that resemble those of a trained generator.

    Its batch norm layers have statistics and affine parameters of their own. One cluster has no share in any
    class.
    """
    torch.manual_seed(seed)
    generator = build_generator(spec)
    for module in generator.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 1.0
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.uniform_(module.bias, -0.5, 0.5)
    if spec.clusters > 1:
        shares = torch.rand(max(1, spec.num_classes), spec.clusters)
        shares[:, 1] = 0
        generator.conditioning.set_shares(shares / shares.sum(1, keepdim=True))
    with torch.no_grad():
        generator(
            torch.randn(64, spec.z_dim), torch.arange(64) % spec.num_classes if spec.num_classes else None
        )
    save_generator(path, generator, spec)


def write_checkpoint(root: Path, name: str, spec: ModelSpec, **card) -> Path:
    """Write a checkpoint directory with a card."""
    write_weights(root / name / "generator.safetensors", spec)
    write_json(root / name / "card.json", card)
    return root / name


def write_run(root: Path, name: str, spec: ModelSpec, seed: int = 0, **status) -> Path:
    """Write a run directory with config, status and live weights."""
    folder = root / name
    write_weights(folder / "live.safetensors", spec, seed)
    write_json(folder / "config.json", {"data": "digits", "recipe": "modern"})
    write_json(
        folder / "status.json",
        {"state": "finished", "images": 1000, "sample_step": 40, "classes": [], **status},
    )
    return folder


def write_lively_run(root: Path, name: str, spec: ModelSpec, **status) -> Path:
    """Write a run directory with the weights of `write_lively`."""
    folder = write_run(root, name, spec, **status)
    write_lively(folder / "live.safetensors", spec)
    return folder


def write_snapshot(run: Path, step: int, spec: ModelSpec) -> Path:
    """Write a snapshot of a run. Each step gets other weights."""
    path = run / "snapshots" / f"{step:08d}.safetensors"
    write_weights(path, spec, seed=step)
    return path


def header_of_another_version(path: Path) -> None:
    """Change the format in a weights file's header, and nothing else."""
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    header["__metadata__"]["format"] = "ganarium-0"
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data[8 + length :])
