"""Dispatch the commands: `ganarium` if GANarium is installed, `python -m gan` in a checkout.

Without a command it serves the page. `python -m` with any other module prints the right command.
"""

import importlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from gan import console
from gan.train.autotune import allocator

PACKAGE = Path(__file__).resolve().parents[1]
GUARD = "if __name__ == " + '"__main__":'  # in two parts, so that this module does not match itself
NO_COMMAND = 2  # exit status


class Command(NamedTuple):
    """A command: the module whose `main(arguments)` runs it, and examples with their explanations."""

    module: str
    examples: dict[str, str]


COMMANDS = {
    "train": Command(
        "gan.cli.train",
        {
            "train --data digits --out my-run": "train without a browser",
            "train --kind points --data grid25": "learn points of the plane",
            "train my-run": "resume a run",
            "train my-run --more 5": "give a finished run five more minutes",
        },
    ),
    "sample": Command("gan.cli.sample", {"sample my-run --out grid.png": "generate a grid of samples"}),
    "score": Command("gan.cli.score", {"score my-run": "score the samples of a generator"}),
    "export": Command(
        "gan.cli.export",
        {
            "export webpage my-run page.html": "export a generator as a web page",
            "export onnx my-run generator.onnx": "export a generator as an ONNX model",
            "export checkpoint my-run checkpoints/mine": "export a checkpoint with its card and scores",
            "export csv my-run curves.csv": "export a run's statistics as a table (or jsonl)",
        },
    ),
    "report": Command(
        "gan.cli.report",
        {"report my-run --out report.html": "write a run's report as one web page, to read and print"},
    ),
    "track": Command(
        "gan.cli.track",
        {"track my-run --tensorboard logs": "send a run's curves to TensorBoard or trackio"},
    ),
    "push": Command("gan.cli.push", {"push my-run OWNER/NAME": "push a generator to the Hugging Face Hub"}),
    "pull": Command("gan.cli.pull", {"pull OWNER/NAME": "pull one from it, for Explore and sample"}),
    "move": Command(
        "gan.cli.move",
        {
            "move pack my-run run.zip": "write a run as one file, for another machine",
            "move unpack run.zip": "take in such a file",
        },
    ),
    "space": Command("gan.cli.space", {"space push OWNER/NAME": "deploy to a Hugging Face Space"}),
    "measure": Command(
        "gan.cli.measure", {"measure": "measure which settings train fastest on this machine"}
    ),
}

# Module or package -> its purpose, and the command for that. The longest matching name counts.
INSTEAD = {
    "gan": ("see all commands", "python -m gan --help"),
    "gan.cli": ("see all commands", "python -m gan --help"),
    "gan.cli.sample": ("generate samples", "python -m gan sample RUN"),
    "gan.cli.score": ("score a generator", "python -m gan score RUN"),
    "gan.cli.train": ("train", "python -m gan train --data DATA"),
    "gan.cli.export": ("export a generator", "python -m gan export webpage RUN PAGE"),
    "gan.export.report": ("write a run's report", "python -m gan report RUN --out FILE"),
    "gan.cli.track": ("send a run to a tracker", "python -m gan track RUN --tensorboard DIR"),
    "gan.cli.push": ("push a generator", "python -m gan push RUN OWNER/NAME"),
    "gan.cli.pull": ("pull a generator", "python -m gan pull OWNER/NAME"),
    "gan.cli.measure": ("measure this machine", "python -m gan measure"),
    "gan.data": ("train on a data set, or on a folder or zip of images", "python -m gan train --data PATH"),
    "gan.data.build": ("build a bundled set", "python -m gan.data.build.digits FOLDER"),
    "gan.export": ("export a generator", "python -m gan export webpage RUN PAGE (or onnx, or checkpoint)"),
    "gan.cli.film": ("save a loop as a film", "python app.py, where Explore has “Loop”"),
    "gan.export.scores": ("score a generator", "python -m gan score RUN"),
    "gan.hub": ("push or pull a generator", "python -m gan push RUN OWNER/NAME (or pull OWNER/NAME)"),
    "gan.kinds": ("train a run of a kind", "python -m gan train --kind KIND"),
    "gan.latent": ("generate samples", "python -m gan sample RUN, or explore with python app.py"),
    "gan.metrics": ("score a generator", "python -m gan score RUN"),
    "gan.metrics.build": ("train a feature extractor", "python -m gan.metrics.build.classifier DATA"),
    "gan.mirror": ("move a run to another machine", "python -m gan move pack RUN FILE"),
    "gan.models": ("train a pair of networks", "python -m gan train --data DATA"),
    "gan.runs": ("see and control the runs", "python app.py"),
    "gan.mirror.space": ("deploy to a Hugging Face Space", "python -m gan space push OWNER/NAME"),
    "gan.train": ("train", "python -m gan train --data DATA"),
    "gan.train.autotune": ("measure this machine", "python -m gan measure"),
    "gan.ui": ("open the page", "python app.py"),
    "gan.web": ("open the page", "python app.py"),
    "gan.worker": ("train", "python -m gan train --data DATA"),
}


