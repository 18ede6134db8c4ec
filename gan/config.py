"""The settings of a run: a frozen, validated config, whose fields have limits and a line of help.

`Settings` is the base of every kind's config. `RunConfig` is that of images; gan.kinds has the others. The
page's form and `--help` are generated from the fields. gan.recipes.make_config fills a RunConfig in for the
page, the terminal and the tests.
"""

import dataclasses
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from gan.errors import UserError
from gan.objectives import LOSSES, PENALTIES

if TYPE_CHECKING:
    from typing_extensions import Self

SIZES = (28, 32, 64, 128)
DCGAN_SIZES = (32, 64)
BACKGROUNDS = ("white", "grey", "black")
ARCHITECTURES = ("modern", "dcgan", "projected")
AUGMENTS = ("none", "translation", "color,translation,cutout")
NO_TRACKER = "none"
TRACKERS = (NO_TRACKER, "tensorboard", "trackio")


def setting(default: Any, text: str, **limits: Any) -> Any:
    """Return a field of Settings. limits: `min` and `max`, or `choices`."""
    return dataclasses.field(default=default, metadata={"help": text, **limits})


def tracker() -> Any:
    """Return the field of Settings that names a tracker."""
    return setting(
        "none",
        "Also sends curves and sample sheets to this tracker, while the run trains.",
        choices=TRACKERS,
    )


@dataclass(frozen=True)
class Settings:
    """The base of every kind's config. The constructor raises UserError for an impossible setting."""

    kind: ClassVar[str]  # a name in gan.kinds.KINDS

    if TYPE_CHECKING:  # every kind has these fields, in its own order and with its own limits
        data: str
        recipe: str
        minutes: float
        loss: str
        penalty: str
        batch: int
        d_steps: int
        seed: int

        track: str

        @property
        def budget_images(self) -> int:
            """Examples after which the run ends; 0 if it ends by time."""

        def longer(self, more: float) -> "Self":
            """Return the config with a larger budget.

            more: in minutes; in thousands of images or steps where they decide.
            """

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            _check(field, getattr(self, field.name))
        if PENALTIES[self.penalty].losses and self.loss not in PENALTIES[self.penalty].losses:
            raise UserError("config.penalty_loss", loss=self.loss)

    @classmethod
    def refuse_unknown(cls, recipe: str, recipes: Iterable[str], names: Iterable[str]) -> None:
        """Raise UserError for a recipe that is none of `recipes`, and for a name that no field has."""
        if recipe not in recipes:
            raise UserError("config.unknown_recipe", name=recipe, choices=", ".join(recipes))
        known = {field.name for field in dataclasses.fields(cls)}
        for name in names:
            if name not in known:
                raise UserError("config.unknown_field", name=name)

    def to_json(self) -> dict[str, Any]:
        """Return a plain dict, the form of config.json: the kind, then the fields."""
        return {"kind": self.kind, **dataclasses.asdict(self)}

    @classmethod
    def from_json(cls, value: Any) -> "Self":
        """Return the config in a parsed config.json.

        Raises UserError for another kind, and for a missing, unknown or impossible field.
        """
        names = {"kind", *(field.name for field in dataclasses.fields(cls))}
        if not isinstance(value, dict) or set(value) != names:
            odd = sorted(set(value) ^ names)[:5] if isinstance(value, dict) else ["?"]
            raise UserError("config.other_version", fields=", ".join(odd))
        if value["kind"] != cls.kind:
            raise UserError("config.other_version", fields="kind")
        return cls(**{name: part for name, part in value.items() if name != "kind"})


