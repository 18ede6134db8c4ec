"""The files of a generator on the Hub, and the check that each of them passes before it is used or sent."""

import json
from pathlib import Path
from typing import Any, NoReturn

from gan.config import RunConfig
from gan.data import public_name
from gan.errors import UserError
from gan.files import shallow
from gan.latent.catalogue import HUB_ID
from gan.spec import FORMAT, ModelSpec

CONFIG, CARD, GENERATOR = "config.json", "card.json", "generator.safetensors"
DISCRIMINATOR, PREVIEW, ONNX, README = (
    "discriminator.safetensors",
    "preview.webp",
    "generator.onnx",
    "README.md",
)
PULLED = (CONFIG, CARD, GENERATOR)
MAX_WEIGHTS, MAX_JSON = 64 * 2**20, 2**16  # bytes
# File -> the most bytes that it may have.
LIMITS = {CONFIG: MAX_JSON, CARD: MAX_JSON, GENERATOR: MAX_WEIGHTS, DISCRIMINATOR: MAX_WEIGHTS}
MAX_DIGITS = 20  # of a whole number in JSON
MAX_NAME = 200  # characters of the name of the data
# Fields that a run's config and the header of its generator share.
_LIKE_A_RUN = ("architecture", "size", "channels", "z_dim", "width", "pixel", "clusters")


def check(folder: Path, name: str, with_d: bool = False) -> ModelSpec:
    """Check the files of a generator that somebody else may have made. Returns the generator's spec.

    `name` stands in the sentences. Imports torch.

    config.json must be that of a run on images, and name its data without a path. card.json must be plain
    JSON of this format. Weights are read as strictly as every other generator; so is D if `with_d`. Raises
    UserError for anything else.
    """
    from gan.models import load_discriminator, load_generator

    for file in (*PULLED, DISCRIMINATOR) if with_d else PULLED:
        try:
            size = (folder / file).stat().st_size
        except OSError as error:
            raise UserError("hub.not_a_generator", name=name, file=file) from error
        if size > LIMITS[file]:
            raise too_large(name, file)
    config = _config(folder, name)
    _card(folder, name)
    file = GENERATOR
    try:
        _, spec = load_generator(folder / GENERATOR)
        if any(getattr(spec, field) != getattr(config, field) for field in _LIKE_A_RUN):
            raise UserError("hub.not_a_generator", name=name, file=CONFIG)
        file = DISCRIMINATOR
        if with_d:
            load_discriminator(folder / DISCRIMINATOR, spec)
    except UserError as error:
        if error.key == "models.other_version":
            raise UserError("hub.other_version", name=name) from error
        if "path" in error.values:
            raise UserError("hub.not_a_generator", name=name, file=file) from error
        raise
    return spec


def too_large(name: str, file: str) -> UserError:
    """Return the error for a file beyond its limit."""
    most = LIMITS[file]
    return UserError(
        "hub.too_large", name=name, file=file, limit=f"{most >> 20} MB" if most >> 20 else f"{most >> 10} KB"
    )


def _config(folder: Path, name: str) -> RunConfig:
    try:
        config = RunConfig.from_json(read_strictly(folder / CONFIG))
        data = config.data
        plain = 0 < len(data) <= MAX_NAME and data.isprintable() and not data.startswith((".", "~"))
        if not (plain and data == public_name(data)) and not HUB_ID.fullmatch(data):
            raise ValueError("its data are named by a path")
    except UserError as error:
        key = "hub.other_version" if error.key == "config.other_version" else "hub.not_a_generator"
        raise UserError(key, name=name, file=CONFIG) from error
    except (OSError, ValueError) as error:
        raise UserError("hub.not_a_generator", name=name, file=CONFIG) from error
    return config


def _card(folder: Path, name: str) -> dict[str, Any]:
    try:
        card = read_strictly(folder / CARD)
    except (OSError, ValueError) as error:
        raise UserError("hub.not_a_generator", name=name, file=CARD) from error
    if card.get("format") != FORMAT:
        known = str(card.get("format", "")).startswith("ganarium-")
        raise UserError("hub.other_version" if known else "hub.not_a_generator", name=name, file=CARD)
    return card


def read_strictly(path: Path) -> dict[str, Any]:
    """Return the JSON object in a file, every value of which can be written as JSON again.

    Raises OSError, and ValueError for anything else than JSON, deep nesting, numbers that are not finite or
    have too many digits, half characters, and a value that is no object.
    """
    try:
        value = shallow(
            json.loads(path.read_bytes().decode(), parse_constant=_no_number, parse_int=_whole_number)
        )
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    json.dumps(value, ensure_ascii=False, allow_nan=False).encode()  # 1e999 is read as infinity
    if not isinstance(value, dict):
        raise ValueError("no object")
    return value


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no JSON")


def _whole_number(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise ValueError("a number of too many digits")
    return int(text)
