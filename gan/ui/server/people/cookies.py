"""Read and write the cookies of the page."""

import os

from starlette.requests import Request


def on_space() -> bool:
    """Whether this is a Hugging Face Space.

    All requests come through its proxy there, and any host name is allowed.
    """
    return bool(os.environ.get("SPACE_ID"))


def is_secure(request: Request) -> bool:
    """Whether the browser sees the page over https."""
    forwarded = request.headers.get("x-forwarded-proto", "").split(",")[0].strip()
    return "https" in (request.url.scheme, forwarded)


def values(request: Request, name: str) -> list[str]:
    """Return the values of all cookies of this name, in the order of the request.

    There may be several: another GANarium may be mounted higher up on the same host.
    """
    pairs = (part.strip().partition("=") for part in request.headers.get("cookie", "").split(";"))
    return [value for found, _, value in pairs if found == name]


def cookie(name: str, value: str, seconds: int, path: str, request: Request) -> str:
    """Return the Set-Cookie header of a cookie that scripts can't read.

    A Space is embedded in a frame of another site. Browsers send cookies there only with SameSite=None and
    Partitioned, which need https.
    """
    kind = "SameSite=None; Secure; Partitioned" if on_space() or is_secure(request) else "SameSite=Lax"
    return f"{name}={value}; Path={path}; Max-Age={seconds}; HttpOnly; {kind}"
