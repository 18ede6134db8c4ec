"""List the attacker's requests: path traversal, Gradio's routes, odd queries, uploads and headers.

tests.reliability.attacker.forms has those with an invalid body.
"""

import json
from collections.abc import Iterator, Mapping
from urllib.parse import quote

from gan.ui.train import form
from tests.reliability.attacker.raw_http import Case
from tests.reliability.attacker.valid_requests import (
    PULLED,
    PULLED_SET,
    PUSH,
    Subject,
    Visit,
    asked,
    run_form,
)

OURS = b"/gradio_api/gan/"
JSON = ((b"Content-Type", b"application/json"),)
MULTIPART = ((b"Content-Type", b"multipart/form-data; boundary=XX"),)
UPLOAD = b"/gradio_api/upload"
FOLDERS = (
    "/", "/static/", "/assets/", "/svelte/", "/file=", "/file/", "/gradio_api/file=", "/gradio_api/file/",
    "/gradio_api/proxy=", "/gradio_api/gan/static/",
    "/gradio_api/gan/static/vendor/", "/gradio_api/gan/strings/", "/gradio_api/gan/thumbnails/",
    "/gradio_api/gan/checkpoints/", "/gradio_api/gan/runs/",
    "/gradio_api/gan/runs/{run}/", "/gradio_api/gan/runs/{run}/samples/", "/gradio_api/gan/poll?run=",
    "/gradio_api/gan/model?id=run:",
    "/gradio_api/gan/image?id=shipped:", "/gradio_api/custom_component/html/client/", "/gradio_api/stream/x/",
)  # fmt: skip
TARGETS = (
    "etc/passwd", "proc/self/environ", "app.py", "{run}/status.json", "{run}/config.json", "{run}/worker.log",
    "{run}/state/checkpoint.safetensors",
    "runs/.supervisor.json", "runs/.uploads/0123456789abcdef/cats.zip",
)  # fmt: skip
WAYS_OUT = (
    "../", "..%2f", "%2e%2e/", "%2e%2e%2f", "%252e%252e%252f", "..\\", "..%5c", "%2e%2e%5c", "....//", "..;/",
    "%c0%ae%c0%ae/", "..%00/",
    "%ef%bc%8e%ef%bc%8e/",
)  # fmt: skip
STARTS = ("", "/", "//", "%2f", "%252f", "./", "~/", "file:///", "C:\\", "\\\\")
ENDS = ("", "%00.webp", "%00", "?", "%23", ";.webp", "/", "/.", "%0d%0aX:1")
ODD = (
    "", "0", "-1", "1.5", "1e999", "nan", "inf", "9" * 20, "9" * 5000, "0x10", "１２", "\0", "a\0b", "\x7f",
    "\ud7ff", "💥" * 50, "'\"<script>", "{{7*7}}",
    "${7*7}", "%s%n", "a" * 30_000, ",", ":", "0:1,0:2", "1," * 600, "../..", "null", "true", "[]", "{}",
    "run:", "shipped:", "shipped:digits\n", "run:../..",
    "%00", "%", "%zz", "&&&", "=", "A", "AAAA" * 4, "AAAA,0,1,0.5;AAAA", ";;", "p0:1", "p99:0", "s99:1",
    "none_such:1", "none_such", "0.0:1,0.0:2", "15.4095:4",
    "0.0:5", "99",
)  # fmt: skip
GRADIO_GET = (
    "/gradio_api/user", "/gradio_api/token", "/gradio_api/app_id", "/gradio_api/login_check",
    "/gradio_api/dev/reload", "/login", "/logout", "/gradio_api/runs",
    "/login/huggingface", "/login/huggingface?_target_url=//evil.example", "/login/callback?code=x&state=y",
    "/gradio_api/deep_link?session_hash=x", "/gradio_api/info/x", "/gradio_api/info?page=", "/openapi.json",
    "/docs", "/redoc", "/?page=none",
    "/?deep_link=none", "/config?page=none", "/config?deep_link=../..",
    "/gradio_api/queue/data?session_hash=x", "/gradio_api/queue/status",
    "/gradio_api/upload_progress?upload_id=x",
    "/gradio_api/heartbeat/x", "/gradio_api/call/submit/x",
    "/gradio_api/proxy=http://169.254.169.254/latest/meta-data",
    "/gradio_api/proxy=https://x.hf.space/", "/gradio_api/file=http://127.0.0.1:22/",
    "/gradio_api/file=https://example.org/",
    "/gradio_api/stream/a/b/1/playlist.m3u8", "/gradio_api/stream/a/b/1/2.ts", "/monitoring", "/monitoring/x",
    "/monitoring/summary",
    "/gradio_api/vibe-code", "/pwa_icon/99999", "/gradio_api/profiling/traces", "/gradio_api/mcp/sse",
    "/gradio_api/mcp/http/", "/gradio_api/mcp/messages/?session_id=x", "/.env", "/.git/config",
    "/app.py", "/runs/", "/runs/.supervisor.json", "/requirements.txt",
)  # fmt: skip
GRADIO_POST = (
    "run/predict", "run/submit", "run/0", "api/predict", "api/submit", "call/submit", "call/v2/submit",
    "api/sample", "call/v2/train", "call/v2/command", "run/sample/", "queue/join/", "mcp/messages/",
    "mcp/sse",
    "call/none", "queue/join", "queue/join?", "cancel",
    "reset", "component_server", "stream/x", "stream/x/close", "process_recording", "vibe-edit",
    "undo-vibe-edit", "vibe-code", "vibe-starter-queries",
    "run-history/connect", "profiling/clear", "login", "none",
)  # fmt: skip
NO_FORMS = (
    b"", b"{", b"[]", b"7", b'"x"', b"null", b"\xff\xfe", b"[" * 100_000, b'{"values": 7}', b'{"values": []}',
    b'{"values": [NaN]}', b"9" * 10_000,
    b'{"a":' * 50_000,
)  # fmt: skip
# The endpoints for everybody and those for who controls the runs (a test compares), and every way to them.
ENDPOINTS, GUARDED = ("models", "sample", "interpolate", "status"), ("train", "command")
API, CALLS = b"/gradio_api/", (b"queue/join", b"cancel", b"run/", b"call/", b"mcp")
API_GET = ("info", "info/", "openapi.json", "queue/data", "mcp/", "mcp", "mcp/schema")
API_POST = ("queue/join", "cancel", "mcp/", "mcp")
EVENT = "0" * 32
CONTROL, NUMBERS = "control", 16
NO_CALLS: tuple = (
    {}, {"data": None}, {"data": "x"}, {"data": {}}, {"data": [[]] * 1000},
    {"data": [{"path": "/etc/passwd"}]}, {"data": [], "fn_index": 0}, {"data": [], "fn_index": -1},
    {"data": [], "fn_index": 10**400},
    {"data": [], "session_hash": "../x"}, {"data": [], "fn_index": {"x": 1}, "session_hash": []},
    {"data": [], "batched": True, "event_data": {"target": 1}, "trigger_id": "x"},
    {"session_hash": "x", "fn_index": 6, "event_id": EVENT}, {"session_hash": None, "event_id": 7},
)  # fmt: skip
NO_RPC: tuple = (
    {"method": "x"}, {"method": None}, {"jsonrpc": "2.0", "id": 1, "method": "tools/call"},
    {"jsonrpc": "2.0", "id": 1, "method": "resources/read", "params": {"uri": "file:///etc/passwd"}},
    {"jsonrpc": "2.0", "id": 1, "method": "prompts/get", "params": {"name": "x"}},
    {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "train", "arguments": {}}},
    {"jsonrpc": "2.0", "id": "x" * 1000, "method": "initialize", "params": []},
)  # fmt: skip
# All commands to a run (a test compares).
COMMANDS = ("pause", "resume", "restart", "stop", "end", "cancel", "sample", "save", "delete")
FOREIGN = (
    ((b"Origin", b"https://evil.example"),),
    ((b"Origin", b"null"),),
    ((b"Origin", b"http://[::1"),),
    ((b"Sec-Fetch-Site", b"cross-site"),),
    ((b"Sec-Fetch-Site", b"same-site"),),
    (
        (b"Origin", b"https://evil.example"),
        (b"X-Forwarded-Host", b"evil.example"),
        (b"Sec-Fetch-Site", b"cross-site"),
    ),
)
FILE_NAMES = (
    "../../evil.png", "..", ".", "/etc/passwd", "a\\..\\b.png", "x" * 3000 + ".png", "%2e%2e%2f", "con.png",
    "\u202egnp.exe", "a;b|c`d.png", "'", ".bashrc",
    "~", "🙂.png", "",
)  # fmt: skip
PARTS = (
    'form-data; name="files"', "form-data", 'form-data; filename="x"', "",
    'form-data; name="files"; filename="a\0b.png"',
    "form-data; name=\"files\"; filename*=utf-8''%00", "x" * 70_000,
)  # fmt: skip
KINDS = (
    b"text/plain", b"multipart/form-data", b"multipart/form-data; boundary=",
    b"multipart/form-data; boundary=XX; charset=none",
    b"multipart/form-data; boundary=" + b"X" * 500,
)  # fmt: skip
HEADERS = (
    b"Host", b"X-Forwarded-Host", b"X-Gradio-Server", b"X-Forwarded-Proto", b"X-Forwarded-For",
    b"X-Forwarded-Prefix", b"Range", b"If-None-Match", b"Cookie",
    b"Accept-Encoding", b"Accept-Language", b"Origin", b"Content-Type",
)  # fmt: skip
VALUES = (
    b"[", b"[::1", b"a b", b"x:99999", b"x:y", b"\xff", b"evil.example/../", b"@", b"a" * 300, b"%00", b":",
    b"${x}", b"<script>",
    b"bytes=0-99999999999999999999", b"bytes=5-1,-,x", b"bytes=-1-2",
)  # fmt: skip
METHODS = (b"PUT", b"DELETE", b"PATCH", b"OPTIONS", b"TRACE", b"CONNECT", b"FOO", b"get", b"HEAD")
GARBAGE = (
    b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET  HTTP/1.1\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01" + b"\0" * 100,
    b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 200_000 + b"\r\n\r\n",
    b"GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET / HTTP/1.0\r\n\r\n", b"GET / HTTP/1.0\r\nOrigin: http://x\r\n\r\n", (
        b"GET http://evil.example/ "
        b"HTTP/1.1\r\nHost: x\r\nConnection: "
        b"close\r\n\r\n"
    ),
    b"POST /gradio_api/gan/runs HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    b"POST /gradio_api/gan/runs HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}x",
)  # fmt: skip


