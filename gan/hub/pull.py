"""Pull a generator from the Hub into the cache:  python -m gan.hub.pull NAME

Explore, commands and programs find it there. Only the files in gan.hub.folder.PULLED come, and D where the
repository has one, by name and below a limit. Nothing of a repository runs. All of them must pass
gan.hub.folder.check before the model is kept.
"""

import argparse
import shutil
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from gan import console
from gan.errors import UserError
from gan.files import read_object, write_json
from gan.hub import child
from gan.hub.client import Token, in_words, limited, open_client
from gan.hub.folder import CONFIG, DISCRIMINATOR, LIMITS, PULLED, check, too_large
from gan.hub.staging import alone, staging
from gan.latent import catalogue
from gan.latent.catalogue import HUB_ID, PULLED_RECORD, Entry, pulled_folder, pulled_id, pulled_root
from gan.runs.processes import tell

if TYPE_CHECKING:
    from huggingface_hub import HfApi

KEPT = 20  # pulled models; the oldest are dropped
PAGE = "https://huggingface.co/"
_one = threading.Lock()  # one download of this process at a time


class Pulled(NamedTuple):
    """A pulled model: its id, its folder, its commit, and the ids of the models that were dropped for it."""

    id: str
    folder: Path
    commit: str
    dropped: tuple[str, ...]


def as_id(text: str) -> str:
    """Return "hub:owner/name[@revision]" for an id, for its part after "hub:", or for a page of the Hub.

    Raises UserError for anything else.
    """
    model_id = f"hub:{text.strip().removeprefix(PAGE).removeprefix('hub:').rstrip('/')}"
    pulled_folder(model_id)
    return model_id


def pull(
    text: str,
    token: Token = None,
    root: Path | None = None,
    client: "HfApi | None" = None,
) -> Pulled:
    """Pull the newest commit of a model into `root`, by default `pulled_root()`. Imports torch.

    text: see `as_id`. token: False for anonymous requests, None for the saved token. A model that is already
    here at that commit is not downloaded again. Raises UserError, and then leaves nothing behind.
    """
    model_id, root = as_id(text), root or pulled_root()
    target, api = root / pulled_folder(model_id), client or open_client(token)
    with _one, in_words(model_id):
        commit, files = _look(api, model_id)
        public = api.token is False or _is_public(model_id, commit)
        record = {"model": model_id, "commit": commit, "pulled": time.time(), "public": public}
        with staging(root) as here:
            while (dropped := _settle(root, target, record, files, here)) is None:
                _download(api, model_id, commit, files, here)
                check(here / "model", model_id, DISCRIMINATOR in files)
            return Pulled(model_id, target, commit, dropped)


def find(place: str, snapshot: str | None = None) -> Entry:
    """Return the generator of a run, a checkpoint, a shipped model, or a model of the Hub by its id.

    A model of the Hub is pulled, unless it is already here. Raises UserError.
    """
    if not place.startswith("hub:"):
        return catalogue.find(place, snapshot)
    if snapshot is not None:
        raise UserError("latent.unknown_snapshot", step=snapshot, place=place, choices="none")
    folder = pulled_root() / pulled_folder(place)
    if not folder.is_dir():
        folder = pull(place).folder
    return catalogue.read_pulled(place, folder)


def pull_missing(place: str) -> None:
    """Pull a model of the Hub by its id, unless it is already here. Raises UserError."""
    if place.startswith("hub:"):
        find(place)


def _repository(model_id: str) -> tuple[str, str | None]:
    """Return the repository and the revision in a model's id."""
    match = HUB_ID.fullmatch(model_id)
    assert match is not None
    owner, name, revision = match.groups()
    return f"{owner}/{name}", revision


