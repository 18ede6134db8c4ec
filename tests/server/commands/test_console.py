"""Test commands as processes in difficult terminals and pipes.

Some are not UTF-8, some are closed, and some have no reader.
"""

import io
import json
import os
import subprocess
import sys
import zipfile

import pytest
from PIL import Image

from gan import console, device
from gan.cli import commands
from gan.files import append_line, read_json, read_lines, write_json
from gan.recipes import make_config
from gan.worker.worker import work
from tests import ROOT

COMMANDS = [
    ["app.py"],
    *(["-m", "gan", name] for name in commands.COMMANDS),
    ["-m", "gan.metrics.build.classifier"],
]
C = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
TERMINALS = {
    "cp437": {"PYTHONUTF8": "0", "PYTHONIOENCODING": "cp437"},
    "ascii": C,
    "latin-1": {"PYTHONIOENCODING": "latin-1"},
    "UTF-8": {"PYTHONUTF8": "1"},
}
QUICK = [["-m", "gan", "sample"], ["-m", "gan", "train"]]  # these import little before they answer


def run(command, terminal="UTF-8", shell=None, **options):
    """Run a Python command, and return its finished process.

    `shell` is a shell script in which "$@" is the command.
    """
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in ("PYTHONIOENCODING", "PYTHONUTF8", "LC_ALL", "LANG")
    }
    command = [sys.executable, *map(os.fsencode, command)]
    command = ["bash", "-c", f"set -o pipefail; {shell}", "bash", *command] if shell else command
    return subprocess.run(
        command, cwd=options.pop("cwd", ROOT), env={**environment, "PYTHONPATH": str(ROOT),
            **TERMINALS[terminal]},
        capture_output=True, timeout=300, check=False, **options,
    )  # fmt: skip


def test_every_command_prepares_its_terminal():
    """Some user runs each module with a guard in some terminal.

    The few tests here stand for all of them.
    """
    files = [
        path
        for path in (ROOT / "gan").rglob("[a-z]*.py")
        if commands.GUARD in path.read_text(encoding="utf-8")
    ]
    assert len(files) > 6
    assert [str(path) for path in files if "console.prepare()" not in path.read_text(encoding="utf-8")] == []


HELP = [(command, "cp437") for command in COMMANDS] + [
    (command, terminal) for command in QUICK for terminal in ("ascii", "latin-1")
]


@pytest.mark.parametrize(("command", "terminal"), HELP)
def test_help_is_shown_in_any_terminal(command, terminal):
    done = run([*command, "--help"], terminal)
    assert (done.returncode, done.stderr) == (0, b"")
    shown = done.stdout.decode({"cp437": "cp437", "latin-1": "latin-1"}.get(terminal, "ascii"))
    assert shown.startswith("usage: ")
    assert "?" not in shown.replace("?)", ""), "what is in the help has a plainer form"


# Several commands, divided by "then", in one process: each start would import torch for 2 s of a core.
ONE_BY_ONE = """
import sys
from gan.cli.commands import main
words = sys.argv[1:]
while words:
    end = words.index("then") if "then" in words else len(words)
    if main(words[:end]):
        sys.exit(1)
    words = words[end + 1 :]
"""


def train_on(pictures: str, out: str) -> list[str]:
    """Return a command that trains for five steps on the folder `pictures`."""
    small = ["--size", "28", "--channels", "1", "--batch", "4", "--width", "8", "--kimg", "0.02"]
    return ["train", "--data", pictures, *small, "--out", out]


def draw_images(folder) -> None:
    folder.mkdir(exist_ok=True)
    for shade in range(4):
        Image.new("L", (28, 28), 60 * shade).save(folder / f"{shade}.png")


