"""Test runs whose images changed, moved or disappeared during a pause.

A run resumes only with the same images. Otherwise it waits, and its error names the difference.
"""

import re
import shlex
import shutil
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from gan import data
from gan.cli.train import main
from gan.errors import Unharmed, UserError
from gan.files import read_json, read_lines, write_json
from gan.kinds.images import identity
from gan.ui.server.services import Services
from gan.ui.train.run_feed import RunFeed
from gan.worker.worker import work
from tests.fakes.runs import wait_until
from tests.support.inputs.own_data import (
    add_class,
    ends_as_if_left_alone,
    events,
    kept,
    lies_at,
    pack,
    picture,
    refused,
)
from tests.support.processes import forked

pytestmark = pytest.mark.usefixtures("one_thread")


def test_one_picture_less_is_told_and_put_back_the_run_ends_as_if_nothing_had_been(run, begun):
    before = kept(run)
    (run.parent / "grow" / "cat" / "02.png").rename(run.parent / "away.png")
    done = forked.run("train", run)
    assert done.returncode == 2
    assert (
        done.stderr.strip()
        == "The images changed since this run began (39, were 40). Put the old ones back, or start a new run."
    )
    status = read_json(run / "status.json")
    assert (status["state"], status["error"]["key"], status["error"]["values"]) == (
        "paused",
        "train.pictures_number",
        {"now": "39", "were": "40"},
    )
    assert kept(run) == before
    (run.parent / "away.png").rename(run.parent / "grow" / "cat" / "02.png")
    again = forked.run("train", run)
    assert again.stdout.strip() == f"{run}: finished", again.stderr
    assert ends_as_if_left_alone(run, begun)
    assert read_json(run / "status.json")["error"] is None
    assert events(run) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda grow: add_class(grow, "fish"), "(42, were 40; class fish is new)"),
        (
            lambda grow: [add_class(grow, "fish"), add_class(grow, "ape")],
            "(44, were 40; new classes: ape, fish; missing: –)",
        ),
        (
            lambda grow: [add_class(grow, "fish"), shutil.rmtree(grow / "dog")],
            "(22, were 40; new classes: fish; missing: dog)",
        ),
        (lambda grow: shutil.rmtree(grow / "dog"), "were 40"),
        (lambda grow: (grow / "dog").rename(grow / "wolf"), "(40, were 40; new classes: wolf; missing: dog)"),
        (lambda grow: picture(grow / "cat" / "00.png", 77), "(1 of 40 are different, or in another class)"),
        (
            lambda grow: (grow / "cat" / "00.png").rename(grow / "dog" / "00.png"),
            "(1 of 40 are different, or in another class)",
        ),
        (
            lambda grow: [picture(grow / "cat" / f"{number}.png", number) for number in range(200, 203)],
            "(43, were 40)",
        ),
    ],
)
def test_what_differs_is_told(change, words, run):
    change(run.parent / "grow")
    error = refused(run)
    assert words in str(error)
    assert "Put the old ones back, or start a new run." in str(error)
    assert read_json(run / "status.json")["error"]["key"] == error.key


def test_a_run_that_is_over_stays_over(run):
    write_json(run / "status.json", {**read_json(run / "status.json"), "state": "stopped"})
    add_class(run.parent / "grow", "fish")
    with pytest.raises(Unharmed):
        work(run)
    status = read_json(run / "status.json")
    assert (status["state"], status["error"]) == ("stopped", None)


def test_the_same_pictures_packed_anew_and_elsewhere_go_on_exactly(run, begun):
    packed = pack(run.parent / "grow", run.parent / "moved.zip")
    shutil.rmtree(run.parent / "grow")
    gone = forked.run("train", run)
    assert gone.returncode == 2
    assert f"are no longer at “{run.parent / 'grow'}”" in gone.stderr
    assert (read_json(run / "status.json")["state"], read_json(run / "status.json")["error"]["key"]) == (
        "paused",
        "train.pictures_gone",
    )
    command = shlex.split(re.search("python -m gan train .*", gone.stderr)[0])
    assert command[:4] == ["python", "-m", "gan", "train"]
    went_on = forked.run("train", *[packed if word == "PATH" else word for word in command[4:]])
    assert went_on.stdout.strip() == f"{run}: finished", went_on.stderr
    assert ends_as_if_left_alone(run, begun)
    assert read_json(run / "config.json")["data"] == str(packed)
    (note,) = read_lines(run / "events.jsonl")[0]
    assert (note["key"], note["values"]) == ("pictures_moved", {"name": "moved.zip"})


