"""What viewers are told names files without the server's folders."""

from pathlib import Path

import pytest

from gan.ui import places


@pytest.mark.parametrize("folder", ["/data/kept", "kept-here"])
def test_the_folder_of_downloads_is_left_out_wherever_it_is(folder, monkeypatch):
    monkeypatch.setenv("GANARIUM_CACHE", folder)
    whole = Path(folder).absolute()
    error = {"values": {"folder": f"{folder}/torchvision"}, "text": f"Delete the folder “{whole}/torchvision”."}
    assert places.without(error, []) == {"values": {"folder": "torchvision"}, "text": "Delete the folder “torchvision”."}


def test_other_texts_stay_as_they_are():
    value = {"text": "See /dev/null", "number": 3, "list": ["a/b"]}
    assert places.without(value, [Path("/srv/runs")]) == value
