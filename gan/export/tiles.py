"""Look closer at a run's samples: what D reacts to, which training images are nearest, and pairs for a game.

All need D's weights or the images of the run, so they go by its newest checkpoint. The samples are those of
the averaged generator at that step, on a sheet those of the run's fixed latents. The server calls this module
as a process of its own, which prints JSON.
"""

import argparse
import base64
import os
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import nn

from gan import console, data
from gan.config import RunConfig
from gan.data.names import find_pictures
from gan.device import cpu_quota
from gan.errors import UserError, refuse_if_full
from gan.export.checkpoint import read_images_config
from gan.files import read_object
from gan.images import encode_webp, grid, to_uint8
from gan.kinds.images import identity
from gan.kinds.images.signals import as_in_a_step
from gan.metrics.distances import nearest
from gan.metrics.extractors import Extractor, choose_extractor
from gan.metrics.memory import nearest_training
from gan.models import ARCHITECTURES, ImageGenerator, build_discriminator, build_generator
from gan.runs.processes import end_with, tell
from gan.spec import FORMAT
from gan.train.base import part_of
from gan.train.checkpoint import NEWEST, PREVIOUS, read_state
from gan.train.inputs.held_out import Split, split
from gan.train.trainer import fixed_latents, model_spec

COUNT, COLUMNS = 64, 8  # samples on a sheet
COPIES, NOISE = 16, 0.1  # of a sample, and their standard deviation; pixels lie in [-1, 1]
SHOWN = 3  # training images of each sample
AMONG = 10_000  # training images, at most, in which the nearest are looked for
LEAST_HELD_OUT = 5  # for a comparison with them
ROUNDS, GAMES = 10, 4  # pairs of a game; games with different pairs
LEVELS, STRONGEST = 100, 0.99  # of the numbers of a map; the share of pixels below the last level


class Networks(NamedTuple):
    """A run at its newest checkpoint: the averaged generator, D, and the group of each image (N,) or None."""

    G: ImageGenerator
    D: nn.Module
    groups: torch.Tensor | None
    classes: int
    step: int
    images: int


class Tiles(NamedTuple):
    """A run at its newest checkpoint: D, the samples on its sheet (64, C, H, W) in [-1, 1], their groups."""

    D: nn.Module
    samples: torch.Tensor
    groups: torch.Tensor | None
    step: int
    images: int


def open_networks(run_dir: Path, config: RunConfig) -> Networks:
    """Read the networks of a run's newest checkpoint. Raises UserError without a sound one."""
    classes = len(read_object(run_dir / "status.json").get("classes") or []) if config.conditional else 0
    tensors, meta = _read(run_dir)
    spec = model_spec(config, classes)
    try:
        G, D = build_generator(spec), build_discriminator(spec)
        G.load_state_dict(part_of(tensors, "ema"))
        D.load_state_dict(part_of(tensors, "D"))
        groups = tensors["groups"].long() if spec.groups else None
        step = int(meta["step"])
    except (RuntimeError, KeyError, TypeError, ValueError) as error:
        refuse_if_full(error)
        raise UserError("runs.no_eyes", name=run_dir.name) from error
    G.eval().requires_grad_(False), D.requires_grad_(False)
    return Networks(G, D, groups, classes, step, step * config.batch * config.d_steps)


def open_tiles(run_dir: Path, config: RunConfig) -> Tiles:
    """Draw the samples of a run's sheet anew. Raises UserError as `open_networks` does."""
    found = open_networks(run_dir, config)
    z, labels = fixed_latents(config, found.classes, torch.device("cpu"), COUNT)
    groups = None if found.groups is None else found.G.class_conditioning().group(z, labels)
    return Tiles(found.D, found.G(z, labels), groups, found.step, found.images)


def _read(run_dir: Path) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """Return the tensors and the metadata of the newest checkpoint that can be read. Raises UserError."""
    for name in (NEWEST, PREVIOUS):
        try:
            tensors, meta = read_state(run_dir / "state" / name)
        except Exception as error:  # a damaged file may fail in safetensors, json or torch: try the next
            refuse_if_full(error)
            continue
        if meta.get("format") != FORMAT:
            raise UserError("train.other_version", found=str(meta.get("format", "?"))[:40], wanted=FORMAT)
        return tensors, meta
    raise UserError("runs.no_eyes", name=run_dir.name)


