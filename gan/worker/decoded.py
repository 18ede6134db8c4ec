"""Keep the decoded images of a run's own data in its directory, until the run ends.

A lease of a GPU must not spend its seconds on decoding. The ranks of a team on one machine map the same file
into memory. The named data sets are cached for all runs.
"""

import contextlib
import json
import os
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from gan.data.dataset import Dataset
from gan.data.pixels import has_room
from gan.worker.run_dir import DECODED

FILE = DECODED  # hidden: no copy of a run has it
_ATTRIBUTE = "attribute."
_DECIDES = ("data", "size", "channels", "background")  # settings that the images depend on


def keep(run_dir: Path, config: Any, data: Dataset) -> None:
    """Write the images of a run, atomically. Without room, the next lease decodes them anew."""
    drop(run_dir)
    if not has_room(run_dir, data.images.nbytes):
        return
    tensors = {"images": data.images} | {_ATTRIBUTE + name: one for name, one in data.attributes.items()}
    if data.labels is not None:
        tensors["labels"] = data.labels
    known = {
        "settings": _settings(config),
        "name": data.name,
        "classes": data.classes,
        "values": dict(data.attribute_values),
        "files": [digest.hex() for digest in data.files],
    }
    temporary = run_dir / f".tmp{FILE}"
    try:
        with contextlib.suppress(OSError, SafetensorError):
            save_file(tensors, temporary, {"known": json.dumps(known)})
            os.replace(temporary, run_dir / FILE)
    finally:
        temporary.unlink(missing_ok=True)


def kept(run_dir: Path, config: Any) -> Dataset | None:
    """Return the images that `keep` wrote for these settings, without a report; None if there are none.

    They are mapped into memory.
    """
    try:
        with safe_open(run_dir / FILE, "pt") as file:
            known = json.loads((file.metadata() or {})["known"])
            if known["settings"] != _settings(config):
                return None
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # it is no dict
        return Dataset(
            known["name"],
            tensors["images"],
            tensors.get("labels"),
            tuple(known["classes"]),
            {
                name.removeprefix(_ATTRIBUTE): one
                for name, one in tensors.items()
                if name.startswith(_ATTRIBUTE)
            },
            {name: tuple(values) for name, values in known["values"].items()},
            files=tuple(map(bytes.fromhex, known["files"])),
        )
    except (OSError, SafetensorError, ValueError, TypeError, KeyError, AttributeError):
        return None


def drop(run_dir: Path) -> None:
    """Delete what `keep` wrote."""
    with contextlib.suppress(OSError):
        (run_dir / FILE).unlink(missing_ok=True)


def _settings(config: Any) -> list[Any]:
    return [getattr(config, name) for name in _DECIDES]
