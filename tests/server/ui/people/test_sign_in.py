"""Test the sign-in with Gradio's own routes, against a small Hugging Face on this machine.

It needs gradio[oauth], which the builder of Spaces installs.
"""

import base64
import hashlib
import json
import sys
import time
from importlib.util import find_spec
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from gan.errors import MESSAGES
from gan.ui.page import launch_options
from gan.ui.server.people import sign_in
from gan.ui.server.people.access import Access
from gan.ui.server.requests.http import PREFIX
from gan.ui.server.services import Services
from tests.fakes.provider import CLIENT, SECRET, provider
from tests.fakes.runs import tiny

URL = "https://alice-gan.hf.space"
MORE = "openid profile contribute-repos"
has_oauth = pytest.mark.skipif(
    not all(map(find_spec, ("authlib", "cryptography", "itsdangerous"))),
    reason="pip install 'gradio[oauth]' for this test",
)


@pytest.fixture(scope="module")
def hub():
    """A small Hugging Face. `nonce` is filled by whoever is sent to it."""
    with provider() as hub:
        yield hub


@pytest.fixture
def space(hub, monkeypatch, tmp_path):
    """A server on alice's Space, and a function that makes its browsers."""
    values = {
        **hub.variables(), "SPACE_ID": "alice/gan", "SPACE_AUTHOR_NAME": "alice",
        "SPACE_HOST": "alice-gan.hf.space",
    }  # fmt: skip
    for name, value in values.items():
        monkeypatch.setenv(name, value)
        if name in sign_in.VARIABLES:
            monkeypatch.setattr(f"gradio.oauth.{name}", value)  # Gradio reads them on import
    services = Services(access=Access())
    services.open(tmp_path / "runs")
    app = Starlette(**launch_options(services)["app_kwargs"])
    return services, lambda: TestClient(
        app, raise_server_exceptions=False, base_url=URL, follow_redirects=False
    )


def go(hub, browser, **more):
    """Click Sign in. Returns the query with which Hugging Face is asked."""
    return sent(hub, browser.get("/login/huggingface", params={"_target_url": "/#tab=train", **more}))


def sent(hub, reply):
    """Return the query with which a reply sends a browser to Hugging Face."""
    assert reply.status_code == 302
    assert reply.headers["location"].startswith(f"{hub.site}/authorize?")
    asked = {name: found[0] for name, found in parse_qs(urlsplit(reply.headers["location"]).query).items()}
    hub.nonce = asked["nonce"]
    assert asked["redirect_uri"].startswith(f"{URL}/login/callback?")
    return asked


def come_back(browser, asked, code):
    back = urlsplit(asked["redirect_uri"])
    return browser.get(f"{back.path}?{back.query}&{urlencode({'code': code, 'state': asked['state']})}")


@has_oauth
def test_the_owner_signs_in_and_out(hub, space):
    services, visit = space
    run = services.store.create(tiny())
    alice = visit()
    reply = come_back(alice, go(hub, alice), "code-of-alice")
    assert (reply.status_code, reply.headers["location"]) == (307, "/#tab=train")
    cookie = reply.headers["set-cookie"].lower()
    assert all(part in cookie for part in ("httponly", "samesite=none", "secure"))
    state = alice.get(f"{PREFIX}/access").json()
    assert (state["control"], state["visitor"]["name"]) == (True, "alice")
    assert alice.get("/logout").status_code == 404, "a link of another site must not sign anybody out"
    assert alice.get(f"{PREFIX}/access").json()["control"]
    foreign = alice.post(f"{PREFIX}/runs/{run}/cancel", headers={"Origin": "https://evil.example"})
    assert foreign.status_code == 403
    assert alice.post(f"{PREFIX}/runs/{run}/cancel").status_code == 200
    assert alice.post(f"{PREFIX}/access/leave").json()["visitor"]["name"] is None
    assert not alice.get(f"{PREFIX}/access").json()["control"]