def outside(run: str) -> Iterator[Case]:
    """Yield path traversals out of every folder, to files that the server must not serve."""
    for folder in (folder.format(run=run) for folder in FOLDERS):
        for name in ("a" * 256, "a" * 900, quote("é" * 130), "a/" * 400):
            yield _get("ways out", folder + name)
        for target in (target.format(run=run) for target in TARGETS):
            for way in WAYS_OUT:
                for depth in (1, 3, 8):
                    yield _get("ways out", folder + depth * way + target)
            for start in STARTS:
                yield _get("ways out", folder + start + target)
            for end in ENDS:
                yield _get("ways out", folder + "../" + target + end)


def gradio() -> Iterator[Case]:
    """Yield requests to Gradio's own routes, which our page does not use."""
    for path in GRADIO_GET:
        yield _get("Gradio's routes", path)
    values = ["digits", None, "modern", 1, *form.defaults("digits", "modern")]
    bodies: list = [
        {"data": values, "fn_index": number, "session_hash": "x", "trigger_id": 1, "event_data": None}
        for number in range(8)
    ]
    bodies += [
        {"data": []},
        {"data": "x", "fn_index": "y"},
        {"fn_index": -1, "session_hash": None},
        {},
        [],
        7,
    ]
    bodies += [{"component_id": 1, "fn_name": "__init__", "data": [], "session_hash": "x"}]
    for path in GRADIO_POST:
        for body in bodies:
            yield Case(
                "Gradio's routes", b"/gradio_api/" + path.encode(), b"POST", JSON, json.dumps(body).encode()
            )


