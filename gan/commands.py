"""What can be run from a terminal. `python -m gan` lists it; a module that is only a part of it says what to run instead."""

import sys
from collections.abc import Sequence
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
GUARD = "if __name__ == " + '"__main__":'  # in two parts: this module is no command
NO_COMMAND = 2  # exit status

COMMANDS = {
    "python app.py": "the page: train, watch and explore in a browser",
    "python -m gan.train --data digits --out my-run": "train without a browser",
    "python -m gan.train my-run": "resume a run",
    "python -m gan.sample my-run --out grid.png": "generate a grid of samples",
    "python -m gan.score my-run": "score the samples of a generator",
    "python -m gan.export.webpage my-run page.html": "export a generator as a web page",
    "python -m gan.export.onnx my-run generator.onnx": "export a generator as an ONNX model",
    "python -m gan.export.checkpoint my-run checkpoints/mine": "export a checkpoint with its card and scores",
    "python -m gan.train.selftest": "measure which settings train fastest on this machine",
}

# Module or package -> what somebody wants who runs it, and the command that does it. The longest name that fits counts.
INSTEAD = {
    "gan": ("see all commands", "python -m gan"),
    "gan.data": ("train on a data set, or on a folder or zip of images", "python -m gan.train --data PATH"),
    "gan.data.build": ("build a bundled set", "python -m gan.data.build.digits FOLDER"),
    "gan.export": ("export a generator", "python -m gan.export.webpage RUN PAGE, gan.export.onnx RUN FILE or gan.export.checkpoint RUN FOLDER"),
    "gan.export.card": ("write a card", "python -m gan.export.checkpoint RUN FOLDER"),
    "gan.export.film": ("save a loop as a film", "python app.py, where Explore has “Loop”"),
    "gan.export.scores": ("score a generator", "python -m gan.score RUN"),
    "gan.latent": ("generate samples", "python -m gan.sample RUN, or explore with python app.py"),
    "gan.metrics": ("score a generator", "python -m gan.score RUN"),
    "gan.metrics.build": ("train a feature extractor", "python -m gan.metrics.build.classifier DATA"),
    "gan.models": ("train a pair of networks", "python -m gan.train --data DATA"),
    "gan.runs": ("see and control the runs", "python app.py"),
    "gan.train": ("train", "python -m gan.train --data DATA"),
    "gan.ui": ("open the page", "python app.py"),
}


def listing() -> str:
    """The commands, one a line."""
    width = max(map(len, COMMANDS))
    return "\n".join(f"  {command:{width}}  {text}" for command, text in COMMANDS.items())


def instead(module: str) -> str:
    """One sentence for a module that is no command: what to run for what its name promises."""
    name = module
    while name not in INSTEAD:
        name = name.rpartition(".")[0]
    purpose, command = INSTEAD[name]
    return f"{module} is a part of GANarium and no command of its own. To {purpose}: {command}"


def refuse_parts(command_line: Sequence[str]) -> None:
    """End this process with a sentence where Python was told to run (-m) a module of ours that does nothing when it is run."""
    module = _module(command_line)
    if module is None or module.partition(".")[0] != PACKAGE.name:
        return
    place = PACKAGE.joinpath(*module.split(".")[1:])
    files = [file for file in (place / "__main__.py", place.with_suffix(".py")) if file.is_file()]
    if (files or place.is_dir()) and not any(GUARD in file.read_text(encoding="utf-8") for file in files):
        print(instead(module), file=sys.stderr)
        raise SystemExit(NO_COMMAND)


def _module(command_line: Sequence[str]) -> str | None:
    """The module that follows -m, alone or at the end of other flags, as in -um."""
    words = iter(enumerate(command_line[1:], 1))
    for place, option in words:
        if option in ("-X", "-W"):  # whose value is a word of its own
            next(words, None)
            continue
        if not option.startswith("-"):
            return None
        flags, found, name = option[1:].partition("m")
        if found and (not flags or flags.isalpha()) and not option.startswith("--"):
            return name or (command_line[place + 1] if place + 1 < len(command_line) else None)
    return None
