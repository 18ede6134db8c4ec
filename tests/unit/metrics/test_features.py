"""Test the bundled feature nets, and the script that trains them."""

import json

import pytest
import torch

from gan.data import info, load
from gan.data.dataset import among
from gan.data.registry import BUNDLED
from gan.metrics.build import classifier
from gan.metrics.build.sources import SOURCES
from gan.metrics.features import (
    FEATURES,
    NETS_DIR,
    FeatureNet,
    load_net,
    net_names,
    raw_pixels,
    see,
    tell_attributes,
)
from gan.metrics.frechet import fit_gaussian, frechet_distance


@pytest.mark.parametrize("name", net_names())
def test_each_net_is_small_fits_its_data_and_has_an_honest_card(name):
    assert (NETS_DIR / name / "net.safetensors").stat().st_size < 2**20
    card = json.loads((NETS_DIR / name / "card.json").read_text())
    net = load_net(name)
    assert (net.size, net.channels, net.classes) == (
        info(name).size,
        info(name).channels,
        len(info(name).classes),
    )
    assert card["data"] == name
    assert card["features"] == FEATURES
    assert card["classes"] == list(info(name).classes)
    data = load(name)
    rows = torch.arange(0, len(data.images), 20)
    right = (see(net, data.images[rows]).classes == data.labels[rows]).double().mean().item()
    # The rows are 500 bundled images, or 36 emoji. No net trained on them, except those of digits and emoji.
    # The standard error is below .013.
    assert right > card["test_accuracy"] - 0.04
    assert card["test_accuracy"] > 2 / len(card["classes"])
    assert card["test_accuracy_of_attributes"].keys() == net.attributes.keys()
    attributes = tell_attributes(net, see(net, data.images[rows]).features)
    for attribute, accuracy in card["test_accuracy_of_attributes"].items():
        # the standard error is up to .022
        assert (
            attributes[attribute] == data.attributes[attribute][rows]
        ).double().mean().item() > accuracy - 0.08


def test_training_and_test_pictures_are_disjoint_and_the_card_tells_of_them():
    learnt, unseen = SOURCES["emoji"]("emoji", None)
    # two of the 146 emoji look like others
    assert len(learnt.images) + len(unseen.images) == info("emoji").count - 2
    assert not among(unseen.images, learnt.images).any()
    card = json.loads((NETS_DIR / "emoji" / "card.json").read_text())
    found = classifier.examine(load_net("emoji"), unseen, card["classes"])
    assert (card["trained_on"], card["tested_on"]) == (learnt.words, found["tested_on"])
    # another processor's rounding may change the class of one image of the 144
    assert card["test_accuracy"] == pytest.approx(found["test_accuracy"], abs=0.008)


def test_the_nets_are_there():
    assert set(net_names()) == set(SOURCES) == set(BUNDLED)
    with pytest.raises(ValueError, match="there is no feature net"):
        load_net("../digits")


@pytest.mark.parametrize("name", ["digits", "fashion", "faces"])
def test_a_set_that_is_read_from_a_folder_asks_for_it(name):
    with pytest.raises(SystemExit, match="--place"):
        SOURCES[name](name, None)


def test_features_tell_classes_apart_and_halves_of_a_set_not():
    data = load("digits")
    net = load_net("digits")
    of_ones, of_twos = (see(net, data.images[data.labels == digit][:300]).features for digit in (1, 2))
    halves = frechet_distance(fit_gaussian(of_ones[::2]), fit_gaussian(of_ones[1::2]))
    assert frechet_distance(fit_gaussian(of_ones), fit_gaussian(of_twos)) > 10 * halves


def test_pictures_are_brought_to_the_net_in_any_shape():
    net = load_net("digits")
    data = load("digits")
    grey = data.images[:64]
    same = see(net, grey)
    assert same.features.shape == (64, FEATURES)
    assert (same.features >= 0).all()
    colour = see(net, grey.expand(-1, 3, -1, -1))
    torch.testing.assert_close(colour.features, same.features)  # the luma of equal channels is the channel
    large = see(net, load("digits", size=64).images[:64])
    assert (large.classes == data.labels[:64]).double().mean() > 0.9


def test_batches_do_not_matter():
    net = load_net("digits")
    images = load("digits").images[:300]
    whole = see(net, images).features
    torch.testing.assert_close(torch.cat([see(net, part).features for part in images.split(70)]), whole)


def test_raw_pixels():
    images = torch.tensor([0, 255, 51, 204], dtype=torch.uint8).view(1, 1, 2, 2)
    torch.testing.assert_close(raw_pixels(images), torch.tensor([[-1.0, 1.0, -0.6, 0.6]]))


def test_training_learns_and_is_stored_whole(tmp_path, monkeypatch):
    monkeypatch.setattr("gan.metrics.features.NETS_DIR", tmp_path)
    monkeypatch.setattr(classifier, "NETS_DIR", tmp_path)
    labels = torch.arange(256) % 2
    images = torch.full((256, 1, 16, 16), 60, dtype=torch.uint8)
    images[labels == 1, :, :, ::2] = 200
    images[64:, :, :4] = 255
    band = (torch.arange(256) >= 64).long()
    net = classifier.train(images, {"label": labels, "band": band}, {"label": 2, "band": 2}, epochs=8)
    seen = see(net, images)
    assert (seen.classes == labels).all()
    assert (tell_attributes(net, seen.features)["band"] == band).all()
    classifier.save("stripes", net, {"data": "stripes"})
    assert net_names() == ["stripes"]
    again = load_net("stripes")
    assert again.attributes == {"band": 2}
    # float16 keeps 11 bits of each weight. The deviations of some thousand terms partly cancel.
    torch.testing.assert_close(see(again, images).features, see(net, images).features, rtol=0.02, atol=0.02)


def test_small_and_large_pictures_have_nets():
    for size, channels in [(8, 1), (28, 3), (64, 3)]:
        features, logits = FeatureNet(size, channels, 5).eval()(torch.zeros(2, channels, size, size))
        assert (features.shape, logits.shape) == ((2, FEATURES), (2, 5))
