"""Where downloaded and drawn data is kept between runs."""

import os
from pathlib import Path


def cache_dir() -> Path:
    """The folder named by GANARIUM_CACHE, else ganarium in the user's cache folder. It need not exist or be writable."""
    if os.environ.get("GANARIUM_CACHE"):
        return Path(os.environ["GANARIUM_CACHE"])
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ganarium"
