"""The facts of a run for its report: state, settings, data, events, scores. Each is text for an HTML page.

A visitor may have named the run, its data and its classes, and another program may have written any file. So
every value goes through `Words`, which escapes it and removes the paths of this machine.
"""

import dataclasses
import re
from pathlib import Path
from typing import Any, NamedTuple

from gan import data
from gan.config import NO_TRACKER, Settings
from gan.errors import UserError
from gan.export.card import OWN_CREDIT, OWN_LICENCE, named, origin
from gan.export.report.words import Words, clock, short, when
from gan.files import read_lines, read_object
from gan.kinds import DEFAULT, get_kind
from gan.kinds.points.recipes import make_config as make_points_config
from gan.latent.catalogue import read_run_scores
from gan.recipes import make_config
from gan.runs import names
from gan.runs.readers import is_number
from gan.train.origin import describe

EVENTS = 40  # the newest
SCORES = ("FD", "precision", "coverage", "copies")
# Settings that have rows of their own, or that say nothing about the model.
_APART = ("data", "recipe", "minutes", "kimg", "steps", "size", "seed", "start_from", "track", "channels")
_NAMES = (
    "data",
    "recipe",
    "kimg",
    "steps",
    "architecture",
    "start_from",
)  # those without a label in the form
_THREADS = re.compile(r"CPU, (\d+) threads?", re.ASCII)


class Setting(NamedTuple):
    """A row of a table: label, value, and the recipe's own value where it is another one."""

    label: str
    value: str
    usual: str = ""


def read_name(run_dir: Path) -> str | None:
    """Return the name that a person gave to a run."""
    try:
        return names.parse((run_dir / names.FILE).read_bytes())
    except OSError:
        return None


MOST_RUNS = 10**6  # numbers of runs in a title


def title(words: Words, run_dir: Path, config: Settings, number: Any) -> str:
    """Return the title of a run: its name, or data and recipe. number: which run of its data it is, or 0."""
    if given := read_name(run_dir):
        return words.shown(given)
    shown = data_name(words, config)
    if type(number) is int and 0 < number < MOST_RUNS:  # a damaged status may hold anything
        shown = words.texts["run.numbered"].format(data=shown, number=number)
    return f"{shown} · {recipe_name(words, config)}"


def data_name(words: Words, config: Settings) -> str:
    """Return what the page calls a run's data."""
    return words.named("data", data.public_name(config.data))


def recipe_name(words: Words, config: Settings) -> str:
    """Return what the page calls a run's recipe."""
    return words.named("recipe", config.recipe)


def state(words: Words, status: dict[str, Any]) -> list[str]:
    """Return the sentences on how a run stands: its state, the verdict, and what went wrong."""
    found = [words.named("state", status.get("state", "damaged")) + words.text("report.stop")]
    verdict, error = status.get("verdict"), status.get("error")
    if isinstance(verdict, dict):
        tense = "" if status.get("state") == "running" else "_past"
        judged = words.sentence(f"verdict.{verdict.get('key')}{tense}", verdict.get("values")) or ""
        sure = verdict.get("sure") is not False
        found.append(judged if sure or not judged else words.text("verdict.unsure", verdict=judged))
        found.append(words.sentence(f"why.{verdict.get('key')}", {}) or "")
    if isinstance(error, dict):  # an unexpected exception has no key, and its words stay in the log
        known = words.sentence(f"error.{error.get('key')}", error.get("values"))
        found.append(known or words.text("error.runs.defect"))
    return [sentence for sentence in found if sentence]


