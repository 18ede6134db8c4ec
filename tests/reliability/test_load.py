"""A short version of tests/reliability/load.py: a few viewers for some seconds.

It does not judge the speed.
"""

import re

from tests.reliability import load


def test_some_viewers_are_served_without_a_failure_or_a_leak(capsys, monkeypatch):
    """One server draws for the first viewers. The browsers of the others draw by themselves."""
    monkeypatch.setattr(load, "WARM_UP", 1.0)
    monkeypatch.setattr(load, "IDLE", 2.0)
    monkeypatch.setattr(load, "AIMS", {name: 0.0 if name == "trainer" else 60.0 for name in load.AIMS})
    words = ["--viewers", "4", "--dragging", "2", "--minutes", ".1", "--drawn-by", "server", "browser"]
    assert load.main(words) == 0
    by_server, by_browser = re.split("samples drawn by the .*:", capsys.readouterr().out)[1:]
    assert "slider to picture" in by_server
    assert "every aim is reached" in by_server
    assert "not measured here" in by_browser
    assert "every aim but that of pictures, which was not measured, is reached" in by_browser
    for said in (by_server, by_browser):  # the page alone has about ten kB
        assert "failures: 0" in said
        assert int(re.search(r"first visit brings (\d+) kB", said)[1]) > 100
