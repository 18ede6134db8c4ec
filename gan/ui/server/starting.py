"""Prepare the start: the listening address, the root path of a proxy, and a safe environment for Gradio.

Gradio reads its variables on import, so this module must not import it.
"""

import contextlib
import errno
import os
import re
import socket
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit

from gan.errors import UserError

# The defaults: localhost only, on the first free one of these ports.
HOST, PORT, PORTS, LAST = "127.0.0.1", 7860, 100, 65535
# Gradio's variables that stay: any value is harmless.
KEPT = ("GRADIO_TEMP_DIR", "GRADIO_ANALYTICS_ENABLED", "GRADIO_ANALYTICS_MAX_EVENTS")
# Variables that divert or block the program's requests to itself: proxies, and certificate files that may be
# missing.
ASIDE = re.compile(r".*_proxy|SSL_CERT_FILE|SSL_CERT_DIR|SSLKEYLOGFILE|WEB_CONCURRENCY", re.IGNORECASE)
NETLOC = re.compile(r"[\w.:\[\]-]{1,255}", re.ASCII)
# One part of a path that a cookie or a page can hold unescaped, except for non-ASCII characters.
NAME = re.compile(r"""(?!\.\.?$)[^\s/?#%\\"'<>;,{}|^`]{1,100}""")
# Gradio's own paths, which such a root path would hide.
TAKEN = {
    "gradio_api",
    "static",
    "assets",
    "theme.css",
    "favicon.ico",
    "robots.txt",
    "manifest.json",
    "config",
}


@dataclass(frozen=True)
class Root:
    """The address at which a proxy shows the page.

    path: the prefix of every path, as requests arrive here, for example "/gan"; "" at the root of a host.
    netloc: the host with its port where a whole URL was given, else "".
    """

    path: str = ""
    netloc: str = ""
    scheme: str = ""

    @property
    def quoted(self) -> str:
        """The path, percent-encoded for URLs and cookies."""
        return quote(self.path)

    @property
    def host(self) -> str:
        """The host alone, IPv6 without brackets; "" where it is unknown."""
        return (urlsplit(f"//{self.netloc}").hostname or "") if self.netloc else ""

    @property
    def address(self) -> str:
        """The whole URL, or the path where only that is known."""
        return f"{self.scheme}://{self.netloc}{self.quoted}" if self.netloc else self.quoted


def parse_root(text: str) -> Root:
    """Parse a root path: "/gan", "gan/", or a whole URL such as "https://school.example/gan".

    Raises UserError for anything else.
    """
    text = text.strip()
    whole = re.match("https?://", text, re.IGNORECASE)
    try:
        parts = urlsplit(text if whole else f"//x/{text.strip('/')}")
        names = [
            name
            for name in unquote(parts.path.strip("/"), errors="strict").split("/")
            if parts.path.strip("/")
        ]
        sound = (
            text.isprintable()
            and parts.hostname
            and parts.port != 0
            and NETLOC.fullmatch(parts.netloc)
            and not parts.query
            and not parts.fragment
        )
    except ValueError:  # not a URL, or not UTF-8
        sound, names = False, []
    if (
        not sound
        or len(names) > 8
        or not all(NAME.fullmatch(name) and name.isprintable() for name in names)
        or TAKEN & set(names[:1])
    ):
        raise UserError("ui.bad_root", path=text[:200])
    path = "".join(f"/{name}" for name in names)
    scheme, netloc = parts.scheme.lower(), parts.netloc.lower()
    usual = ":443" if scheme == "https" else ":80"  # browsers omit the default port from Origin
    return Root(path, netloc.removesuffix(usual), scheme) if whole else Root(path)


def take_variables() -> dict[str, str]:
    """Remove Gradio's variables from the environment, and return those removed.

    The caller reads the host, the port and the root path from them. Of the others, GRADIO_NUM_WORKERS opens
    ports that bypass our guard. GRADIO_DEBUG blocks the start, and GRADIO_VIBE_MODE changes files. Some raise
    where they are no number. Gradio's upload folder becomes absolute, because uploads are checked by their
    paths.
    """
    taken = {
        name: os.environ.pop(name)
        for name in list(os.environ)
        if name.startswith("GRADIO_") and name not in KEPT
    }
    if os.environ.get("GRADIO_TEMP_DIR"):
        os.environ["GRADIO_TEMP_DIR"] = os.path.abspath(os.path.expanduser(os.environ["GRADIO_TEMP_DIR"]))
    if not os.environ.get("GRADIO_ANALYTICS_MAX_EVENTS", "").isdecimal():
        os.environ["GRADIO_ANALYTICS_MAX_EVENTS"] = "200"
    return taken


