"""Push a generator to the Hub: a checkpoint's files, its ONNX, and a model card."""

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from gan.errors import UserError
from gan.files import read_json, write_bytes
from gan.hub.client import in_words, open_client, saved_token
from gan.hub.folder import CARD, CONFIG, DISCRIMINATOR, GENERATOR, ONNX, PREVIEW, README, check
from gan.hub.model_card import model_card
from gan.latent.catalogue import pulled_folder, read_shipped

if TYPE_CHECKING:
    from huggingface_hub import HfApi

OURS = (CONFIG, CARD, GENERATOR, PREVIEW, ONNX, README, DISCRIMINATOR)
THEIRS = (".gitattributes", ".gitignore")  # files that the Hub adds to a new repository
# With a token, the Hub says "not found" for what the token may not see or write.
_OF_A_PUSH = dict.fromkeys(("hub.unknown", "hub.gated"), "hub.forbidden")


def push(
    checkpoint: Path,
    repository: str,
    private: bool = False,
    with_d: bool = False,
    client: "HfApi | None" = None,
) -> str:
    """Push a checkpoint's directory to the repository "owner/name". Returns the address of its page.

    private: create a private repository. with_d: send discriminator.safetensors too; without it, the push
    removes one that an earlier push sent. The token is the saved one, or HF_TOKEN. An existing repository
    gets a new commit, but only if it holds nothing but files of a generator.

    Raises UserError for a bad name, a damaged checkpoint, a missing token, and every refusal of the Hub.
    Imports torch.
    """
    pulled_folder(f"hub:{repository}")
    if "@" in repository:  # a push goes to the main branch
        raise UserError("hub.bad_id", name=repository)
    api = client or open_client(saved_token())
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        stage(checkpoint, folder, repository, with_d)
        with in_words(repository, _OF_A_PUSH):
            page = api.create_repo(repository, private=private or None, exist_ok=True)
            _check_repository(api, repository, private)
            api.upload_folder(
                repo_id=repository,
                folder_path=folder,
                commit_message="Push from GANarium",
                # An old D beside new weights would be another model's.
                delete_patterns=None if with_d else [DISCRIMINATOR],
            )
    return str(page)


def stage(checkpoint: Path, folder: Path, repository: str, with_d: bool) -> None:
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
    card = model_card(read_json(folder / CARD), repository, with_d)
    write_bytes(folder / README, card.encode())


def _onnx(folder: Path) -> bytes:
    from gan.export.card import onnx_facts
    from gan.export.onnx import generator_onnx
    from gan.models import load_generator

    facts = onnx_facts(read_shipped("shipped:pushed", folder))
    return generator_onnx(*load_generator(folder / GENERATOR), facts)


def _check_repository(api: "HfApi", repository: str, private: bool) -> None:
    """Raise UserError for a repository that holds something else, or that is public against the wish."""
    info = api.model_info(repository)
    if private and info.private is False:
        raise UserError("hub.public", name=repository)
    strange = [file.rfilename for file in info.siblings or () if file.rfilename not in (*OURS, *THEIRS)]
    if strange:
        raise UserError("hub.other_repository", name=repository, file=strange[0][:120])
