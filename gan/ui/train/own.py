"""Handle uploaded pictures: report on them before Train is pressed, and start runs on them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gradio.utils import get_upload_folder

from gan.data.own.report import Report, grouped, suggestions
from gan.errors import UserError
from gan.recipes import RECIPES, USER_DATA, make_config
from gan.spec import MAX_CLASSES
from gan.ui.server.requests.uploads import (
    is_zip,
    keep_uploads,
    kept_names,
    mark_awaited,
    received,
    unmark,
    unusable,
)
from gan.ui.server.services import Services
from gan.ui.train import form

# Seconds until the page gets an answer; then it asks again. Proxies may time out after a minute.
WAIT = 20.0


def pictures(services: Services, asked: dict[str, Any], visitor: str = "") -> dict[str, Any]:
    """Store the uploaded files {files} and return {report, suggestions}.

    visitor: the mark of the visitor who sends them, "" for none. After WAIT seconds it returns {reading:
    true} instead. Raises UserError for pictures that can't be trained on, and without room for them.
    """
    files = received(asked.get("files"), Path(get_upload_folder()))
    report = _report(services, _keep(services, files, visitor), files, WAIT)
    return (
        {"reading": True}
        if report is None
        else {
            "report": as_json(report, files),
            "suggestions": {name: suggested(report, name) for name in RECIPES},
        }
    )


def start(services: Services, asked: dict[str, Any], visitor: str) -> str:
    """Start the run of the form once its pictures have been surveyed, for a visitor as Services.submit does.

    Returns the run's id. Raises UserError for unusable pictures, and for settings that don't fit them.
    """
    services.store.check_counts(new=True)
    files = received(asked.get("files"), Path(get_upload_folder()))
    kept = _keep(services, files, visitor)
    return begin(services, asked, visitor, kept, _report(services, kept, files), files)


def begin(
    services: Services,
    asked: dict[str, Any],
    visitor: str,
    kept: Path,
    report: Report | None,
    files: Sequence[Path] = (),
) -> str:
    """Start the run of the form on the zip or folder `kept`, which holds the uploaded `files`, if any.

    Returns the run's id. Raises UserError for settings that don't fit the pictures of the `report`.
    """
    origin = form.origin(services, asked)
    config = form.config(
        str(kept), asked.get("recipe"), asked.get("minutes"), asked["values"], report, origin, services.lends
    )
    with services.uploading:
        if files:
            keep_uploads(files, services.uploads)  # stores them again if they were removed meanwhile
        run_id = services.submit(config, visitor, origin, asked["gpus"])
        unmark(kept)
    return run_id


def as_json(report: Report, files: Sequence[Path]) -> dict[str, Any]:
    """Return a report in the page's form.

    Skipped pictures are grouped by reason, with their count and a few of their uploaded names.
    """
    named = dict(zip(kept_names(files), sorted(path.name for path in files), strict=True))
    left_out = [
        {
            "reason": reason,
            "detail": detail,
            "count": count,
            "names": [named.get(name, name) for name in names],
        }
        for reason, detail, names, count in grouped(report.left_out)
    ]
    return {**report.to_json(), "left_out": left_out, "most_classes": MAX_CLASSES}


def _keep(services: Services, files: Sequence[Path], visitor: str) -> Path:
    """Store uploaded files for a visitor who may be about to press Train. Raises UserError without room."""
    with services.uploading:
        services.check_room(visitor)  # one after the other, so that no crowd gets past it together
        kept = keep_uploads(files, services.uploads)
        mark_awaited(kept)
    services.store.usage.forget()
    return kept


def _report(
    services: Services, kept: Path, files: Sequence[Path], seconds: float | None = None
) -> Report | None:
    """Return the report on uploaded pictures (see Surveys.report).

    Unusable pictures lose their mark and may be removed.
    """
    try:
        return services.surveys.report(kept, seconds)
    except UserError as error:
        unmark(kept)
        services.remove_uploads()
        raise (_of_zip if is_zip(files[0]) else _of_files)(error, files) from error


def _of_zip(error: UserError, files: Sequence[Path]) -> UserError:
    """Rewrite an error about the uploaded zip to use the name that its owner knows."""
    return _named(error, files[0].name[-80:])


def _named(error: UserError, name: str) -> UserError:
    return UserError(error.key, **{**error.values, **({"path": name} if "path" in error.values else {})})


def _of_files(error: UserError, files: Sequence[Path]) -> UserError:
    """Rewrite an error about the folder of loose files, which visitors never see, to name those files."""
    values, number = error.values, len(files)
    first = min(path.name for path in files)[-80:]
    if error.key not in ("data.too_few", "data.other_kinds"):
        return _named(error, first if number == 1 else f"{first} + {number - 1}")
    examples = str(values["examples"]).removeprefix(": ")
    for kept, path in zip(kept_names(files), sorted(files, key=lambda path: path.name), strict=True):
        examples = examples.replace(kept, path.name[-80:])
    if int(str(values["usable"])) == 1:
        return (
            UserError("ui.one_picture")
            if number == 1
            else UserError("ui.one_usable", files=number, skipped=values["skipped"], examples=examples)
        )
    if error.key == "data.too_few":
        return unusable(files, examples)
    kinds = values["kinds"]
    return (
        UserError("ui.other_kind", name=first, kinds=kinds)
        if number == 1
        else UserError("ui.other_kinds", files=number, kinds=kinds)
    )


def suggested(report: Report, recipe: str) -> dict[str, Any]:
    """Return the settings that these pictures suggest for a recipe."""
    return suggestions(report, make_config(USER_DATA, recipe, form.OWN_SIZE, 3))
