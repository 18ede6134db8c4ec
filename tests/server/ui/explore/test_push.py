"""Test pushes from the page with the real client of the Hub, against a small Hub on this machine."""

import json
import logging
import sys
import threading
import time

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.testclient import TestClient

from gan.errors import MESSAGES, UserError
from gan.files import read_json, write_json
from gan.hub import push as pushing
from gan.hub.folder import CARD, LIMITS
from gan.library import train
from gan.runs import names
from gan.train.checkpoint import NEWEST
from gan.ui.page import launch_options
from gan.ui.server.children import hub_pushes
from gan.ui.server.people import sign_in
from gan.ui.server.people.access import Access
from gan.ui.server.requests.http import PREFIX
from gan.ui.server.services import Services
from gan.worker.run_dir import read_config
from tests import ROOT
from tests.fakes.hub import NOWHERE, TOKEN, Refusal, Repository, fake_hub
from tests.support.inputs.generators import SMALL
from tests.support.page import visiting
from tests.support.page.visiting import info, key_of, visitor

ADAS = "hf_oauth_of_ada_that_nobody_may_read"
BOBS = "hf_oauth_of_bob_that_nobody_may_read"
WANTED = {"id": "shipped:digits", "to": "ada/digits", "private": False, "with_d": False, "licence": None}
MORE = "openid profile contribute-repos"
CREATE = "/api/repos/create"


@pytest.fixture(scope="module")
def server():
    with fake_hub() as hub:
        yield hub


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The directory of a run that was trained for a moment."""
    place = tmp_path_factory.mktemp("trained") / "run"
    train("digits", out=place, report=None, **SMALL)
    return place


@pytest.fixture
def hub(server, monkeypatch, tmp_path):
    """An empty Hub, on which ada and bob have accounts. This machine has a token of its owner's."""
    server.forget()
    server.people.update({ADAS: "ada", BOBS: "bob"})
    monkeypatch.setenv("HF_ENDPOINT", server.endpoint)
    monkeypatch.setenv("GANARIUM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    people = {
        "ada": {**info("ada"), "access_token": ADAS, "scope": MORE},
        "silent": {**info("ada"), "access_token": ADAS},  # the provider did not say what it granted
        "shy": {**info("ada"), "access_token": ADAS, "scope": "openid profile"},
        "bob": {**info("bob"), "access_token": BOBS, "scope": MORE},
        "gone": {**info("ada", -1), "access_token": ADAS, "scope": MORE},
    }
    monkeypatch.setattr(visiting, "PEOPLE", people)
    return server


@pytest.fixture
def services(hub, space, monkeypatch, tmp_path):
    """A Space of alice's, whose README allows the scope for a push."""
    monkeypatch.setenv("OAUTH_SCOPES", MORE)
    found = visiting.served(tmp_path / "runs")
    yield found
    found.hub_pushes.close()


@pytest.fixture
def here(services):
    """The same, with pushes in this process, because a process for each of many would take seconds."""

    def follow(command, seconds, given, told, environment=None):
        asked = json.loads(given)
        try:
            return {"address": pushing._as_asked(asked)}
        except UserError as error:
            return {"error": {"key": error.key, "values": error.values}}

    services.hub_pushes.follow = follow
    return services


def end_of(browser, reply):
    """Wait for the end of a push, and return the last answer."""
    assert reply.status_code == 200, reply.text
    for _ in range(6000):
        found = browser.post(f"{PREFIX}/push/on", json=reply.json())
        if found.status_code != 200 or found.json()["stage"] == "done":
            return found
        time.sleep(0.05)
    raise AssertionError("the push did not end")


def push(browser, **changes):
    return browser.post(f"{PREFIX}/push/begin", json={**WANTED, **changes})


def result(browser, **changes):
    return end_of(browser, push(browser, **changes))


def taken(services, trained, mark=""):
    """Put the trained run into the runs folder, as that of a visitor. Returns its id."""
    run = services.store.create(read_config(trained), mark)
    folder = services.store.path(run)
    for path in trained.rglob("*"):
        if path.is_file() and path.name != "visitor":
            target = folder / path.relative_to(trained)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    return run