def api(run: str, locked: bool) -> Iterator[Case]:
    """Yield calls of the API, some of which are fine: none may change anything.

    On a `locked` server these are also calls that lack only the token.
    """
    for path in API_GET:
        for query in ("", "?session_hash=x", "?session_hash=", "?all_endpoints=x", "?tools=x"):
            yield _get("API", f"{API.decode()}{path}{query}", refused=False)
    for name in (*ENDPOINTS, *GUARDED):
        for event in (EVENT, "f" * 33, "..%2f", "0"):
            yield _get("API", f"{API.decode()}call/{name}/{event}")
    for path in (*API_POST, *_ways(ENDPOINTS + GUARDED)):
        rpc = NO_RPC if path.startswith("mcp") else ()
        for body in (*NO_FORMS, *(json.dumps(value).encode() for value in (*NO_CALLS, *rpc))):
            # On an open server, a call to train without arguments starts a run.
            if locked or "train" not in path:
                yield Case("API bodies", API + path.encode(), b"POST", JSON, body, refused=False)
    for name in (*ENDPOINTS, *GUARDED):
        for odd in ODD:
            for data in ([odd], [run, odd], ["shipped:digits", odd], ["shipped:digits", 0, odd, odd]):
                body = json.dumps({"data": data}).encode()
                yield Case("API bodies", API + f"run/{name}".encode(), b"POST", JSON, body, refused=False)
    for headers in FOREIGN:
        for path in (*API_POST, *_ways(ENDPOINTS + GUARDED)):
            yield Case("API", API + path.encode(), b"POST", (*JSON, *headers), b'{"data": []}')
    if locked:
        yield from control(run)


