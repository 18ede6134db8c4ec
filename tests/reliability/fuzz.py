"""Feed damaged input to readers:  python -m tests.reliability.fuzz --cases 10000

Hypothesis gives each of TARGETS at least so many cases. A reader may raise only a UserError, or what its
docstring names. A case that breaks this is minimised and shown, and the exit status is 1.
"""

import argparse
import contextlib
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hypothesis
from hypothesis import HealthCheck, Phase, given, settings

from gan.errors import UserError
from tests.reliability.damaged import fuzz_files, fuzz_hub, fuzz_mirror, fuzz_routes, fuzz_space
from tests.reliability.damaged.damage import Target

PHASES = (Phase.generate, Phase.shrink)
TARGETS: dict[str, Callable[[Path], Target]] = {
    "config": fuzz_files.config, "spec": fuzz_files.spec, "runs": fuzz_files.runs,
    "record": fuzz_files.record, "pictures": fuzz_files.pictures, "picture": fuzz_files.picture,
    "jpeg": fuzz_files.jpeg, "profile": fuzz_files.profile,
    "point": fuzz_routes.point, "visits": fuzz_routes.visits,
    "handlers": fuzz_routes.handlers, "commands": fuzz_routes.commands, "parcel": fuzz_files.parcel,
    "restored": fuzz_mirror.restored, "messages": fuzz_mirror.messages,
    "pulled": fuzz_hub.pulled, "rows": fuzz_hub.rows, "source": fuzz_hub.source, "origin": fuzz_hub.origin,
    "variables": fuzz_space.variables, "key": fuzz_space.key, "decoded": fuzz_space.decoded_images,
    "leases": fuzz_space.leases, "calls": fuzz_space.calls,
}  # fmt: skip


def fuzz(name: str, cases: int, seed: int = 0) -> int:
    """Run at least `cases` cases on one target. Returns their number.

    Raises the forbidden exception of the smallest failing case.
    """
    ran = 0
    with tempfile.TemporaryDirectory() as folder:
        strategy, act = TARGETS[name](Path(folder))

        def once(case: Any) -> None:
            nonlocal ran
            ran += 1
            with contextlib.suppress(UserError):
                act(case)

        while ran < cases:  # Hypothesis stops early where it has no new cases
            limits = settings(
                max_examples=cases - ran,
                deadline=None,
                database=None,
                phases=PHASES,
                suppress_health_check=list(HealthCheck),
            )
            hypothesis.seed(seed)(limits(given(strategy)(once)))()
            seed += 1
    return ran


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--cases", type=int, default=10_000, help="at least so many for each target (default: 10000)"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("targets", nargs="*", choices=[*TARGETS, []], help="which (default: all)")
    options = parser.parse_args()
    broken = 0
    for name in options.targets or TARGETS:
        begin = time.perf_counter()
        try:
            ran = fuzz(name, options.cases, options.seed)
            print(
                f"{name}: {ran} cases, {time.perf_counter() - begin:.0f} s, nothing but what may come out",
                flush=True,
            )
        except BaseException:
            broken += 1
            traceback.print_exc()
            print(f"{name}: BROKEN", flush=True)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
