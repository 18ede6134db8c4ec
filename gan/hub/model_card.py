"""Write the model card of a generator: the README.md that the Hub shows, made from card.json."""

import re
from typing import Any

from gan.export.card import MARK, OWN_LICENCE, named
from gan.latent.catalogue import HUB_ID

LIBRARY, PIPELINE = "ganarium", "unconditional-image-generation"
TAGS = ("gan", "image-generation", "safetensors", "onnx")
# Licence of a data set as cards write it -> its identifier on the Hub. Any other is "other" with its name.
LICENCES = {
    "CC BY-SA 3.0": "cc-by-sa-3.0",
    "CC BY-SA 4.0": "cc-by-sa-4.0",
    "CC0 1.0": "cc0-1.0",
    "MIT": "mit",
    "Apache-2.0": "apache-2.0",
}
# Identifiers of the licences that people may choose for a model of their own images, and the title of each.
OWN_LICENCES = {
    "cc0-1.0": "CC0 1.0",
    "cc-by-4.0": "CC BY 4.0",
    "cc-by-sa-4.0": "CC BY-SA 4.0",
    "cc-by-nc-4.0": "CC BY-NC 4.0",
    "mit": "MIT",
    "apache-2.0": "Apache-2.0",
}
# Data set -> the one on the Hub that has the same images, or from which ours takes some.
ON_THE_HUB = {
    "digits": "ylecun/mnist",
    "mnist": "ylecun/mnist",
    "fashion": "zalando-datasets/fashion_mnist",
    "fashion-mnist": "zalando-datasets/fashion_mnist",
    "cifar10": "uoft-cs/cifar10",
}
# Row of the table of provenance -> key in card.json.
FACTS = {
    "Recipe": "recipe",
    "Steps": "steps",
    "Images that D saw": "images",
    "Training time in seconds": "seconds",
    "Hardware": "hardware",
    "Began with": "started_from",
    "Budget added": "extended",
    "torch": "torch",
    "Images in the data set": "data_count",
    "Commit of the data set": "data_commit",
    "SHA-256 of the images": "data_digest",
    "Format": "format",
}


def model_card(card: dict[str, Any], repository: str, with_d: bool, licence: str | None = None) -> str:
    """Return README.md for the card of a generator in the repository "owner/name".

    licence: one of OWN_LICENCES, None for that of the images.
    """
    from huggingface_hub import ModelCard

    body = _body(card, repository, with_d, licence)
    content = f"---\n{_metadata(card, repository, licence)}\n---\n\n{body}"
    return str(ModelCard(content))  # reads what it writes: a card that the Hub can't read raises here


def scored_by(card: dict[str, Any]) -> str | None:
    """Return the title of the net that a card's scores come from, or None if it has no such scores."""
    title = (card.get("scored") or {}).get("title")
    return str(title) if title else None


def _metadata(card: dict[str, Any], repository: str, chosen: str | None) -> str:
    """Return the YAML that the Hub indexes."""
    from huggingface_hub import EvalResult, ModelCardData

    data, licence = str(card.get("data", "")), str(card.get("data_licence") or OWN_LICENCE)
    net = scored_by(card)
    results = [
        EvalResult(
            task_type=PIPELINE,
            dataset_type=data or "unknown",
            dataset_name=data or "unknown",
            metric_type=name.lower().replace(" ", "-"),
            metric_name=_named(name, net),
            metric_value=value,
        )
        for name, value in (card.get("scores") or {}).items()
    ]
    known = chosen or LICENCES.get(licence)
    if "data_commit" in card and re.fullmatch(r"[a-z0-9.+-]+", licence):
        known = licence  # the card of a data set on the Hub has the Hub's own identifier
    sets = [data.removeprefix("hub:").partition("@")[0]] if HUB_ID.fullmatch(data) else []
    return ModelCardData(
        library_name=LIBRARY,
        pipeline_tag=PIPELINE,
        license=known or "other",
        license_name=None if known else re.sub(r"[^a-z0-9]+", "-", licence.lower()).strip("-"),
        datasets=sets or ([ON_THE_HUB[data]] if data in ON_THE_HUB else None),
        base_model=_base(card),
        tags=[*TAGS],
        model_name=str(card.get("title") or repository) if results else None,
        eval_results=results or None,
    ).to_yaml()