def control(run: str) -> Iterator[Case]:
    """Yield calls that lack nothing but the token. Those without it to endpoints for everybody may be fine.

    By its number each endpoint can be called too: those of the API are among the first.
    """
    wanted = {"train": (["digits", "modern", 0.05],), "command": ([run, "delete"], [run, "more", 5])}
    for name, calls in wanted.items():
        for data in calls:
            body = json.dumps({"data": data}).encode()
            yield Case(CONTROL, API + f"run/{name}".encode(), b"POST", JSON, body)
            yield Case(CONTROL, API + f"call/{name}".encode(), b"POST", JSON, body, refused=False)
            yield Case("API", API + f"call/v2/{name}".encode(), b"POST", JSON, body)
    for number in range(NUMBERS):
        body = json.dumps({"data": ["digits"], "fn_index": number, "session_hash": f"s{number}"}).encode()
        yield Case("API", API + b"queue/join", b"POST", JSON, body, refused=False)


def _ways(names: tuple[str, ...]) -> list[str]:
    """Return every path by which endpoints can be called."""
    return [f"{way}/{name}" for name in names for way in ("run", "call", "call/v2")]


def sound(subject: Subject) -> Iterator[Case]:
    """Yield the page's own requests. Each must succeed where the run and the model exist."""
    for visit in asked(subject):
        yield _visit("sound", visit, visit.query)


def queries(subject: Subject) -> Iterator[Case]:
    """Yield requests in which one query value is odd.

    Some odd values are valid for some routes, such as the seed 0.
    """
    for visit in asked(subject):
        for name in visit.query or ("x",):
            for odd in ODD:
                yield _visit("queries", visit, {**visit.query, name: odd})
            yield _visit("queries", visit, {**visit.query, name: "2"}, f"&{name}=%ff%fe%00&{name}".encode())
    for odd in (quote(odd, safe="") for odd in ODD):
        run = subject.run
        for path in (
            "runs/{}/log",
            f"runs/{run}/samples/{{}}.webp",
            "runs/{}/samples/1.webp",
            "thumbnails/{}.webp",
            "checkpoints/{}/preview.webp",
            f"take/{{}}?id={subject.model}",
            "strings/{}.json",
        ):
            yield _get("queries", OURS.decode() + path.format(odd))


def names(run: str) -> Iterator[Case]:
    """Yield odd names for a run. The last one is empty, as it was at first."""
    for odd in (*ODD, ""):
        yield Case(
            "names",
            OURS + f"runs/{run}/rename?name={quote(odd, safe='')}".encode("utf-8", "surrogatepass"),
            b"POST",
            refused=False,
        )


def carried(run: str, locked: bool) -> Iterator[Case]:
    """Yield requests for what only those may have who control the runs: a run as one file, its own images."""
    for name in ("file", "nearest", "pairs", "reals.webp"):
        yield Case("carried", OURS + f"runs/{run}/{name}".encode(), refused=locked)
    for odd in ODD:
        path = OURS + f"runs/{quote(odd, safe='')}/file".encode("utf-8", "surrogatepass")
        yield Case("carried", path)


def commands(run: str, origin: bytes) -> Iterator[Case]:
    """Yield valid requests of our page that lack only the token.

    They are every command to a run, a new name, and a new run.
    """
    ours = ((b"Origin", origin), (b"Sec-Fetch-Site", b"same-origin"))
    for name in (
        *COMMANDS,
        "rename?name=mine",
        "more?amount=1",
        "score",
        "job?flavor=t4-small",
        "lease?seconds=30",
        "cpu",
    ):
        yield Case("commands", OURS + f"runs/{run}/{name}".encode(), b"POST", ours)
    sliders = {"list": ["p0"], "names": {"p0": "mine"}, "hidden": []}
    yield Case(
        "commands",
        OURS + b"directions/save?id=shipped:digits",
        b"POST",
        (*JSON, *ours),
        json.dumps(sliders).encode(),
    )
    yield Case("commands", OURS + b"runs", b"POST", (*JSON, *ours), json.dumps(run_form()).encode())
    yield Case("commands", OURS + b"pull", b"POST", (*JSON, *ours), json.dumps({"id": PULLED}).encode())
    yield Case("commands", OURS + b"push/begin", b"POST", (*JSON, *ours), json.dumps(PUSH).encode())
    asked = json.dumps({"id": PULLED_SET, "cap": 8}).encode()
    yield Case("commands", OURS + b"pictures/pull", b"POST", (*JSON, *ours), asked)


