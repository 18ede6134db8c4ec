"""Attack a running server with invalid requests:  python -m tests.reliability.attack

Serves the page three times, on runs with planted secrets. The first server is open to everybody. The
second has a teacher token that the attacker lacks. The third is a Space with ZeroGPU and a sign-in. There the
attacker is a visitor who has signed in, and the run is another visitor's. --url attacks the server at that
URL instead.

Every answer must be a refusal (4xx) or a correct answer. These are faults:
    a status of 500 or more
    a traceback, a path of the server, or a secret in an answer
    a change of a run behind a token, or of another visitor's
    an address that leads to the attacker's site
    no answer to other requests while IDLE requests wait for bodies that never come
    a connection that stays open for a client who sends too little, and then nothing
The exit status is 1 after any fault.
"""

import argparse
import contextlib
import itertools
import json
import os
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple
from unittest import mock
from urllib.parse import parse_qs, quote, urlsplit

from starlette.requests import Request

from gan.runs import marks
from gan.runs.store import Store
from gan.ui.server.people.visitors import Visitors, find_key
from tests.fakes import gpus
from tests.fakes.provider import Provider, provider
from tests.fakes.runs import past, tiny
from tests.reliability.attacker.forms import forms
from tests.reliability.attacker.raw_http import TIMEOUT, Answer, Case, Wire
from tests.reliability.attacker.valid_requests import SECRET, Subject, plant
from tests.reliability.damaged import cases, cases_space
from tests.reliability.damaged.cases_space import SignedIn
from tests.support.inputs.parcels import write_state
from tests.support.page.browsing import ROOT, SPACE, serve, serve_program

MANY = 800
IDLE = 120  # connections: three times the threads of the server's shared pool
PROMPT = 8.0  # seconds; the server gives idle requests up after ten
WANTED = (
    "",
    "config",
    "gradio_api/gan/access",
    "gradio_api/gan/catalogue",
    "gradio_api/gan/strings/zh.json",
    "gradio_api/gan/models",
    "gradio_api/gan/poll",
)
# POSTs that may succeed for everybody: they change nothing, or check the token themselves.
ANYBODY = (
    *(cases.OURS + path for path in (b"find", b"drag", b"played")),
    *(cases.API + path for path in cases.CALLS),
)
CALLS = re.compile(re.escape(cases.API) + rb"(?:call/(?:v2/)?(\w+)|queue/join)")
# what the API says to a call of train or command that lacks the token, or on a Space the owner's sign-in
WANT = (b"This needs the teacher token.", b"Only the owner of this Space")
STILL_LOOKING = b'"key":"latent.finding"'
TOKEN = "a token that nobody has"
VISITOR = "a visitor"
MODES = {None: "Open to everybody:", TOKEN: "Behind a teacher token:", VISITOR: "A visitor of a Space:"}
IN_NO_LOG = (TOKEN, "Exception in ASGI application", "ClientDisconnect", "failed: /")
ALWAYS = (b"Traceback (most recent call last)", b"root:x:0:0", SECRET.encode(), TOKEN.encode())
# Any path of a server whose folders we don't know.
SOMEWHERE = re.compile(rb"/(?:home|root|tmp|opt|usr|var|proc|srv|work)/[\w.-]+")


class Prey(NamedTuple):
    """A server to attack.

    subject: the run and model that requests name.
    kept: the path of a file that the server stores.
    places: paths that no answer may contain, besides ALWAYS.
    locked: whether the attacker may change nothing, or on a Space nothing of others.
    visit: the cookie of a visitor of a Space, else nothing.
    signed: that visitor at the Space's sign-in. own: their run, which waits for a lease of a GPU.
    """

    url: str
    subject: Subject
    kept: str
    places: re.Pattern[bytes]
    locked: bool
    visit: bytes = b""
    signed: SignedIn = SignedIn()
    own: str = ""


def all_cases(prey: Prey) -> list[Case]:
    """Return all cases, in a fixed order."""
    run = prey.subject.run
    own = (
        cases.sound(prey.subject),
        cases.outside(run),
        cases.queries(prey.subject),
        forms(run, prey.kept),
        cases.names(run),
        cases.carried(run, prey.locked),
    )
    # On an open server, commands are no attack.
    origin = prey.url.rstrip("/").encode()
    locked = cases.commands(run, origin) if prey.locked and not prey.visit else ()
    strange = (
        (
            *cases_space.visits(run, origin, prey.visit, prey.signed),
            *cases_space.sign_ins(prey.signed),
            *cases_space.leases(prey.own, origin),
        )
        if prey.visit
        else ()
    )
    rest = (cases.gradio(), cases.api(run, prey.locked), cases.sizes(), cases.uploads(), cases.headers())
    found = itertools.chain(*own, locked, strange, *rest)
    if not prey.visit:
        return list(found)
    # Reading is the same on every server, so only what could change something comes again.
    again = ("sound", cases_space.SIGN_IN)
    return [_sent_by(prey, case) for case in found if case.method == b"POST" or case.group in again]


