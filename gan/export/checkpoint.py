"""Make a checkpoint that ships with the app out of a run:  python -m gan.export.checkpoint RUN_DIR checkpoints/digits

A checkpoint directory holds generator.safetensors (the EMA generator in half precision), config.json (enough to train it again with
`python -m gan.train`), card.json (what it is and how it came to be) and preview.webp (a wall of its samples).
"""

import argparse
import platform
import shutil
import sys
from pathlib import Path
from typing import Any

import torch

from gan import data
from gan.errors import UserError
from gan.files import read_json, read_lines, write_bytes, write_json
from gan.images import encode_webp, grid, to_uint8
from gan.latent.sampling import latents, mixed_label
from gan.metrics.diversity import pairwise_diversity
from gan.models import FORMAT, count_parameters, load_generator
from gan.train.rundir import read_config

LAST_LINES = 50
METRICS = ("loss_d", "loss_g", "real", "fake", "pair")
FACTS = ("state", "classes", "step", "images", "elapsed", "device")
OWN_LICENCE, OWN_CREDIT = "that of the pictures", "pictures of the person who trained it"
PREVIEW_SEEDS = range(64)
SCORED_SEEDS = range(512)


def processor() -> str:
    """The processor's name as the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def draw(generator: torch.nn.Module, seeds: range, z_dim: int, classes: int) -> torch.Tensor:
    """One image for each seed, (N, C, H, W) in [-1, 1]; of a conditional model the classes are mixed by seed."""
    z = torch.from_numpy(latents(seeds, z_dim))
    labels = torch.tensor([mixed_label(seed, classes) for seed in seeds]) if classes else None
    with torch.inference_mode():
        return generator(z, labels)


def read_status(run_dir: Path) -> dict[str, Any]:
    """The status of a run with all FACTS of a card. Raises UserError where it lacks any, or can't be read."""
    try:
        status = read_json(run_dir / "status.json")
    except (OSError, ValueError):
        status = None
    if not isinstance(status, dict) or not status.keys() >= set(FACTS):
        raise UserError("export.damaged", path=run_dir, file="status.json")
    return status


def make_card(run_dir: Path, title: str) -> dict[str, Any]:
    """What there is to know of a run's generator: data, recipe, effort, hardware, last losses, scores. Raises UserError for what is no finished run."""
    config, status = read_config(run_dir), read_status(run_dir)
    if status["state"] not in ("finished", "stopped"):
        raise UserError("export.not_finished", path=run_dir, state=status["state"])
    generator, spec = load_generator(run_dir / "live.safetensors")
    last = [line for line in read_lines(run_dir / "stats.jsonl")[0][-LAST_LINES:] if line.keys() >= set(METRICS)]
    if not last:
        raise UserError("export.damaged", path=run_dir, file="stats.jsonl")
    real = data.load(config.data, config.size, config.channels).images[: len(SCORED_SEEDS)].float() / 127.5 - 1
    fake = draw(generator, SCORED_SEEDS, spec.z_dim, spec.num_classes)
    means = {name: round(sum(line[name] for line in last) / len(last), 4) for name in METRICS}
    known = data.catalogue().get(config.data)
    return {
        "format": FORMAT, "title": title, "data": Path(config.data).name, "data_licence": known.licence if known else OWN_LICENCE,
        "data_credit": known.credit if known else OWN_CREDIT, "recipe": config.recipe,
        "size": spec.size, "channels": spec.channels, "classes": status["classes"], "parameters": {"G": count_parameters(generator)},
        "steps": status["step"], "images": status["images"], "seconds": round(status["elapsed"]), "hardware": f"{status['device']} ({processor()})",
        "torch": torch.__version__, "last_losses": means,
        "scores": {"diversity": round(pairwise_diversity(fake) / pairwise_diversity(real), 3)},
        "scores_meaning": {"diversity": "mean distance among 512 fakes over that among 512 reals, on 8x8 pixels; 1 is as varied as the data"},
    }  # fmt: skip


def export(run_dir: Path, target: Path, title: str) -> None:
    """Write the checkpoint directory `target` from the run in `run_dir`. Raises UserError as make_card does."""
    card = make_card(run_dir, title)
    target.mkdir(parents=True, exist_ok=True)
    for source, name in (("live.safetensors", "generator.safetensors"), ("config.json", "config.json")):
        shutil.copyfile(run_dir / source, target / name)
    generator, spec = load_generator(target / "generator.safetensors")
    wall = draw(generator, PREVIEW_SEEDS, spec.z_dim, spec.num_classes)
    write_bytes(target / "preview.webp", encode_webp(grid(to_uint8(wall), columns=8)))
    write_json(target / "card.json", card)


def main(arguments: list[str] | None = None) -> int:
    """The command; returns the exit status: 0, or 2 after a mistake that the caller can correct."""
    parser = argparse.ArgumentParser(prog="python -m gan.export.checkpoint", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run_dir", type=Path, metavar="RUN_DIR", help="a finished run")
    parser.add_argument("target", type=Path, metavar="CHECKPOINT_DIR", help="where to write the checkpoint")
    parser.add_argument("--title", help="its name for people (default: the data set's name)")
    options = parser.parse_args(arguments)
    try:
        export(options.run_dir, options.target, options.title or Path(read_config(options.run_dir).data).stem.capitalize())
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    except OSError as error:
        print(UserError("export.cannot_write", path=options.target, reason=error.strerror or error), file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
