"""Test GANarium as a library: the Python code of the README, and calls that it refuses."""

import re
import signal

import numpy as np
import pytest

from gan.errors import UserError
from gan.library import Generator, load, train
from tests import ROOT
from tests.support.inputs.generators import SMALL


def example() -> str:
    """Return the Python code of the README."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return re.search(r"```python\n(.*?)```", text, re.S)[1]


def test_the_lines_of_the_readme_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lines = example()
    assert len(lines.strip().splitlines()) <= 10
    quick = re.sub(r"minutes=1\b", ", ".join(f"{name}={value}" for name, value in SMALL.items()), lines)
    assert quick != lines, "the example trains for a minute"
    names: dict = {}
    exec(quick, names)  # noqa: S102
    assert (tmp_path / "grid.png").stat().st_size > 1000


def test_a_run_is_trained_and_opened_again(tmp_path):
    said, before = [], signal.getsignal(signal.SIGINT)
    made = train("digits", out=tmp_path / "run", report=said.append, **SMALL)
    assert signal.getsignal(signal.SIGINT) is before
    assert said[-1].endswith("[finished]")
    again = load(tmp_path / "run")
    assert isinstance(made, Generator)
    np.testing.assert_array_equal(made.images([3, 4], label="7"), again.images([3, 4], label=7))
    assert made.grid(6, columns=4).size == (4 * 28, 2 * 28)


def test_images_of_a_model_that_ships():
    model = load("faces")
    images = model.images(range(3), psi=0.7)
    assert (images.shape, images.dtype) == ((3, 64, 64, 3), np.uint8)
    assert model.grid(2).mode == "RGB"


MISTAKES = {
    "no such place": lambda: load("nothing"),
    "a seed below 0": lambda: load("digits").images([-1]),
    "no seeds": lambda: load("digits").images([]),
    "no samples": lambda: load("digits").grid(0),
    "no columns": lambda: load("digits").grid(4, columns=0),
    "no such class": lambda: load("digits").images([1], label="owl"),
    "too much psi": lambda: load("digits").images([1], psi=9),
    "no such setting": lambda: train("digits", depth=3),
    "no such data": lambda: train("nothing"),
}


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
def test_mistakes_are_sentences(mistake, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError):
        mistake()
