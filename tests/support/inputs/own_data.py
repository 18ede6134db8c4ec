"""Change the images of a paused run (the fixture `run`), and check whether the run goes on or refuses."""

import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from gan.errors import UserError
from gan.files import read_json, read_lines, write_json
from gan.train.checkpoint import read_state
from gan.worker.worker import work

SETTINGS = ("--size", "28", "--channels", "1", "--width", "8", "--z-dim", "8", "--batch", "8", "--kimg",
    "0.2", "--augment", "none", "--conditional",
            "--clusters", "2", "--seed", "3")  # fmt: skip
CHECKPOINTS = ("state/checkpoint.safetensors", "state/previous.safetensors")


def picture(path: Path, number: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.random.default_rng(number).integers(0, 256, (28, 28), np.uint8)).save(path)


def lies_at(run: Path, place: Path | str) -> None:
    write_json(run / "config.json", {**read_json(run / "config.json"), "data": str(place)})


def learnt(run: Path) -> dict[str, torch.Tensor]:
    return read_state(run / CHECKPOINTS[0])[0]


def ends_as_if_left_alone(run: Path, begun: Path) -> bool:
    ours, wanted = learnt(run), learnt(begun / "left-alone")
    return ours.keys() == wanted.keys() and all(torch.equal(ours[name], wanted[name]) for name in wanted)


def kept(run: Path) -> dict[str, bytes]:
    """Return the files that must not change where a run can't resume."""
    return {
        name: (run / name).read_bytes()
        for name in (*CHECKPOINTS, "config.json", "data.json", "stats.jsonl")
        if (run / name).exists()
    }


def events(run: Path) -> list[str]:
    return [line["key"] for line in read_lines(run / "events.jsonl")[0]]


def refused(run: Path, *arguments: object) -> UserError:
    """Resume in this process, and check that the run refuses and does not change. Returns the error."""
    before = kept(run)
    with pytest.raises(UserError) as caught:
        work(run, place=str(arguments[0]) if arguments else None)
    assert kept(run) == before
    assert not (run / "state" / "damaged.safetensors").exists()
    assert read_json(run / "status.json")["state"] == "paused"
    return caught.value


def add_class(grow: Path, name: str) -> None:
    for number in (100, 101):
        picture(grow / name / f"{number}.png", number)


def pack(folder: Path, place: Path, backwards: bool = True) -> Path:
    """Pack the images of a folder into a zip, under other names, so that their order differs."""
    files = sorted(path for path in folder.rglob("*.png"))
    with zipfile.ZipFile(place, "w") as archive:
        for number, path in enumerate(reversed(files) if backwards else files):
            archive.write(path, f"all/{path.parent.name}/{number:03d}-new.png")
    return place
