"""Train a small GAN from the terminal, without a browser.

python -m gan train --data digits --minutes 2 --out my-run     start a run
python -m gan train my-run                                     resume it
python -m gan train my-run --data elsewhere                    resume it with its images in a new place
python -m gan train my-run --anew                              restart it from scratch: its model is deleted
python -m gan train my-run --more 5                            give a finished run five more minutes
python -m gan train --data hub:OWNER/NAME --cap 5000          learn pictures of a data set of the Hub
python -m gan train --start-from digits --data PATH            begin with the weights of another model
python -m gan train --start-from hub:OWNER/NAME --data PATH    begin with those of a model of the Hub
python -m gan train --data digits --on hf-job t4-small   train in a Job of the Hugging Face Hub
python -m gan train --kind points --data grid25                learn points of the plane instead of images
python -m gan train --kind points --help                       the settings of that kind
"""

import argparse
import contextlib
import dataclasses
import json
import os
import shutil
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gan import console
from gan.data import pixels
from gan.data.names import HUB
from gan.data.own.files import SIZE
from gan.data.own.source import read_source
from gan.errors import UserError
from gan.export.track import refuse_missing, tracking
from gan.files import read_json, read_object, write_json
from gan.hub.pull import pull_missing
from gan.hub.sets import CAP, pull_apart
from gan.kinds import DEFAULT as DEFAULT_KIND
from gan.kinds import KINDS, Kind, get_kind
from gan.latent.origins import bring, find_origin
from gan.runs import disk, marks
from gan.runs.more import extend
from gan.train.origin import START, Origin, read_record

if TYPE_CHECKING:
    from gan.train.parallel.team import Team

USAGE = "%(prog)s [RUN_DIR [--data PATH]] [--anew] [--kind KIND] [--out DIR] [--cap N] [--SETTING VALUE ...]"
LOG_SECONDS = 10.0