def _base(card: dict[str, Any]) -> str | None:
    """Return the repository of the model that this one began with, or None if the Hub has none."""
    start = card.get("started_from")
    match = HUB_ID.fullmatch(str(start.get("id"))) if isinstance(start, dict) else None
    return f"{match[1]}/{match[2]}" if match else None


def _named(score: str, net: str | None) -> str:
    """Return a score with the net that it was measured through. The diversity needs none."""
    return score if score == "diversity" or net is None else f"{score} ({net})"


def _body(card: dict[str, Any], repository: str, with_d: bool, licence: str | None) -> str:
    title, name = _unlinked(_plain(card.get("title") or repository)), repository
    channels = "grey" if card.get("channels") == 1 else "colour"
    size = card.get("size")
    parts = [
        f"# {title}",
        f"A generator of {size}x{size} {channels} images, trained with GANarium.",
        "![64 samples](preview.webp)",
        "## Use",
        f"    ganarium sample hub:{name} --out grid.png      # a grid of samples\n"
        f"    ganarium pull {name}                           # adds it to Explore\n\n"
        "On GANarium's page, type "
        f"`{name}` under *Explore* beside the models. In Python:\n\n"
        "```python\nfrom gan.library import load\n\n"
        f'load("hub:{name}").grid(64)\n```',
        "`generator.safetensors` holds the averaged weights in half precision, `generator.onnx` the same "
        "network for other programs."
        + (" `discriminator.safetensors` holds the discriminator, to train on." if with_d else ""),
        "## Data",
        _table(
            {
                "Data set": card.get("data"),
                "Licence of the images": card.get("data_licence"),
                "Licence of the model": OWN_LICENCES.get(licence or ""),
                "Credit": card.get("data_credit"),
                "Classes": ", ".join(map(str, card.get("classes") or ())) or "none",
            }
        ),
        *_scores(card),
        "## Provenance",
        _table({row: {**card, **_history(card)}.get(key) for row, key in FACTS.items()}),
        MARK,
    ]
    return "\n\n".join(parts) + "\n"


def _history(card: dict[str, Any]) -> dict[str, Any]:
    """Return the origin of a model and each growth of its budget as texts, "" where there is none."""
    start, grown = card.get("started_from"), card.get("extended")
    parts = [named(start), _base(card), f"D {start.get('discriminator')}" if isinstance(start, dict) else ""]
    growths = [one for one in grown if isinstance(one, dict)] if isinstance(grown, list) else []
    added = [
        f"{one[unit]} {unit} after {one.get('at_images')} images"
        for one in growths
        for unit in ("minutes", "kimg")
        if unit in one
    ]
    return {"started_from": " · ".join(filter(None, parts)), "extended": "; ".join(added)}


def _scores(card: dict[str, Any]) -> list[str]:
    """Return the section of the scores, or nothing for a card without them."""
    scores, meaning, net = card.get("scores") or {}, card.get("scores_meaning") or {}, scored_by(card)
    if not scores:
        return []
    scored = card.get("scored") or {}
    against = "images that the model was not trained on"
    if scored.get("against") != "held_out":
        against = "images that it was trained on"
    told = f"{scored.get('pictures')} samples against as many {against}." if net else ""
    lines = [
        f"| {_plain(_named(name, net))} | {value} | {_plain(meaning.get(name, ''))} |"
        for name, value in scores.items()
    ]
    return [
        "## Scores",
        *([told] if told else []),
        "\n".join(["| score | value | meaning |", "|---|---|---|", *lines]),
    ]


def _table(rows: dict[str, Any]) -> str:
    """Return a table of the rows that have a value."""
    lines = [f"| {row} | {_plain(value)} |" for row, value in rows.items() if value not in (None, "")]
    return "\n".join(["| | |", "|---|---|", *lines])


def _unlinked(text: str) -> str:
    """Return text in which Markdown finds no link and no image: a visitor may have named the run."""
    return re.sub(r"([\[\]])", r"\\\1", text)


def _plain(value: Any) -> str:
    """Return a value as text that ends neither the cell of a table nor its line."""
    return " ".join(str(value).split()).replace("|", "\\|").replace("<", "&lt;")
