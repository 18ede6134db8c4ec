"""A generator as a web page of its own: one file that is opened from a disk and needs no network.

The page is made of the scripts, styles and texts of the Explore tab, put together with the generator as ONNX,
its directions, its card and ONNX Runtime Web, which runs it. It carries a policy that forbids it to ask
anybody for anything.
"""

import base64
import html
import json
from pathlib import Path
from typing import Any

from gan.errors import UserError
from gan.export.bundle import bundle
from gan.export.card import MARK, short_card
from gan.export.onnx import generator_onnx
from gan.files import write_bytes
from gan.latent.catalogue import Entry
from gan.latent.directions import saved
from gan.latent.directions.saved import Choice
from gan.latent.generator import Model

_GAN = Path(__file__).resolve().parents[1]
_WEB = _GAN / "web"
_STRINGS = _WEB / "strings"  # files alone are read there
_RUNTIME = _WEB / "vendor" / "onnxruntime-web-1.22.0"
_STYLES = (
    "shell/base.css",
    "widgets/mosaic.css",
    "widgets/slider.css",
    "explore/explorer.css",
    "takeaway/page.css",
)
LANGUAGES = ("en", "zh")
# where a browser that saves the page says what is shown at first: take-home.js
POINT = '<script type="text/plain" id="gan-point"></script>'
# What scripts name by parts; all other texts stand in them as they are called.
_NAMED_BY_PARTS = (
    "class.",
    "data.",
    "recipe.",
    "explore.attribute_",
    "explore.score",
    "explore.net",
    "explore.against",
)
_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' 'wasm-unsafe-eval' data:; style-src 'unsafe-inline'; "
    "img-src data: blob:; connect-src blob:"
)


def webpage(model: Model, card: dict[str, Any], chosen: Choice | None = None) -> bytes:
    """The page as UTF-8 HTML, of about 4 MB and 1.3 times the generator's ONNX file; `card` is what
    `gan.export.card.short_card` tells.

    It has the sliders of `chosen`, with their names, or else the usual ones. Raises UserError for a direction
    that the model has not.
    """
    script = bundle(_WEB / "takeaway" / "page.js")
    # as the picker of the app names it
    named = model.entry.id.partition(":")[2] if model.entry.kind == "shipped" else card.get("data")
    told = {
        **model.describe(),
        "live": False,
        "preview": None,
        "data": named,
        "name": card.get("name"),
        "card": card,
    }
    sliders, ways = _sliders(model, chosen or Choice(None, {}, ()))
    onnx = model.remember(("page",), lambda: generator_onnx(model.generator, model.spec, card))
    data = {"model": told, "sliders": sliders, "texts": {lang: _texts(lang, script) for lang in LANGUAGES}}
    title = html.escape(f"{card.get('name') or card['title']} · GANarium")
    styles = "\n".join(_text(_WEB / name) for name in _STYLES)
    policy = f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
    return "\n".join(
        [
            "<!doctype html>",
            f"<!-- {_comment(model, card)} -->",
            '<html lang="en">',
            '<meta charset="utf-8">',
            policy,
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="generator" content="GANarium">',
            f"<title>{title}</title>",
            f'<link rel="icon" href="data:image/svg+xml;base64,{_packed(_WEB / "mark.svg")}">',
            f"<style>\n{styles}\n</style>",
            f'<script data-more="DecompressionStream WebAssembly">\n{_text(_WEB / "shell" / "old.js")}\n</script>',  # noqa: E501
            f"<script>\n{_text(_WEB / 'shell' / 'early.js')}\n</script>",
            '<body class="gradio-container">',
            '<gan-page class="xp-page"></gan-page>',
            POINT,
            _data("gan-data", _json(data)),
            _data("gan-onnx", _base64(onnx)),
            _data("gan-directions", _base64(model.directions().vectors.astype("<f4").tobytes())),
            _data("gan-ways", _base64(ways)),
            _data("gan-wasm", _packed(_RUNTIME / "ort-wasm-simd-threaded.wasm.gz")),
            _data("gan-glue", _packed(_RUNTIME / "ort-wasm-simd-threaded.mjs")),
            _data("gan-notices", _packed(_RUNTIME / "ThirdPartyNotices.txt.gz")),
            (
                "<script>window.ganTexts = "
                "JSON.parse(document.getElementById('gan-data').textContent).texts[ganEarly.lang];</script>"
            ),
            f'<script type="module">\n{script}</script>',
            "</body>",
            "</html>",
            "",
        ]
    ).encode()


def _sliders(model: Model, chosen: Choice) -> tuple[dict[str, Any], bytes]:
    """What the page is told of its sliders: their ids ("list", None for the usual ones), "names", and of
    those that are no principal directions what is known ("more"); then the vectors of these, little-endian
    float32. Finds the families that are named, which takes some seconds for directions with names. What a
    list names that was saved for older weights, and z does not move any more, has no slider."""
    principal = {f"p{k}" for k in range(len(model.directions().vectors))}
    named = {name for name in chosen.sliders or () if name not in principal}
    told = [
        model.family(family)
        for family in sorted(
            {"factors" if saved.NUMBERED.fullmatch(name) else "attributes" for name in named}
        )
    ]
    facts = {fact["id"]: fact for family in told for fact in family["directions"]}
    listed = [name for name in chosen.sliders or () if not any(name in family["fixed"] for family in told)]
    others = [name for name in listed if name not in principal]
    ways = b"".join(model.vector(name).astype("<f4").tobytes() for name in others)
    more = [
        {name: fact.get(name) for name in ("id", "effect", "title")}
        for fact in (facts[name] for name in others)
    ]
    names = {name: text for name, text in chosen.names.items() if name in listed or name in principal}
    return {
        **chosen.to_json(),
        "list": None if chosen.sliders is None else listed,
        "names": names,
        "more": more,
    }, ways


def _comment(model: Model, card: dict[str, Any]) -> str:
    """What somebody who reads the file should know first, with the licence of what runs the generator."""
    facts = "\n".join(f"{name}: {value}" for name, value in {**card, "version": model.version}.items())
    licence = _text(_RUNTIME / "LICENSE")
    said = (
        f"Made with GANarium.\n{MARK}\n\n{facts}\n\nThe page contains ONNX Runtime Web 1.22.0:\n\n{licence}"
    )
    return said.replace("--", "- -").replace(">", "›")


def _texts(lang: str, script: str) -> dict[str, str]:
    """Of a language what the script may say."""
    every: dict[str, str] = {}
    for path in sorted((_STRINGS / lang).glob("*.json")):
        every |= json.loads(_text(path))
    return {
        key: text for key, text in every.items() if f'"{key}"' in script or key.startswith(_NAMED_BY_PARTS)
    }


def _data(name: str, text: str) -> str:
    """Something that the script reads, and no browser runs."""
    return f'<script type="text/plain" id="{name}">{text}</script>'


def _json(value: Any) -> str:
    """JSON that no title or name of a class can lead out of the element it stands in."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


def _packed(path: Path) -> str:
    return _base64(path.read_bytes())


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def take_home(entry: Entry, target: Path) -> int:
    """Write the page of a generator to `target`; its size in bytes. Raises UserError where either can't be
    done.
    """
    model = Model(entry)
    sliders = saved.read(entry.weights.parent / saved.FILE, model) if entry.kind == "run" else None
    page = webpage(model, short_card(entry), sliders)
    try:
        write_bytes(target, page)
    except OSError as error:
        raise UserError("latent.cannot_write", path=target, reason=error.strerror or error) from error
    return len(page)
