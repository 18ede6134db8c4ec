"""Fill a RunConfig in from recipes and defaults. A recipe sets networks, loss, penalty and schedule.

A new recipe is one entry of RECIPES; the page and the terminal then offer it. This module knows neither the
content of a data set nor the networks.
"""

from typing import Any

from gan.config import RunConfig

_STEADY: dict[str, Any] = {"architecture": "modern", "penalty": "r1"}
# DCGAN (Radford et al. 2016) as in textbooks: BCE, Adam 2e-4 with beta1 .5, z = 100, 64x64, no penalty,
# no EMA. The batch is 32, not the paper's 128. A step then takes .7 s on two CPU cores, so that people
# can watch it learn.
_DCGAN: dict[str, Any] = {
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
}

# What the recipes that fail have in common: no labels, as a person's own images have none, and steady rates.
_TO_FAIL: dict[str, Any] = {
    "architecture": "modern",
    "conditional": False,
    "clusters": 1,
    "batch": 32,
    "lr_g": 2e-3,
    "lr_d": 2e-3,
    "lr_end": 1.0,
    "augment": "none",
    "flip": False,
}
_UNBOUND: dict[str, Any] = {"penalty": "none", "gamma": 0.0}

RECIPES: dict[str, dict[str, Any]] = {
    # R3GAN (Huang et al. 2024): relativistic pairing loss with both zero-centred penalties (R1, R2), on
    # networks sized for a CPU.
    "modern": {},
    "dcgan": _DCGAN,
    # The same, narrower and at 32x32: one layer less in each network, half the channels. Digits, one thread
    # (seconds of CPU), 2,000 samples against 2,000 of the training images, through the digits net:
    #     s      images/s        coverage              classes     the published pair, one seed
    #     15     702, 866        .009, .030            1, 3        grey
    #     30     733, 841        .138, .129            10, 10      grey
    #     60     666, 832        .228, .254            10, 10      stripes (2,900 images)
    #     120    646, 794        .296, .373            10, 10      blobs (5,400 images, 108 s)
    #     180    743             .400                  10
    # Seeds 1 and 0; seed 1 shared the machine with other work.
    "dcgan_small": {**_DCGAN, "size": 32, "width": 32},
    # The non-saturating loss (Goodfellow et al. 2014) with R1 (Mescheder et al. 2018), as in StyleGAN.
    "nonsaturating": {**_STEADY, "loss": "nonsaturating"},
    # Hinge loss (Lim and Ye 2017; SAGAN, BigGAN).
    "hinge": {**_STEADY, "loss": "hinge"},
    # LSGAN (Mao et al. 2017).
    "least_squares": {**_STEADY, "loss": "least_squares"},
    # WGAN-GP (Gulrajani et al. 2017): five updates of D for one of G. The weight is gamma / 2, so gamma 20 is
    # the paper's 10.
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
    # Projected GAN (Sauer et al. 2021): D works on the features of a pretrained network. For colour images.
    # Stop early on small sets, because long runs collapse.
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
    # Six that fail on demand, for teaching: see FAILING.
    "d_wins": {
        **_TO_FAIL,
        **_UNBOUND,
        "loss": "nonsaturating",
        "lr_d": 2e-3,
        "lr_g": 1e-4,
        "d_steps": 3,
    },
    "g_wins": {**_TO_FAIL, "lr_g": 1e-2, "lr_d": 1e-4, "gamma": 0.2},
    "blind": {**_TO_FAIL, "gamma": 300.0, "gamma_end": 1.0},
    "overfit": {**_TO_FAIL, **_UNBOUND, "images": 50},
    "memorise": {**_TO_FAIL, **_UNBOUND, "images": 12, "batch": 8, "ema": 0.0},
    "diverge": {**_TO_FAIL, **_UNBOUND, "loss": "wasserstein", "lr_g": 5e-2, "lr_d": 5e-2},
}
# Recipe -> what the doctor says of it (a rule of gan/worker/rules.json, or "diverged").
FAILING = {
    "d_wins": "d_strong",
    "g_wins": "d_blind",
    "blind": "d_blind",
    "overfit": "overfit",
    "memorise": "memorising",
    "diverge": "diverged",
}

# On a CPU these draw one flat colour in the minutes that people wait: in both runs of three minutes, and in
# both of seven.
GPU_RECIPES = ("projected",)
USER_DATA = "own"  # a user's own images
_GREY_28 = ("digits", "fashion", "mnist", "fashion-mnist", "kmnist", "omniglot")
# Settings of a data set that differ from the field defaults. A recipe overrides them.
DATA_DEFAULTS: dict[str, dict[str, Any]] = {
    **{name: {"conditional": True} for name in _GREY_28},
    # Pixel art of 16x16 blocks: sharp, and about 12 times (9 to 15) the images/s of generating all 64x64
    # pixels. 8 times the gamma was no better.
    "faces": {"pixel": 4, "conditional": True, "gamma": 1.0, "penalty_every": 2},
    "emoji": {"gamma": 2.0, "penalty_every": 2, "augment": "color,translation,cutout"},
    "landscapes": {"gamma": 1.0, "penalty_every": 2, "flip": True},
    "cifar10": {"width": 64, "flip": True},
    "svhn": {"width": 64},
    "flowers102": {"gamma": 2.0, "flip": True, "augment": "color,translation,cutout"},
    "celeba": {"gamma": 1.0, "flip": True},
}
# Settings tuned for one recipe on one data set. They override both, and need not suit other recipes.
#
# Digits: coverage of 2,000 test images (more is better), single runs on one CPU thread.
#    90 s   width 64, no labels               .17
#           width 32, no labels               .25
#           width 32, labels                  .68
#           the same, twice the learning rate .74
#    84 s   before                            .72
#           10 clusters, batch 64, lr_end 1   .85
#           20 clusters                       .81
#   420 s   before                            .85
#           10 or 20 clusters                 .88
#
# Emoji and landscapes: Fréchet distance (FD) through EfficientNet (less is better), 180 s, one CPU thread.
#   emoji        before                       3825   blobs
#                no labels                    2150   flags, smileys, hearts
#                labels (used)                2440   people can choose the class
#   landscapes   labels, gamma 1, width 16    2010
#                labels, gamma .3, width 24   1930   mountains; 10 clusters are worse
#
# Augmentation of emoji: FD through the emoji net, 180 s. Without augmentation, samples were close to copies.
#   images   none   always   adaptive
#      100     96      193        117
#      500     41       74         68
#      583     52      128         87
# The number of a user's images is unknown here. On a large set, adaptive augmentation rarely augments.
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
    """Return the config of a run.

    Each of these overrides the ones before: field defaults, the data set's settings, the recipe's, TUNED,
    `overrides`. native_size and native_channels are the data set's own; a recipe with a fixed size overrides
    the first. Raises UserError for an unknown recipe or field, or an impossible value.
    """
    RunConfig.refuse_unknown(recipe, RECIPES, overrides)
    defaults = {
        **DATA_DEFAULTS.get(data, {}),
        **RECIPES[recipe],
        **TUNED.get((data if data in DATA_DEFAULTS else USER_DATA, recipe), {}),
    }
    merged = {"size": native_size, "channels": native_channels, **defaults, **overrides}
    return RunConfig(**{**merged, "data": data, "recipe": recipe})
