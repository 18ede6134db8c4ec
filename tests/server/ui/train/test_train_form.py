"""Test the way from the form's values to a config, and from uploaded files to their own folder."""

import dataclasses
import io
import os
import time
import zipfile
from pathlib import Path

import pytest

from gan.data.own.report import Report
from gan.errors import UserError
from gan.kinds import KINDS
from gan.kinds.points.recipes import make_config as make_points_config
from gan.recipes import RECIPES, make_config
from gan.ui.server.requests.uploads import LOST_AFTER, keep_uploads, received, safe_name, sweep
from gan.ui.train import fields, form


def values(data="digits", recipe="modern", **changes):
    chosen = dict(zip(fields.keys(), form.defaults(data, recipe), strict=True))
    return list({**chosen, **changes}.values())


def zipped(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def test_every_setting_is_in_the_form_or_elsewhere_on_purpose():
    for part in fields.PARTS.values():
        assert {*part.names(), *part.elsewhere} == {field.name for field in dataclasses.fields(part.config)}
    assert len(fields.keys()) == len(set(fields.keys()))
    assert {*fields.PARTS} == {*KINDS}


def test_a_run_on_points_has_a_form_of_its_own():
    config = form.config("grid25", "collapse", 1.0, values("grid25", "collapse", **{"points-batch": 64.0}))
    assert config == make_points_config("grid25", "collapse", minutes=1.0, batch=64)
    with pytest.raises(UserError) as caught:
        form.config("grid25", "dcgan", 1, values("grid25"))
    assert caught.value.key == "config.unknown_recipe"


def test_the_budget_of_images_is_minutes_or_thousands_of_images():
    timed, counted = (form.config("digits", "modern", budget, values()) for budget in (3, {"kimg": 50}))
    assert (timed.minutes, timed.budget_images) == (3.0, 0)
    assert counted.budget_images == 50_000


def test_the_form_begins_with_values_for_the_controls_of_one_kind():
    for data, own in (("digits", "images"), ("spiral", "points")):
        filled = [
            key
            for key, value in zip(fields.keys(), form.defaults(data, "modern"), strict=True)
            if value is not None
        ]
        part = fields.PARTS[own]
        assert filled == [part.key(name) for name in part.names()]


@pytest.fixture
def gpu(monkeypatch):
    """Return a function that sets whether training here has a GPU."""
    return lambda there: monkeypatch.setattr("gan.ui.train.form.has_gpu", lambda: there)


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize(
    ("data", "size", "channels"), [("digits", 28, 1), ("emoji", 64, 3), ("cifar10", 32, 3)]
)
def test_untouched_defaults_give_the_recipe_itself(data, size, channels, recipe, gpu):
    gpu(True)
    assert form.config(data, recipe, 3, values(data, recipe)) == make_config(
        data, recipe, size, channels, minutes=3.0
    )


def test_touched_fields_win_whatever_number_the_browser_sends():
    config = form.config("digits", "modern", 2, values(batch=16.0, beta1=0, z_dim=5, flip=True))
    assert (config.minutes, config.batch, config.beta1, config.z_dim, config.flip) == (2.0, 16, 0.0, 5, True)
    assert [type(value) for value in (config.minutes, config.batch, config.beta1)] == [float, int, float]


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"batch": 1}, "config.range"),
        ({"batch": 2.5}, "config.not_whole"),
        ({"lr_g": None}, "config.not_a_number"),
        ({"size": 77}, "config.choice"),
        ({"width": "wide"}, "config.not_whole"),
        ({"penalty": "wgan_gp"}, "config.penalty_loss"),
    ],
)
def test_impossible_settings_are_a_sentence(changes, key):
    with pytest.raises(UserError) as caught:
        form.config("digits", "modern", 5, values(**changes))
    assert caught.value.key == key