def test_saved_again_as_other_files_they_are_the_same_pictures(run, begun):
    for path in (run.parent / "grow").rglob("*.png"):
        Image.open(path).save(path, compress_level=0)
    assert work(run) == "finished"
    assert ends_as_if_left_alone(run, begun)
    assert events(run) == []


def test_other_pictures_elsewhere_are_refused_and_leave_the_run_as_it_was(run):
    before = read_json(run / "status.json")
    shutil.copytree(run.parent / "grow", run.parent / "other")
    add_class(run.parent / "other", "fish")
    assert "class fish is new" in str(refused(run, run.parent / "other"))
    after = read_json(run / "status.json")
    assert {**after, "heartbeat": 0} == {**before, "heartbeat": 0}
    assert events(run) == []


def test_other_settings_of_a_run_stay_as_they_were(run, capsys):
    for more in (
        ["--batch", "4"],
        ["--data", str(run.parent / "grow"), "--seed", "1"],
        ["--data", "digits", "--out", "x"],
    ):
        assert main([str(run), *more]) == 2
        assert "keeps the settings it was started with" in capsys.readouterr().err
    assert main([str(run), "--data", "nowhere"]) == 2
    assert f"no folder or zip at “{Path.cwd() / 'nowhere'}”" in capsys.readouterr().err
    assert read_json(run / "status.json")["state"] == "paused"


def test_a_run_is_not_emptied_where_its_pictures_are_gone(run, capsys):
    before = kept(run)
    shutil.rmtree(run.parent / "grow")
    assert main([str(run), "--anew"]) == 2
    assert "--data PATH" in capsys.readouterr().err
    assert kept(run) == before


def test_begun_anew_a_run_may_have_other_pictures(run):
    add_class(run.parent / "grow", "fish")
    assert main([str(run), "--anew"]) == 0
    assert identity.read(run, {}).count == 42
    assert read_json(run / "status.json")["state"] == "finished"


def test_a_run_is_not_bound_to_the_folder_of_the_shell(begun):
    assert read_json(begun / "run" / "config.json")["data"] == str(begun / "grow")


def test_a_folder_that_is_called_like_a_data_set_is_found_by_its_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "digits").mkdir()
    assert data.find("digits") == "digits"
    assert data.find("./digits") == str(tmp_path / "digits")
    assert data.public_name(data.find("./digits")) == "own-digits", (
        "whoever reads that must not take it for the set"
    )


def test_a_relative_place_of_an_older_run_becomes_absolute(run, monkeypatch, begun):
    lies_at(run, "grow")
    monkeypatch.chdir(run.parent)
    assert work(run) == "finished"
    assert read_json(run / "config.json")["data"] == str(run.parent / "grow")
    assert ends_as_if_left_alone(run, begun)


def test_anew_with_pictures_that_will_not_do_keeps_what_was_learnt(run, tmp_path):
    before = {path.name for path in (run / "state").iterdir()}
    few = tmp_path / "few"
    few.mkdir()
    assert main([str(run), "--anew", "--data", str(few)]) == 2
    assert {path.name for path in (run / "state").iterdir()} == before


def test_a_name_that_is_no_path_is_not_looked_for_in_the_current_folder(run, monkeypatch):
    settings = read_json(run / "config.json")
    fresh = run.parent / "published"
    write_json(fresh / "config.json", {**settings, "data": "grow"})
    monkeypatch.chdir(run.parent)
    with pytest.raises(UserError) as caught:
        work(fresh)
    assert caught.value.key == "train.pictures_unplaced"
    assert read_json(fresh / "config.json")["data"] == "grow"


def test_the_same_pictures_in_another_order_without_the_record_are_called_what_they_are(run):
    (run / "data.json").unlink()
    folder = run.parent / "grow"
    for number, path in enumerate(sorted(folder.rglob("*.png"), reverse=True)):
        path.rename(path.with_name(f"renamed-{number:03d}.png"))
    with pytest.raises(UserError) as caught:
        work(run)
    assert caught.value.key == "train.pictures_order"
    assert read_json(run / "status.json")["state"] == "paused"


def test_uploads_that_were_moved_together_with_the_runs_are_found(run, begun):
    kept_at = run.parent / ".uploads" / "0123456789abcdef"
    kept_at.mkdir(parents=True)
    (run.parent / "grow").rename(kept_at / "grow")
    lies_at(run, "/srv/old/runs/.uploads/0123456789abcdef/grow")
    assert work(run) == "finished"
    assert read_json(run / "config.json")["data"] == str(kept_at / "grow")
    assert ends_as_if_left_alone(run, begun)