def test_a_visitor_pushes_with_their_own_token_and_no_other(services, hub, capfd, caplog, tmp_path):
    """The process is a real one. Nothing that it leaves or says holds a token."""
    caplog.set_level(logging.DEBUG)
    ada = visitor(services, "ada")
    found = ada.get(f"{PREFIX}/push", params={"id": "shipped:digits"}).json()
    assert (found["name"], found["why"], found["to"]) == ("ada", None, "ada/ganarium-digits")
    assert "library_name: ganarium" in found["card"]
    assert "ada/ganarium-digits" in found["card"]
    assert found["files"][0] == "README.md"
    seen = []
    before = services.hub_pushes.follow

    def follow(command, seconds, given, told, environment):
        seen.append((" ".join(command), dict(environment)))
        return before(command, seconds, given, told, environment)

    services.hub_pushes.follow = follow
    reply = push(ada)
    done = end_of(ada, reply)
    assert done.json() == {"stage": "done", "address": f"{hub.endpoint}/ada/digits"}
    assert set(hub.repositories["ada/digits"].files) >= set(found["files"])
    assert not hub.repositories["ada/digits"].private
    assert {token for _, _, token in hub.seen} - {None} == {f"Bearer {ADAS}"}, "never the server's own"
    said = capfd.readouterr()
    told = [reply.text, done.text, caplog.text, *said, *map(str, seen)]
    told += [path.read_bytes().decode("latin-1") for path in tmp_path.rglob("*") if path.is_file()]
    told += [content.decode("latin-1") for content in hub.repositories["ada/digits"].files.values()]
    assert not any(token in text for text in told for token in (ADAS, TOKEN))


def test_what_is_pushed_is_private_where_that_is_wanted(here, hub):
    assert result(visitor(here, "ada"), private=True).json()["stage"] == "done"
    assert hub.repositories["ada/digits"].private
    assert key_of(result(visitor(here, "ada"), to="bob/mine")) == (400, "hub.sign_in_forbids")
    assert "bob/mine" not in hub.repositories


def test_strangers_push_nothing(here, hub):
    for person, key in ((None, "hub.sign_in"), ("gone", "hub.sign_in"), ("shy", "hub.no_scope")):
        browser = visitor(here, person)
        assert key_of(push(browser)) == (403, key)
        found = browser.get(f"{PREFIX}/push", params={"id": "shipped:digits"}).json()
        assert (found["why"]["key"], found["sign_in"]) == (key, True)
    assert result(visitor(here, "silent")).json()["stage"] == "done", "then the Hub decides"
    foreign = visitor(here, "ada").post(
        f"{PREFIX}/push/begin", json=WANTED, headers={"Origin": "https://evil.example"}
    )
    assert key_of(foreign) == (403, "access.other_site")
    assert {token for _, _, token in hub.seen} - {None} == {f"Bearer {ADAS}"}


def test_nobody_follows_the_push_of_another_without_its_name(here):
    ada = visitor(here, "ada")
    job = push(ada).json()
    assert end_of(ada, visitor_reply(job)).json()["stage"] == "done"
    assert key_of(visitor(here, "bob").post(f"{PREFIX}/push/on", json={"job": "x"})) == (404, "hub.push_over")


def test_a_page_that_was_loaded_anew_finds_the_push_of_its_visitor_and_of_no_other(services, monkeypatch):
    """A push goes on until this test lets it end."""
    may_end = threading.Event()

    def follow(command, seconds, given, told, environment):
        told({"stage": "upload"})
        may_end.wait(600)
        return {"address": "https://hub/ada/digits"}

    services.hub_pushes.follow = follow
    try:
        ada, bob = visitor(services, "ada"), visitor(services, "bob")
        assert now_of(ada) is None
        job = push(ada, private=True).json()["job"]
        expected = {**WANTED, "private": True, "job": job}
        again = visitor(services, "ada")
        assert [now_of(again), now_of(again, "shipped:fashion")] == [expected, expected]
        assert again.get(f"{PREFIX}/push", params={"id": "shipped:digits"}).json()["now"] == expected
        elsewhere = {"sec-fetch-site": "cross-site", "origin": "https://elsewhere.example"}
        strangers = [bob, visitor(services, None), visitor(services, "gone")]
        assert [*map(now_of, strangers), now_of(ada, headers=elsewhere)] == [None] * 4
    finally:
        may_end.set()
    assert end_of(ada, visitor_reply({"job": job})).json()["address"] == "https://hub/ada/digits"
    assert [now_of(again), now_of(again, "shipped:fashion")] == [expected, None]


def now_of(browser, model="shipped:digits", **more):
    return browser.get(f"{PREFIX}/push/now", params={"id": model}, **more).json()["now"]


class visitor_reply:
    """Stands for the answer that began a push."""

    status_code = 200

    def __init__(self, value):
        self.json = lambda: value


def test_a_space_whose_readme_lacks_the_scope_says_so(here, monkeypatch):
    monkeypatch.setenv("OAUTH_SCOPES", "openid profile")
    ada = visitor(here, "ada")
    assert key_of(push(ada)) == (403, "hub.space_may_not")
    assert not ada.get(f"{PREFIX}/push", params={"id": "shipped:digits"}).json()["sign_in"]


