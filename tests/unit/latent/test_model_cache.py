"""Test the explorer on real files: it lists, opens, holds, reloads and refuses models.

Many threads request samples at once.
"""

import contextlib
import dataclasses
import io
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from PIL import Image

from gan.errors import UserError
from gan.files import write_bytes, write_json
from gan.latent import sampling
from gan.latent.catalogue import read_scores
from gan.latent.point import Point
from gan.latent.serving.fair_lock import FairLock
from gan.latent.serving.model_cache import Explorer
from gan.models import load_generator
from tests.support.inputs.generators import (
    RUN,
    header_of_another_version,
    tiny_spec,
    write_checkpoint,
    write_run,
    write_weights,
)

OTHER = "20250102-030406-faces-modern"


@pytest.fixture
def explorer(tmp_path):
    write_checkpoint(
        tmp_path / "checkpoints", "digits", tiny_spec(3), title="Digits", classes=["zero", "one", "two"]
    )
    write_run(tmp_path / "runs", RUN, tiny_spec())
    return Explorer(tmp_path / "runs", tmp_path / "checkpoints")


def pixels(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("L")).astype(int)


def cell(sheet: np.ndarray, row: int, column: int, side: int = 28) -> np.ndarray:
    return sheet[row * side : (row + 1) * side, column * side : (column + 1) * side]


def same(a: np.ndarray, b: np.ndarray) -> bool:
    """Compare but for the last step of rounding.

    A batch and a single sample may add in another order.
    """
    return a.shape == b.shape and np.abs(a - b).max() <= 1


def until(condition) -> None:
    """Wait for another thread, at most 10 s."""
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def refused(call) -> str:
    with pytest.raises(UserError) as caught:
        call()
    return caught.value.key


def test_lists_shipped_models_then_runs_newest_first(explorer, tmp_path):
    write_run(tmp_path / "runs", OTHER, tiny_spec(channels=3), state="running")
    shipped, newest, older = explorer.models()
    assert shipped == {
        "id": "shipped:digits",
        "title": "Digits",
        "kind": "shipped",
        "live": False,
        "preview": None,
        "size": 28,
        "channels": 1,
        "z_dim": 6,
        "classes": ["zero", "one", "two"],
        "clusters": 1,
        "updated": shipped["updated"],
        "scored": None,
        "data": "digits",
        "shape": tiny_spec().shape(),
    }
    assert (newest["id"], newest["live"], newest["channels"]) == (f"run:{OTHER}", True, 3)
    assert (older["id"], older["live"], older["title"]) == (
        f"run:{RUN}",
        False,
        "digits · modern · 01-02 03:04",
    )
    assert older["preview"].split("?")[0] == f"runs/{RUN}/samples/00000040.webp"


def test_the_list_survives_what_is_damaged_and_missing(explorer, tmp_path):
    runs = tmp_path / "runs"
    (runs / "20250102-030407-empty").mkdir()
    (runs / "20250102-030408-garbage").mkdir()
    (runs / "20250102-030408-garbage" / "live.safetensors").write_bytes(b"\xff" * 100)
    (runs / "20250102-030409-cut").mkdir()
    (runs / "20250102-030409-cut" / "live.safetensors").write_bytes(
        (runs / RUN / "live.safetensors").read_bytes()[:50]
    )
    (runs / "Not an id").mkdir()
    (runs / "file").write_text("")
    (runs / RUN / "status.json").write_text("[1,")
    (tmp_path / "checkpoints" / "digits" / "card.json").write_text("")
    assert [model["id"] for model in explorer.models()] == ["shipped:digits", f"run:{RUN}"]
    assert explorer.models()[0]["classes"] == ["0", "1", "2"]
    assert Explorer(tmp_path / "no", tmp_path / "where").models() == []


