"""Test the engine as a whole: it knows no web page, starts quickly, and touches no GPU during imports.

One more test is about the tests: only page objects name parts of the Explore tab.
"""

import ast
import functools
import importlib
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests import ROOT

# Each may import those before it.
ROOMS = [
    "errors", "files", "console", "provenance", "images", "device", "objectives", "config", "recipes", "spec",
    "data", "models", "metrics", "train", "kinds", "worker", "runs", "latent", "export", "hub",
    "mirror", "ui", "cli", "library",
]  # fmt: skip


def modules() -> list[str]:
    """Return the dotted names of all engine modules, without gan.ui and command lines."""
    paths = [
        path
        for path in (ROOT / "gan").rglob("*.py")
        if path.relative_to(ROOT / "gan").parts[0] not in ("ui", "cli")
    ]
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in sorted(paths)]
    return [name.removesuffix(".__init__") for name in names if not name.endswith("__main__")]


def ask(code: str):
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_every_engine_module_imports_without_gradio_torchvision_or_a_gpu():
    names = modules()
    assert len(names) > 30
    code = f"""
import importlib, json, sys
for name in {names!r}:
    importlib.import_module(name)
import torch
print(json.dumps([sorted(m for m in ("gradio", "torchvision", "starlette") if m in sys.modules), torch.cuda.is_initialized()]))
"""  # noqa: E501
    assert ask(code) == [[], False]


def test_what_the_server_imports_at_its_start_has_no_torch():
    code = """
import json, sys
import gan.config, gan.data, gan.device, gan.errors, gan.files, gan.runs.store, gan.runs.supervisor, gan.kinds.images, gan.kinds.points, gan.latent.serving.model_cache, gan.worker.health
gan.data.catalogue()
print(json.dumps([m for m in ("torch", "torchvision", "gradio") if m in sys.modules]))
"""  # noqa: E501
    assert ask(code) == []


def test_a_generator_is_read_without_torchs_compiler(tmp_path):
    """The compiler takes 2 s of a core to import, in each process that samples, exports or serves."""
    code = f"""
import json, sys
from pathlib import Path
from gan.models import ARCHITECTURES, ModelSpec, build_generator, load_generator, save_generator
path = Path({str(tmp_path)!r}, "model.safetensors")
for architecture in ARCHITECTURES:
    for classes, clusters in (0, 1), (3, 1), (3, 4):
        spec = ModelSpec(architecture, 64, 3, 16, 8, classes, clusters=clusters)
        save_generator(path, build_generator(spec), spec)
        load_generator(path)
print(json.dumps([name for name in ("torch._dynamo", "sympy") if name in sys.modules]))
"""
    assert ask(code) == []


@functools.cache
def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_those_below_it(room):
    above = set(ROOMS[ROOMS.index(room) + 1 :])
    folder = ROOT / "gan" / room
    for path in folder.rglob("*.py") if folder.is_dir() else [folder.with_suffix(".py")]:
        if path.parent.name == "build":  # build scripts made the bundled files, and no module imports them
            continue
        rooms = {name.split(".")[1] for name in imports(path) if name.startswith("gan.")}
        assert not rooms & above, f"{path} imports {rooms & above}"


def test_every_module_lies_in_a_room_of_the_list():
    tops = {
        path.relative_to(ROOT / "gan").parts[0].removesuffix(".py") for path in (ROOT / "gan").rglob("*.py")
    }
    assert tops - {"__init__", "__main__"} == set(ROOMS)


def test_no_import_goes_round_in_a_circle():
    """Return the imports at the top of modules. Imports inside functions run later."""
    files = {
        path: ".".join(path.relative_to(ROOT).with_suffix("").parts) for path in (ROOT / "gan").rglob("*.py")
    }
    names = {name.removesuffix(".__init__"): path for path, name in files.items()}
    graph = {}
    for name, path in names.items():
        top = ast.Module(list(ast.parse(path.read_text(encoding="utf-8")).body), [])
        found = set()
        for node in top.body:
            if isinstance(node, ast.ImportFrom) and node.module:
                found |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
        graph[name] = {
            each for each in found & set(names) if each != name and not name.startswith(each + ".")
        }
    done: set[str] = set()

    def visit(name: str, way: tuple[str, ...]) -> None:
        assert name not in way, " -> ".join([*way[way.index(name) :], name])
        if name not in done:
            for each in graph[name]:
                visit(each, (*way, name))
            done.add(name)

    for name in graph:
        visit(name, ())


FILES = {"web": "export"}  # a folder without modules -> the lowest folder that may read it


def test_a_room_reads_only_files_of_rooms_below_it():
    """The test reads constants of modules that are paths inside the package."""
    names = [name for name in modules() if "build" not in name.split(".")]
    # zero imports `spaces`, which only ZeroGPU needs
    others = ("__init__", "zero")
    names += [f"gan.ui.{path.stem}" for path in (ROOT / "gan" / "ui").glob("*.py") if path.stem not in others]
    for path in (ROOT / "gan" / "ui" / "server").rglob("[a-z]*.py"):
        names.append(".".join(path.relative_to(ROOT).with_suffix("").parts))
    places = [
        (name, value)
        for name in names
        for value in vars(importlib.import_module(name)).values()
        if isinstance(value, Path)
    ]
    assert len(places) > 5
    for name, inside in places:
        if not inside.is_relative_to(ROOT / "gan") or inside == ROOT / "gan":
            continue
        room = inside.relative_to(ROOT / "gan").parts[0]
        reader = name.split(".")[1]
        allowed = ROOMS.index(FILES.get(room, room))
        assert ROOMS.index(reader) >= allowed, f"{name} reads {inside}"


def test_no_pickle_in_the_product():
    for path in [ROOT / "app.py", *(ROOT / "gan").rglob("*.py")]:
        assert not {"pickle", "dill", "joblib", "cloudpickle"} & {
            name.split(".")[0] for name in imports(path)
        }, path
        source = path.read_text(encoding="utf-8")
        if path.name == "efficientnet.py":  # a package's file, whose digest the module checks first
            source = source.replace(
                'torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)', ""
            )
        assert "torch.load(" not in source, path
        assert "allow_pickle" not in source, path


def test_only_the_downloads_import_torchvision():
    users = {
        path.name
        for path in (ROOT / "gan").rglob("*.py")
        if any(name.split(".")[0] == "torchvision" for name in imports(path))
    }
    assert users <= {"downloads.py"}


def test_error_sentences_are_sentences():
    from gan.errors import MESSAGES

    for key, text in MESSAGES.items():
        assert text.rstrip().endswith((".", "}")), key
        assert text[0].isupper() or text[0] in "“{", key


def test_a_group_of_error_sentences_lies_in_one_module():
    from gan import errors

    groups: dict[str, str] = {}
    for path in (ROOT / "gan" / "errors").glob("[a-z]*.py"):
        for key in importlib.import_module(f"gan.errors.{path.stem}").MESSAGES:
            assert groups.setdefault(key.split(".")[0], path.stem) == path.stem, key
            assert key in errors.MESSAGES


PRIVATE = re.compile(r"\bxp-|\bgan-(?=explorer\b)")  # a class or id of the Explore tab, or its element


def test_only_page_objects_name_parts_of_the_explore_tab():
    """Another layout of the page then changes a page object, and no test."""
    objects = ROOT / "tests" / "support" / "page"
    paths = list((ROOT / "tests").rglob("*.py"))
    assert len(paths) > 100
    named = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in paths
        if not path.is_relative_to(objects)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if PRIVATE.search(line)
    ]
    assert named == []