@pytest.mark.parametrize(
    ("path", "refusal", "key"),
    [
        (CREATE, Refusal(401), "hub.sign_in_again"),
        (CREATE, Refusal(403), "hub.sign_in_forbids"),
        (CREATE, Refusal(429), "hub.too_often"),
        (CREATE, Refusal(500), "hub.down"),
        ("/api/models/ada/digits", Refusal(404), "hub.sign_in_forbids"),
        ("/api/models/ada/digits/commit/main", Refusal(409), "hub.conflict"),
        ("/api/models/ada/digits/commit/main", Refusal(403), "hub.sign_in_forbids"),
    ],
)
def test_what_the_hub_refuses_is_told_in_a_sentence(path, refusal, key, here, hub):
    hub.refusals[path] = refusal
    ada = visitor(here, "ada")
    reply = result(ada)
    assert (reply.status_code, reply.json()["error"]["key"]) == (400, key)
    assert ADAS not in reply.text


def test_no_internet_and_a_repository_of_something_else(here, hub, monkeypatch):
    ada = visitor(here, "ada")
    hub.repositories["ada/digits"] = Repository({"model.gguf": b"weights of something else"})
    assert result(ada).json()["error"]["key"] == "hub.other_repository"
    assert result(ada, private=True).json()["error"]["key"] == "hub.public"
    monkeypatch.setenv("HF_ENDPOINT", NOWHERE)
    assert result(ada).json()["error"]["key"] == "hub.offline"


def test_a_run_goes_with_its_name_scores_and_d(services, hub, trained):
    """The process is a real one. The run is ada's, so only she may push its D."""
    ada, bob = visitor(services, "ada"), visitor(services, "bob")
    mark = services.visitors.mark(_asking(ada))
    run = taken(services, trained, mark)
    (services.store.path(run) / names.FILE).write_text("Ada's own")
    asked = {"id": f"run:{run}"}
    assert ada.get(f"{PREFIX}/push", params=asked).json()["to"] == "ada/ganarium-ada-s-own"
    assert [each.get(f"{PREFIX}/push", params=asked).json()["with_d"] for each in (ada, bob)] == [True, False]
    assert key_of(push(bob, **asked, to="bob/x", with_d=True)) == (400, "hub.no_d_here")
    found = ada.get(f"{PREFIX}/push", params={**asked, "d": "1", "to": "ada/x"}).json()
    assert "discriminator.safetensors" in found["files"]
    assert not found["scored"]
    reply = push(ada, **asked, to="ada/x", with_d=True)
    assert key_of(push(ada, **asked, to="ada/y")) == (409, "hub.pushing"), "one at a time"
    assert end_of(ada, reply).json()["stage"] == "done"
    files = hub.repositories["ada/x"].files
    assert "discriminator.safetensors" in files
    card = json.loads(files["card.json"])
    assert card["title"] == "Ada's own"
    assert "FD" in card["scores"]
    assert b"# Ada's own" in files["README.md"]


def images_gone(folder):
    write_json(folder / "config.json", {**read_json(folder / "config.json"), "data": "/home/ada/cats.zip"})
    return "metrics.no_reals"


def checkpoint_damaged(folder):
    (folder / "state" / NEWEST).write_bytes(b"no checkpoint")
    return "export.damaged"


def weights_too_large(folder):
    write_json(folder / "status.json", {**read_json(folder / "status.json"), "device": "x" * LIMITS[CARD]})
    return "hub.too_large"


@pytest.mark.parametrize("damage", [images_gone, checkpoint_damaged, weights_too_large])
def test_a_push_that_fails_here_makes_no_repository(damage, here, hub, trained):
    ada = visitor(here, "ada")
    run = taken(here, trained, here.visitors.mark(_asking(ada)))
    key = damage(here.store.path(run))
    reply = result(ada, id=f"run:{run}", to="ada/x", with_d=True)
    assert reply.json()["error"]["key"] == key
    assert hub.repositories == {}


def test_what_the_hub_refuses_of_a_run_is_told_before_the_scores(here, hub, trained, monkeypatch):
    ada, run = visitor(here, "ada"), taken(here, trained)
    monkeypatch.setattr(pushing, "_say", lambda stage: pytest.fail("it scored the run"))
    hub.repositories["ada/x"] = Repository({"model.gguf": b"weights of something else"})
    asked = {"id": f"run:{run}", "to": "ada/x"}
    assert result(ada, **asked).json()["error"]["key"] == "hub.other_repository"
    hub.people.clear()
    assert result(ada, **asked).json()["error"]["key"] == "hub.sign_in_again"


