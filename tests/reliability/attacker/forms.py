"""List the attacker's requests with an invalid body: forms of runs, uploads, sliders, pulls and searches."""

import itertools
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from gan.ui.train import fields
from tests.reliability.attacker.raw_http import Case
from tests.reliability.attacker.valid_requests import PULLED, PULLED_SET, PUSH, run_form
from tests.reliability.damaged.cases import COMMANDS, FOREIGN, JSON, NO_FORMS, ODD, OURS

SAVE = b"directions/save?id=shipped:digits"
DRAG = b"drag?id=shipped:digits"
ROUTES = (
    b"runs", b"pictures", b"points", b"runs/arrive", b"access", b"find?id=shipped:digits", b"find/on", DRAG,
    b"drag/on", SAVE, b"pull", b"pictures/pull", b"push/begin", b"push/on",
)  # fmt: skip
SLIDERS = {"list": ["p0"], "names": {}, "hidden": []}
NO_FILES = (
    None, 7, "x", {}, [], [7], [None], ["/etc/passwd"], ["../../etc/passwd"], ["\0"], ["\ud800"],
        ["x" * 5000], ["/tmp/gradio/" + "0" * 64 + "/x.png"],
    ["/tmp/gradio/" + "0" * 64 + "/.."], ["/tmp/gradio/" + "0" * 64 + "/../../../etc/passwd"],
    ["http://127.0.0.1/x.png"], ["x"] * 2000,
)  # fmt: skip
NO_MODELS = (
    "hub:", "hub:a", "hub:../..", "hub:a/../b", "hub:a--b/c", "hub:a/b@../x", "hub:a/b@refs/pr/1",
    "hub:a/b/c", "https://evil.example/a/b", "http://127.0.0.1/a/b", "hub:a/b?x=1",
    "hub:a/b#", "hub:" + "a" * 5000 + "/b",
    PULLED,
)  # fmt: skip
WRONG = {
    "data": (None, 7, [], {}, "", "../x", "/etc", "own/..", "\0", "x" * 1000, "👾", "\ud800"),
    "recipe": (None, 7, [], {}, "magic", "\0", "x" * 1000),
    "start": (7, [], {}, "../x", "run:..", "run:gone", "shipped:/etc", "hub:../x", "\0", "x" * 999, "\ud800"),
    "flavor": (7, [], {}, True, "t4-small", "../x", "\0", "x" * 999, "\ud800"),
    "minutes": (None, "", "1", -1, 0, 1e9, 10**400, float("inf"), float("nan"), [], True),
    "gpus": (None, "1", -1, 0, 1e9, 10**400, float("inf"), [], {}, True),
}  # fmt: skip
REBOUND = (
    (b"Host", b"evil.example:7860"),
    (b"Origin", b"http://evil.example:7860"),
    (b"Sec-Fetch-Site", b"same-origin"),
)


def forms(run: str, kept: str) -> Iterator[Case]:
    """Yield invalid requests to start and change runs.

    `kept` is the path of a file that the server stores.
    """
    for path in ROUTES:
        for body in NO_FORMS:
            yield Case("forms", OURS + path, b"POST", JSON, body)
    yield from _new_runs(kept)
    yield from _files(kept)
    yield from _sliders()
    yield from _pulls()
    yield from _pushes()
    yield from _changes(run)
    yield from _searches()
    for odd in (None, 7, [], "", "\ud800", "x" * 10_000):  # few, because each wrong token delays the next
        yield _post(b"access", {"token": odd})
    yield from _foreign(run)


def _post(path: bytes, value: Any) -> Case:
    return Case("forms", OURS + path, b"POST", JSON, json.dumps(value).encode())


def _new_runs(kept: str) -> Iterator[Case]:
    """Yield the Train form with one part changed."""
    start = run_form()
    wrong = [{name: value} for name, values in WRONG.items() for value in values]
    wrong += [{"data": kept}, *_wrong_settings(start["values"])]
    wrong += [
        {"data": data, "files": files} for data in ("own", "own-points") for files in (*NO_FILES, [kept])
    ]
    wrong += [{"data": "own", "hub": odd} for odd in (*ODD, 7, [], {}, "hub-" + "0" * 16, "hub-0/../x")]
    for change in wrong:
        yield _post(b"runs", {**start, **change})


def _wrong_settings(values: list) -> Iterator[dict]:
    """Yield the form's settings with one value of a wrong type or out of range."""
    known = fields.PARTS["images"].fields
    for place, name in enumerate(fields.keys()):
        if name not in known:  # of another kind of run, so the server ignores it
            continue
        limits = known[name].metadata
        beyond = (limits["max"] + 1, limits["min"] - 1) if "max" in limits else (12345,)
        for value in ("x" * 500, [], {}, None, -1e300, 10**400, float("nan"), *beyond):
            yield {"values": [*values[:place], value, *values[place + 1 :]]}