TRAINING = ("train", "measure")  # the commands that train


def program() -> int:
    """Run this process's command line. One that trains restarts first (see gan.train.autotune.allocator)."""
    if sys.argv[1:2] and sys.argv[1] in TRAINING:
        allocator.restart()
    return main()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command in the first argument, or serve the page without one. Returns the exit status."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    if arguments[:1] in (["-h"], ["--help"], ["help"]):
        console.prepare()
        print(
            f"GANarium trains small GANs and explores their latent space. Each command has "
            f"--help:\n\n{listing()}"
        )
        return 0
    if not arguments or arguments[0].startswith("-"):
        from gan.cli import serve

        serve.run(arguments)
    name, *rest = arguments
    if name not in COMMANDS:
        console.prepare()
        print(f"There is no command “{name}”. Choose one of: {', '.join(COMMANDS)}.", file=sys.stderr)
        return NO_COMMAND
    return importlib.import_module(COMMANDS[name].module).main(rest)


def listing() -> str:
    """The page and the commands as help text, one on each line."""
    examples = {"[--port 7860]": "the page: train, watch and explore in a browser"}
    for command in COMMANDS.values():
        examples |= command.examples
    width = max(map(len, examples))
    return "\n".join(f"  python -m gan {example:{width}}  {text}" for example, text in examples.items())


def instead(module: str) -> str:
    """The sentence for a module that is no command: it names the command for the module's purpose."""
    name = module
    while name not in INSTEAD:
        name = name.rpartition(".")[0]
    purpose, command = INSTEAD[name]
    return f"{module} is a part of GANarium and no command of its own. To {purpose}: {command}"


def refuse_parts(command_line: Sequence[str]) -> None:
    """Exit with a sentence if `python -m` was given one of our modules that is no command."""
    module = _module(command_line)
    if module is None or module.partition(".")[0] != PACKAGE.name:
        return
    place = PACKAGE.joinpath(*module.split(".")[1:])
    files = [file for file in (place / "__main__.py", place.with_suffix(".py")) if file.is_file()]
    if (files or place.is_dir()) and not any(GUARD in file.read_text(encoding="utf-8") for file in files):
        print(instead(module), file=sys.stderr)
        raise SystemExit(NO_COMMAND)


def _module(command_line: Sequence[str]) -> str | None:
    """The module after -m in a command line; -m may end a group of flags, as in -um."""
    words = iter(enumerate(command_line[1:], 1))
    for place, option in words:
        if option in ("-X", "-W"):  # their value is the next word
            next(words, None)
            continue
        if not option.startswith("-"):
            return None
        flags, found, name = option[1:].partition("m")
        if found and (not flags or flags.isalpha()) and not option.startswith("--"):
            return name or (command_line[place + 1] if place + 1 < len(command_line) else None)
    return None
