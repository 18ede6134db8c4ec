"""Test what reaches a tracker, by reading back what was written.

TensorBoard's files are read by TensorBoard, and parsed by their published framing with checksums. trackio's
database is read by its API.
"""

import ast
import importlib.util
import io
import json
import os
import shutil
import subprocess
import sys
import threading
import time

import pytest
from PIL import Image

from gan.cli.track import main
from gan.cli.train import main as train
from gan.cli.train import new_run
from gan.config import TRACKERS
from gan.errors import UserError
from gan.export import event_file, track
from gan.files import append_line, read_lines, write_bytes, write_json
from gan.images import encode_webp
from gan.kinds.points.recipes import make_config as make_points
from gan.runs import disk
from tests import ROOT
from tests.fakes.runs import tiny
from tests.support.processes.events import read_events

CURVES = {"loss_d": 0.5, "loss_g": 1.25, "pair": 0.75, "rate": 100.0}


@pytest.fixture
def run(tmp_path):
    """A run of two lines, whose pictures come from a folder with a private name."""
    path = tmp_path / "my-run"
    config = tiny(kimg=0.0).to_json()
    write_json(path / "config.json", {**config, "data": "/home/secret/cats"})
    write_json(path / "status.json", {"state": "running", "created": 1000.0})
    sheet(path, 0)
    for step in (1, 2):
        line(path, step)
    return path


def line(run, step, **more):
    sheet(run, step)
    values = {"step": step, "images": 8 * step, "seconds": step / 2, **CURVES, "diversity": None, **more}
    append_line(run / "stats.jsonl", values)


def sheet(run, step):
    import torch

    pixels = torch.full((1, 16, 16), step % 256, dtype=torch.uint8)
    write_bytes(run / "samples" / f"{step:08d}.webp", encode_webp(pixels))


def records(folder):
    """Read the one event file of a folder, which ends with a whole record."""
    (path,) = folder.iterdir()
    assert event_file.whole_size(path) == path.stat().st_size
    return read_events(path)


def shown(folder):
    """Return what TensorBoard itself reads: {curve: [(images, time, value)]}, its pictures, and a text."""
    reader = pytest.importorskip(
        "tensorboard.backend.event_processing.event_accumulator", reason="install the extra test"
    )
    found = reader.EventAccumulator(str(folder), size_guidance=dict.fromkeys(reader.DEFAULT_SIZE_GUIDANCE, 0))
    tags = found.Reload().Tags()
    curves = {
        tag: [(one.step, one.wall_time, one.value) for one in found.Scalars(tag)] for tag in tags["scalars"]
    }
    assert tags["images"] == ["samples"]
    sheets = [(one.step, Image.open(io.BytesIO(one.encoded_image_string))) for one in found.Images("samples")]
    (text,) = (found.Tensors(tag)[0].tensor_proto.string_val[0].decode() for tag in tags["tensors"])
    return curves, sheets, text


def told(folder):
    """Return (images, time, curves, grey level of a sheet or None) of each point, and the texts."""
    points, texts = [], []
    for event in records(folder):
        curves, level = {}, None
        for value in event.summary.value:
            if value.tag == "samples":
                with Image.open(io.BytesIO(value.image.encoded_image_string)) as picture:
                    assert picture.size == (value.image.width, value.image.height)
                    assert "trainedAlgorithmicMedia" in str(picture.info)
                    level = picture.getpixel((0, 0))[0]
            elif value.HasField("tensor"):
                texts.append((value.tag, value.tensor.string_val[0].decode()))
            else:
                curves[value.tag] = value.simple_value
        if curves or level is not None:
            points.append((event.step, event.wall_time, curves, level))
    return points, texts


