"""Test the processes that work with the Hub for a server or a command."""

import os
import subprocess
import sys

import psutil

from tests import ROOT
from tests.fakes.runs import wait_until


def test_a_process_of_the_hub_ends_with_its_parent():
    """However the parent ends: a server that was killed leaves nobody with a visitor's token."""
    child = (
        "import time; from gan.hub import child; child.prepare(); print('ready', flush=True); time.sleep(600)"
    )
    parent = (
        "import subprocess, sys, time;"
        f"started = subprocess.Popen([sys.executable, '-c', {child!r}], stdout=subprocess.PIPE);"
        "started.stdout.readline(); print(started.pid, flush=True); time.sleep(600)"
    )
    server = subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE, cwd=ROOT)
    left = int(server.stdout.readline())
    assert psutil.pid_exists(left)
    server.kill()
    server.wait()
    server.stdout.close()
    wait_until(lambda: not psutil.pid_exists(left))


def test_a_process_that_pushes_leaves_xet_aside():
    program = (
        "import gan.hub.push; from gan.hub import child; child.prepare(); "
        "from huggingface_hub.utils import _runtime; _runtime.is_package_available = lambda name: True; "
        "print(_runtime.is_xet_available())"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, env=os.environ)
    assert done.stdout.split() == [b"False"]
