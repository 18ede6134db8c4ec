"""Test who controls what on a Space without a teacher token: visitors, strangers, and the owner."""

import pytest

from gan.errors import UserError
from gan.recipes import make_config
from gan.runs import marks
from gan.runs.store import CHECKPOINTS
from gan.runs.store import COMMANDS as TO_WORKERS
from gan.ui.server.people import visitors
from gan.ui.server.people.access import COOKIE as LOCK
from gan.ui.server.people.sign_in import owns
from gan.ui.server.people.visitors import COMMANDS, KEY_FILE, MINUTES
from gan.ui.server.requests.http import PREFIX
from gan.ui.train import fields, form
from tests.fakes.bucket import TOKEN, fake_hub
from tests.fakes.jobs import FakeJobs
from tests.fakes.runs import tiny
from tests.reliability.damaged.cases import COMMANDS as KNOWN
from tests.support.page.visiting import SPACE, URL, VISIT, key_of, send, served, train, visitor


def test_a_visitor_controls_the_runs_of_their_own_browser_alone(space, tmp_path):
    services = served(tmp_path / "runs")
    ann, ben = visitor(services), visitor(services)
    run = train(ann).json()["run"]
    older = services.store.create(tiny())  # from before; no visitor's
    mine = lambda browser: browser.get(f"{PREFIX}/poll").json()["mine"]  # noqa: E731
    assert (mine(ann), mine(ben), mine(visitor(services, visit=False))) == ([run], [], [])
    for theirs in (run, older):
        for name in (*COMMANDS, "rename?name=x"):
            assert key_of(send(ben, theirs, name)) == (403, "access.not_yours")
        slid = ben.post(f"{PREFIX}/directions/save?id=run:{theirs}", json={})
        assert key_of(slid) == (403, "access.not_yours")
    assert key_of(ann.post(f"{PREFIX}/directions/save?id=shipped:digits", json={})) == (
        403,
        "access.owner_only",
    )
    for name in ("anything", "job?flavor=t4-small"):
        assert key_of(send(ann, run, name)) == (403, "access.owner_only")
    assert ann.get(f"{PREFIX}/jobs").json()["flavors"] == []
    assert key_of(send(ann, "20250101-000000-none", "pause")) == (404, "runs.unknown")
    assert services.store.status(run)["state"] == "queued"
    assert send(ann, run, "rename?name=Ann's").json() == {"name": "Ann's"}
    assert send(ann, run, "cancel").status_code == 200
    assert services.store.status(run)["state"] == "stopped"
    services.store.update_status(run, state="running")
    alone = set(TO_WORKERS) - {"adjust"}  # which needs a setting, and a worker of this server
    for name in alone:
        assert send(ann, run, name).status_code == 200
    assert services.store.commands(run) == alone
    assert key_of(send(ann, run, "adjust?name=lr_d&factor=2")) == (400, "runs.cant_adjust")
    services.store.update_status(run, state="finished")
    assert send(ann, run, "delete").status_code == 200
    assert mine(ann) == []


def test_a_stranger_without_the_cookie_changes_nothing(space, tmp_path):
    services = served(tmp_path / "runs")
    run = services.store.create(tiny())
    stranger = visitor(services, visit=False)
    for path in ("runs", "pictures", "points", f"runs/{run}/cancel", "directions/save?id=shipped:digits"):
        assert key_of(stranger.post(f"{PREFIX}/{path}", json={})) == (403, "access.no_visit")
    upload = stranger.post("/gradio_api/upload", files={"files": b"x"}, headers={"Accept-Language": "zh"})
    assert (upload.status_code, "cookie" in upload.text) == (403, True)
    assert stranger.get(f"{PREFIX}/poll").json()["runs"][0]["id"] == run
    assert services.store.status(run)["state"] == "queued"


@pytest.mark.parametrize("path", ["queue/status", "run/predict", "component_server", "none"])
def test_nothing_of_gradios_opens_for_visitors(path, space, tmp_path):
    assert visitor(served(tmp_path)).post(f"/gradio_api/{path}", json={"data": []}).status_code == 403