@pytest.mark.parametrize("terminal", ["cp437", "ascii"])
def test_a_training_ends_well_whatever_its_name_and_its_terminal(terminal, tmp_path):
    draw_images(tmp_path)
    draw = ["sample", "跑 1", "--count", "1", "--out", "一.png"]
    done = run(["-c", ONE_BY_ONE, *train_on(".", "跑 1"), "then", *draw], terminal, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    trained, drawn = done.stdout.splitlines()
    assert trained.endswith(b": finished")
    assert b".png: 1 sample" in drawn
    assert read_json(tmp_path / "跑 1" / "status.json")["state"] == "finished"
    assert (tmp_path / "一.png").exists()


def test_names_that_are_no_text_are_written_read_and_shown(tmp_path):
    """A folder of images and a run whose names are bytes that no encoding knows, as on old disks."""
    pictures, odd, sheet = (os.fsdecode(name) for name in (b"pics\xff", b"run\xe9\xff", b"\xfe.png"))
    draw_images(tmp_path / pictures)
    draw = ["sample", odd, "--out", sheet, "--count", "2"]
    again = ["train", odd]  # which reads its checkpoint
    commands = [*train_on(pictures, odd), "then", *draw, "then", *again]
    done = run(["-c", ONE_BY_ONE, *commands], cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    trained, drawn, trained_again = done.stdout.splitlines()
    assert trained == trained_again == b"run??: finished"
    assert drawn.partition(b":")[0] == b"?.png"
    assert read_json(tmp_path / odd / "config.json")["data"].endswith(pictures)
    assert (tmp_path / sheet).exists()


def test_json_keeps_names_that_are_no_text(tmp_path):
    value = {"data": os.fsdecode(b"/tmp/\xff/\xe7\x8c\xab")}
    write_json(tmp_path / "a.json", value)
    append_line(tmp_path / "a.jsonl", value)
    assert read_json(tmp_path / "a.json") == value
    assert read_lines(tmp_path / "a.jsonl")[0] == [value]
    write_json(tmp_path / "b.json", {"data": "猫"})
    assert "猫" in (tmp_path / "b.json").read_text(encoding="utf-8"), "what is text stays readable"


# It says what it wrote, as every command does, and imports no torch.
PACK = ["-m", "gan", "move", "pack"]
CLOSED = {
    "stdout": '"$@" >&-',
    "stdout and stderr": '"$@" >&- 2>&-',
    "all three": '"$@" <&- >&- 2>&-',
    "a reader that leaves": '"$@" | true',
}


@pytest.fixture(scope="module")
def paused(tmp_path_factory):
    """A run that can be packed."""
    path = tmp_path_factory.mktemp("paused") / "run"
    small = {"width": 8, "z_dim": 8, "batch": 4, "kimg": 1.0}
    write_json(path / "config.json", make_config("digits", size=28, channels=1, **small).to_json())
    write_json(path / "commands" / "1-pause.json", {"command": "pause"})
    assert work(path) == "paused"
    return path


@pytest.mark.parametrize("shell", CLOSED.values(), ids=CLOSED)
def test_what_nobody_reads_stops_nothing(shell, paused, tmp_path):
    packed = tmp_path / "跑.zip"
    done = run([*PACK, paused, packed], shell=shell)
    assert (done.returncode, done.stderr) == (0, b"")
    with zipfile.ZipFile(packed) as archive:
        assert archive.testzip() is None, "nothing of it got into the file that was written meanwhile"


def test_a_command_with_torch_needs_no_terminal_either(tmp_path):
    picture = tmp_path / "跑.png"
    done = run(["-m", "gan", "sample", "digits", "--count", "1", "--out", picture], shell=CLOSED["all three"])
    assert (done.returncode, done.stderr) == (0, b"")
    with Image.open(picture) as opened:
        assert opened.size == (28, 28)


PRINTING = """
import sys
from gan import console
console.prepare()
for number in range(20_000):
    print("line", number)
print("done", file=sys.stderr)
"""


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_that_has_seen_enough_ends_no_command(unbuffered):
    done = run(["-c", PRINTING], shell=f'PYTHONUNBUFFERED={unbuffered} "$@" | head -n 1')
    assert (done.returncode, done.stdout, done.stderr) == (0, b"line 0\n", b"done\n")


def test_a_full_disk_behind_the_output_is_no_success():
    assert run(["-c", PRINTING], shell='"$@" >/dev/full').returncode != 0


def test_mistakes_are_sentences_in_plain_characters():
    done = run(["-m", "gan", "sample", "猫"], "ascii")
    assert done.returncode == 2
    assert done.stderr.startswith(b'"???" is neither a run')


WRITTEN = r"""
import sys
from gan import console
console.prepare()
console.prepare()
sys.stdout.buffer.write(bytes(range(256)))
sys.stdout.flush()
print("\u201c\u732b\u201d\u2026\xd7\udcff", flush=True)
print("\u201c\u732b\u201d\u2026\xd7\udcff", file=sys.stderr)
"""


@pytest.mark.parametrize(
    ("terminal", "shown"),
    [("ascii", b'"?"...x?\n'), ("UTF-8", "“猫”…×?\n".encode()), ("latin-1", '"?"...×?\n'.encode("latin-1"))],
)
def test_what_a_terminal_has_not_becomes_plainer_and_bytes_stay(terminal, shown):
    done = run(["-c", WRITTEN], terminal)
    assert done.returncode == 0, done.stderr
    assert done.stdout == bytes(range(256)) + shown
    assert done.stderr == shown


def test_streams_of_others_are_left_alone(monkeypatch):
    other = io.StringIO()
    monkeypatch.setattr(sys, "stdout", other)
    console.prepare()
    assert sys.stdout is other


FILM = (
    json.dumps({"form": "gif", "shape": [4, 4], "fps": 10, "factor": 1}).encode() + b"\n" + bytes(range(32))
)
WITHOUT_NICE = (
    "import os, runpy, sys; del os.nice; sys.argv = sys.argv[1:]; runpy.run_module(sys.argv[0], "
    "run_name='__main__', alter_sys=False)"
)


def test_films_are_packed_where_the_system_has_no_niceness():
    done = run(["-c", WITHOUT_NICE, "gan.cli.film"], input=FILM)
    assert (done.returncode, done.stderr) == (0, b"")
    with Image.open(io.BytesIO(done.stdout)) as film:
        assert (film.format, film.n_frames) == ("GIF", 2)


def test_a_worker_starts_there_too(monkeypatch):
    from gan.worker.worker import be_nice

    monkeypatch.setenv("GANARIUM_NICE", "10")
    monkeypatch.delattr("os.nice")
    be_nice()
    device.be_nice(10)


def test_niceness_is_lowered_once():
    code = (
        "import os; from gan.device import be_nice; before = os.nice(0); be_nice(0); be_nice(3); "
        "print(os.nice(0) - before)"
    )
    assert run(["-c", code]).stdout.strip() in (b"3", b"0" if os.nice(0) == 19 else b"3")