@pytest.mark.parametrize(
    ("minutes", "key"),
    [
        (0, "config.range"),
        (None, "config.not_a_number"),
        ("5", "config.not_a_number"),
        (float("nan"), "config.not_a_number"),
    ],
)
def test_impossible_times_are_a_sentence(minutes, key):
    with pytest.raises(UserError) as caught:
        form.config("digits", "modern", minutes, values())
    assert caught.value.key == key


def test_what_is_known_of_a_data_set_is_checked_at_once():
    with pytest.raises(UserError, match="larger than the data set of 729"):
        form.config("emoji", "modern", 5, values("emoji", batch=1000))


@pytest.mark.parametrize(
    ("report", "changes", "key"),
    [(Report(count), {"batch": 4}, "ui.too_few") for count in (0, 1)]
    + [(Report(10), {}, "train.batch_too_large"), (Report(40), {"conditional": True}, "ui.no_classes")],
)
def test_what_a_survey_found_is_checked_before_anything_is_started(report, changes, key):
    with pytest.raises(UserError) as caught:
        form.config("/kept/cats.zip", "modern", 5, values("own", **changes), report)
    assert caught.value.key == key


def test_own_pictures_are_trained_as_the_form_says():
    report = Report(40, classes=(("cat", 20), ("dog", 20)), grey=True)
    config = form.config(
        "/kept/cats.zip",
        "modern",
        5,
        values("own", channels=1, size=28, background="black", conditional=True),
        report,
    )
    assert (config.channels, config.size, config.background, config.conditional) == (1, 28, "black", True)


def test_a_set_of_the_catalogue_keeps_its_channels():
    assert form.config("digits", "modern", 5, values("digits", channels=3)).channels == 1


@pytest.mark.parametrize("gpus", [0, 3, -1, True, "2", 1.5, None])
def test_a_page_may_ask_only_for_gpus_that_exist(gpus, monkeypatch):
    monkeypatch.setattr(form, "count_gpus", lambda: 2)
    asked = {"data": "digits", "values": []}
    assert [form.read({**asked, **more})["gpus"] for more in ({}, {"gpus": 1}, {"gpus": 2})] == [1, 1, 2]
    with pytest.raises(UserError) as error:
        form.read({**asked, "gpus": gpus})
    assert error.value.key == "ui.bad_form"


def test_what_needs_a_gpu_is_refused_without_one(gpu):
    gpu(False)
    with pytest.raises(UserError) as caught:
        form.config("emoji", "projected", 5, values("emoji", "projected"))
    assert caught.value.key == "ui.needs_gpu"
    lent = form.config("emoji", "projected", 5, values("emoji", "projected"), lends=True)
    assert lent.recipe == "projected", "the server sees no GPU that is lent"
    gpu(True)
    assert form.config("emoji", "projected", 5, values("emoji", "projected")).recipe == "projected"


@pytest.mark.parametrize(
    ("name", "safe"),
    [("My cats.ZIP", "My-cats.zip"), ("../../etc/passwd.png", "passwd.png"), ("..\\..\\x.png", "x.png"),
     ("猫.jpg", "猫.jpg"), ("...", "pictures"), ("a" * 300 + ".webp", "a" * 60 + ".webp")],
)  # fmt: skip
def test_names_of_uploads_stay_in_their_folder(name, safe):
    assert safe_name(name) == safe


def test_uploads_are_kept_once(tmp_path):
    pictures = []
    for number in range(3):
        pictures.append(tmp_path / f"cat {number}.png")
        pictures[-1].write_bytes(bytes([number]) * 10)
    root = tmp_path / "runs" / ".uploads"
    folder = keep_uploads([str(path) for path in pictures], root)
    assert [path.read_bytes() for path in sorted(folder.iterdir())] == [
        path.read_bytes() for path in pictures
    ]
    assert folder.is_relative_to(root)
    assert keep_uploads([str(path) for path in reversed(pictures)], root) == folder
    archive = tmp_path / "dogs.zip"
    archive.write_bytes(zipped({"a.png": b"x"}))
    kept = keep_uploads([str(archive)], root)
    assert (kept.name, kept.read_bytes()) == ("dogs.zip", archive.read_bytes())
    for files, key in (([], "ui.no_files"), ([str(archive), str(pictures[0])], "ui.mixed_files")):
        with pytest.raises(UserError) as caught:
            keep_uploads(files, root)
        assert caught.value.key == key


