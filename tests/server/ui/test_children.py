"""Test the child processes of the page's server with real ones."""

import subprocess
import sys

import pytest

from gan.ui.server.children.processes import Children

LATE = 120.0  # seconds that a child may take on a busy machine


def test_what_a_child_says_is_told_while_it_works(tmp_path):
    """This child goes on only after its first line was read."""
    read = tmp_path / "read"
    program = f"""
import json, pathlib, time
print(json.dumps({{"stage": "upload"}}), flush=True)
while not pathlib.Path({str(read)!r}).exists():
    time.sleep(0.01)
print(json.dumps({{"address": "there"}}))
"""
    told = []

    def hear(line):
        told.append(line)
        read.touch()

    answer = Children().follow((sys.executable, "-c", program), LATE, b"", hear)
    assert (told[0], answer) == ({"stage": "upload"}, {"address": "there"})


@pytest.mark.parametrize(
    ("printed", "why"),
    [
        ("", "Expecting value"),
        ("no JSON", "Expecting value"),
        ('{"stage": 1}', "status 1"),
        ('1\n{"addr', "control character"),
    ],
)
def test_a_child_without_an_answer_has_failed(printed, why):
    program = f"print({printed!r}); raise SystemExit(1)"
    with pytest.raises(ValueError, match=why):
        Children().follow((sys.executable, "-c", program), LATE, b"", print)


def test_a_child_that_takes_too_long_is_ended():
    with pytest.raises(subprocess.TimeoutExpired):
        Children().follow((sys.executable, "-c", "import time; time.sleep(600)"), 0.2, b"", print)
