"""Where downloaded, drawn and decoded data is kept between runs."""

import contextlib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def cache_dir() -> Path:
    """The folder named by GANARIUM_CACHE, else ganarium in the user's cache folder. It need not exist or be
    writable.
    """
    if os.environ.get("GANARIUM_CACHE"):
        return Path(os.environ["GANARIUM_CACHE"])
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ganarium"


def kept(name: str) -> "dict[str, torch.Tensor] | None":
    """The tensors kept under a name, or None where there are none or they can't be read."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    with contextlib.suppress(OSError, SafetensorError):
        return load_file(cache_dir() / f"{name}.safetensors")
    return None


def keep(name: str, tensors: "dict[str, torch.Tensor]") -> None:
    """Keep tensors under a name, replaced atomically. A cache that can't be written is no reason to stop."""
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
