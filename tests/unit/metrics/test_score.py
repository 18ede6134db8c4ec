"""Test all scores together, against torch-fidelity, prdc and known scores, and through every extractor."""

import sys
import urllib.error

import numpy as np
import pytest
import torch

from gan import data
from gan.errors import UserError
from gan.metrics.extractors import (
    EXTRACTORS,
    choose_extractor,
    extractor_names,
    open_extractor,
    usual_extractor,
)
from gan.metrics.frechet import fit_gaussian, frechet_distance
from gan.metrics.kernel import kernel_distance
from gan.metrics.manifold import manifold_scores
from gan.metrics.memory import share_of_copies
from gan.metrics.score import MIN_IMAGES, SCORES, compare, score, shown_name
from gan.models import ARCHITECTURES


def features(count, seed, shift=0.0, width=16):
    return torch.randn(count, width, generator=torch.Generator().manual_seed(seed)) + shift


@pytest.fixture(scope="module")
def digits():
    return data.load("digits").images[torch.randperm(10_000, generator=torch.Generator().manual_seed(0))]


def test_frechet_distance_agrees_with_torch_fidelity():
    from torch_fidelity.metric_fid import KEY_METRIC_FID, fid_features_to_statistics, fid_statistics_to_metric

    real, fake = features(400, 0), features(300, 1, shift=0.5)
    statistics = (fid_features_to_statistics(each.double()) for each in (real, fake))
    theirs = fid_statistics_to_metric(*statistics, verbose=False)[KEY_METRIC_FID]
    # Both use float64. torch-fidelity takes roots of the eigenvalues of a product that is not symmetric.
    assert frechet_distance(fit_gaussian(real), fit_gaussian(fake)) == pytest.approx(theirs, rel=1e-8)


def test_kernel_distance_agrees_with_torch_fidelity():
    from torch_fidelity.metric_kid import KEY_METRIC_KID_MEAN, KEY_METRIC_KID_STD, kid_features_to_metric

    real, fake = features(200, 0), features(200, 1, shift=0.2)
    settings = {"kid_subsets": 1, "kid_subset_size": 200, "rng_seed": 0, "verbose": False}
    whole = kid_features_to_metric(real.double(), fake.double(), **settings)[KEY_METRIC_KID_MEAN]
    ours = kernel_distance(real, fake, subsets=1, subset_size=200).mean
    assert ours == pytest.approx(whole, rel=1e-9)  # one subset of everything: the same sums in float64
    parts = kid_features_to_metric(
        real.double(), fake.double(), **{**settings, "kid_subsets": 100, "kid_subset_size": 50}
    )
    mine = kernel_distance(real, fake, subsets=100, subset_size=50)
    # the error of the difference, because the subsets differ
    error = (mine.sd**2 + parts[KEY_METRIC_KID_STD] ** 2) ** 0.5 / 100**0.5
    assert abs(mine.mean - parts[KEY_METRIC_KID_MEAN]) < 4 * error
    # each is known to 1 / sqrt(200), or 7 %
    assert mine.sd == pytest.approx(parts[KEY_METRIC_KID_STD], rel=0.4)


def test_manifold_scores_agree_with_prdc(capsys):
    from prdc import compute_prdc

    real, fake = features(150, 0), features(120, 1, shift=0.3)
    theirs = compute_prdc(
        real_features=real.double().numpy(), fake_features=fake.double().numpy(), nearest_k=5
    )
    # counts over equal totals
    assert manifold_scores(real, fake)._asdict() == pytest.approx(theirs, abs=1e-12)
    capsys.readouterr()


def test_two_samples_of_one_distribution():
    found = compare(features(800, 0), features(800, 1))
    # The expectations are 1 - 2^-5 = .969 and a density of 1. The intervals are about three standard errors
    # of 800 images.
    assert found["coverage"] == pytest.approx(0.969, abs=0.02)
    assert found["density"] == pytest.approx(1, abs=0.08)
    assert found["1-NN accuracy"] == pytest.approx(0.5, abs=0.05)
    assert abs(found["KD"]) < 0.02 < compare(features(800, 0), features(800, 1, shift=0.2))["KD"]
    assert found["KD sd"] > 0
    assert 0 < found["FD"] < 1
    assert found.keys() <= SCORES.keys()


def test_a_collapsed_and_a_shifted_set():
    real = features(300, 0)
    collapsed = compare(real, real[:1] + 1e-3 * features(300, 1))
    assert collapsed["coverage"] < 0.05
    assert collapsed["recall"] < 0.05
    assert collapsed["1-NN accuracy"] > 0.9
    shifted = compare(real, real + 10)
    assert (shifted["precision"], shifted["recall"], shifted["coverage"], shifted["1-NN accuracy"]) == (
        0,
        0,
        0,
        1,
    )
    assert shifted["FD"] == pytest.approx(16 * 100, rel=1e-9)


def test_too_few_or_broken_features_are_refused():
    with pytest.raises(ValueError, match="N >= 6"):
        compare(features(MIN_IMAGES - 1, 0), features(100, 1))
    with pytest.raises(ValueError, match="finite"):
        compare(features(100, 0), features(100, 1) * torch.nan)


