"""Write and read a run's checkpoints: all that a trainer needs to resume, as one safetensors file.

The previous checkpoint stays beside the newest. A valid file holds the SHA-256 of its tensors and metadata,
because safetensors alone would read a flipped bit as a weight.
"""

import contextlib
import hashlib
import json
import logging
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import torch
from safetensors.torch import save

from gan.errors import Unharmed, UserError, refuse_if_full
from gan.files import write_bytes
from gan.models import read_tensors
from gan.spec import FORMAT, in_order, read_header

NEWEST, PREVIOUS = "checkpoint.safetensors", "previous.safetensors"
DAMAGED = "damaged.safetensors"  # new name of a newest checkpoint that is invalid
DAMAGE = ("missing", "changed")
COPIES = 3  # copies of all tensors in memory while safetensors serialises them, or in_order joins its parts
_log = logging.getLogger(__name__)


class Loaded(NamedTuple):
    """The driver's counters in a checkpoint, and why the first file was not used (in DAMAGE) or None."""

    counters: dict[str, Any]
    damage: str | None


class Resumable(Protocol):
    """What a checkpoint needs of a trainer: gan.kinds.Trainer explains the members."""

    device: torch.device
    step: int
    total_images: float
    lr_factor: float
    splits: int

    def state(self) -> dict[str, torch.Tensor]: ...
    def load(self, tensors: dict[str, torch.Tensor]) -> None: ...
    def reset_step_state(self) -> None: ...


def tensors_of(trainer: Resumable) -> dict[str, torch.Tensor]:
    """Return the trainer's state, contiguous on the CPU."""
    return {name: t.detach().cpu().contiguous() for name, t in trainer.state().items()}


def save_state(directory: Path, trainer: Resumable, counters: dict[str, Any], replace: bool = False) -> None:
    """Write the trainer and the driver's `counters` (JSON values) as the newest checkpoint.

    The old newest becomes the previous one, unless `replace` overwrites it. Random states need no saving,
    because a step's randomness is a function of (seed, step).
    """
    plain = tensors_of(trainer)
    total = trainer.total_images if math.isfinite(trainer.total_images) else None
    meta = {
        "format": FORMAT,
        "step": trainer.step, "total_images": total, "lr_factor": trainer.lr_factor, "parts": trainer.splits,
        "threads": torch.get_num_threads(), "torch": torch.__version__, "counters": counters,
    }  # fmt: skip
    text = json.dumps(meta)
    # without enough memory this raises, whereas safetensors would end the process
    torch.empty(COPIES * sum(t.nbytes for t in plain.values()), dtype=torch.uint8)
    write_bytes(
        directory / NEWEST,
        in_order(save(plain, {"trainer": text, "sha256": digest(plain, text)})),
        lambda: None if replace else _keep(directory),
    )


def _keep(directory: Path) -> None:
    """Hard-link the newest checkpoint as the previous one, so that a checkpoint exists at any moment.

    Without hard links it renames the file. For a moment only PREVIOUS exists then, which `load_state` tries
    next.
    """
    spare = directory / f".{PREVIOUS}.tmp"
    spare.unlink(missing_ok=True)
    with contextlib.suppress(FileNotFoundError):  # no checkpoint yet
        try:
            os.link(directory / NEWEST, spare)
        except FileNotFoundError:
            raise
        except OSError:
            os.replace(directory / NEWEST, directory / PREVIOUS)
        else:
            os.replace(spare, directory / PREVIOUS)


def has_state(directory: Path) -> bool:
    """Return whether a checkpoint was ever written, valid or not. If so, no run may restart unasked."""
    return any((directory / name).exists() for name in (NEWEST, PREVIOUS, DAMAGED))


def _saved(directory: Path) -> dict[str, Any]:
    """Return the metadata of the newest checkpoint with a readable header, or an empty dict."""
    for name in (NEWEST, PREVIOUS):
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError, RecursionError):
            return dict(json.loads(read_header(directory / name)[1]["trainer"]))
    return {}


def saved_counters(directory: Path) -> dict[str, Any]:
    """Return the counters of the newest checkpoint with a readable header, or an empty dict."""
    return dict(_saved(directory).get("counters", {}))


