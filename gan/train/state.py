"""The checkpoint of a run: everything that `Trainer` needs to go on, as one safetensors file, with the one before kept beside it."""

import contextlib
import json
import math
import os
from pathlib import Path
from typing import Any

import safetensors
import torch
from safetensors.torch import save_file
from torch import nn

from gan.errors import UserError
from gan.files import replace_with
from gan.train.trainer import Trainer

NEWEST, BEFORE = "checkpoint.safetensors", "previous.safetensors"


def _optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, torch.Tensor]:
    return {f"{index}.{name}": value for index, state in optimizer.state_dict()["state"].items() for name, value in state.items()}


@torch.no_grad()
def _load_optimizer(optimizer: torch.optim.Optimizer, tensors: dict[str, torch.Tensor]) -> None:
    """Put saved moments back; the settings of the parameter groups stay, because they are the schedule's device tensors."""
    state: dict[int, dict[str, torch.Tensor]] = {}
    for key, value in tensors.items():
        index, name = key.split(".", 1)
        state.setdefault(int(index), {})[name] = value
    for index, parameter in enumerate(optimizer.param_groups[0]["params"]):
        if index in state:
            # In the parameter's own memory format: the fused optimizer walks both as flat memory.
            optimizer.state[parameter] = {
                name: torch.empty_like(parameter).copy_(value) if value.shape == parameter.shape else value.clone() for name, value in state[index].items()
            }


def _modules(trainer: Trainer) -> dict[str, nn.Module]:
    return {"G": trainer.G, "D": trainer.D, "ema": trainer.ema}


def _optimizers(trainer: Trainer) -> dict[str, torch.optim.Optimizer]:
    return {"opt_g": trainer.opt_g, "opt_d": trainer.opt_d}


def save_state(directory: Path, trainer: Trainer, counters: dict[str, Any]) -> None:
    """Write the trainer and `counters` (JSON values, the driver's own) to `directory`; what was newest becomes the one before.

    The random state of a step is a function of (seed, step), so that the step counter holds all of it.
    """
    tensors = {f"{part}.{name}": t for part, module in _modules(trainer).items() for name, t in module.state_dict().items()}
    for part, optimizer in _optimizers(trainer).items():
        tensors |= {f"{part}.{name}": t for name, t in _optimizer_tensors(optimizer).items()}
    tensors |= {f"augmentation.{name}": t for name, t in trainer.augmentation.items()}
    total = trainer.total_images if math.isfinite(trainer.total_images) else None
    meta = {"step": trainer.step, "total_images": total, "threads": torch.get_num_threads(), "torch": torch.__version__, "counters": counters}
    plain = {name: t.detach().cpu().contiguous() for name, t in tensors.items()}

    def write(temporary: Path) -> None:
        save_file(plain, temporary, metadata={"trainer": json.dumps(meta)})

    def keep_previous_then_write(temporary: Path) -> None:
        write(temporary)
        if (directory / NEWEST).exists():
            os.replace(directory / NEWEST, directory / BEFORE)

    replace_with(directory / NEWEST, keep_previous_then_write)


def has_state(directory: Path) -> bool:
    """Whether there is a checkpoint to resume from."""
    return (directory / NEWEST).exists() or (directory / BEFORE).exists()


def saved_counters(directory: Path) -> dict[str, Any]:
    """The counters of the newest checkpoint whose header can be read, without its tensors; empty where there is none."""
    for name in (NEWEST, BEFORE):
        with contextlib.suppress(Exception), safetensors.safe_open(directory / name, framework="pt") as file:  # anything may fail, as in load_state
            return dict(json.loads(file.metadata()["trainer"])["counters"])
    return {}


def load_state(directory: Path, trainer: Trainer) -> dict[str, Any]:
    """Put the newest readable checkpoint of `directory` into the trainer and return its counters.

    The one before serves where the newest can't be read. Raises UserError where neither can.
    """
    reason = "no file"
    for name in (NEWEST, BEFORE):
        path = directory / name
        if not path.exists():
            continue
        try:
            with safetensors.safe_open(path, framework="pt", device=str(trainer.device)) as file:
                meta = json.loads(file.metadata()["trainer"])
                tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118  (safe_open is no mapping)
            _restore(trainer, tensors, meta)
            return meta["counters"]
        except Exception as error:  # a damaged file may fail in safetensors, in json or in torch; the next file decides
            reason = f"{name}: {type(error).__name__}"
    raise UserError("train.bad_state", reason=reason, path=directory)


def _restore(trainer: Trainer, tensors: dict[str, torch.Tensor], meta: dict[str, Any]) -> None:
    def part(prefix: str) -> dict[str, torch.Tensor]:
        return {key[len(prefix) + 1 :]: value for key, value in tensors.items() if key.startswith(prefix + ".")}

    for name, module in _modules(trainer).items():
        module.load_state_dict(part(name))
    for name, optimizer in _optimizers(trainer).items():
        _load_optimizer(optimizer, part(name))
    for name, value in part("augmentation").items():
        trainer.augmentation[name].copy_(value)
    trainer.forget_recordings()
    trainer.step = int(meta["step"])
    trainer.total_images = float(meta["total_images"] or "inf")
