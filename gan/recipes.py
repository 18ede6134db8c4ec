"""Recipes and defaults: what fills a RunConfig in. A recipe is networks, loss, penalty and schedule.

A new recipe is one entry of RECIPES. It then appears in the page and in the terminal. This module does not
know what a data set contains, nor what a network looks like.
"""

import dataclasses
from typing import Any

from gan.config import RunConfig
from gan.errors import UserError

_STEADY: dict[str, Any] = {"architecture": "modern", "penalty": "r1"}

RECIPES: dict[str, dict[str, Any]] = {
    # R3GAN (Huang et al. 2024): relativistic pairing loss with both zero-centred penalties, on networks sized
    # for a CPU.
    "modern": {},
    # DCGAN (Radford et al. 2016) as textbooks print it: BCE, Adam 2e-4 with beta1 .5, z = 100, 64x64, no
    # penalty, no average. A batch of 32 where the paper has 128: a step then takes .7 s on two CPU cores, so
    # that one can watch it learn.
    "dcgan": {
        "architecture": "dcgan",
        "loss": "nonsaturating",
        "penalty": "none",
        "gamma": 0.0,
        "gamma_end": 1.0,
        "lr_g": 2e-4,
        "lr_d": 2e-4,
        "lr_end": 1.0,
        "beta1": 0.5,
        "beta2": 0.999,
        "batch": 32,
        "width": 64,
        "z_dim": 100,
        "ema": 0.0,
        "size": 64,
        "augment": "none",
        "flip": False,
        "conditional": False,
        "pixel": 1,
    },
    # The non-saturating loss of Goodfellow et al. 2014 with R1 (Mescheder et al. 2018), the pair behind
    # StyleGAN.
    "nonsaturating": {**_STEADY, "loss": "nonsaturating"},
    # Hinge loss (Lim and Ye 2017; SAGAN, BigGAN).
    "hinge": {**_STEADY, "loss": "hinge"},
    # LSGAN (Mao et al. 2017).
    "least_squares": {**_STEADY, "loss": "least_squares"},
    # WGAN-GP (Gulrajani et al. 2017): five critic steps to one of G, gamma 20 because gamma / 2 is the
    # weight, which is 10 in the paper.
    "wasserstein": {
        "architecture": "modern",
        "loss": "wasserstein",
        "penalty": "wgan_gp",
        "gamma": 20.0,
        "gamma_end": 1.0,
        "penalty_every": 1,
        "d_steps": 5,
        "lr_g": 5e-4,
        "lr_d": 5e-4,
        "beta2": 0.9,
    },
    # Projected GAN (Sauer et al. 2021): D looks through a pretrained network. For colour pictures; stop early
    # on small sets, long runs are known to collapse.
    "projected": {
        "architecture": "projected",
        "loss": "hinge",
        "penalty": "none",
        "gamma": 0.0,
        "gamma_end": 1.0,
        "penalty_every": 1,
        "lr_g": 5e-4,
        "lr_d": 5e-4,
        "augment": "color,translation,cutout",
    },
}

# On a processor these draw one flat colour in the minutes that people wait: two of two runs of three minutes,
# and of seven.
GPU_RECIPES = ("projected",)
USER_DATA = "own"  # the pictures that a person brings
_GREY_28 = ("digits", "fashion", "mnist", "fashion-mnist", "kmnist")
# What a data set wants different from the defaults above. Recipes come after it and win.
DATA_DEFAULTS: dict[str, dict[str, Any]] = {
    **{name: {"conditional": True} for name in _GREY_28},
    # Pixel art of 16x16 blocks: about 12 times the images/s of drawing all 64x64 pixels (9 to 15, side by
    # side), and sharp. With 8 times the gamma: no better.
    "faces": {"pixel": 4, "conditional": True, "gamma": 1.0, "penalty_every": 2},
    "emoji": {"gamma": 2.0, "penalty_every": 2, "augment": "color,translation,cutout"},
    "landscapes": {"gamma": 1.0, "penalty_every": 2, "flip": True},
    "cifar10": {"width": 64, "flip": True},
    "svhn": {"width": 64},
    "flowers102": {"gamma": 2.0, "flip": True, "augment": "color,translation,cutout"},
    "celeba": {"gamma": 1.0, "flip": True},
}
# What was found for one recipe on a data set, and need not suit the others: it comes after both. Digits,
# single runs on one CPU thread, by the coverage of 2,000 test pictures. 90 s: width 64 without labels .17,
# width 32 .25, with labels .68, at twice the learning rate .74. 84 s: with 10 clusters, batch 64 and a rate
# that stays, .72 became .85; 20 clusters .81. 420 s: .85 became .88, 20 clusters the same. 180 s of one CPU
# thread, Fréchet distance (FD) through EfficientNet. Emoji: blobs became flags, smileys and hearts, FD 3825
# became 2150 without labels and 2440 with them, by which one can choose what is drawn. Landscapes, by labels:
# gamma 1, width 16: 2010; width 24 with gamma .3: 1930, and mountains; with 10 clusters worse. Augmentation
# of emoji in three minutes, FD through the emoji net for none / always / when needed: of 100 pictures 96 /
# 193 / 117, of 500 41 / 74 / 68, of 583 52 / 128 / 87; without any, copies were not far off. How many
# pictures people bring is not known here, and where they are many it hardly ever augments.
TUNED: dict[tuple[str, str], dict[str, Any]] = {
    **{
        (name, "modern"): {
            "lr_g": 2e-3,
            "lr_d": 2e-3,
            "lr_end": 1.0,
            "batch": 64,
            "penalty_every": 2,
            "gamma": 0.2,
            "clusters": 10,
        }
        for name in _GREY_28
    },
    ("landscapes", "modern"): {"lr_g": 2e-3, "lr_d": 2e-3, "width": 24, "gamma": 0.3, "conditional": True},
    ("emoji", "modern"): {
        "lr_g": 2e-3,
        "lr_d": 2e-3,
        "width": 16,
        "clusters": 20,
        "conditional": True,
        "adaptive": True,
    },
    ("flowers102", "modern"): {"adaptive": True},
    (USER_DATA, "modern"): {"augment": "color,translation,cutout", "adaptive": True},
}


def make_config(
    data: str, recipe: str = "modern", native_size: int = 64, native_channels: int = 3, **overrides: Any
) -> RunConfig:
    """The config of a run: field defaults, then the data set's, the recipe's, what was found for both, then
    `overrides`, each winning over those before.

    native_size and native_channels are the data set's own; a recipe with a fixed size replaces the first.
    Raises UserError for an unknown recipe or field or an impossible value.
    """
    if recipe not in RECIPES:
        raise UserError("config.unknown_recipe", name=recipe, choices=", ".join(RECIPES))
    known = {field.name for field in dataclasses.fields(RunConfig)}
    for name in overrides:
        if name not in known:
            raise UserError("config.unknown_field", name=name)
    defaults = {
        **DATA_DEFAULTS.get(data, {}),
        **RECIPES[recipe],
        **TUNED.get((data if data in DATA_DEFAULTS else USER_DATA, recipe), {}),
    }
    merged = {"size": native_size, "channels": native_channels, **defaults, **overrides}
    return RunConfig(**{**merged, "data": data, "recipe": recipe})
