"""List what an attacker sends to a Space: with false cookies, to its sign-in, and for leases of its GPUs."""

import base64
import hashlib
import json
import time
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import quote

import itsdangerous

from gan.ui.server.people import sign_in
from tests.reliability.attacker.raw_http import Case
from tests.reliability.attacker.valid_requests import run_form
from tests.reliability.damaged.cases import JSON, NO_FORMS, ODD, OURS, commands

SIGN_IN = "sign-in"  # the group of its cases
TARGETS = (
    "/", "/#tab=train", "//evil.example", "https://evil.example/", "/\\evil.example", "/%0d%0aX: //evil",
    "javascript:alert(1)", "/" + "a" * 5000, "\\\\evil.example", "/\t/evil.example",
)  # fmt: skip
TOKENS = (
    b"", b"x", b"x.y", b"x.y.z", b".." * 50, b"\xff", b"a" * 9000, b"x.W10.x", b"x.bnVsbA.x", b"x.e30.x",
    b"x.eyJlcnJvciI6IFsxXX0.x", b"x.eyJ1c2VyIjogN30.x", b"a&token=b", b"%00",
)  # fmt: skip


class SignedIn(NamedTuple):
    """The attacker at the sign-in.

    session: the cookie of somebody who has signed in and does not own the Space. pending: the cookie of a
    sign-in that waits for Hugging Face. state: what Hugging Face brings back for that one.
    """

    session: bytes = b""
    pending: bytes = b""
    state: str = ""


def visits(run: str, origin: bytes, visit: bytes, signed: SignedIn) -> Iterator[Case]:
    """Yield what a visitor of a Space sends about another visitor's run, and with false cookies.

    visit: the visitor's own cookie, NAME=ID.SIGNATURE.
    """
    name, _, value = visit.partition(b"=")
    ident, _, signature = value.partition(b".")
    false = (
        b"", b"x", ident, signature, b"%s.%s" % (ident, b"0" * 64), b"%s.%s" % (ident[::-1], signature),
        b"%s.%s" % (b"0" * 64, signature), b"." + signature, value + b"0", b"." * 500, b"\xff.\xff",
    )  # fmt: skip
    cookies = [visit, b"__Host-" + visit, b"session=" + value, *(b"%s=%s" % (name, each) for each in false)]
    cookies += [b"%s=x; %s" % (name, visit), b"ganarium-control=" + ident]
    cookies += [b"%s; %s" % (visit, each) for each in (signed.session, signed.pending, *_forged(signed))]
    for cookie in cookies:
        for case in commands(run, origin):
            sent = case._replace(headers=(*case.headers, (b"Cookie", cookie)))
            # Visitors may start runs, but not such long ones.
            long = json.dumps({**run_form(), "minutes": 11}).encode()
            yield sent._replace(group="long runs", body=long) if case.path == OURS + b"runs" else sent


def sign_ins(signed: SignedIn) -> Iterator[Case]:
    """Yield odd requests to the two addresses of the sign-in. Some lead to Hugging Face, none elsewhere."""
    queries = [f"_target_url={quote(target, safe='')}" for target in (*TARGETS, *ODD)]
    queries += [f"_for={quote(odd, safe='')}" for odd in (*ODD, "push", "pull", "push&_for=push")]
    queries += [f"_nb_redirects={quote(odd, safe='')}" for odd in ODD]
    queries += [f"code={quote(odd, safe='')}&state={signed.state}" for odd in ODD]
    queries += [f"code=code-of-alice&state={quote(odd, safe='')}" for odd in ODD]
    queries += ["", f"error=access_denied&state={signed.state}", "_target_url=/&_target_url=//x", "%ff=%ff"]
    for path in sign_in.PATHS:
        for query in queries:
            asked = f"{path}?{query}".encode("utf-8", "surrogatepass")
            yield Case(SIGN_IN, asked, headers=((b"Cookie", signed.pending),), refused=False)
        for cookie in (b"", signed.session, *_forged(signed)):
            asked = f"{path}?code=code-of-bob&state={signed.state}".encode()
            yield Case(SIGN_IN, asked, headers=((b"Cookie", cookie),), refused=False)
        for body in NO_FORMS:
            yield Case(SIGN_IN, path.encode(), b"POST", JSON, body)


def leases(own: str, origin: bytes) -> Iterator[Case]:
    """Yield odd requests for a lease of a GPU, to train a run of the attacker's own. All are refused."""
    ours = ((b"Origin", origin), (b"Sec-Fetch-Site", b"same-origin"))
    path = OURS + f"runs/{own}/lease".encode()
    for odd in (quote(odd, safe="") for odd in ODD):
        yield Case("leases", path + f"?seconds={odd}".encode(), b"POST", ours)
    for token in TOKENS:
        yield Case("leases", path, b"POST", (*ours, (b"X-IP-Token", token)))
        yield Case("leases", path + b"?seconds=60", b"POST", (*ours, (b"X-IP-Token", token)) * 2)
    for body in NO_FORMS:
        yield Case("leases", path, b"POST", (*ours, *JSON), body)


def _forged(signed: SignedIn) -> list[bytes]:
    """Return sessions of the owner that the server has not signed."""
    owner = {"expires_at": time.time() + 999, "userinfo": {"preferred_username": "alice"}}
    data = base64.b64encode(json.dumps({sign_in.INFO: owner}).encode())
    empty = hashlib.sha256(b"-v4").hexdigest()  # Gradio's key where the secret is empty
    values = [itsdangerous.TimestampSigner(key).sign(data) for key in (empty, "-v4", "the-client")]
    sealed = signed.session.partition(b"=")[2]
    values += [data, data + b".x.y", b"null", data + sealed[sealed.find(b".") :], sealed[:-1], b"\xff" * 40]
    return [b"session=" + value for value in values]
