"""Test named directions: they find planted attributes of a linear generator, and offer none that no z moves.

On the shipped landscapes, night is dark.
"""

from pathlib import Path

import numpy as np
import pytest
import torch

from gan.latent.catalogue import Catalogue
from gan.latent.directions import attributes, probes
from gan.latent.directions.attributes import Attribute, Reader, darkness, log_odds, open_reader
from gan.latent.directions.probes import find_named
from gan.latent.directions.ridge import Ridge
from gan.latent.generator import Model
from gan.latent.sampling import latents
from tests import ROOT
from tests.unit.latent.directions.test_directions import Planted, orthogonal, spec

CHECKPOINTS = ROOT / "checkpoints"


def test_ridge_finds_a_planted_line_and_says_how_much_it_explains():
    x = torch.randn(400, 20, generator=torch.Generator().manual_seed(0))
    weights = torch.zeros(20)
    weights[3], weights[7] = 2.0, -1.0
    noise = torch.randn(400, generator=torch.Generator().manual_seed(1))
    found = Ridge.fit(x, 5 + x @ weights + noise)
    assert found.weights.numpy() == pytest.approx(weights.numpy(), abs=0.2)
    assert found.explained == pytest.approx(5 / 6, abs=0.05)  # 4 + 1 of a variance of 6
    assert found.predict(x[:1]).shape == (1,)
    assert Ridge.fit(x, noise).explained < 0.05
    assert Ridge.fit(x, torch.full((400,), 3.0)).explained == 0


def test_leaving_one_out_in_closed_form_is_leaving_one_out():
    x, y = (
        torch.randn(30, n, generator=torch.Generator().manual_seed(n), dtype=torch.float64) for n in (5, 1)
    )
    found = Ridge.fit(x, y[:, 0])
    best = -np.inf
    for penalty in [float(part) for part in np.logspace(-4, 2, 7)]:
        lost = 0.0
        size = torch.linalg.svdvals(x - x.mean(0)).square().mean()
        for k in range(30):
            rest = [j for j in range(30) if j != k]
            middle, centre = x[rest].mean(0), y[rest, 0].mean()
            inner = (x[rest] - middle).T @ (x[rest] - middle) + penalty * size * torch.eye(5)
            weights = torch.linalg.solve(inner, (x[rest] - middle).T @ (y[rest, 0] - centre))
            lost += (y[k, 0] - centre - (x[k] - middle) @ weights).square().item()
        best = max(best, 1 - lost / (y[:, 0] - y.mean()).square().sum().item())
    # the closed form centres on all samples, the other on 29
    assert found.explained == pytest.approx(best, abs=0.02)


def planted_reader(axes: torch.Tensor, mixed: torch.Tensor) -> tuple[Reader, object, object]:
    """Plant five attributes, and return their reader with the functions that draw and read.

    z moves the first three, and the second not without the first. Only the class decides the fourth. The
    fifth is chance.
    """
    ways = torch.stack([axes[0], mixed, axes[2]])
    names = tuple(
        Attribute(name, name == "third", True) for name in ("first", "second", "third", "fixed", "chance")
    )

    def draw(z, labels):
        return torch.cat([z, labels[:, None].float()], 1)

    def read(pictures):
        z, labels = pictures[:, :-1], pictures[:, -1]
        chance = torch.sin(1e4 * z[:, 0])
        return torch.cat([z @ ways.T, labels[:, None], chance[:, None]], 1) + 4 * labels[
            :, None
        ] * torch.tensor([1.0, 0, 0, 0, 0])

    return Reader(names, read), draw, read


def test_planted_attributes_are_found_within_their_classes():
    axes = orthogonal(16)
    mixed = torch.nn.functional.normalize(axes[1] + 0.8 * axes[0], dim=0)
    reader, draw, read = planted_reader(axes, mixed)
    model = spec(16, 2)
    found = find_named(Planted(axes, torch.linspace(3, 1, 16), torch.zeros(2, 40)), model, reader, draw, read)
    names = [fact["id"] for fact in found.facts]
    assert sorted(names) == ["first", "second", "third"]
    assert sorted(found.fixed) == ["chance", "fixed"]
    ways = dict(zip(names, found.directions.vectors, strict=True))
    assert ways["third"] @ axes[2].numpy() == pytest.approx(1, abs=1e-3)
    facts = {fact["id"]: fact for fact in found.facts}
    assert facts["third"]["steady"] == 1
    assert facts["third"]["low"] < 0.15
    assert facts["third"]["high"] > 0.85
    assert facts["third"]["moved"] == pytest.approx(4, rel=0.1)  # from -2 to 2 along an axis of unit variance
    # The direction of the second must leave the first alone, although the two are mixed.
    assert abs(ways["second"] @ ways["first"]) < 0.35
    others = dict(facts["second"]["others"])
    assert abs(others.get("first", 0)) < 0.5 * facts["second"]["moved"]


def test_without_taking_the_other_out_it_would_move_as_well(monkeypatch):
    monkeypatch.setattr(probes, "DISTURBING", 1e9)
    axes = orthogonal(16)
    reader, draw, read = planted_reader(axes, torch.nn.functional.normalize(axes[1] + 0.8 * axes[0], dim=0))
    found = find_named(
        Planted(axes, torch.linspace(3, 1, 16), torch.zeros(2, 40)), spec(16, 2), reader, draw, read
    )
    ways = dict(zip([fact["id"] for fact in found.facts], found.directions.vectors, strict=True))
    assert ways["second"] @ axes[0].numpy() == pytest.approx(0.8 / 1.64**0.5, abs=0.02)


