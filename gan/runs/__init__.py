"""Runs: directories on disk (`store`) and the worker processes that fill them (`supervisor`).

Imports neither torch nor gradio.
"""
