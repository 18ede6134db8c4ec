"""The Explore tab."""

import gradio as gr
from starlette.routing import BaseRoute

from gan.latent.jobs import Jobs
from gan.ui.drag_routes import drag_routes
from gan.ui.explore_routes import explore_routes
from gan.ui.film_routes import film_routes
from gan.ui.find_routes import find_routes
from gan.ui.map_routes import map_routes
from gan.ui.services import Services


def build(services: Services) -> None:
    """Lay the tab out; called inside its gr.Tab."""
    gr.HTML("<gan-explorer></gan-explorer>", elem_id="gan-explorer", apply_default_css=False)


def routes(services: Services) -> list[BaseRoute]:
    """The routes of this tab."""
    jobs = Jobs()  # one queue for all that is worked on while somebody asks
    working = [*find_routes(services, jobs), *drag_routes(services, jobs)]
    return [*explore_routes(services), *film_routes(services), *working, *map_routes(services)]