def test_a_new_status_is_seen_and_an_old_one_not_read_again(explorer, tmp_path, monkeypatch):
    assert explorer.models()[1]["preview"].split("?")[0].endswith("00000040.webp")
    write_json(tmp_path / "runs" / RUN / "status.json", {"state": "finished", "sample_step": 123})
    assert explorer.models()[1]["preview"].split("?")[0].endswith("00000123.webp")
    monkeypatch.setattr("gan.latent.catalogue.read_model", lambda path: pytest.fail("read again"))
    assert explorer.models()[1]["preview"].split("?")[0].endswith("00000123.webp")


def test_of_what_has_no_weights_nothing_is_read_until_it_changes(explorer, tmp_path, monkeypatch):
    """A queue may be long, and every visitor of Explore requests the list now and then."""
    import gan.latent.catalogue as module

    folder, read, real = tmp_path / "runs" / OTHER, [], module.read_object
    write_json(folder / "config.json", {"data": "faces", "recipe": "modern"})
    write_json(folder / "status.json", {"state": "queued"})
    monkeypatch.setattr(module, "read_object", lambda path: read.append(path.parent.name) or real(path))
    for _ in range(3):
        assert [model["id"] for model in explorer.models()] == ["shipped:digits", f"run:{RUN}"]
        assert refused(lambda: explorer.open(f"run:{OTHER}")) == "latent.run_queued"
    assert read.count(OTHER) <= 2, "config and status, once"
    write_weights(folder / "live.safetensors", tiny_spec())
    assert [model["id"] for model in explorer.models()][1] == f"run:{OTHER}"


def test_a_grid_that_was_drawn_anew_has_another_address(explorer, tmp_path):
    """Browsers cache grids permanently. A run that went back draws other grids for the same steps."""
    folder, seen = tmp_path / "runs" / RUN, set()
    for content in (b"before", b"after it went back"):
        write_bytes(folder / "samples" / "00000040.webp", content)
        write_json(folder / "status.json", {"state": "running", "sample_step": 40, "images": len(content)})
        seen.add(explorer.models()[1]["preview"])
    assert len(seen) == 2