def _kind_named(arguments: list[str] | None) -> str:
    """Return the kind that the arguments name, which decides the other options; the default if none."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--kind")
    name = parser.parse_known_args(arguments)[0].kind
    return name if name in KINDS else DEFAULT_KIND


def _parser(kind: Kind) -> argparse.ArgumentParser:
    """Return the parser with the settings of a kind."""
    parser = argparse.ArgumentParser(
        prog="python -m gan train",
        usage=USAGE,
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "run_dir",
        nargs="?",
        type=Path,
        metavar="RUN_DIR",
        help="a run to start or to resume; it holds a config.json",
    )
    parser.add_argument(
        "--out", type=Path, metavar="RUN_DIR", help="directory of a new run (default: runs/<data>-<recipe>)"
    )
    parser.add_argument(
        "--anew",
        action="store_true",
        help="restart RUN_DIR from scratch with its settings; its model is deleted",
    )
    parser.add_argument(
        "--more",
        type=float,
        metavar="AMOUNT",
        help="give RUN_DIR, which has finished, a larger budget: by minutes, or by thousands of images or "
        "steps if these are its budget",
    )
    parser.add_argument(
        "--cap",
        type=int,
        metavar="N",
        help=f"take at most so many pictures, the first ones, of --data hub:OWNER/NAME (default: {CAP})",
    )
    parser.add_argument(
        "--on",
        nargs=2,
        metavar=("hf-job", "FLAVOR"),
        help="train on another machine: in a Job of the Hugging Face Hub, which costs money",
    )
    parser.add_argument(
        "--mirror",
        metavar="PLACE",
        help="bucket:OWNER/NAME or dataset:OWNER/NAME: where a job mirrors the run (default: "
        "$GANARIUM_MIRROR). Without --on, this process is the job: it trains RUN_DIR and mirrors it there",
    )
    parser.add_argument(
        "--image",
        help="what a job starts from: hf.co/spaces/OWNER/NAME, a Space with GANarium, or a Docker image "
        "(default: $GANARIUM_JOB_IMAGE)",
    )
    parser.add_argument(
        "--spare",
        action="store_true",
        help="import everything, print “ready”, and wait for a run on standard input",
    )
    parser.add_argument(
        "--kind",
        choices=tuple(KINDS),
        default=argparse.SUPPRESS,
        help=f"the kind of a new run, which has its own settings (default: {DEFAULT_KIND})",
    )
    settings = parser.add_argument_group(
        f"settings of a new run of the kind {kind.Config.kind}",
        "The recipe and the data set decide every setting that is left out.",
    )
    for field in dataclasses.fields(kind.Config):
        choices = tuple(kind.RECIPES) if field.name == "recipe" else field.metadata.get("choices")
        settings.add_argument(
            "--" + field.name.replace("_", "-"),
            dest=field.name,
            default=argparse.SUPPRESS,
            **_option(field, choices),
        )
    return parser


def _option(field: dataclasses.Field, choices: tuple[Any, ...] | None) -> dict[str, Any]:
    text = field.metadata["help"].replace("%", "%%")
    if isinstance(field.default, bool):
        return {"action": argparse.BooleanOptionalAction, "help": text}
    return {
        "type": type(field.default),
        "choices": choices,
        "metavar": None if choices else field.name.upper(),
        "help": text,
    }


def new_run(
    settings: dict[str, Any], out: Path | None, kind: str = DEFAULT_KIND, cap: int | None = None
) -> Path:
    """Write the config of a new run and return its directory.

    cap: the most pictures of a data set of the Hub. Raises UserError for impossible settings or a directory
    that already holds a run.
    """
    of_kind, settings = get_kind(kind), dict(settings)
    refuse_missing(settings.get("track", "none"))
    start = _start(settings, of_kind)
    data, recipe = (settings.pop(name, _default(of_kind, name)) for name in ("data", "recipe"))
    data = _find(of_kind, data, cap, settings)
    path = out or Path("runs") / f"{Path(data).stem.removeprefix('hub--')}-{recipe}".lower().replace("_", "-")
    if (path / "config.json").exists() and not _never_trained(path):
        raise UserError("train.run_exists", path=path)
    config = of_kind.plan(data, recipe, settings, lambda line: print(line, file=sys.stderr))
    shutil.rmtree(path / START, ignore_errors=True)  # of a run that never trained
    if start is not None:
        start.refuse_other_shape(config)
        start.copy_to(path)
    write_json(path / "config.json", config.to_json())
    return path


def _find(kind: Kind, data: str, cap: int | None, settings: dict[str, Any]) -> str:
    """Return the data of a config for what a person wrote: kind.find, after a pull from the Hub.

    cap: see `new_run`. A size among the settings lowers it to what there is room for. Raises UserError.
    """
    if not data.startswith(HUB) or kind.Config.kind != DEFAULT_KIND:
        if cap is not None:
            raise UserError("hub.set_cap_alone")
        return kind.find(data)
    most = pixels.most(settings.get("channels") or 3, settings.get("size") or SIZE)
    path = pull_apart(data, CAP if cap is None else cap, most)
    source = read_source(path)
    assert source is not None, "a pull describes what it pulls"
    what = f"{source.count} pictures of {source.name}, at commit {source.commit[:12]}"
    print(f"{what}. Licence: {source.licence}.", file=sys.stderr)
    return str(path)


def _start(settings: dict[str, Any], kind: Kind) -> Origin | None:
    """Return the model to start from. Sets its recipe and shapes where `settings` leaves them open."""
    if not settings.get("start_from"):
        return None
    pull_missing(settings["start_from"])
    start = find_origin(settings["start_from"])
    settings["start_from"] = start.id
    if start.recipe in kind.RECIPES:
        settings.setdefault("recipe", start.recipe)
    start.refuse_other_recipe(settings.get("recipe", _default(kind, "recipe")))
    for name, value in start.spec.shape().items():
        if name != "architecture":  # which the recipe sets
            settings.setdefault(name, value)
    return start


def _is_restart() -> bool:
    """Whether torchrun starts this process again, with the same arguments, after a rank died."""
    return os.environ.get("TORCHELASTIC_RESTART_COUNT", "0") != "0"


def _default(kind: Kind, name: str) -> Any:
    return next(field.default for field in dataclasses.fields(kind.Config) if field.name == name)


def _never_trained(path: Path) -> bool:
    """Whether the run in this directory failed before its first step, so that a new run may replace it."""
    try:
        status = read_json(path / "status.json")
    except (OSError, ValueError):
        return False
    return (
        isinstance(status, dict)
        and status.get("state") == "failed"
        and not status.get("step")
        and not (path / "state").exists()
    )


def progress(status: dict[str, Any]) -> str:
    """The progress of a run in one line: share of the budget, images, seconds, speed."""
    eta = "" if status["eta"] is None else f"{status['eta']:.0f} s left, "
    examples = status.get("kind", DEFAULT_KIND)  # a kind is named after what it learns from
    unit = "kimg" if examples == DEFAULT_KIND else f"thousand {examples}"
    return (
        f"{status['progress']:5.0%}  {status['images'] / 1000:.1f} {unit}  {status['elapsed']:.0f} s, "
        f"{eta}{status['rate'] or 0:.0f} {examples}/s"
    )


class _Log:
    """Log a line for every change of state, and every LOG_SECONDS in between."""

    def __init__(self) -> None:
        self.state, self.due = "", 0.0

    def __call__(self, status: dict[str, Any]) -> None:
        now = time.monotonic()
        if status["state"] != self.state or now >= self.due:
            self.state, self.due = status["state"], now + LOG_SECONDS
            print(
                f"{time.strftime('%H:%M:%S')}  [{self.state}] {progress(status)}  {status['device']}",
                flush=True,
            )


def _show(status: dict[str, Any]) -> None:
    """Print the progress in one line of the terminal, over the previous one."""
    text = progress(status)
    end = "\n" if status["state"] != "running" or not sys.stderr.isatty() else ""
    print(
        "\r" * sys.stderr.isatty() + f"{text}  {status['device']}  [{status['state']}]",
        end=end,
        file=sys.stderr,
        flush=True,
    )


def _train(
    path: Path,
    anew: bool,
    place: str | None = None,
    more: float | None = None,
    cap: int | None = None,
    mirror: str | None = None,
) -> None:
    """Train the run in a directory.

    `place` is the current path of its data, or its name on the Hub with `cap`. `anew` deletes the model
    first. `more` is added to its budget. `mirror` is the place of a job's mirror, where rank 0 brings the run
    from.
    """
    from gan.mirror.jobs.inside import mirrored, take_token
    from gan.train.parallel.team import join, leave
    from gan.worker.ranks import follow, leading
    from gan.worker.worker import be_nice

    be_nice()
    team = join()
    if team.first:
        with leading(team), mirrored(path, mirror) if mirror else contextlib.nullcontext():
            _lead(path, anew, place, more, cap, team)
    else:
        if mirror:
            take_token()
        follow(path, team)
    leave()


def _lead(
    path: Path, anew: bool, place: str | None, more: float | None, cap: int | None, team: "Team"
) -> None:
    """Train the run as rank 0 of its team, or alone."""
    from gan.train.checkpoint import has_state
    from gan.worker.alone import refuse_second_worker
    from gan.worker.growth import settle
    from gan.worker.run_dir import read_config
    from gan.worker.worker import work

    before = read_config(path)  # raises UserError, and touches nothing, if this version can't read the run
    kind = get_kind(before.kind)
    if place is not None:
        place = _find(kind, place, cap, dataclasses.asdict(before))
    elif cap is not None:
        raise UserError("hub.set_cap_alone")
    if anew or more is not None:
        refuse_second_worker(path)
        settle(path)
        before = read_config(path)
    if more is not None:
        state = read_object(path / "status.json").get("state")
        if state != "finished":
            raise UserError("runs.cant_more", state=state)
        extend(path, before, more)
    start_from = getattr(before, "start_from", "")  # runs on images have it
    missing = bool(start_from) and not read_record(path) and (anew or not has_state(path / "state"))
    # a run of a server has its copy from there, and a visitor's may name a private model of the owner's
    if missing and not (path / marks.FILE).exists():
        pull_missing(start_from)
        bring(path, start_from)
    if anew:
        found = kind.locate(path, place or before.data, has_state(path / "state"))
        config = dataclasses.replace(before, data=found)
        # raises UserError if the run could not restart
        engine = kind.load_engine()
        engine.check(before, engine.load(config))
        disk.empty(path)
        (path / "status.json").unlink(missing_ok=True)
    with tracking(path):
        state = work(path, _show if team.size == 1 else _Log(), place, team)
    print(f"{path}: {state}")


def _train_in_job(path: Path, on: list[str], mirror: str | None, image: str | None) -> None:
    from gan.cli.job import HF_JOB, train_in_job

    if on[0] != HF_JOB:
        raise UserError("jobs.elsewhere", name=on[0][:60])
    print(f"{path}: {train_in_job(path, on[1], mirror, image, _show)}")


def _wait_as_spare() -> None:
    """Import and warm up everything a run needs, read a run directory from standard input, and train it.

    With "prepare" it only decodes the data of the run, and writes its first checkpoint.
    The output goes to the run's log.
    """
    from gan import data
    from gan.train.autotune.measure import measure_when_quiet
    from gan.worker.leased import prepare
    from gan.worker.worker import be_nice, warm_up, work

    be_nice()
    warm_up()
    print("ready", flush=True)
    lines, called = [], threading.Event()

    def listen() -> None:
        lines.append(sys.stdin.readline())
        called.set()

    threading.Thread(target=listen, name="listen", daemon=True).start()
    measure_when_quiet(called.wait)
    if not called.is_set():
        # The first drawing of the landscapes takes seconds on a machine; later loads come from the cache.
        with contextlib.suppress(UserError):
            data.load("landscapes")
    called.wait()
    if not lines[0].strip():
        return
    asked = json.loads(lines[0])
    path = Path(asked["run_dir"])
    log = os.open(path / "worker.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(log, 1)
    os.dup2(log, 2)
    with tracking(path):
        (prepare if asked["prepare"] else work)(path, _Log())


def main(arguments: list[str] | None = None) -> int:
    """Train and return the exit status: 0, or 2 after an error that the user can correct."""
    console.prepare()
    kind = _kind_named(arguments)
    parser = _parser(get_kind(kind))
    options = vars(parser.parse_args(arguments))
    run_dir, out, spare, anew, more, cap, on, mirror, image = (
        options.pop(name)
        for name in ("run_dir", "out", "spare", "anew", "more", "cap", "on", "mirror", "image")
    )
    try:
        if spare:
            _wait_as_spare()
        elif run_dir is None and anew:
            parser.error("--anew needs the RUN_DIR of a run")
        elif more is not None and (run_dir is None or anew):
            parser.error("--more needs the RUN_DIR of a finished run, without --anew")
        elif on and (anew or more is not None or (run_dir is not None and options)):
            parser.error("--on starts a run, or resumes RUN_DIR as it is")
        elif mirror and not on and (run_dir is None or options):
            parser.error("--mirror needs the RUN_DIR of a run, or --on")
        elif run_dir is not None and (out or options.keys() - {"data"}):
            raise UserError("train.two_ways", path=run_dir)
        elif mirror and not on:
            _train(run_dir, anew=False, mirror=mirror)
        elif on and run_dir is not None:
            _train_in_job(run_dir, on, mirror, image)
        elif run_dir is not None:
            first = not _is_restart()  # --anew and --more are obeyed already
            _train(run_dir, anew and first, options.get("data"), more if first else None, cap)
        else:
            options.pop("kind", None)
            path = new_run(options, out, kind, cap)
            _train_in_job(path, on, mirror, image) if on else _train(path, anew)
    except UserError as error:
        print(error, file=sys.stderr)
        if error.key == "train.no_sound_checkpoint":
            print(f"python -m gan train {run_dir} --anew", file=sys.stderr)
        # torchrun would only make the mistake again, except where a job's mirror can't be reached
        return 0 if "TORCHELASTIC_RUN_ID" in os.environ and not mirror else 2
    except OSError as error:
        print(
            UserError("train.cannot_write", path=run_dir or out, reason=error.strerror or error),
            file=sys.stderr,
        )
        return 2
    return 0