def figures(words: Words, status: dict[str, Any], config: Settings) -> list[tuple[str, str]]:
    """Return (label, value) of the figures under the title."""
    ending = "" if config.kind == DEFAULT else f"_{config.kind}"
    parameters: Any = status.get("parameters")
    progress: Any = status.get("progress")
    sizes = parameters if isinstance(parameters, dict) else {}
    share = f"{100 * progress:.0f} %" if is_number(progress) else "–"
    known = [
        (words.text("report.began"), when(status.get("created")) or "–"),
        (words.text("stage.elapsed"), clock(status.get("elapsed"))),
        (words.text(f"stage.seen{ending}"), words.shown(status.get("images", 0))),
        (words.text("stage.progress"), share),
        (words.text("stage.device"), _device(words, status.get("device"))),
    ]
    if {"G", "D"} <= set(sizes):
        g, d = (short(sizes[name]) if is_number(sizes[name]) else "–" for name in ("G", "D"))
        value = words.text("stage.parameters_value", g=g, d=d)
        known.append((words.text("stage.parameters"), value))
    return known


def _device(words: Words, label: Any) -> str:
    """Return a device in the language of the report. A GPU has its own name."""
    threads = _THREADS.fullmatch(str(label))
    if threads is None:
        return words.shown(label or "–")
    one = threads[1] == "1"
    return words.text("common.cpu_one" if one else "common.cpu", threads=threads[1])


def settings(words: Words, config: Settings) -> tuple[list[Setting], list[Setting]]:
    """Return the settings that matter, and the others.

    Those that matter are the choices of the person, and what differs from the recipe's own values.
    """
    kind = words.text(f"report.kind_{config.kind}")
    main = [
        Setting(words.text("report.kind"), kind),
        Setting(words.text("report.data"), data_name(words, config)),
        Setting(words.text("report.recipe"), recipe_name(words, config)),
        _budget(words, config),
    ]
    main += [_row(words, config, name) for name in ("size", "seed") if hasattr(config, name)]
    start = getattr(config, "start_from", "")
    if start:
        main.append(Setting(words.text("report.start_from"), words.shown(start)))
    if config.track != NO_TRACKER:
        main.append(_row(words, config, "track"))
    recipe, rest = _usual(config), []
    for field in dataclasses.fields(config):
        if field.name in _APART:
            continue
        row = _row(words, config, field.name)
        usual = getattr(recipe, field.name) if recipe else getattr(config, field.name)
        if usual == getattr(config, field.name):
            rest.append(row)
        else:
            main.append(row._replace(usual=_value(words, usual)))
    return main, rest


def _budget(words: Words, config: Settings) -> Setting:
    """Return the row of what ends the run: thousands of images, steps, or minutes."""
    for name in ("kimg", "steps"):
        if name in {field.name for field in dataclasses.fields(config)} and getattr(config, name):
            return _row(words, config, name)
    return _row(words, config, "minutes")


def _row(words: Words, config: Settings, name: str) -> Setting:
    label = words.text(f"report.{name}" if name in _NAMES else f"field.{name}")
    return Setting(label, _value(words, getattr(config, name)))


def _value(words: Words, value: Any) -> str:
    # a seed is a name rather than an amount, but thousands separators do no harm to the others
    return str(value) if type(value) is int else words.shown(value)


def _usual(config: Settings) -> Settings | None:
    """Return the settings that the recipe has for this data by itself, or None for an unknown recipe."""
    try:
        if config.kind != DEFAULT:
            return make_points_config(config.data, config.recipe)
        known = data.catalogue().get(config.data)
        shape = (known.size, known.channels) if known else ()
        return make_config(config.data, config.recipe, *shape)
    except UserError:
        return None


def scores(words: Words, run_dir: Path, last: dict[str, Any]) -> tuple[list[tuple[str, str]], str]:
    """Return (label, value) of a run's scores, and what they compare; [] without scores.

    last: the newest line of the statistics, which counts the modes of points.
    """
    status = read_object(run_dir / "status.json")
    if is_number(last.get("modes")):
        modes = words.text("stage.modes_value", modes=last["modes"], of=status.get("modes"))
        found = [(words.text("stage.modes"), modes)]
        if is_number(last.get("high_quality")):
            found.append((words.text("stage.high_quality"), _percent(last["high_quality"])))
        return found, words.text("report.scores_points")
    scored = read_run_scores(run_dir, status)
    if scored is None:
        return [], ""
    net = _net(words, scored["net"], scored["title"])
    known = {name: value for name, value in scored["scores"].items() if is_number(value)}
    found = [
        (_score_name(words, name, scored["net"], net), _score(name, known[name]))
        for name in SCORES
        if name in known
    ]
    against = "held_out" if scored["against"] == "held_out" else "training"
    return found, words.text(f"explore.against_{against}", count=scored["pictures"])


