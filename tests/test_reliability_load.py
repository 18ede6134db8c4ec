"""A short version of tests/reliability/load.py: a few viewers for some seconds. How fast it was is nothing that a test can judge."""

from tests.reliability import load


def test_some_viewers_are_served_without_a_failure_or_a_leak(capsys, monkeypatch):
    monkeypatch.setattr(load, "WARM_UP", 2.0)
    monkeypatch.setattr(load, "AIMS", {name: 0.0 if name == "trainer" else 60.0 for name in load.AIMS})
    assert load.main(["--viewers", "4", "--dragging", "2", "--minutes", ".1", "--drawn-by", "server"]) == 0
    said = capsys.readouterr().out
    assert "failures: 0" in said
    assert "slider to picture" in said