def test_a_class_keeps_its_number_where_names_sort_otherwise(run, begun, monkeypatch):
    load = data.load

    def turned(*arguments, **options):
        found = load(*arguments, **options)
        return replace(found, labels=1 - found.labels, classes=found.classes[::-1])

    monkeypatch.setattr("gan.data.load", turned)
    assert work(run) == "finished"
    assert read_json(run / "status.json")["classes"] == ["cat", "dog"]
    assert ends_as_if_left_alone(run, begun)


def test_another_decoder_does_not_strand_a_run(run, monkeypatch):
    from gan.data.own import reading

    packed = pack(run.parent / "grow", run.parent / "grow.zip")
    lies_at(run, packed)
    decode = reading.decode

    def otherwise(*arguments, **options):
        found = decode(*arguments, **options)
        return found._replace(pixels=found.pixels ^ 1)

    monkeypatch.setattr(reading, "decode", otherwise)
    write_json(run / "commands" / "1-pause.json", {"command": "pause"})
    assert work(run) == "paused"
    assert events(run) == ["decoded_anew"]
    assert work(run) == "finished"
    assert events(run) == ["decoded_anew"], "what was told once is known"


def test_pictures_that_change_their_classes_are_no_other_decoder(run):
    """The files, their order and the sizes of the classes stay. Only the classes of two images change."""
    place = pack(run.parent / "grow", run.parent / "grow.zip", backwards=False)
    swapped = run.parent / "swapped.zip"
    with zipfile.ZipFile(place) as source, zipfile.ZipFile(swapped, "w") as target:
        for name in source.namelist():
            other = {"cat/000": "dog/000", "dog/020": "cat/020"}.get(name[4:11])
            target.writestr(name.replace(name[4:11], other) if other else name, source.read(name))
    lies_at(run, swapped)
    assert "2 of 40" in str(refused(run))


@pytest.mark.parametrize("trouble", ["damaged zip", "no folder", "a file"])
def test_pictures_that_cannot_be_read_leave_a_run_paused(trouble, run):
    place = pack(run.parent / "grow", run.parent / "grow.zip")
    if trouble == "damaged zip":
        place.write_bytes(place.read_bytes()[:300])
    elif trouble == "no folder":
        place = run.parent / "unmounted" / "grow"
    else:
        place.write_text("no pictures")
    lies_at(run, place)
    refused(run)


def test_a_named_set_of_another_version_is_noted(tmp_path, monkeypatch):
    load = data.load
    new = [
        str(tmp_path / "run"),
        "--data",
        "digits",
        "--width",
        "8",
        "--z-dim",
        "8",
        "--kimg",
        "0.2",
        "--conditional",
    ]
    write_json(tmp_path / "run" / "commands" / "1-pause.json", {"command": "pause"})
    assert main(["--out", *new]) == 0
    assert read_json(tmp_path / "run" / "status.json")["state"] == "paused"
    assert read_json(tmp_path / "run" / "data.json")["marks"] == "", "a set has its order by its name"
    monkeypatch.setattr(
        "gan.data.load", lambda *arguments: replace(load(*arguments), images=load(*arguments).images ^ 1)
    )
    assert work(tmp_path / "run") == "finished"
    assert events(tmp_path / "run") == ["set_changed"]
    monkeypatch.setattr(
        "gan.data.load",
        lambda *arguments: replace(
            load(*arguments), images=load(*arguments).images[:-1], labels=load(*arguments).labels[:-1]
        ),
    )
    with pytest.raises(Unharmed, match="9999, were 10000"):
        work(tmp_path / "run")
    assert read_json(tmp_path / "run" / "status.json")["state"] == "finished"


def test_on_the_page_a_resumed_run_is_paused_again_with_the_sentence(run, store, supervise):
    """The supervisor starts a real worker, as the page does it. Resume works again with the old images."""
    run_id = "20260102-030405-grow-modern"
    store.root.mkdir(parents=True)
    shutil.move(run, store.root / run_id)
    away = run.parent / "away.png"
    (run.parent / "grow" / "cat" / "02.png").rename(away)
    boss = supervise((sys.executable, "-m", "gan", "train"))
    boss.resume(run_id)
    wait_until(
        lambda: store.status(run_id)["state"] == "paused" and store.status(run_id)["error"], timeout=300
    )
    assert store.status(run_id)["error"]["key"] == "train.pictures_number"
    feed = RunFeed(Services(store=store, supervisor=boss, uploads=store.root / ".uploads"))
    shown = feed.poll(run_id, "", 0, "", "")["run"]
    assert (shown["status"]["state"], shown["again"]) == ("paused", False), (
        "Resume is offered, and no start from nothing"
    )
    away.rename(run.parent / "grow" / "cat" / "02.png")
    boss.resume(run_id)
    wait_until(lambda: store.status(run_id)["state"] == "finished")
