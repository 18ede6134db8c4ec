"""Which folders are classes: splits, shards and wrappers are none, digits are."""

import time
from pathlib import PurePosixPath

import pytest

from gan import data
from gan.data import class_folders
from tests.zips import make_folder, make_zip, picture


def places(folder: str, count: int = 3, first: int = 0, name: str = "{:04d}.png") -> list[str]:
    return [f"{folder}/{name.format(first + k)}" for k in range(count)]


def found(*names: list[str]) -> dict[str, int]:
    """The classes that these places have, with their numbers."""
    labels, classes = class_folders.find([PurePosixPath(name) for group in names for name in group], 1000)
    return {name: labels.count(k) for k, name in enumerate(classes)}


def under(tops, kinds, count: int = 3) -> list[str]:
    return [name for top in tops for kind in kinds for name in places(f"{top}/{kind}", count)]


@pytest.mark.parametrize("tops", [
    ("train", "test"), ("Training", "Validation", "Testing"), ("training_set", "test_set"),
    ("train2017", "val2017"), ("01-train", "02-test", "eval"),
    ("训练集", "测试集"), ("训练", "验证"), ("学習", "テスト"), ("train/images", "test/images"), ("set/train", "set/dev"),
    ("part-00", "part-01"), ("shard_1", "shard_2", "shard_3"),
    ("batch1", "batch2"), ("第1部分", "第2部分"), ("train-part-1", "train-part-2"), ("000", "001", "002"), ("fold0", "fold1"), ("2012", "2013"),
    ("0", "1", "2", "3", "4"),
    ("train", "test", "extra"), ("train", "mine"), ("train", "images"),
])  # fmt: skip
def test_levels_that_split_or_number_are_no_classes(tops):
    assert found(under([f"pets/{top}" for top in tops], ("cat", "dog"))) == {"cat": 3 * len(tops), "dog": 3 * len(tops)}


@pytest.mark.parametrize("tops", [("train", "test"), ("训练", "测试"), ("images", "data"), ("part1", "part2"), ("100CANON", "101CANON"), ("train1", "train2")])
def test_splits_without_folders_below_are_no_classes(tops):
    assert found(*map(places, tops)) == {}


@pytest.mark.parametrize("top", ["", "train/", "mnist/train/"])
@pytest.mark.parametrize("digits", ["0123456789", "01", "123", "02468"])
def test_digits_are_classes(top, digits):
    """Wherever each has numbered its files, and in whatever way."""
    same = dict.fromkeys(digits, 4)
    assert found(*(places(f"{top}{digit}", 4) for digit in digits)) == same
    assert found(*(places(f"{top}{digit}", 4, 4 * k) for k, digit in enumerate(digits))) == same
    assert found(*(places(f"{top}{digit}/{split}", 2) for digit in digits for split in ("train", "test"))) == same


def test_digits_in_splits_are_classes():
    assert found(under(("train", "test"), "0123456789")) == dict.fromkeys("0123456789", 6)
    assert found(under("0123456789", ("anna", "bob"))) == dict.fromkeys("0123456789", 6), "whoever wrote them"


def test_padded_numbers_are_shards_where_files_say_so():
    numbered = [places(f"{1000 * k:05d}", 5, 1000 * k) for k in range(12)]
    assert found(*numbered) == {}, "files are numbered on"
    assert found(*(places(f"{k:03d}", 5) for k in range(12))) == {}, "equally full"
    signs = [places(f"{k:05d}", 3 + k % 4) for k in range(12)]
    assert len(found(*signs)) == 12, "as the classes of a set of traffic signs are"
    assert len(found(*(places(str(k + 1), 3, 7 * (k * 5 % 12)) for k in range(12)))) == 12, "numbers of classes that are not padded"
    hashes = [[f"{k:02x}/{k:02x}{n:030x}.png" for n in range(3)] for k in range(20)]
    assert found(*hashes) == {}, "folders of the first digits of a hash"
    assert len(found(*(places(letter) for letter in "abcdef"))) == 6, "letters are classes"