def _asking(browser):
    sent = "; ".join(f"{name}={value}" for name, value in browser.cookies.items()).encode()
    headers = [(b"host", b"x"), (b"cookie", sent)]
    return Request({"type": "http", "scheme": "https", "path": "/", "headers": headers})


def without_sign_in(services):
    """Return a browser at a page that offers no sign-in."""
    app = Starlette(**launch_options(services)["app_kwargs"])
    return TestClient(app, raise_server_exceptions=False, base_url="http://localhost")


def test_a_licence_is_chosen_only_for_images_of_ones_own(here, hub, trained):
    ada = visitor(here, "ada")
    known = ada.get(f"{PREFIX}/push", params={"id": "shipped:digits"}).json()
    assert (known["licence"], known["licences"]) == ("CC BY-SA 3.0", {})
    assert key_of(push(ada, licence="mit")) == (400, "hub.licence_known")
    run = taken(here, trained, here.visitors.mark(_asking(ada)))
    folder = here.store.path(run)
    write_json(folder / "config.json", {**read_json(folder / "config.json"), "data": "/home/ada/cats.zip"})
    (folder / "images.json").unlink(missing_ok=True)
    asked = {"id": f"run:{run}"}
    found = ada.get(f"{PREFIX}/push", params={**asked, "licence": "cc0-1.0"}).json()
    assert "mit" in found["licences"]
    assert "license: cc0-1.0" in found["card"]
    assert "/home" not in json.dumps(found)
    assert key_of(push(ada, **asked, licence="my own")) == (400, "hub.licence")
    bob = visitor(here, "bob")
    assert bob.get(f"{PREFIX}/push", params=asked).json()["licences"] == {}, "they are ada's images"
    assert key_of(push(bob, **asked, licence="cc0-1.0")) == (403, "access.not_yours")


def test_the_name_of_a_run_is_no_link_in_the_card(here, trained):
    run = taken(here, trained)
    (here.store.path(run) / names.FILE).write_text("[win](https://elsewhere.example)")
    found = visitor(here, "ada").get(f"{PREFIX}/push", params={"id": f"run:{run}"}).json()
    assert r"# \[win\](https://elsewhere.example)" in found["card"]


def test_a_run_that_trains_and_a_model_of_the_hub_are_refused_beforehand(here, trained):
    ada = visitor(here, "ada")
    run = taken(here, trained)
    here.store.update_status(run, state="paused")
    reply = ada.get(f"{PREFIX}/push", params={"id": f"run:{run}"})
    assert key_of(reply) == (400, "export.not_finished")
    assert str(here.store.root) not in reply.text
    assert key_of(push(ada, id=f"run:{run}")) == (400, "export.not_finished")
    for odd in ("digits", "a/b/c", "ada/x@main", "../x"):
        assert key_of(push(ada, to=odd)) == (400, "hub.bad_id")


@pytest.mark.parametrize(
    "change", [{"id": 7}, {"to": None}, {"private": "yes"}, {"with_d": 1}, {"licence": []}]
)
def test_an_odd_form_is_refused(change, here):
    assert key_of(push(visitor(here, "ada"), **change)) == (400, "ui.bad_form")


def test_on_a_private_machine_the_saved_token_pushes(hub, monkeypatch, tmp_path):
    services = Services()
    services.open(tmp_path / "runs")
    browser = without_sign_in(services)
    found = browser.get(f"{PREFIX}/push", params={"id": "shipped:digits"}).json()
    assert (found["name"], found["why"], found["to"]) == (None, None, "OWNER/ganarium-digits")
    reply = push(browser)
    assert end_of(browser, reply).json()["address"] == f"{hub.endpoint}/ada/digits"
    assert now_of(browser) == {**WANTED, **reply.json()}
    assert now_of(browser, headers={"x-forwarded-for": "192.0.2.7"}) is None
    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "no-token"))
    assert key_of(push(browser)) == (400, "hub.no_token")
    services.hub_pushes.close()


@pytest.mark.parametrize("closed", ["a token", "a network"])
def test_a_page_that_others_reach_never_uses_the_saved_token(closed, hub, tmp_path):
    services = (
        Services(access=Access("a teacher's token")) if closed == "a token" else Services(host="0.0.0.0")
    )
    services.open(tmp_path / "runs")
    reply = without_sign_in(services).post(f"{PREFIX}/push/begin", json=WANTED)
    assert key_of(reply) == (403, "hub.no_push_here")
    assert hub.seen == []


