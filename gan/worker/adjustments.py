"""Change settings of a run while it trains: check the command, note it as an event, tell the trainer."""

from typing import Any

from gan.config import Settings
from gan.kinds import Trainer
from gan.train.actions import EVENT, LIVE, MOST, Action, allowed, factor_at, is_number
from gan.worker.run_dir import RunDir, noted_actions


def has_effect(config: Settings, name: str) -> bool:
    """Return whether a factor of this setting changes a run: gamma is the weight of a penalty."""
    return name in LIVE and bool(getattr(config, name)) and (name != "gamma" or config.penalty != "none")


def adjust(trainer: Trainer, config: Settings, run_dir: RunDir, command: dict[str, Any]) -> bool:
    """Change a setting from the trainer's next step on, and note it. Returns whether anything changed.

    command: "name" in LIVE, and "factor". The event is written first, so a run that is killed repeats the
    change at the same step. Somebody may have written anything into the file of a command.
    """
    name, factor = command.get("name"), command.get("factor")
    if not (isinstance(name, str) and is_number(factor) and has_effect(config, name)):
        return False
    action = Action(trainer.step, name, float(factor))
    so_far = [action for action in trainer.actions if action.step <= trainer.step]
    if not allowed(so_far, name, factor) or len(so_far) >= MOST:
        return False
    before = getattr(config, name) * factor_at(so_far, name, action.step)
    values = {"before": before, "after": before * action.factor}
    rounded = {key: float(f"{value:.4g}") for key, value in values.items()}
    run_dir.note(EVENT, **action._asdict(), images=trainer.images_seen, **rounded)
    trainer.actions = noted_actions(run_dir.path)
    return True
