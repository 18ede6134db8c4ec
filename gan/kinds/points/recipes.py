"""The settings of a run on points, and the recipes that fill them in. This module does not import torch."""

from dataclasses import dataclass, replace
from typing import Any, ClassVar

from gan.config import Settings, setting, tracker
from gan.errors import UserError
from gan.objectives import LOSSES, PENALTIES

NAMES = ("grid25", "ring8", "moons", "spiral")  # the sets that data.py draws; the place is the seed
COUNT = 50_000  # points of such a set


@dataclass(frozen=True)
class PointsConfig(Settings):
    """All settings that determine a run on points. Build it with `make_config`.

    The constructor raises UserError for an impossible setting.
    """

    kind: ClassVar[str] = "points"

    data: str = setting(
        "grid25", f"Points to learn from: {', '.join(NAMES)}, or the path of a file with two columns."
    )
    points: int = setting(
        0, "Learns from this many of the points alone: to see what few do. 0: all.", min=0, max=10_000_000
    )
    recipe: str = setting("modern", "The recipe that filled in the settings below.")
    minutes: float = setting(
        1.0, "Training time in minutes. Every schedule ends with it.", min=0.05, max=1440
    )
    steps: int = setting(0, "Training steps, instead of a time. 0: the time decides.", min=0, max=10_000_000)
    loss: str = setting("relativistic", "The adversarial loss of G and D.", choices=tuple(LOSSES))
    penalty: str = setting(
        "r1r2",
        (
            "The gradient penalty that keeps D smooth: on real points (R1), also on fakes (R2), or between "
            "the two (WGAN-GP)."
        ),
        choices=tuple(PENALTIES),
    )
    gamma: float = setting(
        0.02, "Weight of the penalty at the start: more is more stable, less is sharper.", min=0, max=1000
    )
    gamma_end: float = setting(
        0.001, "Gamma at the end of the run, as a fraction of gamma at the start.", min=0.0001, max=1
    )
    d_steps: int = setting(1, "How many times D is updated in each step.", min=1, max=10)
    g_steps: int = setting(1, "How many times G is updated in each step.", min=1, max=10)
    lr_g: float = setting(2e-3, "Adam's learning rate for G.", min=1e-6, max=0.1)
    lr_d: float = setting(2e-3, "Adam's learning rate for D.", min=1e-6, max=0.1)
    lr_end: float = setting(
        0.01, "Learning rate at the end of the run, as a fraction of the initial one.", min=0.001, max=1
    )
    beta1: float = setting(0.5, "Adam β1, its momentum. Small values suit GANs.", min=0, max=0.99)
    beta2: float = setting(0.99, "Adam β2, the decay of its second moment.", min=0.5, max=0.9999)
    batch: int = setting(
        256, "Real points per update of D: more is more stable, fewer is faster.", min=2, max=4096
    )
    width: int = setting(
        128, "Units of each hidden layer: wider learns more and trains slower.", min=4, max=512
    )
    depth: int = setting(2, "Hidden layers of each network.", min=2, max=6)
    z_dim: int = setting(4, "Entries of the latent vector z.", min=1, max=64)
    ema: float = setting(
        10.0,
        "Half-life of the averaged generator (EMA), in thousands of points. 0 shows G as it is.",
        min=0,
        max=10_000,
    )
    seed: int = setting(
        0,
        "Seed of all randomness: the same seed, settings and machine give the same run.",
        min=0,
        max=2**31 - 1,
    )
    track: str = tracker()

    def __post_init__(self) -> None:
        super().__post_init__()
        if 0 < self.points < self.batch:
            raise UserError("points.batch", batch=self.batch, count=self.points)

    @property
    def budget_images(self) -> int:
        """Real points after which the run ends; 0 if it ends by time."""
        return self.steps * self.batch * self.d_steps

    @property
    def kimg(self) -> float:
        """The same in thousands, under the name that runs of images give it: the queue estimates with it."""
        return self.budget_images / 1000

    def longer(self, more: float) -> "PointsConfig":
        """Return the config with a larger budget. more: minutes, or thousands of steps if they decide."""
        if self.steps:
            return replace(self, steps=self.steps + round(1000 * more))
        return replace(self, minutes=self.minutes + more)


