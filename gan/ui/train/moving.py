"""Move a run: send it to a browser as one file, and take in such a file."""

import tempfile
import threading
import weakref
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from gradio.utils import get_upload_folder
from starlette.requests import Request
from starlette.responses import Response

from gan.errors import UserError
from gan.files import free_bytes
from gan.mirror.parcel import pack, unpack
from gan.runs.disk import SPARE, size_of, writing
from gan.ui.server.people.access import client_of
from gan.ui.server.requests.sending import FileAnswer
from gan.ui.server.requests.uploads import received
from gan.ui.server.services import Services

MOST = 4  # files on their way to clients; slow ones take disk space that no list shows


class Departures:
    """The files on their way. A visitor's address has one at a time, and one place is never a visitor's."""

    def __init__(self) -> None:
        self._clients: list[str] = []
        self._lock = threading.Lock()

    def begin(self, client: str, visitor: bool) -> Callable[[], None]:
        """Count a file for an address, and return what ends that. Raises UserError without a place."""
        with self._lock:
            if visitor and client in self._clients:
                raise UserError("mirror.one_leaves")
            if len(self._clients) >= MOST - visitor:
                raise UserError("ui.busy")
            self._clients.append(client)
        return partial(self._clients.remove, client)


DEPARTURES = Departures()


def download(services: Services, request: Request) -> Response:
    """Return a run as one file. Raises UserError without control of the run, and as `pack` does.

    The file has no name on the disk, so it is gone as soon as nobody reads it.
    """
    services.check_control(request, request.path_params["id"])
    run = services.store.path(request.path_params["id"])
    if free_bytes(run) < size_of(run) + SPARE:
        raise UserError("mirror.no_room")
    leave = DEPARTURES.begin(client_of(request), bool(services.visitor(request)))
    try:
        with writing():
            file = tempfile.TemporaryFile(dir=services.store.root)  # noqa: SIM115 - the answer closes it
    except BaseException:
        leave()
        raise
    # runs once, however the answer ends, and where it never begins
    gone = weakref.finalize(file, leave)
    try:
        with writing():
            pack(run, file)
            size = file.tell()
    except BaseException:
        file.close()
        gone()  # the error's traceback holds the file
        raise
    headers = {
        "Content-Length": str(size),
        "Content-Disposition": f'attachment; filename="{run.name}.zip"',
        "Cache-Control": "no-store",
    }
    return FileAnswer(file, "application/zip", headers, gone)


def arrive(services: Services, asked: dict[str, Any], visitor: str = "") -> str:
    """Take in the run in an uploaded file {files: [path]}. Returns its id here.

    visitor: the mark of the visitor who brings it, "" for somebody who controls all runs. Raises UserError,
    also beyond a visitor's limits.
    """
    files = received(asked.get("files"), Path(get_upload_folder()))
    if len(files) != 1:
        raise UserError("mirror.one_file")
    with writing():
        run_id = services.take_in(files[0], visitor) if visitor else unpack(services.store, files[0])
    files[0].unlink(missing_ok=True)
    return run_id