def test_curves_sheets_and_settings_reach_tensorboard_once(run, tmp_path, capsys):
    logs = tmp_path / "logs"
    assert main([str(run), "--tensorboard", str(logs)]) == 0
    points, ((tag, text),) = told(logs / track.name_of(run))
    first, second, third = points
    assert first == (0, 1000.0, {}, 0)
    assert second == (8, 1000.5, CURVES, None)
    assert third == (16, 1001.0, CURVES, 2)  # the newest sheet
    assert tag.startswith("configuration")
    assert '"width": 8' in text
    assert '"data": "cats"' in text
    assert "secret" not in text
    for step in range(3, 25):
        line(run, step)
    assert main([str(run), "--tensorboard", str(logs)]) == 0
    assert main([str(run), "--tensorboard", str(logs)]) == 0
    points, texts = told(logs / track.name_of(run))
    assert [images for images, *_ in points] == [0, *(8 * step for step in range(1, 25))]
    assert [level for *_, level in points if level is not None] == [0, 2, 12, 22, 24]
    assert len(texts) == 1
    assert capsys.readouterr().out.splitlines() == [f"{run}: {count} points" for count in (3, 22, 0)]


def test_runs_of_one_name_do_not_meet_nor_a_run_with_what_it_was_before_a_restart(run, tmp_path, capsys):
    other, logs = tmp_path / "elsewhere" / "my-run", tmp_path / "logs"
    shutil.copytree(run, other)
    write_json(other / "status.json", {"state": "finished", "created": 2000.0})
    (other / "stats.jsonl").unlink()
    line(other, 1)
    names = [track.name_of(run), track.name_of(other)]
    for each in (run, other):
        assert main([str(each), "--tensorboard", str(logs)]) == 0
    disk.empty(other)
    line(other, 1)
    names.append(track.name_of(other))
    assert main([str(other), "--tensorboard", str(logs)]) == 0
    assert [text.rpartition(": ")[2] for text in capsys.readouterr().out.splitlines()] == [
        "3 points", "2 points", "1 points",
    ]  # fmt: skip
    assert sorted(path.name for path in logs.iterdir()) == sorted(set(names))
    assert [len(told(logs / name)[0]) for name in names] == [3, 2, 1]


def test_the_name_stays_while_the_run_goes_on(run):
    before = track.name_of(run)
    write_json(run / "status.json", {"state": "finished", "created": 1000.0, "step": 9})
    append_line(run / "events.jsonl", {"time": 1.0, "key": "more_minutes", "values": {}})
    assert track.name_of(run) == before


def test_a_record_that_a_kill_cut_off_is_written_again(run, tmp_path):
    logs = tmp_path / "logs"
    assert main([str(run), "--tensorboard", str(logs)]) == 0
    folder = logs / track.name_of(run)
    (file,) = folder.iterdir()
    os.truncate(file, file.stat().st_size - 3)
    tracker = track.TensorBoard(folder, {})
    tracker.close()
    assert tracker.last == 8
    assert main([str(run), "--tensorboard", str(logs)]) == 0
    assert [images for images, *_ in told(folder)[0]] == [0, 8, 16]


def test_a_kill_behind_the_settings_loses_no_point(run, tmp_path):
    logs = tmp_path / "logs"
    logs.mkdir()
    track.TensorBoard(logs / track.name_of(run), {}).close()
    assert main([str(run), "--tensorboard", str(logs)]) == 0
    points, texts = told(logs / track.name_of(run))
    assert ([images for images, *_ in points], len(texts)) == ([0, 8, 16], 1)


def test_a_line_that_waits_while_the_run_goes_back_comes_once(run):
    reader = track.Reader(run, None)
    line(run, 3)
    assert [point.images for point in reader.read(False)] == [0, 8, 16]
    kept = (run / "stats.jsonl").read_bytes().splitlines(keepends=True)[:2]
    write_bytes(run / "stats.jsonl", b"".join(kept))
    for step in (3, 4):
        line(run, step)
    assert [point.images for point in reader.read(True)] == [24, 32]


def test_a_damaged_length_ends_the_records_and_takes_no_memory(tmp_path):
    path = tmp_path / "events"
    path.write_bytes(b"\xff" * 5000)
    assert event_file.whole_size(path) == 0
    file = event_file.EventFile(path)
    file.write(b"an event")
    file.close()
    assert [content for _, content in event_file.records(path)] == [b"an event"]


