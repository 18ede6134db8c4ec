"""Test the survey of a folder or zip before training, by a real child process.

The terminal and the run's history show its results.
"""

import dataclasses
import io
import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from gan import data
from gan.cli.train import new_run
from gan.data.own import files
from gan.data.own import report as reports
from gan.data.own.report import (
    LEFT_OUT,
    NAME,
    PER_CLASS,
    REASONS,
    LeftOut,
    Report,
    grouped,
    sentence_left_out,
    sentences,
    suggestions,
)
from gan.data.own.survey import survey
from gan.errors import UserError
from gan.files import read_json, read_lines, write_json
from gan.kinds.images.engine import about_pictures
from gan.recipes import RECIPES, make_config
from gan.worker import worker
from gan.worker.events import EVENTS
from tests import ROOT
from tests.support.inputs.image_files import film, photo, saved
from tests.unit.data.test_files import huge_png, make_folder, make_zip


def noise(number: int, side: int = 40, channels: int = 3) -> bytes:
    shape = (side, side, 3) if channels == 3 else (side, side)
    return saved(Image.fromarray(np.random.default_rng(number).integers(0, 256, shape, np.uint8)), "PNG")


def pets(count: int = 10) -> dict[str, bytes]:
    return {
        f"{kind}/{number}.png": noise(number + 100 * (kind == "cat"))
        for kind in ("cat", "dog")
        for number in range(count)
    }


def child(*arguments: object) -> tuple[int, dict]:
    command = [sys.executable, "-m", "gan.data.own.survey", *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=6000, check=False)
    return done.returncode, json.loads(done.stdout)


def odd_pictures(tmp_path) -> str:
    clear = saved(Image.new("RGBA", (30, 30), (0, 0, 0, 0)), "PNG")
    more = {
        "cat/moving.jpg": saved(photo()) + film(1 << 20),
        "cat/clear.png": clear,
        "dog/clear.png": clear,
        "dog/cut.png": noise(1)[:50],
        "dog/large.png": huge_png(12_000, 9000),
    }
    return make_zip(tmp_path / "pets.zip", {**pets(), **more})


def test_a_child_process_tells_what_a_run_would_find(tmp_path):
    path = odd_pictures(tmp_path)
    status, found = child(path)
    assert status == 0
    assert Report.from_json(found) == survey(path) == data.load(path, 64, 3).report
    assert found["count"] == 23
    assert found["classes"] == [["cat", 12], ["dog", 11]]
    left_out = {(entry["name"], entry["reason"], entry["detail"]) for entry in found["left_out"]}
    assert left_out == {("dog/cut.png", "damaged", ""), ("dog/large.png", "pixels", "108")}
    assert (found["transparent"], found["copies"], found["grey"], found["side"], found["unread"]) == (
        2,
        1,
        False,
        96,
        0,
    )


def test_the_child_refuses_in_a_sentence_without_a_place_of_the_server(tmp_path):
    (tmp_path / "none.zip").write_bytes(b"no zip")
    status, found = child(tmp_path / "none.zip")
    assert (status, found["error"]["key"]) == (2, "data.not_pictures")
    assert str(tmp_path) not in json.dumps(found)
    assert "none.zip" in found["error"]["text"]


def test_what_time_does_not_suffice_for_is_counted(tmp_path):
    path = make_folder(tmp_path / "pets", pets())
    status, found = child(path, "--seconds", -1)
    assert (status, found["count"], found["unread"], found["classes"]) == (
        0,
        20,
        20,
        [["cat", 10], ["dog", 10]],
    )
    assert (found["copies"], found["grey"], found["side"]) == (0, False, 0)
    assert suggestions(Report.from_json(found), make_config("own")).keys() <= {"batch", "conditional"}


def test_the_survey_needs_no_torch():
    code = (
        "import sys, gan.data.own.survey, gan.data.own.report; print([name for name in ('torch', 'gradio') "
        "if name in sys.modules])"
    )
    assert (
        subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=600, check=True
        ).stdout
        == "[]\n"
    )


def test_copies_are_pictures_whose_pixels_are_equal(tmp_path):
    picture = Image.open(io.BytesIO(noise(0)))
    members = {f"{k}.png": saved(picture, "PNG", compress_level=k % 9 + 1) for k in range(5)} | {
        "other.png": noise(1)
    }
    assert survey(make_folder(tmp_path / "same", members)).copies == 4
    assert data.load(str(tmp_path / "same"), 28, 1).report.copies == 4


# Settings that images suggest


