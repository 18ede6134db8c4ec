"""Look up the interface texts of gan/web/strings/<language>/<room>.json.

Each file is a flat {"key": "text with {gaps}"}. English is the reference.

Some English texts stand in Python, so English has no file for them:
    error sentences       gan.errors.MESSAGES
    verdicts              gan.worker.health.VERDICTS
    events                gan.worker.events.EVENTS
    skipped pictures      gan.data.own.report.LEFT_OUT
    field help            gan.config, and gan.kinds for the other kinds
The other languages have errors.json, verdicts.json, events.json and settings.json with the same keys.
"""

import dataclasses
import functools
import json
from pathlib import Path

from gan.config import RunConfig
from gan.data.own.report import LEFT_OUT
from gan.errors import MESSAGES
from gan.kinds import KINDS, get_kind
from gan.worker.events import EVENTS
from gan.worker.health import REASONS, VERDICTS

LANGUAGES = ("en", "zh")
_FOLDER = Path(__file__).resolve().parents[1] / "web" / "strings"


@functools.cache
def table(lang: str) -> dict[str, str]:
    """Return all texts of one language.

    Errors are under error.<key>, verdicts under verdict.<key>, those of a run that is over or paused under
    verdict.<key>_past, their reasons under why.<key>, events under event.<key> and field help under
    setting.<field>, or under setting.<kind>.<field> for other kinds than images.
    """
    return _english() if lang == "en" else {**_english(), **_files(lang)}


def text(lang: str, key: str, **values: object) -> str:
    """Return one text with its gaps filled.

    An unknown language falls back to English; an unknown key raises KeyError.
    """
    return table(lang if lang in LANGUAGES else "en")[key].format(**values)


def pick_language(header: str | None) -> str:
    """Return the first language of an Accept-Language header that we have, else English."""
    for part in (header or "").split(","):
        code = part.split(";")[0].strip().lower().split("-")[0]
        if code in LANGUAGES:
            return code
    return "en"


def _files(lang: str) -> dict[str, str]:
    merged: dict[str, str] = {}
    for path in sorted((_FOLDER / lang).glob("*.json")):
        merged.update(json.loads(path.read_text(encoding="utf-8")))
    return merged


def _english() -> dict[str, str]:
    errors = {f"error.{key}": sentence for key, sentence in MESSAGES.items()}
    verdicts = {f"verdict.{key}": sentence for key, (sentence, _) in VERDICTS.items()}
    verdicts |= {f"verdict.{key}_past": sentence for key, (_, sentence) in VERDICTS.items()}
    verdicts |= {f"why.{key}": sentence for key, sentence in REASONS.items()}
    events = {f"event.{key}": sentence for key, sentence in EVENTS.items()}
    reasons = {f"left_out.{key}": words for key, words in LEFT_OUT.items()}
    fields = {f"setting.{field.name}": field.metadata["help"] for field in dataclasses.fields(RunConfig)}
    for kind in set(KINDS) - {RunConfig.kind}:
        fields |= {
            f"setting.{kind}.{field.name}": field.metadata["help"]
            for field in dataclasses.fields(get_kind(kind).Config)
        }
    return {**errors, **verdicts, **events, **reasons, **fields, **_files("en")}
