"""Start, end and delete runs repeatedly in one server, and check that it leaks nothing.

    python -m tests.reliability.cycles --cycles 100        # workers without torch: about 1.5 minutes
    python -m tests.reliability.cycles --cycles 20 --real  # python -m gan train on the smallest networks

Prints the server's child processes, open file descriptors and memory before and after. The exit status is 1
where any of them has grown.
"""

import argparse
import gc
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import psutil

from gan.runs.store import Store
from gan.runs.supervisor import Supervisor
from gan.ui.server.services import Services
from gan.ui.train.run_feed import RunFeed
from tests.benchmarks.options import at_least
from tests.fakes.runs import FAKE_WORKER, LONG, state, tiny, wait_until

WARM_UP = 4  # cycles before the first measurement, for imports, caches and the allocator
# MB of noise in memory. A leak of 100 runs would exceed it.
MEMORY_SLACK = 8.0
PATIENCE = 120.0  # seconds: a busy machine imports torch slowly


@dataclass(frozen=True)
class Held:
    """The resources that this process holds."""

    children: int
    descriptors: int
    megabytes: float


def look() -> Held:
    """Measure this process's resources. Zombie children count."""
    gc.collect()
    me = psutil.Process()
    return Held(len(me.children()), me.num_fds(), round(me.memory_info().rss / 1e6, 1))


def grown(before: Held, after: Held) -> list[str]:
    """Return the names of the resources that have grown."""
    slack = {"megabytes": MEMORY_SLACK}
    return [
        field.name
        for field in fields(Held)
        if getattr(after, field.name) > getattr(before, field.name) + slack.get(field.name, 0)
    ]


class Server:
    """A server without its web page: the supervisor, and a run feed that is polled as pages do."""

    def __init__(self, root: Path, command: Sequence[str] | None):
        self.store = Store(root)
        self.boss = Supervisor(self.store, *([command] if command else []))
        self.services = Services(self.store, self.boss, uploads=root / ".uploads")
        self.feed = RunFeed(self.services)

    def submit(self, steps: int = LONG) -> str:
        """Start a run, and wait until it trains or has finished. Returns its id."""
        run_id = self.boss.submit(tiny(steps))
        self.reaches(run_id, "running", "finished")
        return run_id

    def reaches(self, run_id: str, *states: str) -> None:
        wait_until(lambda: state(self.store, run_id) in states, PATIENCE, lambda: str(self.store.get(run_id)))
        self.feed.poll(run_id, "", 0, "", "")

    def rest(self) -> None:
        """Wait until no run trains and a spare worker is ready."""
        wait_until(lambda: self.boss.active() is None and self.boss.spare_ready(), PATIENCE)


def finish(server: Server) -> str:
    """Let a run finish."""
    run_id = server.submit(steps=5)
    server.reaches(run_id, "finished")
    return run_id


def stop(server: Server) -> str:
    """Stop a run."""
    run_id = server.submit()
    server.boss.stop(run_id)
    server.reaches(run_id, "stopped")
    return run_id


def pause(server: Server) -> str:
    """Pause a run, resume it, and pause it again."""
    run_id = server.submit()
    for _ in range(2):
        server.boss.pause(run_id)
        server.reaches(run_id, "paused")
        server.boss.resume(run_id)
        server.reaches(run_id, "running")
    server.boss.pause(run_id)
    server.reaches(run_id, "paused")
    return run_id


def kill(server: Server) -> str:
    """Kill a run's worker."""
    run_id = server.submit()
    os.kill(server.store.status(run_id)["pid"], signal.SIGKILL)
    server.reaches(run_id, "failed")
    return run_id


WAYS: list[Callable[[Server], str]] = [finish, stop, pause, kill]


def repeat(server: Server, cycles: int) -> None:
    """Run so many cycles, each with the next way to end a run, and delete each run at its end."""
    for number in range(cycles):
        server.services.command(WAYS[number % len(WAYS)](server), "delete")
    server.rest()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command. Returns its exit status."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument(
        "--cycles", type=at_least(1, int), default=100, help="runs to start and end (default: 100)"
    )
    parser.add_argument(
        "--real", action="store_true", help="train for real instead of with a worker that does not need torch"
    )
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder) / "runs", None if options.real else FAKE_WORKER)
        server.boss.start()
        try:
            repeat(server, WARM_UP)
            before = look()
            repeat(server, options.cycles)
            after = look()
        finally:
            server.boss.close()
    print(f"{options.cycles} cycles of {'real' if options.real else 'fake'} runs{'before':>14}{'after':>10}")
    for field in fields(Held):
        print(f"{field.name:<30}{getattr(before, field.name):>10}{getattr(after, field.name):>10}")
    worse = grown(before, after)
    print(f"grown: {', '.join(worse) or 'nothing'}")
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main())