@dataclass(frozen=True)
class RunConfig(Settings):
    """All settings that determine a run. Build it with `gan.recipes.make_config`.

    The constructor raises UserError for an impossible setting.
    """

    kind: ClassVar[str] = "images"

    data: str = setting(
        "digits", "Images to learn from: a name from the catalogue, or the path of a folder or zip of images."
    )
    recipe: str = setting("modern", "The recipe that filled in the settings below.")
    minutes: float = setting(
        5.0, "Training time in minutes. Every schedule ends with it.", min=0.05, max=10080
    )
    kimg: float = setting(
        0.0, "Thousands of real images to show, instead of a time. 0: the time decides.", min=0, max=1e6
    )
    size: int = setting(64, "Side of the images in pixels.", choices=SIZES)
    images: int = setting(
        0, "Learns from this many images of the set alone: to see what few do. 0: all.", min=0, max=10_000_000
    )
    channels: int = setting(3, "1 for grey images, 3 for colour.", choices=(1, 3))
    background: str = setting(
        "white", "Colour behind the transparent parts of your own images.", choices=BACKGROUNDS
    )
    architecture: str = setting("modern", "The pair of networks.", choices=ARCHITECTURES)
    loss: str = setting("relativistic", "The adversarial loss of G and D.", choices=tuple(LOSSES))
    penalty: str = setting(
        "r1r2",
        (
            "The gradient penalty that keeps D smooth: on real images (R1), also on fakes (R2), or between "
            "the two (WGAN-GP)."
        ),
        choices=tuple(PENALTIES),
    )
    gamma: float = setting(
        0.5,
        "Weight of the penalty at the start: more is more stable, less is sharper. Try half or double.",
        min=0,
        max=1000,
    )
    gamma_end: float = setting(
        0.1, "Gamma at the end of the run, as a fraction of gamma at the start.", min=0.001, max=1
    )
    penalty_every: int = setting(
        1,
        "Steps from one penalty to the next. Its weight is multiplied by this number (lazy regularisation).",
        min=1,
        max=64,
    )
    d_steps: int = setting(1, "How many times D is updated for each update of G.", min=1, max=10)
    lr_g: float = setting(1e-3, "Adam's learning rate for G.", min=1e-6, max=0.1)
    lr_d: float = setting(1e-3, "Adam's learning rate for D.", min=1e-6, max=0.1)
    lr_end: float = setting(
        0.2, "Learning rate at the end of the run, as a fraction of the initial one.", min=0.001, max=1
    )
    beta1: float = setting(0.0, "Adam β1, its momentum. Small values suit GANs.", min=0, max=0.99)
    beta2: float = setting(0.99, "Adam β2, the decay of its second moment.", min=0.5, max=0.9999)
    batch: int = setting(32, "Real images per step: more is more stable, fewer is faster.", min=2, max=1024)
    width: int = setting(32, "Channels of the networks: wider learns more and trains slower.", min=8, max=256)
    z_dim: int = setting(64, "Entries of the latent vector z.", min=2, max=512)
    ema: float = setting(
        10.0,
        "Half-life of the averaged generator (EMA), in thousands of images (kimg). 0 shows G as it is.",
        min=0,
        max=500,
    )
    augment: str = setting(
        "none", "Augments real and fake images before D sees them, for small data sets.", choices=AUGMENTS
    )
    adaptive: bool = setting(
        False, "Augments only as often as needed to keep D from memorising the images (ADA)."
    )
    pixel: int = setting(
        1,
        "Side of the blocks in pixel art. G generates one value per block, which is many times faster.",
        choices=(1, 2, 4),
    )
    flip: bool = setting(False, "Also learns from mirrored images; not for digits and letters.")
    conditional: bool = setting(
        False,
        "Learns each class by its label, where labels exist, so that you can choose the class of a sample.",
    )
    clusters: int = setting(
        1,
        (
            "Clusters of similar images within each class, given to G and D as labels (self-conditioning). "
            "1: none."
        ),
        min=1,
        max=64,
    )
    seed: int = setting(
        0,
        "Seed of all randomness: the same seed, settings and machine give the same run.",
        min=0,
        max=2**31 - 1,
    )
    start_from: str = setting(
        "",
        (
            "Model whose weights the run begins with: a shipped model, the directory or id of a run, or "
            "hub:OWNER/NAME. Empty: new weights."
        ),
    )
    track: str = tracker()

    def __post_init__(self) -> None:
        super().__post_init__()
        if 0 < self.images < self.batch:
            raise UserError("train.batch_too_large", batch=self.batch, count=self.images)
        if self.architecture == "dcgan" and self.size not in DCGAN_SIZES:
            raise UserError("config.dcgan_size", size=self.size)
        if self.pixel > 1 and (self.architecture == "dcgan" or self.size // self.pixel < 8):
            raise UserError("config.pixel", pixel=self.pixel, size=self.size)

    @property
    def budget_images(self) -> int:
        """Images after which the run ends; 0 if it ends by time."""
        return round(self.kimg * 1000)

    def longer(self, more: float) -> "RunConfig":
        """Return the config with a larger budget. more: in minutes, or in kimg where they decide."""
        name = "kimg" if self.kimg else "minutes"
        return dataclasses.replace(self, **{name: getattr(self, name) + more})


_OF_TYPE = {
    float: "config.not_a_number",
    int: "config.not_whole",
    bool: "config.not_yes_no",
    str: "config.not_text",
}


def check_field(config: type[Settings], name: str, value: Any) -> None:
    """Raise UserError for a value that this field of a config can't have."""
    _check(next(field for field in dataclasses.fields(config) if field.name == name), value)


def _check(field: dataclasses.Field, value: Any) -> None:
    kind, limits = type(field.default), field.metadata
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if kind is float:
        # math.isfinite fails on an int that is larger than any float
        fits = number and (isinstance(value, int) or math.isfinite(value))
    else:
        fits = isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
    if not fits:
        raise UserError(_OF_TYPE[kind], name=field.name, value="" if value is None else value)
    if "choices" in limits and value not in limits["choices"]:
        raise UserError(
            "config.choice", name=field.name, value=value, choices=", ".join(map(str, limits["choices"]))
        )
    if "min" in limits and not limits["min"] <= value <= limits["max"]:
        raise UserError("config.range", name=field.name, value=value, min=limits["min"], max=limits["max"])
