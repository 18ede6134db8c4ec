"""What a run on points is: one frozen, validated PointsConfig, and the table of recipes that fills it in.

The counterpart of gan/config.py. Each field's limits and its line of help stand beside it. This module
imports no torch.
"""

import dataclasses
from dataclasses import dataclass
from typing import Any

from gan.config import _check
from gan.kinds.points.messages import PointsError
from gan.objectives import LOSSES, PENALTIES


def _field(default: Any, text: str, **limits: Any) -> Any:
    return dataclasses.field(default=default, metadata={"help": text, **limits})


@dataclass(frozen=True)
class PointsConfig:
    """Everything that decides how a run on points goes. Build it with `make_config`.

    The constructor raises UserError for an impossible setting.
    """

    data: str = _field(
        "grid25",
        "Points to learn from: grid25, ring8, moons, spiral, or the path of a file with two columns.",
    )
    recipe: str = _field("modern", "The recipe that filled in the settings below.")
    minutes: float = _field(1.0, "Training time in minutes. Every schedule ends with it.", min=0.05, max=1440)
    steps: int = _field(0, "Training steps, instead of a time. 0: the time decides.", min=0, max=10_000_000)
    loss: str = _field("relativistic", "The adversarial loss of G and D.", choices=tuple(LOSSES))
    penalty: str = _field(
        "r1r2",
        "The gradient penalty that keeps D smooth: on real points (R1), also on fakes (R2), "
        "or between the two (WGAN-GP).",
        choices=tuple(PENALTIES),
    )
    gamma: float = _field(
        0.02, "Weight of the penalty at the start: more is more stable, less is sharper.", min=0, max=1000
    )
    gamma_end: float = _field(
        0.001, "Gamma at the end of the run, as a fraction of gamma at the start.", min=0.0001, max=1
    )
    d_steps: int = _field(1, "How many times D is updated in each step.", min=1, max=10)
    g_steps: int = _field(1, "How many times G is updated in each step.", min=1, max=10)
    lr_g: float = _field(2e-3, "Adam's learning rate for G.", min=1e-6, max=0.1)
    lr_d: float = _field(2e-3, "Adam's learning rate for D.", min=1e-6, max=0.1)
    lr_end: float = _field(
        0.01, "Learning rate at the end of the run, as a fraction of the initial one.", min=0.001, max=1
    )
    beta1: float = _field(0.5, "Adam β1, its momentum. Small values suit GANs.", min=0, max=0.99)
    beta2: float = _field(0.99, "Adam β2, the decay of its second moment.", min=0.5, max=0.9999)
    batch: int = _field(
        256, "Real points per update of D: more is more stable, fewer is faster.", min=2, max=4096
    )
    width: int = _field(
        128, "Units of each hidden layer: wider learns more and trains slower.", min=4, max=512
    )
    depth: int = _field(2, "Hidden layers of each network.", min=2, max=6)
    z_dim: int = _field(4, "Entries of the latent vector z.", min=1, max=64)
    ema: float = _field(
        10.0,
        "Half-life of the averaged generator (EMA), in thousands of points. 0 shows G as it is.",
        min=0,
        max=10_000,
    )
    seed: int = _field(
        0,
        "Seed of all randomness: the same seed, settings and machine give the same run.",
        min=0,
        max=2**31 - 1,
    )

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            _check(field, getattr(self, field.name))
        if PENALTIES[self.penalty].losses and self.loss not in PENALTIES[self.penalty].losses:
            raise PointsError("points.penalty_loss", loss=self.loss)

    @property
    def budget_images(self) -> int:
        """Real points after which the run ends, or 0 where the time decides."""
        return self.steps * self.batch * self.d_steps

    def to_json(self) -> dict[str, Any]:
        """A plain dict, the form of config.json."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, value: Any) -> "PointsConfig":
        """The config in a parsed config.json.

        Raises UserError where a field is missing, unknown or impossible.
        """
        names = {field.name for field in dataclasses.fields(cls)}
        if not isinstance(value, dict) or set(value) != names:
            odd = sorted(map(str, set(value) ^ names))[:5] if isinstance(value, dict) else ["?"]
            raise PointsError("points.other_version", fields=", ".join(odd))
        return cls(**value)


# Settings tried with "modern" on grid25: seed 0 alone, 10,000 samples, modes counted among 2,500. A share
# of high quality of .95 was not reached: D stays too smooth to resolve modes whose sd is .012 of the networks' unit.
#
#     networks and settings                          steps   modes   high quality   KL (nats)
#     plain LeakyReLU pair, rates 1e-3, gamma .001   2,500   21      .20            .05
#     the defaults                                   2,000   25      .911           .017
#     z of 2, beta1 0, steepness 30                  5,000   25      .933           .014
#     the same, rates 3e-3                           2,000   25      .865           .121
_STEADY: dict[str, Any] = {"penalty": "r1"}

# A recipe is loss + regularisation + schedule; a new one is one more entry.
RECIPES: dict[str, dict[str, Any]] = {
    # R3GAN (Huang et al. 2024): relativistic pairing loss with both zero-centred penalties.
    "modern": {},
    # The non-saturating loss of Goodfellow et al. 2014 with R1 (Mescheder et al. 2018).
    "nonsaturating": {**_STEADY, "loss": "nonsaturating"},
    # Hinge loss (Lim and Ye 2017).
    "hinge": {**_STEADY, "loss": "hinge"},
    # LSGAN (Mao et al. 2017).
    "least_squares": {**_STEADY, "loss": "least_squares"},
    # WGAN-GP (Gulrajani et al. 2017): five critic updates to one of G; the paper's weight 10 is gamma / 2.
    "wasserstein": {
        "loss": "wasserstein", "penalty": "wgan_gp", "gamma": 20.0, "gamma_end": 1.0, "d_steps": 5,
        "lr_g": 5e-4, "lr_d": 5e-4, "beta2": 0.9,
    },
    # Mode collapse on demand: G learns 25 times as fast as D and takes five updates to one of D.
    "collapse": {
        "loss": "nonsaturating", "penalty": "none", "gamma": 0.0, "gamma_end": 1.0, "g_steps": 5,
        "lr_g": 5e-3, "lr_d": 2e-4, "lr_end": 1.0, "beta1": 0.0, "z_dim": 2,
    },
}  # fmt: skip


def make_config(data: str = "grid25", recipe: str = "modern", **overrides: Any) -> PointsConfig:
    """The config of a run: field defaults, then the recipe's, then `overrides`, each winning over those
    before.

    Raises UserError for an unknown recipe or field or an impossible value.
    """
    if recipe not in RECIPES:
        raise PointsError("points.unknown_recipe", name=recipe, choices=", ".join(RECIPES))
    known = {field.name for field in dataclasses.fields(PointsConfig)}
    for name in overrides:
        if name not in known:
            raise PointsError("points.unknown_field", name=name)
    return PointsConfig(**{**RECIPES[recipe], **overrides, "data": data, "recipe": recipe})
