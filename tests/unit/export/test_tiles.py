"""Test the closer look at samples: the saliency of known networks, and the nearest training images."""

import base64
import io
import json

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from gan.config import RunConfig
from gan.device import Device
from gan.errors import UserError
from gan.export import tiles as room
from gan.export.tiles import COUNT, Tiles, draw_pairs, find_nearest, look, main, open_tiles, saliency
from gan.files import write_json
from gan.kinds.images import engine, identity
from gan.train.checkpoint import NEWEST, PREVIOUS, save_state

CPU = Device("cpu", "CPU", 1)
SMALL = {"size": 28, "channels": 1, "batch": 8, "width": 8, "z_dim": 8, "kimg": 1.0}


class Linear(nn.Module):
    """A D whose logit is a sum of the pixels with these weights (C, H, W)."""

    def __init__(self, weights: torch.Tensor):
        super().__init__()
        self.weights = weights

    def forward(self, images: torch.Tensor, groups: torch.Tensor | None) -> torch.Tensor:
        return (images * self.weights).sum((1, 2, 3))


def tiles(D: nn.Module, groups: torch.Tensor | None = None, channels: int = 1) -> Tiles:
    samples = torch.rand(COUNT, channels, 8, 8, generator=torch.Generator().manual_seed(3)) - 0.5
    return Tiles(D, samples, groups, 7, 56)


@pytest.mark.parametrize("channels", [1, 3])
def test_saliency_is_the_mean_slope_of_the_logit(channels):
    weights = torch.randn(channels, 8, 8, generator=torch.Generator().manual_seed(1))
    found = saliency(tiles(Linear(weights), channels=channels), 5)
    assert torch.allclose(found, weights.mean(0), atol=1e-6)


def test_saliency_averages_over_noise():
    """The slope of the sum of squares is twice the pixel; noise of the copies averages out."""

    class Squares(nn.Module):
        def forward(self, images, groups):
            return images.square().sum((1, 2, 3))

    one = tiles(Squares())
    found = saliency(one, 5)
    error = (found - 2 * one.samples[5, 0]).std().item()
    assert error == pytest.approx(2 * room.NOISE / room.COPIES**0.5, rel=0.3)


def test_saliency_is_that_of_the_samples_own_group():
    class OfGroup(nn.Module):
        def forward(self, images, groups):
            return groups.float() * images.sum((1, 2, 3))

    groups = torch.arange(COUNT)
    assert torch.allclose(saliency(tiles(OfGroup(), groups), 9), torch.full((8, 8), 9.0))