def _look(api: "HfApi", model_id: str) -> tuple[str, tuple[str, ...]]:
    """Return the commit to pull and its files. Raises UserError for a file that is missing or too large."""
    from huggingface_hub.errors import RemoteEntryNotFoundError

    _, revision = _repository(model_id)
    commit, files = None, []
    for file in (*PULLED, DISCRIMINATOR):
        # All files come from the commit of the first.
        try:
            found = _head(api, model_id, file, commit or revision)
        except RemoteEntryNotFoundError:
            if file != DISCRIMINATOR:
                raise
            continue
        if found.size is None or not found.commit_hash:
            raise UserError("hub.broken", name=model_id)
        if found.size > LIMITS[file]:
            raise too_large(model_id, file)
        commit = commit or found.commit_hash
        files.append(file)
    assert commit is not None
    return commit, tuple(files)


def _head(api: "HfApi", model_id: str, file: str, revision: str | None) -> Any:
    """Return what the Hub says of a file without its content."""
    from huggingface_hub import hf_hub_url

    repository, _ = _repository(model_id)
    return api.get_hf_file_metadata(
        url=hf_hub_url(repository, file, revision=revision, endpoint=api.endpoint)
    )


def _is_public(model_id: str, commit: str) -> bool:
    """Whether the Hub gives a model to everybody. Any failure counts as no: a secret must not leak."""
    try:
        with in_words(model_id):
            _head(open_client(False), model_id, CONFIG, commit)
    except UserError:
        return False
    return True


def _download(api: "HfApi", model_id: str, commit: str, files: tuple[str, ...], here: Path) -> None:
    """Download files of a commit into the folder `here`/model. Raises UserError for a file that is larger
    than announced.
    """
    repository, _ = _repository(model_id)
    for file in files:
        api.hf_hub_download(
            repository,
            file,
            revision=commit,
            local_dir=here / "model",
            cache_dir=here / "cache",  # the user's own cache may hold files that this token can't read
            tqdm_class=limited(LIMITS[file], too_large(model_id, file)),
        )
    shutil.rmtree(here / "model" / ".cache", ignore_errors=True)  # the client's notes


def _is_here(target: Path, commit: str, files: tuple[str, ...]) -> bool:
    return read_object(target / PULLED_RECORD).get("commit") == commit and all(
        (target / file).is_file() for file in files
    )


def _settle(
    root: Path, target: Path, record: dict[str, Any], files: tuple[str, ...], here: Path
) -> tuple[str, ...] | None:
    """Move the model in `here`, if any, to its place with its record. Returns the ids that were dropped.

    None where no model is in `here`, nor at its place at this commit. Another process may have pulled it
    meanwhile. Then that one stays, because somebody may read it.
    """
    with alone(root):
        if not _is_here(target, record["commit"], files):
            if not (here / "model").exists():
                return None
            if target.exists():
                target.replace(here / "before")
            (here / "model").replace(target)
        write_json(target / PULLED_RECORD, record)
        return _drop_oldest(root, here)


def _drop_oldest(root: Path, here: Path) -> tuple[str, ...]:
    """Move the oldest models beyond KEPT into the folder `here`, which is deleted next. Returns their ids."""
    known = {pulled_id(path.name): path for path in root.iterdir() if path.is_dir()}
    listed = sorted(
        ((path.joinpath(PULLED_RECORD), model_id) for model_id, path in known.items() if model_id),
        key=lambda one: one[0].stat().st_mtime if one[0].exists() else 0.0,
        reverse=True,
    )
    for number, (origin, _) in enumerate(listed[KEPT:]):
        origin.parent.replace(here / f"dropped-{number}")
    return tuple(model_id for _, model_id in listed[KEPT:])


def main(arguments: list[str] | None = None) -> int:
    """Pull without a token, and print {"id", "dropped"} or {"error": {key, values}} as JSON.

    Returns the exit status. The page's server calls this as a process of its own, which it can end.
    """
    console.prepare()
    parser = argparse.ArgumentParser(prog="python -m gan.hub.pull", description="Pull a public model.")
    parser.add_argument("name", help="OWNER/NAME[@REVISION]")
    name = parser.parse_args(arguments).name
    child.prepare()

    def answer() -> dict[str, Any]:
        found = pull(name, token=False)
        return {"id": found.id, "dropped": found.dropped}

    return tell(answer)


if __name__ == "__main__":
    sys.exit(main())
