"""Test which models the explorer holds open, and the data that outlives their being closed.

Many threads open them while their files change.
"""

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from gan.files import write_json
from gan.latent.point import Point
from gan.latent.serving import model_cache as room
from gan.latent.serving.model_cache import Explorer
from tests.support.inputs.generators import (
    RUN,
    header_of_another_version,
    tiny_spec,
    write_checkpoint,
    write_run,
    write_weights,
)


@pytest.fixture
def explorer(tmp_path):
    write_checkpoint(
        tmp_path / "checkpoints", "digits", tiny_spec(3), title="Digits", classes=["zero", "one", "two"]
    )
    write_run(tmp_path / "runs", RUN, tiny_spec())
    return Explorer(tmp_path / "runs", tmp_path / "checkpoints")


def test_a_model_stays_open_until_its_weights_change(explorer, tmp_path):
    first = explorer.open(f"run:{RUN}")
    write_json(tmp_path / "runs" / RUN / "status.json", {"state": "finished", "images": 2000})
    assert explorer.open(f"run:{RUN}") is first
    write_weights(tmp_path / "runs" / RUN / "live.safetensors", tiny_spec(), seed=1)
    second = explorer.open(f"run:{RUN}")
    assert second is not first
    assert second.version != first.version
    assert second.image(Point()) != first.image(Point())


def test_the_models_used_longest_ago_are_closed(explorer, tmp_path, monkeypatch):
    for name in ("a", "b", "c"):
        write_checkpoint(tmp_path / "checkpoints", name, tiny_spec())
    digits, a, b = (explorer.open(f"shipped:{name}") for name in ("digits", "a", "b"))
    monkeypatch.setattr(room, "OPEN_BYTES", digits.held + a.held + b.held)
    assert explorer.open("shipped:digits") is digits
    explorer.open("shipped:c")
    assert list(explorer._open) == ["shipped:b", "shipped:digits", "shipped:c"]
    digits.bank.grow(64)  # samples count as well
    assert explorer.open("shipped:digits") is digits
    assert list(explorer._open) == ["shipped:c", "shipped:digits"]
    monkeypatch.setattr(room, "OPEN_BYTES", 0)
    assert explorer.open("shipped:a") is not a
    assert list(explorer._open) == ["shipped:digits", "shipped:a"], "two, however large they are"


def test_a_dozen_models_of_the_usual_size_stay_open(explorer, tmp_path, monkeypatch):
    ids = [f"shipped:{name}" for name in "abcdefghijkl"]
    for each in ids:
        write_checkpoint(tmp_path / "checkpoints", each[-1], tiny_spec())
    # as if each model had a million parameters
    monkeypatch.setattr("gan.latent.generator.EACH", 2**18 + 4 * 2**20)
    opened = [explorer.open(each) for each in ids]
    assert all(explorer.open(each) is model for each, model in zip(ids, opened, strict=True))


def test_a_model_that_is_opened_again_still_has_its_directions_and_its_pictures(
    explorer, tmp_path, monkeypatch
):
    monkeypatch.setattr(room, "OPEN_BYTES", 0)
    first = explorer.open("shipped:digits")
    wall, directions, factors = first.wall(0), first.directions(), first.factors()
    for name in ("a", "b"):
        write_checkpoint(tmp_path / "checkpoints", name, tiny_spec())
        explorer.open(f"shipped:{name}")
    again = explorer.open("shipped:digits")
    assert again is not first
    monkeypatch.setattr(again, "_draw", lambda *told: pytest.fail("drawn again"))
    assert again.wall(0) == wall
    assert again.directions() is directions
    assert again.factors() is factors
    write_weights(tmp_path / "checkpoints" / "digits" / "generator.safetensors", tiny_spec(3), seed=1)
    other = explorer.open("shipped:digits")
    assert other.directions() is not directions
    assert other.wall(0) != wall


def test_while_one_model_is_read_from_the_disk_others_go_on(explorer, monkeypatch):
    import gan.latent.generator as module

    open_one, real, begun, go = (
        explorer.open("shipped:digits"),
        module.load_generator,
        threading.Event(),
        threading.Event(),
    )
    read = []

    def slow(path):
        read.append(path)
        begun.set()
        assert go.wait(10)
        return real(path)

    monkeypatch.setattr(module, "load_generator", slow)
    with ThreadPoolExecutor(3) as pool:
        waiting = [pool.submit(explorer.open, f"run:{RUN}") for _ in range(2)]
        assert begun.wait(10)
        assert pool.submit(explorer.open, "shipped:digits").result(5) is open_one
        go.set()
        assert waiting[0].result() is waiting[1].result()
    assert len(read) == 1


