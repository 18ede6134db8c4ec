"""Test that every command does what its name says, and that other modules name the command to use instead."""

import re
import subprocess
import sys

import onnx
import pytest

from gan.cli.commands import COMMANDS, GUARD, INSTEAD, instead, refuse_parts
from gan.cli.export import main as export
from gan.cli.sample import main as draw
from gan.cli.score import main as score
from gan.errors import UserError
from gan.files import write_json
from gan.latent.catalogue import find
from gan.recipes import make_config
from gan.worker.mistakes import status_error
from gan.worker.run_dir import RunDir
from tests import ROOT
from tests.support.inputs.generators import tiny_spec, write_checkpoint
from tests.support.processes import forked

SLOW = 120


def modules() -> dict[str, bool]:
    """Return the dotted name of every module and package of gan, and whether it is a command."""
    found = {}
    for path in sorted((ROOT / "gan").rglob("*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        guarded = GUARD in path.read_text(encoding="utf-8")
        if path.name == "__main__.py":
            found[name.removesuffix(".__main__")] = guarded
        elif path.name == "__init__.py":
            found.setdefault(name.removesuffix(".__init__"), False)
        else:
            found[name] = guarded
    return found


def run(*arguments: str, **options) -> subprocess.CompletedProcess:
    command = [sys.executable, *arguments]
    return subprocess.run(
        command,
        cwd=ROOT,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=SLOW,
        check=False,
        **options,
    )


def test_every_module_that_is_no_command_says_so(capsys):
    parts = [name for name, command in modules().items() if not command]
    assert len(parts) > 90
    for name in parts:
        with pytest.raises(SystemExit) as ended:
            refuse_parts(["python", "-m", name])
        assert ended.value.code == 2
        said = capsys.readouterr()
        assert (said.out, said.err) == ("", instead(name) + "\n")
        assert re.search(r"python -m gan|python app\.py", said.err), name
    for name in set(modules()) - set(parts):
        refuse_parts(["python", "-m", name])


@pytest.mark.parametrize("name", ["gan.export.card", "gan.export", "gan.worker.worker", "gan.ui.page"])
def test_a_part_that_is_run_ends_with_that_sentence(name):
    done = run("-m", name)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", instead(name) + "\n")


@pytest.mark.parametrize("name", [name for name, command in modules().items() if command])
def test_every_command_says_what_it_does(name):
    done = forked.run("--help", module=name)
    output = done.stderr if name == "gan.cli.film" else done.stdout  # only the page uses this command
    assert len(output) > 60, done
    assert "Traceback" not in done.stderr
    assert done.returncode == (2 if name == "gan.cli.film" else 0)


def test_all_that_is_named_exists():
    every = modules()
    for _, text in INSTEAD.values():
        for name, command in re.findall(r"-m (gan(?:\.\w+)*) ?(\w*)", text):
            assert every.get(name), text
            assert name != "gan" or not command or command in COMMANDS, text
    assert set(INSTEAD) <= {*every, "gan.web"}


def test_the_list_of_commands():
    done = run("-m", "gan", "--help")
    assert done.returncode == 0
    assert all(
        f"python -m gan {example}" in done.stdout
        for command in COMMANDS.values()
        for example in command.examples
    )
    assert run("-m", "gan", "help").stdout == done.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_of_the_list_says_what_it_does(name):
    done = run("-m", "gan", name, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"python -m gan {name}" in done.stdout


def test_an_unknown_command_is_told_in_a_sentence():
    done = run("-m", "gan", "trian")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"There is no command “trian”. Choose one of: {', '.join(COMMANDS)}.\n"


def test_without_a_command_the_page_is_meant():
    done = run("-m", "gan", "--port", "nonsense")
    assert done.returncode == 2
    assert "argument --port" in done.stderr


@pytest.mark.parametrize(
    "flags",
    [
        ["-um", "gan.latent.generator"],
        ["-mgan.latent.generator"],
        ["-X", "utf8", "-m", "gan.latent.generator"],
    ],
)
def test_however_python_is_told_to_run_it(flags):
    done = run(*flags)
    assert (done.returncode, done.stderr) == (2, instead("gan.latent.generator") + "\n")


def test_whoever_imports_a_part_is_left_alone():
    assert run("-c", "import gan.config; print('fine')").stdout == "fine\n"
    assert "No module named gan.nothing" in run("-m", "gan.nothing").stderr
    other = run("-m", "timeit", "-n", "1", "-r", "1", "import gan.latent.point")
    assert other.returncode == 0, other.stderr


def test_the_onnx_command_writes_a_model(tmp_path):
    write_checkpoint(tmp_path, "mine", tiny_spec(3), title="Mine", classes=["zero", "one", "two"])
    done = forked.run("export", "onnx", tmp_path / "mine", tmp_path / "out.onnx")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{tmp_path / 'out.onnx'}: ")
    model = onnx.load(tmp_path / "out.onnx")
    onnx.checker.check_model(model)
    facts = {entry.key: entry.value for entry in model.metadata_props}
    assert (facts["title"], facts["classes"]) == ("Mine", "zero, one, two")
    assert export(["onnx", str(tmp_path / "nowhere"), str(tmp_path / "x.onnx")]) == 2
    assert export(["onnx", str(tmp_path / "mine"), "/proc/nowhere/x.onnx"]) == 2


REASON = str(UserError("data.too_few", path="/mnt/x/pics", usable=1, skipped=3, examples=""))


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (
            {
                "state": "failed",
                "error": status_error(
                    UserError("data.too_few", path="/mnt/x/pics", usable=1, skipped=3, examples="")
                ),
            },
            f"failed: {REASON}",
        ),
        (
            {"state": "failed", "error": status_error(ZeroDivisionError("division by zero"))},
            "failed: This is a defect of GANarium",
        ),
        ({"state": "queued"}, "waits in the queue"),
        ({"state": "paused"}, "was paused before its first sample"),
        ({"state": "stopped"}, "was stopped before its first sample"),
        ({"state": "starting"}, "has no samples yet"),
        ({"state": "finished", "step": 40}, "live.safetensors"),
        (None, "was never started"),
    ],
)
def test_a_run_without_pictures_says_why(status, words, tmp_path, capsys):
    from gan.recipes import make_config

    folder = tmp_path / "run"
    write_json(folder / "config.json", make_config("digits").to_json())
    if status:
        write_json(folder / "status.json", {**RunDir(folder).status, **status})
    commands = [(draw, ["--out", str(tmp_path / "grid.png")]), (score, []),
        (export, ["webpage", str(tmp_path / "page.html")]),
                (export, ["onnx", str(tmp_path / "x.onnx")])]  # fmt: skip
    for command, more in commands:
        assert (
            command([*more[:1], str(folder), *more[1:]] if command is export else [str(folder), *more]) == 2
        )
        said = capsys.readouterr().err
        assert words in said
        assert said.count("\n") == 1
    assert export(["checkpoint", str(folder), str(tmp_path / "checkpoint")]) == 2
    said = capsys.readouterr().err
    assert words in said or (status and status["state"] in said) or "live.safetensors" in said
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run"]


def test_what_failed_before_its_first_step_is_told_by_real_commands(tmp_path):
    (tmp_path / "empty").mkdir()
    write_json(tmp_path / "run" / "config.json", make_config(str(tmp_path / "empty")).to_json())
    failed = forked.run("train", tmp_path / "run")
    assert failed.returncode == 2
    for command, more in (
        (["sample"], ["--out", tmp_path / "x.png"]),
        (["export", "checkpoint"], [tmp_path / "x"]),
    ):
        done = forked.run(*command, tmp_path / "run", *more)
        assert done.returncode == 2
        assert f"failed: {failed.stderr.strip()}" in done.stderr


def test_a_run_that_draws_is_found(tmp_path):
    write_checkpoint(tmp_path, "mine", tiny_spec(), title="Mine")
    assert find(str(tmp_path / "mine")).title == "Mine"
