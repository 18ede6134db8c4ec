"""Test what a run loads of the model that it starts from, and what it records."""

import dataclasses
import hashlib
import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from gan.errors import UserError
from gan.export.card import history, named
from gan.files import read_json, write_json
from gan.latent.catalogue import read_run
from gan.latent.origins import find_origin, origin_of
from gan.models import build_generator, save_generator
from gan.spec import FORMAT
from gan.train.checkpoint import NEWEST, save_state
from gan.train.origin import DISCRIMINATOR, GENERATOR, START, describe, note_beginning
from gan.train.start import load_start
from gan.train.trainer import Trainer
from tests.support.engine import CPU, tiny_config, tiny_data

NAMES = ("a", "b", "c")


def trained(run, recipe="modern", **overrides):
    """Write a run of two steps, as a worker leaves it, and return its trainer."""
    config = tiny_config(recipe, **{"conditional": True, **overrides})
    trainer = Trainer(config, tiny_data(size=config.size, channels=config.channels), CPU)
    trainer.advance(2)
    save_state(run / "state", trainer, {})
    save_generator(run / "live.safetensors", trainer.ema, trainer.spec)
    write_json(run / "config.json", config.to_json())
    write_json(run / "status.json", {"state": "finished", "classes": list(trainer.classes)})
    return trainer


def begun(run, target, classes=NAMES, **overrides):
    """Return a new trainer that has loaded the run's model, and what it loaded."""
    entry = read_run(f"run:{run.name}", run)
    origin_of(entry).copy_to(target)
    config = tiny_config(**{"conditional": True, "seed": 3, **overrides})
    data = dataclasses.replace(tiny_data(classes=len(classes)), classes=classes)
    fresh, trainer = (Trainer(config, data, CPU) for _ in range(2))
    return fresh, trainer, load_start(trainer, target / START, entry.classes)


def equal(some, others):
    return {name: torch.equal(tensor, others[name]) for name, tensor in some.items()}


def test_a_run_like_it_has_all_its_weights_and_new_optimizers(tmp_path):
    before = trained(tmp_path / "a")
    _, trainer, found = begun(tmp_path / "a", tmp_path / "b")
    assert found == ("loaded", "loaded")
    halves = {name: tensor.half().float() for name, tensor in before.ema.state_dict().items()}
    loaded = trainer.G.state_dict()
    assert all(equal({name: loaded[name] for name in halves if "num_batches" not in name}, halves).values())
    assert all(equal(trainer.ema.state_dict(), loaded).values())
    assert all(equal(trainer.D.state_dict(), before.D.state_dict()).values())
    assert (trainer.step, trainer.opt_g.tensors(), trainer.opt_d.tensors()) == (0, {}, {})
    trainer.advance(1)
    assert trainer.healthy()


@pytest.mark.parametrize("recipe", ["modern", "dcgan"])
@pytest.mark.parametrize(
    ("theirs", "ours", "classes"),
    [
        ({}, {}, ("a", "b", "z")),  # other classes
        ({}, {}, ("a", "b")),
        ({}, {"clusters": 2}, NAMES),
        ({"clusters": 2}, {"conditional": False}, NAMES),
        ({"conditional": False}, {"clusters": 2}, NAMES),
    ],
)
def test_other_classes_and_clusters_begin_anew_and_the_rest_is_loaded(
    recipe, theirs, ours, classes, tmp_path
):
    size = {"size": 64, "z_dim": 100} if recipe == "dcgan" else {}
    run = tmp_path / "a"
    before = trained(run, recipe, **size, **theirs)
    entry = read_run("run:a", run)
    origin_of(entry).copy_to(tmp_path / "b")
    config = tiny_config(recipe, **{**size, "conditional": True, "seed": 3, **ours})
    data = dataclasses.replace(
        tiny_data(size=config.size, channels=config.channels, classes=len(classes)), classes=classes
    )
    fresh, trainer = (Trainer(config, data, CPU) for _ in range(2))
    found = load_start(trainer, tmp_path / "b" / START, entry.classes)
    assert found == ("loaded", "anew")
    for mine, new, old, anew in (
        (trainer.G, fresh.G, before.ema, "conditioning."),
        (trainer.D, fresh.D, before.D, "projection."),
    ):
        kept = equal(mine.state_dict(), new.state_dict())
        assert all(same for name, same in kept.items() if name.startswith(anew))
        like = {name: t for name, t in mine.state_dict().items() if not name.startswith(anew)}
        others = {
            name: t
            for name, t in old.state_dict().items()
            if name in like and t.shape == like[name].shape and t.is_floating_point()
        }
        assert len(others) >= len(like) / 2
        for name, tensor in others.items():
            torch.testing.assert_close(like[name], tensor, rtol=1e-3, atol=1e-3)
    trainer.advance(1)
    assert trainer.healthy()


def test_without_classes_the_first_layer_still_reads_z_as_the_model_does(tmp_path):
    before = trained(tmp_path / "a")
    _, trainer, found = begun(tmp_path / "a", tmp_path / "b", conditional=False)
    assert found.conditioning == "anew"
    width = trainer.spec.z_dim
    torch.testing.assert_close(
        trainer.G.dense.weight, before.ema.dense.weight[:, :width], rtol=1e-3, atol=1e-3
    )


