"""Test the shipped checkpoints: each loads, draws varied samples of its data set, and names its origin."""

import shutil

import pytest
import torch
from PIL import Image

from gan import data
from gan.cli.export import main
from gan.cli.train import main as train
from gan.config import RunConfig
from gan.data.registry import BUNDLED
from gan.export.checkpoint import SCORED_SEEDS
from gan.export.scores import draw, draw_labels
from gan.files import read_json, write_json
from gan.latent.catalogue import CHECKPOINTS
from gan.metrics.distances import pairwise_diversity
from gan.models import FORMAT, load_generator


def test_there_is_one_for_each_bundled_set():
    assert {path.name for path in CHECKPOINTS.iterdir()} == set(BUNDLED)


@pytest.mark.parametrize("name", BUNDLED)
def test_size_on_disk(name):
    files = {path.name: path.stat().st_size for path in (CHECKPOINTS / name).iterdir()}
    assert set(files) == {"generator.safetensors", "config.json", "card.json", "preview.webp"}
    assert sum(files.values()) < 6e6


@pytest.mark.parametrize("name", BUNDLED)
def test_it_draws_pictures_like_its_data(name):
    generator, spec = load_generator(CHECKPOINTS / name / "generator.safetensors")
    info = data.info(name)
    assert (spec.size, spec.channels) == (info.size, info.channels)
    fake = draw(generator, SCORED_SEEDS, spec.z_dim, draw_labels(None, len(SCORED_SEEDS), spec.num_classes))
    assert fake.shape == (len(SCORED_SEEDS), info.channels, info.size, info.size)
    assert fake.abs().max() <= 1
    real = data.load(name).images[: len(SCORED_SEEDS)].float() / 127.5 - 1
    assert 0.75 < pairwise_diversity(fake) / pairwise_diversity(real) < 1.25
    # Compares the mean image and the spread of each pixel. Untrained networks are grey, and collapsed ones
    # have no spread.
    mean_error = (fake.mean(0) - real.mean(0)).abs().mean()
    assert mean_error < 0.15 * (real - real.mean(0)).abs().mean() + 0.05
    assert 0.7 < fake.std(0).mean() / real.std(0).mean() < 1.3


@pytest.mark.parametrize("name", BUNDLED)
def test_each_class_of_a_conditional_model_looks_like_its_own_pictures(name):
    generator, spec = load_generator(CHECKPOINTS / name / "generator.safetensors")
    dataset = data.load(name)
    assert spec.num_classes == len(dataset.classes)
    z = torch.randn(32, spec.z_dim, generator=torch.Generator().manual_seed(1))
    real = dataset.images.float() / 127.5 - 1
    centres = torch.stack([real[dataset.labels == label].mean(0) for label in range(spec.num_classes)])
    with torch.inference_mode():
        drawn = torch.stack(
            [generator(z, torch.full((32,), label)).mean(0) for label in range(spec.num_classes)]
        )
    nearest = torch.cdist(drawn.flatten(1), centres.flatten(1)).argmin(1)
    assert (nearest == torch.arange(spec.num_classes)).float().mean() >= 0.75


@pytest.mark.parametrize("name", BUNDLED)
def test_its_card_tells_how_it_was_trained(name):
    card, config = (
        read_json(CHECKPOINTS / name / "card.json"),
        RunConfig.from_json(read_json(CHECKPOINTS / name / "config.json")),
    )
    assert (card["format"], card["data"], config.data, card["recipe"]) == (FORMAT, name, name, config.recipe)
    assert card["images"] == card["steps"] * config.batch * config.d_steps
    assert card["seconds"] > 60
    assert card["hardware"]
    assert card["classes"] == list(data.info(name).classes)
    assert 0.75 < card["scores"]["diversity"] < 1.25
    scores, scored = card["scores"], card["scored"]
    count, against = (729, "training") if name == "emoji" else (2000, "held_out")
    assert scored == {"net": name, "title": f"{name} net", "pictures": count, "against": against}
    assert scores.keys() == card["scores_meaning"].keys()
    assert {
        "FD",
        "KD",
        "precision",
        "recall",
        "density",
        "coverage",
        "mode KL",
        "1-NN accuracy",
    } < scores.keys()
    if scored["against"] == "held_out":
        assert scores["FD"] > scores["FD of data"] > 0
        assert scores["copies"] < 0.05
    assert {"loss_d", "loss_g"} <= set(card["last_losses"])
    with Image.open(CHECKPOINTS / name / "preview.webp") as preview:
        assert preview.size == (8 * card["size"], 8 * card["size"])