def test_importing_and_listing_take_no_torch(explorer, tmp_path):
    code = (
        "import sys; from gan.latent.serving.model_cache import Explorer; from pathlib import Path; "
        "found = Explorer(Path(sys.argv[1]), Path(sys.argv[2])).models(); "
        "print(len(found), sorted({'torch', 'gradio', 'PIL'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "runs", tmp_path / "checkpoints"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "2 []"


def test_describes_a_model(explorer):
    model = explorer.open("shipped:digits")
    found = model.describe()
    assert found.items() >= explorer.models()[0].items()
    assert found["z_dim"] == 6
    assert found["version"] == model.version == found["updated"]
    assert len(found["directions"]) == 6
    assert all(direction["effect"] > 0 for direction in found["directions"])


def test_an_image_is_what_the_generator_draws(explorer, tmp_path):
    generator, _ = load_generator(tmp_path / "checkpoints" / "digits" / "generator.safetensors")
    with torch.no_grad():
        drawn = generator(torch.from_numpy(0.5 * sampling.latent(9, 6))[None], torch.tensor([2]))[0, 0]
    expected = np.floor(drawn.numpy().astype(np.float64) * 127.5 + 128).clip(0, 255)
    assert same(pixels(explorer.open("shipped:digits").image(Point(9, 0.5, 2))), expected)


def test_the_same_point_gives_the_same_bytes_in_another_explorer(explorer, tmp_path):
    point = Point(4, 0.8, None, (1.0, -1.0), ((0, 0.5),))
    again = Explorer(tmp_path / "runs", tmp_path / "checkpoints")
    for model_id in ("shipped:digits", f"run:{RUN}"):
        one, two = explorer.open(model_id), again.open(model_id)
        assert one.image(point) == one.image(point) == two.image(point)
        assert one.wall(5) == two.wall(5)
        assert one.chart(point, "p0", "p1", 0.5) == two.chart(point, "p0", "p1", 0.5)
        assert one.strip(point, 2, 5) == two.strip(point, 2, 5)


def test_every_part_of_a_point_moves_the_picture(explorer):
    model = explorer.open("shipped:digits")
    start = Point(4, 1.0, 0)
    others = [
        Point(5, 1.0, 0),
        Point(4, 0.5, 0),
        Point(4, 1.0, 1),
        Point(4, 1.0, 0, (2.0,)),
        Point(4, 1.0, 0, (0.0, 2.0)),
        Point(4, 1.0, 0, (), ((3, 3.0),)),
    ]
    pictures = {model.image(point) for point in [start, *others]}
    assert len(pictures) == 7


def test_truncation_zero_is_one_picture_for_every_seed(explorer):
    model = explorer.open(f"run:{RUN}")
    assert len({model.image(Point(seed, 0.0)) for seed in range(5)}) == 1
    sheet = pixels(model.wall(0, 0.0))
    assert all(same(cell(sheet, row, column), cell(sheet, 0, 0)) for row in range(8) for column in range(8))


def test_wall_cells_are_the_images_of_consecutive_seeds(explorer):
    model = explorer.open("shipped:digits")
    sheet = pixels(model.wall(100, 0.9))
    assert sheet.shape == (8 * 28, 8 * 28)
    for k in (0, 1, 9, 63):
        assert same(cell(sheet, k // 8, k % 8), pixels(model.image(Point(100 + k, 0.9))))


@pytest.mark.parametrize("label", [None, 1])
def test_strip_ends_are_the_two_seeds(explorer, label):
    model = explorer.open("shipped:digits")
    sheet = pixels(model.strip(Point(3, 0.8, label), 7, 9))
    assert sheet.shape == (28, 9 * 28)
    assert same(cell(sheet, 0, 0), pixels(model.image(Point(3, 0.8, label))))
    assert same(cell(sheet, 0, 8), pixels(model.image(Point(7, 0.8, label))))


def test_a_chart_steps_along_two_directions(explorer):
    model, point = explorer.open("shipped:digits"), Point(8, 0.9, 1, (0.5,))
    sheet = pixels(model.chart(point, "p0", "p3", 0.7))
    assert sheet.shape == (5 * 28, 5 * 28)
    assert same(cell(sheet, 2, 2), pixels(model.image(point)))
    assert same(cell(sheet, 1, 4), pixels(model.image(Point(8, 0.9, 1, (0.5 + 1.4, 0.0, 0.0, 0.7)))))
    sheet = pixels(model.chart(dataclasses.replace(point, moves=(("s1", 1.0),)), "s1", "p0", 1.0))
    assert same(cell(sheet, 3, 0), pixels(model.image(Point(8, 0.9, 1, (-0.5,), moves=(("s1", -1.0),)))))


def test_a_walk_keeps_sliders_and_ends_at_the_other_seed(explorer):
    model = explorer.open("shipped:digits")
    sheet = pixels(model.strip(Point(3, 0.9, None, (1.0,)), 7, 5))
    assert same(cell(sheet, 0, 0), pixels(model.image(Point(3, 0.9, None, (1.0,)))))
    assert same(cell(sheet, 0, 4), pixels(model.image(Point(7, 0.9, None, (1.0,)))))
    assert same(cell(sheet, 0, 1), pixels(model.image(Point(3, 0.9, None, (1.0,), to=7, t=0.25))))


@pytest.mark.parametrize(
    ("model_id", "key"),
    [
        ("shipped:nothing", "latent.unknown_model"),
        ("run:20250101-000000-no", "latent.unknown_model"),
        ("digits", "latent.unknown_model"),
        ("", "latent.unknown_model"),
        ("shipped:../runs", "latent.unknown_model"),
        ("run:..", "latent.unknown_model"),
        ("run:a/b", "latent.unknown_model"),
        ("shipped:digits\n", "latent.unknown_model"),
        ("shipped:" + "a" * 5000, "latent.unknown_model"),
        ("shipped:digits\x00", "latent.unknown_model"),
    ],
)
def test_unknown_ids_are_refused(explorer, model_id, key):
    assert refused(lambda: explorer.open(model_id)) == key


def test_a_run_without_pictures_says_to_wait(explorer, tmp_path):
    folder = tmp_path / "runs" / OTHER
    write_json(folder / "status.json", {"state": "running"})
    assert refused(lambda: explorer.open(f"run:{OTHER}")) == "latent.not_yet"
    write_weights(folder / "live.safetensors", tiny_spec())
    assert explorer.open(f"run:{OTHER}").image(Point())


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"\x00" * 8,
        b"\xff" * 64,
        b"\x02\x00\x00\x00\x00\x00\x00\x00{}",
        b"\x04\x00\x00\x00\x00\x00\x00\x00null",
    ],
)
def test_damaged_weights_are_told_in_a_sentence(explorer, tmp_path, damage):
    (tmp_path / "runs" / RUN / "live.safetensors").write_bytes(damage)
    assert refused(lambda: explorer.open(f"run:{RUN}")) == "models.damaged"


def test_cut_off_weights_and_another_version_are_told_in_a_sentence(explorer, tmp_path):
    path = tmp_path / "runs" / RUN / "live.safetensors"
    whole = path.read_bytes()
    path.write_bytes(whole[:-1000])
    assert refused(lambda: explorer.open(f"run:{RUN}")) == "models.damaged"
    path.write_bytes(whole)
    header_of_another_version(path)
    assert refused(lambda: explorer.open(f"run:{RUN}")) == "models.other_version"
    path.write_bytes(whole)
    assert explorer.open(f"run:{RUN}").image(Point())


def test_equal_requests_at_once_draw_once(explorer, monkeypatch):
    model = explorer.open("shipped:digits")
    drawn = []
    real = model._draw
    monkeypatch.setattr(model, "_draw", lambda z, *told: drawn.append(len(z)) or real(z, *told))
    with ThreadPoolExecutor(8) as pool:
        walls = set(pool.map(lambda _: model.wall(0), range(16)))
    assert (len(walls), drawn) == (1, [64])


def test_a_failed_drawing_is_tried_again(explorer, monkeypatch):
    model = explorer.open("shipped:digits")
    with monkeypatch.context() as patch:
        patch.setattr(model, "_draw", lambda *told: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            model.image(Point())
    assert model.image(Point())


def test_one_picture_need_not_wait_for_a_whole_wall(explorer, monkeypatch):
    model = explorer.open("shipped:digits")
    real, drawn, begun, go = model.generator, [], threading.Event(), threading.Event()

    def slow(z, *told):
        begun.set()
        assert go.wait(10)
        drawn.append(len(z))
        return real(z, *told)

    monkeypatch.setattr(model, "generator", slow)
    with ThreadPoolExecutor(2) as pool:
        wall = pool.submit(model.wall, 0)
        assert begun.wait(10)
        image = pool.submit(model.image, Point())
        until(lambda: model.turns._next == 2)
        go.set()
        assert image.result()
        assert wall.result()
    assert sum(drawn) == 65
    assert drawn.index(1) == 1


def test_turns_are_taken_in_order_and_given_back_after_an_error():
    turns, order, threads = FairLock(), [], []

    def take(k: int) -> None:
        with turns:
            order.append(k)

    with contextlib.suppress(ZeroDivisionError), turns:
        for k in range(8):
            threads.append(threading.Thread(target=take, args=(k,)))
            threads[-1].start()
            until(lambda k=k: turns._next == k + 2)
        raise ZeroDivisionError
    for thread in threads:
        thread.join(10)
    assert order == list(range(8))


SCORED = {"net": "digits", "title": "digits net", "against": "held_out", "pictures": 2000}


def test_a_card_tells_its_scores():
    card = {"scored": {**SCORED, "more": 1}, "scores": {"FD": 11.5, "modes": 10, "note": "text"}}
    assert read_scores(card) == {**SCORED, "scores": {"FD": 11.5, "modes": 10}}


@pytest.mark.parametrize(
    "card",
    [
        {},
        {"scores": {"FD": 1}},
        {"scored": SCORED},
        {"scored": [], "scores": {}},
        {"scored": {"net": "a"}, "scores": {"FD": 1}},
    ],
)
def test_a_card_without_readable_scores_tells_none(card):
    assert read_scores(card) is None
