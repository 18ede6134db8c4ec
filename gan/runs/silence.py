"""A worker that hangs: its process is there, but its heartbeat has stopped. That of a living one is never older than a few seconds, or a few of its steps."""

import time
from typing import Any

from gan.runs.store import LIVE

SILENT, STEPS = 60.0, 10  # seconds and steps after both of which a run counts as hanging


def silence(status: dict[str, Any]) -> float | None:
    """Seconds since the last heartbeat of a run at work, or None where it is not at work or has given a sign of life lately."""
    age = time.time() - status["heartbeat"]
    return age if status["state"] in LIVE and age > max(SILENT, STEPS * status.get("step_seconds", 0.0)) else None