def saliency(tiles: Tiles, place: int) -> torch.Tensor:
    """Return how D's logit reacts to each pixel of a sample: (H, W), above 0 where brighter looks more real.

    It is the gradient of the logit, averaged over COPIES of the sample with noise (SmoothGrad, Smilkov et
    al. 2017) and over the channels. Batch norm goes by a batch, so a D with it judges each copy among the
    other samples.
    """
    rng = torch.Generator().manual_seed(0)
    sample = tiles.samples[place]
    copies = (sample + NOISE * torch.randn(COPIES, *sample.shape, generator=rng)).requires_grad_()
    with as_in_a_step(tiles.D):
        if any(isinstance(module, nn.modules.batchnorm._BatchNorm) for module in tiles.D.modules()):
            logits = [_among_others(tiles, place, copy) for copy in copies]
        else:
            groups = None if tiles.groups is None else tiles.groups[place].expand(COPIES)
            logits = [tiles.D(copies, groups).reshape(COPIES, -1).mean(1).sum()]
        (slope,) = torch.autograd.grad(torch.stack(logits).sum(), copies)
    return slope.mean((0, 1))


def _among_others(tiles: Tiles, place: int, copy: torch.Tensor) -> torch.Tensor:
    """Return D's logit on a copy of a sample that takes its place in the sheet."""
    batch = torch.cat([tiles.samples[:place], copy[None], tiles.samples[place + 1 :]])
    return tiles.D(batch, tiles.groups).reshape(len(batch), -1).mean(1)[place]


def look(run_dir: Path, place: int) -> dict[str, Any]:
    """Return the saliency map of a sample, with the sample itself.

    {step, images, size, map, sample}: the map's rows as whole numbers from -LEVELS to LEVELS, and a WebP in
    base64. Raises UserError as `open_tiles` does.
    """
    tiles = open_tiles(run_dir, read_images_config(run_dir))
    slope = saliency(tiles, place)
    if not slope.isfinite().all():
        raise UserError("runs.no_eyes", name=run_dir.name)
    most = slope.abs().flatten().quantile(STRONGEST).clamp(min=1e-30)
    return {
        "step": tiles.step,
        "images": tiles.images,
        "size": slope.shape[0],
        "map": (LEVELS * slope / most).round().clamp(-LEVELS, LEVELS).int().flatten().tolist(),
        "sample": _webp(to_uint8(tiles.samples[place])),
    }


def find_nearest(run_dir: Path) -> dict[str, Any]:
    """Return the SHOWN training images nearest to each sample on the sheet, by an extractor's features.

    {step, images, by, among, of, samples, found, tiles, usual, nearer}: `by` names the extractor; `among` of
    the `of` training images were searched. `samples` is the sheet, and `found` has the images, COLUMNS in a
    row, both WebP in base64. Each of `tiles` is a list of pairs [place in `found`, distance], nearest first.
    `usual` is the median distance of held-out images to their nearest training images. `nearer` has for each
    sample the share of held-out images that lie nearer to one; both are None with few held-out images.
    Raises UserError where the images are gone or others, and as `open_tiles` does.
    """
    config = read_images_config(run_dir)
    tiles = open_tiles(run_dir, config)
    dataset = _data(run_dir, config)
    parts = _parts(dataset, config)
    rng = torch.Generator().manual_seed(0)
    rows = parts.trained[torch.randperm(len(parts.trained), generator=rng)[:AMONG]]
    extractor = choose_extractor(
        None, config.data, config.channels, ARCHITECTURES[config.architecture].extractors
    )
    samples = to_uint8(tiles.samples)
    trained, of_samples = (extractor.extract(part).features for part in (dataset.images[rows], samples))
    found = nearest(of_samples, trained, min(SHOWN, len(rows)))
    shown, places = found.indices.unique(return_inverse=True)
    far = found.squared.sqrt()
    return {
        "step": tiles.step,
        "images": tiles.images,
        "by": extractor.title,
        "among": len(rows),
        "of": len(parts.trained),
        "samples": _webp(grid(samples, COLUMNS)),
        "found": _webp(grid(dataset.images[rows[shown]], COLUMNS)),
        "tiles": [
            [[place, _short(distance)] for place, distance in zip(*one, strict=True)]
            for one in zip(places.tolist(), far.tolist(), strict=True)
        ],
        **_compared(far[:, 0], dataset.images[parts.held_out], trained, extractor),
    }