@pytest.mark.parametrize("name", ["notes.txt", "page.html", "run.sh", "picture"])
def test_only_pictures_and_zips_are_kept(name, tmp_path):
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(UserError, match=name) as caught:
        keep_uploads([str(tmp_path / name)], tmp_path / "root")
    assert (caught.value.key, (tmp_path / "root").exists()) == ("ui.other_files", False)


def test_the_same_pictures_under_other_names_are_other_uploads(tmp_path):
    """In one folder, the shared image would count twice."""
    for name in ("a", "b", "c"):
        (tmp_path / f"{name}.png").write_bytes(b"\x89PNG" + name.encode().replace(b"c", b"b"))
    first, second = (
        keep_uploads([tmp_path / "a.png", tmp_path / f"{name}.png"], tmp_path / "root") for name in "bc"
    )
    assert [len(list(folder.iterdir())) for folder in (first, second)] == [2, 2]


def test_a_page_can_name_only_what_was_uploaded(tmp_path):
    folder = tmp_path / "uploads"
    (folder / ("0" * 64)).mkdir(parents=True)
    good, link = folder / ("0" * 64) / "cat.png", folder / ("0" * 64) / "link.png"
    good.write_bytes(b"x")
    link.symlink_to("/etc/passwd")
    (tmp_path / "secret.png").write_bytes(b"x")
    assert received([str(good)], folder) == [good]
    lost = [str(link), f"{good}x", f"{good.parent}"[:-1] + "1/cat.png", f"{good.parent}/\ud800"]
    odd = ["/etc/passwd", str(tmp_path / "secret.png"), "cat.png", f"{good.parent}/../../secret.png",
        f"{good.parent}/..", str(good.parent), "\0", "x" * 5000,
           f"{good.parent}/a/b.png"]  # fmt: skip
    cases = [
        (None, "ui.bad_form"),
        ("x", "ui.bad_form"),
        ([7], "ui.bad_form"),
        ([str(good)] * 1001, "ui.too_many_files"),
    ]
    cases += [([name], "ui.bad_form") for name in odd] + [([name], "ui.lost_files") for name in lost]
    for files, key in cases:
        with pytest.raises(UserError) as caught:
            received(files, folder)
        assert caught.value.key == key, files


def test_the_folder_of_uploads_may_be_given_in_any_form(tmp_path, monkeypatch):
    folder = tmp_path / "real" / "uploads"
    good = folder / ("0" * 64) / "cat.png"
    good.parent.mkdir(parents=True)
    good.write_bytes(b"x")
    (tmp_path / "link").symlink_to(folder)
    monkeypatch.chdir(tmp_path / "real")
    for given in ("uploads", "./uploads/", "../real/uploads", str(folder)):
        assert received([str(good)], Path(given)) == [good], given
    through = tmp_path / "link" / good.relative_to(folder)
    for path in (good, through):
        assert received([str(path)], tmp_path / "link") == [path]
    with pytest.raises(UserError):
        received([str(through)], folder)


def test_parts_of_broken_uploads_are_swept_out(tmp_path):
    for name, age in (("tmp1", 0), ("tmp2", 2 * LOST_AFTER), (f"{'0' * 64}/cat.png", 2 * LOST_AFTER)):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
        os.utime(tmp_path / name, times=(time.time() - age,) * 2)
    sweep(tmp_path)
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == ["cat.png", "tmp1"]
    sweep(tmp_path / "none")
