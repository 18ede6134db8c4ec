"""Test what a push to a Space checks, and the push itself, with the real client against a local Hub.

The front matter's version is compared with the floors here. `.ci/run` resolves them, which needs a network.
"""

import json
import re
import subprocess

import pytest
from huggingface_hub import SpaceHardware

from gan.errors import UserError
from gan.mirror.space import floor, front_faults, front_matter, plan, push, version
from tests import ROOT
from tests.fakes.bucket import TOKEN, fake_hub
from tests.support import builder

README = (ROOT / "README.md").read_text(encoding="utf-8")
REQUIREMENTS = (ROOT / "requirements.txt").read_text(encoding="utf-8")


def keys(faults: list[UserError]) -> list[str]:
    return [fault.key for fault in faults]


def test_the_front_matter_fits_the_floors_of_the_requirements():
    assert front_faults(README, REQUIREMENTS) == []
    front = front_matter(README)
    least, found = floor(REQUIREMENTS), version(front["sdk_version"])
    assert least
    assert least <= found < (least[0] + 1,), "the builder pins Gradio to sdk_version, which must be allowed"
    assert front["sdk"] == "gradio"
    assert front["python_version"] == "3.12"
    assert (ROOT / front["app_file"]).is_file()
    # ZeroGPU, the hardware of Spaces that costs nothing; whoever duplicates this one is offered it
    assert front["suggested_hardware"] == SpaceHardware.ZERO_A10G.value
    # These would link repositories of the Hub, and a Space fetches nothing from there: all is bundled.
    assert not re.search(r"^(models|datasets|preload_from_hub):", README, re.MULTILINE)


def test_the_readme_has_at_most_150_lines_and_links_every_list_of_what_was_not_seen():
    assert len(README.splitlines()) <= 150
    lists = {
        path.relative_to(ROOT).as_posix()
        for path in (*ROOT.glob("gan/**/*.md"), *ROOT.glob(".github/*.md"))
        if "not yet seen" in path.read_text(encoding="utf-8").lower()
    }
    assert lists
    for name in lists:
        text = (ROOT / name).read_text(encoding="utf-8")
        anchors = {_anchor(title) for title in re.findall(r"^#+ (.*)", text, re.MULTILINE)}
        linked = set(re.findall(rf"\]\({re.escape(name)}#([\w-]+)\)", README))
        assert linked <= anchors
        assert linked & {_anchor(title) for title in re.findall(r"^#+ (Not yet seen.*)", text, re.MULTILINE)}
        for table in re.findall(
            r"(?<=\| the command that would show it \|\n\|---\|---\|\n)(?:\|.*\n)+", text
        ):
            for row in table.splitlines():
                assert "`" in row.rpartition(" | ")[2] or "the same" in row or "commands of" in row, row


def _anchor(title: str) -> str:
    """Return what GitHub makes of a title."""
    return re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")


def test_no_test_tool_but_pytest_is_installed_into_a_space():
    names = {re.split(r"[\[<>=]", line)[0] for line in REQUIREMENTS.splitlines() if line[:1].isalpha()}
    tools = {"pytest-xdist", "playwright", "hypothesis", "prdc", "onnxruntime", "ruff", "mypy", "hatchling"}
    assert not names & tools


def test_the_builders_line_names_what_the_builder_adds():
    assert builder.line()[0] == "-r"
    assert f"gradio[oauth,mcp]=={front_matter(README)['sdk_version']}" in builder.line()
    assert version(builder.TORCH[-1]) <= version(next(one for one in builder.ADDED if "torch" in one))
    assert not [one for one in builder.ADDED if not re.search("[<>=]=", one)], "what is free may change"


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({}, []),
        ({"torch": "2.13.0+cpu"}, []),
        ({"pydantic": "2.13.1"}, ["pydantic is 2.13.1, and the builder installs 2.12"]),
        ({"pydantic": "2.120"}, ["pydantic is 2.120, and the builder installs 2.12"]),
        ({"spaces": "0.52.0"}, ["spaces is 0.52.0, and the builder installs 0.51.3"]),
        ({"gradio": ""}, ["gradio is , and the builder installs 6.31.0"]),
        ({"torch": "2.11.0"}, ["torch is 2.11.0, and the builder installs 2.13.0"]),
    ],
)
def test_other_versions_than_the_builders_are_a_fault(change, wrong):
    found = {"gradio": "6.31.0", "pydantic": "2.12.5", "spaces": "0.51.3", "torch": "2.13.0", **change}
    assert builder.faults(found, "2.13.0") == wrong


