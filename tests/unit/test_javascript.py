"""Test the page's JavaScript: types, lint, format, and the tests of its pure modules. Never skipped."""

import shutil
import subprocess

import pytest

from tests import ROOT

MISSING = "{} is missing: install node 18 or later, and run `npm ci` in the root of the repository"


def run(script: str) -> None:
    """Run a script of package.json. Its output is the message of a failure."""
    npm = shutil.which("npm")
    if not npm or not shutil.which("node"):
        pytest.fail(MISSING.format("node or npm"))
    if not (ROOT / "node_modules" / "typescript").is_dir():
        pytest.fail(MISSING.format("node_modules"))
    # Not text=True, because a report is UTF-8 wherever the tests run.
    done = subprocess.run([npm, "run", "--silent", script], cwd=ROOT, capture_output=True, timeout=600)
    if done.returncode:
        pytest.fail((done.stdout + done.stderr).decode(errors="replace"), pytrace=False)


def test_types():
    run("check")


def test_lint():
    run("lint")


def test_format():
    run("format")


def test_pure_modules():
    run("test")


def test_nothing_is_silenced():
    """No module switches the types off, and each exception gives its reason."""
    for path in [*(ROOT / "gan" / "web").rglob("*.js"), *(ROOT / "tests" / "web").glob("*.js")]:
        if "vendor" in path.parts:
            continue
        for line in path.read_text(encoding="utf-8").splitlines():
            assert "@ts-nocheck" not in line, path
            assert "@ts-ignore" not in line, path
            _, found, reason = line.partition("@ts-expect-error")
            assert not found or len(reason.strip()) > 10, f"{path}: {line.strip()}"
