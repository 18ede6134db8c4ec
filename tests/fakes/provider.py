"""A small Hugging Face on this machine, at which people sign in to a Space.

It answers the three addresses that Gradio's sign-in asks.
"""

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

CLIENT, SECRET = "the-client", "the-secret-of-this-space"
CODES = {"code-of-alice": "alice", "code-of-bob": "bob"}  # what a sign-in brings back -> who signed in


class Provider(ThreadingHTTPServer):
    """The server. site: its address. nonce: of the last sign-in; tests copy it from its address.

    scope: what a sign-in is granted, None where the server does not say so.
    """

    site, nonce = "", ""
    scope: str | None = None

    def variables(self) -> dict[str, str]:
        """Return what a Space sees that offers this sign-in."""
        return {
            "OAUTH_CLIENT_ID": CLIENT,
            "OAUTH_CLIENT_SECRET": SECRET,
            "OAUTH_SCOPES": "openid profile",
            "OPENID_PROVIDER_URL": self.site,
            "SYSTEM": "spaces",
        }


class _Handler(BaseHTTPRequestHandler):
    server: Provider

    def do_GET(self) -> None:
        site = self.server.site
        known = {
            "/.well-known/openid-configuration": {
                "issuer": site, "authorization_endpoint": f"{site}/authorize",
                "token_endpoint": f"{site}/token", "jwks_uri": f"{site}/keys",
                "id_token_signing_alg_values_supported": ["HS256"],
            },
            "/keys": {"keys": [{"kty": "oct", "kid": "1", "k": coded(SECRET.encode())}]},
        }  # fmt: skip
        self.say(known[urlsplit(self.path).path])

    def do_POST(self) -> None:
        asked = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        name = CODES.get(asked.get("code", [""])[0])
        if name is None:
            self.say({"error": "invalid_grant"}, 400)
            return
        found = {"access_token": "hf_oauth_x", "token_type": "bearer", "expires_in": 28800}
        if self.server.scope is not None:
            found["scope"] = self.server.scope
        self.say({**found, "id_token": _token(self.server.site, name, self.server.nonce)})

    def say(self, value: dict[str, Any], status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(value).encode())

    def log_message(self, *words: Any) -> None:
        pass


@contextmanager
def provider() -> Iterator[Provider]:
    """Serve it on a free port."""
    server = Provider(("127.0.0.1", 0), _Handler)
    server.site = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def coded(value: bytes) -> str:
    """Return base64 as a token has it."""
    return base64.urlsafe_b64encode(value).decode().rstrip("=")


def _token(issuer: str, name: str, nonce: str) -> str:
    """Return an id token as Hugging Face signs one, with HS256."""
    now = int(time.time())
    claims = {"iss": issuer, "sub": f"id-of-{name}", "aud": CLIENT, "iat": now, "exp": now + 600}
    claims |= {"nonce": nonce, "preferred_username": name, "name": name.title()}
    signed = ".".join(coded(json.dumps(part).encode()) for part in ({"alg": "HS256", "kid": "1"}, claims))
    return f"{signed}.{coded(hmac.new(SECRET.encode(), signed.encode(), hashlib.sha256).digest())}"
