"""Score a run that is over, and keep the scores in its folder, for Explore, the page and its report.

The server calls this module as a process of its own, which prints the scores or an error as JSON.
"""

import argparse
import os
from pathlib import Path
from typing import Any

from gan import console
from gan.errors import UserError
from gan.files import read_object, write_json
from gan.latent.catalogue import RUN_SCORES, RUN_WEIGHTS, read_run
from gan.runs.processes import end_with, tell
from gan.runs.store import ENDED


def check_over(name: str, state: Any) -> None:
    """Raise UserError for a run in a state in which its weights may still change."""
    if state not in ENDED:
        raise UserError("runs.cant_score", name=name, state=state)


def score_run(run_dir: Path) -> dict[str, Any]:
    """Score a run as `python -m gan score` does, and return what `keep` writes. Raises UserError."""
    entry = read_run(f"run:{run_dir.name}", run_dir)
    step = step_of(run_dir, entry.title)
    import torch

    from gan.device import cpu_quota
    from gan.export.scores import score_model
    from gan.models import load_generator

    torch.set_num_threads(cpu_quota())
    generator, spec = load_generator(run_dir / RUN_WEIGHTS)
    return as_kept(step, score_model(generator, spec, run_dir, None, None))


def step_of(run_dir: Path, name: str) -> Any:
    """Return the step at which a run ended. Raises UserError, with the run's name, for one that is not over.

    It is read before the weights: a run that trains on meanwhile has another step when `keep` looks.
    """
    status = read_object(run_dir / "status.json")
    check_over(name, status.get("state"))
    return status.get("step")


def as_kept(step: Any, scored: Any) -> dict[str, Any]:
    """Return scores (gan.export.scores.Scored) with the step of the weights, as RUN_SCORES holds them."""
    from gan.export.scores import card_entries, rounded

    return {"step": step, **card_entries(scored), "scores": rounded(scored)}


def keep(run_dir: Path, kept: dict[str, Any]) -> None:
    """Write scores into the folder of a run, unless it has trained on since. Raises OSError."""
    if read_object(run_dir / "status.json").get("step") == kept["step"]:
        write_json(run_dir / RUN_SCORES, kept)


def main(arguments: list[str] | None = None) -> int:
    """Score the given run and print what came of it as JSON. Returns the exit status."""
    console.prepare()
    parser = argparse.ArgumentParser(
        prog="python -m gan.export.kept_scores", description="Score a run for the server, and print JSON."
    )
    parser.add_argument("run", type=Path, help="directory of the run")
    run = parser.parse_args(arguments).run
    end_with(os.getppid())
    return tell(lambda: score_run(run))


if __name__ == "__main__":
    raise SystemExit(main())
