"""Push a generator to the Hub: a checkpoint's files, its ONNX, and a model card.

The page's server pushes in a process of its own:  python -m gan.hub.push
"""

import argparse
import contextlib
import json
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gan import console
from gan.errors import UserError
from gan.export.card import OWN_LICENCE
from gan.files import read_json, read_object, write_bytes
from gan.hub import child
from gan.hub.client import in_words, open_client, saved_token
from gan.hub.folder import CARD, CONFIG, DISCRIMINATOR, GENERATOR, ONNX, PREVIEW, README, check
from gan.hub.model_card import OWN_LICENCES, model_card
from gan.latent.catalogue import Entry, pulled_folder, read_shipped
from gan.runs.processes import tell

if TYPE_CHECKING:
    from huggingface_hub import HfApi

OURS = (CONFIG, CARD, GENERATOR, PREVIEW, ONNX, README, DISCRIMINATOR)
COUNT = "2000"  # samples for the scores, as the command has it
THEIRS = (".gitattributes", ".gitignore")  # files that the Hub adds to a new repository
# With a token, the Hub says "not found" for what the token may not see or write.
_OF_A_PUSH = dict.fromkeys(("hub.unknown", "hub.gated"), "hub.forbidden")


def push(
    checkpoint: Path,
    repository: str,
    private: bool = False,
    with_d: bool = False,
    client: "HfApi | None" = None,
    licence: str | None = None,
) -> str:
    """Push a checkpoint's directory to the repository "owner/name". Returns the address of its page.

    private: create a private repository. with_d: send discriminator.safetensors too; without it, the push
    removes one that an earlier push sent. licence: see `check_licence`. The token is that of `client`, else
    the saved one, or HF_TOKEN. An existing repository gets a new commit, but only if it holds nothing but
    files of a generator.

    Raises UserError for a bad name, a damaged checkpoint, a missing token, and every refusal of the Hub.
    Imports torch.
    """
    check_name(repository)
    api = client or open_client(saved_token())
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        stage(checkpoint, folder, repository, with_d, licence)
        page = _open_repository(api, repository, private)
        with in_words(repository, _OF_A_PUSH):
            api.upload_folder(
                repo_id=repository,
                folder_path=folder,
                commit_message="Push from GANarium",
                # An old D beside new weights would be another model's.
                delete_patterns=None if with_d else [DISCRIMINATOR],
            )
    return page


def push_run(
    run: Path,
    repository: str,
    scoring: argparse.Namespace,
    private: bool = False,
    with_d: bool = False,
    client: "HfApi | None" = None,
    licence: str | None = None,
    told: Callable[[str], None] = lambda stage: None,
) -> str:
    """Score and export a finished run, and push it as `push` does. Returns the address of its page.

    scoring: "title", "real", "net" and "count", as gan.export.checkpoint.export takes them. told: gets
    "score" and "upload" when these begin. The scores take a minute, so a wrong token and a repository of
    something else are told before. The repository is made last: a push that fails here leaves none behind.
    """
    from gan.export.checkpoint import export, export_discriminator, make_card

    check_name(repository)
    api = client or open_client(saved_token())
    check_licence(make_card(run, ""), licence)
    _look_at_repository(api, repository, private)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        if with_d:
            export_discriminator(run, folder / DISCRIMINATOR)
        told("score")
        export(run, folder, scoring)
        told("upload")
        return push(folder, repository, private, with_d, api, licence)


def check_name(repository: str) -> None:
    """Raise UserError for anything else than "owner/name"."""
    pulled_folder(f"hub:{repository}")
    if "@" in repository:  # a push goes to the main branch
        raise UserError("hub.bad_id", name=repository)


def may_choose(card: dict[str, Any]) -> bool:
    """Whether one may choose the licence of a model: that of a known data set stays."""
    return card.get("data_licence") == OWN_LICENCE


def check_licence(card: dict[str, Any], licence: str | None) -> None:
    """Raise UserError for a licence that may not be chosen.

    licence: the Hub's identifier, None for the licence of the images.
    """
    if licence is None:
        return
    if not may_choose(card):
        raise UserError("hub.licence_known", licence=str(card.get("data_licence"))[:200])
    if licence not in OWN_LICENCES:
        raise UserError("hub.licence", name=licence[:40], choices=", ".join(OWN_LICENCES))


def files(with_d: bool) -> list[str]:
    """Return the names of the files that a push sends, the card first."""
    sent = [README, GENERATOR, ONNX, PREVIEW, CONFIG, CARD]
    return [*sent, DISCRIMINATOR] if with_d else sent


