"""Push generators to the Hub in child processes, one at a time, each with the token of who asked for it.

A token goes to the child through its standard input, and is forgotten with the push. A visitor of a Space has
the token of their own sign-in. On a page that only this machine shows, it is the saved one, or HF_TOKEN.
"""

import json
import logging
import os
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from gan.data.cache import cache_dir
from gan.errors import UserError
from gan.hub.staging import staging
from gan.runs.processes import checked
from gan.ui.server.children.processes import Children

_log = logging.getLogger(__name__)
COMMAND = (sys.executable, "-m", "gan.hub.push")
MINUTES = 15.0  # for one push: scores, files, upload
WAITING = 8  # pushes that wait or work
KEPT = 900  # seconds for which the end of a push is remembered
# Tokens of the server that a child could use instead of the one it is given.
_SERVERS_OWN = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "OAUTH_CLIENT_SECRET")
# Sentences for a token that came with a sign-in, instead of those for one that somebody saved.
OF_SIGN_IN = {"hub.bad_token": "hub.sign_in_again", "hub.forbidden": "hub.sign_in_forbids"}


@dataclass
class Push:
    """One push: who asked for it, and where it stands.

    stage: "wait", "score", "upload" or "done". address: of the repository, after a success. error: why it
    failed. until: when it is forgotten, None before its end. wanted: what the form of the person said.
    """

    who: str
    wanted: dict[str, Any]
    stage: str = "wait"
    address: str = ""
    error: UserError | None = None
    until: float | None = None


class HubPushes:
    """The pushes of one server, under unguessable names. Any thread may call the methods."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._children = Children()
        self.follow = self._children.follow
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="hub-push")
        self._pushes: dict[str, Push] = {}
        self._lock, self._clock = threading.Lock(), clock

    def start(self, who: str, asked: dict[str, Any], signed: bool, wanted: dict[str, Any]) -> str:
        """Start a push and return its name.

        who: identifies the person, who may have one push at a time. asked: what the child reads, see
        gan.hub.push.main. signed: whether the token comes from a sign-in. wanted: see `newest`. Raises
        UserError where that person has one, and where too many wait.
        """
        with self._lock:
            self._sweep()
            running = [push for push in self._pushes.values() if push.until is None]
            if any(push.who == who for push in running):
                raise UserError("hub.pushing")
            if len(running) >= WAITING:
                raise UserError("hub.many_pushes")
            name, push = secrets.token_urlsafe(16), Push(who, wanted)
            self._pushes[name] = push
            self._threads.submit(self._work, push, asked, signed)
        return name

    def newest(self, who: str, model: str) -> dict[str, Any] | None:
        """Return what a person `wanted` of their newest push and its name as "job", or None.

        That push goes on, or it was of this model and has ended.
        """
        with self._lock:
            self._sweep()
            own = [
                {**push.wanted, "job": name}
                for name, push in self._pushes.items()
                if push.who == who
                and (push.until is None or push.wanted["id"] == model)
                # whoever has signed in since is not told to do so again
                and not (push.error and push.error.key == "hub.sign_in_again")
            ]
        return own[-1] if own else None

    def state(self, name: str) -> dict[str, Any]:
        """Return {"stage", "address"} of a push. Raises UserError for one that failed, or is not known."""
        with self._lock:
            self._sweep()
            push = self._pushes.get(name)
        if push is None:
            raise UserError("hub.push_over")
        if push.error is not None:
            raise UserError(push.error.key, **push.error.values)
        return {"stage": push.stage, "address": push.address}

    def close(self) -> None:
        """Kill the running push, and begin no more."""
        self._children.close()
        self._threads.shutdown(cancel_futures=True)

    def _work(self, push: Push, asked: dict[str, Any], signed: bool) -> None:
        try:
            push.address = str(self._ask(push, asked)["address"])
        except UserError as error:
            key = OF_SIGN_IN.get(error.key, error.key) if signed else error.key
            push.error = UserError(key, **error.values)
        except Exception:
            _log.exception("a push failed")
        finally:  # the page must not wait for ever
            if not push.address and push.error is None:
                push.error = UserError("hub.push_failed", name=asked["repository"])
            push.stage, push.until = "done", self._clock() + KEPT

    def _ask(self, push: Push, asked: dict[str, Any]) -> dict[str, Any]:
        """Return what the child answers. Raises UserError."""
        name = asked["repository"]

        def told(line: Any) -> None:
            if isinstance(line, dict) and line.get("stage") in ("score", "upload"):
                push.stage = line["stage"]

        # A child that is killed leaves its files behind, so they lie in a folder of ours.
        with staging(cache_dir() / "pushes") as folder:
            own = {key: value for key, value in os.environ.items() if key not in _SERVERS_OWN}
            try:
                answer = self.follow(
                    COMMAND, 60 * MINUTES, json.dumps(asked).encode(), told, {**own, "TMPDIR": str(folder)}
                )
            except subprocess.TimeoutExpired as error:
                raise UserError("hub.push_late", name=name, minutes=round(MINUTES)) from error
            except (ValueError, RecursionError) as error:  # it was killed, or failed: the log has it
                raise UserError("hub.push_failed", name=name) from error
        return checked(answer, "hub.push_failed", name=name)

    def _sweep(self) -> None:
        now = self._clock()
        self._pushes = {
            name: push for name, push in self._pushes.items() if push.until is None or push.until > now
        }
