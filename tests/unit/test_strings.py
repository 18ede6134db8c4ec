"""Test the page's texts: every name exists, and no language has extra texts.

A missing text falls back to English, and a test lists the missing ones.
"""

import json
import re
import string
import warnings

import pytest

from gan.data.registry import BUNDLED, DOWNLOADS
from gan.kinds.points.recipes import NAMES as POINT_SETS
from gan.runs.store import STATES
from gan.ui import strings
from gan.ui.server.requests.http import STATIC
from gan.ui.train import fields
from tests import ROOT

FOLDER = ROOT / "gan" / "web" / "strings"
NAMED = re.compile(r"""(?:\bt\(|known\(|i18n\(|text=)["']([a-z_]+\.[a-z_.0-9-]+)["']""")


def gaps(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("lang", [lang for lang in strings.LANGUAGES if lang != "en"])
def test_a_language_holds_no_texts_of_its_own_and_the_same_gaps(lang):
    english, other = strings.table("en"), strings._files(lang)
    assert set(other) <= set(english)
    assert {key: gaps(text) for key, text in other.items()} == {key: gaps(english[key]) for key in other}
    missing = sorted(set(english) - set(other))
    if missing:  # whoever adds a setting need not write Chinese, so the test lists the missing texts
        warnings.warn(
            f"{len(missing)} texts fall back to English in {lang}: {', '.join(missing)}", stacklevel=1
        )


def test_a_text_that_a_language_lacks_is_english(monkeypatch):
    files = strings._files
    monkeypatch.setattr(
        strings,
        "_files",
        lambda lang: {key: text for key, text in files(lang).items() if (lang, key) != ("zh", "tab.train")},
    )
    strings.table.cache_clear()
    try:
        assert strings.text("zh", "tab.train") == strings.text("en", "tab.train") == "Train"
        assert set(strings.table("zh")) == set(strings.table("en")), "the page is sent them all"
    finally:
        strings.table.cache_clear()


@pytest.mark.parametrize("lang", strings.LANGUAGES)
def test_no_key_stands_in_two_files_and_no_text_is_empty(lang):
    seen: dict[str, str] = {}
    for path in sorted((FOLDER / lang).glob("*.json")):
        for key, text in json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=list):
            assert key not in seen, f"{key} is in {seen.get(key)} and {path.name}"
            assert text.strip()
            seen[key] = path.name


def test_every_text_that_the_page_names_exists():
    sources = [
        path for path in [*STATIC.rglob("*.js"), *FOLDER.parent.rglob("*.py")] if "vendor" not in path.parts
    ]
    named = {(key, path.name) for path in sources for key in NAMED.findall(path.read_text(encoding="utf-8"))}
    assert len(named) > 50
    assert [pair for pair in sorted(named) if pair[0] not in strings.table("en")] == []


def test_every_entry_of_a_registry_has_its_name():
    keys = [f"data.{name}" for name in (*BUNDLED, *DOWNLOADS)]
    keys += [f"state.{name}" for name in (*STATES, "damaged")]
    keys += [f"data.{name}" for name in POINT_SETS]
    for part in fields.PARTS.values():
        keys += [f"recipe.{name}{end}" for name in part.recipes for end in ("", ".line")]
        keys += [f"field.{name}" for name in part.names()]
        keys += [f"train.group_{group}" for group in part.order()]
    assert [key for key in keys if key not in strings.table("en")] == []


def test_text_fills_gaps_and_falls_back_to_english():
    assert (
        strings.text("en", "error.runs.unknown", id="7")
        == "There is no run called “7”. Choose one from the list of runs."
    )
    assert (
        "7"
        in strings.text("zh", "error.runs.unknown", id="7")
        != strings.text("en", "error.runs.unknown", id="7")
    )
    assert strings.text("fr", "tab.train") == "Train"
    with pytest.raises(KeyError):
        strings.text("en", "no.such.text")


@pytest.mark.parametrize(
    ("header", "lang"),
    [("zh-TW,en;q=0.8", "zh"), ("de,en;q=0.7,zh;q=0.3", "en"), ("de", "en"), (None, "en"), ("", "en")],
)
def test_language_of_a_header(header, lang):
    assert strings.pick_language(header) == lang
