"""Test DNS rebinding: the guard refuses pages of another site whose name points at this machine."""

import socket

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from gan.ui.page import launch_options
from gan.ui.server.people.access import Access
from gan.ui.server.services import Services

NAME = socket.gethostname().lower()


@pytest.fixture
def ask(tmp_path):
    """Return the status of a request for `host` that arrives at the server's `address`."""

    def status(host, address="127.0.0.1", token=None, path="/gradio_api/gan/access", method="get"):
        services = Services(access=Access(token))
        services.open(tmp_path / "runs")
        browser = TestClient(
            Starlette(**launch_options(services)["app_kwargs"]),
            raise_server_exceptions=False,
            base_url=f"http://{address}:7860",
        )
        headers = {"Host": host, "Origin": f"http://{host}", "Sec-Fetch-Site": "same-origin"}
        return getattr(browser, method)(path, headers=headers).status_code

    return status


@pytest.mark.parametrize(
    "host",
    [
        "localhost:7860",
        "LOCALHOST",
        "127.0.0.1:7860",
        "127.0.0.1",
        "[::1]:7860",
        NAME,
        f"{NAME.split('.')[0]}.local:7860",
    ],
)
def test_a_private_server_answers_to_its_own_names(host, ask):
    assert ask(host) == 200


OTHERS = [
    "evil.example:7943",
    "127.0.0.1.evil.example",
    "localhost.evil.example",
    "192.168.1.5",
    "[fe80::1]",
    "0x7f000001",
    "2130706433",
]


@pytest.mark.parametrize("host", OTHERS)
@pytest.mark.parametrize(
    "path", ["/", "/config", "/gradio_api/gan/poll", "/gradio_api/gan/static/core/api.js"]
)
def test_a_private_server_answers_to_no_other(host, path, ask):
    assert ask(host, path=path) == 403


def test_what_changes_things_is_refused_too(ask):
    for path in (
        "/gradio_api/gan/runs",
        "/gradio_api/gan/runs/x/rename?name=mine",
        "/gradio_api/gan/access/leave",
    ):
        assert ask("evil.example:7943", path=path, method="post") == 403


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("192.168.1.5:7860", 200),
        ("[2001:db8::5]:7860", 200),
        (NAME, 200),
        ("localhost", 200),
        ("evil.example", 403),
    ],
)
def test_in_a_class_room_it_answers_to_addresses_and_its_name(host, status, ask):
    assert ask(host, address="192.168.1.5") == status


def test_a_name_that_it_was_told_to_listen_on_is_its_own(tmp_path):
    services = Services(host="GAN.school.example")
    services.open(tmp_path / "runs")
    app = Starlette(**launch_options(services)["app_kwargs"])
    status = lambda url: TestClient(app, base_url=url).get("/gradio_api/gan/access").status_code  # noqa: E731
    assert (status("http://gan.school.example:7860"), status("http://other.school.example:7860")) == (
        200,
        403,
    )


def test_behind_a_token_or_on_a_space_any_name_will_do(ask, monkeypatch):
    assert ask("gan.school.example", token="correct horse 42") == 200
    monkeypatch.setenv("SPACE_ID", "somebody/ganarium")
    assert ask("somebody-ganarium.hf.space") == 200


def test_who_opens_the_page_by_another_name_reads_a_sentence(tmp_path):
    services = Services()
    services.open(tmp_path / "runs")
    browser = TestClient(
        Starlette(**launch_options(services)["app_kwargs"]),
        raise_server_exceptions=False,
        base_url="http://gan.example",
    )
    reply = browser.get("/", headers={"Accept-Language": "zh-CN"})
    assert (reply.status_code, reply.headers["content-type"]) == (403, "text/plain; charset=utf-8")
    assert reply.text.startswith("没有教师口令时，不能用“gan.example”")
