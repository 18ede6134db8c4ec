"""The Train tab."""

import gradio as gr
from starlette.routing import BaseRoute

from gan.ui.services import Services


def build(services: Services) -> None:
    """Lay the tab out; called inside its gr.Tab."""
    gr.HTML("<gan-stage></gan-stage>", elem_id="gan-stage", apply_default_css=False)


def routes(services: Services) -> list[BaseRoute]:
    """The routes of this tab."""
    return []
