"""Cache downloaded, drawn and decoded data between runs."""

import contextlib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def cache_dir() -> Path:
    """Return the folder named by GANARIUM_CACHE, else ganarium in the user's cache folder.

    The folder may be missing or read-only.
    """
    if os.environ.get("GANARIUM_CACHE"):
        return Path(os.environ["GANARIUM_CACHE"])
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ganarium"


def kept(name: str) -> "dict[str, torch.Tensor] | None":
    """Load the tensors cached under a name. Returns None if they are missing or unreadable."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    with contextlib.suppress(OSError, SafetensorError):
        return load_file(cache_dir() / f"{name}.safetensors")
    return None


def keep(name: str, tensors: "dict[str, torch.Tensor]") -> None:
    """Cache tensors under a name, atomically. A failed write is ignored."""
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    path = cache_dir() / f"{name}.safetensors"
    with contextlib.suppress(OSError, SafetensorError):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name)
        os.close(handle)
        try:
            save_file(tensors, temporary)
            os.replace(temporary, path)
        finally:
            Path(temporary).unlink(missing_ok=True)
