"""Test which folders are classes: digits are, but splits, shards and wrappers are not."""

import time
from pathlib import PurePosixPath

import pytest

from gan import data
from gan.data.own import class_folders
from tests.support.inputs.zips import make_folder, make_zip, picture


def places(folder: str, count: int = 3, first: int = 0, name: str = "{:04d}.png") -> list[str]:
    return [f"{folder}/{name.format(first + k)}" for k in range(count)]


def found(*names: list[str]) -> dict[str, int]:
    """Return the classes of these paths, with their numbers of images."""
    labels, classes, *_ = class_folders.find([PurePosixPath(name) for group in names for name in group], 1000)
    return {name: labels.count(k) for k, name in enumerate(classes)}


def under(tops, kinds, count: int = 3) -> list[str]:
    return [name for top in tops for kind in kinds for name in places(f"{top}/{kind}", count)]


@pytest.mark.parametrize(
    "tops",
    [
        ("train", "test"),
        ("Training", "Validation", "Testing"),
        ("training_set", "test_set"),
        ("train2017", "val2017"),
        ("01-train", "02-test", "eval"),
        ("训练集", "测试集"),
        ("训练", "验证"),
        ("学習", "テスト"),
        ("train/images", "test/images"),
        ("set/train", "set/dev"),
        ("part-00", "part-01"),
        ("shard_1", "shard_2", "shard_3"),
        ("batch1", "batch2"),
        ("第1部分", "第2部分"),
        ("train-part-1", "train-part-2"),
        ("000", "001", "002"),
        ("fold0", "fold1"),
        ("2012", "2013"),
        ("0", "1", "2", "3", "4"),
        ("train", "test", "extra"),
        ("train", "mine"),
        ("train", "images"),
    ],
)
def test_levels_that_split_or_number_are_no_classes(tops):
    assert found(under([f"pets/{top}" for top in tops], ("cat", "dog"))) == {
        "cat": 3 * len(tops),
        "dog": 3 * len(tops),
    }


@pytest.mark.parametrize(
    "tops",
    [
        ("train", "test"),
        ("训练", "测试"),
        ("images", "data"),
        ("part1", "part2"),
        ("100CANON", "101CANON"),
        ("train1", "train2"),
    ],
)
def test_splits_without_folders_below_are_no_classes(tops):
    assert found(*map(places, tops)) == {}


@pytest.mark.parametrize("top", ["", "train/", "mnist/train/"])
@pytest.mark.parametrize("digits", ["0123456789", "01", "123", "02468"])
def test_digits_are_classes(top, digits):
    """The result does not depend on how the files are numbered."""
    same = dict.fromkeys(digits, 4)
    assert found(*(places(f"{top}{digit}", 4) for digit in digits)) == same
    assert found(*(places(f"{top}{digit}", 4, 4 * k) for k, digit in enumerate(digits))) == same
    assert (
        found(*(places(f"{top}{digit}/{split}", 2) for digit in digits for split in ("train", "test")))
        == same
    )


def test_digits_in_splits_are_classes():
    assert found(under(("train", "test"), "0123456789")) == dict.fromkeys("0123456789", 6)
    assert found(under("0123456789", ("anna", "bob"))) == dict.fromkeys("0123456789", 6), "whoever wrote them"


def whole(*names: list[str], most: int = 1000) -> class_folders.Classes:
    return class_folders.find([PurePosixPath(name) for group in names for name in group], most)


@pytest.mark.parametrize(("folders", "running"), [
    (["10", "20", "50"], True), (["2019", "2020"], True), (["5", "10", "20"], True),
    (["00000", "00001", "00002"], False), (["001", "002"], False),
    (["00000", "01000"], True), ([f"{k:03d}" for k in range(102)], False),
])  # fmt: skip
def test_folders_of_numbers_are_classes_in_doubt(folders, running):
    """Nobody can tell banknotes, years and traffic signs from shards, so the user decides."""
    for top in ("", "train/"):
        classes = whole(*(places(top + name, 5, 5 * k * running) for k, name in enumerate(folders)))
        assert (classes.names, classes.doubtful) == (tuple(sorted(folders)), True)
    assert not whole(*(places(name, 3 + k) for k, name in enumerate(sorted(folders, key=int)))).doubtful, (
        "nothing speaks for parts"
    )


