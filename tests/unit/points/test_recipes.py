"""Test settings and recipes of runs on points."""

import dataclasses
import json

import pytest

from gan.errors import UserError
from gan.kinds.points.recipes import RECIPES, PointsConfig, make_config


@pytest.mark.parametrize("recipe", RECIPES)
def test_every_recipe_survives_its_own_json(recipe):
    config = make_config("ring8", recipe, seed=3)
    assert PointsConfig.from_json(json.loads(json.dumps(config.to_json()))) == config
    assert (config.data, config.recipe, config.seed) == ("ring8", recipe, 3)


def test_every_recipe_sets_what_differs_from_the_defaults_and_nothing_else():
    defaults = PointsConfig().to_json()
    for name, settings in RECIPES.items():
        assert {field: value for field, value in settings.items() if defaults[field] == value} == {}, name


def test_each_field_has_help_and_its_default_lies_within_its_limits():
    for field in dataclasses.fields(PointsConfig):
        assert field.metadata["help"].endswith(".")
    PointsConfig()


@pytest.mark.parametrize(
    ("key", "settings"),
    [
        ("config.range", {"batch": 1}),
        ("config.range", {"lr_g": 1.0}),
        ("config.range", {"depth": 9}),
        ("config.not_a_number", {"gamma": float("nan")}),
        ("config.not_whole", {"steps": 1.5}),
        ("config.not_text", {"data": 3}),
        ("config.choice", {"loss": "magic"}),
        ("config.penalty_loss", {"penalty": "wgan_gp"}),
        ("config.unknown_recipe", {"recipe": "dcgan"}),
        ("config.unknown_field", {"size": 64}),
    ],
)
def test_impossible_settings_are_refused_in_a_sentence(key, settings):
    with pytest.raises(UserError) as caught:
        make_config(**settings)
    assert caught.value.key == key


@pytest.mark.parametrize(
    "value", [None, [], {}, {"data": "grid25"}, {**PointsConfig().to_json(), "size": 64}]
)
def test_settings_of_another_version_are_refused(value):
    with pytest.raises(UserError) as caught:
        PointsConfig.from_json(value)
    assert caught.value.key == "config.other_version"
