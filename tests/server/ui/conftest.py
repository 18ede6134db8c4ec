"""Define the fixtures that several tests of the server share."""

import pytest

from gan.ui.server.people import sign_in
from tests.support.page.visiting import SPACE


@pytest.fixture
def space(monkeypatch):
    """This machine is a Space of alice's, without a token."""
    for name in sign_in.VARIABLES:
        monkeypatch.delenv(name, raising=False)
    for name, value in SPACE.items():
        monkeypatch.setenv(name, value)
