"""Define the fixtures that several tests of the Train routes share."""

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from gan.ui.server.services import Services
from gan.ui.train.routes import train_routes


@pytest.fixture
def services(store, supervise):
    """The services of a server whose workers are fakes."""
    return Services(store=store, supervisor=supervise(), uploads=store.root / ".uploads")


@pytest.fixture
def client(services):
    """A client of the Train routes, without the guard."""
    return TestClient(Starlette(routes=train_routes(services)), raise_server_exceptions=False)
