"""Insert our lines into the page's <head> before Gradio starts.

Gradio's script inserts its own `head=` after the page has been set up. That is too late for the language,
because Gradio reads navigator.language once; and unstyled content would flash. So an ASGI middleware adds the
lines to the HTML itself.

All URLs in them are relative; the browser resolves them. A proxy may show the page below any path, over
https, and under another host than the Host header. It need not tell the server.
"""

import html
import re
from collections.abc import Sequence

from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Scope key of a request for the page without a final slash: its path with the slash, percent-encoded.
BASE = "ganarium.base"
# Without a final slash, the browser would resolve relative URLs beside the page. The page has its own <base>
# later; the first one wins.
_BASE = b"""<script>/\\/$/.test(location.pathname) || document.write('<base href="' + location.pathname + '/">')</script>"""  # noqa: E501
_ROOT = b"""<script>if (window.gradio_config) gradio_config.root = document.baseURI.replace(/\\/$/, "")</script>"""  # noqa: E501
_MODE = b"<script data-gradio-mode>"  # the script after this reads gradio_config.root
# The server's idea of the root, in the script that looks for Gradio's iframe resizer.
_WRITTEN = re.compile(rb'const root = "[^"]*";')
# Gradio writes two cards for links to the page, with its own name and image. Readers of links take the first
# one, so both go.
_CARD = re.compile(rb"""\s*<meta (?:property="og:|name="twitter:)[^>]*>""")
# Readers of links want the whole address of an image.
_OURS = """
<meta name="description" content="{text}">
<meta property="og:type" content="website">
<meta property="og:title" content="GANarium">
<meta property="og:description" content="{text}">
<meta property="og:image" content="{address}/gradio_api/gan/checkpoints/faces/preview.webp">
<meta name="twitter:card" content="summary">"""
_TEXT = "Train a small GAN in your browser, watch it learn, and explore its latent space."
_LINES = """
<link rel="icon" href="gradio_api/gan/static/mark.svg" type="image/svg+xml">
<script src="gradio_api/gan/static/shell/old.js"></script>
<link rel="stylesheet" href="gradio_api/gan/static/shell/base.css">
<link rel="stylesheet" href="gradio_api/gan/static/widgets/mosaic.css">
<link rel="stylesheet" href="gradio_api/gan/static/widgets/slider.css">
%s
<script src="gradio_api/gan/static/shell/early.js"></script>
<script src="gradio_api/gan/static/shell/frames.js"></script>
<script type="module" src="gradio_api/gan/static/shell/app.js"></script>
"""


class HeadMiddleware:
    """Add our lines before </head> of the page at the root; pass everything else through."""

    def __init__(
        self, app: ASGIApp, styles: Sequence[str] = (), scripts: Sequence[str] = (), address: str = ""
    ):
        """styles, scripts: files in gan/web. shell/app.js imports the scripts once it has the texts.

        address: the whole URL of the page, or "" for the host of each request.
        """
        self.app, self.address = app, address
        sheets = [f'<link rel="stylesheet" href="gradio_api/gan/static/{path}">' for path in styles]
        named = f'<meta name="gan-scripts" content="{" ".join(scripts)}">'
        self.lines = (_LINES % "\n".join([*sheets, named])).encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET" or scope["path"] != "/":
            await self.app(scope, receive, send)
            return
        start: Message | None = None
        body = b""

        async def collect(message: Message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start":
                start = message
                return
            assert start is not None, "a body before its headers"
            body += message.get("body", b"")
            if not message.get("more_body"):
                await self._finish(start, body, send, scope)

        await self.app(scope, receive, collect)

    def _card(self, scope: Scope) -> bytes:
        """The lines that name the page and its image where somebody posts a link to it."""
        host = dict(scope["headers"]).get(b"host", b"").decode("latin-1")
        address = self.address or f"{scope.get('scheme', 'http')}://{host}"
        return _OURS.format(text=_TEXT, address=html.escape(address)).encode()

    async def _finish(self, start: Message, body: bytes, send: Send, scope: Scope) -> None:
        headers = dict(start["headers"])
        if headers.get(b"content-type", b"").startswith(b"text/html"):
            base = scope.get(BASE)
            before = (b'<base href="%s">' % base if base else _BASE) + self._card(scope)
            body = _CARD.sub(b"", body)
            body = body.replace(b"<head>", b"<head>" + before, 1).replace(_MODE, _ROOT + _MODE, 1)
            body = _WRITTEN.sub(b"const root = gradio_config.root;", body)
            body = body.replace(b'href="/manifest.json"', b'href="./manifest.json"', 1).replace(
                b"</head>", self.lines + b"</head>", 1
            )
            start["headers"] = [
                (name, value) for name, value in start["headers"] if name != b"content-length"
            ]
            start["headers"].append((b"content-length", str(len(body)).encode()))
        await send(start)
        await send({"type": "http.response.body", "body": body})
