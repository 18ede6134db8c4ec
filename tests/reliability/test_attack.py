"""Short versions of attack.py and fuzz.py."""

from math import inf
from urllib.parse import unquote

import pytest
from starlette.applications import Starlette
from starlette.datastructures import QueryParams
from starlette.routing import Match, Route
from starlette.testclient import TestClient

from gan.latent.catalogue import CHECKPOINTS
from gan.runs.supervisor import Supervisor
from gan.ui.api import gate
from gan.ui.page import launch_options
from gan.ui.server.children.hub_pushes import Push
from gan.ui.server.people.access import Access
from gan.ui.server.people.sign_in import PATHS, VARIABLES
from gan.ui.server.requests.http import PREFIX
from gan.ui.server.services import Services
from tests.fakes.hub import Repository, fake_hub
from tests.reliability.attack import SOMEWHERE, TOKEN, VISITOR, Prey, all_cases, attack_own, waiting_run
from tests.reliability.attacker.valid_requests import (
    PULLED,
    PULLED_SET,
    PUSH,
    PUSHED,
    asked,
    picture,
    plant,
    told,
)
from tests.reliability.damaged import cases
from tests.reliability.damaged.cases import COMMANDS
from tests.reliability.fuzz import TARGETS, fuzz
from tests.support.page.browsing import SPACE
from tests.support.page.visiting import Signed, info

# Where there are thousands of cases, one in EVERY runs. A prime, so that every kind of case occurs.
EVERY = 41
CASES = 150
TOKEN_OF_OURS = "a token of the teacher"


@pytest.mark.parametrize("token", [None, TOKEN, VISITOR], ids=["open", "locked", "space"])
def test_an_attacker_gets_refusals_and_right_answers(token, tmp_path):
    for needed in ("spaces", "authlib") if token == VISITOR else ():
        pytest.importorskip(needed)
    count, faults = attack_own(tmp_path, token, EVERY)
    assert faults == []
    assert count["sound", "2xx"] > 25
    assert count["late", "closed"] == len(cases.late())
    kinds = {kind: number for (group, kind), number in count.items() if group == cases.CONTROL}
    # of each of three calls one direct and one queued, whose result says why; attack.py checks the sentences
    assert kinds == ({"2xx": 3, "4xx": 3} if token else {})
    if token == VISITOR:
        least = {"commands": 300, "long runs": 20, "sign-in": 200, "leases": 80}
        assert {group: count[group, "4xx"] >= number for group, number in least.items()} == dict.fromkeys(
            least, True
        )
        assert count["sign-in", "3xx"] > 100
        return
    assert count.total() > 1500
    assert count["queries", "2xx"] > 20, (
        "much of what is odd for one value is fine for another, and work is done"
    )


def test_an_attacker_knows_every_command(store):
    assert set(COMMANDS) == set(Supervisor(store)._actions)


@pytest.fixture
def planted(tmp_path):
    """The services of a server with a planted run that lends GPUs, and the run's Subject."""
    return served(tmp_path / "runs", TOKEN_OF_OURS)


def served(runs, token):
    """Return the services of a server with a teacher token or without, and the Subject of a planted run.

    Its leases end at once.
    """
    pytest.importorskip("spaces")
    from gan.ui.zero import Zero

    subject, _ = plant(runs)
    services = Services(access=Access(token))
    services.zero = Zero()
    services.zero._lend = lambda path, seconds, margin: {"state": "paused", "prepare": 0.0, "end": 0.0}
    services.open(runs)
    return services, subject


def test_an_attacker_comes_to_every_door_of_the_api(planted):
    """Its paths that the gate lets through are those that the cases name."""
    subject = planted[1]
    assert (cases.ENDPOINTS, cases.GUARDED) == (gate.PUBLIC, gate.CONTROL)
    came = {
        (case.method.decode(), case.path.partition(b"?")[0].decode("latin-1"))
        for case in all_cases(Prey("http://localhost/", subject, "/etc/passwd", SOMEWHERE, True))
    }
    ways = cases._ways(cases.ENDPOINTS + cases.GUARDED)
    events = [f"call/{name}/{cases.EVENT}" for name in cases.ENDPOINTS + cases.GUARDED]
    known = {("GET", f"/gradio_api/{path}") for path in (*cases.API_GET, *events)}
    known |= {("POST", f"/gradio_api/{path}") for path in (*cases.API_POST, *ways)}
    shut = {("POST", f"/gradio_api/call/v2/{name}") for name in cases.GUARDED}
    assert known <= came
    opened = {(method, path) for method, path in came if gate.door(method, path)}
    assert opened == known - shut


@pytest.fixture
def hub():
    """A Hub with the model and the data set that valid requests pull."""
    with fake_hub() as hub:
        digits = CHECKPOINTS / "digits"
        hub.repositories[PULLED.removeprefix("hub:")] = Repository(
            {path.name: path.read_bytes() for path in digits.iterdir()}
        )
        owner, name, folder = PULLED_SET.removeprefix("hub:").split("/")
        files = {f"{folder}/{number}.png": picture() for number in range(2)}
        hub.repositories[f"datasets/{owner}/{name}"] = Repository(files)
        yield hub