def draw_pairs(run_dir: Path) -> dict[str, Any]:
    """Return pairs of a held-out image and a sample of its class and cluster, with what D takes for real.

    {step, images, sheet, real, d, labels}: `sheet` is a WebP in base64 with COLUMNS images in a row. Pair i
    is on its places 2 i and 2 i + 1. `real` and `d` hold 0 or 1 for each pair: the image that is real, and
    the one that D takes for real. `labels` has their classes; None without any. Up to GAMES games of ROUNDS
    pairs. Raises UserError with fewer than ROUNDS held-out images, and as `find_nearest` does.
    """
    config = read_images_config(run_dir)
    found, dataset = open_networks(run_dir, config), _data(run_dir, config)
    held = _parts(dataset, config).held_out
    games = min(GAMES, len(held) // ROUNDS)
    if not games:
        raise UserError("runs.few_pairs", least=ROUNDS)
    rng = torch.Generator().manual_seed(found.step)
    rows = held[torch.randperm(len(held), generator=rng)[: games * ROUNDS]]
    groups = None if found.groups is None else found.groups[rows]
    z, labels = torch.randn(len(rows), config.z_dim, generator=rng), None
    if groups is not None:
        z, labels = found.G.class_conditioning().split(z, groups)
    real, fake = dataset.images[rows], to_uint8(found.G(z, labels))
    with torch.no_grad(), as_in_a_step(found.D):
        on_real, on_fake = (_judge(found.D, images, groups) for images in (real, fake))
    is_second = torch.randint(2, (len(rows),), generator=rng)
    pairs = torch.stack([real, fake], 1)
    pairs[is_second.bool()] = pairs[is_second.bool()].flip(1)
    return {
        "step": found.step,
        "images": found.images,
        "sheet": _webp(grid(pairs.flatten(0, 1), COLUMNS)),
        "real": is_second.tolist(),
        "d": torch.where(on_real > on_fake, is_second, 1 - is_second).tolist(),
        "labels": labels.tolist() if labels is not None and config.conditional else None,
    }


def _judge(D: nn.Module, images: torch.Tensor, groups: torch.Tensor | None) -> torch.Tensor:
    """Return D's logits (N,) on uint8 images of these groups."""
    return D(images.float().div(127.5).sub(1), groups).reshape(len(images), -1).mean(1)


def _compared(
    far: torch.Tensor, held_out: torch.Tensor, trained: torch.Tensor, extractor: Extractor
) -> dict[str, Any]:
    """Compare the samples' distances (64,) to training images with those of held-out images."""
    if len(held_out) < LEAST_HELD_OUT:
        return {"usual": None, "nearer": None}
    usual = nearest_training(extractor.extract(held_out).features, trained).distances
    nearer = (usual < far[:, None]).double().mean(1)
    return {"usual": _short(usual.median().item()), "nearer": [_short(share) for share in nearer.tolist()]}


def _data(run_dir: Path, config: RunConfig) -> data.Dataset:
    """Return the images of a run in the order in which it learns them. Raises UserError."""
    try:
        place = find_pictures(run_dir, config.data)
    except UserError as error:
        raise UserError("runs.images_gone") from error
    found = data.load(place, config.size, config.channels, config.background)
    known = identity.read(run_dir, {})
    return found if known is None else identity.as_it_began(found, known, config.conditional)[0]


def _parts(dataset: data.Dataset, config: RunConfig) -> Split:
    """Return which images the run trains on, and which are held out, as its trainer chose them."""
    return split(len(dataset.images), dataset.labels, config.batch, config.images)


def _short(value: float) -> float:
    return float(f"{value:.4g}")


def _webp(image: torch.Tensor) -> str:
    return base64.b64encode(encode_webp(image)).decode()


def main(arguments: list[str] | None = None) -> int:
    """Look at the given run and print what came of it as JSON. Returns the exit status."""
    console.prepare()
    parser = argparse.ArgumentParser(
        prog="python -m gan.export.tiles", description="Look closer at a run's samples, and print JSON."
    )
    parser.add_argument("run", type=Path, help="directory of the run")
    parser.add_argument("--tile", type=int, choices=range(COUNT), help="for the saliency of this sample")
    parser.add_argument("--pairs", action="store_true", help="for pairs of an image and a sample")
    options = parser.parse_args(arguments)
    end_with(os.getppid())
    torch.set_num_threads(cpu_quota())
    if options.tile is not None:
        return tell(lambda: look(options.run, options.tile))
    return tell(lambda: (draw_pairs if options.pairs else find_nearest)(options.run))


if __name__ == "__main__":
    raise SystemExit(main())