@has_oauth
@pytest.mark.parametrize(
    ("able", "purpose", "asked"),
    [
        ("openid profile contribute-repos", "", "openid profile"),
        ("openid profile contribute-repos", "push", "openid profile contribute-repos"),
        ("openid profile contribute-repos write-repos", "push", "openid profile contribute-repos"),
        ("openid profile email", "push", "openid profile email"),
        ("openid profile manage-repos", "", "openid profile"),
        ("openid profile manage-repos", "push", "openid profile manage-repos"),
    ],
)
def test_a_sign_in_asks_for_no_more_than_it_needs(able, purpose, asked, hub, space, monkeypatch):
    _, visit = space
    monkeypatch.setenv("OAUTH_SCOPES", able)
    query = {"_target_url": "/", **({"_for": purpose} if purpose else {})}
    reply = visit().get("/login/huggingface", params=query)
    found = parse_qs(urlsplit(reply.headers["location"]).query)
    assert found["scope"] == [asked]
    mark = "%3F_for%3Dpush" if purpose else ""
    assert found["redirect_uri"][0].endswith(f"/login/callback?_target_url=%2F{mark}")


@has_oauth
@pytest.mark.parametrize("purpose", ["push", ""])
def test_a_sign_in_that_starts_again_still_knows_what_it_is_for(purpose, hub, space, monkeypatch):
    """The browser has lost the cookie of the sign-in, four times; the third time in a frame, say."""
    _, visit = space
    monkeypatch.setenv("OAUTH_SCOPES", MORE)
    browser, more = visit(), {"_for": purpose} if purpose else {}
    asked = go(hub, browser, **more)
    for _ in range(4):
        browser.cookies.clear()
        back = come_back(browser, asked, "code-of-bob").headers["location"]
        assert urlsplit(back).path == "/login/huggingface"
        asked = sent(hub, browser.get(back))
        assert asked["scope"] == (MORE if purpose else "openid profile")
    end = come_back(browser, asked, "code-of-bob")
    assert (end.status_code, end.headers["location"]) == (307, "/#tab=train")
    assert browser.get(f"{PREFIX}/access").json()["visitor"]["name"] == "bob"


def test_the_mark_of_a_push_changes_nothing_else_of_an_address():
    for address in ("/", "/#tab=train", "/?a=1&b=%20#x", "/a/b"):
        marked = sign_in._marked({"_target_url": address})
        assert sign_in._marked({"_target_url": marked}) == marked != address
        assert sign_in._unmarked(marked) == address
    assert sign_in._unmarked("/?_for=pushes&x") == "/?_for=pushes&x"


@has_oauth
@pytest.mark.parametrize(
    ("scope", "key"),
    [("openid profile", "hub.no_scope"), ("openid profile contribute-repos", None), (None, None)],
)
def test_a_real_session_says_whether_it_may_push_and_not_its_token(scope, key, hub, space, monkeypatch):
    _, visit = space
    monkeypatch.setenv("OAUTH_SCOPES", "openid profile contribute-repos")
    monkeypatch.setattr(hub, "scope", scope)
    bob = visit()
    come_back(bob, go(hub, bob), "code-of-bob")
    reply = bob.get(f"{PREFIX}/push", params={"id": "shipped:digits"})
    why = reply.json()["why"]
    assert (reply.json()["name"], why and why["key"]) == ("bob", key)
    assert "hf_oauth_x" not in reply.text + bob.get(f"{PREFIX}/access").text


@has_oauth
def test_others_sign_in_and_stay_visitors(hub, space):
    services, visit = space
    run = services.store.create(tiny())
    bob = visit()
    come_back(bob, go(hub, bob), "code-of-bob")
    state = bob.get(f"{PREFIX}/access").json()
    assert (state["control"], state["visitor"]["name"]) == (False, "bob")
    assert bob.post(f"{PREFIX}/runs/{run}/cancel").status_code == 403