def test_a_d_with_batch_norm_judges_a_copy_among_the_other_samples():
    torch.manual_seed(0)
    D = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(144, 1))

    class Judge(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = D

        def forward(self, images, groups):
            assert len(images) == COUNT
            return self.net(images)

    one, before = tiles(Judge()), {name: value.clone() for name, value in D.state_dict().items()}
    found = saliency(one, 5)
    copy = one.samples[5].clone().requires_grad_()
    with room.as_in_a_step(one.D):
        logit = one.D(torch.cat([one.samples[:5], copy[None], one.samples[6:]]), None)[5]
    (slope,) = torch.autograd.grad(logit.sum(), copy)
    alike = torch.cosine_similarity(found.flatten(), slope.flatten(), dim=0)
    assert alike > 0.8
    assert all(torch.equal(before[name], value) for name, value in D.state_dict().items())


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run on own images of 60 drawn pictures, with a checkpoint after three steps."""
    folder = tmp_path_factory.mktemp("own")
    rng = torch.Generator().manual_seed(2)
    for number in range(60):
        pixels = torch.randint(0, 256, (28, 28), dtype=torch.uint8, generator=rng)
        Image.fromarray(pixels.numpy()).save(folder / f"{number:02d}.png")
    return begin(tmp_path_factory.mktemp("run"), data=str(folder))


def begin(run_dir, **settings):
    config = RunConfig(**SMALL, **settings)
    data = engine.load(config)
    trainer = engine.build(config, data, CPU)
    trainer.advance(3)
    write_json(run_dir / "config.json", config.to_json())
    write_json(run_dir / "status.json", {"state": "running", "classes": list(trainer.classes)})
    write_json(run_dir / "data.json", identity.identify(data, config.conditional).to_json())
    save_state(run_dir / "state", trainer, {})
    return run_dir, trainer, data


def test_the_samples_are_those_of_the_sheet(run):
    run_dir, trainer, _ = run
    found = open_tiles(run_dir, trainer.config)
    assert torch.allclose(found.samples, trainer.sample_grid(), atol=1e-5)
    assert (found.step, found.images, found.groups) == (3, 24, None)


def test_each_sample_has_its_class_and_cluster(tmp_path):
    run_dir, trainer, _ = begin(tmp_path, data="digits", conditional=True, clusters=2)
    found = open_tiles(run_dir, trainer.config)
    trainer.sample_sheet(), trainer.measure()
    assert torch.equal(found.groups, trainer._signals.looks.tiles.groups)
    assert torch.allclose(found.samples, trainer.sample_grid(), atol=1e-5)
    assert look(run_dir, 63)["size"] == 28


def test_a_map_has_whole_numbers_for_each_pixel(run):
    found = json.loads(json.dumps(look(run[0], 4)))
    assert (found["step"], found["images"], found["size"]) == (3, 24, 28)
    assert len(found["map"]) == 28 * 28
    assert max(map(abs, found["map"])) == 100
    assert Image.open(io.BytesIO(base64.b64decode(found["sample"]))).size == (28, 28)


def test_a_copy_is_found_and_nearer_than_held_out_images(run, monkeypatch):
    run_dir, trainer, data = run
    copied = trainer.split.trained[:COUNT]
    samples = data.images[copied].float() / 127.5 - 1
    samples = torch.cat([samples, torch.full((COUNT - len(samples), 1, 28, 28), -1.0)])
    monkeypatch.setattr(room, "open_tiles", lambda *_: Tiles(trainer.D, samples, None, 3, 24))
    found = find_nearest(run_dir)
    assert (found["among"], found["of"], found["by"]) == (54, 54, "pixels, 16x16")
    sheet = Image.open(io.BytesIO(base64.b64decode(found["found"]))).convert("L")
    for place in (0, 17, 53):
        (at, distance), second, _ = found["tiles"][place]
        assert distance < 1e-3 < second[1]
        left, top = 28 * (at % 8), 28 * (at // 8)
        pixels = np.asarray(sheet.crop((left, top, left + 28, top + 28)))
        assert (pixels == data.images[copied[place], 0].numpy()).all()
    assert found["usual"] > 0.1
    assert (found["nearer"][0], found["nearer"][63]) == (0, 1), "a copy, and a black picture"


def test_held_out_images_are_never_among_the_nearest(run, monkeypatch):
    run_dir, trainer, data = run
    held = data.images[trainer.split.held_out].float() / 127.5 - 1
    samples = held.repeat(COUNT, 1, 1, 1)[:COUNT]
    monkeypatch.setattr(room, "open_tiles", lambda *_: Tiles(trainer.D, samples, None, 3, 24))
    assert min(pairs[0][1] for pairs in find_nearest(run_dir)["tiles"]) > 0.1


def test_only_images_that_the_run_trains_on_are_searched(tmp_path):
    run_dir = begin(tmp_path, data="digits", images=20)[0]
    found = find_nearest(run_dir)
    assert (found["among"], found["of"]) == (20, 20)
    assert found["usual"] > 0, "it goes by the images that are held out all the same"


def test_few_held_out_images_give_no_yardstick(run, monkeypatch):
    monkeypatch.setattr(room, "LEAST_HELD_OUT", 7)
    found = find_nearest(run[0])
    assert (found["usual"], found["nearer"]) == (None, None)


def test_a_large_set_is_searched_in_part(run, monkeypatch):
    monkeypatch.setattr(room, "AMONG", 10)
    found = find_nearest(run[0])
    assert (found["among"], found["of"]) == (10, 54)
    assert {len(pairs) for pairs in found["tiles"]} == {3}


def test_the_previous_checkpoint_stands_in_for_a_damaged_one(tmp_path):
    run_dir, trainer, _ = begin(tmp_path, data="digits")
    trainer.advance(1)
    save_state(run_dir / "state", trainer, {})
    (run_dir / "state" / NEWEST).write_bytes(b"damaged")
    assert open_tiles(run_dir, trainer.config).step == 3
    (run_dir / "state" / PREVIOUS).unlink()
    with pytest.raises(UserError) as caught:
        open_tiles(run_dir, trainer.config)
    assert caught.value.key == "runs.no_eyes"


def test_a_checkpoint_of_other_networks_is_refused_in_a_sentence(run):
    run_dir, trainer, _ = run
    with pytest.raises(UserError) as caught:
        open_tiles(run_dir, RunConfig(**{**SMALL, "width": 16}, data=trainer.config.data))
    assert caught.value.key == "runs.no_eyes"


def test_other_images_at_the_same_place_are_not_shown(run, tmp_path):
    run_dir, _, data = run
    other = json.loads((run_dir / "data.json").read_text())
    for name in ("marks", "file_marks"):
        other[name] = base64.b64encode(bytes(8 * len(data.images))).decode()
    for name in ("pixels", "content", "files"):
        other[name] = "0" * 64
    write_json(tmp_path / "data.json", other)
    for name in ("config.json", "status.json", "state"):
        (tmp_path / name).symlink_to(run_dir / name)
    with pytest.raises(UserError) as caught:
        find_nearest(tmp_path)
    assert caught.value.key == "train.pictures_changed"


class Prefers(nn.Module):
    """A D that rates images by the mean of their pixels, and each group from another zero."""

    def forward(self, images, groups):
        return images.mean((1, 2, 3)) + 100 * groups


def cut(sheet: str, place: int) -> np.ndarray:
    left, top = 28 * (place % 8), 28 * (place // 8)
    picture = Image.open(io.BytesIO(base64.b64decode(sheet))).convert("L")
    return np.asarray(picture.crop((left, top, left + 28, top + 28)))


def test_a_pair_is_a_held_out_image_and_a_sample_of_its_class_and_cluster(tmp_path, monkeypatch):
    run_dir, trainer, data = begin(tmp_path, data="digits", conditional=True, clusters=2)
    networks = room.open_networks(run_dir, trainer.config)
    assert torch.equal(networks.groups, trainer.groups)
    asked = []
    draw = networks.G.forward
    networks.G.forward = lambda z, labels: (asked.append((z, labels)), draw(z, labels))[1]
    monkeypatch.setattr(room, "open_networks", lambda *_: networks._replace(D=Prefers()))
    found = draw_pairs(run_dir)
    held = {data.images[row].numpy().tobytes(): int(row) for row in trainer.split.held_out}
    (z, labels), means = asked[0], []
    for pair, side in enumerate(found["real"]):
        real, fake = (cut(found["sheet"], 2 * pair + at) for at in (side, 1 - side))
        row = held[real.tobytes()]
        assert found["labels"][pair] == labels[pair] == data.labels[row]
        group = networks.G.class_conditioning().group(z[pair : pair + 1], labels[pair : pair + 1])
        assert group == trainer.groups[row]
        means.append((real.mean(), fake.mean()))
    assert len(means) == room.ROUNDS * room.GAMES
    assert 0 < sum(found["real"]) < len(means), "the real image is on either side"
    right = [(real > fake) == (side == by_d) for (real, fake), side, by_d in zip(
        means, found["real"], found["d"], strict=True)]  # fmt: skip
    assert all(right)


def test_a_game_needs_ten_held_out_images(run):
    with pytest.raises(UserError) as caught:
        draw_pairs(run[0])
    assert caught.value.key == "runs.few_pairs"


def test_images_that_are_gone_are_told(run, tmp_path):
    for name in ("status.json", "state"):
        (tmp_path / name).symlink_to(run[0] / name)
    config = json.loads((run[0] / "config.json").read_text())
    write_json(tmp_path / "config.json", {**config, "data": str(tmp_path / "gone.zip")})
    with pytest.raises(UserError) as caught:
        find_nearest(tmp_path)
    assert caught.value.key == "runs.images_gone"
    assert look(tmp_path, 3)["images"] == 24, "D needs no images for this"


def test_the_module_prints_json_or_an_error(run, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(room, "end_with", lambda parent: None)
    assert main([str(run[0]), "--tile", "4"]) == 0
    assert json.loads(capsys.readouterr().out)["images"] == 24
    assert main([str(run[0])]) == 0
    assert len(json.loads(capsys.readouterr().out)["tiles"]) == COUNT
    (tmp_path / "config.json").symlink_to(run[0] / "config.json")
    assert main([str(tmp_path)]) == 2
    assert json.loads(capsys.readouterr().out)["error"]["key"] == "runs.no_eyes"