@pytest.mark.parametrize(("report", "recipe", "asked"), [
    (Report(600, side=200), "modern", {}),
    (Report(600, side=200, grey=True), "modern", {"channels": 1}),
    (Report(600, side=28, grey=True), "modern", {"size": 28, "channels": 1}),
    (Report(600, side=32), "modern", {"size": 32}),
    (Report(600, side=33), "modern", {}),
    (Report(10, side=64), "modern", {"batch": 10}),
    (Report(2, side=64), "modern", {"batch": 2}),
    (Report(32, side=64), "modern", {}),
    (Report(10, side=16), "dcgan", {"batch": 10}),
    (Report(60, (("a", 52), ("b", PER_CLASS)), side=64), "modern", {"conditional": True}),
    (Report(60, (("a", 53), ("b", PER_CLASS - 1)), side=64), "modern", {}),
    (Report(60, (("10", 30), ("20", 30)), side=64, classes_doubtful=True), "modern", {}),
    (Report(60, (("a", 60),), side=64), "modern", {}),
    (Report(60, (("a", 30), ("b", 30)), side=64), "dcgan", {}),
])  # fmt: skip
def test_pictures_ask_for_settings(report, recipe, asked):
    assert suggestions(report, make_config("own", recipe)) == asked


@pytest.mark.parametrize("recipe", RECIPES)
def test_what_pictures_ask_for_makes_a_config_of_every_recipe(recipe):
    for report in (
        Report(2, side=8, grey=True),
        Report(3, (("a", 1), ("b", 2)), side=30),
        Report(99, (("a", 49), ("b", 50)), side=4000),
    ):
        made = make_config("own", recipe, **suggestions(report, make_config("own", recipe)))
        assert 2 <= made.batch <= report.count
        fixed = {"dcgan": 64, "dcgan_small": 32}
        assert made.size == fixed.get(recipe, 64 if report.side > 32 else 28 if report.side <= 28 else 32)


# In words


def test_every_reason_has_its_words():
    assert tuple(LEFT_OUT) == REASONS
    for reason in REASONS:
        assert "{" not in sentence_left_out([LeftOut("a", reason, "HEIC")])


def test_reasons_are_told_with_names():
    left_out = [
        *(LeftOut(f"{k}.jpg", "pixels", str(90 + k)) for k in range(7)),
        LeftOut("x.png", "damaged"),
        LeftOut("y.heic", "kind", "HEIC"),
    ]
    words = sentence_left_out(left_out)
    assert words.startswith("7 too large (more than 67 megapixels): 0.jpg, 1.jpg, 2.jpg, 3.jpg, 4.jpg, …; ")
    assert "1 damaged: x.png" in words
    assert "HEIC" in words
    whole = sentences(
        Report(60, (("cat", 30), ("dog", 30)), tuple(left_out), transparent=4, copies=2, unread=1), "grey"
    )
    assert whole[0] == "60 images: cat 30, dog 30."
    assert whole[1] == f"Left out 9: {words}."
    assert "4 of 60 are partly transparent; the background becomes grey." in whole
    assert "2 of 60 images are copies of another one." in whole
    assert sentences(Report(2), "white") == ["2 images."]


def test_names_of_strangers_are_made_printable_and_short():
    entry = LeftOut("a\x1b[31m\u202e\n\udc80<b>" + "x" * 300 + ".png", "damaged", "\x07")
    assert entry.name.isprintable()
    assert len(entry.name) == NAME
    assert entry.name.startswith("…")
    assert entry.name.endswith("x.png")
    assert entry.detail == "?"
    assert LeftOut("a\u202eb.png", "damaged").name == "a?b.png"
    assert Report.from_json(json.loads(json.dumps(Report(1, left_out=(entry,)).to_json()))).left_out == (
        entry,
    )


# At the terminal


def start(tmp_path, path: str, **settings):
    return read_json(new_run({"data": path, **settings}, tmp_path / "run") / "config.json")


def test_a_new_run_takes_what_its_pictures_ask_for(tmp_path, capsys):
    config = start(tmp_path, make_folder(tmp_path / "pets", {**pets(), "dog/cut.png": noise(1)[:50]}))
    assert (config["size"], config["channels"], config["batch"], config["conditional"]) == (64, 3, 20, True)
    printed = capsys.readouterr().err
    assert "20 images: cat 10, dog 10." in printed
    assert "Left out 1: 1 damaged: dog/cut.png." in printed
    assert "--batch 20, --conditional" in printed


def test_grey_and_small_pictures_train_as_such(tmp_path):
    path = make_folder(tmp_path / "marks", {f"{k}.png": noise(k, 28, 1) for k in range(40)})
    config = start(tmp_path, path)
    assert (config["size"], config["channels"], config["batch"]) == (28, 1, 32)


