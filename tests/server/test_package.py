"""Test the wheel in an environment without the checkout: the command serves the page, trains and exports."""

import json
import os
import re
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests import ROOT

if sys.version_info >= (3, 11):
    import tomllib
else:
    tomllib = pytest.importorskip("tomli")

SLOW = 300  # seconds
MODELS = {"digits", "emoji", "faces", "fashion", "landscapes"}


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """A folder with the installed wheel, whose dependencies come from this environment."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q"]
    built = [*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, ROOT]
    subprocess.run(built, check=True, timeout=SLOW, cwd=folder)
    [wheel] = folder.glob("ganarium-*.whl")
    subprocess.run(
        [*pip, "install", "--no-deps", "--target", folder / "site", wheel], check=True, timeout=SLOW
    )
    return folder / "site"


@pytest.fixture
def ganarium(installed, tmp_path, monkeypatch):
    """A function that starts the installed command in an empty folder."""
    environment = {**os.environ, "PYTHONPATH": str(installed), "PYTHONSAFEPATH": "1"}
    command = [sys.executable, installed / "bin" / "ganarium"]

    def start(*arguments, **options):
        return subprocess.Popen([*command, *arguments], cwd=tmp_path, env=environment, text=True, **options)

    return start


def finish(process: subprocess.Popen) -> str:
    said, _ = process.communicate(timeout=SLOW)
    assert process.returncode == 0, said
    return said


def test_requirements_are_those_of_the_package():
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    listed = {str(Requirement(line.partition("#")[0].strip())) for line in lines if line}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    runner = {text for text in project["optional-dependencies"]["test"] if Requirement(text).name == "pytest"}
    assert listed == {str(Requirement(text)) for text in {*project["dependencies"], *runner}}


def test_the_package_is_the_installed_one(installed, ganarium, tmp_path):
    code = "import gan; print(gan.__file__)"
    options = {"capture_output": True, "text": True, "check": True, "cwd": tmp_path}
    found = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(installed)}, **options
    )
    assert Path(found.stdout.strip()).is_relative_to(installed)
    assert "python -m gan train" in finish(ganarium("--help", stdout=subprocess.PIPE))


def test_it_trains_and_exports_from_an_empty_folder(ganarium, tmp_path):
    small = ["--width", "8", "--batch", "8", "--kimg", "2.4", "--clusters", "1"]  # 300 steps
    finish(ganarium("train", "--data", "digits", "--out", "run", *small, stdout=subprocess.PIPE))
    status = json.loads((tmp_path / "run" / "status.json").read_text(encoding="utf-8"))
    assert (status["state"], status["step"]) == ("finished", 300)
    finish(ganarium("export", "webpage", "digits", "page.html", stdout=subprocess.PIPE))
    assert "gan-page" in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_it_serves_the_five_models(ganarium, tmp_path):
    server = ganarium("--port", "0", stdout=subprocess.PIPE)
    try:
        address = re.search(r"http://\S+", server.stdout.readline())[0].rstrip("/")
        api = f"{address}/gradio_api/gan"
        with urllib.request.urlopen(f"{api}/models", timeout=SLOW) as answer:
            models = json.load(answer)
        assert {model["id"] for model in models} == {f"shipped:{name}" for name in MODELS}
        for model in models:
            pictures = []
            for seed in (1, 2):
                with urllib.request.urlopen(
                    f"{api}/image?id={model['id']}&seed={seed}", timeout=SLOW
                ) as answer:
                    pictures.append(answer.read())
            assert pictures[0] != pictures[1]
        with urllib.request.urlopen(f"{api}/static/shell/app.js", timeout=SLOW) as answer:
            assert answer.status == 200
        assert (tmp_path / "runs").is_dir()
    finally:
        server.terminate()
        end = time.monotonic() + SLOW
        while server.poll() is None and time.monotonic() < end:
            time.sleep(0.1)
        server.kill()