def test_forged_and_foreign_cookies_are_nobodys(space, tmp_path):
    services, other = served(tmp_path / "a"), served(tmp_path / "b")
    ann = visitor(services)
    run = train(ann).json()["run"]
    value = ann.cookies[VISIT]
    visit, _, signature = value.partition(".")
    mark = services.store.visitor(run)
    forged = [
        "", ".", visit, f"{visit}.", f"{visit}.{'0' * 64}", f"{visit[:-1]}.{signature}", f".{signature}",
        f"{visit}.{mark}", mark, f"{mark}.{signature}", f"x.{signature}", value.upper(), f"{value}0",
        visitor(other).cookies[VISIT],
    ]  # fmt: skip
    stranger = visitor(services, visit=False)
    for bad in forged:
        for name in (VISIT, visitors.COOKIE, LOCK, "session"):
            reply = stranger.post(f"{PREFIX}/runs/{run}/cancel", headers={"Cookie": f"{name}={bad}"})
            assert key_of(reply) == (403, "access.no_visit"), bad
    # Over https only the name counts that no other host of the domain can set.
    planted = stranger.post(f"{PREFIX}/runs/{run}/cancel", headers={"Cookie": f"{visitors.COOKIE}={value}"})
    assert key_of(planted) == (403, "access.no_visit")
    both = {"Cookie": f"{VISIT}=x.y; {VISIT}={value}"}
    assert stranger.post(f"{PREFIX}/runs/{run}/cancel", headers=both).status_code == 200