def test_the_builders_line_is_resolved_for_its_python(monkeypatch):
    asked = []

    def run(command, **_):
        asked.extend(command)
        found = {"gradio": "6.31.0", "Pydantic": "2.14.0", "spaces": "0.51.3", "torch": "2.13.0"}
        report = {"install": [{"metadata": {"name": n, "version": v}} for n, v in found.items()]}
        return subprocess.CompletedProcess(command, 0, json.dumps(report).encode())

    monkeypatch.setattr(builder.subprocess, "run", run)
    assert builder.resolve() == 1, "another pydantic would be tested than Spaces have"
    assert asked[asked.index("--python-version") + 1] == front_matter(README)["python_version"]


@pytest.mark.parametrize(
    ("change", "key"),
    [
        (("short_description: ", "short_description: A much longer "), "space.long_line"),
        (("sdk_version: 6.31.0", "sdk_version: 6.30.9"), "space.old_sdk"),
        (("sdk_version: 6.31.0\n", ""), "space.field_missing"),
        (("license: mit\n", ""), "space.field_missing"),
    ],
)
def test_a_front_matter_that_would_be_refused_is_named(change, key):
    assert change[0] in README
    assert key in keys(front_faults(README.replace(*change, 1), REQUIREMENTS))


def test_versions_are_compared_as_numbers():
    assert version("6.9") < version("6.31.0") == version("6.31")
    assert floor("gradio[oauth]>=6.31,<7  # x") == (6, 31)
    assert floor("gradio") == ()


@pytest.fixture
def checkout(tmp_path):
    """A small checkout with a test, an ignored file and one that is not tracked."""
    for name, text in {
        "README.md": README, "requirements.txt": REQUIREMENTS, "app.py": "print()", "gan/x[1].py": "x = 1",
        "tests/test_x.py": "x", ".ci/run": "x", ".gitignore": "runs/\n", "runs/a": "secret", "new.txt": "x",
    }.items():  # fmt: skip
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    git = ["git", "-C", str(tmp_path), "-c", "user.name=x", "-c", "user.email=x@example.org"]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "add", ".", ":!new.txt"], check=True)
    subprocess.run([*git, "commit", "-qm", "x"], check=True)
    return tmp_path


def test_a_plan_holds_what_git_tracks_without_tests(checkout):
    found = plan(checkout)
    assert found.files == [".gitignore", "README.md", "app.py", "gan/x[1].py", "requirements.txt"]
    assert found.left_out == ["new.txt"]
    assert found.changed == []
    assert found.faults == []
    (checkout / "app.py").write_text("print(2)")
    (checkout / "gan" / "x[1].py").unlink()
    again = plan(checkout)
    assert again.changed == ["app.py"]
    assert again.left_out == ["gan/x[1].py", "new.txt"]


def test_what_the_hub_refuses_is_named_before_anything_is_sent(checkout, tmp_path_factory):
    (checkout / "gan" / "x[1].py").write_bytes(b"x" * (10 * 2**20 + 1))
    assert keys(plan(checkout).faults) == ["space.large_text"]
    (checkout / "gan" / "x[1].py").write_bytes(b"\0" * (10 * 2**20 + 1))
    assert plan(checkout).faults == [], "a binary file goes through Xet"
    (checkout / "app.py").unlink()
    assert keys(plan(checkout).faults) == ["space.not_there"]
    with pytest.raises(UserError) as refused:
        plan(tmp_path_factory.mktemp("no-checkout"))
    assert refused.value.key == "space.no_git"


def test_a_push_creates_the_space_and_uploads_exactly_the_plan(checkout, monkeypatch):
    with fake_hub(monkeypatch) as hub:
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        hub.files["space:me/gan"]["old.py"] = b"of an earlier push"
        told: list[str] = []
        found = plan(checkout)
        address = push(found, "me/gan", True, None, told.append)
        assert address == f"{hub.url}/spaces/me/gan"
        created = hub.created["space:me/gan"]
        assert created["sdk"] == "gradio"
        assert created.get("private") is True or created.get("visibility") == "private"
        assert sorted(hub.files["space:me/gan"]) == found.files
        assert hub.files["space:me/gan"]["README.md"].decode() == README
        assert "5 files" in told[0]
        for refusal, key in {
            401: "mirror.not_signed_in",
            403: "mirror.forbidden",
            429: "mirror.too_often",
        }.items():
            hub.refuse = refusal
            with pytest.raises(UserError) as refused:
                push(found, "me/gan", False, None, told.append)
            assert refused.value.key == key
    with pytest.raises(UserError) as refused:
        push(found, "no-owner", False, None, print)
    assert refused.value.key == "space.bad_name"
