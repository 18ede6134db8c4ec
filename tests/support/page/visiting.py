"""Share what tests of a Space's visitors need: the Space, browsers, and what they ask for."""

import time

from starlette.applications import Starlette
from starlette.testclient import TestClient

from gan.ui.page import launch_options
from gan.ui.server.people import sign_in, visitors
from gan.ui.server.people.access import Access
from gan.ui.server.requests.http import PREFIX
from gan.ui.server.services import Services
from gan.ui.train import form

URL = "https://alice-gan.hf.space"
VISIT = f"__Host-{visitors.COOKIE}"
SPACE = {
    "SPACE_ID": "alice/gan",
    "SPACE_HOST": "alice-gan.hf.space,gan.school.example",
    "SPACE_AUTHOR_NAME": "alice",
    "SPACE_CREATOR_USER_ID": "id-of-alice",
}


class Signed:
    """Stands for Gradio's session. `info` is what it holds of whoever sends the header X-Person."""

    def __init__(self, app, people):
        self.app, self.people = app, people

    async def __call__(self, scope, receive, send):
        who = dict(scope.get("headers", ())).get(b"x-person", b"").decode()
        scope["session"] = {sign_in.INFO: self.people[who]} if who in self.people else {}
        await self.app(scope, receive, send)


def info(name, seconds=3600, **more):
    return {"expires_at": time.time() + seconds, "userinfo": {"preferred_username": name, **more}}


PEOPLE = {
    "alice": info("alice"),
    "bob": info("bob", sub="id-of-bob"),
    "late": info("alice", -1),
    "endless": {"userinfo": {"preferred_username": "alice"}},
    "odd": {"expires_at": "x", "userinfo": ["alice"]},
}


def served(folder, token=None, allowed=0):
    services = Services(access=Access(token))
    services.open(folder, allowed)
    return services


def visitor(services, person=None, visit=True, url=URL):
    """A browser. With `visit`, it has opened the page and so has its cookie."""
    app = Signed(Starlette(**launch_options(services)["app_kwargs"]), PEOPLE)
    headers = {"X-Person": person} if person else {}
    browser = TestClient(app, raise_server_exceptions=False, base_url=url, headers=headers)
    if visit:
        assert browser.get(f"{PREFIX}/access").status_code == 200
    return browser


def train(browser, minutes=1, **changes):
    asked = {"data": "digits", "recipe": "modern", "minutes": minutes, "files": []}
    asked |= {"values": form.defaults("digits", "modern"), **changes}
    return browser.post(f"{PREFIX}/runs", json=asked)


def key_of(reply):
    """The status of a refusal, and the key of its sentence."""
    assert reply.json()["error"]["text"].endswith(".")
    return reply.status_code, reply.json()["error"]["key"]


def send(browser, run, name):
    return browser.post(f"{PREFIX}/runs/{run}/{name}")