def test_copies_are_counted():
    train, held_out = features(500, 0), features(400, 1)
    assert share_of_copies(train, held_out, features(400, 2)) == pytest.approx(0.01, abs=0.02)
    samples = features(400, 3)
    samples[:80] = train[:80] + 1e-4
    assert share_of_copies(train, held_out, samples) == pytest.approx(0.2, abs=0.02)
    assert share_of_copies(train, held_out, features(400, 2, shift=5)) == 0


def test_real_pictures_score_as_real_and_copies_as_copies(digits):
    real, other, train = digits[:300], digits[300:600], digits[600:1600]
    extractor = open_extractor("digits")
    alike = score(real, other, extractor, train)
    assert alike.keys() == SCORES.keys()
    assert alike["coverage"] > 0.9
    assert alike["mode KL"] < 0.05
    assert alike["modes"] == 10
    assert abs(alike["C_T"]) < 3
    assert alike["copies"] < 0.05
    assert alike["FD"] == pytest.approx(alike["FD of data"], rel=0.5)
    copied = score(real, train[:300], extractor, train)
    assert copied["C_T"] < -10
    assert copied["copies"] > 0.9
    ones = score(real, data.load("digits").images[data.load("digits").labels == 1][:300], extractor)
    assert ones["FD"] > 10 * alike["FD"]
    assert ones["coverage"] < 0.3
    assert ones["mode KL"] == pytest.approx(np.log(10), abs=0.4)
    assert "C_T" not in ones
    seen = score(train[:300], other, extractor, train, unseen=real)
    assert seen.keys() == SCORES.keys() - {"FD of data"}
    assert (seen["C_T"], seen["copies"]) == (alike["C_T"], alike["copies"])


@pytest.mark.parametrize("name", ["digits", "efficientnet", "pixels"])
def test_viewers_take_grey_and_colour_of_any_size(name, digits):
    extractor = open_extractor(name)
    grey = digits[:8]
    view = extractor.extract(grey)
    assert view.features.shape[0] == 8
    assert view.features.dtype == torch.float32
    assert (view.classes is None) == (extractor.classes == 0)
    colour = extractor.extract(torch.nn.functional.interpolate(grey.expand(-1, 3, -1, -1), size=(32, 32)))
    assert colour.features.shape[0] == 8


def test_usual_viewers():
    assert usual_extractor("digits", 1) == usual_extractor("mnist", 1) == "digits"
    assert usual_extractor("fashion-mnist", 1) == "fashion"
    assert usual_extractor("/home/me/cats.zip", 3) == "efficientnet"
    assert usual_extractor("/home/me/cats.zip", 3, extractors=("efficientnet",)) == "pixels"
    assert usual_extractor("kmnist", 1) == "pixels"


def test_nobody_is_judged_by_the_eyes_it_learned_through():
    assert (
        choose_extractor("pixels", "cats.zip", 3, extractors=("efficientnet",)).name
        == choose_extractor(None, "cats.zip", 3, extractors=("efficientnet",)).name
        == "pixels"
    )
    with pytest.raises(UserError, match="used the feature extractor “efficientnet” in training"):
        choose_extractor("efficientnet", "cats.zip", 3, extractors=("efficientnet",))
    assert {name for each in ARCHITECTURES.values() for name in each.extractors} <= set(EXTRACTORS)


def test_only_inception_makes_a_fid():
    assert [shown_name(name, "inception", "Inception") for name in ("FD", "KD", "coverage")] == [
        "FID",
        "KID",
        "coverage (Inception)",
    ]
    assert shown_name("FD", "digits", "digits net") == "FD (digits net)"


def test_an_unknown_net_is_told_as_such():
    with pytest.raises(
        UserError, match=r"no feature extractor called “vgg”\. Choose one of: .*digits.*efficientnet"
    ):
        open_extractor("vgg")
    assert set(EXTRACTORS) < set(extractor_names())


def test_without_internet_there_is_no_fid(monkeypatch, tmp_path):
    def offline(*args, **options):
        raise urllib.error.URLError("no route to host")

    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    monkeypatch.setattr(torch.hub, "download_url_to_file", offline)
    with pytest.raises(UserError, match=r"Inception could not be downloaded.* no FID"):
        open_extractor("inception")


def test_without_torch_fidelity_a_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch_fidelity", None)
    with pytest.raises(UserError, match="pip install torch-fidelity"):
        open_extractor("inception")


def test_a_download_becomes_inceptions_features(monkeypatch, tmp_path, digits):
    """The test replaces only the download, by random weights with the right names and shapes."""
    from torch_fidelity import feature_extractor_inceptionv3 as inception

    class Untrained(inception.FeatureExtractorInceptionV3):
        def load_state_dict(self, *args, **options):
            """Keep the weights of the initialisation."""

    monkeypatch.setattr(inception, "load_state_dict_from_url", lambda *args, **options: None)
    weights = Untrained("untrained", ["2048"]).state_dict()
    asked = []

    def download(url, path, *args, **options):
        asked.append(url)
        torch.save(weights, path)

    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    monkeypatch.setattr(torch.hub, "download_url_to_file", download)
    extractor = open_extractor("inception")
    assert asked == [inception.URL_INCEPTION_V3]
    view = extractor.extract(digits[:2])
    assert view.features.shape == (2, 2048)
    assert view.classes is None
