"""Handle pictures of a data set of the Hub: pull them, report on them, and start runs on them.

A pull costs disk space and downloads, so only those who control all runs can ask for one (see the guard).
"""

import re
from pathlib import Path
from typing import Any

from gan.data.own.report import Report
from gan.data.own.source import Source, read_source
from gan.errors import UserError
from gan.hub.sets import CAP, MOST, parse
from gan.recipes import RECIPES
from gan.ui.server.children.hub_sets import settle
from gan.ui.server.requests.uploads import mark_awaited, unmark
from gan.ui.server.services import Services
from gan.ui.train import own

_FOLDER = re.compile("hub-[0-9a-f]{16}")


def pull(services: Services, asked: dict[str, Any], seconds: float | None) -> dict[str, Any]:
    """Pull at most {cap} pictures of the data set {id}; return {set, report, suggestions, source}.

    After so many seconds it returns {reading: true} instead; None waits for the end. `set` names the
    pictures for a run. Raises UserError for a set that can't be had, or trained on.
    """
    name, cap = asked.get("id"), asked.get("cap", CAP)
    if not isinstance(name, str):
        raise UserError("ui.bad_form")
    if type(cap) is not int or not 2 <= cap <= MOST:
        raise UserError("hub.set_cap", most=MOST)
    services.store.usage.check()  # raises where the disk quota is used up

    def keep(path: Path) -> tuple[Path, Report]:
        with services.uploading:
            kept = settle(path, services.uploads)
            mark_awaited(kept)
        services.store.usage.forget()
        return kept, _survey(services, kept, parse(name).name)

    found = services.hub_sets.pulled(parse(name).address, cap, services.uploads, keep, seconds)
    if found is None:
        return {"reading": True}
    kept, report = found
    return {
        "set": kept.parent.name,
        "source": _source(kept).facts(),
        "report": own.as_json(report, []),
        "suggestions": {recipe: own.suggested(report, recipe) for recipe in RECIPES},
    }


def start(services: Services, asked: dict[str, Any], visitor: str) -> str:
    """Start the run of the form on the pulled set {hub}, and return its id.

    Raises UserError for a set that was not pulled, for a `visitor` who does not control all runs, and as
    own.start does.
    """
    if visitor:
        raise UserError("access.owner_only")
    services.store.usage.check()
    services.store.check_counts(new=True)
    return own.begin(services, asked, visitor, *_find(services, asked["hub"]))


def _find(services: Services, name: Any) -> tuple[Path, Report]:
    """Return the zip of a set, by the name that `pull` gave it, and the report on it. Raises UserError."""
    if not isinstance(name, str) or not _FOLDER.fullmatch(name):
        raise UserError("ui.bad_form")
    with services.uploading:
        kept = next((services.uploads / name).glob("hub--*.zip"), None)
        if kept is None:
            raise UserError("ui.lost_files")
        mark_awaited(kept)
    return kept, _survey(services, kept, _source(kept).name)


def _survey(services: Services, kept: Path, name: str) -> Report:
    """Return the report on a pulled zip. Unusable pictures lose their mark and may be removed."""
    try:
        report = services.surveys.report(kept)
        assert report is not None, "without a time limit, the survey ends with a report"
        return report
    except UserError as error:
        unmark(kept)
        services.remove_uploads()
        raise UserError(error.key, **{**error.values, "path": name}) from error


def _source(kept: Path) -> Source:
    source = read_source(kept)
    if source is None:
        raise UserError("ui.lost_files")
    return source
