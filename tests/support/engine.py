"""Make the tiny data sets, configs and trainers of several engine tests."""

import torch

from gan.config import RunConfig
from gan.data.dataset import Dataset
from gan.device import Device
from gan.recipes import FAILING, RECIPES, make_config
from gan.train.trainer import Trainer

CPU = Device("cpu", "CPU", 1)
# Recipes that fail on purpose have the networks of others, and differ in numbers.
SOUND = tuple(name for name in RECIPES if name not in FAILING)


def tiny_data(count: int = 64, size: int = 28, channels: int = 1, classes: int = 3) -> Dataset:
    """Return labelled random noise: enough to train on for some steps."""
    rng = torch.Generator().manual_seed(5)
    images = torch.randint(0, 256, (count, channels, size, size), dtype=torch.uint8, generator=rng)
    return Dataset("tiny", images, torch.arange(count) % classes, tuple("abcdefgh"[:classes]), {})


def tiny_config(recipe: str = "modern", **overrides) -> RunConfig:
    """Return a config that trains in milliseconds a step."""
    defaults = {"width": 8, "z_dim": 6, "batch": 8, "kimg": 1.0, "augment": "none", "adaptive": False}
    return make_config("tiny", recipe, 28, 1, **{**defaults, **overrides})


def tiny_trainer(recipe: str = "modern", **overrides) -> Trainer:
    """Return a trainer of tiny_config on tiny_data of the config's shape."""
    config = tiny_config(recipe, **overrides)
    return Trainer(config, tiny_data(size=config.size, channels=config.channels), CPU)
