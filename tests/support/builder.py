"""Try GANarium with the versions that the builder of Hugging Face Spaces installs.

  python -m tests.support.builder resolve             resolve the builder's line; exit status 1 on a conflict
  python -m tests.support.builder try --torch 2.13.0  install it in a second environment, and test there

The builder installs requirements.txt, Gradio with two extras at the front matter's `sdk_version`, and some
packages of its own, all in one resolution. Both commands need the internet.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from gan.space import front_matter
from tests import ROOT

# What the builder adds, by public build logs of Spaces. On ZeroGPU it also caps torch.
ADDED = ("uvicorn>=0.14.0", "websockets>=10.4", "spaces", "torch<=2.13.0")
TORCH = ("2.11.0", "2.13.0")  # the oldest and the newest that the builder installs today
TOOLS = ("pytest-xdist>=3.6,<4",)  # pyproject.toml gives pytest its options
# The engine, and one smoke test of the page: its server answers, and the page's files are there.
TESTS = (
    "tests/unit/train", "tests/unit/models", "tests/unit/metrics", "tests/unit/export", "tests/unit/points",
    "tests/server/test_app.py",
)  # fmt: skip
# These need packages that a Space has not, or measure this machine.
LEFT_OUT = ("tests/unit/train/test_memory.py", "tests/unit/export/test_onnx.py")


def line() -> list[str]:
    """Return pip's arguments, as the builder gives them."""
    version = front_matter((ROOT / "README.md").read_text(encoding="utf-8"))["sdk_version"]
    return ["-r", str(ROOT / "requirements.txt"), f"gradio[oauth,mcp]=={version}", *ADDED]


def resolve() -> int:
    """Resolve the builder's line without installing anything. Returns pip's exit status."""
    options = ("install", "--dry-run", "--ignore-installed", "--quiet")
    return subprocess.run([sys.executable, "-m", "pip", *options, *line()], check=False).returncode


def attempt(torch: str, place: Path, tests: Sequence[str]) -> int:
    """Install the builder's line with one version of torch, and run tests there. Returns their status."""
    python = place / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(place)], check=True)
    wanted = [*line(), f"torch=={torch}", *TOOLS]
    subprocess.run([str(python), "-m", "pip", "install", "--quiet", *wanted], check=True)
    seen = "import torch, pydantic, gradio; print(torch.__version__, pydantic.VERSION, gradio.__version__)"
    subprocess.run([str(python), "-c", seen], check=True)
    left_out = [f"--ignore={name}" for name in LEFT_OUT]
    command = [str(python), "-m", "pytest", "-n", "0", "-q", *left_out, *tests]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


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
