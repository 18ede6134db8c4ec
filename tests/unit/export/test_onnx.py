"""Test that a generator draws the same in ONNX and PyTorch, for every architecture and option in Explore."""

import time

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from gan.export.onnx import generator_onnx
from gan.latent.sampling import latents
from gan.models import ARCHITECTURES, ModelSpec, load_generator
from tests.support.inputs.generators import write_lively
from tests.support.page.browsing import ROOT

# Both use float32 on the same half-precision weights, and differ only in the order of their sums. A step of
# an 8-bit pixel is 2/255 = .008.
CLOSE = 1e-4
SHIPPED = sorted(path.parent.name for path in ROOT.glob("checkpoints/*/generator.safetensors"))
SIZES = [("modern", 28, 1, 1), ("modern", 32, 3, 1), ("modern", 64, 3, 4), ("modern", 128, 3, 1),
    ("dcgan", 64, 1, 1), ("dcgan", 64, 3, 1), ("dcgan", 32, 1, 1),
         ("projected", 64, 3, 1), ("projected", 28, 1, 1)]  # fmt: skip


def trained(spec: ModelSpec, path, seed: int = 0) -> torch.nn.Module:
    """Return a generator as a file gives it."""
    write_lively(path, spec, seed)
    return load_generator(path)[0]


def differ(generator: torch.nn.Module, spec: ModelSpec, data: bytes, count: int) -> float:
    """Return the largest difference between the two, for the first `count` seeds."""
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    z, labels, others = (
        latents(range(count), spec.z_dim),
        *(np.arange(start, start + count, dtype=np.int32) % max(1, spec.num_classes) for start in (0, 2)),
    )
    shares = np.linspace(0, 1, count, dtype=np.float32)
    inputs = {"labels": labels, "others": others, "shares": shares} if spec.num_classes else {}
    drawn = session.run(["images"], {"z": z, **inputs})[0]
    blend = (torch.from_numpy(others).long(), torch.from_numpy(shares)) if spec.num_classes else None
    wanted = generator(
        torch.from_numpy(z), torch.from_numpy(labels).long() if spec.num_classes else None, blend
    ).numpy()
    assert drawn.shape == wanted.shape == (count, spec.channels, spec.size, spec.size)
    assert drawn.dtype == np.float32
    assert wanted.std() > 0.05, "a grey picture would prove nothing"
    return float(np.abs(drawn - wanted).max())


def test_every_architecture_is_tried():
    assert {size[0] for size in SIZES} == set(ARCHITECTURES)


@pytest.mark.parametrize(("classes", "clusters"), [(0, 1), (5, 1), (0, 3), (5, 3)])
@pytest.mark.parametrize(("architecture", "size", "channels", "pixel"), SIZES)
def test_draws_what_torch_draws(tmp_path, architecture, size, channels, pixel, classes, clusters):
    spec = ModelSpec(architecture, size, channels, 10, 8, classes, pixel, clusters)
    generator = trained(spec, tmp_path / "g.safetensors")
    data = generator_onnx(generator, spec)
    onnx.checker.check_model(data, full_check=True)
    for count in (1, 2, 7):
        assert differ(generator, spec, data, count) < CLOSE


@pytest.mark.parametrize("name", SHIPPED)
def test_the_models_that_ship_are_small_and_quickly_made(name):
    path = ROOT / "checkpoints" / name / "generator.safetensors"
    generator, spec = load_generator(path)
    start = time.perf_counter()
    data = generator_onnx(generator.to(memory_format=torch.channels_last), spec)
    assert time.perf_counter() - start < 1
    assert len(data) < path.stat().st_size + 50_000
    assert differ(generator, spec, data, 16) < CLOSE


def test_the_same_weights_give_the_same_bytes(tmp_path):
    spec = ModelSpec("modern", 28, 1, 10, 8, 3, clusters=2)
    first, again, other = (
        generator_onnx(trained(spec, tmp_path / "g.safetensors", seed), spec) for seed in (0, 0, 1)
    )
    assert first == again
    assert first != other
