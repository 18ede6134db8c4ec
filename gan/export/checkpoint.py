"""Turn a run into a checkpoint: `export` writes its directory, `rescore` updates the scores in its card."""

import argparse
import platform
import shutil
from pathlib import Path
from typing import Any

import torch

from gan.config import RunConfig
from gan.data import public_name
from gan.errors import UserError, refuse_if_full
from gan.export import scores
from gan.export.card import history, origin
from gan.files import read_json, read_lines, write_bytes, write_json
from gan.images import encode_webp, grid, to_uint8
from gan.kinds.images import identity
from gan.latent.catalogue import RUN_WEIGHTS, why_failed
from gan.latent.point import whole
from gan.metrics.distances import pairwise_diversity
from gan.metrics.score import MIN_IMAGES
from gan.models import FORMAT, count_parameters, load_generator, weights_file
from gan.runs.store import ENDED
from gan.train.base import part_of
from gan.train.checkpoint import NEWEST, read_state
from gan.worker.run_dir import read_config

LAST_LINES = 50
METRICS = ("loss_d", "loss_g", "real", "fake", "pair")
FACTS = ("state", "classes", "step", "images", "elapsed", "device")
PREVIEW_SEEDS = range(64)
SCORED_SEEDS = range(512)
DIVERSITY = (
    "mean distance among 512 samples over that among 512 real images, on 8x8 pixels; 1 is as diverse as "
    "the data"
)