def never_come(run: str) -> list[Case]:
    """Return POSTs that announce a body of which only the first byte arrives."""
    short = (*JSON, (b"Content-Length", b"20"))
    paths = (
        b"access",
        b"find?id=shipped:digits",
        b"drag?id=shipped:digits",
        b"runs",
        b"pictures",
        b"points",
        b"pull",
        b"pictures/pull",
        b"push/begin",
        f"runs/{run}/sample".encode(),
    )
    return [Case("idle bodies", OURS + path, b"POST", short, b"{") for path in paths]


def late() -> list[Case]:
    """Return connections whose clients send too little, and then nothing."""
    refused = b"POST / HTTP/1.1\r\nHost: x\r\nSec-Fetch-Site: cross-site\r\n"
    sent = (
        b"",
        b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HT",
        refused + b"Content-Length: 100\r\n\r\nx",
        refused + b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n",
    )
    return [Case("late", b"", raw=raw) for raw in sent]


def sizes() -> Iterator[Case]:
    """Yield bodies and paths that are too large, and invalid lengths."""
    yield Case("sizes", OURS + b"runs", b"POST", JSON, b" " * (2**20 + 1))
    yield Case("sizes", OURS + b"runs", b"POST", (*JSON, (b"Content-Length", b"9" * 30)), b"{}")
    yield Case(
        "sizes", OURS + b"runs", b"POST", (*JSON, (b"Transfer-Encoding", b"chunked")), b"2\r\n{}\r\n0\r\n\r\n"
    )
    yield Case("sizes", UPLOAD, b"POST", (*MULTIPART, (b"Content-Length", b"99999999999")))
    yield Case("sizes", OURS + b"poll?run=" + b"a" * 70_000)
    yield Case("sizes", b"/" + b"a" * 60_000)


def uploads() -> Iterator[Case]:
    """Yield forms for Gradio's upload. It may accept some, under harmless names."""
    dispositions = [f'form-data; name="files"; filename="{name}"' for name in FILE_NAMES]
    for disposition in (*dispositions, *PARTS):
        for query in (b"", b"?upload_id=x", b"?upload_id=../../x"):
            yield Case("uploads", UPLOAD + query, b"POST", MULTIPART, _part(disposition), refused=False)
    for kind in KINDS:
        for body in (b"", b"--XX", b"--XX\r\n", b"\0" * 1000, _part(dispositions[0])[:-30]):
            yield Case("uploads", UPLOAD, b"POST", ((b"Content-Type", kind),), body, refused=False)
    yield Case("uploads", UPLOAD, b"POST", (), b"x")
    yield Case("uploads", UPLOAD, b"POST", MULTIPART, 1001 * _part(dispositions[0])[:-8] + b"--XX--\r\n")


def headers() -> Iterator[Case]:
    """Yield odd headers and methods, and bytes that are no HTTP."""
    for name in HEADERS:
        for value in VALUES:
            for path in (
                b"/",
                b"/config",
                b"/static/img/logo.svg",
                OURS + b"poll",
                OURS + b"static/core/api.js",
                OURS + b"access",
            ):
                yield Case("headers", path, headers=((name, value),), refused=False)
    for method in METHODS:
        for path in (b"/", b"/config", OURS + b"poll", OURS + b"runs", UPLOAD):
            yield Case("headers", path, method, refused=False)
    for raw in GARBAGE:
        yield Case("headers", b"", raw=raw, refused=False)


def _visit(group: str, visit: Visit, query: Mapping[str, str], more: bytes = b"") -> Case:
    """Return a request of the page with another query. The server may answer it with success."""
    found = "&".join(
        f"{name}={quote(value.encode('utf-8', 'surrogatepass'), safe='')}" for name, value in query.items()
    )
    return Case(
        group,
        f"{visit.address}?{found}".encode() + more,
        b"GET" if visit.body is None else b"POST",
        body=visit.body or b"",
        refused=False,
    )


def _get(group: str, path: str, refused: bool = True) -> Case:
    return Case(group, path.encode("utf-8", "surrogatepass").replace(b" ", b"%20"), refused=refused)


def _part(disposition: str) -> bytes:
    return b"--XX\r\nContent-Disposition: " + disposition.encode() + b"\r\n\r\nx\r\n--XX--\r\n"
