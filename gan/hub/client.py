"""Open the client of the Hub, and turn its errors into sentences.

The imports of huggingface_hub stand in functions, so that commands without the Hub start quickly.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from gan.errors import UserError

if TYPE_CHECKING:
    from huggingface_hub import HfApi

Token = str | bool | None  # a token, False for anonymous requests, None for the saved one if there is one
NO_TOKEN = 401
TIMEOUT = 30.0  # seconds without an answer; huggingface_hub itself would wait for ever
DOWN = 500  # from this status on, the fault is the Hub's
MAX_REASON = 200  # characters of the Hub's own words
# Class of an error -> key of its sentence. The most derived class in the table counts. The names stand for
# the classes, because the HTTP library behind the client changes between its versions.
_KEYS = {
    "HFValidationError": "hub.bad_id",
    "LocalTokenNotFoundError": "hub.no_token",
    "GatedRepoError": "hub.gated",
    "RepositoryNotFoundError": "hub.unknown",
    "RevisionNotFoundError": "hub.unknown_revision",
    "RemoteEntryNotFoundError": "hub.unknown_file",
    "LocalEntryNotFoundError": "hub.offline",
    "OfflineModeIsEnabled": "hub.offline",
    "TimeoutException": "hub.timeout",
    "TransportError": "hub.offline",
    "FileMetadataError": "hub.broken",
    "XetDownloadError": "hub.broken",
}
_STATUS = {
    NO_TOKEN: "hub.bad_token",
    403: "hub.forbidden",
    404: "hub.unknown",
    409: "hub.conflict",
    429: "hub.too_often",
}


def open_client(token: Token = None) -> "HfApi":
    """Return a client of the Hub at HF_ENDPOINT, or at huggingface.co without that variable.

    Without a `token` it uses the saved one, or HF_TOKEN.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.utils import disable_progress_bars, logging

    logging.set_verbosity_error()  # the client's warnings would stand beside our sentence
    disable_progress_bars()
    _limit_time()
    return HfApi(endpoint=os.environ.get("HF_ENDPOINT") or None, token=token, library_name="ganarium")


@cache
def _limit_time() -> None:
    """Limit the time of every request of huggingface_hub in this process.

    Some of its methods ask for no limit at all, so a hook on each request sets one.
    """
    from huggingface_hub import set_client_factory
    from huggingface_hub.utils._http import default_client_factory

    def limited() -> Any:
        client = default_client_factory()
        hooks = client.event_hooks
        hooks["request"].append(_set_limit)
        client.event_hooks = hooks
        return client

    set_client_factory(limited)


def _set_limit(request: Any) -> None:
    request.extensions["timeout"] = dict.fromkeys(("connect", "read", "write", "pool"), TIMEOUT)


def saved_token() -> str:
    """Return the token in HF_TOKEN, or the one that `hf auth login` saved. Raises UserError without one."""
    from huggingface_hub import get_token

    token = get_token()
    if not token:
        raise UserError("hub.no_token")
    return token


@contextmanager
def in_words(name: str, instead: Mapping[str, str] = MappingProxyType({})) -> Iterator[None]:
    """Turn the client's errors about the repository `name` into a UserError.

    No sentence holds a token. instead: keys that replace others, because one status has several meanings.
    """
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        key, values = _told(error)
        if key is None:
            raise
        raise UserError(instead.get(key, key), name=name, **values) from error


def _told(error: Exception) -> tuple[str | None, dict[str, str | int]]:
    """Return the key of an error's sentence, None for a defect of ours, and values besides the name."""
    kinds = [kind.__name__ for kind in type(error).__mro__]
    key = next((_KEYS[kind] for kind in kinds if kind in _KEYS), None)
    if key == "hub.offline" and any("Timeout" in type(cause).__name__ for cause in causes(error)):
        key = "hub.timeout"
    if key is not None:
        return key, {"file": _file(error)} if key == "hub.unknown_file" else {}
    if "HfHubHTTPError" in kinds:
        return _of_status(error)
    if isinstance(error, OSError):
        # The client raises a plain OSError for a file of another length than announced.
        return ("hub.cannot_keep", {"reason": str(error.strerror)}) if error.errno else ("hub.broken", {})
    return None, {}


def limited(size: int, error: UserError) -> type:
    """Return a progress bar for the client that shows nothing, and raises `error` beyond `size` bytes."""
    from huggingface_hub.utils import tqdm

    class Counter(tqdm):
        come = 0

        def __init__(self, *args, **options):
            super().__init__(*args, **{**options, "disable": True})

        def update(self, n: float | None = 1) -> None:
            self.come += int(n or 0)
            if self.come > size:
                raise error

    return Counter


def _of_status(error: Exception) -> tuple[str, dict[str, str | int]]:
    response = getattr(error, "response", None)
    status = getattr(response, "status_code", 0)
    asked = getattr(response, "request", None)
    sent = "" if asked is None else asked.headers.get("authorization", "").removeprefix("Bearer ")
    if status == NO_TOKEN and not sent:  # so the Hub answers for private and for missing repositories
        return "hub.unknown", {}
    if status in _STATUS:
        return _STATUS[status], {}
    if status >= DOWN:
        return "hub.down", {"status": status}
    said = str(getattr(error, "server_message", None) or "").split("\n")[0]
    if sent:
        said = said.replace(sent, "…")
    return "hub.refused", {"status": status, "reason": said[:MAX_REASON] or "no reason given"}


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and those that caused it: a failed download hides the Hub's answer behind its own."""
    while error is not None:
        yield error
        error = error.__cause__


def _file(error: Exception) -> str:
    """Return the file that a request asked for."""
    url = getattr(getattr(error, "response", None), "url", "")
    return str(url).rpartition("/")[2].partition("?")[0][:MAX_REASON]