def processor() -> str:
    """The processor's name, as the operating system reports it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def read_status(run_dir: Path) -> dict[str, Any]:
    """A run's status with all FACTS of a card.

    Raises UserError if it is unreadable or incomplete, or if the run never started.
    """
    if not (run_dir / "status.json").exists() and not (run_dir / RUN_WEIGHTS).exists():
        raise UserError("latent.run_unborn", name=run_dir.absolute().name, path=run_dir)
    try:
        status = read_json(run_dir / "status.json")
    except (OSError, ValueError):
        status = None
    if not isinstance(status, dict) or not status.keys() >= set(FACTS):
        raise UserError("export.damaged", path=run_dir, file="status.json")
    return status


def read_images_config(run_dir: Path) -> RunConfig:
    """Return the settings of a run of images. Raises UserError for a run of another kind, or for no run."""
    config = read_config(run_dir)
    if not isinstance(config, RunConfig):
        raise UserError("latent.other_kind", name=run_dir.absolute().name, kind=config.kind)
    return config


def make_card(run_dir: Path, title: str) -> dict[str, Any]:
    """A run's card without scores: data, recipe, size, effort, hardware, last losses.

    Raises UserError unless the run has finished or was stopped.
    """
    config, status = read_images_config(run_dir), read_status(run_dir)
    if status["state"] == "failed":
        raise UserError("export.failed", path=run_dir, reason=why_failed(status.get("error")))
    if status["state"] not in ENDED:
        raise UserError("export.not_finished", path=run_dir, state=status["state"])
    generator, spec = load_generator(run_dir / "live.safetensors")
    last = [
        line for line in read_lines(run_dir / "stats.jsonl")[0][-LAST_LINES:] if line.keys() >= set(METRICS)
    ]
    if not last:
        raise UserError("export.damaged", path=run_dir, file="stats.jsonl")
    means = {name: round(sum(line[name] for line in last) / len(last), 4) for name in METRICS}
    return {
        "format": FORMAT, "title": title, **origin(config.data, run_dir), "recipe": config.recipe,
        "size": spec.size, "channels": spec.channels, "classes": status["classes"],
        "parameters": {"G": count_parameters(generator)},
        "steps": status["step"], "images": status["images"], "seconds": round(status["elapsed"]),
        "hardware": f"{status['device']} ({processor()})",
        "torch": torch.__version__, "last_losses": means, **_record(run_dir), **history(run_dir),
    }  # fmt: skip


def _record(run_dir: Path) -> dict[str, Any]:
    """The number of images, their digest and how many were held out; {} if the run has no record of them.

    With the digest `gan.cli.score` recognises the images at any path.
    """
    known = identity.read(run_dir, {})
    held_out = read_status(run_dir).get("held_out", 0)
    return {"data_count": known.count, "data_digest": known.content, "held_out": held_out} if known else {}


def make_scores(weights: Path, options: argparse.Namespace) -> dict[str, Any]:
    """The part of a card with the scores of a generator; its config.json lies beside its weights.

    With too few real images, it holds only the diversity. Raises UserError as `scores.score_model` does.
    """
    generator, spec = load_generator(weights)
    count = whole(options.count, "--count", MIN_IMAGES, scores.MAX_COUNT)
    settings = scores.read_settings(weights.parent)
    real = scores.find_reals(
        weights.parent, settings["data"], spec, None, len(SCORED_SEEDS), settings["background"]
    ).images
    labels = scores.draw_labels(None, len(SCORED_SEEDS), spec.num_classes)
    fake = scores.draw(generator, SCORED_SEEDS, spec.z_dim, labels)
    diversity = round(pairwise_diversity(fake) / pairwise_diversity(real.float() / 127.5 - 1), 3)
    known, meaning = {"diversity": diversity}, {"diversity": DIVERSITY}
    if options.real is None and len(real) < MIN_IMAGES:
        return {"scores": known, "scores_meaning": meaning}
    scored = scores.score_model(generator, spec, weights.parent, options.real, options.net, count)
    entries = scores.card_entries(scored)
    return {
        "scores": known | scores.rounded(scored),
        "scored": entries["scored"],
        "scores_meaning": meaning | entries["scores_meaning"],
    }


def export(run_dir: Path, target: Path, options: argparse.Namespace) -> None:
    """Write the checkpoint directory `target` from the run in `run_dir`.

    Raises UserError as make_card and make_scores do.
    """
    config = read_images_config(run_dir)
    # The path of the images is private. Their digest identifies them.
    called = public_name(config.data)
    card = make_card(run_dir, options.title or Path(called).stem.capitalize())
    card |= make_scores(run_dir / "live.safetensors", options)
    target.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(run_dir / RUN_WEIGHTS, target / "generator.safetensors")
    write_json(target / "config.json", {**config.to_json(), "data": called})
    generator, spec = load_generator(target / "generator.safetensors")
    wall = scores.draw(
        generator, PREVIEW_SEEDS, spec.z_dim, scores.draw_labels(None, len(PREVIEW_SEEDS), spec.num_classes)
    )
    write_bytes(target / "preview.webp", encode_webp(grid(to_uint8(wall), columns=8)))
    write_json(target / "card.json", card)


def export_discriminator(run_dir: Path, target: Path) -> None:
    """Write the discriminator of a run's newest checkpoint to `target`, in half precision as the generator.

    Raises UserError if the run has no sound checkpoint.
    """
    _, spec = load_generator(run_dir / RUN_WEIGHTS)
    try:
        tensors, _ = read_state(run_dir / "state" / NEWEST)
    # safetensors, json and torch each raise their own exceptions on a damaged file.
    except Exception as error:
        refuse_if_full(error)
        raise UserError("export.damaged", path=run_dir, file=f"state/{NEWEST}") from error
    write_bytes(target, weights_file(part_of(tensors, "D"), spec))


def rescore(target: Path, options: argparse.Namespace) -> None:
    """Update the scores in the card of the checkpoint directory `target`.

    Raises UserError if there is no card, and as make_scores does.
    """
    try:
        card = read_json(target / "card.json")
    except (OSError, ValueError):
        card = None
    if not isinstance(card, dict):
        raise UserError("export.not_a_checkpoint", path=target, file="card.json")
    write_json(target / "card.json", card | make_scores(target / "generator.safetensors", options))
