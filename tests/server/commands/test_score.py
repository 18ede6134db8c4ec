"""Test python -m gan score: the images that it compares a model with, and its output."""

import dataclasses
import gzip
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from gan import data
from gan.cli.score import main
from gan.data.dataset import Dataset, among
from gan.errors import UserError
from gan.export import scores
from gan.files import write_json
from gan.metrics.extractors import open_extractor
from gan.models import ModelSpec
from gan.train.inputs.held_out import split as split_held_out
from tests.support.inputs.generators import tiny_spec, write_weights

SPEC = ModelSpec("modern", 28, 1, 8, 8)


def write_idx(path: Path, pixels: np.ndarray) -> None:
    path.write_bytes(
        gzip.compress(
            bytes([0, 0, 8, pixels.ndim])
            + b"".join(side.to_bytes(4, "big") for side in pixels.shape)
            + pixels.tobytes()
        )
    )


def write_mnist_like(folder: Path, train: torch.Tensor, test: torch.Tensor) -> Path:
    folder.mkdir()
    for split, images in (("train", train), ("t10k", test)):
        write_idx(folder / f"{split}-images-idx3-ubyte.gz", images[:, 0].numpy())
        write_idx(folder / f"{split}-labels-idx1-ubyte.gz", np.zeros(len(images), np.uint8))
    return folder


def write_pictures(folder: Path, count: int, seed: int = 0) -> Path:
    folder.mkdir()
    for number, pixels in enumerate(
        np.random.default_rng(seed).integers(0, 255, (count, 32, 32, 3), np.uint8)
    ):
        Image.fromarray(pixels).save(folder / f"{number}.png")
    return folder


@pytest.fixture
def model(tmp_path):
    """A generator with random weights, beside a config that names the digits."""
    folder = tmp_path / "model"
    folder.mkdir()
    write_weights(folder / "live.safetensors", tiny_spec())
    write_json(folder / "config.json", {"data": "digits"})
    return folder


def others(count: int) -> torch.Tensor:
    return torch.randint(
        0, 256, (count, 1, 28, 28), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)
    )


def test_pictures_it_was_trained_on_are_left_out(tmp_path):
    known, new = data.load("digits").images[:30], others(20)
    test_first = write_mnist_like(tmp_path / "a", train=known, test=torch.cat([known[:5], new]))
    found = scores.find_reals(tmp_path, "digits", SPEC, str(test_first), 100)
    assert found.held_out
    assert sorted(map(tuple, found.images.flatten(1).tolist())) == sorted(map(tuple, new.flatten(1).tolist()))
    train_next = write_mnist_like(tmp_path / "b", train=torch.cat([new, known[5:]]), test=known[:5])
    again = scores.find_reals(tmp_path, "digits", SPEC, str(train_next), 100)
    assert (again.held_out, len(again.images)) == (True, 20)
    nothing_new = write_mnist_like(tmp_path / "c", train=known, test=known)
    least = scores.find_reals(tmp_path, "digits", SPEC, str(nothing_new), 25)
    assert (least.held_out, len(least.images)) == (False, 25)
    assert among(least.images, data.load("digits").images).all()


def test_landscapes_are_drawn_anew():
    spec = ModelSpec("modern", 64, 3, 8, 8)
    found = scores.find_reals(Path("model"), "landscapes", spec, None, 16)
    assert found.held_out
    assert found.images.shape == (16, 3, 64, 64)
    assert not among(found.images, found.training.images).any()


def test_the_choice_is_by_chance_and_always_the_same():
    ten = torch.arange(10)
    assert torch.equal(scores.some(ten, 5), scores.some(ten, 5))
    assert scores.some(ten, 20).sort().values.tolist() == ten.tolist()
    assert scores.some(ten, 10).tolist() != ten.tolist()


def test_classes_are_drawn_as_often_as_they_occur():
    training = Dataset("", others(100), (torch.arange(100) >= 90).long(), ("many", "few"))
    assert scores.draw_labels(training, 2000, 2).double().mean().item() == pytest.approx(0.1, abs=0.03)
    assert scores.draw_labels(None, 2000, 2).double().mean().item() == pytest.approx(0.5, abs=0.05)
    assert scores.draw_labels(training, 2000, 0) is None


