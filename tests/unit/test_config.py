"""Test RunConfig: merging, validation, and its JSON."""

import dataclasses
import math

import pytest

from gan.config import ARCHITECTURES, AUGMENTS, RunConfig
from gan.data import catalogue
from gan.errors import UserError
from gan.recipes import DATA_DEFAULTS, FAILING, RECIPES, TUNED, USER_DATA, make_config
from gan.worker.doctor import read_rules


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("data", ["digits", "emoji", "holiday.zip"])
def test_every_recipe_makes_a_config_that_survives_its_own_json(recipe, data):
    config = make_config(data, recipe, 28, 1)
    assert RunConfig.from_json(config.to_json()) == config
    assert (config.data, config.recipe) == (data, recipe)


def test_recipes_that_fail_say_what_the_doctor_calls_it():
    assert set(FAILING) < set(RECIPES)
    assert set(FAILING.values()) <= {rule.key for rule in read_rules().rules} | {"diverged"}


def test_few_images_fill_a_batch():
    with pytest.raises(UserError, match=r"batch.*64.*50"):
        make_config("digits", "modern", 28, 1, images=50)
    assert make_config("digits", "modern", 28, 1, images=64).images == 64


def test_the_textbook_recipe_is_the_classic_one_on_every_data_set():
    for data in ("digits", "emoji", "landscapes", "unknown"):
        config = make_config(data, "dcgan", 28, 1)
        facts = (
            config.size,
            config.channels,
            config.z_dim,
            config.lr_g,
            config.lr_d,
            config.beta1,
            config.loss,
            config.penalty,
            config.width,
            config.augment,
        )
        assert facts == (64, 1, 100, 2e-4, 2e-4, 0.5, "nonsaturating", "none", 64, "none")


def test_the_modern_recipe_uses_the_pictures_own_size_and_both_penalties():
    config = make_config("digits", "modern", 28, 1)
    assert (config.size, config.channels, config.loss, config.penalty) == (28, 1, "relativistic", "r1r2")
    assert config.ema > 0


@pytest.mark.parametrize(("name", "recipe"), TUNED)
def test_what_was_found_for_one_recipe_on_a_data_set_leaves_the_others_alone(name, recipe):
    found = make_config(name, recipe)
    assert all(getattr(found, field) == value for field, value in TUNED[name, recipe].items())
    for other in set(RECIPES) - {recipe}:
        expected = {**DATA_DEFAULTS.get(name, {}), **RECIPES[other]}
        plain = make_config("unknown", other)
        for field in TUNED[name, recipe]:
            assert getattr(make_config(name, other), field) == expected.get(field, getattr(plain, field)), (
                other,
                field,
            )
    assert make_config(name, recipe, lr_g=3e-3).lr_g == 3e-3


def test_own_pictures_are_augmented_when_needed_and_known_ones_as_was_found():
    assert set(catalogue()) == set(DATA_DEFAULTS)
    for name in (USER_DATA, "/home/me/cats.zip"):
        assert (make_config(name).augment, make_config(name).adaptive) == ("color,translation,cutout", True)
    assert make_config("celeba").augment == "none"


def test_overrides_win():
    assert make_config("digits", "dcgan", batch=16, lr_g=1e-4).batch == 16


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("config.pixel", {"pixel": 4, "size": 28}),
        ("config.pixel", {"recipe": "dcgan", "pixel": 2}),
        ("config.range", {"batch": 1}),
        ("config.range", {"lr_g": 1.0}),
        ("config.not_a_number", {"lr_g": math.nan}),
        ("config.not_a_number", {"minutes": math.inf}),
        ("config.not_whole", {"batch": 16.5}),
        ("config.not_whole", {"batch": True}),
        ("config.not_yes_no", {"flip": 1}),
        ("config.not_whole", {"seed": "7"}),
        ("config.choice", {"size": 48}),
        ("config.choice", {"loss": "magic"}),
        ("config.choice", {"channels": 4}),
        ("config.unknown_field", {"momentum": 1}),
        ("config.penalty_loss", {"penalty": "wgan_gp"}),
        ("config.dcgan_size", {"recipe": "dcgan", "size": 28}),
        ("config.unknown_recipe", {"recipe": "alchemy"}),
    ],
)
def test_impossible_settings_are_refused_in_a_sentence(key, values):
    with pytest.raises(UserError) as caught:
        make_config("digits", **values)
    assert caught.value.key == key
    assert str(caught.value).endswith((".", "}"))


@pytest.mark.parametrize("change", [lambda v: v.pop("seed"), lambda v: v.update(extra=1)])
def test_a_config_of_another_version_is_refused(change):
    value = make_config("digits").to_json()
    change(value)
    with pytest.raises(UserError) as caught:
        RunConfig.from_json(value)
    assert caught.value.key == "config.other_version"


@pytest.mark.parametrize("value", [None, [], "text", 3])
def test_a_config_that_is_no_object_is_refused(value):
    with pytest.raises(UserError):
        RunConfig.from_json(value)


def test_the_config_names_exactly_what_the_engine_has():
    from gan import models, objectives
    from gan.train import losses
    from gan.train.inputs import augment

    assert list(losses.LOSSES) == list(objectives.LOSSES)
    assert list(losses.PENALTIES) == list(objectives.PENALTIES)
    assert set(AUGMENTS) == set(augment.AUGMENTS)
    assert set(ARCHITECTURES) == set(models.ARCHITECTURES)


def test_every_field_explains_itself_in_a_line():
    for field in dataclasses.fields(RunConfig):
        assert 10 < len(field.metadata["help"]) < 140, field.name