@pytest.mark.parametrize("header", ["x-forwarded-for", "x-real-ip", "via", "forwarded"])
def test_nor_does_a_request_that_comes_through_a_proxy(header, hub, tmp_path):
    services = Services()
    services.open(tmp_path / "runs")
    reply = without_sign_in(services).post(
        f"{PREFIX}/push/begin", json=WANTED, headers={header: "for=192.0.2.7"}
    )
    assert key_of(reply) == (403, "hub.no_push_here")
    assert hub.seen == []


def test_another_site_does_not_read_who_has_signed_in(here):
    ada, asked = visitor(here, "ada"), {"id": "shipped:digits"}
    elsewhere = {"sec-fetch-site": "cross-site", "origin": "https://elsewhere.example"}
    assert ada.get(f"{PREFIX}/push", params=asked).json()["name"] == "ada"
    assert ada.get(f"{PREFIX}/push", params=asked, headers=elsewhere).json()["name"] is None


STAGE = """print('{"stage": "upload"}', flush=True)"""
ENDS = {
    "takes too long": ("import time; time.sleep(600)", 0.01, "hub.push_late"),
    "takes too long to upload": (f"import time; {STAGE}; time.sleep(600)", 0.05, "hub.push_late"),
    "dies": ("raise SystemExit(9)", 1.0, "hub.push_failed"),
    "dies in the upload": (f"{STAGE}; raise SystemExit(9)", 1.0, "hub.push_failed"),
    "says something else": ("print(7)", 1.0, "hub.push_failed"),
    "does not listen": ("import os; os.close(0); print('{}')", 1.0, "hub.push_failed"),
    "complains at length": ("import sys; sys.stderr.write('x' * 10**6); print('x')", 1.0, "hub.push_failed"),
}


@pytest.mark.parametrize("name", ENDS)
def test_a_process_that_fails_is_ended_and_told_in_a_sentence(name, services, monkeypatch):
    program, minutes, key = ENDS[name]
    monkeypatch.setattr(hub_pushes, "COMMAND", (sys.executable, "-S", "-c", program))
    monkeypatch.setattr(hub_pushes, "MINUTES", minutes)
    assert result(visitor(services, "ada")).json()["error"]["key"] == key


def test_the_process_gets_no_other_token(services, monkeypatch):
    """Its environment lacks the server's tokens, and its command line the visitor's."""
    program = (
        "import json, os, sys; asked = json.load(sys.stdin);"
        "print(json.dumps({'address': json.dumps([sorted(os.environ), sys.argv, bool(asked['token'])])}))"
    )
    monkeypatch.setattr(hub_pushes, "COMMAND", (sys.executable, "-S", "-c", program))
    monkeypatch.setenv("OAUTH_CLIENT_SECRET", "the secret")
    variables, arguments, given = json.loads(result(visitor(services, "ada")).json()["address"])
    assert not set(variables) & {"HF_TOKEN", "OAUTH_CLIENT_SECRET"}
    assert (len(arguments), given) == (1, True)
    assert "PATH" in variables


def test_a_push_ends_with_the_server(services, monkeypatch):
    monkeypatch.setattr(
        hub_pushes,
        "COMMAND",
        (sys.executable, "-S", "-c", "import time; print('{}', flush=True); time.sleep(600)"),
    )
    push(visitor(services, "ada"))
    children = services.hub_pushes._children
    while not children.running:
        time.sleep(0.01)
    services.hub_pushes.close()
    deadline = time.monotonic() + 60
    while children.running and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not children.running


def test_pushes_are_forgotten_and_few_wait(monkeypatch):
    now = [0.0]
    pushes = hub_pushes.HubPushes(lambda: now[0])
    monkeypatch.setattr(pushes._threads, "submit", lambda *_: None)
    named = [pushes.start(str(number), {}, True, {}) for number in range(hub_pushes.WAITING)]
    with pytest.raises(UserError, match=MESSAGES["hub.many_pushes"]):
        pushes.start("one more", {}, True, {})
    pushes.follow = lambda *_: {"address": "https://hub/x"}
    pushes._work(pushes._pushes[named[0]], {"repository": "x"}, True)
    assert pushes.state(named[0]) == {"stage": "done", "address": "https://hub/x"}
    now[0] = hub_pushes.KEPT + 1
    with pytest.raises(UserError, match="forgotten"):
        pushes.state(named[0])


def test_the_readme_lets_a_space_ask_for_the_least_scope():
    assert f"hf_oauth_scopes: [{sign_in.PUSH_SCOPES[0]}]" in (ROOT / "README.md").read_text().split("---")[1]
