"""Walks a running server as an attacker would:  python -m tests.reliability.attack

Serves the page twice on runs of its own, with secrets lying about: once for everybody, once behind a teacher
token that the attacker does not have. With --url the server at that address is walked instead. Every answer
has to be a refusal (4xx) or a right answer: never a status of 500 or more, no traceback, no path of the
server and none of the secrets. Behind a token nothing may change. While IDLE requests wait for bodies that
never come, others have to be answered. Exit status 1 where anything of this is not so.
"""

import argparse
import contextlib
import itertools
import json
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from tests.reliability import cases
from tests.reliability.raw_http import TIMEOUT, Answer, Case, Wire
from tests.reliability.valid_requests import SECRET, Subject, plant
from tests.support.browsing import ROOT, serve

MANY = 1000
IDLE = 120  # connections: three times the threads that a server of ours shares for what has none of its own
PROMPT = 8.0  # seconds; idle requests are given up after ten
WANTED = (
    "",
    "config",
    "gradio_api/gan/access",
    "gradio_api/gan/catalogue",
    "gradio_api/gan/strings/zh.json",
    "gradio_api/gan/models",
    "gradio_api/gan/poll",
)
ANYBODY = (cases.OURS + b"find", cases.OURS + b"drag")  # what changes nothing
STILL_LOOKING = b'"key":"latent.finding"'
TOKEN = "a token that nobody has"
IN_NO_LOG = (TOKEN, "Exception in ASGI application", "ClientDisconnect", "failed: /")
ALWAYS = (b"Traceback (most recent call last)", b"root:x:0:0", SECRET.encode(), TOKEN.encode())
# a path of a server that we know nothing about
SOMEWHERE = re.compile(rb"/(?:home|root|tmp|opt|usr|var|proc|srv|work)/[\w.-]+")


class Prey(NamedTuple):
    """A server to walk: where it is, what it is asked about, a file that it keeps, and what it must not tell
    beside ALWAYS.
    """

    url: str
    subject: Subject
    kept: str
    places: re.Pattern[bytes]
    locked: bool


def all_cases(prey: Prey) -> list[Case]:
    """Everything there is to try, in a fixed order."""
    run = prey.subject.run
    own = (
        cases.sound(prey.subject),
        cases.outside(run),
        cases.queries(prey.subject),
        cases.forms(run, prey.kept),
        cases.names(run),
    )
    # where everybody controls they are no attack
    locked = cases.commands(run, prey.url.rstrip("/").encode()) if prey.locked else ()
    return list(
        itertools.chain(*own, locked, cases.gradio(), cases.sizes(), cases.uploads(), cases.headers())
    )


def fault(case: Case, answer: Answer, prey: Prey) -> str | None:
    """What is wrong with an answer, or None."""
    if answer.status >= 500 and not (answer.status == 503 and STILL_LOOKING in answer.body):
        return f"status {answer.status}"
    # 0: the connection was closed on what is no HTTP, or on too much of it
    if case.refused and 0 < answer.status < 400:
        return f"status {answer.status} for what should be refused"
    changes = case.method == b"POST" and not case.path.startswith(ANYBODY)
    if (
        prey.locked
        and changes
        and (answer.status == 200 or (case.group == "commands" and answer.status != 403))
    ):
        return f"status {answer.status} without the token"
    told = answer.body + repr(answer.headers).encode()
    known = next((secret for secret in ALWAYS if secret in told), None)
    if known is not None:
        return f"tells {known!r}"
    script = answer.status == 200 and case.path.startswith((b"/assets/", b"/static/"))
    # Gradio's page has to name the file that it has uploaded by its path
    stored = answer.status == 200 and case.path.startswith(cases.UPLOAD)
    place = None if script or stored else prey.places.search(answer.body)
    return f"tells the path {place[0]!r}" if place and place[0] not in case.path + case.body else None


def walk(prey: Prey, chosen: Iterable[Case], timeout: float = TIMEOUT) -> tuple[Counter, list[str]]:
    """Try cases; returns how many of each group had an answer of each class, and the faults."""
    wire, count, faults = Wire(prey.url, timeout), Counter(), []
    for case in chosen:
        try:
            answer = wire.ask(case)
            wrong = fault(case, answer, prey)
        except TimeoutError:
            answer, wrong = Answer(0, {}, b""), "no answer"
        count[case.group, f"{answer.status // 100}xx" if answer.status else "closed"] += 1
        if wrong:
            faults.append(f"{wrong}: {case}")
    return count, faults