def test_other_sites_cannot_use_a_visitors_cookie(space, tmp_path):
    services = served(tmp_path)
    ann = visitor(services)
    run = train(ann).json()["run"]
    for headers in (
        {"Sec-Fetch-Site": "cross-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "https://mallory-gan.hf.space"},
    ):
        reply = ann.post(f"{PREFIX}/runs/{run}/cancel", headers=headers)
        assert key_of(reply) == (403, "access.other_site")


def test_the_cookie_is_out_of_scripts_reach_and_works_in_a_frame(space, tmp_path):
    services = served(tmp_path)
    reply = visitor(services, visit=False).get(f"{PREFIX}/access")
    cookie = reply.headers["set-cookie"]
    assert cookie.startswith(f"{VISIT}=")
    assert cookie.endswith("; Path=/; Max-Age=2592000; HttpOnly; SameSite=None; Secure; Partitioned")
    ann = visitor(services)
    assert "set-cookie" not in ann.get(f"{PREFIX}/access").headers, "a browser keeps its id"
    assert reply.json() == {
        "needed": False, "control": False, "address": f"{URL}/",
        "visitor": {"minutes": MINUTES, "sign_in": True, "name": None},
    }  # fmt: skip


def test_runs_and_key_outlive_the_server_and_tell_no_secret(space, tmp_path):
    services = served(tmp_path)
    ann, ben = visitor(services), visitor(services)
    run = train(ann).json()["run"]
    services.close()
    services = served(tmp_path)
    again = visitor(services, visit=False)
    again.cookies = ann.cookies
    assert key_of(send(ben, run, "cancel")) == (403, "access.not_yours")
    assert send(again, run, "cancel").status_code == 200
    held = (services.store.path(run) / marks.FILE).read_bytes()
    assert not any(part.encode() in held for part in ann.cookies[VISIT].split("."))
    assert (tmp_path / KEY_FILE).stat().st_mode & 0o077 == 0
    shown = repr(
        [ann.get(f"{PREFIX}/{path}").text for path in ("poll", "models", "runs/older", f"runs/{run}/log")]
    )
    assert held.decode() not in shown
    (services.store.path(run) / marks.FILE).write_bytes(b"damaged")
    assert key_of(send(again, run, "delete")) == (403, "access.not_yours"), "a damaged mark is nobody's"


def test_with_a_secret_the_key_outlives_the_disk(space, tmp_path, monkeypatch):
    monkeypatch.setenv("OAUTH_CLIENT_SECRET", "a secret")
    first, second = (visitors.find_key(tmp_path / name) for name in "ab")
    assert (first, len(first)) == (second, 32)
    assert not (tmp_path / "a").exists()
    monkeypatch.setenv("OAUTH_CLIENT_SECRET", "another secret")
    assert visitors.find_key(tmp_path) != first


@pytest.mark.parametrize("damage", [b"", b"x", bytes(31)])
def test_a_key_that_was_cut_is_replaced_because_anybody_could_guess_it(damage, space, tmp_path, monkeypatch):
    monkeypatch.delenv("OAUTH_CLIENT_SECRET", raising=False)
    (tmp_path / KEY_FILE).write_bytes(damage)
    key = visitors.find_key(tmp_path)
    assert len(key) == visitors.KEY_BYTES
    assert not key.startswith(damage or b"no start")
    assert visitors.find_key(tmp_path) == key
    assert (tmp_path / KEY_FILE).stat().st_mode & 0o077 == 0


def test_a_visitors_runs_are_short_and_one_waits(space, tmp_path, monkeypatch):
    services = served(tmp_path)
    ann = visitor(services)
    for minutes in (10.01, 60, 10080):
        assert key_of(train(ann, minutes)) == (400, "access.long_run")
    run = train(ann, 10).json()["run"]
    assert key_of(train(ann)) == (400, "access.one_waits")
    services.store.update_status(run, state="paused")
    second = train(ann).json()["run"]
    for name in ("resume", "restart"):
        assert key_of(send(ann, run, name)) == (400, "access.one_waits")
    assert send(ann, second, "cancel").status_code == 200
    assert send(ann, run, "resume").status_code == 200
    assert services.store.visitor(run) == services.store.visitor(second)
    monkeypatch.setattr(visitors, "WAITING_ALL", 1)
    assert key_of(train(visitor(services))) == (400, "access.no_place")
    assert train(visitor(services, "alice"), 60).status_code == 200, "the owner finds room"
    monkeypatch.setattr(visitors, "RUNS_ALL", 2)
    assert send(ann, run, "cancel").status_code == 200
    assert key_of(train(visitor(services))) == (400, "access.no_place")


def test_a_visitors_run_writes_to_no_tracker(space, tmp_path):
    """Trackio keeps all runs of a server in one place, which may be a Space of its owner."""
    ann = visitor(served(tmp_path / "runs"))
    values = form.defaults("digits", "modern")
    values[list(fields.spread(make_config("digits", track="trackio"))).index("trackio")] = "tensorboard"
    assert key_of(train(ann, values=values)) == (403, "access.owner_only")


def test_jobs_are_the_owners_alone_and_their_token_stays_here(space, tmp_path, monkeypatch):
    with fake_hub(monkeypatch) as hub:
        hub.jobs = FakeJobs(tmp_path / "machines", busy=True)
        monkeypatch.setenv("GANARIUM_MIRROR", "dataset:owner/runs")
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        services = served(tmp_path / "runs")
        services.mirror.prepare()
        ann, alice = visitor(services), visitor(services, "alice")
        assert ann.get(f"{PREFIX}/jobs").json()["flavors"] == []
        found = alice.get(f"{PREFIX}/jobs").json()
        assert [flavor["name"] for flavor in found["flavors"]] == ["cpu-basic", "t4-small", "l4x4"]
        assert (found["owner"], found["spare"]) == ("owner", 15)
        assert key_of(train(ann, flavor="cpu-basic")) == (403, "access.owner_only")
        assert key_of(train(alice, flavor="h200x9")) == (404, "jobs.unknown_flavor")
        assert key_of(train(alice, flavor="cpu-basic", data="own")) == (400, "jobs.own_data")
        hub.jobs.refuse = 402
        assert key_of(train(alice, flavor="cpu-basic")) == (400, "jobs.no_credit")
        assert services.store.list() == []
        hub.jobs.refuse = None

        run = train(alice, 4, flavor="cpu-basic").json()["run"]
        assert hub.jobs.jobs["job0"].spec["timeoutSeconds"] == 60 * (4 + 15)
        assert hub.jobs.jobs["job0"].spec["spaceId"] == SPACE["SPACE_ID"]
        shown = ann.get(f"{PREFIX}/poll?run={run}")
        assert shown.json()["run"]["status"]["where"]["id"] == "job0"
        assert TOKEN not in shown.text + alice.get(f"{PREFIX}/jobs").text
        assert key_of(send(alice, run, "job?flavor=cpu-basic")) == (400, "runs.cant_resume")
        assert send(alice, run, "pause").status_code == 200
        services.jobs.work()
        services.jobs._due.clear()
        services.jobs.work()
        assert services.store.status(run)["state"] == "paused"
        assert send(alice, run, "job?flavor=t4-small").status_code == 200
        assert hub.jobs.jobs["job1"].spec["flavor"] == "t4-small"
        services.close()


def test_more_time_keeps_a_visitors_run_short(space, tmp_path):
    services = served(tmp_path / "runs")
    ann = visitor(services)
    run = train(ann, minutes=4).json()["run"]
    (services.store.path(run) / "state").mkdir()
    (services.store.path(run) / "state" / CHECKPOINTS[0]).touch()
    services.store.update_status(run, state="finished")
    more = lambda amount: send(ann, run, f"more?amount={amount}")  # noqa: E731
    assert key_of(more(MINUTES)) == (400, "access.long_run")
    assert key_of(more("nan")) == (400, "config.not_a_number")
    assert more(MINUTES - 4).status_code == 200
    assert (services.store.config(run).minutes, services.store.status(run)["state"]) == (MINUTES, "queued")


def test_a_restart_keeps_the_visitor(space, tmp_path):
    services = served(tmp_path)
    ann = visitor(services)
    run = train(ann).json()["run"]
    services.store.update_status(run, state="stopped")
    assert send(ann, run, "restart").status_code == 200
    assert ann.get(f"{PREFIX}/poll").json()["mine"] == [run]


def test_the_owner_controls_all_runs(space, tmp_path):
    services = served(tmp_path)
    run = train(visitor(services)).json()["run"]
    alice = visitor(services, "alice")
    state = alice.get(f"{PREFIX}/access").json()
    assert (state["control"], state["visitor"]["name"]) == (True, "alice")
    assert alice.get(f"{PREFIX}/poll").json()["control"] is True
    assert send(alice, run, "cancel").status_code == 200
    long = train(alice, 60).json()["run"]
    assert services.store.visitor(long) == ""
    left = alice.post(f"{PREFIX}/access/leave").json()
    assert left["control"] is False


@pytest.mark.parametrize("person", ["bob", "late", "endless", "odd", "nobody"])
def test_nobody_else_is_the_owner(person, space, tmp_path):
    services = served(tmp_path)
    run = train(visitor(services)).json()["run"]
    browser = visitor(services, person)
    assert browser.get(f"{PREFIX}/access").json()["control"] is False
    assert key_of(send(browser, run, "cancel")) == (403, "access.not_yours")


ORG = lambda role=None: [{"preferred_username": "lab", **({"roleInOrg": role} if role else {})}]  # noqa: E731


@pytest.mark.parametrize(
    ("found", "author", "owner"),
    [
        ({"preferred_username": "alice"}, "alice", True),
        ({"preferred_username": "Alice"}, "alice", False),
        ({"preferred_username": "bob", "name": "alice", "sub": "alice"}, "alice", False),
        ({"preferred_username": ""}, "", False),
        ({}, "", False),
        ({"sub": ""}, "lab", False),
        ({"sub": "maker"}, "lab", True),
        ({"sub": "maker", "orgs": ORG("read")}, "lab", False),
        ({"sub": "maker", "orgs": ORG()}, "lab", True),
        ({"sub": "x", "orgs": ORG()}, "lab", False),
        ({"sub": "x", "orgs": ORG("admin")}, "lab", True),
        ({"sub": "x", "orgs": ORG("write")}, "lab", True),
        ({"sub": "x", "orgs": ORG("contributor")}, "lab", False),
        ({"sub": "x", "orgs": ORG("write")}, "other", False),
        ({"sub": "x", "orgs": [{"roleInOrg": "admin"}, 7, None]}, "", False),
        ({"sub": "x", "orgs": "lab"}, "lab", False),
    ],
)
def test_who_owns_a_space(found, author, owner):
    assert owns(found, author, "maker") is owner
    assert not owns({"sub": ""}, author, "")


def test_with_a_token_a_space_is_as_it_was(space, tmp_path):
    services = served(tmp_path, "a long token")
    run = services.store.create(tiny())
    for person in (None, "alice"):
        browser = visitor(services, person)
        assert VISIT not in browser.cookies
        assert key_of(send(browser, run, "cancel")) == (403, "access.needed")
        assert "mine" not in browser.get(f"{PREFIX}/poll").json()
    assert browser.post(f"{PREFIX}/access", json={"token": "a long token"}).json()["control"]
    assert send(browser, run, "cancel").status_code == 200
    assert train(browser, 60).status_code == 200


def test_nothing_changes_on_a_private_machine(tmp_path, monkeypatch):
    monkeypatch.delenv("SPACE_ID", raising=False)
    services = served(tmp_path)
    browser = visitor(services, "bob", url="http://localhost:7860")
    reply = browser.get(f"{PREFIX}/access")
    assert (reply.json(), "set-cookie" in reply.headers) == ({"needed": False, "control": True}, False)
    first, second = (train(browser, 60).json()["run"] for _ in range(2))
    assert send(browser, services.store.create(tiny()), "cancel").status_code == 200
    assert not {"mine", "control"} & set(browser.get(f"{PREFIX}/poll").json())
    assert [services.store.visitor(run) for run in (first, second)] == ["", ""]
    assert not (services.store.path(first) / marks.FILE).exists()
    assert not (tmp_path / KEY_FILE).exists()
    assert browser.get("/login/huggingface").status_code == 404


def test_every_command_is_one_that_visitors_may_send():
    assert set(COMMANDS) == {*KNOWN, "rename", "more", "score", "adjust", "lease", "cpu"}


def test_a_key_that_cannot_be_kept_is_a_sentence(space, tmp_path):
    (tmp_path / KEY_FILE).mkdir()
    with pytest.raises(UserError) as caught:
        visitors.find_key(tmp_path)
    assert caught.value.key == "runs.cannot_write"