def test_what_says_that_it_is_a_part_is_one_for_sure():
    hashes = [[f"{k:02x}/{k:02x}{n:030x}.png" for n in range(3)] for k in range(20)]
    assert found(*hashes) == {}, "folders of the first digits of a hash"
    for tops in (
        ("part-0", "part-1"),
        ("000-of-002", "001-of-002"),
        ("train-00000-of-00002", "train-00001-of-00002", "test-00000-of-00001"),
    ):
        assert found(*(places(top, 5, 5 * k) for k, top in enumerate(tops))) == {}
        assert found(under(tops, ("cat", "dog"))) == {"cat": 3 * len(tops), "dog": 3 * len(tops)}
    assert len(found(*(places(letter) for letter in "abcdef"))) == 6, "letters are classes"


@pytest.mark.parametrize(
    "tops",
    [
        ("seg_train", "seg_test", "seg_pred"),
        ("train_pets_v2", "val_pets_v2"),
        ("pets-train", "pets-val", "pets_test", "pred"),
        ("Pets Training Set", "Pets Test Set"),
    ],
)
@pytest.mark.parametrize("twice", [False, True])
def test_splits_that_bear_the_name_of_their_set(tops, twice):
    inside = [f"{top}/{top}" if twice else top for top in tops]
    assert found(under(inside, ("forest", "sea"))) == {"forest": 3 * len(tops), "sea": 3 * len(tops)}
    assert found(under(inside[:-1], ("forest", "sea")), places(inside[-1])) == {
        "forest": 3 * len(tops) - 3,
        "sea": 3 * len(tops) - 3,
    }
    assert found(*map(places, inside)) == {}


def test_what_has_words_in_common_stays_a_class():
    assert found(*map(places, ("sea front", "sea back"))) == {"sea back": 3, "sea front": 3}
    assert found(*map(places, ("old photos", "old pictures"))) == {"old photos": 3, "old pictures": 3}
    assert found(*map(places, ("model train", "model plane"))) == {"model plane": 3, "model train": 3}


@pytest.mark.parametrize(
    "apart",
    [
        "pred",
        "predict",
        "Prediction",
        "unlabeled",
        "unlabelled",
        "test",
        "预测集",
        "未标注",
        "test/images",
        "seg_pred",
    ],
)
def test_splits_without_classes_are_left_out_however_many_they_are(apart):
    train = "seg_train" if apart == "seg_pred" else "train"
    classes = whole(under((train,), ("cat", "dog"), 9), places(apart, 30))
    assert (classes.names, classes.labels) == (("cat", "dog"), [0] * 9 + [1] * 9 + [None] * 30)


def test_a_set_whose_training_pictures_have_no_classes_has_none():
    assert found(places("train", 30), under(("test",), ("cat", "dog"), 9)) == {}


def test_names_of_splits_that_differ_in_capitals_are_one_class():
    assert found(under(("train",), ("Cat", "dog"), 4), under(("test",), ("cat", "Dog"), 3)) == {
        "Cat": 7,
        "dog": 7,
    }
    assert found(*map(places, ("train_Cat", "test_cat", "train_Dog", "test_dog"))) == {"Cat": 6, "Dog": 6}
    assert found(under(("train", "test"), ("a", "A"))) == {"a": 6, "A": 6}, (
        "letters of an alphabet: somebody keeps them apart"
    )


def test_too_many_folders_are_counted():
    assert whole(*(places(letter) for letter in "abcde"), most=4) == ([], (), False, 5, 0)
    assert whole(*(places(letter) for letter in "abcde"), most=5).too_many == 0


def test_names_that_hold_both_a_split_and_a_class():
    assert found(*map(places, ("trainA", "trainB", "testA", "testB"))) == {"A": 6, "B": 6}
    assert found(*map(places, ("train_cat", "test_cat", "train_dog", "test_dog"))) == {"cat": 6, "dog": 6}
    assert found(*map(places, ("cat train", "cat test", "dog train", "dog test"))) == {"cat": 6, "dog": 6}
    assert found(*map(places, ("cat_train", "dog_test"))) == {"cat_train": 3, "dog_test": 3}


def test_what_only_looks_like_a_split_stays_a_class():
    assert found(*map(places, ("train", "car", "plane"))) == {"train": 3, "car": 3, "plane": 3}
    assert found(*map(places, ("photos", "paintings"))) == {"photos": 3, "paintings": 3}
    assert found(*map(places, ("latest", "valentine", "trainer"))) == {
        "latest": 3,
        "valentine": 3,
        "trainer": 3,
    }
    assert found(under(("cat", "dog"), ("train", "test"))) == {"cat": 6, "dog": 6}
    assert found(under(("monet", "hopper"), ("land", "sea"))) == {"monet": 6, "hopper": 6}


