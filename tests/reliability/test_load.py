"""A short version of tests/reliability/load.py: a few viewers for some seconds.

It does not judge the speed.
"""

import re

import pytest

from tests.reliability import load

UNMEASURED = "every aim but that of pictures, which was not measured, is reached"


@pytest.mark.parametrize(
    ("drawn_by", "told", "verdict"),
    [("server", "slider to picture", "every aim is reached"), ("browser", "not measured here", UNMEASURED)],
)
def test_some_viewers_are_served_without_a_failure_or_a_leak(drawn_by, told, verdict, capsys, monkeypatch):
    monkeypatch.setattr(load, "WARM_UP", 1.0)
    monkeypatch.setattr(load, "AIMS", {name: 0.0 if name == "trainer" else 60.0 for name in load.AIMS})
    assert load.main(["--viewers", "4", "--dragging", "2", "--minutes", ".1", "--drawn-by", drawn_by]) == 0
    said = capsys.readouterr().out
    assert "failures: 0" in said
    assert told in said
    assert verdict in said
    assert int(re.search(r"first visit brings (\d+) kB", said)[1]) > 100  # the page alone has about ten kB
