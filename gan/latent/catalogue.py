"""List the generators on disk: shipped checkpoints, runs, and models that were pulled from the Hub.

The catalogue reads only small files and headers and imports no torch. It is cheap enough for every poll.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gan.data import is_named, public_name
from gan.data.cache import cache_dir
from gan.errors import MESSAGES, UserError
from gan.files import read_object
from gan.latent.point import MIXED, whole
from gan.spec import ModelSpec, read_header, read_spec

MODEL_ID = re.compile(r"(shipped|run):([a-z0-9][a-z0-9_-]{0,99})")
# Neither part holds "--", so that a folder's name gives the id back, nor begins with a dot.
_WORD = r"[A-Za-z0-9_]+(?:[.-][A-Za-z0-9_]+)*"
HUB_ID = re.compile(
    rf"hub:(?=[^@]{{3,96}}(?:@|$))({_WORD})/({_WORD})(?:@(?=.{{1,100}}$)({_WORD}))?", re.ASCII
)
MAX_TEXT = 120  # characters of a text that somebody else wrote
LIVE_STATES = ("starting", "running")
_WITHOUT_PICTURES = {
    "queued": "latent.run_queued",
    "paused": "latent.run_paused",
    "stopped": "latent.run_stopped",
}
EXPLORED = "images"  # the kind of runs whose generators the catalogue lists
PULLED_RECORD = "pulled.json"  # says where a pulled model comes from, and whether it is public
RUN_SCORES = "scores.json"  # in a run's folder: like the scores in a card, and the step of its weights
RUN_WEIGHTS, SHIPPED_WEIGHTS = "live.safetensors", "generator.safetensors"
_PACKAGE = Path(__file__).resolve().parents[1]
# Shipped models: inside an installed package, or beside the package in a checkout.
CHECKPOINTS = next(
    (path for path in (_PACKAGE / "checkpoints", _PACKAGE.parent / "checkpoints") if path.is_dir()),
    _PACKAGE / "checkpoints",
)


def pulled_root() -> Path:
    """Return the folder of the models that were pulled from the Hub."""
    return cache_dir() / "hub"


def pulled_folder(model_id: str) -> str:
    """Return the name of the folder of "hub:owner/name[@revision]". Raises UserError for another id."""
    match = HUB_ID.fullmatch(model_id)
    if match is None:
        shown = "".join(letter if letter.isprintable() else "?" for letter in model_id[:MAX_TEXT])
        raise UserError("hub.bad_id", name=shown)
    return "--".join(filter(None, match.groups()))


def pulled_id(folder: str) -> str | None:
    """Return the id of the model in a folder of `pulled_root`, or None for a name that is none."""
    owner, _, rest = folder.partition("--")
    name, _, revision = rest.partition("--")
    model_id = f"hub:{owner}/{name}" + (f"@{revision}" if revision else "")
    return model_id if HUB_ID.fullmatch(model_id) else None


def is_public(folder: Path) -> bool:
    """Whether the model in a folder of `pulled_root` was public when it was pulled."""
    return read_object(folder / PULLED_RECORD).get("public") is True


def file_name(model_id: str) -> str:
    """Return the part of a file name that identifies a model: of a pulled one, that of its folder."""
    return pulled_folder(model_id) if model_id.startswith("hub:") else model_id.partition(":")[2]


@dataclass(frozen=True)
class Entry:
    """One generator on disk.

    `version` changes when the weights change or a run stops training. `images` is the number of images that
    the run has processed. `data` is the name or path of the training data, "" if unknown. It must not leave
    the server.

    `scored` holds the scores from a checkpoint's card: {"net", "title", "against", "pictures", "scores":
    {name: number}}.
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
    shape: dict[str, Any] = field(default_factory=dict)  # settings that decide the shapes of its weights

    def to_json(self) -> dict[str, Any]:
        """The JSON object for GET models.

        `preview` is relative to the prefix of the app's routes: checkpoints/<name>/preview.webp, or
        runs/<id>/samples/<step>.webp with a query. After a rollback a run writes a second preview for the
        same step. The query tells the two apart.
        """
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
            "shape": self.shape,
            "updated": self.version,
            "scored": self.scored,
            "data": public_name(self.data) if self.data else "",
        }


