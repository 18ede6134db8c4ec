"""What programs may ask of the server, through Gradio's own API and its MCP server."""
