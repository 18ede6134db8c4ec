"""The checkpoint of a run: everything that `Trainer` needs to go on, as one safetensors file, with the one
before kept beside it.

A file is believed only where its digest, SHA-256 over names, shapes and bytes, is that of what it holds:
safetensors would read a flipped bit as a weight.
"""

import contextlib
import hashlib
import json
import logging
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors.torch import save
from torch import nn

from gan.errors import Unharmed, UserError, refuse_if_full
from gan.files import write_bytes
from gan.models import read_tensors
from gan.spec import read_header
from gan.train.optim import Adam
from gan.train.trainer import Trainer

NEWEST, PREVIOUS = "checkpoint.safetensors", "previous.safetensors"
DAMAGED = "damaged.safetensors"  # where a newest one goes that proved not to be sound
DAMAGE = ("missing", "changed")
COPIES = 3  # of what a checkpoint holds, which are in memory together while safetensors makes a file of it
_log = logging.getLogger(__name__)


class Loaded(NamedTuple):
    """What came back from disk beside the trainer's own state: the driver's counters and, where the first
    file was not used, why: one of DAMAGE.
    """

    counters: dict[str, Any]
    damage: str | None


def _modules(trainer: Trainer) -> dict[str, nn.Module]:
    return {"G": trainer.G, "D": trainer.D, "ema": trainer.ema}


def _optimizers(trainer: Trainer) -> dict[str, Adam]:
    return {"opt_g": trainer.opt_g, "opt_d": trainer.opt_d}


def tensors_of(trainer: Trainer) -> dict[str, torch.Tensor]:
    """All tensors that the next step depends on, by name, contiguous on the CPU: networks, averages,
    optimizers, augmentation, statistics, groups.
    """
    tensors = {
        f"{part}.{name}": t
        for part, module in _modules(trainer).items()
        for name, t in module.state_dict().items()
    }
    for part, optimizer in _optimizers(trainer).items():
        tensors |= {f"{part}.{name}": t for name, t in optimizer.tensors().items()}
    tensors |= {f"augmentation.{name}": t for name, t in trainer.augmentation.items()}
    tensors["means"] = trainer.means
    if trainer.groups is not None:  # another version of scipy may sort the pictures into other clusters
        tensors["groups"] = trainer.groups.int()
    return {name: t.detach().cpu().contiguous() for name, t in tensors.items()}


def save_state(directory: Path, trainer: Trainer, counters: dict[str, Any], replace: bool = False) -> None:
    """Write the trainer and `counters` (JSON values, the driver's own) to `directory`; what was newest
    becomes the one before, unless it is to `replace` it.

    The random state of a step is a function of (seed, step), so that the step counter holds all of it.
    """
    plain = tensors_of(trainer)
    total = trainer.total_images if math.isfinite(trainer.total_images) else None
    meta = {
        "step": trainer.step, "total_images": total, "lr_factor": trainer.lr_factor, "parts": trainer.parts,
        "threads": torch.get_num_threads(),
        "torch": torch.__version__, "counters": counters,
    }  # fmt: skip
    text = json.dumps(meta)
    # raises where safetensors, in want of memory, would end the process
    torch.empty(COPIES * sum(t.nbytes for t in plain.values()), dtype=torch.uint8)
    write_bytes(
        directory / NEWEST,
        save(plain, {"trainer": text, "sha256": digest(plain, text)}),
        lambda: replace or _keep(directory),
    )


def _keep(directory: Path) -> None:
    """Make the newest checkpoint the one before as well, while it stays the newest until it is replaced:
    there is no moment without one.

    On a file system without links it becomes the one before in one step, and is for a moment found only
    there, where `load_state` looks next.
    """
    spare = directory / f".{PREVIOUS}.tmp"
    spare.unlink(missing_ok=True)
    with contextlib.suppress(FileNotFoundError):  # there is none yet
        try:
            os.link(directory / NEWEST, spare)
        except FileNotFoundError:
            raise
        except OSError:
            os.replace(directory / NEWEST, directory / PREVIOUS)
        else:
            os.replace(spare, directory / PREVIOUS)


def has_state(directory: Path) -> bool:
    """Whether a checkpoint was ever written there, sound or not: only a run without one may begin anew
    without being asked.
    """
    return any((directory / name).exists() for name in (NEWEST, PREVIOUS, DAMAGED))