def _net(words: Words, name: Any, net_title: Any) -> str:
    """Return what the page calls a feature extractor, as plain text."""
    if f"data.{name}" in words.texts:
        return words.texts["explore.net"].format(name=words.texts[f"data.{name}"])
    return words.texts.get(f"explore.net_{name}") or words.plain(net_title)


def _score_name(words: Words, name: str, extractor: Any, net: str) -> str:
    return "FID" if (name, extractor) == ("FD", "inception") else words.text(f"explore.score_{name}", net=net)


def _score(name: str, value: float) -> str:
    return _percent(value) if name == "copies" else f"{value:.3g}" if name == "FD" else f"{value:.2f}"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def origins(words: Words, run_dir: Path, config: Settings) -> list[tuple[str, str]]:
    """Return (label, value) of where the data and the weights come from."""
    known = origin(config.data, run_dir)
    drawn = config.kind != DEFAULT and get_kind(config.kind).is_named(config.data)
    rows = [
        ("report.data", data_name(words, config)),
        ("report.licence", _licence(words, known["data_licence"], drawn)),
        ("report.credit", _credit(words, known["data_credit"], drawn)),
        ("report.commit", words.shown(known.get("data_commit", ""))),
        ("report.start_from", words.shown(named(describe(run_dir)) or "")),
    ]
    return [(words.text(key), value) for key, value in rows if value]


def _licence(words: Words, licence: str, drawn: bool) -> str:
    if drawn:
        return words.text("report.drawn")
    return words.text("report.own_licence") if licence == OWN_LICENCE else words.shown(licence)


def _credit(words: Words, credit: str, drawn: bool) -> str:
    if drawn:
        return ""
    return words.text("report.own_credit") if credit == OWN_CREDIT else words.shown(credit)


def timeline(words: Words, run_dir: Path, created: Any) -> list[tuple[str, str]]:
    """Return (time, sentence) of what happened to a run, oldest first."""
    told = [(when(created), words.text("report.created"))]
    events = [event for event in read_lines(run_dir / "events.jsonl")[0] if isinstance(event, dict)]
    if len(events) > EVENTS:
        told.append(("", words.text("report.older_events", count=len(events) - EVENTS)))
    for event in events[-EVENTS:]:
        sentence = words.sentence(f"event.{event.get('key')}", _event_values(words, event.get("values")))
        if sentence:
            told.append((when(event.get("time")), sentence))
    return told


def _event_values(words: Words, values: Any) -> Any:
    """Return the gaps of an event. Left-out images become words in the language of the report."""
    if not isinstance(values, dict) or not isinstance(values.get("left_out"), list):
        return values
    reasons = [_left_out(words, group) for group in values["left_out"]]
    why = words.texts["left_out.semicolon"].join(filter(None, reasons))
    return {**values, "why": why or values.get("why", "")}


def _left_out(words: Words, group: Any) -> str | None:
    """Return the words on the images that were left out for one reason; None for a damaged entry."""
    try:
        reason = words.texts[f"left_out.{group['reason']}"].format(detail=group.get("detail") or "?")
        listed = words.texts["left_out.comma"].join(map(str, group["names"]))
        return words.texts["left_out.group"].format(
            count=words.plain(group["count"]), reason=reason, names=listed
        )
    except (KeyError, IndexError, TypeError, ValueError, AttributeError):
        return None
