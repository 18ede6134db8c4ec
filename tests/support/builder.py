"""Try GANarium with the versions that the builder of Hugging Face Spaces installs.

  python -m tests.support.builder resolve             resolve the builder's line; exit status 1 on a conflict
  python -m tests.support.builder try --torch 2.13.0  install it in a second environment, and test there

The builder installs requirements.txt, Gradio with two extras at the front matter's `sdk_version`, and some
packages of its own, all in one resolution. Both commands need the internet. Both fail where other versions
come than those of the builder.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from gan.mirror.space import front_matter
from tests import ROOT

SPACES, NEWEST_TORCH = "0.51.3", "2.13.0"
# What the builder adds, by public build logs of Spaces. On ZeroGPU it also pins spaces and caps torch.
ADDED = ("uvicorn>=0.14.0", "websockets>=10.4", f"spaces=={SPACES}", f"torch<={NEWEST_TORCH}")
PYDANTIC = "2.12"  # Gradio's extra for MCP caps it
TORCH = ("2.11.0", NEWEST_TORCH)  # the oldest and the newest that the builder installs today
# pyproject.toml gives pytest its options, and one test compares scores with prdc. What serves a page to tests
# imports playwright; no browser starts.
TOOLS = ("pytest-xdist>=3.6,<4", "prdc>=0.2,<1", "playwright>=1.50,<2")
# The engine, and one smoke test of the page: its server answers, and the page's files are there.
TESTS = (
    "tests/unit/train", "tests/unit/models", "tests/unit/metrics", "tests/unit/export", "tests/unit/points",
    "tests/server/test_app.py",
)  # fmt: skip
# These need packages that a Space has not, or measure this machine.
LEFT_OUT = (
    "tests/unit/train/test_memory.py",
    "tests/unit/export/test_onnx.py",
    "tests/unit/export/test_film.py",
    "tests/unit/export/test_track.py",
)


def _front() -> dict[str, str]:
    return front_matter((ROOT / "README.md").read_text(encoding="utf-8"))


def line() -> list[str]:
    """Return pip's arguments, as the builder gives them."""
    return ["-r", str(ROOT / "requirements.txt"), f"gradio[oauth,mcp]=={_front()['sdk_version']}", *ADDED]


def faults(found: Mapping[str, str], torch: str) -> list[str]:
    """Return what differs from the builder's versions. found: package -> version. torch: its version."""
    wanted = {"gradio": _front()["sdk_version"], "pydantic": PYDANTIC, "spaces": SPACES, "torch": torch}
    return [
        f"{name} is {found.get(name, 'missing')}, and the builder installs {version}"
        for name, version in wanted.items()
        if not f"{found.get(name, '').partition('+')[0]}.".startswith(f"{version}.")
    ]


def resolve() -> int:
    """Resolve the builder's line for its Python, without installing anything. Returns the exit status."""
    options = ("install", "--dry-run", "--ignore-installed", "--quiet", "--report", "-")
    # pip resolves for another Python only from wheels, and with a folder in which it would install them.
    python = ("--python-version", _front()["python_version"], "--only-binary", ":all:", "--target", "none")
    answer = subprocess.run(
        [sys.executable, "-m", "pip", *options, *python, *line()], check=False, stdout=subprocess.PIPE
    )
    if answer.returncode:
        return answer.returncode
    packages = [one["metadata"] for one in json.loads(answer.stdout)["install"]]
    return _told(faults({one["name"].lower(): one["version"] for one in packages}, NEWEST_TORCH))


def attempt(torch: str, place: Path, tests: Sequence[str]) -> int:
    """Install the builder's line with one version of torch, and run tests there. Returns their status.

    It uses the builder's Python where this machine has it.
    """
    python = place / "bin" / "python"
    if not python.exists():
        subprocess.run([_python(), "-m", "venv", str(place)], check=True)
    pip = [str(python), "-m", "pip"]
    # The builder takes all from the index. A local wheel of torch need not fit torchvision from there. This
    # folder has no wheels, and replaces one that pip's configuration names.
    from_index = {**os.environ, "PIP_FIND_LINKS": str(place / "bin")}
    wanted = [*line(), f"torch=={torch}", *TOOLS]
    subprocess.run([*pip, "install", "--quiet", *wanted], check=True, env=from_index)
    listed = subprocess.run([*pip, "list", "--format", "json"], check=True, stdout=subprocess.PIPE)
    found = {one["name"].lower(): one["version"] for one in json.loads(listed.stdout)}
    subprocess.run([str(python), "--version"], check=True)
    print(*(f"{name} {found.get(name)}" for name in ("torch", "pydantic", "gradio", "spaces")), flush=True)
    if wrong := faults(found, torch):
        return _told(wrong)
    left_out = [f"--ignore={name}" for name in LEFT_OUT]
    command = [str(python), "-m", "pytest", "-n", "0", "-q", *left_out, *tests]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


def _python() -> str:
    """Return the builder's Python, or this one where the machine lacks it. A shim of pyenv is no Python."""
    own = shutil.which(f"python{_front()['python_version']}")
    works = own and subprocess.run([own, "--version"], check=False, capture_output=True).returncode == 0
    return own if own and works else sys.executable


def _told(wrong: Sequence[str]) -> int:
    """Print faults, and return the exit status."""
    print(*wrong, sep="\n", end="\n" * bool(wrong))
    return 1 if wrong else 0


def main(words: Sequence[str] | None = None) -> int:
    """Run the command. Returns the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("resolve", help="resolve the builder's line")
    trying = commands.add_parser("try", help="install it, and run tests there")
    trying.add_argument("--torch", default=TORCH[-1], help=f"one of {', '.join(TORCH)}, or another version")
    trying.add_argument("--at", type=Path, help="the environment (default: one for each version, in /tmp)")
    trying.add_argument("tests", nargs="*", default=list(TESTS), help="default: the engine's, and the page's")
    options = parser.parse_args(words)
    if options.command == "resolve":
        return resolve()
    place = options.at or Path(f"/tmp/ganarium-builder-{options.torch}")
    return attempt(options.torch, place, options.tests)


if __name__ == "__main__":
    sys.exit(main())
