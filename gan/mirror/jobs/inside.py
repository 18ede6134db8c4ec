"""Train a run inside a job: bring it from the mirror, copy it there while it trains, obey its commands.

The run lies on the job's own disk. Its mirror is that of gan.mirror.mirror, for this run alone.
"""

import contextlib
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from gan.errors import UserError
from gan.files import append_line, read_object
from gan.mirror.capture import newest_step
from gan.mirror.contents import ID
from gan.mirror.jobs.messages import send_end, take_commands, take_order
from gan.mirror.mirror import EVERY, LOOK, TOKEN, Mirror
from gan.mirror.remote import Remote, open_remote
from gan.runs.store import Store, error_json

LISTEN = 5.0  # seconds between two looks for commands
_log = logging.getLogger(__name__)


@contextlib.contextmanager
def mirrored(run_dir: Path, place: str, told: Callable[[str], None] = print) -> Iterator[None]:
    """Keep the run in `run_dir` at a place of the Hub while the block trains it.

    A run that is missing here is brought first, from its newest checkpoint. The block's UserError is passed
    to `told`, and left at the place as the run's end: the same job would fail again. Raises UserError for a
    place that can't be reached at the start or the end, after which another attempt makes sense.
    """
    run_id = run_dir.name
    if not ID.fullmatch(run_id):
        raise UserError("jobs.bad_name", name=run_id[:100])
    remote = open_remote(place, take_token())
    mirror = Mirror(Store(run_dir.absolute().parent), remote, EVERY, LOOK, only=run_id)
    mirror.prepare()
    if not (run_dir / "config.json").exists():
        take_order(remote, run_id, run_dir)
    step = max(0, newest_step(run_dir))
    append_line(
        run_dir / "events.jsonl", {"time": round(time.time(), 3), "key": "in_job", "values": {"step": step}}
    )
    mirror.start()
    over = threading.Event()
    listener = threading.Thread(
        target=_listen, args=(mirror.store, remote, run_id, over), name="commands", daemon=True
    )
    listener.start()
    try:
        yield
    except UserError as error:
        told(str(error))
    finally:
        over.set()
        mirror.close(patient=True)  # the job's own time limit ends a copy that hangs
    if mirror.fault is not None:
        raise mirror.fault
    _tell_end(mirror, run_dir, told)


def _tell_end(mirror: Mirror, run_dir: Path, told: Callable[[str], None]) -> None:
    """Leave the run's end at the place, which holds its last checkpoint by now. Raises UserError if not.

    A run that can't be mirrored has failed: another attempt would not change that.
    """
    run_id, status = run_dir.name, read_object(run_dir / "status.json")
    state, error = status.get("state", "failed"), status.get("error")
    fault = mirror.fault_of(run_id)
    if fault is not None:
        told(str(fault))
        state, error = "failed", error_json(fault)
    elif mirror.step_of(run_id) != newest_step(run_dir):
        raise UserError("jobs.not_copied", id=run_id)
    send_end(mirror.remote, run_id, state, error)


def take_token() -> str:
    """Take the token out of the environment, so that no child of this process sees it."""
    token = os.environ.pop(TOKEN, "").strip()
    if not token:
        raise UserError("jobs.no_token", variable=TOKEN)
    return token


def _listen(store: Store, remote: Remote, run_id: str, over: threading.Event) -> None:
    """Hand the commands at the place to the worker."""
    said = ""
    while not over.wait(LISTEN):
        try:
            for command in take_commands(remote, run_id):
                store.send(run_id, command)
            said = ""
        except (UserError, OSError) as error:  # it asks again soon
            if str(error) != said:
                _log.warning("no commands: %s", error)
            said = str(error)