def test_a_model_without_a_discriminator_leaves_d_as_it_was(tmp_path):
    trained(tmp_path / "a")
    (tmp_path / "a" / "state" / NEWEST).unlink()
    fresh, trainer, found = begun(tmp_path / "a", tmp_path / "b")
    assert found.discriminator == "anew"
    assert all(equal(trainer.D.state_dict(), fresh.D.state_dict()).values())
    assert not all(equal(trainer.G.state_dict(), fresh.G.state_dict()).values())


def test_a_discriminator_beside_the_generator_is_loaded(tmp_path):
    """Test the form in which a repository holds it."""
    before = trained(tmp_path / "a")
    (tmp_path / "a" / "state" / NEWEST).unlink()
    halves = {
        name: t.half().contiguous() if t.is_floating_point() else t
        for name, t in before.D.state_dict().items()
    }
    model = {"format": FORMAT, "model": json.dumps(before.spec.to_json())}
    save_file(halves, tmp_path / "a" / DISCRIMINATOR, model)
    _, trainer, found = begun(tmp_path / "a", tmp_path / "b")
    assert found.discriminator == "loaded"
    assert torch.equal(trainer.D.head.weight, halves["head.weight"].float())


@pytest.mark.parametrize(
    ("spoil", "key"),
    [
        (lambda t: t | {"head.weight": t["head.weight"][:1].clone()}, "models.damaged"),
        (lambda t: {name: value for name, value in t.items() if name != "head.bias"}, "models.damaged"),
        (lambda t: t | {"head.bias": t["head.bias"] * float("nan")}, "models.not_finite"),
    ],
)
def test_a_discriminator_of_other_networks_is_refused(spoil, key, tmp_path):
    before = trained(tmp_path / "a")
    begun(tmp_path / "a", tmp_path / "b")
    file = tmp_path / "b" / START / DISCRIMINATOR
    save_file(spoil(load_file(file)), file, {"format": FORMAT, "model": json.dumps(before.spec.to_json())})
    with pytest.raises(UserError) as refused:
        load_start(Trainer(before.config, tiny_data(), CPU), tmp_path / "b" / START, NAMES)
    assert refused.value.key == key


@pytest.mark.parametrize(
    ("change", "key", "name"),
    [
        ({"width": 16}, "start.shape", "width"),
        ({"z_dim": 8}, "start.shape", "z_dim"),
        ({"channels": 3}, "start.shape", "channels"),
        ({"size": 32}, "start.shape", "size"),
        ({"size": 32, "pixel": 2}, "start.shape", "size"),
        ({"architecture": "projected"}, "start.shape", "architecture"),
    ],
)
def test_other_shapes_are_told_in_a_sentence(change, key, name, tmp_path):
    trained(tmp_path / "a")
    origin = origin_of(read_run("run:a", tmp_path / "a"))
    origin.refuse_other_shape(tiny_config(clusters=5))
    with pytest.raises(UserError) as refused:
        origin.refuse_other_shape(dataclasses.replace(tiny_config(), **change))
    assert (refused.value.key, refused.value.values["name"]) == (key, name)
    assert origin.title in str(refused.value)


def test_the_average_of_a_trained_generator_needs_no_ramp():
    new, tuned = (
        Trainer(tiny_config(start_from=start, ema=2.0), tiny_data(), CPU) for start in ("", "shipped:digits")
    )
    assert new._ema_decay() == 0.0
    assert tuned._ema_decay() == pytest.approx(0.5 ** (8 / 2000))


def test_the_record_names_the_model_its_digest_and_what_came_before(tmp_path):
    trained(tmp_path / "a")
    digits = find_origin("digits")
    digits.copy_to(tmp_path / "a")
    note_beginning(tmp_path / "a", "anew", "anew")
    origin_of(read_run("run:a", tmp_path / "a")).copy_to(tmp_path / "b")
    note_beginning(tmp_path / "b", "loaded", "loaded")
    copy = (tmp_path / "b" / START / GENERATOR).read_bytes()
    assert copy == (tmp_path / "a" / "live.safetensors").read_bytes()
    card = history(tmp_path / "b")["started_from"]
    shipped = hashlib.sha256(digits.weights.read_bytes()).hexdigest()
    assert card == {
        "id": "run:a",
        "title": "a",
        "weights": hashlib.sha256(copy).hexdigest(),
        "data": "tiny",
        "earlier": [{"id": "shipped:digits", "title": "Digits", "weights": shipped}],
        "discriminator": "loaded",
        "classes": "loaded",
    }
    assert named(card) == f"a (SHA-256 {card['weights']})"
    assert str(tmp_path) not in json.dumps(read_json(tmp_path / "b" / START / "origin.json"))
    assert describe(tmp_path / "c") is None
    assert history(tmp_path / "c") == {}


def test_the_file_of_a_shipped_model_is_its_digest_in_the_card_of_what_began_with_it(tmp_path):
    """Test that anybody can compare the digest with a file."""
    found = find_origin("shipped:digits")
    found.copy_to(tmp_path)
    assert describe(tmp_path)["weights"] == hashlib.sha256(found.weights.read_bytes()).hexdigest()
    assert not (tmp_path / START / DISCRIMINATOR).exists()
    assert build_generator(found.spec) is not None