def saved_step(directory: Path) -> int:
    """Return the step of the newest checkpoint with a readable header, or 0."""
    return int(_saved(directory).get("step", 0))


def digest(tensors: dict[str, torch.Tensor], text: str = "") -> str:
    """Return the SHA-256 of `text` and the tensors' names, dtypes, shapes and bytes, in hexadecimal.

    The tensors must be contiguous and on the CPU.
    """
    sha = hashlib.sha256(text.encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        sha.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        sha.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return sha.hexdigest()


def read_state(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """Return the tensors of a checkpoint file, on the CPU, and its metadata.

    Raises ValueError for a wrong digest, and any error of safetensors, json or torch for a damaged file.
    """
    _, metadata = read_header(path)  # refuses a header of absurd length before safetensors parses it
    tensors = read_tensors(path)
    if metadata["sha256"] != digest(tensors, metadata["trainer"]):
        raise ValueError("its digest is another")
    return tensors, json.loads(metadata["trainer"])


def is_plausible(meta: dict[str, Any], batch: int) -> bool:
    """Return whether a checkpoint's metadata, with the worker's counters, fit a run with this batch.

    A stranger may have written them: micro-batches without number would fill the memory, and a negative time
    would never end a run.
    """
    try:
        counters, parts, step = meta["counters"], meta["parts"] or 1, meta["step"]
        total = meta["total_images"]
        numbers = [counters[name] for name in ("elapsed", "rate", "next_snapshot", "rollbacks")]
        numbers += [meta["lr_factor"]] + ([] if total is None else [total])
        return (
            all(type(number) is int and number > 0 for number in (parts, batch))
            and type(step) is int
            and step >= 0
            and parts <= batch
            and all(type(number) in (int, float) and 0 <= number < math.inf for number in numbers)
            and meta["lr_factor"] <= 1
        )
    except (KeyError, TypeError):
        return False


def load_state(directory: Path, trainer: Resumable, order: Sequence[str] = (NEWEST, PREVIOUS)) -> Loaded:
    """Load the first valid checkpoint in this order into the trainer.

    A damaged newest file is renamed to DAMAGED, so that it never replaces the previous one. Raises UserError
    if no file is valid, and Unharmed if a valid one has other networks or images, or if another version wrote
    it. An OSError or an out-of-memory error goes through, because the file may still be valid.
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
        except Exception as error:  # a damaged file may fail in safetensors, json or torch: try the next
            refuse_if_full(error)
            _log.warning("%s: %s", name, error)
            damage = damage or "changed"
            if name == NEWEST:
                os.replace(directory / NEWEST, directory / DAMAGED)
        else:
            return Loaded(_fitted(trainer, tensors, meta), damage)
    raise UserError("train.no_sound_checkpoint")


def load_file(path: Path, trainer: Resumable) -> dict[str, Any]:
    """Load one checkpoint file into the trainer and return its counters. It changes no file.

    Raises Unharmed for other networks, images or versions, and any error of `read_state`.
    """
    trainer.reset_step_state()
    return _fitted(trainer, *read_state(path))


def _fitted(trainer: Resumable, tensors: dict[str, torch.Tensor], meta: dict[str, Any]) -> dict[str, Any]:
    """Load a valid checkpoint into the trainer and return its counters. Raises Unharmed on a misfit."""
    if meta.get("format") != FORMAT:  # another version trained on other images of the set
        raise Unharmed("train.other_version", found=str(meta.get("format", "?"))[:40], wanted=FORMAT)
    try:
        _restore(trainer, {key: tensor.to(trainer.device) for key, tensor in tensors.items()}, meta)
        return meta["counters"]
    except (RuntimeError, KeyError, TypeError, ValueError) as error:
        refuse_if_full(error)
        _log.warning("the checkpoint does not fit: %s", error)
        raise Unharmed("train.other_checkpoint") from error


def _restore(trainer: Resumable, tensors: dict[str, torch.Tensor], meta: dict[str, Any]) -> None:
    trainer.load(tensors)
    trainer.step = int(meta["step"])
    trainer.total_images = float(meta["total_images"] or "inf")
    trainer.lr_factor = float(meta["lr_factor"])
    trainer.splits = int(meta["parts"] or 1)