def test_nothing_to_offer_is_no_error():
    axes = orthogonal(6)
    reader = Reader((Attribute("nothing", False, True),), lambda pictures: torch.zeros(len(pictures), 1))
    found = find_named(Planted(axes, torch.ones(6)), spec(6), reader, lambda z, labels: z, reader.read)
    assert found.facts == []
    assert found.fixed == ["nothing"]
    assert found.directions.vectors.shape == (0, 6)


def test_a_by_product_is_not_offered():
    """There are a thing and three measurements.

    One follows the thing, one moves the thing more than itself, and one is independent.
    """
    axes = orthogonal(6)
    names = {"thing": True, "echo": False, "weak": False, "own": False}

    def read(pictures):
        thing, own, more = (pictures @ axes[:3].T).T
        return torch.stack([thing, thing**3, thing + more + 3 * torch.sin(1e4 * pictures[:, 0]), own], 1)

    reader = Reader(tuple(Attribute(name, False, content) for name, content in names.items()), read)
    found = find_named(Planted(axes, torch.ones(6)), spec(6), reader, lambda z, labels: z, read)
    assert [fact["id"] for fact in found.facts] == ["thing", "own"]
    assert found.fixed == ["echo", "weak"]


def test_measures_have_their_closed_forms():
    colour = torch.zeros(1, 3, 4, 4)
    colour[:, 0] = 1.0
    assert attributes.brightness(colour).item() == pytest.approx(0.299)
    assert attributes.warmth(colour).item() == 1
    assert attributes.colourfulness(colour).item() == 1
    stroke = torch.zeros(2, 1, 9, 9)
    for k in range(9):
        stroke[0, 0, 8 - k, k] = stroke[1, 0, k, 4] = 1.0  # a diagonal that leans to the right, an upright
    assert attributes.slant(stroke).tolist() == pytest.approx([1, 0], abs=1e-6)
    assert attributes.width(stroke).tolist() == pytest.approx([1, 0], abs=1e-6)
    assert attributes.slant(torch.zeros(1, 1, 9, 9)).item() == 0
    assert log_odds(torch.tensor([[0.0, 0.0, 0.0, 0.0], [99.0, 0, 0, 0]]), [0, 1]).tolist() == [0, 8]


def test_the_sky_is_darkest_at_night():
    night, day = darkness(np.array([0.0, 3.0, 21.5, 23.0])), darkness(np.array([6.5, 8.0, 12.0, 16.0]))
    assert night.min() > 0.8
    assert day.max() < 0.5
    assert torch.equal(
        darkness(np.arange(17.9, 21, 0.2)).sort().values[-8:], darkness(np.arange(19.5, 21, 0.2))
    ), "dusk only darkens once the sun is gone"
    assert darkness(np.array([0.0]))[0] == pytest.approx(darkness(np.array([23.99]))[0].item(), abs=0.01)


def test_what_is_not_known_can_still_be_measured():
    assert [attribute.id for attribute in open_reader("my holidays", 3).attributes] == [
        "brightness",
        "warmth",
        "colourfulness",
    ]
    assert [attribute.id for attribute in open_reader("", 1).attributes] == ["brightness"]
    digits = open_reader("mnist", 1)
    assert digits.read(torch.zeros(2, 1, 32, 32, dtype=torch.uint8)).shape == (2, len(digits.attributes))
    assert digits.attributes[3].title == "3"


@pytest.fixture(scope="module")
def landscapes():
    return Model(Catalogue(Path("nowhere"), CHECKPOINTS).entry("shipped:landscapes"))


def test_night_makes_landscapes_darker_step_by_step(landscapes):
    night = torch.from_numpy(named(landscapes, "night"))
    z = torch.from_numpy(latents(range(64), landscapes.spec.z_dim))
    labels = torch.arange(64) % landscapes.spec.num_classes
    with torch.inference_mode():
        light = torch.stack(
            [
                attributes.brightness(landscapes.generator(z + amount * night, labels) / 2 + 0.5)
                for amount in (-3, -2, -1, 0, 1, 2, 3)
            ]
        )
    darker = (light.diff(dim=0) < 0).all(0)
    assert darker.float().mean() >= 0.9
    assert (light[0] - light[-1]).mean() > 0.1


def named(model: Model, name: str) -> np.ndarray:
    found = model.attributes()
    return found.directions.vectors[[fact["id"] for fact in found.facts].index(name)]


def test_each_named_direction_of_landscapes_says_what_it_does(landscapes):
    found = landscapes.attributes()
    assert found.facts[0]["id"] == "night"
    assert "sea" in found.fixed, "the class decides between mountains and sea"
    assert "brightness" in found.fixed, "that is night once more"
    assert "warmth" in found.fixed, "it changes the light more than itself"
    for fact, effect in zip(found.facts, found.directions.effect, strict=True):
        assert fact["moved"] >= probes.MOVED
        assert fact["steady"] >= probes.STEADY
        assert fact["high"] > fact["low"]
        assert effect > 0.25
    night = next(fact for fact in found.facts if fact["id"] == "night")
    assert dict(night["others"])["brightness"] < -0.5


def test_a_direction_can_be_had_by_its_name(landscapes):
    assert np.array_equal(landscapes.vector("night"), named(landscapes, "night"))
    assert np.array_equal(landscapes.vector("s1"), landscapes.factors().vectors[1])
    assert np.array_equal(landscapes.vector("p2"), landscapes.directions().vectors[2])
