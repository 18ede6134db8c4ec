"""Generate a grid of samples from a run, a checkpoint or a shipped model: `python -m gan sample`."""

import argparse
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from gan import console
from gan.errors import UserError
from gan.files import write_bytes
from gan.hub.pull import find
from gan.latent.catalogue import Entry, class_index
from gan.latent.point import MAX_PSI, MAX_SEED, Point, number, whole

if TYPE_CHECKING:
    import torch

    from gan.latent.generator import Model

MAX_COUNT = 4096
BATCH = 64


def main(arguments: list[str] | None = None) -> int:
    """Generate the grid and return the exit status: 0, or 2 after one sentence on stderr."""
    console.prepare()
    options = _parser().parse_args(arguments)
    try:
        path, seeds = sample(options)
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{path}: {len(seeds)} samples, row by row, of the seeds {seeds[0]} to {seeds[-1]}")
    return 0


def sample(options: argparse.Namespace) -> tuple[Path, range]:
    """Write the grid for the options; returns its path and the seeds of its cells. Raises UserError."""
    first, count = whole(options.seed, "--seed", 0, MAX_SEED), whole(options.count, "--count", 1, MAX_COUNT)
    psi = number(options.psi, "--psi", 0.0, MAX_PSI)
    columns = (
        whole(options.columns, "--columns", 1, MAX_COUNT)
        if options.columns
        else min(count, 8 if count <= 64 else math.isqrt(count - 1) + 1)
    )
    path = Path(options.out)
    if path.suffix.lower() not in (".png", ".webp"):
        raise UserError("latent.suffix", path=path)
    entry = find(options.place, options.snapshot)
    label = class_index(options.label, entry)
    points = [Point(seed, psi, label) for seed in range(first, first + count)]
    _write(path, _draw(entry, points, columns, path.suffix.lower()))
    return path, range(first, first + count)


def draw(model: "Model", points: list[Point]) -> "torch.Tensor":
    """The samples of points, uint8 (N, C, H, W), BATCH at a time: all at once would take too much memory."""
    import torch

    starts = range(0, len(points), BATCH)
    return torch.cat([model.pictures(points[start : start + BATCH]) for start in starts])


def _draw(entry: Entry, points: list[Point], columns: int, suffix: str) -> bytes:
    """The encoded grid. Imports torch here, so that --help and errors appear at once."""
    import torch

    from gan.device import cpu_quota
    from gan.images import encode_png, encode_webp, grid
    from gan.latent.generator import Model

    torch.set_num_threads(cpu_quota())
    sheet = grid(draw(Model(entry), points), columns)
    return encode_png(sheet) if suffix == ".png" else encode_webp(sheet)


def _write(path: Path, data: bytes) -> None:
    try:
        write_bytes(path, data)
    except OSError as error:
        raise UserError("latent.cannot_write", path=path, reason=error.strerror) from error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m gan sample",
        description=(
            "Generate a grid of samples. Cell k, counted row by row from 0, shows the seed SEED + k, "
            "so that you can generate a sample again."
        ),
    )
    parser.add_argument(
        "place",
        metavar="RUN_OR_CHECKPOINT",
        help="directory of a run (also one that is training), directory of a checkpoint, the name of a "
        "pretrained model, for example digits, or hub:OWNER/NAME",
    )
    parser.add_argument("--seed", default="0", help="seed of the first sample (default: 0)")
    parser.add_argument("--count", default="64", help=f"how many samples, up to {MAX_COUNT} (default: 64)")
    parser.add_argument("--out", default="grid.png", help="file to write, .png or .webp (default: grid.png)")
    parser.add_argument(
        "--psi",
        default="1",
        help=(
            f"truncation, 0 to {MAX_PSI:g}: less is more typical, 0 gives one sample only, 1 as trained "
            f"(default: 1)"
        ),
    )
    parser.add_argument(
        "--class",
        dest="label",
        metavar="NAME_OR_INDEX",
        help="generate this class only (default: each seed chooses one)",
    )
    parser.add_argument("--columns", help="samples in a row (default: 8, or a square for more than 64)")
    parser.add_argument(
        "--snapshot", metavar="STEP", help="use a run's snapshot of this step instead of its newest weights"
    )
    return parser