def test_names_that_hold_both_a_split_and_a_class():
    assert found(*map(places, ("trainA", "trainB", "testA", "testB"))) == {"A": 6, "B": 6}
    assert found(*map(places, ("train_cat", "test_cat", "train_dog", "test_dog"))) == {"cat": 6, "dog": 6}
    assert found(*map(places, ("cat train", "cat test", "dog train", "dog test"))) == {"cat": 6, "dog": 6}
    assert found(*map(places, ("cat_train", "dog_test"))) == {"cat_train": 3, "dog_test": 3}


def test_what_only_looks_like_a_split_stays_a_class():
    assert found(*map(places, ("train", "car", "plane"))) == {"train": 3, "car": 3, "plane": 3}
    assert found(*map(places, ("photos", "paintings"))) == {"photos": 3, "paintings": 3}
    assert found(*map(places, ("latest", "valentine", "trainer"))) == {"latest": 3, "valentine": 3, "trainer": 3}
    assert found(under(("cat", "dog"), ("train", "test"))) == {"cat": 6, "dog": 6}
    assert found(under(("monet", "hopper"), ("land", "sea"))) == {"monet": 6, "hopper": 6}


def test_loose_pictures_have_no_class_while_they_are_few():
    animals = [*places("pets/cat"), *places("pets/dog")]
    assert found(animals, ["cover.png"]) == found(animals, ["pets/cover.png"]) == found(animals, ["a.png", "pets/b.png"]) == {"cat": 3, "dog": 3}
    assert found(animals, places(".", 5)) == {"cat": 3, "dog": 3}
    assert found(animals, places(".", 6)) == {}
    assert found(places("train/cat"), places("train/dog"), places("test", 2)) == {"cat": 3, "dog": 3}
    assert found(places("cat"), ["cover.png"]) == {}


def test_long_names_stay_apart_and_equal_ones_become_one():
    begin = "a very long name that goes on and on and on, of " + "x" * 40
    assert len(found(places(f"{begin} cats"), places(f"{begin} dogs"))) == 2
    assert all(len(name) <= 60 for name in found(places(f"{begin} cats"), places(f"{begin} dogs")))
    assert found(places("cat "), places("x/cat"), places("cat"), places("dog")) == {"cat": 6, "x": 3, "dog": 3}
    assert found(places("e\u0301te"), places("\u00e9te"), places("hiver")) == {"\u00e9te": 6, "hiver": 3}


def test_names_that_are_made_to_cost_time_cost_none():
    begin = time.perf_counter()
    found(["dataset" * 3000 + f"x{k}/a.png" for k in range(300)])
    found(["dataset" * 8 + f"x{k}/a.png" for k in range(5000)])
    found(["/".join("a" * 30_000) + f"/{k}.png" for k in range(50)])
    assert time.perf_counter() - begin < 5


@pytest.mark.parametrize("pack", [lambda path, members: make_zip(path / "a.zip", members), lambda path, members: make_folder(path / "a", members)])
def test_pictures_get_the_class_of_the_folder_below_the_split(tmp_path, pack):
    colours = {"cat": "red", "dog": "blue"}
    members = {f"pets/{split}/{kind}/{k}.png": picture(colour) for split in ("train", "test") for kind, colour in colours.items() for k in range(3)}
    set_ = data.load(pack(tmp_path, {**members, "pets/cover.png": picture("lime")}), size=8)
    assert set_.report.classes == (("cat", 6), ("dog", 6))
    assert [(entry.name, entry.reason) for entry in set_.report.left_out] == [("pets/cover.png", "no_class")]
    assert (set_.report.count, len(set_.images), len(set_.labels)) == (12, 12, 12)
    for image, label in zip(set_.images, set_.labels.tolist(), strict=True):
        assert (image[0].float().mean() == 255, image[2].float().mean() == 255) == (label == 0, label == 1), "none is the cover"
