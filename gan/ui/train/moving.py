"""Move a run: send it to a browser as one file, and take in such a file."""

import tempfile
import threading
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from gradio.utils import get_upload_folder
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from gan.errors import UserError
from gan.mirror.parcel import pack, unpack
from gan.runs.disk import writing
from gan.ui.server.services import Services
from gan.ui.server.uploads import received

PIECE = 2**16  # bytes in memory; the next are read when the client has taken these
# Files on their way to slow clients take disk space that no list shows.
_ON_THEIR_WAY = threading.BoundedSemaphore(4)


def download(services: Services, request: Request) -> Response:
    """Return a run as one file. Raises UserError without control of the run, and as `pack` does.

    The file has no name on the disk, so it is gone as soon as nobody reads it.
    """
    services.check_control(request, request.path_params["id"])
    run = services.store.path(request.path_params["id"])
    if not _ON_THEIR_WAY.acquire(blocking=False):
        raise UserError("ui.busy")
    try:
        with writing():
            file = tempfile.TemporaryFile(dir=services.store.root)  # noqa: SIM115 - the answer closes it
    except BaseException:
        _ON_THEIR_WAY.release()
        raise
    # runs once, however the answer ends, and where it never begins
    gone = weakref.finalize(file, _ON_THEIR_WAY.release)
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
    return StreamingResponse(_pieces(file), media_type="application/zip", headers=headers)


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


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    file.seek(0)
    while piece := file.read(PIECE):
        yield piece