def routes_of(services: Services) -> list[Route]:
    """Return our own routes, without the mounted static files."""
    return [route for route in launch_options(services)["app_kwargs"]["routes"] if isinstance(route, Route)]


def named(route: Route, method: str) -> tuple[str, str]:
    """Return a route's method and path in the form of `Visit`."""
    return method, route.path.removeprefix(f"{PREFIX}/")


@pytest.mark.parametrize("token", [TOKEN_OF_OURS, VISITOR], ids=["locked", "space"])
def test_an_attacker_comes_to_every_route(token, monkeypatch, tmp_path):
    """On a Space these are also the routes of the sign-in."""
    visit = b"ganarium-visit=x.y" if token == VISITOR else b""
    for name, value in {**SPACE, **dict.fromkeys(VARIABLES, "x"), "SYSTEM": "spaces"}.items():
        if visit:
            monkeypatch.setenv(name, value)
            if name in VARIABLES:
                monkeypatch.setattr(f"gradio.oauth.{name}", value)  # Gradio reads them on import
    services, subject = served(tmp_path / "runs", None if visit else token)
    prey = Prey("http://localhost/", subject, "/etc/passwd", SOMEWHERE, True)
    missed = {
        named(route, method): route
        for route in routes_of(services)
        for method in (route.methods or {"GET"}) - {"HEAD"}
    }
    assert visit == b"" or {("GET", path) for path in PATHS} <= set(missed)
    for method, path in {
        (case.method.decode(), unquote(case.path.partition(b"?")[0].decode("latin-1")))
        for case in [*all_cases(prey), *(all_cases(prey._replace(visit=visit)) if visit else [])]
    }:
        if len(path) > 1000:  # the guard refuses it before routing
            continue
        scope = {"type": "http", "method": method, "path": path}
        missed = {
            name: route
            for name, route in missed.items()
            if name[0] != method or route.matches(scope)[0] != Match.FULL
        }
    assert set(missed) == set()


def test_what_is_asked_for_reaches_every_value_that_a_route_reads(planted, hub, monkeypatch, tmp_path):
    """Every route, and every value that a route reads, must be in valid_requests.py.

    The attacker and the fuzzer take them from there.
    """
    services, subject = planted
    monkeypatch.setenv("HF_ENDPOINT", hub.endpoint)
    monkeypatch.setenv("GANARIUM_CACHE", str(tmp_path / "cache"))
    read = set()

    class Watched(QueryParams):
        def __getitem__(self, name):
            read.add(name)
            return super().__getitem__(name)

        def __contains__(self, name):
            read.add(name)
            return super().__contains__(name)

        def getlist(self, name):
            read.add(name)
            return super().getlist(name)

    app = Starlette(**launch_options(services)["app_kwargs"])
    app.get_blocks = lambda: None  # Gradio's applications have it
    monkeypatch.setenv("OAUTH_SCOPES", "openid profile contribute-repos")
    services.hub_pushes.follow = lambda *_: {"address": "https://huggingface.co/ada/digits"}
    # what lies there are no images
    services.tile_looks.nearest = services.tile_looks.pairs = lambda run: {"tiles": [], "real": []}
    services.hub_pushes._pushes[PUSHED] = Push(
        "ada", PUSH, "done", "https://huggingface.co/ada/digits", None, inf
    )
    ada = {"ada": {**info("ada"), "access_token": "hf_of_ada"}}
    browser = TestClient(
        Signed(app, ada),
        headers={"X-Person": "ada"},
        raise_server_exceptions=False,
        base_url="http://localhost",
    )
    monkeypatch.setattr("starlette.requests.QueryParams", Watched)
    routes, visits = (
        routes_of(services),
        [*asked(subject), *told(subject, TOKEN_OF_OURS, waiting_run(services.store))],
    )
    for visit in visits:
        method = "GET" if visit.body is None else "POST"
        read.clear()
        reply = browser.request(method, visit.address, params=visit.query, content=visit.body)
        assert (visit.route, reply.status_code) == (visit.route, 200), reply.text[:300]
        assert b'{"error"' not in reply.content, "no stream that ends with a refusal either"
        assert (visit.route, read) == (visit.route, set(visit.query))
        met = [
            route
            for route in routes
            if route.matches({"type": "http", "method": method, "path": visit.address})[0] == Match.FULL
        ]
        assert named(met[0], method) == (method, visit.route)
    assert {named(route, method) for route in routes for method in route.methods - {"HEAD"}} == {
        ("GET" if visit.body is None else "POST", visit.route) for visit in visits
    }


@pytest.mark.parametrize("target", TARGETS)
def test_damage_is_told_in_a_sentence(target):
    assert fuzz(target, CASES) >= CASES
