"""Test the table of kinds: the parts of each entry, and configs that name a kind or none."""

import inspect
import json
import subprocess
import sys

import pytest
import torch
from safetensors.torch import load as load_tensors

from gan.config import Settings
from gan.device import Device
from gan.errors import UserError
from gan.files import write_json
from gan.kinds import KINDS, Engine, Kind, Trainer, get_kind, parse_config
from gan.kinds.points.recipes import make_config as make_points
from gan.latent.catalogue import Catalogue
from gan.recipes import make_config
from gan.train.base import METRICS
from gan.train.checkpoint import load_state, save_state
from tests import ROOT

CPU = Device("cpu", "CPU", 1)
SMALL = {
    "images": {"width": 8, "z_dim": 8, "batch": 8, "kimg": 1.0},
    "points": {"width": 8, "batch": 8, "steps": 100},
}


def members(protocol: type) -> set[str]:
    """Return the names that a protocol requires."""
    return {name for name in (*vars(protocol), *protocol.__annotations__) if not name.startswith("_")}


def trainer(name: str) -> Trainer:
    engine, config = get_kind(name).load_engine(), get_kind(name).Config(**SMALL[name])
    return engine.build(config, engine.load(config), CPU)


@pytest.mark.parametrize("name", KINDS)
def test_a_kind_brings_what_the_protocols_name(name):
    kind = get_kind(name)
    assert members(Kind) - set(dir(kind)) == set()
    assert members(Engine) - set(dir(kind.load_engine())) == set()
    assert members(Trainer) - set(dir(trainer(name))) == set()
    assert issubclass(kind.Config, Settings)
    assert kind.Config.kind == name
    assert {"data", "recipe", "minutes", "batch", "d_steps", "loss", "seed"} <= set(
        inspect.signature(kind.Config).parameters
    )
    assert kind.Config().recipe in kind.RECIPES


def test_kinds_are_listed_and_parsed_without_torch():
    code = (
        "import sys; from gan.kinds import KINDS, get_kind, parse_config; "
        "[parse_config(get_kind(name).Config().to_json()) for name in KINDS]; "
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize("name", KINDS)
def test_a_checkpoint_resumes_any_kind_bit_for_bit(name, tmp_path):
    whole, first, second = (trainer(name) for _ in range(3))
    means = whole.advance(5)
    first.advance(2)
    first.lr_factor = whole.lr_factor
    save_state(tmp_path, first, {"elapsed": 1.5})
    second.advance(1)  # steps that the state replaces
    assert load_state(tmp_path, second) == ({"elapsed": 1.5}, None)
    assert second.advance(3) == means
    assert list(means) == list(METRICS)
    assert (second.step, second.images_seen, second.parts) == (5, whole.images_seen, whole.parts)
    ours, theirs = whole.state(), second.state()
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[key], theirs[key]) for key in ours)


@pytest.mark.parametrize("name", KINDS)
def test_a_sheet_has_the_scores_that_the_trainer_names_and_weights_are_published(name):
    made = trainer(name)
    sheet = made.sample_sheet()
    assert sheet.media_type == "image/webp"
    assert sheet.data[8:12] == b"WEBP"
    assert tuple(sheet.scores) == made.SCORES
    assert set(load_tensors(made.published())) == set(made.ema.state_dict())


@pytest.mark.parametrize("config", [make_config("digits", size=28, channels=1), make_points("moons")])
def test_a_config_says_its_kind_and_is_read_by_it(config):
    value = json.loads(json.dumps(config.to_json()))
    assert value["kind"] == config.kind
    assert parse_config(value) == config
    assert type(parse_config(value)) is type(config)


@pytest.mark.parametrize(
    "change",
    [
        lambda value: value.pop("kind"),
        lambda value: value.update(kind="text"),
        lambda value: value.update(kind=None),
        lambda value: value.update(kind=["images"]),
        lambda value: value.update(kind="points"),
    ],
)
def test_a_config_of_no_kind_or_of_another_is_of_another_version(change):
    value = make_config("digits").to_json()
    change(value)
    with pytest.raises(UserError) as caught:
        parse_config(value)
    assert caught.value.key == "config.other_version"


def test_explore_lists_only_runs_of_images(tmp_path):
    name = "20260101-000000-grid25-modern"
    run = tmp_path / "runs" / name
    write_json(run / "config.json", make_points().to_json())
    write_json(run / "status.json", {"state": "finished"})
    (run / "live.safetensors").write_bytes(trainer("points").published())
    catalogue = Catalogue(tmp_path / "runs", tmp_path)
    assert catalogue.entries() == []
    with pytest.raises(UserError) as caught:
        catalogue.entry(f"run:{name}")
    assert caught.value.key == "latent.other_kind"
