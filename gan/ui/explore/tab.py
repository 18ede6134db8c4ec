"""Lay out the Explore tab and collect its routes."""

import gradio as gr
from starlette.routing import BaseRoute

from gan.latent.search.jobs import Jobs
from gan.ui.explore.film_routes import film_routes
from gan.ui.explore.hub_routes import hub_routes
from gan.ui.explore.push_routes import push_routes
from gan.ui.explore.routes import explore_routes, map_routes
from gan.ui.explore.search_routes import drag_routes, find_routes
from gan.ui.server.services import Services

STYLES = ("explore/explorer.css",)  # in gan/web
SCRIPT = "explore/explorer.js"


def build(services: Services) -> None:
    """Lay out the tab; called inside its gr.Tab."""
    gr.HTML("<gan-explorer></gan-explorer>", elem_id="gan-explorer", apply_default_css=False)


def routes(services: Services) -> list[BaseRoute]:
    """Return the routes of this tab."""
    jobs = Jobs()  # one job queue for Find and Drag
    working = [*find_routes(services, jobs), *drag_routes(services, jobs)]
    hub = [*hub_routes(services), *push_routes(services)]
    return [*explore_routes(services), *film_routes(services), *working, *map_routes(services), *hub]
