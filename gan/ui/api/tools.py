"""Let the tools of MCP answer in JSON: Gradio gives an agent Python's repr of an answer, which is no JSON."""

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gradio.mcp import GradioMCPServer
    from mcp.types import ImageContent, TextContent


def answer_in_json() -> None:
    """Replace how Gradio's MCP server writes the answers of tools. Needs the package mcp.

    Ours are objects and lists without files, which Gradio would turn into pictures.
    """
    from gradio.mcp import GradioMCPServer

    GradioMCPServer.postprocess_output_data = _as_json  # type: ignore[method-assign]  # it has no hook


def _as_json(self: "GradioMCPServer", data: Any, root_url: str) -> "list[TextContent | ImageContent]":
    """Return each value of an answer as one text."""
    return [self.types.TextContent(type="text", text=json.dumps(value, ensure_ascii=False)) for value in data]
