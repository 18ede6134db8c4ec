"""Handle an uploaded file of points: check it when it is chosen, and start runs on it."""

import dataclasses
from pathlib import Path
from typing import Any

from gradio.utils import get_upload_folder

from gan.errors import UserError
from gan.kinds.points.reading import read_points
from gan.ui.server.requests.uploads import keep_points, mark_awaited, received, unmark
from gan.ui.server.services import Services
from gan.ui.train import form
from gan.ui.train.fields import USER_POINTS


def points(services: Services, asked: dict[str, Any], visitor: str = "") -> dict[str, Any]:
    """Store the uploaded file {files: [path]} and return {count}, its number of points.

    visitor: the mark of the visitor who sends it, "" for none. Raises UserError for a file that holds no
    usable points, and without room for it.
    """
    services.check_room(visitor)
    file = _file(asked)
    count = len(read_points(file))
    with services.uploading:
        mark_awaited(keep_points(file, services.uploads))
    services.store.usage.forget()
    return {"count": count}


def start(services: Services, asked: dict[str, Any], visitor: str) -> str:
    """Start the run of the form on an uploaded file, for a visitor as Services.submit does.

    Returns the run's id. Raises UserError for unusable points, and for settings that don't fit them.
    """
    services.check_room(visitor)
    services.store.check_counts(new=True)
    file = _file(asked)
    made = form.settings(
        USER_POINTS,
        asked.get("recipe"),
        asked.get("minutes"),
        asked["values"],
        form.origin(services, asked),
    )
    count = len(read_points(file))
    if made.batch > count:
        raise UserError("points.batch", batch=made.batch, count=count)
    with services.uploading:
        kept = keep_points(file, services.uploads)
        made = dataclasses.replace(made, data=str(kept))
        run_id = services.submit(made, visitor, gpus=asked["gpus"])
        unmark(kept)
    return run_id


def _file(asked: dict[str, Any]) -> Path:
    """Return the uploaded file that the page names. Raises UserError unless it is a single one."""
    files = received(asked.get("files"), Path(get_upload_folder()))
    if len(files) != 1:
        raise UserError("ui.no_points")
    return files[0]
