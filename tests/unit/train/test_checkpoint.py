"""Test the checkpoint: a resumed trainer equals one that was never interrupted.

A damaged checkpoint gives way to the one before, or fails with a sentence.
"""

import errno
import os

import pytest
import torch
from safetensors import safe_open

from gan.errors import UserError
from gan.train.checkpoint import NEWEST, PREVIOUS, has_state, load_state, save_state
from tests.support.engine import SOUND, tiny_trainer


def fingerprint(trainer) -> list[torch.Tensor]:
    tensors = [t for net in (trainer.G, trainer.D, trainer.ema) for t in net.state_dict().values()]
    for optimizer in (trainer.opt_g, trainer.opt_d):
        tensors += [tensor for _, tensor in sorted(optimizer.tensors().items())]
    return tensors


@pytest.mark.parametrize("clusters", [1, 3])
@pytest.mark.parametrize("recipe", SOUND)
def test_resume_equals_never_stopping(recipe, clusters, tmp_path):
    """atol = rtol = 0, because all randomness is a function of (seed, step)."""
    whole, first, second = (
        tiny_trainer(recipe, augment="translation", flip=True, clusters=clusters) for _ in range(3)
    )
    whole.advance(5)
    first.advance(3)
    save_state(tmp_path, first, {"elapsed": 1.5})
    assert load_state(tmp_path, second) == ({"elapsed": 1.5}, None)
    second.advance(2)
    assert (second.step, second.total_images) == (5, whole.total_images)
    for one, other in zip(fingerprint(whole), fingerprint(second), strict=True):
        assert torch.equal(one, other)


def test_the_schedule_goes_on_where_time_is_the_budget(tmp_path):
    first, second = tiny_trainer(kimg=0.0), tiny_trainer(kimg=0.0)
    first.advance(2)
    save_state(tmp_path, first, {})
    load_state(tmp_path, second)
    assert second.progress == 0
    first.total_images = 64.0
    save_state(tmp_path, first, {})
    load_state(tmp_path, second)
    assert second.progress == 0.25


def test_learning_rates_stay_tied_to_the_schedule_after_resuming(tmp_path):
    first, second = tiny_trainer(), tiny_trainer()
    first.advance(2)
    save_state(tmp_path, first, {})
    load_state(tmp_path, second)
    assert second.opt_g.lr is second.schedule.lr_g
    second.advance(1)
    assert second.opt_g.lr.item() == pytest.approx(second.schedule.lr_g.item())


@pytest.mark.parametrize(
    "damage",
    [lambda p: p.write_bytes(p.read_bytes()[:2000]), lambda p: p.write_bytes(b"{}"), lambda p: p.unlink()],
)
def test_a_damaged_newest_checkpoint_falls_back_to_the_one_before(damage, tmp_path):
    trainer, other = tiny_trainer(), tiny_trainer()
    trainer.advance(1)
    save_state(tmp_path, trainer, {"elapsed": 1})
    trainer.advance(1)
    save_state(tmp_path, trainer, {"elapsed": 2})
    damage(tmp_path / NEWEST)
    assert load_state(tmp_path, other).counters == {"elapsed": 1}
    assert other.step == 1
    assert not (tmp_path / NEWEST).exists()
    (tmp_path / PREVIOUS).write_bytes(b"nothing")
    with pytest.raises(UserError) as caught:
        load_state(tmp_path, other)
    assert caught.value.key == "train.no_sound_checkpoint"


@pytest.mark.parametrize("links", [True, False])
def test_a_kill_at_any_rename_of_a_save_loses_one_checkpoint_at_the_most(links, tmp_path, monkeypatch):
    """This includes file systems without hard links, as some USB sticks and network shares have."""
    trainer, other = tiny_trainer(), tiny_trainer()
    replace = os.replace

    def no_link(*_):
        raise OSError(errno.EPERM, "Operation not permitted")

    def save(step, kill_at=99):
        left = [kill_at]

        def killing(source, target):
            left[0] -= 1
            if left[0] < 0:
                raise KeyboardInterrupt
            replace(source, target)

        monkeypatch.setattr(os, "replace", killing)
        save_state(tmp_path, trainer, {"step": step})
        monkeypatch.setattr(os, "replace", replace)

    if not links:
        monkeypatch.setattr(os, "link", no_link)
    for kill_at in (0, 1, 2):
        for path in tmp_path.iterdir():
            path.unlink()
        save(1), save(2), save(3)
        try:
            save(4, kill_at)
            found = 4
        except KeyboardInterrupt:
            found = 3
        monkeypatch.setattr(os, "replace", replace)
        assert load_state(tmp_path, other).counters == {"step": found}, kill_at


def test_pictures_stay_in_the_clusters_that_a_run_began_with(tmp_path):
    first, second = tiny_trainer(clusters=3), tiny_trainer(clusters=3)
    first.advance(1)
    save_state(tmp_path, first, {})
    second.groups = second.groups.flip(0)
    load_state(tmp_path, second)
    assert torch.equal(second.groups, first.groups)


def test_a_checkpoint_of_other_networks_is_refused(tmp_path):
    save_state(tmp_path, tiny_trainer(width=16), {})
    with pytest.raises(UserError):
        load_state(tmp_path, tiny_trainer(width=8))


def test_a_checkpoint_is_safetensors_and_records_its_threads(tmp_path):
    assert not has_state(tmp_path)
    save_state(tmp_path, tiny_trainer(), {})
    assert has_state(tmp_path)
    with safe_open(tmp_path / NEWEST, "pt") as file:
        assert '"threads": ' in file.metadata()["trainer"]
    assert [p.name for p in tmp_path.iterdir()] == [NEWEST]


def test_equal_trainers_have_equal_checkpoints(tmp_path):
    """The safetensors library writes metadata in another order each time."""
    trainer = tiny_trainer()
    trainer.advance(1)
    files = set()
    for _ in range(12):
        save_state(tmp_path, trainer, {})
        files.add((tmp_path / NEWEST).read_bytes())
    assert len(files) == 1