@contextlib.contextmanager
def by_itself() -> Iterator[None]:
    """Hide proxy and certificate variables during the block, so that the program reaches its own address.

    Downloads and workers get them back afterwards. Gradio sends two requests to its own server while it
    starts, and creates HTTP clients on import. Each would use the proxy of the environment. It would fail for
    a malformed proxy, or for one that needs a missing package (SOCKS).
    """
    before = {name: os.environ.pop(name) for name in list(os.environ) if ASIDE.fullmatch(name)}
    # Windows and macOS also have proxies outside the environment; these variables disable them too.
    os.environ.update(no_proxy="*", NO_PROXY="*")
    try:
        yield
    finally:
        del os.environ["no_proxy"], os.environ["NO_PROXY"]
        os.environ.update(before)


def where_to_listen(host: str, port: int | None, first: str = "") -> tuple[str, int]:
    """Return the host and port to serve at, in Gradio's form: IPv6 in brackets.

    host: a name or an address of this machine, IPv6 with or without brackets; "" for localhost only.
    port: 0 takes any free port. None takes the first free one from `first` (a number as text), or from PORT
    where that is empty.
    Raises UserError where nothing can listen there.
    """
    host = bare(host) or HOST
    if "%" in host:
        raise UserError("ui.zone_host", host=host)
    places = _places(host)
    usable = [each for each in places if _listens(*each, 0)]
    if not usable:
        raise UserError("ui.bad_host", host=host)
    # asyncio fails where one of a name's addresses is unusable, so take one usable address.
    if len(usable) < len(places) or ":" in host or _is_number(host):
        places, host = usable[:1], usable[0][1]
    for number in _numbers(host, places, port, first):
        # Whatever the host is, Gradio also checks that the port is free at 127.0.0.1.
        if all(_listens(family, place, number) for family, place in {*places, (socket.AF_INET, HOST)}):
            return f"[{host}]" if ":" in host else host, number
    raise UserError(
        "ui.bad_port",
        host=host,
        port=f"{PORT}-{PORT + PORTS - 1}" if port is None and not first else port or first,
    )


def bare(host: str) -> str:
    """Normalise a host: lower case, IPv6 without brackets."""
    host = host.strip().lower()
    return host[1:-1] if host.startswith("[") and host.endswith("]") else host


def _numbers(host: str, places: list[tuple[int, str]], port: int | None, first: str) -> Iterable[int]:
    """Return the ports to try."""
    if port == 0:
        return (_any_port(places) for _ in range(PORTS))
    if port is None and first and not re.fullmatch("[0-9]{1,5}", first):
        raise UserError("ui.bad_port", host=host, port=first[:50])
    start = port if port is not None else int(first or PORT)
    if not 0 < start <= LAST:
        raise UserError("ui.bad_port", host=host, port=start)
    return [start] if port is not None else range(start, min(start + PORTS, LAST + 1))


def _is_number(host: str) -> bool:
    """Whether a host is an IPv4 address in any form that the system accepts: 127.0.0.1, 127.1, 0."""
    try:
        socket.inet_aton(host)
    except OSError:
        return False
    return True


def _places(host: str) -> list[tuple[int, str]]:
    """Resolve a name into (family, address) pairs. Raises UserError where there are none."""
    try:
        if not re.fullmatch(r"[\w.:-]+", host):  # some systems resolve "*" to this machine
            raise ValueError(host)
        found = socket.getaddrinfo(host, 0, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError, ValueError):
        raise UserError("ui.bad_host", host=host[:200]) from None
    return list(
        dict.fromkeys(
            (int(family), str(place[0]))
            for family, *_, place in found
            if family in (socket.AF_INET, socket.AF_INET6)
        )
    )


def _listens(family: int, place: str, port: int) -> bool:
    """Whether a server could listen there now."""
    try:
        with _listening(family, place, port):
            return True
    except OSError as error:
        if error.errno in (errno.EMFILE, errno.ENFILE):
            raise
        return False


def _any_port(places: list[tuple[int, str]]) -> int:
    with _listening(*places[0], 0) as one:
        return one.getsockname()[1]


def _listening(family: int, place: str, port: int) -> socket.socket:
    """Return a socket bound as asyncio binds it."""
    one = socket.socket(family, socket.SOCK_STREAM)
    try:
        if os.name == "posix":
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        one.bind((place, port))
    except OSError:
        one.close()
        raise
    return one