def test_tensorboard_reads_what_was_sent(run, tmp_path):
    logs = tmp_path / "logs"
    assert main([str(run), "--tensorboard", str(logs)]) == 0
    for step in range(3, 25):
        line(run, step)
    assert main([str(run), "--tensorboard", str(logs)]) == 0
    curves, sheets, text = shown(logs / track.name_of(run))
    points = [(8 * step, 1000 + step / 2) for step in range(1, 25)]
    assert curves == {name: [(*point, value) for point in points] for name, value in CURVES.items()}
    assert [(images, picture.getpixel((0, 0))[0]) for images, picture in sheets] == [
        (0, 0), (16, 2), (96, 12), (176, 22), (192, 24),
    ]  # fmt: skip
    assert '"width": 8' in text


def test_a_run_is_followed_while_it_trains_also_past_a_step_back(run, tmp_path, monkeypatch):
    monkeypatch.setattr(track, "PAUSE", 0.01)
    tracker = track.TensorBoard(tmp_path / "logs", {})
    written, write = [], tracker.write
    tracker.write = lambda point: (written.append(point.images), write(point))
    stop = threading.Event()
    thread = threading.Thread(target=track.send, args=(run, tracker, lambda: track.trains(run), stop))
    thread.start()
    wait(lambda: written == [0, 8])  # the newest line waits for its sheet
    line(run, 3)
    wait(lambda: written == [0, 8, 16])
    kept = (run / "stats.jsonl").read_bytes().splitlines(keepends=True)[:1]
    write_bytes(run / "stats.jsonl", b"".join(kept))  # the run went back to its first step
    for step in (2, 4, 5):
        line(run, step)
    write_json(run / "status.json", {"state": "finished", "created": 1000.0})
    thread.join()
    tracker.close()
    assert written == sorted(set(written))
    assert written[-2:] == [32, 40]
    assert [images for images, *_ in told(tmp_path / "logs")[0]] == written


def wait(condition):
    while not condition():
        time.sleep(0.005)


def test_damaged_lines_and_numbers_are_left_out(run):
    for spoilt in ({"images": None}, {"seconds": "x"}, {"images": True}):
        line(run, 3, **spoilt)
    with open(run / "stats.jsonl", "ab") as file:
        file.write(b"[1]\nno json\n")
    line(run, 4, loss_d="x", pair=True)
    points = list(track.Reader(run, 16).read(over=True))
    assert [(point.images, set(point.curves)) for point in points] == [(32, {"loss_g", "rate"})]


TRACKIO = """
import sys
import trackio
from gan.cli.track import main
for _ in range(2):
    assert main([sys.argv[1], "--trackio", "lessons"]) == 0
from gan.files import append_line
append_line(sys.argv[1] + "/stats.jsonl", {"step": 3, "images": 24, "seconds": 2, "loss_d": 0.25})
assert main([sys.argv[1], "--trackio", "lessons"]) == 0
from trackio.sqlite_storage import SQLiteStorage
(found,) = trackio.Api().runs("lessons")
print([found.name, {name: found.config[name] for name in ("data", "width", "kind")}])
for one in SQLiteStorage.get_logs("lessons", found.name):
    print([one["step"], one.get("loss_d"), one.get("pair"), (one.get("samples") or {}).get("_type")])
"""


def test_trackio_has_each_point_once(run, tmp_path):
    home = {name: str(tmp_path / name) for name in ("TRACKIO_DIR", "HF_HOME")}
    rest = {name: text for name, text in os.environ.items() if not name.startswith(("TRACKIO_", "HF_"))}
    done = subprocess.run(
        [sys.executable, "-c", TRACKIO, str(run)],
        cwd=ROOT, capture_output=True, text=True, env={**rest, **home, "HF_HUB_OFFLINE": "1"}, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = [ast.literal_eval(text) for text in done.stdout.splitlines() if text.startswith("[")]
    assert told == [
        [track.name_of(run), {"data": "cats", "width": 8, "kind": "images"}],
        [0, None, None, "trackio.image"],
        [8, 0.5, 0.75, None],
        [16, 0.5, 0.75, "trackio.image"],
        [24, 0.25, None, None],
    ]
    assert [f"{run}: {count} points" for count in (3, 0, 1)] == [
        text for text in done.stdout.splitlines() if text.endswith("points")
    ]
    assert list((tmp_path / "TRACKIO_DIR" / "media").rglob("*.*"))


def test_a_missing_package_is_one_sentence_and_starts_no_run(run, tmp_path, monkeypatch, capsys):
    found = importlib.util.find_spec
    gone = [module for module, _ in track.NEEDS.values()]
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *more: None if name in gone else found(name)
    )
    for option in (["--tensorboard", str(tmp_path)], ["--trackio", "lessons"]):
        assert main([str(run), *option]) == 2
    told = capsys.readouterr().err.splitlines()
    assert [text.split(". ")[-1] for text in told] == [
        f'Run: pip install "{package}"' for _, package in track.NEEDS.values()
    ]
    with pytest.raises(UserError) as refused:
        new_run({"track": "trackio"}, tmp_path / "new")
    assert refused.value.key == "track.missing"
    assert not (tmp_path / "new").exists()


