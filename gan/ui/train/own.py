"""Pictures that people bring: what the page is told of them before Train is pressed, and the runs that learn
from them.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gradio.utils import get_upload_folder

from gan.data.own.report import Report, grouped, suggestions
from gan.errors import UserError
from gan.recipes import RECIPES, USER_DATA, make_config
from gan.spec import MAX_CLASSES
from gan.ui.server.services import Services
from gan.ui.server.uploads import is_zip, keep_uploads, kept_names, mark_awaited, received, unmark, unusable
from gan.ui.train import form

# seconds that a page waits for an answer; then it asks again, as what stands between it and us may give up
# after a minute
WAIT = 20.0


def pictures(services: Services, asked: dict[str, Any]) -> dict[str, Any]:
    """Keep the uploaded files {files} and tell what is in them: {report, suggestions}, or {reading: true}
    where that takes longer.

    Raises UserError for what can't be trained on at all.
    """
    services.store.usage.check()  # before they take even more
    files = received(asked.get("files"), Path(get_upload_folder()))
    report = _report(services, _keep(services, files), files, WAIT)
    return (
        {"reading": True}
        if report is None
        else {
            "report": told(report, files),
            "suggestions": {name: _suggested(report, name) for name in RECIPES},
        }
    )


def start(services: Services, asked: dict[str, Any]) -> str:
    """Start the run of the form, once its pictures have been read; returns its id. Raises UserError for what
    can't be trained on, or not like this.
    """
    services.store.usage.check()
    services.store.check_counts(new=True)
    files = received(asked.get("files"), Path(get_upload_folder()))
    kept = _keep(services, files)
    config = form.config(
        str(kept), asked.get("recipe"), asked.get("minutes"), asked["values"], _report(services, kept, files)
    )
    with services.uploading:
        keep_uploads(files, services.uploads)  # once more, where they were removed meanwhile
        run_id = services.supervisor.submit(config)
        unmark(kept)
    return run_id


def told(report: Report, files: Sequence[Path]) -> dict[str, Any]:
    """A report as the page shows it: what was left out by reason, with how many and the names of a few, each
    as it was when it was uploaded.
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


def _keep(services: Services, files: Sequence[Path]) -> Path:
    """Keep uploaded files for somebody who may be about to press Train."""
    with services.uploading:
        kept = keep_uploads(files, services.uploads)
        mark_awaited(kept)
    services.store.usage.forget()
    return kept


def _report(
    services: Services, kept: Path, files: Sequence[Path], seconds: float | None = None
) -> Report | None:
    """The report on kept pictures, see Surveys.report. Those that can't be used are not kept any longer."""
    try:
        return services.surveys.report(kept, seconds)
    except UserError as error:
        unmark(kept)
        services.remove_uploads()
        raise (_of_zip if is_zip(files[0]) else _of_files)(error, files) from error


def _of_zip(error: UserError, files: Sequence[Path]) -> UserError:
    """A refusal of the zip that was uploaded, by the name that people know."""
    return _named(error, files[0].name[-80:])


def _named(error: UserError, name: str) -> UserError:
    return UserError(error.key, **{**error.values, **({"path": name} if "path" in error.values else {})})


def _of_files(error: UserError, files: Sequence[Path]) -> UserError:
    """A refusal of the folder in which loose files are kept, which people know nothing of, as one of these
    files.
    """
    values, number = error.values, len(files)
    first = min(path.name for path in files)[-80:]
    if error.key not in ("data.too_few", "data.other_kinds"):
        return _named(error, first if number == 1 else f"{first} + {number - 1}")
    examples = str(values["examples"]).removeprefix(": ")
    for kept, path in zip(kept_names(files), sorted(files, key=lambda path: path.name), strict=True):
        examples = examples.replace(kept, path.name[-80:])
    if int(values["usable"]) == 1:
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


def _suggested(report: Report, recipe: str) -> dict[str, Any]:
    """The settings that the pictures themselves ask for with a recipe."""
    return suggestions(report, make_config(USER_DATA, recipe, form.OWN_SIZE, 3))
