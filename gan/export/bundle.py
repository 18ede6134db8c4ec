"""Bundle JavaScript modules into one script.

Browsers refuse to load modules for a page that is opened from a disk (file://).
"""

import re
from pathlib import Path

_IMPORT = re.compile(
    r'^import (?:\{(?P<names>[^}]*)\} from )?"(?P<place>\./[^"]+|\.\./[^"]+)";\n', re.MULTILINE
)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function\*?|class|const|let) (?P<name>\w+))", re.MULTILINE)
_LIST = re.compile(r"\bexport ?\{(?P<names>[^}]*)\};?")
_LEFT = re.compile(r"^(?:export\b|import\b(?! ?\(|\.)).*", re.MULTILINE)


def bundle(entry: Path) -> str:
    """Bundle the module at `entry` and its imports, in the order of their dependencies.

    Each module becomes a function that returns its exports. The bundler supports only what our modules and
    the vendored ones use. These are named imports by relative path, one on a line, exported declarations, and
    lists of names. Dynamic imports (`import()`) stay unchanged.

    Raises ValueError for any other form, for circular imports, and for text that would end the script
    element.
    """
    written: dict[Path, str] = {}  # module -> the variable that holds its exports
    parts: list[str] = []

    def add(path: Path, importing: tuple[Path, ...]) -> str:
        if path in importing:
            raise ValueError(f"{path.name} imports itself by way of others")
        if path not in written:
            source = _IMPORT.sub(
                lambda found: _taken(
                    found["names"], add((path.parent / found["place"]).resolve(), (*importing, path))
                ),
                path.read_text(encoding="utf-8"),
            )
            name = written[path] = f"module{len(written)}"
            parts.append(_wrapped(name, path, source))
        return written[path]

    add(entry.resolve(), ())
    script = "".join(parts)
    if re.search("</script|<!--", script, re.IGNORECASE):
        raise ValueError("a script can't hold what ends it")
    return script


def _taken(names: str | None, module: str) -> str:
    """The line that binds imported names from a module's exports; "" for an import without names."""
    return f"const {{{names.replace(' as ', ': ')}}} = {module};\n" if names else ""


def _wrapped(name: str, path: Path, source: str) -> str:
    exports = {found["name"]: found["name"] for found in _EXPORT.finditer(source)}
    for found in _LIST.finditer(source):
        pairs = [pair.split(" as ") for pair in found["names"].split(",") if pair.strip()]
        exports |= {pair[-1].strip(): pair[0].strip() for pair in pairs}
    body = _LIST.sub("", _EXPORT.sub("", source))
    left = _LEFT.search(body)
    if left:
        raise ValueError(f"{path.name}: {left[0][:80]}")
    given = ", ".join(f"{outside}: {inside}" for outside, inside in exports.items())
    return f"// {path.name}\nconst {name} = (() => {{\n{body}\nreturn {{ {given} }};\n}})();\n\n"