def _sent_by(prey: Prey, case: Case) -> Case:
    """Return a POST with the visitor's cookies. Other sites' pages don't get them, whatever their name."""
    cookie = case.method == b"POST" and case.raw is None and case.group != "foreign sites"
    known = any(name.lower() == b"cookie" for name, _ in case.headers)
    cookies = b"%s; %s" % (prey.visit, prey.signed.session)
    return case._replace(headers=(*case.headers, (b"Cookie", cookies))) if cookie and not known else case


def fault(case: Case, answer: Answer, prey: Prey) -> str | None:
    """Return the fault in an answer, or None."""
    if answer.status >= 500 and not (answer.status == 503 and STILL_LOOKING in answer.body):
        return f"status {answer.status}"
    # Status 0 is fine: the server closed the connection on what is no HTTP, or is too long.
    if case.refused and 0 < answer.status < 400:
        return f"status {answer.status} for what should be refused"
    changes = case.method == b"POST" and not case.path.startswith(ANYBODY)
    if (
        prey.locked
        and changes
        and not (prey.visit and case.path.startswith(cases.UPLOAD))
        and (answer.status == 200 or (case.group == "commands" and answer.status != 403))
    ):
        return f"status {answer.status} without the token"
    leads = urlsplit(answer.headers.get("location", ""))
    if "evil" in leads.netloc or leads.scheme not in ("", "http", "https"):
        return f"leads to {answer.headers['location'][:100]!r}"
    content = answer.body + repr(answer.headers).encode()
    known = next((secret for secret in ALWAYS if secret in content), None)
    if known is not None:
        return f"tells {known!r}"
    script = answer.status == 200 and case.path.startswith((b"/assets/", b"/static/"))
    # Gradio's upload must answer with the path of the stored file.
    stored = answer.status == 200 and case.path.startswith(cases.UPLOAD)
    place = None if script or stored else prey.places.search(answer.body)
    return f"tells the path {place[0]!r}" if place and place[0] not in case.path + case.body else None


def result_of(wire: Wire, case: Case, answer: Answer) -> Answer | None:
    """Fetch the result of a call that was queued, as its program would; None where none was."""
    called = CALLS.fullmatch(case.path)
    if case.method != b"POST" or called is None or answer.status != 200:
        return None
    if called[1] is None:
        path = b"queue/data?session_hash=" + json.loads(case.body)["session_hash"].encode()
    else:
        path = b"call/%s/%s" % (called[1], json.loads(answer.body)["event_id"].encode())
    return wire.ask(Case(case.group, cases.API + path, headers=case.headers, refused=False))


def fault_of_call(case: Case, answer: Answer, result: Answer | None, prey: Prey) -> str | None:
    """Return the fault in the result of a call, or None. All calls of control must lack the token."""
    told = answer if result is None else result
    if case.group == cases.CONTROL and not any(sentence in told.body for sentence in WANT):
        return f"no word of the token, but {told.body[:200]!r}"
    return None if result is None else fault(case._replace(refused=False), result, prey)


def walk(prey: Prey, chosen: Iterable[Case], timeout: float = TIMEOUT) -> tuple[Counter, list[str]]:
    """Send cases. Returns (group, status class) -> number of answers, and the faults."""
    wire, count, faults = Wire(prey.url, timeout), Counter(), []
    for case in chosen:
        try:
            answer = wire.ask(case)
            result = result_of(wire, case, answer)
            wrong = fault(case, answer, prey) or fault_of_call(case, answer, result, prey)
        except TimeoutError:
            answer, wrong = Answer(0, {}, b""), "no answer"
        count[case.group, f"{answer.status // 100}xx" if answer.status else "closed"] += 1
        if wrong:
            faults.append(f"{wrong}: {case}")
    return count, faults


def besiege(prey: Prey, chosen: Iterable[Case]) -> tuple[Counter, list[str]]:
    """Send cases while IDLE requests wait for bodies that never come, and others for their heads.

    Meanwhile the requests of a page must be answered in time. Half of the idle connections break off; the
    others must be answered in the end. Those without a whole head must end.
    """
    kinds, late = cases.never_come(prey.subject.run), cases.late()
    with contextlib.ExitStack() as opened:
        waiting = [(case, opened.enter_context(Wire(prey.url).begin(case))) for case in late]
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
                break  # the other connections would take as long
            faults += [] if status in (403, 408) else [f"status {status} for a body that never came: {case}"]
        faults += [f"stays open: {case}" for case, line in waiting if not Wire(prey.url).ends(line)]
    count["idle bodies", "4xx"] = IDLE
    count["late", "closed"] = len(late)
    return count + walked, faults + wrong


def state_of(prey: Prey) -> list:
    """Return the server's runs with states and names, which no case may change. This needs a live server."""
    answer = Wire(prey.url).ask(Case("poll", cases.OURS + b"poll"))
    return sorted((run["id"], run["state"], run["name"] or "") for run in json.loads(answer.body)["runs"])