def _saved(directory: Path) -> dict[str, Any]:
    """All but the tensors of the newest checkpoint whose header can be read; empty where there is none."""
    for name in (NEWEST, PREVIOUS):
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError, RecursionError):
            return dict(json.loads(read_header(directory / name)[1]["trainer"]))
    return {}


def saved_counters(directory: Path) -> dict[str, Any]:
    """The counters of the newest checkpoint whose header can be read; empty where there is none."""
    return dict(_saved(directory).get("counters", {}))


def saved_step(directory: Path) -> int:
    """Its step; 0 where there is none."""
    return int(_saved(directory).get("step", 0))


def digest(tensors: dict[str, torch.Tensor], text: str = "") -> str:
    """SHA-256 over `text` and the names, kinds, shapes and bytes of contiguous tensors on the CPU, as
    hexadecimal digits.
    """
    sha = hashlib.sha256(text.encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        sha.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        sha.update(tensor.reshape(-1).view(torch.uint8).numpy())
    return sha.hexdigest()


def read_state(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """The tensors of a checkpoint file on the CPU, and the rest of it. Raises whatever safetensors, json or
    torch raise for a damaged one, or ValueError.
    """
    _, metadata = read_header(path)  # refuses one of absurd length before anything parses it
    tensors = read_tensors(path)
    if metadata["sha256"] != digest(tensors, metadata["trainer"]):
        raise ValueError("its digest is another")
    return tensors, json.loads(metadata["trainer"])


def load_state(directory: Path, trainer: Trainer, order: Sequence[str] = (NEWEST, PREVIOUS)) -> Loaded:
    """Put the first sound checkpoint of `directory` in this order into the trainer.

    A newest one that proves damaged is set aside, so that it never takes the place of the one before. Raises
    UserError where none is sound, Unharmed where one is, but of other networks or pictures, and what was
    raised where one could not be read just now, OSError or that memory ran out: neither says anything against
    it.
    """
    trainer.reset_step_state()
    damage = None
    for name in order:
        try:
            tensors, meta = read_state(directory / name)
        except FileNotFoundError:
            damage = damage or "missing"
        except OSError:
            raise
        # a damaged file may fail in safetensors, in json or in torch; the next file decides
        except Exception as error:
            refuse_if_full(error)
            _log.warning("%s: %s", name, error)
            damage = damage or "changed"
            if name == NEWEST:
                os.replace(directory / NEWEST, directory / DAMAGED)
        else:
            return Loaded(_fitted(trainer, tensors, meta), damage)
    raise UserError("train.no_sound_checkpoint")


def _fitted(trainer: Trainer, tensors: dict[str, torch.Tensor], meta: dict[str, Any]) -> dict[str, Any]:
    """Put a sound checkpoint into the trainer, and return its counters. Raises Unharmed where it belongs to
    another: that is no damage.
    """
    try:
        _restore(trainer, {key: tensor.to(trainer.device) for key, tensor in tensors.items()}, meta)
        return meta["counters"]
    except (RuntimeError, KeyError, TypeError, ValueError) as error:
        refuse_if_full(error)
        _log.warning("the checkpoint does not fit: %s", error)
        raise Unharmed("train.other_checkpoint") from error


def _restore(trainer: Trainer, tensors: dict[str, torch.Tensor], meta: dict[str, Any]) -> None:
    def part(prefix: str) -> dict[str, torch.Tensor]:
        return {
            key[len(prefix) + 1 :]: value for key, value in tensors.items() if key.startswith(prefix + ".")
        }

    for name, module in _modules(trainer).items():
        module.load_state_dict(part(name))
    for name, optimizer in _optimizers(trainer).items():
        optimizer.load(part(name))
    for name, value in part("augmentation").items():
        trainer.augmentation[name].copy_(value)
    trainer.means.copy_(tensors["means"])
    if trainer.groups is not None:
        trainer.groups.copy_(tensors["groups"])
    trainer.step = int(meta["step"])
    trainer.total_images = float(meta["total_images"] or "inf")
    trainer.lr_factor, trainer.parts = float(meta["lr_factor"]), int(meta["parts"])
