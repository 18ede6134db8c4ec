"""Test the API with the clients that programs and agents use, on one server with a teacher token."""

import asyncio
import io
import json
import re
import urllib.error
import urllib.request

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError
from PIL import Image

from gan.ui.api.gate import PUBLIC
from tests import ROOT
from tests.support.page.browsing import serve

TOKEN = "a token of the teacher"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The address of the server."""
    folder = tmp_path_factory.mktemp("clients")
    log = folder / "server.log"
    with serve(folder / "runs", token=TOKEN, log=log) as address:
        yield address
    assert "Traceback" not in log.read_text(), "no mistake of a client is a defect"


def example() -> str:
    """Return the Python code for programs in README.md."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return re.search(r"```python\n([^`]*?gradio_client.*?)```", text, re.S)[1]


def test_the_lines_of_the_readme_train_a_run_and_fetch_its_samples(server, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lines = example()
    assert len([line for line in lines.splitlines() if line]) <= 12
    here = lines.replace("http://localhost:7860", server)
    here = here.replace("the teacher token, if there is one", TOKEN).replace(
        '"modern", 1,', '"modern", 0.05,'
    )
    assert len({lines, here}) == 2
    names: dict = {}
    exec(here, names)  # noqa: S102
    pictures = [Image.open(tmp_path / f"{seed}.png") for seed in range(64)]
    assert {picture.size for picture in pictures} == {(28, 28)}
    assert len({picture.tobytes() for picture in pictures}) > 32
    (run,) = names["server"].predict(run=names["run"], api_name="/status")["runs"]
    assert (run["state"], run["minutes"], run["progress"]) == ("finished", 0.05, 1)
    with urllib.request.urlopen(server + run["grid"]) as grid:
        assert Image.open(io.BytesIO(grid.read())).format == "WEBP"
    fetch = here[here.index("for image") :].replace('f"run:{run}"', '"shipped:landscapes"')
    exec(fetch, names)  # noqa: S102  # 64 of these are too large for one answer
    assert {Image.open(tmp_path / f"{seed}.png").size for seed in range(64)} == {(64, 64)}


def test_a_program_reads_a_sentence_for_a_mistake(server):
    program = Client(server, verbose=False)
    with pytest.raises(AppError, match=r"^count = 65 is out of range. Choose a value from 1 to 64.$"):
        program.predict(count=65, api_name="/sample")
    with pytest.raises(AppError, match=r"^This needs the teacher token."):
        program.predict("digits", "modern", 1, api_name="/train")
    images = program.predict(frames=3, api_name="/interpolate")["images"]
    with urllib.request.urlopen(server + images[1]["address"]) as image:
        assert Image.open(io.BytesIO(image.read())).size == (28, 28)


async def agent(address: str) -> tuple:
    """List the tools, and call one well and once badly."""
    from mcp import ClientSession
    from mcp.client.streamable_http import streamablehttp_client

    async with (
        streamablehttp_client(f"{address}gradio_api/mcp/") as (read, write, _),
        ClientSession(read, write) as session,
    ):
        await session.initialize()
        tools = (await session.list_tools()).tools
        good = await session.call_tool("sample", {"seed": 3, "count": 2, "label": "7"})
        bad = await session.call_tool("sample", {"model": "nothing"})
        models, status = [await session.call_tool(name, {}) for name in ("models", "status")]
    return tools, good, bad, models, status


def test_an_agent_uses_the_tools(server):
    pytest.importorskip("mcp", reason="the extra mcp is not installed")
    tools, good, bad, models, status = asyncio.run(agent(server))
    assert [tool.name for tool in tools] == list(PUBLIC)
    sample = next(tool for tool in tools if tool.name == "sample").inputSchema["properties"]
    assert sample["count"]["description"] == "How many samples, from 1 to 64."
    assert not good.isError
    answer = json.loads(good.content[0].text)
    assert [(image["seed"], image["class"]) for image in answer["images"]] == [(3, "7"), (4, "7")]
    with urllib.request.urlopen(server + answer["images"][0]["address"]) as image:
        assert Image.open(io.BytesIO(image.read())).size == (28, 28)
    assert json.loads(models.content[0].text)[0]["id"] == "shipped:digits"
    assert json.loads(status.content[0].text)["active"] is None
    assert bad.isError
    assert "There is no model called “nothing”. Choose one from the list." in bad.content[0].text
    assert refused_by(server, "resources/read") == refused_by(server, "prompts/get") == 400


def refused_by(server: str, method: str) -> int:
    """Return the status for a request that would make Gradio call its own address."""
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": {"uri": "x:y"}}).encode()
    headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
    try:
        asked = urllib.request.Request(f"{server}gradio_api/mcp/", body, headers)
        with urllib.request.urlopen(asked) as reply:
            return reply.status
    except urllib.error.HTTPError as error:
        return error.code