# Settings tried with "modern" on grid25: seed 0 alone, 10,000 samples. The share between two modes limits the
# quality. It falls with the speed at which G's first layer becomes steep, which GAIN of models.py sets.
#
#     networks and settings                          steps   modes   high quality
#     plain LeakyReLU pair, rates 1e-3, gamma .001   2,500   21      .20
#     the defaults with a gain of 300                2,000   25      .911
#     the same with frequencies of 5 and 20          2,000   25      .897
#     the same with a steepness of 60                1,000   25      .594
#     a gain of 1,000                                1,000   25      .895
#     a gain of 3,000, beta1 0                       1,000   25      .486
#     a gain of 3,000, z of 2                        1,000   20      .971
#     the defaults, a gain of 3,000                  1,000   25      .912
#     the same                                       3,000   25      .981
#     the same, rates 1e-3                           3,000   25      .974, of 2,500 samples
#     a gain of 10,000                               3,000   25      .994, the rarest mode at .31 of its share
_STEADY: dict[str, Any] = {"penalty": "r1"}
_UNBOUND: dict[str, Any] = {"penalty": "none", "gamma": 0.0, "gamma_end": 1.0, "lr_end": 1.0}

# A recipe sets loss, penalty and schedule. A new one is one entry.
RECIPES: dict[str, dict[str, Any]] = {
    # R3GAN (Huang et al. 2024): relativistic pairing loss with both zero-centred penalties.
    "modern": {},
    # The non-saturating loss (Goodfellow et al. 2014) with R1 (Mescheder et al. 2018).
    "nonsaturating": {**_STEADY, "loss": "nonsaturating"},
    # Hinge loss (Lim and Ye 2017).
    "hinge": {**_STEADY, "loss": "hinge"},
    # LSGAN (Mao et al. 2017).
    "least_squares": {**_STEADY, "loss": "least_squares"},
    # WGAN-GP (Gulrajani et al. 2017): five updates of D for one of G. The weight is gamma / 2, so gamma 20 is
    # the paper's 10.
    "wasserstein": {
        "loss": "wasserstein",
        "penalty": "wgan_gp",
        "gamma": 20.0,
        "gamma_end": 1.0,
        "d_steps": 5,
        "lr_g": 5e-4,
        "lr_d": 5e-4,
        "beta2": 0.9,
    },
    # What fails on demand, for teaching: see FAILING. Three names are those of recipes of images.
    "d_wins": {**_UNBOUND, "loss": "nonsaturating", "lr_d": 1e-2, "lr_g": 1e-5, "d_steps": 10},
    "blind": {"gamma": 300.0, "gamma_end": 1.0, "lr_end": 1.0},
    "few": {**_UNBOUND, "points": 12, "batch": 12, "ema": 0.0},
    "diverge": {**_UNBOUND, "loss": "wasserstein", "lr_d": 0.1, "lr_g": 0.1},
    # Mode collapse on demand. G learns 20 times as fast as D and has ten updates to D's one. D's features are
    # periodic. With greater rates G flies out of the data, and nothing brings it back.
    "collapse": {
        **_UNBOUND,
        "loss": "nonsaturating",
        "g_steps": 10,
        "lr_g": 1e-4,
        "lr_d": 5e-6,
        "beta1": 0.0,
        "z_dim": 2,
    },
}


# Recipe -> what the page says of it: a verdict of gan/worker/health.py, or "diverged".
FAILING = {
    "d_wins": "d_strong",
    "blind": "d_blind",
    "few": "overfit",
    "diverge": "diverged",
    "collapse": "collapsed_modes",
}


def make_config(data: str = "grid25", recipe: str = "modern", **overrides: Any) -> PointsConfig:
    """Return the config of a run: field defaults, overridden by the recipe, overridden by `overrides`.

    Raises UserError for an unknown recipe or field, or an impossible value.
    """
    PointsConfig.refuse_unknown(recipe, RECIPES, overrides)
    return PointsConfig(**{**RECIPES[recipe], **overrides, "data": data, "recipe": recipe})