class Catalogue:
    """The generators in a directory of runs, a directory of checkpoints, and one of pulled models.

    The catalogue caches each entry until one of its files changes. private: whether it lists pulled models
    that strangers can't have from the Hub.
    """

    def __init__(
        self, runs_root: Path, checkpoints_root: Path, pulled: Path | None = None, private: bool = True
    ):
        self.runs_root, self.checkpoints_root = Path(runs_root), Path(checkpoints_root)
        self.pulled_root, self.private = pulled or pulled_root(), private
        self._known: dict[str, tuple[tuple[str, ...], Entry | UserError]] = {}

    def entries(self) -> list[Entry]:
        """Shipped checkpoints and pulled models by name, then runs with weights, newest first.

        Skips unreadable entries.
        """
        ids = [f"shipped:{name}" for name in sorted(_folders(self.checkpoints_root))]
        ids += filter(None, map(pulled_id, sorted(_folders(self.pulled_root))))
        ids += [f"run:{name}" for name in sorted(_folders(self.runs_root), reverse=True)]
        found = []
        for model_id in ids:
            try:
                found.append(self.entry(model_id))
            except UserError:
                continue
        return found

    def entry(self, model_id: str) -> Entry:
        """The generator with this id.

        Raises UserError for an unknown id, a run without weights, or an unreadable header.
        """
        folder, weights_name, read = self._place(model_id)
        state = _state(
            folder, ("config.json", "status.json", "card.json", RUN_SCORES, "preview.webp", weights_name)
        )
        known = self._known.get(model_id)
        if known is None or known[0] != state:
            known = self._known[model_id] = (state, _found(read, model_id, folder))
        # Create a new exception each time: raising the cached one again would extend its traceback.
        if isinstance(known[1], UserError):
            raise UserError(known[1].key, **known[1].values)
        return known[1]

    def _place(self, model_id: str) -> tuple[Path, str, Callable[[str, Path], Entry]]:
        """The folder of a model, the name of its weights, and its reader. Raises UserError."""
        pulled, match = HUB_ID.fullmatch(model_id), MODEL_ID.fullmatch(model_id)
        if pulled:
            place = self.pulled_root / pulled_folder(model_id), SHIPPED_WEIGHTS, read_pulled
        elif match is None:
            raise UserError("latent.unknown_model", name=model_id[:MAX_TEXT])
        elif match[1] == "run":
            place = self.runs_root / match[2], RUN_WEIGHTS, read_run
        else:
            place = self.checkpoints_root / match[2], SHIPPED_WEIGHTS, read_shipped
        hidden = pulled and not self.private and not is_public(place[0])
        if hidden or not place[0].is_dir():
            raise UserError("hub.not_pulled" if pulled else "latent.unknown_model", name=model_id)
        return place

    def forget(self, model_id: str) -> None:
        """Drop the cached entry of a deleted generator."""
        self._known.pop(model_id, None)


