"""Test what readers say about images against their known attributes.

An inverted reader would steer every named direction the wrong way.
"""

import pytest
import torch

from gan import data
from gan.latent.directions.attributes import open_reader

# Attribute values that show it. They are written by hand, not taken from the reader.
KNOWN = {
    "long_hair": ("hair_length", {"long"}), "happy": ("mood", {"happy"}),
    "warm_background": ("background", {"#ffd5dc", "#ffdfbf"}),
    "fair_skin": ("skin_colour", {"#ffdbac", "#f5cfa0", "#eac393"}),
}  # fmt: skip
ABSENT = ("beard", "glasses", "hat", "accessories")


def sorted_right(read: torch.Tensor, has: torch.Tensor) -> float:
    """Return the area under the ROC curve of a reader.

    It is the share of pairs of images, one with and one without the attribute, that the reader sorts
    correctly.
    """
    return (read[has][:, None] > read[~has][None]).float().mean().item()


@pytest.fixture(scope="module")
def faces():
    """Return the reader's values for 400 faces by attribute, with the set and the chosen rows."""
    found = data.load("faces", 64, 3)
    chosen = torch.arange(0, len(found.images), len(found.images) // 400)[:400]
    reader = open_reader("faces", 3)
    with torch.inference_mode():
        values = reader.read(found.images[chosen])
    return (
        {attribute.id: column for attribute, column in zip(reader.attributes, values.T, strict=True)},
        found,
        chosen,
    )


@pytest.mark.parametrize("name", [*KNOWN, *ABSENT])
def test_faces_are_read_as_they_are(faces, name):
    read, found, chosen = faces
    head, wanted = KNOWN.get(name, (name, None))
    values = [found.attribute_values[head][int(value)] for value in found.attributes[head][chosen]]
    has = torch.tensor([value != "none" if wanted is None else value in wanted for value in values])
    assert 10 < has.sum() < 390
    # accessories, a few pixels in size, have .84; an inverted reader has .16
    assert sorted_right(read[name], has) > 0.8


def test_landscapes_are_read_as_they_are():
    found = data.load("landscapes", 64, 3)
    reader = open_reader("landscapes", 3)
    columns = [attribute.id for attribute in reader.attributes]
    with torch.inference_mode():
        values = reader.read(found.images[:300])
    for name, fact in (("sea", "scene"), ("lake", "lake"), ("aurora", "aurora")):
        has = found.attributes[fact][:300] == 1
        assert 10 < has.sum() < 290
        assert sorted_right(values[:, columns.index(name)], has) > 0.9, name
