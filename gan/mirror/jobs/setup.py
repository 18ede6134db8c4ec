"""Find what jobs need: the image that they start from, a token, and the place of the mirror."""

import os
import re

from gan.errors import UserError
from gan.mirror.jobs.hub import JobsHub
from gan.mirror.jobs.jobs import Jobs
from gan.mirror.mirror import TOKEN, VARIABLE, Mirror
from gan.mirror.remote import Remote, open_remote
from gan.runs.store import Store

IMAGE = "GANARIUM_JOB_IMAGE"
_PLAIN = re.compile(r"[A-Za-z0-9][\w./:@-]{0,250}", re.ASCII)


def find_image(given: str | None = None) -> str | None:
    """Return the image for jobs: the given one, $GANARIUM_JOB_IMAGE, this Space's own, or None.

    Raises UserError for a text that names none.
    """
    space = os.environ.get("SPACE_ID", "").strip()
    image = (given or os.environ.get(IMAGE, "")).strip() or (f"hf.co/spaces/{space}" if space else "")
    if image and not _PLAIN.fullmatch(image):
        raise UserError("jobs.bad_image", text=image[:100])
    return image or None


def find_jobs(store: Store, mirror: Mirror | None) -> Jobs | None:
    """Return the jobs of a server, or None without a mirror and an image. Raises UserError as above."""
    image = find_image()
    if mirror is None or image is None:
        return None
    return Jobs(store, mirror, JobsHub(mirror.remote.owner, mirror.remote.token), image)


def remote_of_terminal(given: str | None) -> Remote:
    """Return the place for a command: the given one, or $GANARIUM_MIRROR. Raises UserError.

    The token is $HF_TOKEN, or the one that “hf auth login” saved.
    """
    place = (given or os.environ.get(VARIABLE, "")).strip()
    if not place:
        raise UserError("jobs.no_place", variable=VARIABLE)
    token = os.environ.pop(TOKEN, "").strip() or _saved_token()
    if not token:
        raise UserError("jobs.no_token", variable=TOKEN)
    return open_remote(place, token)


def _saved_token() -> str:
    from huggingface_hub import get_token

    return get_token() or ""