def test_the_table_names_its_net(model, capsys):
    assert main([str(model), "--count", "50"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("50 samples against 50 images that it was trained on")
    assert lines[1].startswith("FD (digits net) ")
    assert any(line.startswith("mode KL (digits net) ") for line in lines)
    assert "FID" not in "".join(lines)


def test_other_pictures_and_another_net(model, tmp_path, capsys):
    with zipfile.ZipFile(tmp_path / "more.zip", "w") as archive:
        for picture in write_pictures(tmp_path / "more", 8).iterdir():
            archive.write(picture, picture.name)
    assert main([str(model), "--real", str(tmp_path / "more.zip"), "--net", "pixels"]) == 0
    output = capsys.readouterr().out
    assert "8 samples against 8 images that it was not trained on" in output
    assert "FD (pixels, 16x16)" in output
    assert "C_T (pixels, 16x16)" in output


def test_a_model_whose_pictures_are_gone(model, tmp_path, capsys):
    write_json(model / "config.json", {"data": str(tmp_path / "gone")})
    assert main([str(model)]) == 2
    assert "are not available" in capsys.readouterr().err
    pictures = write_pictures(tmp_path / "pictures", 8)
    assert main([str(model), "--real", str(pictures), "--net", "pixels"]) == 0
    assert "C_T" not in capsys.readouterr().out


@pytest.mark.parametrize(("arguments", "sentence"), [
    (["--net", "vgg"], "no feature extractor called “vgg”"),
    (["--count", "5"], "--count = 5 is out of range"), (["--count", "many"], "not a whole number"),
    (["--real", "nowhere"], "no data set called “nowhere”, and no folder or zip at “"),
    (["--real", "emoji"], "The images of “emoji” have 3 channels, and the samples of the model have 1"),
])  # fmt: skip
def test_mistakes_are_told_in_one_sentence(model, capsys, arguments, sentence):
    assert main([str(model), *arguments]) == 2
    output = capsys.readouterr().err
    assert sentence in output
    assert output.count("\n") == 1


def test_a_model_that_learned_through_eyes_is_not_judged_by_them(tmp_path, capsys):
    write_weights(tmp_path / "live.safetensors", dataclasses.replace(tiny_spec(), architecture="projected"))
    write_json(tmp_path / "config.json", {"data": "digits"})
    assert main([str(tmp_path), "--net", "efficientnet"]) == 2
    assert "used the feature extractor “efficientnet” in training" in capsys.readouterr().err


def test_too_few_real_pictures(model, tmp_path, capsys):
    assert main([str(model), "--real", str(write_pictures(tmp_path / "few", 4)), "--net", "pixels"]) == 2
    assert "leaves only 4 images" in capsys.readouterr().err


def test_a_broken_folder_of_idx_files(model, tmp_path, capsys):
    folder = write_mnist_like(tmp_path / "idx", others(8), others(8))
    (folder / "t10k-labels-idx1-ubyte.gz").unlink()
    assert main([str(model), "--real", str(folder)]) == 2
    assert "neither a folder nor a zip of images" in capsys.readouterr().err


def test_a_run_without_settings(model, capsys):
    (model / "config.json").write_text("[]")
    assert main([str(model)]) == 2
    assert "is not a run" in capsys.readouterr().err


def test_scores_in_a_card_are_short_and_finite():
    found = scores.Scored(
        {"FD": 12.345678, "KD": 0.00012345678, "mode KL": float("inf"), "modes": 10},
        open_extractor("pixels"),
        100,
        True,
    )
    assert scores.rounded(found) == {"FD": 12.35, "KD": 0.0001235, "modes": 10}
    entries = scores.card_entries(found)
    assert entries["scored"] == {
        "net": "pixels",
        "title": "pixels, 16x16",
        "pictures": 100,
        "against": "held_out",
    }
    assert entries["scores_meaning"].keys() == {"FD", "KD", "modes"}
    with pytest.raises(UserError):
        scores.read_settings(Path("nowhere"))


def run_of_digits(folder, **files):
    """Make a folder with the settings of a run on digits, and with these JSON files."""
    for name, value in {"config": {"data": "digits", "batch": 64}, **files}.items():
        write_json(folder / f"{name}.json", value)
    return folder


@pytest.mark.parametrize("file", ["status", "card"])
def test_a_run_is_scored_against_the_images_that_it_held_out(tmp_path, file):
    run = run_of_digits(tmp_path, **{file: {"held_out": 500}})
    found = scores.find_reals(run, "digits", SPEC, None, 2_000)
    digits, parts = data.load("digits"), split_held_out(10_000, data.load("digits").labels, 64)
    assert found.held_out
    assert len(found.images) == 500
    assert not among(found.images, found.training.images).any()
    assert torch.equal(found.training.images, digits.images[parts.trained])
    assert torch.equal(found.training.labels, digits.labels[parts.trained])
    same = scores.find_reals(run, "digits", SPEC, "digits", 2_000)
    assert same.held_out
    assert len(same.images) == 500, "of its own data set, the images that it did not see are left"


@pytest.mark.parametrize("files", [{}, {"status": {"held_out": 0}}, {"status": {"held_out": 400}}])
def test_a_run_that_held_nothing_out_is_scored_against_its_training_images(tmp_path, files):
    found = scores.find_reals(run_of_digits(tmp_path, **files), "digits", SPEC, None, 2_000)
    assert (found.held_out, found.unseen) == (False, None)
    assert len(found.training.images) == 10_000


def test_few_held_out_images_are_enough_for_the_copies(tmp_path):
    spec = ModelSpec("modern", 64, 3, 8, 8)
    run = run_of_digits(tmp_path, config={"data": "emoji", "batch": 32}, status={"held_out": 72})
    found = scores.find_reals(run, "emoji", spec, None, 2_000)
    assert (found.held_out, len(found.images)) == (False, 657)
    assert 60 < len(found.unseen) < 72, "some flags are those of several countries"
    assert not among(found.unseen, found.training.images).any()
