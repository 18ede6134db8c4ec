"""Which generators there are: checkpoints that ship and runs, told from their small files alone. Imports no
torch and is cheap enough for every poll.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gan.data import public_name
from gan.errors import MESSAGES, UserError
from gan.files import read_object
from gan.latent.point import whole
from gan.spec import ModelSpec, read_header, read_spec

MODEL_ID = re.compile(r"(shipped|run):([a-z0-9][a-z0-9_-]{0,99})")
LIVE_STATES = ("starting", "running")
_WITHOUT_PICTURES = {
    "queued": "latent.run_queued",
    "paused": "latent.run_paused",
    "stopped": "latent.run_stopped",
}
RUN_WEIGHTS, SHIPPED_WEIGHTS = "live.safetensors", "generator.safetensors"
_PACKAGE = Path(__file__).resolve().parents[1]
# The models that ship: inside an installed package, and beside it in a checkout.
CHECKPOINTS = next(
    (path for path in (_PACKAGE / "checkpoints", _PACKAGE.parent / "checkpoints") if path.is_dir()),
    _PACKAGE / "checkpoints",
)


@dataclass(frozen=True)
class Entry:
    """One generator on disk. `version` changes whenever its weights do, or when a run stops training;
    `images` is what a run has been shown.

    `data` is the name or path of what it was trained on, "" where nobody knows, and for the server alone.
    `scored` tells how good a checkpoint is, where its card does: {"net", "title", "against", "pictures",
    "scores": {name: number}}.
    """

    id: str
    title: str
    kind: str
    live: bool
    preview: str | None
    size: int
    channels: int
    z_dim: int
    classes: tuple[str, ...]
    clusters: int
    version: str
    images: int
    weights: Path
    data: str = ""
    scored: dict[str, Any] | None = None

    def to_json(self) -> dict[str, Any]:
        """The form of GET models. `preview` is relative to our routes' prefix:
        checkpoints/<name>/preview.webp, or runs/<id>/samples/<step>.webp with a query that tells apart what a
        run drew at that step before and after it went back."""
        return {
            "id": self.id,
            "title": self.title,
            "kind": self.kind,
            "live": self.live,
            "preview": self.preview,
            "size": self.size,
            "channels": self.channels,
            "z_dim": self.z_dim,
            "classes": list(self.classes),
            "clusters": self.clusters,
            "updated": self.version,
            "scored": self.scored,
        }


class Catalogue:
    """The generators under a directory of runs and one of checkpoints. What it reads it keeps until the files
    change.
    """

    def __init__(self, runs_root: Path, checkpoints_root: Path):
        self.runs_root, self.checkpoints_root = Path(runs_root), Path(checkpoints_root)
        self._known: dict[str, tuple[tuple[str, ...], Entry | UserError]] = {}

    def entries(self) -> list[Entry]:
        """Shipped checkpoints by name, then runs that have pictures, the newest first. What can't be read is
        left out.
        """
        found = []
        for kind, names in (
            ("shipped", sorted(_folders(self.checkpoints_root))),
            ("run", sorted(_folders(self.runs_root), reverse=True)),
        ):
            for name in names:
                try:
                    found.append(self.entry(f"{kind}:{name}"))
                except UserError:
                    continue
        return found

    def entry(self, model_id: str) -> Entry:
        """One generator by id. Raises UserError for an unknown id, a run without weights yet, or weights
        whose header can't be read.
        """
        match = MODEL_ID.fullmatch(model_id)
        if match is None:
            raise UserError("latent.unknown_model", name=model_id[:120])
        kind, name = match.groups()
        folder, weights_name, read = (
            (self.runs_root / name, RUN_WEIGHTS, read_run)
            if kind == "run"
            else (self.checkpoints_root / name, SHIPPED_WEIGHTS, read_shipped)
        )
        if not folder.is_dir():
            raise UserError("latent.unknown_model", name=model_id)
        state = _state(folder, ("config.json", "status.json", "card.json", "preview.webp", weights_name))
        known = self._known.get(model_id)
        if known is None or known[0] != state:
            known = self._known[model_id] = (state, _found(read, model_id, folder))
        # a new one each time: what is raised again grows longer by what it went through
        if isinstance(known[1], UserError):
            raise UserError(known[1].key, **known[1].values)
        return known[1]

    def forget(self, model_id: str) -> None:
        """Let go of what is known of a generator that was deleted."""
        self._known.pop(model_id, None)


def _found(read: Callable[[str, Path], Entry], model_id: str, folder: Path) -> Entry | UserError:
    """What is read, or why nothing can be: runs that wait in a queue have no weights, and are asked about
    again and again.
    """
    try:
        return read(model_id, folder)
    except UserError as error:
        return error.with_traceback(None)


def read_shipped(model_id: str, folder: Path) -> Entry:
    """The checkpoint in a folder (generator.safetensors, card.json, preview.webp). Raises UserError without
    readable weights.
    """
    weights = folder / SHIPPED_WEIGHTS
    card, model = read_object(folder / "card.json"), read_model(weights)
    preview = f"checkpoints/{folder.name}/preview.webp" if (folder / "preview.webp").exists() else None
    return _entry(
        model_id,
        "shipped",
        weights,
        model,
        card.get("classes"),
        data=str(card.get("data") or folder.name),
        title=str(card.get("title") or folder.name),
        live=False,
        preview=preview,
        images=0,
        scored=read_scores(card),
    )


def read_scores(card: dict[str, Any]) -> dict[str, Any] | None:
    """`Entry.scored` of a card; None where it has none that can be shown."""
    scored, scores = card.get("scored"), card.get("scores")
    if not isinstance(scored, dict) or not isinstance(scores, dict):
        return None
    told = {name: scored.get(name) for name in ("net", "title", "against", "pictures")}
    numbers = {name: value for name, value in scores.items() if isinstance(value, (int, float))}
    return (
        {**told, "scores": numbers} if all(isinstance(value, (str, int)) for value in told.values()) else None
    )


def read_run(model_id: str, folder: Path, snapshot: Path | None = None) -> Entry:
    """The newest generator of a run's folder, or that of a snapshot's file. Raises UserError where it has
    none yet or its header can't be read.
    """
    weights = snapshot or folder / RUN_WEIGHTS
    status, config = read_object(folder / "status.json"), read_object(folder / "config.json")
    if not weights.exists():
        raise _no_pictures(folder, status)
    step, images = status.get("sample_step"), status.get("images")
    return _entry(
        model_id,
        "run",
        weights,
        read_model(weights),
        status.get("classes"),
        data=str(config.get("data") or ""),
        title=_run_title(folder.name, config),
        live=status.get("state") in LIVE_STATES,
        preview=_newest_grid(folder, step) if isinstance(step, int) else None,
        images=images if isinstance(images, int) else 0,
    )


def why_failed(error: dict[str, Any] | None) -> str:
    """The sentence of a failed run's `error`, that of a defect where it is no UserError: an exception's own
    words are for who reads the log.
    """
    return str(error.get("text")) if error and error.get("key") else MESSAGES["runs.defect"]


def _no_pictures(folder: Path, status: dict[str, Any]) -> UserError:
    """Why a run has no weights to draw with: what its status says."""
    state, error = status.get("state"), status.get("error")
    if state == "failed" and isinstance(error, dict):
        return UserError("latent.run_failed", name=folder.name, reason=why_failed(error))
    if status.get("step") and state not in LIVE_STATES:
        return UserError("latent.run_lost", name=folder.name, file=RUN_WEIGHTS)
    if not status:
        return UserError("latent.run_unborn", name=folder.name, path=folder)
    return UserError(_WITHOUT_PICTURES.get(str(state), "latent.not_yet"), name=folder.name)


def _newest_grid(folder: Path, step: int) -> str:
    name = f"{step:08d}.webp"
    return f"runs/{folder.name}/samples/{name}?v={stamp(folder / 'samples' / name)}"


def read_model(path: Path) -> ModelSpec:
    """The spec in a weights file, without loading its tensors. Raises UserError where it is missing or
    damaged.
    """
    try:
        return read_spec(read_header(path)[1])
    except (OSError, ValueError) as error:
        raise UserError("models.damaged", path=path, reason=type(error).__name__) from error


def class_names(names: Any, num_classes: int) -> tuple[str, ...]:
    """One name a class; the numbers from 0 where `names` (of a card or a status) are not as many as the model
    has classes.
    """
    if isinstance(names, list) and len(names) == num_classes:
        return tuple(map(str, names))
    return tuple(map(str, range(num_classes)))


def _entry(
    model_id: str,
    kind: str,
    weights: Path,
    model: ModelSpec,
    names: Any,
    *,
    data: str,
    title: str,
    live: bool,
    preview: str | None,
    images: int,
    scored: dict[str, Any] | None = None,
) -> Entry:
    version = stamp(weights) + ("-live" if live else "")
    return Entry(
        model_id,
        title,
        kind,
        live,
        preview,
        model.size,
        model.channels,
        model.z_dim,
        class_names(names, model.num_classes),
        model.clusters,
        version,
        images,
        weights,
        data,
        scored,
    )


def _run_title(name: str, config: dict[str, Any]) -> str:
    """Data, recipe and start of a run whose id begins with YYYYMMDD-HHMMSS."""
    started = re.match(r"\d{4}(\d\d)(\d\d)-(\d\d)(\d\d)\d\d-", name)
    if started is None or not config:
        return name
    month, day, hour, minute = started.groups()
    return f"{public_name(str(config.get('data')))} · {config.get('recipe')} · {month}-{day} {hour}:{minute}"


def _folders(root: Path) -> list[str]:
    try:
        return [path.name for path in root.iterdir() if path.is_dir()]
    except OSError:
        return []


def _state(folder: Path, names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(stamp(folder / name) for name in names)


def stamp(path: Path) -> str:
    """Modification time and size of a file, hexadecimal; empty where it is missing."""
    try:
        facts = path.stat()
    except OSError:
        return ""
    return f"{facts.st_mtime_ns:x}-{facts.st_size:x}"


def find(place: str, snapshot: str | None = None) -> Entry:
    """The generator at a run's directory, a checkpoint's directory, or of a shipped name; for a run also that
    of one snapshot's step. Raises UserError.
    """
    folder = Path(place)
    is_checkpoint = any((folder / name).exists() for name in (SHIPPED_WEIGHTS, "card.json"))
    if not is_checkpoint and any((folder / name).exists() for name in (RUN_WEIGHTS, "config.json")):
        weights = None if snapshot is None else _snapshot(folder, snapshot)
        return read_run(f"run:{folder.name}", folder, weights)
    shipped = sorted(path.parent.name for path in CHECKPOINTS.glob(f"*/{SHIPPED_WEIGHTS}"))
    folder = CHECKPOINTS / place if place in shipped else folder
    if not is_checkpoint and place not in shipped:
        raise UserError("latent.unknown_place", place=place, choices=", ".join(shipped) or "none")
    if snapshot is not None:
        raise UserError("latent.unknown_snapshot", step=snapshot, place=place, choices="none")
    return read_shipped(f"shipped:{folder.name}", folder)


def _snapshot(folder: Path, text: str) -> Path:
    """The weights of a step. Raises UserError where there are none."""
    steps = {
        int(path.stem): path for path in (folder / "snapshots").glob("*.safetensors") if path.stem.isdigit()
    }
    step = whole(text, "--snapshot", 0, 10**12)
    if step not in steps:
        raise UserError(
            "latent.unknown_snapshot",
            step=step,
            place=folder,
            choices=", ".join(map(str, sorted(steps))) or "none",
        )
    return steps[step]