def _files(kept: str) -> Iterator[Case]:
    """Yield uploads that the server does not have, or not for this use."""
    for files in (*NO_FILES, [kept]):
        for route in (b"pictures", b"points", b"runs/arrive"):
            yield _post(route, {"files": files})


def _sliders() -> Iterator[Case]:
    """Yield lists of sliders that are invalid, or for an odd model."""
    wrong = (
        {"list": 7},
        {"list": ["../p0"]},
        {"list": ["p0"] * 65},
        {"list": ["p999"]},
        {"names": {"p0": "x" * 41}},
        {"hidden": None},
    )
    for change in wrong:
        yield _post(SAVE, {**SLIDERS, **change})
    for odd in ODD:
        yield _post(f"directions/save?id={quote(odd, safe='')}".encode(), SLIDERS)


def _pulls() -> Iterator[Case]:
    """Yield pulls from the Hub of what it can't have, and with a wrong number of images."""
    for odd in (*ODD, None, 7, [], {}, *NO_MODELS):
        for path in (b"pull", b"pictures/pull"):
            yield _post(path, {"id": odd})
    for odd in (None, "5", -1, 0, 1, 1.5, True, 10**9, [], {}):
        yield _post(b"pictures/pull", {"id": PULLED_SET, "cap": odd})


def _pushes() -> Iterator[Case]:
    """Yield pushes to odd places, of odd models, with odd values, and questions about no push."""
    for odd in (*ODD, None, 7, [], {}):
        yield from (_post(b"push/begin", {**PUSH, name: odd}) for name in ("id", "to", "licence"))
        yield _post(b"push/on", {"job": odd})
    for to in ("a", "a/b@main", "a/../b", "a/b/c", "https://evil.example/a/b", "a--b/c", "x" * 5000 + "/b"):
        yield _post(b"push/begin", {**PUSH, "to": to})
    for name in ("private", "with_d"):
        yield from (_post(b"push/begin", {**PUSH, name: odd}) for odd in (None, 1, "true", [], {}))


def _changes(run: str) -> Iterator[Case]:
    """Yield commands that do not exist, with odd values, to odd runs, or to a run that is over."""
    queries = [
        f"more?amount={amount}" for amount in ("", "x", "0", "-1", "1e9", "nan", "inf", "%00", "9" * 400)
    ]
    odd_factors = ("", "x", "0", "-1", "1e9", "nan", "inf", "%00", "9" * 400)
    queries += [f"adjust?name=lr_d&factor={factor}" for factor in odd_factors]
    queries += [f"adjust?factor=2&name={name}" for name in ("", "batch", "__class__", "%00", "x" * 5000)]
    queries += [f"job?flavor={flavor}" for flavor in ("", "t4-small", "x" * 400, "..%2fx", "%00")]
    names = ("burn", "", "..", "%00", "a" * 900, "delete%2f..")
    over = (command for command in COMMANDS if command != "delete")  # the server refuses these
    for name in (*queries, *names, *over):
        yield Case("forms", OURS + f"runs/{run}/{name}".encode(), b"POST")
    for odd, command in zip(ODD, itertools.cycle((*COMMANDS, "rename?name=x")), strict=False):
        yield Case("forms", OURS + f"runs/{quote(odd, safe='')}/{command}".encode(), b"POST")


def _searches() -> Iterator[Case]:
    """Yield drags of impossible points, and questions about jobs that do not exist."""
    for odd in ODD:
        for path in (b"find/on", b"drag/on"):
            yield _post(path, {"job": odd})
        yield _post(DRAG, {"pairs": [[odd, 0.5, 0.6, 0.5]]})
    for pairs in (
        [[0.5, 0.5, 0.6, 0.5]] * 9,
        [[0.5] * 4],
        [[0.5, 0.5, 1.01, 0.5]],
        [[0.5, 0.5, float("nan"), 0.5]],
        [[10**400, 0, 0, 0]],
        [[True, 0, 0, 0]],
    ):
        yield _post(DRAG, {"pairs": pairs})


def _foreign(run: str) -> Iterator[Case]:
    """Yield valid requests that come from pages of other sites."""
    body = json.dumps(run_form()).encode()
    resume = b"runs/%s/resume" % run.encode()
    for headers in FOREIGN:
        for path in (
            b"runs",
            b"pictures",
            b"points",
            resume,
            b"access/leave",
            SAVE,
            b"pull",
            b"pictures/pull",
            b"push/begin",
        ):
            yield Case("foreign sites", OURS + path, b"POST", (*JSON, *headers), body)
    for path in (b"runs", resume, b"runs/%s/rename?name=x" % run.encode(), SAVE):
        yield Case("foreign sites", OURS + path, b"POST", (*JSON, *REBOUND), body)