def test_a_run_becomes_a_checkpoint_only_when_it_is_over(tmp_path, capsys):
    run = tmp_path / "run"
    assert (
        train(
            [
                "--data",
                "digits",
                "--kimg",
                "0.2",
                "--batch",
                "32",
                "--width",
                "8",
                "--z-dim",
                "8",
                "--out",
                str(run),
            ]
        )
        == 0
    )
    assert main(["checkpoint", str(run), str(tmp_path / "mine"), "--title", "Mine", "--count", "40"]) == 0
    card = read_json(tmp_path / "mine" / "card.json")
    assert (card["title"], card["images"], card["classes"]) == (
        "Mine",
        224,
        list(data.info("digits").classes),
    )
    load_generator(tmp_path / "mine" / "generator.safetensors")
    write_json(run / "status.json", {**read_json(run / "status.json"), "state": "paused"})
    assert main(["checkpoint", str(run), str(tmp_path / "other")]) == 2
    assert "is paused" in capsys.readouterr().err
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize("name", BUNDLED)
def test_the_terminal_draws_from_it(name, tmp_path):
    from gan.cli.sample import main as sample

    kind = read_json(CHECKPOINTS / name / "card.json")["classes"][0]
    for place in (name, str(CHECKPOINTS / name)):
        assert sample([place, "--count", "4", "--class", kind, "--out", str(tmp_path / "grid.png")]) == 0
    with Image.open(tmp_path / "grid.png") as grid:
        assert grid.size == (4 * data.info(name).size, data.info(name).size)


def test_a_damaged_checkpoint_is_told_as_such(tmp_path, capsys):
    from gan.cli.sample import main as sample

    write_json(tmp_path / "card.json", {})
    write_json(tmp_path / "config.json", {})
    for content in (None, b"garbled"):
        if content is not None:
            (tmp_path / "generator.safetensors").write_bytes(content)
        assert sample([str(tmp_path), "--out", str(tmp_path / "grid.png")]) == 2
        assert "can't be read" in capsys.readouterr().err


def test_a_run_on_own_pictures_becomes_a_checkpoint(tmp_path):
    pictures, run = tmp_path / "Cats", tmp_path / "run"
    pictures.mkdir()
    for number in range(8):
        Image.new("RGB", (40, 40), (30 * number, 90, 200)).save(pictures / f"{number}.png")
    assert (
        train(
            [
                "--data",
                str(pictures),
                "--kimg",
                "0.02",
                "--batch",
                "4",
                "--width",
                "8",
                "--z-dim",
                "8",
                "--size",
                "32",
                "--out",
                str(run),
            ]
        )
        == 0
    )
    assert main(["checkpoint", str(run), str(tmp_path / "mine")]) == 0
    card = read_json(tmp_path / "mine" / "card.json")
    assert (card["title"], card["data"]) == ("Cats", "Cats")  # not the images' path on this machine
    assert card["scored"] == {
        "net": "efficientnet",
        "title": "EfficientNet-lite0",
        "pictures": 8,
        "against": "training",
    }


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    run = tmp_path_factory.mktemp("finished") / "run"
    assert (
        train(["--data", "digits", "--kimg", "0.1", "--width", "8", "--z-dim", "8", "--out", str(run)]) == 0
    )
    return run


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("status.json", b"{}"),
        ("status.json", b"[]"),
        ("status.json", b'{"state": "finished"}'),
        ("status.json", b""),
        ("stats.jsonl", b""),
    ],
)
def test_a_spoilt_run_is_told_as_such(finished, tmp_path, capsys, name, content):
    run = tmp_path / "run"
    shutil.copytree(finished, run)
    (run / name).write_bytes(content)
    assert main(["checkpoint", str(run), str(tmp_path / "mine")]) == 2
    assert f"its file {name} is missing or damaged" in capsys.readouterr().err


def test_a_place_that_cannot_be_written_is_told_as_such(finished, tmp_path, capsys):
    (tmp_path / "file").write_text("something else")
    assert main(["checkpoint", str(finished), str(tmp_path / "file")]) == 2
    assert "can't be written" in capsys.readouterr().err
    assert (tmp_path / "file").read_text() == "something else"


def test_scores_of_a_checkpoint_are_renewed_and_nothing_else(tmp_path, capsys):
    shutil.copytree(CHECKPOINTS / "digits", tmp_path / "digits")
    before = {path.name: path.read_bytes() for path in (tmp_path / "digits").iterdir()}
    card = read_json(tmp_path / "digits" / "card.json")
    assert (
        main(["checkpoint", str(tmp_path / "digits"), "--rescore", "--net", "pixels", "--count", "60"]) == 0
    )
    again = read_json(tmp_path / "digits" / "card.json")
    assert again["scored"] == {
        "net": "pixels",
        "title": "pixels, 16x16",
        "pictures": 60,
        "against": "training",
    }
    assert again["scores"]["diversity"] == card["scores"]["diversity"]
    assert {key: value for key, value in again.items() if not key.startswith("score")} == {
        key: card[key] for key in card if not key.startswith("score")
    }
    after = {path.name: path.read_bytes() for path in (tmp_path / "digits").iterdir()}
    assert after == before | {"card.json": after["card.json"]}
    (tmp_path / "digits" / "card.json").unlink()
    assert main(["checkpoint", str(tmp_path / "digits"), "--rescore"]) == 2
    assert "is not a checkpoint" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["run"], ["run", "target", "--rescore"]])
def test_a_command_that_says_too_little_or_too_much_is_refused(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["checkpoint", *arguments])
    assert ended.value.code == 2
    assert "give RUN_DIR and CHECKPOINT_DIR" in capsys.readouterr().err
