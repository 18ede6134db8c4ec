"""Survey uploaded pictures in a child process, once, and store the report beside them.

A stranger's pictures are decoded in the child, never in the server. At most ABREAST children run at once,
each for at most SECONDS.
"""

import dataclasses
import subprocess
import sys
from pathlib import Path
from typing import Any

from gan.data.own.report import Report
from gan.errors import MESSAGES, UserError
from gan.files import read_json, write_json
from gan.runs.disk import writing
from gan.ui.server.children.processes import Children, Shared

COMMAND = (sys.executable, "-m", "gan.data.own.survey")
# The report lies beside the uploaded pictures.
FILE = "report.json"
ABREAST = 2  # surveys at once; others wait
# The child limits itself to a minute. On a busy machine that takes longer, hence this second limit.
SECONDS = 150
_PLAIN = Report(0)


class Surveys:
    """The surveys of one server: one for each upload, shared by all who ask for it."""

    def __init__(self) -> None:
        self._shared: Shared[Path, Report] = Shared(ABREAST, "survey")
        self._children = Children()

    def report(self, kept: Path, seconds: float | None = None) -> Report | None:
        """Return the report on an uploaded zip or folder, or None where it takes longer than `seconds`.

        A report that an earlier survey stored is returned at once. Raises UserError for pictures that can't
        be used at all, or that can't be read in time.
        """
        return self._shared.result(kept, lambda: self._make(kept), seconds, lambda: remembered(kept))

    def close(self) -> None:
        """Kill the running surveys."""
        self._children.close()
        self._shared.close()

    def _make(self, kept: Path) -> Report:
        """Run a survey in a child process and store its report."""
        answer = self._ask(kept)
        if isinstance(answer, dict) and isinstance(answer.get("error"), dict):
            raise _refusal(answer["error"])
        report = _parsed(answer)
        if report is None:
            raise UserError("ui.no_survey")
        with writing():
            write_json(kept.parent / FILE, report.to_json())
        return report

    def _ask(self, kept: Path) -> Any:
        """Return the JSON that the child prints.

        Raises UserError where the child takes too long or prints no JSON.
        """
        try:
            return self._children.ask([*COMMAND, str(kept)], SECONDS)
        except subprocess.TimeoutExpired as error:
            raise UserError("ui.survey_too_slow") from error
        except (ValueError, RecursionError) as error:
            raise UserError("ui.no_survey") from error


def remembered(kept: Path) -> Report | None:
    """Return the report that an earlier survey stored, or None where there is none that can be read."""
    try:
        return _parsed(read_json(kept.parent / FILE))
    except (OSError, ValueError):
        return None


def _parsed(value: Any) -> Report | None:
    """Return the report in a JSON value, or None where a field has the wrong type."""
    try:
        report = Report.from_json(value)
    except (TypeError, KeyError, ValueError, AttributeError):
        return None
    kinds = (
        (getattr(report, field.name), getattr(_PLAIN, field.name)) for field in dataclasses.fields(Report)
    )
    return report if all(type(found) is type(wanted) for found, wanted in kinds) else None


def _refusal(error: dict[str, Any]) -> UserError:
    """Turn the error that a child printed into a UserError."""
    key, values = error.get("key"), error.get("values")
    try:
        if key not in MESSAGES or not isinstance(values, dict):
            return UserError("ui.no_survey")
        # The file name only: visitors must not learn the server's folders.
        shown = {"path": Path(values["path"]).name} if "path" in values else {}
        return UserError(key, **{**values, **shown})
    except (TypeError, KeyError, IndexError):
        return UserError("ui.no_survey")