def test_the_extras_name_the_packages_that_the_sentence_names():
    text = (ROOT / "pyproject.toml").read_text()
    for tracker, (_, package) in track.NEEDS.items():
        assert f'{tracker} = [\n    "{package}",' in text
    assert set(TRACKERS) == {"none", *track.NEEDS}


@pytest.mark.parametrize("options", [[], ["--tensorboard", "logs", "--trackio", "x"]])
def test_one_tracker_is_named(options, run, capsys):
    assert main([str(run), *options]) == 2
    assert "Name one tracker" in capsys.readouterr().err


def test_a_mistake_is_one_sentence(run, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert main([str(run), "--tensorboard", str(tmp_path / "file")]) == 2
    assert main([str(tmp_path / "nothing"), "--tensorboard", str(tmp_path / "logs")]) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 2
    assert "TensorBoard failed" in told


@pytest.mark.parametrize("kind", ["images", "points"])
def test_the_setting_tracks_a_run_that_trains(kind, tmp_path, monkeypatch):
    monkeypatch.setattr(track, "LOOK", 600)  # the run begins and ends while the tracker waits
    run = tmp_path / "run"
    config = tiny(6, track="tensorboard") if kind == "images" else make_points(steps=6, track="tensorboard")
    write_json(run / "config.json", config.to_json())
    assert train([str(run)]) == 0
    lines = read_lines(run / "stats.jsonl")[0]
    assert lines[-1]["images"] > 0
    points, _ = told(run / "tensorboard")
    assert [images for images, *_ in points] == [0, *(one["images"] for one in lines)]
    assert [curves["loss_d"] for *_, curves, _ in points[1:]] == pytest.approx(
        [one["loss_d"] for one in lines]
    )
    curves, sheets, text = shown(run / "tensorboard")
    assert [images for images, *_ in curves["loss_d"]] == [one["images"] for one in lines]
    assert sheets[-1][0] == lines[-1]["images"]
    assert f'"kind": "{kind}"' in text


def test_a_child_of_the_server_sends_what_is_new_and_notes_a_failure(run):
    write_json(run / "config.json", tiny(track="tensorboard").to_json())
    command = [sys.executable, "-m", "gan.export.track", str(run)]
    for _ in range(2):
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        assert json.loads(done.stdout) == {}
        assert [images for images, *_ in told(run / "tensorboard")[0]] == [0, 8, 16]
        line(run, 2)
    shutil.rmtree(run / "tensorboard")
    (run / "tensorboard").write_text("")
    subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    assert [one["key"] for one in read_lines(run / "events.jsonl")[0]] == ["tracker_failed"]


def test_a_failing_tracker_is_noted_and_the_run_goes_on(run, monkeypatch):
    class Broken(track.TensorBoard):
        def write(self, point):
            raise RuntimeError("/home/secret is full")

    write_json(run / "config.json", tiny(track="tensorboard").to_json())
    monkeypatch.setattr(track, "TensorBoard", Broken)
    with track.tracking(run):
        pass
    (event,) = read_lines(run / "events.jsonl")[0]
    assert event["key"] == "tracker_failed"
    assert event["values"] == {"tracker": "tensorboard", "reason": "RuntimeError"}
