"""Test which requests through a proxy the guard takes for our own page's.

A proxy that drops the host name gets an answer that explains how to set it up.
"""

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.testclient import TestClient

from gan.errors import UserError
from gan.ui.page import launch_options
from gan.ui.server.people.access import COOKIE, LASTS, Access
from gan.ui.server.requests.http import is_ours
from gan.ui.server.services import Services
from gan.ui.server.starting import Root, parse_root

LEAVE = "/gradio_api/gan/access/leave"
HERE = {"Host": "127.0.0.1:7860"}  # the Host header that nginx sends by default


def page(tmp_path, root="", token=None, base_url="http://127.0.0.1:7860"):
    services = Services(access=Access(token), root=parse_root(root))
    services.open(tmp_path / "runs")
    return TestClient(
        Starlette(**launch_options(services)["app_kwargs"]), raise_server_exceptions=False, base_url=base_url
    )


NGINX = {**HERE, "Origin": "http://gan.school.example"}


def test_through_a_proxy_that_sends_its_own_host_one_reads_what_to_do(tmp_path):
    reply = page(tmp_path, token="a long token").post(
        "/gradio_api/gan/access", headers=NGINX, json={"token": "a long token"}
    )
    assert (reply.status_code, reply.json()["error"]["key"]) == (403, "access.other_site")
    assert (
        "A proxy in front must pass on the host name that the browser asked for"
        in reply.json()["error"]["text"]
    )
    upload = page(tmp_path / "b").post("/gradio_api/upload", headers={**NGINX, "Accept-Language": "zh-CN"})
    assert (upload.status_code, upload.headers["content-type"]) == (403, "text/plain; charset=utf-8")
    assert "如果前面有代理" in upload.text


def test_over_https_the_browser_itself_says_that_the_page_is_ours(tmp_path):
    headers = {**HERE, "Origin": "https://gan.school.example", "Sec-Fetch-Site": "same-origin"}
    assert page(tmp_path).post(LEAVE, headers=headers).status_code == 200


@pytest.mark.parametrize("site", ["cross-site", "same-site", "", "strange"])
def test_what_the_browser_says_of_others_holds_whatever_the_host_is(site, tmp_path):
    assert (
        page(tmp_path)
        .post(LEAVE, headers={**HERE, "Origin": "http://127.0.0.1:7860", "Sec-Fetch-Site": site})
        .status_code
        == 403
    )


@pytest.mark.parametrize("host", ["192.168.1.5:7860", "127.0.0.1:7860", "localhost:7860"])
@pytest.mark.parametrize("token", [None, "a long token"])
def test_a_forwarded_host_makes_no_other_site_ours(host, token, tmp_path):
    """Gradio's CORS lets any site's script send that header to a server that is not localhost.

    Over http no other header tells the sites apart.
    """
    headers = {"Host": host, "Origin": "http://evil.example", "X-Forwarded-Host": "evil.example"}
    assert (
        page(tmp_path, token=token, base_url=f"http://{host}").post(LEAVE, headers=headers).status_code == 403
    )


def test_on_a_space_its_proxy_is_believed(tmp_path, monkeypatch):
    headers = {**HERE, "Origin": "https://x.hf.space", "X-Forwarded-Host": "x.hf.space"}
    assert page(tmp_path).post(LEAVE, headers=headers).status_code == 403
    monkeypatch.setenv("SPACE_ID", "x/gan")
    assert page(tmp_path / "b").post(LEAVE, headers=headers).status_code == 200


@pytest.mark.parametrize(
    "root",
    ["https://gan.school.example/gan", "https://gan.school.example:443", "HTTPS://GAN.school.example/"],
)
def test_the_whole_address_of_the_proxy_is_one_of_ours(root, tmp_path):
    at = parse_root(root).path
    ours = {**HERE, "Origin": "https://gan.school.example"}
    assert page(tmp_path, root).post(f"{at}{LEAVE}", headers=ours).status_code == 200
    assert (
        page(tmp_path / "b", root).post(LEAVE, headers={**ours, "Host": "gan.school.example"}).status_code
        == 200
    )
    assert (
        page(tmp_path / "c", root).post(LEAVE, headers={**ours, "Origin": "http://evil.example"}).status_code
        == 403
    )
    assert (
        page(tmp_path / "d", root).get("/gradio_api/gan/access", headers={"Host": "evil.example"}).status_code
        == 403
    )


