"""Define the fixtures that several test modules share."""

import gc
import os
import shutil
import subprocess
import sys
import tempfile

# Processes that the tests start keep downloads, generated data and measurements here. The user's own cache
# stays untouched.
os.environ["GANARIUM_CACHE"] = tempfile.mkdtemp(prefix="ganarium-tests-")
# Servers, workers and browsers share the machine with the tests. There, two threads that wait for each other
# at every layer would crawl.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import psutil
import pytest

from gan.runs.store import Store
from gan.runs.supervisor import Supervisor
from tests import ROOT
from tests.fakes.runs import FAKE_WORKER, reaches

# Modules that take minutes. They start first, so that no process is left alone with one at the end.
LONG = (
    "unit/train/exactness/test_exact.py",
    "server/test_app_environment.py",
    "unit/train/test_memory.py",
    "reliability/test_kills.py",
    "reliability/test_attack.py",
    "browser/train/test_train.py",
    "browser/train/test_runs.py",
    "reliability/test_load.py",
    "server/runs/worker/test_training_process.py",
    "unit/points/test_modes.py",
)


def pytest_collection_modifyitems(items):
    """Sort the long modules first, all others by name."""
    rank = {ROOT / "tests" / name: place for place, name in enumerate(LONG)}
    items.sort(key=lambda item: rank.get(item.path, len(LONG)))


@pytest.fixture(scope="session", autouse=True)
def known_machine():
    """Save the default self-test profile, at a modest speed, so that no worker measures this machine."""
    from gan.device import pick_device
    from gan.train.autotune import machine

    picked = pick_device()
    known = machine.Machine(
        picked.label,
        picked.torch_name,
        picked.threads,
        "float32",
        True,
        machine.Speed(1e-4, 2e-11),
        500_000_000,
    )
    machine.save_profile(known)
    yield known
    shutil.rmtree(os.environ["GANARIUM_CACHE"], ignore_errors=True)


@pytest.fixture(scope="module", autouse=True)
def quick_garbage_collection():
    """Exclude what exists at a module's start from garbage collection.

    Trainers collect garbage before they load a checkpoint. Among the objects of all imported modules that
    takes 0.2 s each time, half of the time of tests/unit/train/test_memory.py.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def floating_point_as_usual():
    """Undo flush-to-zero, which a worker or benchmark in this process may have set.

    Hypothesis refuses to run with it.
    """
    yield
    if "torch" in sys.modules:
        sys.modules["torch"].set_flush_denormal(False)


@pytest.fixture(autouse=True)
def where_it_began():
    """Fail a test that leaves the process in another folder.

    Every later test that starts GANarium from here would fail. monkeypatch.chdir goes back by itself.
    """
    began = os.getcwd()
    yield
    assert os.getcwd() == began


@pytest.fixture
def store(tmp_path):
    """An empty run store."""
    return Store(tmp_path / "runs")


@pytest.fixture
def supervise(store):
    """Start supervisors that end with the test, and check that no child process is left."""
    begun = []

    def start(command=FAKE_WORKER):
        begun.append(Supervisor(store, command))
        begun[-1].start()
        return begun[-1]

    before = set(psutil.Process().children())
    yield start
    for each in begun:
        each.close()
    left = [child for child in set(psutil.Process().children()) - before if child.is_running()]
    assert left == [], "no child is left, not even a zombie"


@pytest.fixture(scope="module")
def browser():
    """Headless Chromium."""
    from tests.support.page.browsing import chromium

    with chromium() as browser:
        yield browser


@pytest.fixture(scope="session")
def hub_of_models():
    """The Hub from which that server pulls. It is empty."""
    from tests.fakes.hub import fake_hub

    with fake_hub() as hub:
        yield hub


@pytest.fixture(scope="session")
def server_of_models(tmp_path_factory, hub_of_models):
    """The URL and the runs folder of one server for all modules that only explore.

    Its start takes longer than most of their tests.
    """
    from tests.support.page.browsing import serve

    runs = tmp_path_factory.mktemp("server-of-models") / "runs"
    with serve(runs, more={"HF_ENDPOINT": hub_of_models.endpoint}) as address:
        yield address, runs


@pytest.fixture(scope="module")
def runs_folder(server_of_models):
    """The runs folder of that server, for a module to fill. It is emptied afterwards."""
    folder = server_of_models[1]
    yield folder
    for run in folder.glob("[!.]*"):
        shutil.rmtree(run)


@pytest.fixture(scope="module")
def address(server_of_models, runs):
    """The URL of that server, which shows the `runs` that a module wrote to `runs_folder`."""
    return server_of_models[0]


@pytest.fixture(scope="module")
def tab(browser, address):
    """The page of one visitor to a module's `runs`, whose browser draws (see tests.support.page.moving)."""
    from tests.support.page.moving import visitor

    with visitor(browser, address) as page:
        yield page


@pytest.fixture
def page(tab):
    """That page, reset."""
    from tests.support.page.moving import as_new

    return as_new(tab)


@pytest.fixture(scope="module")
def services(tmp_path_factory):
    """A tiny shipped model of three classes, no runs, and a teacher token.

    Modules that need others override this fixture.
    """
    from gan.runs.store import Store
    from gan.ui.server.people.access import Access
    from gan.ui.server.services import Services
    from tests.support.inputs.generators import tiny_spec, write_checkpoint

    root = tmp_path_factory.mktemp("models")
    write_checkpoint(root / "checkpoints", "digits", tiny_spec(3), classes=["zero", "one", "two"])
    return Services(
        store=Store(root / "runs"), checkpoints=root / "checkpoints", access=Access("a token of the teacher")
    )


@pytest.fixture(scope="module")
def client(services):
    """A client of the Explore routes behind the guard, without the token."""
    from starlette.applications import Starlette
    from starlette.testclient import TestClient

    from gan.ui.explore.tab import routes
    from gan.ui.server.requests.guard import Guard

    return TestClient(
        Guard(Starlette(routes=routes(services)), services),
        raise_server_exceptions=False,
        base_url="http://localhost",
    )


@pytest.fixture
def poll(client, monkeypatch):
    """Poll the Train tab's feed through a module's `client`, without the feed's cache."""
    for name in ("FRESH", "QUICK_FRESH"):
        monkeypatch.setattr(f"gan.ui.train.run_feed.{name}", 0.0)
    return lambda **query: client.get("/gradio_api/gan/poll", params=query).json()


SERVER = """
import sys
from pathlib import Path
from gan.runs.store import Store
from gan.runs.supervisor import Supervisor
from tests.fakes.runs import FAKE_WORKER, tiny
store = Store(Path(sys.argv[1]))
boss = Supervisor(store, FAKE_WORKER)
boss.start()
print(boss.submit(tiny(steps=int(sys.argv[2]))), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def server(store):
    """Start a server in its own process, with one run training."""

    def start(steps):
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        process = subprocess.Popen(
            [sys.executable, "-c", SERVER, str(store.root), str(steps)], text=True, cwd=ROOT, **pipes
        )
        begun.append(process)
        run_id = process.stdout.readline().strip()
        reaches(store, run_id, "running", "finished")
        return process, run_id

    begun = []
    yield start
    for process in begun:
        process.kill()
        process.communicate()
