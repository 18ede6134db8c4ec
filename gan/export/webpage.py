"""Export a generator as one HTML file that opens from a disk and needs no network.

The page joins the scripts, styles and texts of the Explore tab with the generator. The generator is an ONNX
model with its directions and card. The page includes ONNX Runtime Web. Its content security policy forbids
all network requests.
"""

import base64
import html
import json
from pathlib import Path
from typing import Any

from gan.errors import UserError
from gan.export.bundle import bundle
from gan.export.card import MARK, extended, short_card
from gan.export.onnx import generator_onnx
from gan.files import write_bytes
from gan.latent.catalogue import Entry
from gan.latent.directions import saved
from gan.latent.directions.saved import Choice
from gan.latent.generator import Model

_GAN = Path(__file__).resolve().parents[1]
_WEB = _GAN / "web"
_STRINGS = _WEB / "strings"
_RUNTIME = _WEB / "vendor" / "onnxruntime-web-1.22.0"
_STYLES = (
    "shell/base.css",
    "widgets/mosaic.css",
    "widgets/slider.css",
    "explore/explorer.css",
    "takeaway/page.css",
)
LANGUAGES = ("en", "zh")
# A browser that saves the page writes its first point into this element: take-home.js.
POINT = '<script type="text/plain" id="gan-point"></script>'
# Prefixes of text keys that scripts build from parts. All other keys appear in the scripts literally.
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
    """The page as UTF-8 HTML: about 4 MB plus 1.3 times the generator's ONNX file.

    `card` comes from `gan.export.card.short_card`. The page has the sliders and names of `chosen`, or the
    default sliders. Raises UserError for an unknown direction.
    """
    script = bundle(_WEB / "takeaway" / "page.js")
    # the name that the app's model picker shows
    named = model.entry.id.partition(":")[2] if model.entry.kind == "shipped" else card.get("data")
    description = {
        **model.describe(),
        "live": False,
        "preview": None,
        "data": named,
        "name": card.get("name"),
        "card": card,
        "extended": extended(model.entry),
    }
    sliders, ways = _sliders(model, chosen or Choice(None, {}, ()))
    onnx = model.remember(("page",), lambda: generator_onnx(model.generator, model.spec, card))
    data = {
        "model": description,
        "sliders": sliders,
        "texts": {lang: _texts(lang, script) for lang in LANGUAGES},
    }
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
    """The page's sliders as JSON, and the vectors of those that are not principal directions.

    The JSON is `Choice.to_json` plus "more", the facts of the directions that are not principal. In it,
    "list" is None for the default sliders. The vectors are little-endian float32. Finding a family of named
    directions takes some seconds. A list saved for older weights may name a direction that z no longer moves:
    it gets no slider.
    """
    principal = {f"p{k}" for k in range(len(model.directions().vectors))}
    named = {name for name in chosen.sliders or () if name not in principal}
    families = [
        model.family(family)
        for family in sorted(
            {"factors" if saved.NUMBERED.fullmatch(name) else "attributes" for name in named}
        )
    ]
    facts = {fact["id"]: fact for family in families for fact in family["directions"]}
    listed = [
        name for name in chosen.sliders or () if not any(name in family["fixed"] for family in families)
    ]
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
    """The comment at the start of the file: origin, card, and the licence of the ONNX runtime."""
    facts = "\n".join(f"{name}: {value}" for name, value in {**card, "version": model.version}.items())
    licence = _text(_RUNTIME / "LICENSE")
    said = (
        f"Made with GANarium.\n{MARK}\n\n{facts}\n\nThe page contains ONNX Runtime Web 1.22.0:\n\n{licence}"
    )
    return said.replace("--", "- -").replace(">", "›")


def _texts(lang: str, script: str) -> dict[str, str]:
    """The texts of a language that the script uses."""
    every: dict[str, str] = {}
    for path in sorted((_STRINGS / lang).glob("*.json")):
        every |= json.loads(_text(path))
    return {
        key: text for key, text in every.items() if f'"{key}"' in script or key.startswith(_NAMED_BY_PARTS)
    }


def _data(name: str, text: str) -> str:
    """An element with data for the script, which the browser does not execute."""
    return f'<script type="text/plain" id="{name}">{text}</script>'


def _json(value: Any) -> str:
    """JSON in which no title or class name can close the element that holds it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


def _packed(path: Path) -> str:
    return _base64(path.read_bytes())


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def take_home(entry: Entry, target: Path) -> int:
    """Write the page of a generator to `target`; returns its size in bytes.

    Raises UserError if the generator is unreadable or the file can't be written.
    """
    model = Model(entry)
    sliders = saved.read(entry.weights.parent / saved.FILE, model) if entry.kind == "run" else None
    page = webpage(model, short_card(entry), sliders)
    try:
        write_bytes(target, page)
    except OSError as error:
        raise UserError("latent.cannot_write", path=target, reason=error.strerror or error) from error
    return len(page)