def test_a_path_alone_makes_no_name_ours(tmp_path):
    assert (
        page(tmp_path, "/gan")
        .get("/gan/gradio_api/gan/access", headers={"Host": "gan.school.example"})
        .status_code
        == 403
    )


def test_a_request_without_an_origin_is_no_pages():
    scope = {"type": "http", "headers": [(b"host", b"x")]}
    assert is_ours(Request(scope))
    assert not is_ours(Request({**scope, "headers": [*scope["headers"], (b"origin", b"")]}))


PLACES = [("/gan/", "/gan/"), ("/", "/"), ("/user/jos%C3%A9/proxy/7860/", "/user/jos%C3%A9/proxy/7860/"),
    ("/gan", "/told/"), ("gan/", "/told/"),
          (None, "/told/"), (7, "/told/"), ("/a;Domain=x/", "/told/"), ("/a\r\nSet-Cookie: x=y/", "/told/"),
          ("/a b/", "/told/"), ("/é/", "/told/"),
          ("//", "/told/"), ("/" + "a" * 200 + "/", "/told/")]  # fmt: skip


@pytest.mark.parametrize(("said", "path"), PLACES)
def test_the_cookie_goes_where_the_page_lies(said, path, tmp_path):
    reply = page(tmp_path, "/told", "a long token").post(
        "/gradio_api/gan/access", json={"token": "a long token", "place": said}
    )
    assert f"; Path={path}; Max-Age={LASTS}; HttpOnly; SameSite=Lax" in reply.headers["set-cookie"]


def test_the_cookie_of_another_ganarium_higher_up_hides_nothing(tmp_path):
    browser = page(tmp_path, token="a long token")
    mine = (
        browser.post("/gradio_api/gan/access", json={"token": "a long token"})
        .headers["set-cookie"]
        .partition(";")[0]
    )
    browser.cookies.clear()
    for cookies in (f"{mine}; {COOKIE}=other", f"{COOKIE}=other; x=y; {mine}"):
        assert browser.get("/gradio_api/gan/access", headers={"Cookie": cookies}).json()["control"]
    assert not browser.get("/gradio_api/gan/access", headers={"Cookie": f"{COOKIE}=other"}).json()["control"]
    assert browser.post(LEAVE, headers={"Cookie": f"{COOKIE}=other; {mine}"}).json()["control"] is False
    assert not browser.get("/gradio_api/gan/access", headers={"Cookie": mine}).json()["control"]


GOOD = [("", Root()), ("/", Root()), ("/gan", Root("/gan")), ("gan/", Root("/gan")),
    (" /a/b/ ", Root("/a/b")), ("/jos%C3%A9", Root("/josé")),
        ("https://H.example:443/gan/", Root("/gan", "h.example", "https")),
        ("http://h:8080", Root("", "h:8080", "http")),
        ("http://[::1]:80/x", Root("/x", "[::1]", "http"))]  # fmt: skip


@pytest.mark.parametrize(("text", "root"), GOOD)
def test_root_paths(text, root):
    assert parse_root(text) == root
    assert parse_root(root.address) == root


BAD = ["/a b", "/../x", "%2e%2e", "/%ff", "/a?b", "/a#b", "/a;b", "/a\\b", '/"><script>', "/a'b", "https://",
    "http:///x", "https://u:p@h/x", "https://h:0/",
       "https://h:99999/", "/gradio_api", "/static/x", "/a/./b", "/a//b", "/\u202e", "/a\r\nb",
       "/" + "x" * 101, "/a" * 9, "http://[::1/x",
       "https://h/x?y", "/%2f"]  # fmt: skip


@pytest.mark.parametrize("text", BAD)
def test_what_is_no_root_path_is_a_sentence(text):
    with pytest.raises(UserError) as caught:
        parse_root(text)
    assert caught.value.key == "ui.bad_root"