def test_pictures_of_weights_that_are_no_more_are_let_go(explorer, tmp_path):
    explorer.open(f"run:{RUN}").wall(0)
    explorer.open("shipped:digits").wall(0)
    write_weights(tmp_path / "runs" / RUN / "live.safetensors", tiny_spec(), seed=1)
    explorer.open(f"run:{RUN}")
    assert len(explorer._memory._kept) == 1
    explorer.open(f"run:{RUN}").wall(0)
    explorer.forget(f"run:{RUN}")
    assert len(explorer._memory._kept) == 1


def live(folder, images: int, seed: int, state: str = "running"):
    write_weights(folder / "live.safetensors", tiny_spec(), seed)
    write_json(folder / "status.json", {"state": state, "images": images})


def test_a_live_run_keeps_its_directions_until_its_images_double(explorer, tmp_path):
    folder, model_id = tmp_path / "runs" / RUN, f"run:{RUN}"
    live(folder, 1000, seed=1)
    first = explorer.open(model_id)
    kept, version = first.directions().vectors, first.describe()["directions_version"]
    live(folder, 1999, seed=2)
    second = explorer.open(model_id)
    assert second.version != first.version
    assert second.directions().vectors is kept
    assert second.describe()["directions_version"] == version
    live(folder, 2000, seed=3)
    third = explorer.open(model_id)
    assert not np.allclose(third.directions().vectors, kept)
    assert third.describe()["directions_version"] != version


def test_a_run_that_ends_has_the_directions_of_its_last_weights(explorer, tmp_path):
    folder, model_id = tmp_path / "runs" / RUN, f"run:{RUN}"
    live(folder, 1000, seed=1)
    kept = explorer.open(model_id).directions().vectors
    live(folder, 1100, seed=2)
    still = explorer.open(model_id)
    assert still.directions().vectors is kept
    write_json(folder / "status.json", {"state": "finished", "images": 1100})
    ended = explorer.open(model_id)
    assert ended.version != still.version
    fresh = Explorer(tmp_path / "runs", tmp_path / "checkpoints").open(model_id)
    assert np.array_equal(ended.directions().vectors, fresh.directions().vectors)
    assert not np.allclose(ended.directions().vectors, kept)


def test_eight_threads_get_the_right_pictures_while_the_weights_change(explorer, tmp_path):
    model_id, path = f"run:{RUN}", tmp_path / "runs" / RUN / "live.safetensors"
    points = [Point(seed, amounts=(1.0,)) for seed in range(4)]
    allowed: dict[str, list[bytes]] = {}

    def ask(k: int) -> None:
        model = explorer.open(model_id if k % 3 else "shipped:digits")
        point = points[k % 4]
        assert model.image(point) == model.image(point)
        model.wall(k % 2)
        allowed.setdefault(f"{model.version} {k % 4}", []).append(model.image(point))

    with ThreadPoolExecutor(8) as pool:
        waiting = []
        for round_number in range(4):
            waiting += [pool.submit(ask, k) for k in range(32)]
            write_weights(path, tiny_spec(), seed=round_number)
        for done in waiting:
            done.result()
    for version, pictures in allowed.items():
        assert version
        # a load may find newer weights than the version that was requested
        assert len({*pictures}) <= 2
    fresh = Explorer(tmp_path / "runs", tmp_path / "checkpoints").open(model_id)
    assert [explorer.open(model_id).image(point) for point in points] == [
        fresh.image(point) for point in points
    ]


def test_the_memory_of_all_models_is_bounded_in_bytes(explorer, monkeypatch):
    first, second = explorer.open("shipped:digits"), explorer.open(f"run:{RUN}")
    size = len(first.wall(0))
    monkeypatch.setattr("gan.latent.serving.picture_cache.MAX_BYTES", 3 * (size + 2**14))
    for seed in range(4):
        first.wall(seed)
        second.wall(seed)
    kept = explorer._memory._kept
    assert 2 <= len(kept) <= 3
    assert {name[0] for name in kept} == {first.owner, second.owner}


def test_warm_up_opens_the_first_model_and_sets_one_thread(tmp_path, explorer):
    code = (
        "import sys, threading; from gan.latent.serving.model_cache import Explorer; "
        "e = Explorer(sys.argv[1], sys.argv[2]); e.warm_up(); "
        "import torch; n = []; t = threading.Thread(target=lambda: n.append(torch.get_num_threads())); "
        "t.start(); t.join(); print(n, list(e._open))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "runs", tmp_path / "checkpoints"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[1] ['shipped:digits']"


def test_warm_up_without_a_model_that_opens_is_quiet(tmp_path):
    Explorer(tmp_path, tmp_path).warm_up()
    header_of_another_version(write_checkpoint(tmp_path, "old", tiny_spec()) / "generator.safetensors")
    Explorer(tmp_path / "runs", tmp_path).warm_up()
