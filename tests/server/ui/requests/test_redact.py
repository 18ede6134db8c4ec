"""Test that texts for viewers name files without the server's folders."""

import re
from pathlib import Path

import pytest

from gan.ui.server.requests import redact


@pytest.mark.parametrize("folder", ["/data/kept", "kept-here"])
def test_the_folder_of_downloads_is_left_out_wherever_it_is(folder, monkeypatch):
    monkeypatch.setenv("GANARIUM_CACHE", folder)
    whole = Path(folder).absolute()
    error = {
        "values": {"folder": f"{folder}/torchvision"},
        "text": f"Delete the folder “{whole}/torchvision”.",
    }
    assert redact.without(error, []) == {
        "values": {"folder": "torchvision"},
        "text": "Delete the folder “torchvision”.",
    }


def test_other_texts_stay_as_they_are():
    value = {"text": "See /dev/null", "number": 3, "list": ["a/b"]}
    assert redact.without(value, [Path("/srv/runs")]) == value


@pytest.mark.parametrize(
    "text",
    [
        "at “/home/alice's/pets” any more",
        "at “/srv/a“b/pets”",
        'File "/home/al ice/pets"',
        "open '/home/al“ice/pets'",
    ],
)
def test_a_path_ends_where_its_own_kind_of_quote_does(text):
    shown = redact.shortened(text)
    assert "pets" in shown
    assert not {"alice", "srv", "home", "ice", "a“b"} & set(re.split(r"[/'\s“”]", shown))
