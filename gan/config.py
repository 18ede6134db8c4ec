"""What a run is: one frozen, validated RunConfig, and the table of recipes that fills it in.

The page, the terminal and the tests all build a config with `make_config`; each field's limits and its one line of explanation stand beside
it, so that a form and `--help` can be drawn from here. This module does not know what a data set contains or what a network looks like.
"""

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

from gan.errors import UserError
from gan.objectives import LOSSES, PENALTIES

SIZES = (28, 32, 64, 128)
BACKGROUNDS = ("white", "grey", "black")
ARCHITECTURES = ("modern", "dcgan", "projected")
AUGMENTS = ("none", "translation", "color,translation,cutout")


def _field(default: Any, text: str, **limits: Any) -> Any:
    return dataclasses.field(default=default, metadata={"help": text, **limits})


@dataclass(frozen=True)
class RunConfig:
    """Everything that decides how a run goes. Build it with `make_config`; the constructor raises UserError for an impossible setting."""

    data: str = _field("digits", "Images to learn from: a name from the catalogue, or the path of a folder or zip of images.")
    recipe: str = _field("modern", "The recipe that filled in the settings below.")
    minutes: float = _field(5.0, "Training time in minutes. Every schedule ends with it.", min=0.05, max=10080)
    kimg: float = _field(0.0, "Thousands of real images to show, instead of a time. 0: the time decides.", min=0, max=1e6)
    size: int = _field(64, "Side of the images in pixels.", choices=SIZES)
    channels: int = _field(3, "1 for grey images, 3 for colour.", choices=(1, 3))
    background: str = _field("white", "Colour behind the transparent parts of your own images.", choices=BACKGROUNDS)
    architecture: str = _field("modern", "The pair of networks.", choices=ARCHITECTURES)
    loss: str = _field("relativistic", "The adversarial loss of G and D.", choices=tuple(LOSSES))
    penalty: str = _field("r1r2", "The gradient penalty that keeps D smooth: on real images (R1), also on fakes (R2), or between the two (WGAN-GP).",
                          choices=tuple(PENALTIES))
    gamma: float = _field(0.5, "Weight of the penalty at the start: more is more stable, less is sharper. Try half or double.", min=0, max=1000)
    gamma_end: float = _field(0.1, "Gamma at the end of the run, as a fraction of gamma at the start.", min=0.001, max=1)
    penalty_every: int = _field(1, "Steps from one penalty to the next. Its weight is multiplied by this number (lazy regularisation).", min=1, max=64)
    d_steps: int = _field(1, "How many times D is updated for each update of G.", min=1, max=10)
    lr_g: float = _field(1e-3, "Adam's learning rate for G.", min=1e-6, max=0.1)
    lr_d: float = _field(1e-3, "Adam's learning rate for D.", min=1e-6, max=0.1)
    lr_end: float = _field(0.2, "Learning rate at the end of the run, as a fraction of the initial one.", min=0.001, max=1)
    beta1: float = _field(0.0, "Adam β1, its momentum. Small values suit GANs.", min=0, max=0.99)
    beta2: float = _field(0.99, "Adam β2, the decay of its second moment.", min=0.5, max=0.9999)
    batch: int = _field(32, "Real images per step: more is more stable, fewer is faster.", min=2, max=1024)
    width: int = _field(32, "Channels of the networks: wider learns more and trains slower.", min=8, max=256)
    z_dim: int = _field(64, "Entries of the latent vector z.", min=2, max=512)
    ema: float = _field(10.0, "Half-life of the averaged generator (EMA), in thousands of images (kimg). 0 shows G as it is.", min=0, max=500)
    augment: str = _field("none", "Augments real and fake images before D sees them, for small data sets.", choices=AUGMENTS)
    adaptive: bool = _field(False, "Augments only as often as needed to keep D from memorising the images (ADA).")
    pixel: int = _field(1, "Side of the blocks in pixel art. G generates one value per block, which is many times faster.", choices=(1, 2, 4))
    flip: bool = _field(False, "Also learns from mirrored images; not for digits and letters.")
    conditional: bool = _field(False, "Learns each class by its label, where labels exist, so that you can choose the class of a sample.")
    looks: int = _field(1, "Clusters of similar images within each class, given to G and D as labels (self-conditioning). 1: none.", min=1, max=64)
    seed: int = _field(0, "Seed of all randomness: the same seed, settings and machine give the same run.", min=0, max=2**31 - 1)

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            _check(field, getattr(self, field.name))
        if self.architecture == "dcgan" and self.size != 64:
            raise UserError("config.dcgan_size", size=self.size)
        if self.pixel > 1 and (self.architecture == "dcgan" or self.size // self.pixel < 8):
            raise UserError("config.pixel", pixel=self.pixel, size=self.size)
        if PENALTIES[self.penalty].losses and self.loss not in PENALTIES[self.penalty].losses:
            raise UserError("config.penalty_loss", loss=self.loss)

    @property
    def budget_images(self) -> int:
        """Images after which the run ends, or 0 where the time decides."""
        return round(self.kimg * 1000)

    def to_json(self) -> dict[str, Any]:
        """A plain dict, the form of config.json."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, value: Any) -> "RunConfig":
        """The config in a parsed config.json. Raises UserError where a field is missing, unknown or impossible."""
        names = {field.name for field in dataclasses.fields(cls)}
        if not isinstance(value, dict) or set(value) != names:
            odd = sorted(set(value) ^ names)[:5] if isinstance(value, dict) else ["?"]
            raise UserError("config.other_version", fields=", ".join(odd))
        return cls(**value)


_KINDS = {float: "config.not_a_number", int: "config.not_whole", bool: "config.not_yes_no", str: "config.not_text"}


def _check(field: dataclasses.Field, value: Any) -> None:
    kind, limits = type(field.default), field.metadata
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if kind is float:
        fits = number and (isinstance(value, int) or math.isfinite(value))  # a whole number may be longer than any float
    else:
        fits = isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
    if not fits:
        raise UserError(_KINDS[kind], name=field.name, value="" if value is None else value)
    if "choices" in limits and value not in limits["choices"]:
        raise UserError("config.choice", name=field.name, value=value, choices=", ".join(map(str, limits["choices"])))
    if "min" in limits and not limits["min"] <= value <= limits["max"]:
        raise UserError("config.range", name=field.name, value=value, min=limits["min"], max=limits["max"])


_STEADY: dict[str, Any] = {"architecture": "modern", "penalty": "r1"}

# A recipe is architecture + loss + regularisation + schedule; a new one is one more entry, and appears in the page and the terminal.
RECIPES: dict[str, dict[str, Any]] = {
    # R3GAN (Huang et al. 2024): relativistic pairing loss with both zero-centred penalties, on networks sized for a CPU.
    "modern": {},
    # DCGAN (Radford et al. 2016) as textbooks print it: BCE, Adam 2e-4 with beta1 .5, z = 100, 64x64, no penalty, no average.
    # A batch of 32 where the paper has 128: a step then takes .7 s on two CPU cores, so that one can watch it learn.
    "dcgan": {
        "architecture": "dcgan", "loss": "nonsaturating", "penalty": "none", "gamma": 0.0, "gamma_end": 1.0, "lr_g": 2e-4, "lr_d": 2e-4, "lr_end": 1.0,
        "beta1": 0.5, "beta2": 0.999, "batch": 32, "width": 64, "z_dim": 100, "ema": 0.0, "size": 64, "augment": "none", "flip": False, "conditional": False,
        "pixel": 1,
    },
    # The non-saturating loss of Goodfellow et al. 2014 with R1 (Mescheder et al. 2018), the pair behind StyleGAN.
    "nonsaturating": {**_STEADY, "loss": "nonsaturating"},
    # Hinge loss (Lim and Ye 2017; SAGAN, BigGAN).
    "hinge": {**_STEADY, "loss": "hinge"},
    # LSGAN (Mao et al. 2017).
    "least_squares": {**_STEADY, "loss": "least_squares"},
    # WGAN-GP (Gulrajani et al. 2017): five critic steps to one of G, gamma 20 because gamma / 2 is the weight, which is 10 in the paper.
    "wasserstein": {
        "architecture": "modern", "loss": "wasserstein", "penalty": "wgan_gp", "gamma": 20.0, "gamma_end": 1.0, "penalty_every": 1, "d_steps": 5,
        "lr_g": 5e-4, "lr_d": 5e-4, "beta2": 0.9,
    },
    # Projected GAN (Sauer et al. 2021): D looks through a pretrained network. For colour pictures; stop early on small sets, long runs are known to collapse.
    "projected": {
        "architecture": "projected", "loss": "hinge", "penalty": "none", "gamma": 0.0, "gamma_end": 1.0, "penalty_every": 1,
        "lr_g": 5e-4, "lr_d": 5e-4, "augment": "color,translation,cutout",
    },
}

# On a processor these draw one flat colour in the minutes that people wait: two of two runs of three minutes, and of seven.
GPU_RECIPES = ("projected",)
OWN = "own"  # the pictures that a person brings
_GREY_28 = ("digits", "fashion", "mnist", "fashion-mnist", "kmnist")
# What a data set wants different from the defaults above. Recipes come after it and win.
DATA_DEFAULTS: dict[str, dict[str, Any]] = {
    **{name: {"conditional": True} for name in _GREY_28},
    # Pixel art of 16x16 blocks: about 12 times the images/s of drawing all 64x64 pixels (9 to 15, side by side), and sharp. With 8 times the gamma: no better.
    "faces": {"pixel": 4, "conditional": True, "gamma": 1.0, "penalty_every": 2},
    "emoji": {"gamma": 2.0, "penalty_every": 2, "augment": "color,translation,cutout"},
    "landscapes": {"gamma": 1.0, "penalty_every": 2, "flip": True},
    "cifar10": {"width": 64, "flip": True},
    "svhn": {"width": 64},
    "flowers102": {"gamma": 2.0, "flip": True, "augment": "color,translation,cutout"},
    "celeba": {"gamma": 1.0, "flip": True},
}
# What was found for one recipe on a data set, and need not suit the others: it comes after both.
# Digits, single runs on one CPU thread, by the coverage of 2,000 test pictures. 90 s: width 64 without labels .17, width 32 .25, with labels .68, at twice the
# learning rate .74. 84 s: with 10 looks, batch 64 and a rate that stays, .72 became .85; 20 looks .81. 420 s: .85 became .88, 20 looks the same.
# 180 s of one CPU thread, Fréchet distance (FD) through EfficientNet. Emoji: blobs became flags, smileys and hearts, FD 3825 became 2150 without labels and
# 2440 with them, by which one can choose what is drawn. Landscapes, by labels: gamma 1, width 16: 2010; width 24 with gamma .3: 1930, and mountains; with
# 10 looks worse.
# Augmentation of emoji in three minutes, FD through the emoji net for none / always / when needed: of 100 pictures 96 / 193 / 117, of 500 41 / 74 / 68, of 583
# 52 / 128 / 87; without any, copies were not far off. How many pictures people bring is not known here, and where they are many it hardly ever augments.
FOUND: dict[tuple[str, str], dict[str, Any]] = {
    **{(name, "modern"): {"lr_g": 2e-3, "lr_d": 2e-3, "lr_end": 1.0, "batch": 64, "penalty_every": 2, "gamma": 0.2, "looks": 10} for name in _GREY_28},
    ("landscapes", "modern"): {"lr_g": 2e-3, "lr_d": 2e-3, "width": 24, "gamma": 0.3, "conditional": True},
    ("emoji", "modern"): {"lr_g": 2e-3, "lr_d": 2e-3, "width": 16, "looks": 20, "conditional": True, "adaptive": True},
    ("flowers102", "modern"): {"adaptive": True},
    (OWN, "modern"): {"augment": "color,translation,cutout", "adaptive": True},
}


def make_config(data: str, recipe: str = "modern", native_size: int = 64, native_channels: int = 3, **overrides: Any) -> RunConfig:
    """The config of a run: field defaults, then the data set's, the recipe's, what was found for both, then `overrides`, each winning over those before.

    native_size and native_channels are the data set's own; a recipe with a fixed size replaces the first. Raises UserError for an unknown recipe or field or an
    impossible value.
    """
    if recipe not in RECIPES:
        raise UserError("config.unknown_recipe", name=recipe, choices=", ".join(RECIPES))
    known = {field.name for field in dataclasses.fields(RunConfig)}
    for name in overrides:
        if name not in known:
            raise UserError("config.unknown_field", name=name)
    defaults = {**DATA_DEFAULTS.get(data, {}), **RECIPES[recipe], **FOUND.get((data if data in DATA_DEFAULTS else OWN, recipe), {})}
    merged = {"size": native_size, "channels": native_channels, **defaults, **overrides}
    return RunConfig(**{**merged, "data": data, "recipe": recipe})
