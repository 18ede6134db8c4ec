"""What of a folder or zip is not used: it is counted, with its name and the reason."""

from gan.data.report import LeftOut, grouped


def test_what_was_left_out_is_grouped_by_reason():
    found = [LeftOut("a.heic", "kind", "HEIC"), LeftOut("b.png", "damaged"), LeftOut("c.gif", "kind", "GIF"), LeftOut("d.png", "pixels", "81"),
             LeftOut("e.heic", "kind", "HEIC"), LeftOut("f.png", "pixels", "108"), LeftOut("g.heic", "kind", "HEIC")]
    assert grouped(found, names=2) == [("kind", "HEIC", ["a.heic", "e.heic"], 3), ("pixels", "", ["d.png", "f.png"], 2), ("damaged", "", ["b.png"], 1),
                                       ("kind", "GIF", ["c.gif"], 1)]
    assert grouped([LeftOut("d.png", "bytes", "60")]) == [("bytes", "60", ["d.png"], 1)]
    assert grouped([]) == []