def besiege(prey: Prey, chosen: Iterable[Case]) -> tuple[Counter, list[str]]:
    """Begin IDLE requests whose bodies never come, ask for what a page needs meanwhile, and try cases; half
    of the requests break off, the others are answered in the end."""
    kinds = cases.never_come(prey.subject.run)
    with contextlib.ExitStack() as opened:
        begun = [
            (case, opened.enter_context(Wire(prey.url).begin(case)))
            for case, _ in zip(itertools.cycle(kinds), range(IDLE), strict=False)
        ]
        count, faults = walk(
            prey, [Case("meanwhile", f"/{path}".encode(), refused=False) for path in WANTED], PROMPT
        )
        faults = [f"{fault}, while {IDLE} bodies do not come" for fault in faults]
        for _, line in begun[: IDLE // 2]:
            line.close()
        walked, wrong = walk(prey, chosen)
        for case, line in begun[IDLE // 2 :]:
            try:
                status = Wire(prey.url).answer(line, case).status
            except TimeoutError:
                faults.append(f"no answer where a body never came: {case}")
                break  # the others would take as long
            faults += [] if status in (403, 408) else [f"status {status} for a body that never came: {case}"]
    count["idle bodies", "4xx"] = IDLE
    return count + walked, faults + wrong


def state_of(prey: Prey) -> list:
    """The server's runs, their states and names, which no case may change; it has to be alive to tell."""
    answer = Wire(prey.url).ask(Case("poll", cases.OURS + b"poll"))
    return sorted((run["id"], run["state"], run["name"] or "") for run in json.loads(answer.body)["runs"])


def attack(prey: Prey, every: int = 1) -> tuple[Counter, list[str]]:
    """Walk a server; with `every`, one in so many cases of each group of more than MANY. The faults include a
    change of its runs.
    """
    tried = all_cases(prey)
    sizes = Counter(case.group for case in tried)
    before = state_of(prey)
    count, faults = besiege(
        prey, (case for number, case in enumerate(tried) if sizes[case.group] <= MANY or number % every == 0)
    )
    if state_of(prey) != before:
        faults.append(f"the runs were {before} and are {state_of(prey)}")
    return count, faults


def attack_own(folder: Path, token: str | None, every: int = 1) -> tuple[Counter, list[str]]:
    """Serve planted runs in a folder and walk the server. The faults include what should not be in its log:
    defects, and the token.
    """
    subject, kept = plant(folder / "runs")
    run = subject.run
    places = re.compile(
        b"|".join(re.escape(str(place).encode()) for place in (ROOT, folder, sys.prefix, Path.home()))
    )
    before = files_of(folder / "runs" / run)
    with serve(folder / "runs", token=token, log=folder / "server.log") as url:
        count, faults = attack(Prey(url, subject, kept, places, token is not None), every)
    changed = sorted(dict(before.items() ^ files_of(folder / "runs" / run).items()))
    faults += [f"changed in the run without the token: {changed}"] if token and changed else []
    faults += [
        f"{number} times {kind} for what the page asks for"
        for (group, kind), number in count.items()
        if group == "sound" and kind != "2xx"
    ]
    said = (folder / "server.log").read_text(errors="replace")
    return count, faults + [f"the server's log has {part!r}" for part in IN_NO_LOG if part in said]


def subject_of(url: str) -> Subject:
    """What a server that is not ours is asked about: a run that it has not, and its first model with classes
    enough.
    """
    models = json.loads(Wire(url).ask(Case("models", cases.OURS + b"models")).body)
    found = next(
        (model for model in models if len(model["classes"]) > 2),
        {"id": "shipped:digits", "updated": "", "z_dim": 64},
    )
    return Subject("20250101-000000-none", found["id"], found["updated"], found["z_dim"])


def files_of(folder: Path) -> dict[str, bytes]:
    """The files below a folder and what stands in them."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--url", help="a running server to walk; it should have been told of it")
    parser.add_argument("--locked", action="store_true", help="that server has a teacher token")
    options = parser.parse_args()
    faults: list[str] = []
    for token in (None, TOKEN) if options.url is None else (None,):
        with tempfile.TemporaryDirectory() as folder:
            if options.url is None:
                print("Behind a teacher token:" if token else "Open to everybody:", flush=True)
                count, found = attack_own(Path(folder), token)
            else:
                count, found = attack(
                    Prey(options.url, subject_of(options.url), "/etc/passwd", SOMEWHERE, options.locked)
                )
        for group in dict.fromkeys(group for group, _ in count):
            answers = {kind: number for (of, kind), number in sorted(count.items()) if of == group}
            print(
                f"  {group}: {sum(answers.values())} requests, "
                + ", ".join(f"{number} {kind}" for kind, number in answers.items())
            )
        print(f"  {count.total()} requests, {len(found)} faults", flush=True)
        faults += found
    print(*faults[:100], sep="\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
