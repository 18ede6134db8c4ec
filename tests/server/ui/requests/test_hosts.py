"""Test where the server listens: hosts and ports as people write them."""

import socket

import pytest

from gan.errors import UserError
from gan.ui.server.starting import where_to_listen
from tests.support.page.browsing import IPV6

LISTENED = (
    [("::1", "[::1]"), ("[::1]", "[::1]"), ("0:0:0:0:0:0:0:1", "[::1]"), ("::", "[::]")] if IPV6 else []
)


@pytest.mark.parametrize(
    ("host", "taken"), [("127.1", "127.0.0.1"), ("0", "0.0.0.0"), (" LOCALHOST ", "localhost"), *LISTENED]
)
def test_hosts_as_gradio_takes_them(host, taken):
    found, port = where_to_listen(host, 0)
    assert found in (taken, "127.0.0.1" if taken == "localhost" else taken)
    assert 0 < port < 65536


NO_HOSTS = [
    "0.0.0.0:7860",
    "http://localhost",
    "nowhere.invalid",
    "8.8.8.8",
    "999.1.1.1",
    "a b",
    "é" * 100,
    "x" * 300,
    "*",
    "..",
    "-",
    "[::1",
    "fe80::1",
    "2001:db8::5",
]


@pytest.mark.parametrize("host", NO_HOSTS)
def test_what_is_no_host_of_this_machine_is_a_sentence(host):
    with pytest.raises(UserError) as caught:
        where_to_listen(host, 0)
    assert caught.value.key == "ui.bad_host"


@pytest.mark.parametrize("host", ["fe80::1%eth0", "[fe80::1%25eth0]"])
def test_no_browser_opens_an_address_with_a_zone(host):
    with pytest.raises(UserError) as caught:
        where_to_listen(host, 0)
    assert caught.value.key == "ui.zone_host"


@pytest.mark.parametrize(
    ("port", "first"),
    [(-1, ""), (65536, ""), (None, "x"), (None, "-1"), (None, "0"), (None, "99999"), (None, "７８６０")],
)
def test_what_is_no_port_is_a_sentence(port, first):
    with pytest.raises(UserError) as caught:
        where_to_listen("127.0.0.1", port, first)
    assert caught.value.key == "ui.bad_port"


@pytest.mark.parametrize("family", [socket.AF_INET, *([socket.AF_INET6] if IPV6 else [])])
def test_a_port_in_use_is_a_sentence_or_the_next_one(family):
    host = "127.0.0.1" if family == socket.AF_INET else "::1"
    with socket.socket(family, socket.SOCK_STREAM) as other:
        other.bind((host, 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(UserError) as caught:
            where_to_listen(host, port)
        assert (caught.value.key, caught.value.values["port"]) == ("ui.bad_port", port)
        assert where_to_listen(host, None, str(port))[1] > port
        assert where_to_listen(host, 0)[1] != port
