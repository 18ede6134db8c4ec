"""Define the route that pulls a model from the Hub.

A pull costs disk space and downloads, so only those who may control runs can ask for one (see the guard). The
requests are anonymous: the server's own token would open its owner's private models to every visitor.
"""

from typing import Any

from starlette.requests import Request
from starlette.routing import BaseRoute

from gan.errors import UserError
from gan.hub.pull import as_id
from gan.ui.server.requests.http import json_body, post
from gan.ui.server.services import Services


def hub_routes(services: Services) -> list[BaseRoute]:
    """Return the route. It answers the id of the model, which GET models lists from then on."""

    def fetch(request: Request) -> Any:
        name = json_body(request).get("id")
        if not isinstance(name, str):
            raise UserError("ui.bad_form")
        found = services.hub_models.pull(as_id(name))
        for dropped in found["dropped"]:
            services.explorer().forget(dropped)
        return {"id": found["id"]}

    return [post("pull", fetch)]
