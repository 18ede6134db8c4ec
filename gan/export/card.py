"""Describe an exported generator: its data, licence, training and hardware."""

import contextlib
from pathlib import Path
from typing import Any

from gan import data
from gan.data.names import HUB
from gan.data.own.source import Source
from gan.files import read_object
from gan.kinds import RECORD
from gan.latent.catalogue import Entry
from gan.runs import names
from gan.runs.more import extensions
from gan.runs.readers import is_number
from gan.train.origin import describe

OWN_LICENCE, OWN_CREDIT = "that of the images", "the person who trained it"
MARK = (
    "Samples of this generator are made by a trained algorithm (AI): IPTC digital source type "
    "trainedAlgorithmicMedia."
)
_OF_A_CARD = (
    "name",
    "data",
    "data_licence",
    "data_credit",
    "recipe",
    "images",
    "seconds",
    "hardware",
    "started_from",
    "extended",
)


def origin(name: str, run_dir: Path | None = None) -> dict[str, str]:
    """The part of a card that describes the data set `name`: public name without path, licence and credit.

    run_dir: the run that learns from it. Its record says which commit of the Hub the images come from.
    """
    known = data.catalogue().get(name)
    source = read_object(run_dir / RECORD).get("source") if run_dir else None
    if source is not None:
        with contextlib.suppress(ValueError):
            return _of_hub(Source.from_json(source))
    return {
        "data": data.public_name(name),
        "data_licence": known.licence if known else OWN_LICENCE,
        "data_credit": known.credit if known else OWN_CREDIT,
    }


def _of_hub(source: Source) -> dict[str, str]:
    """The same for images from the Hub."""
    return {
        "data": "/".join(source.name.split("/")[:2]),  # without the path in the repository
        "data_licence": source.licence,
        "data_credit": " · ".join(filter(None, (source.title, source.name.removeprefix(HUB)))),
        "data_commit": source.commit,
    }


def short_card(entry: Entry) -> dict[str, Any]:
    """The title and the known facts in `_OF_A_CARD`, for a shipped or pulled model or a run in any state.

    `name` is the name that a user gave the run.
    """
    folder = entry.weights.parent
    if entry.kind != "run":
        card = read_object(folder / "card.json")
        card["started_from"] = named(card.get("started_from"))
        card["extended"] = _more(extended(entry))
    else:
        config, status = read_object(folder / "config.json"), read_object(folder / "status.json")
        card = {
            "name": _name(folder),
            **(origin(config["data"], folder) if isinstance(config.get("data"), str) else {}),
            "recipe": config.get("recipe"),
            "images": status.get("images"),
            "seconds": status.get("elapsed"),
            "hardware": status.get("device"),
            "started_from": named(describe(folder)),
            "extended": _more(extended(entry)),
        }
    known = {name: card[name] for name in _OF_A_CARD if isinstance(card.get(name), (str, int, float))}
    return {"title": entry.title, **known}


def history(run_dir: Path) -> dict[str, Any]:
    """The part of a card that says which model a run began with, and when its budget grew."""
    start, more = describe(run_dir), extensions(run_dir)
    return {**({"started_from": start} if start else {}), **({"extended": more} if more else {})}


def extended(entry: Entry) -> list[dict[str, float]]:
    """Each growth of a generator's budget: "at_images", and the "minutes" or "kimg" (thousand images) added.

    A pulled model's card may hold anything, so what is no such growth is left out.
    """
    folder = entry.weights.parent
    found = extensions(folder) if entry.kind == "run" else read_object(folder / "card.json").get("extended")
    return [one for one in found if _grew(one)] if isinstance(found, list) else []


def _grew(one: Any) -> bool:
    units = ({"at_images", "minutes"}, {"at_images", "kimg"})
    return isinstance(one, dict) and set(one) in units and all(map(is_number, one.values()))


def _more(grown: list[dict[str, float]]) -> str | None:
    """The growth of a budget in one line, or None for none."""
    told = [
        f"{one['minutes']:g} more minutes at {one['at_images']} images"
        if "minutes" in one
        else f"{one['kimg']:g} thousand more images at {one['at_images']} images"
        for one in grown
    ]
    return "; ".join(told) or None


def named(start: Any) -> str | None:
    """The model that a run began with, in one line: its title and the SHA-256 of its generator."""
    if not isinstance(start, dict) or not start.get("title"):
        return None
    return f"{start['title']} (SHA-256 {start.get('weights')})"


def onnx_facts(entry: Entry) -> dict[str, Any]:
    """Metadata for an ONNX file: the short card, the classes in order of their labels, and the AI mark."""
    return {**short_card(entry), "classes": ", ".join(entry.classes), "mark": MARK}


def _name(folder: Path) -> str | None:
    try:
        return names.parse((folder / names.FILE).read_bytes())
    except OSError:
        return None
