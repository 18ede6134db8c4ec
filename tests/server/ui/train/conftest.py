"""Define the fixtures that several tests of the server share."""

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from gan.ui.server.services import Services
from gan.ui.train.routes import train_routes


@pytest.fixture
def train_services(store, supervise):
    """The services of a server whose workers are fakes."""
    return Services(store=store, supervisor=supervise(), uploads=store.root / ".uploads")


@pytest.fixture
def train_client():
    """Return a client of the Train routes of some services, without the guard."""
    return lambda services: TestClient(
        Starlette(routes=train_routes(services)), raise_server_exceptions=False
    )