@has_oauth
def test_a_sign_in_that_fails_is_a_sentence_and_signs_nobody_in(hub, space, monkeypatch):
    _, visit = space
    browser = visit()
    reply = come_back(browser, go(hub, browser), "no-such-code")
    assert (reply.status_code, reply.text) == (400, MESSAGES["access.sign_in_failed"])
    asked = go(hub, browser)
    refused = browser.get("/login/callback", params={"error": "access_denied", "state": asked["state"]})
    assert (refused.status_code, refused.text) == (400, MESSAGES["access.sign_in_failed"])
    # The address of another browser's sign-in signs nobody in here.
    asked = go(hub, visit())
    planted = come_back(browser, asked, "code-of-alice")
    assert planted.headers["location"].startswith("/login/huggingface?")
    assert not browser.get(f"{PREFIX}/access").json()["control"]
    monkeypatch.setattr(hub, "nonce", "another", raising=False)
    reply = come_back(browser, {**go(hub, browser)}, "code-of-alice")
    assert reply.status_code == 307


@has_oauth
@pytest.mark.parametrize(
    "query",
    [
        "_target_url=https://evil.example", "_target_url=//evil.example", "_target_url=/%5Cevil.example",
        "_target_url=", "_nb_redirects=x", "_nb_redirects=-1", "_nb_redirects=1&_nb_redirects=2",
        "_target_url=/&_target_url=//x", "_for=", "_for=everything", "_for=push&_for=push", "_for=pull",
        "_target_url=//[", "_target_url=/?_for=push&_target_url=/", f"_target_url=/{'x' * 1012}",
    ],
)  # fmt: skip
def test_no_sign_in_leads_elsewhere(query, space):
    _, visit = space
    for path in sign_in.PATHS:
        assert visit().get(f"{path}?{query}").status_code == 404


@has_oauth
def test_sessions_cannot_be_forged(space):
    import itsdangerous

    services, visit = space
    run = services.store.create(tiny())
    session = {sign_in.INFO: {"expires_at": time.time() + 99, "userinfo": {"preferred_username": "alice"}}}
    data = base64.b64encode(json.dumps(session).encode())
    for key in ("", "-v4", hashlib.sha256(b"-v4").hexdigest(), CLIENT, SECRET):
        forged = itsdangerous.TimestampSigner(key or "x").sign(data).decode()
        for cookie in (forged, data.decode(), f"{data.decode()}.", "null"):
            reply = visit().post(f"{PREFIX}/runs/{run}/cancel", headers={"Cookie": f"session={cookie}"})
            assert reply.status_code == 403
    real = hashlib.sha256(f"{SECRET}-v4".encode()).hexdigest()
    found = itsdangerous.TimestampSigner(real).sign(data).decode()
    reply = visit().post(f"{PREFIX}/runs/{run}/cancel", headers={"Cookie": f"session={found}"})
    assert reply.status_code == 200, "the check above looks at the right cookie"


@pytest.mark.parametrize("name", [*sign_in.VARIABLES, "SYSTEM"])
def test_without_a_secret_nobody_can_sign_in(name, monkeypatch):
    """An empty secret would let everybody sign a session; elsewhere Gradio signs everybody in."""
    for other in sign_in.VARIABLES:
        monkeypatch.setenv(other, "x")
    monkeypatch.setenv("SYSTEM", "spaces")
    monkeypatch.setenv(name, "")
    assert sign_in.parts() == ([], [])


def test_a_missing_package_is_a_sentence(monkeypatch, caplog):
    for name in sign_in.VARIABLES:
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("SYSTEM", "spaces")
    for name in ("authlib", "starlette.middleware.sessions"):
        monkeypatch.setitem(sys.modules, name, None)
    assert sign_in.parts() == ([], [])
    assert MESSAGES["access.no_sign_in"] in caplog.text