def attack(prey: Prey, every: int = 1) -> tuple[Counter, list[str]]:
    """Attack a server. A change of its runs counts as a fault.

    every: send one in so many cases of each group of more than MANY.
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
    """Serve planted runs in a folder and attack the server: with a token, open, or as VISITOR of a Space.

    A defect or the token in its log counts as a fault.
    """
    subject, kept = plant(folder / "runs")
    run = subject.run
    places = re.compile(
        b"|".join(re.escape(str(place).encode()) for place in (ROOT, folder, sys.prefix, Path.home()))
    )
    if token == VISITOR:
        (folder / "runs" / run / marks.FILE).write_text("0" * 64)
    before = files_of(folder / "runs" / run)
    prey = Prey("", subject, kept, places, token is not None)
    if token == VISITOR:
        count, faults = _attack_space(folder, prey, every)
    else:
        with serve(folder / "runs", token=token, log=folder / "server.log") as url:
            count, faults = attack(prey._replace(url=url), every)
    changed = sorted(dict(before.items() ^ files_of(folder / "runs" / run).items()))
    faults += [f"changed in the run without the token: {changed}"] if token and changed else []
    faults += [
        f"{number} times {kind} for what the page asks for"
        for (group, kind), number in count.items()
        if group == "sound" and kind != "2xx"
    ]
    said = (folder / "server.log").read_text(errors="replace")
    return count, faults + [f"the server's log has {part!r}" for part in IN_NO_LOG if part in said]


def _attack_space(folder: Path, prey: Prey, every: int) -> tuple[Counter, list[str]]:
    """Serve the runs in a folder as a Space with ZeroGPU and a sign-in, and attack it as a visitor.

    No GPU is lent.
    """
    with gpus.gpus() as (service, variables), provider() as people:
        more = {**SPACE, **variables, **people.variables()}
        for _ in range(MANY):
            service.refuse(left=10, wait=600)
        log = folder / "server.log"
        with serve_program(folder / "runs", program=gpus.PROGRAM, log=log, more=more) as url:
            visit = visit_of(url)
            with mock.patch.dict(os.environ, more):  # the key of the visitors follows from the secret
                visitors = Visitors(find_key(folder / "runs"))
            own = waiting_run(Store(folder / "runs"), mark_of(visitors, visit))
            found = prey._replace(url=url, visit=visit, signed=sign_in(url, people), own=own)
            count, faults = attack(found, every)
        if not service.of("/schedule"):
            faults.append("no request for a lease came to the service")
    return count, faults


def visit_of(url: str) -> bytes:
    """Return the cookie of a new visitor of a Space, as a browser sends it."""
    return _cookie_of(Wire(url).ask(Case("access", cases.OURS + b"access")))


def _cookie_of(answer: Answer) -> bytes:
    return answer.headers["set-cookie"].partition(";")[0].encode()


def mark_of(visitors: Visitors, visit: bytes) -> str:
    """Return the mark of the browser that has this cookie."""
    scope = {"type": "http", "headers": [(b"host", b"x"), (b"cookie", visit)], "scheme": "http", "path": "/"}
    mark = visitors.mark(Request(scope))
    assert mark, "the server has another key"
    return mark


def waiting_run(store: Store, mark: str = "") -> str:
    """Add a run that waits for a lease, of the visitor with this mark. Returns its id."""

    def fill(folder: Path) -> None:
        write_state(folder)
        (folder / marks.FILE).write_text(mark)

    return past(store, tiny(), fill, state="paused", step=3, images=24)


def sign_in(url: str, people: Provider) -> SignedIn:
    """Sign in to a Space as bob, who does not own it."""
    wire, ask = Wire(url), "/login/huggingface?_target_url=/"
    answer = wire.ask(Case("", ask.encode()))
    pending = _cookie_of(answer)
    asked = {name: found[0] for name, found in parse_qs(urlsplit(answer.headers["location"]).query).items()}
    people.nonce = asked["nonce"]
    back = f"/login/callback?_target_url=/&code=code-of-bob&state={quote(asked['state'])}"
    session = _cookie_of(wire.ask(Case("", back.encode(), headers=((b"Cookie", pending),))))
    told = wire.ask(Case("", cases.OURS + b"access", headers=((b"Cookie", session),)))
    assert json.loads(told.body)["visitor"]["name"] == "bob"
    return SignedIn(session, pending, asked["state"])


def subject_of(url: str) -> Subject:
    """Return the Subject for a server that is not ours.

    It names a run that does not exist, and the first model with enough classes.
    """
    models = json.loads(Wire(url).ask(Case("models", cases.OURS + b"models")).body)
    found = next(
        (model for model in models if len(model["classes"]) > 2),
        {"id": "shipped:digits", "updated": "", "z_dim": 64},
    )
    return Subject("20250101-000000-none", found["id"], found["updated"], found["z_dim"])


def files_of(folder: Path) -> dict[str, bytes]:
    """Return path -> contents of the files below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--url", help="a running server to walk; it should have been told of it")
    parser.add_argument("--locked", action="store_true", help="that server has a teacher token")
    options = parser.parse_args()
    faults: list[str] = []
    for token in (None, TOKEN, VISITOR) if options.url is None else (None,):
        with tempfile.TemporaryDirectory() as folder:
            if options.url is None:
                print(MODES[token], flush=True)
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