def test_folders_beside_splits_are_left_out_where_they_share_no_class():
    pets = under(("train", "test"), ("cat", "dog"))
    assert found(pets, places("my_outputs/run1")) == {"cat": 6, "dog": 6}
    assert found(under(("train",), ("cat", "dog")), places("demo")) == {"cat": 3, "dog": 3}
    assert found(under(("labeled",), ("cat", "dog")), places("unlabeled", 20)) == {"cat": 3, "dog": 3}
    assert found(under(("support", "query"), ("cat", "dog"))) == {"cat": 6, "dog": 6}


def test_uneven_shards_share_a_class():
    assert found(under(("00",), ("cat", "dog")), places("01/dog")) == {"cat": 3, "dog": 6}
    assert found(places("1/a"), places("2/b")) == {"1": 3, "2": 3}


@pytest.mark.parametrize(
    "tops", [("tr", "te"), ("public", "private"), ("64x64", "128x128"), ("monet", "hopper")]
)
def test_folders_that_hold_folders_of_equal_names_are_classes_in_doubt(tops):
    assert whole(under(tops, ("cat", "dog"))).doubtful
    assert not whole(under(tops[:1], ("cat", "dog")), under(tops[1:], ("cat", "sea"))).doubtful


def test_loose_pictures_have_no_class_while_they_are_few():
    animals = [*places("pets/cat"), *places("pets/dog")]
    assert (
        found(animals, ["cover.png"])
        == found(animals, ["pets/cover.png"])
        == found(animals, ["a.png", "pets/b.png"])
        == {"cat": 3, "dog": 3}
    )
    assert found(animals, places(".", 5)) == {"cat": 3, "dog": 3}
    assert found(animals, places(".", 6)) == {"cat": 3, "dog": 3}
    assert found(animals, places(".", 7)) == {}
    assert whole(animals, places(".", 7)).loose == 7
    assert whole(places("cat"), places(".", 7)).loose == 0
    assert found(places("train/cat"), places("train/dog"), places("test", 2)) == {"cat": 3, "dog": 3}
    assert found(places("cat"), ["cover.png"]) == {}


def test_long_names_stay_apart_and_equal_ones_become_one():
    begin = "a very long name that goes on and on and on, of " + "x" * 40
    assert len(found(places(f"{begin} cats"), places(f"{begin} dogs"))) == 2
    assert all(len(name) <= 60 for name in found(places(f"{begin} cats"), places(f"{begin} dogs")))
    assert found(places("cat "), places("x/cat"), places("cat"), places("dog")) == {
        "cat": 6,
        "x": 3,
        "dog": 3,
    }
    assert found(places("e\u0301te"), places("\u00e9te"), places("hiver")) == {"\u00e9te": 6, "hiver": 3}


def test_names_that_are_made_to_cost_time_cost_none():
    begin = time.process_time()
    found(["dataset" * 3000 + f"x{k}/a.png" for k in range(300)])
    found(["dataset" * 8 + f"x{k}/a.png" for k in range(5000)])
    found(["/".join("a" * 30_000) + f"/{k}.png" for k in range(50)])
    assert time.process_time() - begin < 5


@pytest.mark.parametrize(
    "pack",
    [
        lambda path, members: make_zip(path / "a.zip", members),
        lambda path, members: make_folder(path / "a", members),
    ],
)
def test_pictures_get_the_class_of_the_folder_below_the_split(tmp_path, pack):
    colours = {"cat": "red", "dog": "blue"}
    members = {
        f"pets/{split}/{kind}/{k}.png": picture(colour)
        for split in ("train", "test")
        for kind, colour in colours.items()
        for k in range(3)
    }
    set_ = data.load(pack(tmp_path, {**members, "pets/cover.png": picture("lime")}), size=8)
    assert set_.report.classes == (("cat", 6), ("dog", 6))
    assert [(entry.name, entry.reason) for entry in set_.report.left_out] == [("pets/cover.png", "no_class")]
    assert (set_.report.count, len(set_.images), len(set_.labels)) == (12, 12, 12)
    for image, label in zip(set_.images, set_.labels.tolist(), strict=True):
        assert (image[0].float().mean() == 255, image[2].float().mean() == 255) == (label == 0, label == 1), (
            "none is the cover"
        )