def _found(read: Callable[[str, Path], Entry], model_id: str, folder: Path) -> Entry | UserError:
    """The entry, or the UserError that says why it can't be read.

    The catalogue caches errors too: queued runs have no weights, and every poll asks for them.
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


def read_pulled(model_id: str, folder: Path) -> Entry:
    """The model in a folder of `pulled_root`. Raises UserError as `read_shipped` does.

    A stranger wrote its card: the title is shortened, and the data are known only by the name of a set.
    """
    weights, card = folder / SHIPPED_WEIGHTS, read_object(folder / "card.json")
    data, title = card.get("data"), card.get("title")
    return _entry(
        model_id,
        "hub",
        weights,
        read_model(weights),
        card.get("classes"),
        data=data if isinstance(data, str) and is_named(data) else "",
        title=(title if isinstance(title, str) else "")[:MAX_TEXT].strip() or model_id.removeprefix("hub:"),
        live=False,
        preview=None,
        images=0,
        scored=read_scores(card),
    )


def read_scores(card: dict[str, Any]) -> dict[str, Any] | None:
    """`Entry.scored` from a card, or None if the card has no complete scores."""
    scored, scores = card.get("scored"), card.get("scores")
    if not isinstance(scored, dict) or not isinstance(scores, dict):
        return None
    facts = {name: scored.get(name) for name in ("net", "title", "against", "pictures")}
    numbers = {name: value for name, value in scores.items() if type(value) in (int, float)}
    return (
        {**facts, "scores": numbers}
        if all(isinstance(value, (str, int)) for value in facts.values())
        else None
    )


def read_run_scores(folder: Path, status: dict[str, Any]) -> dict[str, Any] | None:
    """The scores that a run's folder keeps, as `read_scores` returns them, or None.

    status: the run's. A run that has trained on since then has other weights, and no scores.
    """
    kept = read_object(folder / RUN_SCORES)
    return read_scores(kept) if kept and kept.get("step") == status.get("step") else None


def read_run(model_id: str, folder: Path, snapshot: Path | None = None) -> Entry:
    """The newest generator in a run's folder, or the generator in the file `snapshot`.

    Raises UserError if the run is of another kind, has no weights or their header is unreadable.
    """
    weights = snapshot or folder / RUN_WEIGHTS
    status, config = read_object(folder / "status.json"), read_object(folder / "config.json")
    kind = config.get("kind", EXPLORED)
    if kind != EXPLORED:
        raise UserError("latent.other_kind", name=folder.name, kind=str(kind)[:40])
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
        scored=None if snapshot else read_run_scores(folder, status),
    )


def why_failed(error: dict[str, Any] | None) -> str:
    """The sentence that explains a failed run's `error`.

    A UserError has its own text. Any other exception gets the general sentence, and its own text stays in the
    log.
    """
    return str(error.get("text")) if error and error.get("key") else MESSAGES["runs.defect"]


def _no_pictures(folder: Path, status: dict[str, Any]) -> UserError:
    """The error that explains, from the run's status, why the run has no weights."""
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
    """The spec from the header of a weights file, without its tensors. Raises UserError for a missing or
    damaged file.
    """
    try:
        return read_spec(read_header(path)[1])
    except (OSError, ValueError) as error:
        raise UserError("models.damaged", path=path, reason=type(error).__name__) from error


def class_names(names: Any, num_classes: int) -> tuple[str, ...]:
    """One name for each class.

    `names` comes from a card or a status. If its length differs from `num_classes`, the names are "0", "1",
    ….
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
        model.shape(),
    )


def _run_title(name: str, config: dict[str, Any]) -> str:
    """Data set, recipe and start time of a run whose id begins with YYYYMMDD-HHMMSS."""
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
    """Modification time and size of a file in hexadecimal; "" for a missing file."""
    try:
        facts = path.stat()
    except OSError:
        return ""
    return f"{facts.st_mtime_ns:x}-{facts.st_size:x}"


def find(place: str, snapshot: str | None = None) -> Entry:
    """The generator in a run's directory or a checkpoint's directory, or a shipped model by name.

    gan.hub.pull.find also finds a model of the Hub.

    `snapshot` is the step of a run's snapshot. Raises UserError if there is no such generator.
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
    """The weights file of the step in `text`. Raises UserError if the run has no such snapshot."""
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


def class_index(name: str | None, entry: Entry) -> int | None:
    """The index of a class, by name first and then by number; None for mixed.

    Raises UserError if the model has no such class.
    """
    if name is None or name in MIXED:
        return None
    if not entry.classes:
        raise UserError("latent.no_classes")
    if name in entry.classes:
        return entry.classes.index(name)
    if name.isascii() and name.isdigit() and int(name[:9]) < len(entry.classes):
        return int(name)
    raise UserError("latent.unknown_class", name=name, choices=", ".join(entry.classes))