def draft(
    entry: Entry, title: str, repository: str, with_d: bool, licence: str | None
) -> tuple[str, dict[str, Any]]:
    """Return the README.md that a push would send for a run or a shipped model, and the facts it is made of.

    The scores of a run are missing, because a push measures them. Raises UserError for a run that can't be
    exported, and as `check_licence` does. Imports torch for a run.
    """
    folder = entry.weights.parent
    if entry.kind == "run":
        from gan.export.checkpoint import make_card

        card = make_card(folder, title)
    else:
        card = read_object(folder / CARD)
    check_licence(card, licence)
    return model_card(card, repository, with_d, licence), card


def stage(checkpoint: Path, folder: Path, repository: str, with_d: bool, licence: str | None = None) -> None:
    """Write to `folder` what a push sends. Raises UserError for a damaged checkpoint, or a missing D."""
    if with_d and not (checkpoint / DISCRIMINATOR).is_file():
        raise UserError("hub.no_d", path=checkpoint)
    for file in (CONFIG, CARD, GENERATOR, PREVIEW, *((DISCRIMINATOR,) if with_d else ())):
        try:
            shutil.copyfile(checkpoint / file, folder / file)
        except OSError as error:
            raise UserError("export.not_a_checkpoint", path=checkpoint, file=file) from error
    check(folder, str(checkpoint), with_d)  # what can't be pulled is not pushed
    write_bytes(folder / ONNX, _onnx(folder))
    card = read_json(folder / CARD)
    check_licence(card, licence)
    write_bytes(folder / README, model_card(card, repository, with_d, licence).encode())


def _onnx(folder: Path) -> bytes:
    from gan.export.card import onnx_facts
    from gan.export.onnx import generator_onnx
    from gan.models import load_generator

    facts = onnx_facts(read_shipped("shipped:pushed", folder))
    return generator_onnx(*load_generator(folder / GENERATOR), facts)


def _look_at_repository(api: "HfApi", repository: str, private: bool) -> None:
    """Raise UserError for a wrong token, and as `_check_repository` does if the repository exists."""
    from huggingface_hub.errors import RepositoryNotFoundError

    with in_words(repository, _OF_A_PUSH), contextlib.suppress(RepositoryNotFoundError):
        _check_repository(api, repository, private)


def _open_repository(api: "HfApi", repository: str, private: bool) -> str:
    """Make sure that the repository exists and may take a generator. Returns the address of its page."""
    with in_words(repository, _OF_A_PUSH):
        page = api.create_repo(repository, private=private or None, exist_ok=True)
        _check_repository(api, repository, private)
    return str(page)


def _check_repository(api: "HfApi", repository: str, private: bool) -> None:
    """Raise UserError for a repository that holds something else, or that is public against the wish."""
    info = api.model_info(repository)
    if private and info.private is False:
        raise UserError("hub.public", name=repository)
    strange = [file.rfilename for file in info.siblings or () if file.rfilename not in (*OURS, *THEIRS)]
    if strange:
        raise UserError("hub.other_repository", name=repository, file=strange[0][:120])


def main(arguments: list[str] | None = None) -> int:
    """Push as the JSON object on stdin says. Returns the exit status.

    It has the arguments of `push`: "folder" is the directory of a checkpoint, or of a run if "run" is true,
    and "title" is for a run. "token" comes this way too, because other programs can read the environment and
    the command line of a process. Prints {"stage"} as JSON, one a line, and at last {"address"} or {"error":
    {key, values}}.
    """
    console.prepare()
    description = "Push a generator, as a JSON object on standard input says."
    argparse.ArgumentParser(prog="python -m gan.hub.push", description=description).parse_args(arguments)
    asked = json.loads(sys.stdin.buffer.read())
    child.prepare()
    return tell(lambda: {"address": _as_asked(asked)})


def _as_asked(asked: dict[str, Any]) -> str:
    client = open_client(asked["token"])
    folder, repository = Path(asked["folder"]), asked["repository"]
    how = asked["private"], asked["with_d"], client, asked["licence"]
    if not asked["run"]:
        _say("upload")
        return push(folder, repository, *how)
    scoring = argparse.Namespace(title=asked["title"], real=None, net=None, count=COUNT)
    return push_run(folder, repository, scoring, *how, _say)


def _say(stage: str) -> None:
    print(json.dumps({"stage": stage}), flush=True)


if __name__ == "__main__":
    sys.exit(main())
