"""Test the map of samples: similar samples lie together, and the same samples lie at the same places.

An answer has all that a browser needs.
"""

import importlib.util
import io
import json

import numpy as np
import pytest
from PIL import Image

from gan.latent.catalogue import read_run, read_shipped
from gan.latent.generator import Model
from gan.latent.map import sample_map
from gan.latent.map.layout import METHODS, lay_out, methods, principal, squared
from gan.latent.map.sample_bank import CHUNK
from gan.latent.map.sample_map import COLUMNS, STEPS, atlas
from gan.latent.point import Point
from gan.latent.sampling import mixed_label
from tests.support.inputs.generators import RUN, tiny_spec, write_checkpoint, write_run

CLUSTERS, EACH = 4, 30


def planted() -> tuple[np.ndarray, np.ndarray]:
    """Return features of four clusters in 40 dimensions, with noise. A plane separates the clusters well."""
    numbers = np.random.default_rng(0)
    labels = np.arange(CLUSTERS * EACH) % CLUSTERS
    axes = np.linalg.qr(numbers.normal(size=(40, 2)))[0].T
    centres = 20 * np.array([[1, 1], [-1, 1], [1, -1], [-1, -1.5]]) @ axes
    return (centres[labels] + numbers.normal(size=(len(labels), 40))).astype(np.float32), labels


@pytest.mark.parametrize(
    "method",
    [name for name, (package, _) in METHODS.items() if package is None or importlib.util.find_spec(package)],
)
def test_planted_clusters_are_apart_and_at_the_same_places_each_time(method):
    features, labels = planted()
    places = lay_out(features, method)
    assert (places.shape, places.dtype) == ((CLUSTERS * EACH, 2), np.float32)
    assert places.min() >= 0
    assert places.max() <= 1
    distances = np.linalg.norm(places[:, None] - places[None], axis=2)
    np.fill_diagonal(distances, 9)
    nearest = np.argsort(distances, 1)[:, :5]
    assert (labels[nearest] == labels[:, None]).all()
    assert np.array_equal(lay_out(features, method), places)


def test_pca_is_that_of_the_whole_decomposition():
    features, _ = planted()
    centred = features - features.mean(0)
    u, s, _ = np.linalg.svd(centred.astype(np.float64), full_matrices=False)
    found = principal(features, 3)
    assert np.abs(np.abs(found) - np.abs(u[:, :3] * s[:3])).max() < 1e-4
    assert principal(features[:, :2], 5)[:, 2:].tolist() == [[0.0] * 3] * len(features)
    assert np.array_equal(principal(-features, 2), -principal(features, 2))


def test_a_stray_sample_does_not_shrink_the_others():
    places = np.random.default_rng(1).normal(size=(1000, 2))
    places[7] = 1000
    square = squared(places)
    assert square[7].tolist() == pytest.approx([0.98, 0.98])
    assert np.ptp(np.delete(square, 7, 0), 0).min() > 0.9
    assert squared(np.zeros((5, 2))).min() >= 0, "samples that are all the same"


def test_few_samples_have_a_map():
    for count in (2, 3, 5):
        for method in methods():
            assert np.isfinite(lay_out(np.random.default_rng(2).normal(size=(count, 6)), method)).all()


def test_pca_is_always_there():
    assert methods()[-1] == "pca"


@pytest.fixture
def model(tmp_path, monkeypatch):
    monkeypatch.setattr(sample_map, "COUNT", 6 * CHUNK)
    write_checkpoint(tmp_path, "cats", tiny_spec(3, channels=3), data="cats")
    return Model(read_shipped("shipped:cats", tmp_path / "cats"))


def read(body: bytes) -> tuple[dict, Image.Image | None]:
    length = int.from_bytes(body[:4], "little")
    rest = body[4 + length :]
    return json.loads(body[4 : 4 + length]), Image.open(io.BytesIO(rest)) if rest else None


def test_an_answer_holds_places_classes_and_pictures(model):
    body, lasting = atlas(model, "pca", 0)
    result, sheet = read(body)
    assert lasting
    assert (result["samples"], result["of"], result["by"], result["side"]) == (96, 96, "pca", 28)
    assert result["labels"] == [mixed_label(seed, 3) for seed in range(96)]
    assert (min(result["x"] + result["y"]) >= 0, max(result["x"] + result["y"]) <= STEPS) == (True, True)
    assert sheet.size == (28 * COLUMNS, 28 * 2)
    cell = np.asarray(sheet.convert("RGB"))[28:56, :28].astype(int)
    wanted = model.pictures([Point(COLUMNS)])[0].permute(1, 2, 0).numpy().astype(int)
    # these images are noise, and the sheet's compression is lossy
    assert np.corrcoef(cell.ravel(), wanted.ravel())[0, 1] > 0.7
    assert (
        abs(np.corrcoef(np.asarray(sheet.convert("RGB"))[28:56, 28:56].ravel(), wanted.ravel())[0, 1]) < 0.5
    )
    again, nothing = read(atlas(model, "pca", 96)[0])
    assert (again, nothing) == (result, None)


def test_the_first_answer_does_not_wait_for_all(model, monkeypatch):
    monkeypatch.setattr(sample_map, "FIRST", -1.0)
    body, lasting = atlas(model, methods()[0], 0)
    result, sheet = read(body)
    assert (result["samples"], result["of"], result["by"], lasting) == (CHUNK, 96, "pca", False)
    assert sheet is not None
    assert read(atlas(model, "pca", CHUNK)[0])[0]["samples"] == 96


def test_a_model_that_learns_has_what_is_drawn_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr(sample_map, "THEN", -1.0)
    write_run(tmp_path, RUN, tiny_spec(), state="running")
    result, _ = read(atlas(Model(read_run(f"run:{RUN}", tmp_path / RUN)), "pca", 0)[0])
    assert (result["samples"], result["of"], result["labels"]) == (CHUNK, CHUNK, None)
