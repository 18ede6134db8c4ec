"""Test the supervisor where runs train in leases of a GPU, with a worker that does not need torch."""

import subprocess
import sys

import psutil
import pytest

from gan.errors import UserError
from gan.files import read_lines, write_bytes
from gan.kinds.points.recipes import make_config as make_points
from gan.runs.backend import Leases
from gan.runs.supervisor import Supervisor
from gan.worker.run_dir import LEASE
from tests.fakes.runs import FAKE_WORKER, LONG, reaches, state, tiny, wait_until


@pytest.fixture
def boss(store):
    supervisor = Supervisor(store, FAKE_WORKER, Leases())
    supervisor.start()
    yield supervisor
    supervisor.close()


def refused(act, *given):
    with pytest.raises(UserError) as caught:
        act(*given)
    return caught.value.key


def waits(store, run_id):
    """Wait until the run waits for a lease."""
    wait_until(lambda: (state(store, run_id), store.status(run_id)["reason"]) == ("paused", LEASE))


def test_a_run_is_prepared_and_waits_and_goes_to_the_cpu_only_when_asked(store, boss):
    run_id = boss.submit(tiny(steps=10))
    waits(store, run_id)
    assert store.status(run_id)["step"] == 0
    assert store.resumable(run_id)
    assert not boss.spare_ready()
    boss.resume(run_id)
    waits(store, run_id)
    assert store.log_tail(run_id) == [], "no process has trained it"
    boss.command(run_id, "cpu")
    reaches(store, run_id, "finished")
    assert refused(boss.command, run_id, "cpu") == "runs.cant_cpu"


def test_points_train_by_themselves(store, boss):
    points = make_points(steps=80)
    assert Leases().order(store, store.create(points)) == "train"


def test_a_lease_has_its_run_to_itself_and_the_queue_goes_on_beside_it(store, boss):
    run_id = boss.submit(tiny(steps=LONG))
    assert refused(boss.begin_lease, run_id) == "lease.cant"
    waits(store, run_id)
    boss.begin_lease(run_id)
    assert refused(boss.begin_lease, run_id) == "lease.busy"
    for command in ("cpu", "resume", "restart", "delete", "stop"):
        assert refused(boss.command, run_id, command) == "lease.busy"
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        started = psutil.Process(child.pid).create_time()
        store.update_status(run_id, state="running", leased=True, pid=child.pid, pid_started=started)
        wait_until(lambda: boss.active() == run_id)
        other = boss.submit(tiny(steps=10))
        waits(store, other)
        boss.pause(run_id)
        assert store.commands(run_id) == {"pause"}
        store.drop_commands(run_id)
        store.update_status(run_id, state="paused", reason=LEASE)
        boss.end_lease(run_id)
        assert boss.leases() == set()
        wait_until(lambda: boss.active() is None)  # an idle child is no worker
        child.communicate()


def test_refusals_and_lost_leases_leave_a_paused_run_with_the_reason(store, boss):
    run_id = boss.submit(tiny(steps=LONG))
    waits(store, run_id)
    boss.begin_lease(run_id)
    boss.end_lease(run_id, UserError("lease.runs"))
    status = store.status(run_id)
    assert (status["state"], status["error"]["key"], status["reason"]) == ("paused", "lease.runs", None)
    boss.begin_lease(run_id)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        started = psutil.Process(child.pid).create_time()
        store.update_status(run_id, state="running", leased=True, pid=child.pid, pid_started=started)
        wait_until(lambda: boss.active() == run_id)
    wait_until(lambda: state(store, run_id) == "paused")
    assert store.status(run_id)["error"]["key"] == "lease.cut", "the supervisor sees it without the route"
    boss.end_lease(run_id, UserError("lease.cut"))
    status = store.status(run_id)
    assert (status["state"], status["error"]["key"]) == ("paused", "lease.cut")
    assert [line["key"] for line in read_lines(store.path(run_id) / "events.jsonl")[0]] == ["lease_cut"]


def test_a_damaged_run_goes_to_a_process_which_says_so(store, boss):
    run_id = store.create(tiny())
    write_bytes(store.path(run_id) / "config.json", b"{")
    assert Leases().order(store, run_id) == "train"