def test_what_is_chosen_wins_and_is_judged(tmp_path):
    path = make_folder(tmp_path / "pets", pets())
    config = start(tmp_path, path, size=32, channels=1, batch=4, conditional=False, background="black")
    assert [config[name] for name in ("size", "channels", "batch", "conditional", "background")] == [
        32,
        1,
        4,
        False,
        "black",
    ]
    with pytest.raises(UserError) as caught:
        new_run({"data": path, "batch": 21}, tmp_path / "other")
    assert (caught.value.key, caught.value.values) == ("train.batch_too_large", {"batch": 21, "count": 20})
    loose = make_folder(tmp_path / "loose", {f"{k}.png": noise(k) for k in range(3)})
    with pytest.raises(UserError) as caught:
        new_run({"data": loose, "conditional": True}, tmp_path / "other")
    assert caught.value.key == "train.no_labels"
    assert not (tmp_path / "other").exists()


def test_more_class_folders_than_can_be_learnt_are_told(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(files, "MAX_CLASSES", 1)
    path = make_folder(tmp_path / "pets", pets())
    assert start(tmp_path, path)["conditional"] is False
    assert "There are no classes: 2 folders" in capsys.readouterr().err
    with pytest.raises(UserError, match="2 class folders") as caught:
        new_run({"data": path, "conditional": True}, tmp_path / "other")
    assert caught.value.key == "train.too_many_classes"


def test_folders_of_numbers_are_told_and_can_be_learnt(tmp_path, capsys):
    path = make_folder(
        tmp_path / "notes",
        {
            f"{value}/{10 * k + number}.png": noise(number)
            for k, value in enumerate((10, 20))
            for number in range(9)
        },
    )
    assert start(tmp_path, path)["conditional"] is False
    assert "numbers" in capsys.readouterr().err
    assert data.load(path, 28, 1).report.classes == (("10", 9), ("20", 9))
    assert (
        read_json(new_run({"data": path, "conditional": True}, tmp_path / "other") / "config.json")[
            "conditional"
        ]
        is True
    )


# In the history


def test_events_of_pictures():
    assert list(about_pictures(None)) == list(about_pictures(Report(60))) == []
    left_out = (LeftOut("a.png", "damaged"), LeftOut("b.heic", "kind", "HEIC"))
    events = dict(about_pictures(Report(40, left_out=left_out, copies=39)))
    assert events["copies"] == {"copies": 39, "total": 40}
    assert events["skipped"]["left_out"] == [
        dict(zip(("reason", "detail", "names", "count"), group, strict=True)) for group in grouped(left_out)
    ]
    assert EVENTS["copies"].format(**events["copies"]) == "39 of 40 images are copies of another one."
    assert (
        EVENTS["skipped"].format(**events["skipped"])
        == f"2 of 42 images could not be used: {sentence_left_out(left_out)}."
    )


def test_a_real_run_of_odd_pictures_tells_so(tmp_path):
    """A survey goes from the terminal to the history, with the chosen background, and its text on stderr."""
    path = make_folder(
        tmp_path / "few",
        {
            "a.png": noise(0),
            "b.png": noise(0),
            "c.png": saved(Image.new("RGBA", (9, 9), (0, 0, 0, 0)), "PNG"),
            "d.png": b"?",
        },
    )
    command = [
        sys.executable,
        "-m",
        "gan",
        "train",
        "--data",
        path,
        "--out",
        tmp_path / "run",
        "--kimg",
        "0.01",
        "--width",
        "8",
        "--background",
        "black",
    ]
    done = subprocess.run(
        [*map(str, command)], cwd=ROOT, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "Left out 1: " in done.stderr
    assert "1 of 3 are partly transparent; the background becomes black." in done.stderr
    config = read_json(tmp_path / "run" / "config.json")
    assert (config["batch"], config["size"], config["background"]) == (3, 64, "black")
    events = read_lines(tmp_path / "run" / "events.jsonl")[0]
    assert [event["key"] for event in events] == ["skipped", "copies"]
    assert events[0]["values"]["left_out"][0]["names"] == ["d.png"]
    assert events[1]["values"] == {"copies": 1, "total": 3}


def test_a_run_learns_from_pictures_on_its_background(tmp_path, monkeypatch):
    path = make_folder(
        tmp_path / "clear",
        {f"{k}.png": saved(Image.new("RGBA", (9, 9), (k, 0, 0, 0)), "PNG") for k in range(4)},
    )
    write_json(
        tmp_path / "run" / "config.json",
        make_config(path, size=28, batch=2, width=8, z_dim=8, kimg=0.004, background="black").to_json(),
    )
    seen, load = [], data.load
    monkeypatch.setattr(data, "load", lambda *arguments: seen.append(load(*arguments)) or seen[0])
    worker.work(tmp_path / "run")
    assert seen[0].images.unique().tolist() == [0]


def test_a_report_knows_all_its_fields():
    whole = Report(3, (("a", 3),), (LeftOut("b", "damaged", "c"),), 1, 1, True, 9)
    changed = dataclasses.replace(whole, unread=1)
    assert Report.from_json(json.loads(json.dumps(changed.to_json()))) == changed
    assert reports.shown("plain") == "plain"
