"""Test the report of a run: its content in both languages, and that nothing of it breaks out or leaks."""

import base64
import math
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from gan.cli.report import main
from gan.export.report import curves, facts, grids
from gan.export.report.words import Words, clock, number, short, when
from gan.files import append_line, read_object, write_bytes, write_json
from gan.kinds.points.recipes import make_config as make_points
from gan.provenance import XMP
from gan.recipes import make_config
from gan.runs.curves import Buckets
from gan.ui.strings import table

EVIL = "</title><script>alert(1)</script>\"'&<img src=x onerror=alert(1)>\u202e"
VOID = {"meta", "img", "link", "br"}
MOST = 1_500_000  # bytes of a report
WORDS = Words("en", table("en"), str)


class Page(HTMLParser):
    """The elements of a page, its texts, and the tags that do not fit together."""

    def __init__(self, text: str):
        super().__init__()
        self.elements, self.texts, self.faults, self._open = [], [], [], []
        self.feed(text)
        self.close()
        self.faults += self._open

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if not self._open or self._open.pop() != tag:
            self.faults.append(tag)

    def handle_data(self, data):
        if "style" not in self._open:
            self.texts.append(data)

    def of(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


def noise(path, side=64, **options):
    """Write a sheet, in colour, that no encoder makes smaller."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(0).integers(0, 255, (side, side, 3), np.uint8)
    Image.fromarray(pixels).save(path, "WEBP", **options)


def write(run, config, lines=40, **status):
    """Write a finished run with statistics, and sheets at every tenth step."""
    known = {"state": "finished", "created": 1.7e9, "step": lines, "images": 8 * lines, "progress": 1.0}
    known |= {"elapsed": 754.0, "device": "CPU, 2 threads", "parameters": {"G": 431217, "D": 240544}}
    verdict = {"key": "collapse", "level": "bad", "values": {"pair": 97, "diversity": 12}}
    write_json(run / "config.json", config.to_json())
    write_json(run / "status.json", {**known, "verdict": verdict, **status})
    for step in range(1, lines + 1):
        line = {"step": step, "images": 8 * step, "seconds": step / 2, "loss_d": 1 / step, "loss_g": 2.0}
        append_line(run / "stats.jsonl", {**line, "diversity": None if step < 9 else 0.5})
        if step % 10 == 0:
            noise(run / "samples" / f"{step:08d}.webp")
    noise(run / "samples" / "00000000.webp")
    return run


@pytest.fixture
def run(tmp_path):
    """A finished run on digits with another gamma and two events."""
    run = write(tmp_path / "my-run", make_config("digits", "modern", 28, 1, gamma=0.75, minutes=3))
    append_line(run / "events.jsonl", {"time": 1.7e9 + 60, "key": "rolled_back",
                                       "values": {"at": 20, "step": 10, "percent": 50}})  # fmt: skip
    append_line(run / "events.jsonl", {"time": 1.7e9 + 90, "key": "more_minutes",
                                       "values": {"more": "2", "total": "3", "images": 80}})  # fmt: skip
    return run


def report(run, lang="en") -> Page:
    target = run.parent / f"{lang}.html"
    assert main([str(run), "--out", str(target), "--language", lang]) == 0
    assert target.stat().st_size < MOST
    return Page(target.read_text(encoding="utf-8"))


def words_of(page: Page) -> str:
    return re.sub(r"\s+", " ", " ".join(page.texts))


def test_a_report_tells_state_settings_events_and_origin(run):
    page = report(run)
    assert page.faults == []
    assert page.of("html") == [{"lang": "en"}]
    told = words_of(page)
    for part in (
        "Digits · Modern (R3GAN)", "Finished. It ended in mode collapse:", "12 % of the diversity", "12:34",
        "G 431k, D 241k",
        "After 0 images, at step 0", "After 320 images, at step 40", "Losses of D and G", "Diversity, in %",
        "The run was created.", "The run went back to step 10 and goes on with 50 % of the learning rate.",
        "The run was given 2 more minutes", "CC BY-SA 3.0", "Yann LeCun", "Name", "Date",
    ):  # fmt: skip
        assert part in told, part
    assert "Scores" not in told, "it has none"
    changed = re.findall(r'<tr class="changed">.*?</tr>', raw(run))
    assert changed == ['<tr class="changed"><th>Gamma</th><td>0.75</td><td>0.2</td></tr>']


def raw(run, lang="en") -> str:
    return (run.parent / f"{lang}.html").read_text(encoding="utf-8")


def test_a_report_in_chinese_has_no_english_sentence(run):
    page = report(run, "zh")
    told = words_of(page)
    assert page.of("html") == [{"lang": "zh"}]
    for part in ("训练报告", "手写数字", "已完成。", "模式崩溃", "训练退回第 10 步", "姓名", "CPU，2 线程"):
        assert part in told, part
    assert not re.search(r"\b(the|samples|images|learning)\b", told), told


def test_it_needs_no_network_and_no_script(run):
    page = report(run)
    assert not page.of("script")
    assert not page.of("link")
    assert all(image["src"].startswith("data:image/webp;base64,") for image in page.of("img"))
    assert len(page.of("img")) == 4
    assert "default-src 'none'" in page.of("meta")[1]["content"]
    assert not re.search(r"https?://|url\(|@import", raw(run))


def test_hostile_names_stay_text_and_no_path_is_told(tmp_path):
    folder = tmp_path / "secret-home" / "my-run"
    data = f"{tmp_path}/secret-home/{EVIL.replace('/', '')}.zip"
    config = replace(make_config(data, "modern", 64, 3), start_from=f"run:{EVIL}", recipe=EVIL)
    error = {
        "key": "data.too_few",
        "values": {"path": f"{tmp_path}/secret-home/x.zip", "count": EVIL, "least": 2},
    }
    verdict = {"key": EVIL, "values": {"pair": EVIL}}
    run = write(folder, config, device=EVIL, state="failed", error=error, verdict=verdict, classes=[EVIL])
    write_bytes(run / "name.txt", EVIL.encode())
    left_out = [
        {"reason": "damaged", "count": 2, "names": [EVIL, f"{tmp_path}/secret-home/a.png"]},
        {"odd": 1},
        7,
    ]
    for key, values in (
        ("pictures_moved", {"name": f"{tmp_path}/secret-home/{EVIL}"}),
        ("began_from", {"title": EVIL, "digest": EVIL}),
        ("skipped", {"skipped": 2, "total": 9, "why": EVIL, "left_out": left_out}), (EVIL, {}),
        ("tracker_failed", {"tracker": EVIL, "reason": "/home/secret-home/gan/x is full"}),
        ("rolled_back", {}), ("restarted", EVIL), ("restored", [1]),
    ):  # fmt: skip
        append_line(run / "events.jsonl", {"time": 1e300, "key": key, "values": values})
    append_line(run / "events.jsonl", [EVIL])
    source = {"name": f"hub:{EVIL}", "commit": EVIL, "licence": EVIL, "title": EVIL, "count": 3}
    write_json(run / "data.json", {"source": source})
    write_json(run / "start" / "origin.json", {"title": EVIL, "weights": EVIL})
    for lang in ("en", "zh"):
        page = report(run, lang)
        assert page.faults == []
        assert not page.of("script")
        assert [image for image in page.of("img") if "onerror" in image] == []
        assert "<script>alert(1)" in words_of(page), "it is shown as text"
        assert "\u202e" not in raw(run, lang)
        assert "secret-home" not in raw(run, lang)
        assert str(tmp_path) not in raw(run, lang)


def test_points_have_a_report_of_their_own(tmp_path):
    run = write(tmp_path / "run", make_points("grid25", "collapse", lr_g=0.01), modes=25)
    append_line(run / "stats.jsonl", {"step": 41, "images": 10496, "modes": 7, "high_quality": 0.5})
    page = report(run)
    told = words_of(page)
    assert page.faults == []
    for part in (
        "25 Gaussians · Mode collapse", "7 of 25", "50.0 %", "Modes covered", "a program draws these points",
        "points that D has seen", "After 320 points", "Points seen",
    ):  # fmt: skip
        assert part in told, part
    assert '<tr class="changed"><th>Learning rate of G</th><td>0.01</td><td>0.0001</td></tr>' in raw(run)
    assert "图片" not in words_of(report(run, "zh"))


def test_a_run_without_anything_yet_has_a_report(tmp_path, capsys):
    run = tmp_path / "run"
    write_json(run / "config.json", make_config("digits", "modern", 28, 1).to_json())
    write_json(run / "status.json", {"state": "queued"})
    told = words_of(report(run))
    assert "Queued." in told
    assert "Curves" not in told
    assert main([str(tmp_path), "--out", str(tmp_path / "x.html")]) == 2
    assert main([str(run), "--out", str(tmp_path / "en.html" / "y.html")]) == 2
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 2
    assert "can't be written" in said[1]
    assert not (tmp_path / "x.html").exists()


def test_large_sheets_shrink_and_broken_ones_are_left_out(tmp_path):
    for step in (0, 300, 600, 900):
        noise(tmp_path / "samples" / f"{step:08d}.webp", side=1024, quality=90)
    assert (tmp_path / "samples" / "00000300.webp").stat().st_size > grids.MOST_BYTES
    found = grids.choose(tmp_path)
    assert [grid.step for grid in found] == [0, 300, 600, 900]
    assert all(len(grid.address) < 1.4 * grids.MOST_BYTES for grid in found)
    write_bytes(tmp_path / "samples" / "00000900.webp", b"RIFF\x00\x00\x00\x00WEBPVP8 broken")
    write_bytes(tmp_path / "samples" / "00000600.webp", b"a grid")
    assert [grid.step for grid in grids.choose(tmp_path)] == [0, 300]
    assert grids.choose(tmp_path / "none") == []


def test_a_sheet_that_shrinks_keeps_the_mark_of_its_origin(tmp_path):
    noise(tmp_path / "samples" / "00000001.webp", side=1024, quality=90)
    (grid,) = grids.choose(tmp_path)
    assert XMP.encode() in base64.b64decode(grid.address.partition(",")[2])


def drawn(values):
    """Draw a curve of 100,000 lines as a report does."""
    buckets = Buckets(curves.POINTS)
    for place, value in enumerate(values):
        buckets.add({"step": place, "images": place, "seconds": place, "loss_d": value})
    points = buckets.to_json()
    curve = curves.Curve("D", "d", points["values"]["loss_d"])
    return curves.draw(points["axes"]["images"], [curve], "a title", "images")


def test_a_curve_keeps_its_spikes_and_cuts_what_would_flatten_it():
    values = [math.sin(place / 9000) for place in range(100_000)]
    values[50_001] = 1.5
    chart = drawn(values)
    assert not chart.cut
    path = re.findall(r'class="d" d="M([^"]+)"', chart.svg)[0]
    points = [tuple(map(float, point.split())) for point in path.split("L")]
    assert len(points) <= curves.POINTS
    assert [x for x, _ in points] == sorted(x for x, _ in points)
    top = min(y for _, y in points)
    assert sum(y == top for _, y in points) == 1, "the spike"
    values[50_001] = 1e9
    values[7] = None
    cut = drawn(values)
    assert cut.cut
    assert "nan" not in cut.svg
    assert "e+09" not in cut.svg


def test_curves_without_range_or_values():
    one = curves.draw([8], [curves.Curve("D", "d", [0.0])], "", "")
    assert re.search(r'class="d" d="M[\d. ]+L[\d. ]+"', one.svg), "a dot"
    assert curves.draw([8], [curves.Curve("D", "d", [None])], "", "") is None


def test_numbers_that_no_float_holds_do_not_end_the_report(run):
    for value in (10**400, -1e308, 1e308):
        whole = {"step": 41, "images": 328, "seconds": 1.0}
        append_line(run / "stats.jsonl", {**whole, "loss_d": value, "modes": value})
        append_line(run / "stats.jsonl", {**whole, "step": value, "images": value})
        append_line(run / "stats.jsonl", {"step": value, "images": value})
    append_line(run / "events.jsonl", {"time": 10**400, "key": "rolled_back",
                                       "values": {"at": 10**400, "step": 1e300, "percent": 1}})  # fmt: skip
    write_json(run / "status.json", {"state": "finished", "images": 10**400, "elapsed": 1e300, "created": -1})
    report(run)
    text = re.sub(r"<style>.*?</style>|base64,[^\"]*", "", raw(run), flags=re.DOTALL)
    assert not re.search(r"inf|nan", text)


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        (number(1234567), "1,234,567"), (number(0.00012346), "0.0001235"), (short(431217), "431k"),
        (short(2_500_000), "2.5M"), (clock(3 * 3600 + 7), "3:00:07"), (clock(None), "–"), (clock(1e300), "–"),
        (when("x"), ""), (when(1e300), ""), (WORDS.shown(True), "yes"), (WORDS.plain("a\nb\u202ec"), "a bc"),
    ],
)  # fmt: skip
def test_numbers_and_times(found, wanted):
    assert found == wanted


def test_scores_that_a_run_keeps_are_told_until_it_trains_on(run):
    scored = {"net": "digits", "title": "classifier", "pictures": 2000, "against": "training"}
    kept = {"step": 40, "scored": scored, "scores": {"FD": 12.345, "precision": 0.987, "copies": 0.0123}}
    write_json(run / "scores.json", kept)
    found, about = facts.scores(WORDS, run, {})
    assert found == [("FD (Digits net)", "12.3"), ("Precision", "0.99"), ("Memorised", "1.2 %")]
    assert about == "Against 2,000 of the training images"
    assert "FD (Digits net)" in words_of(report(run))
    write_json(run / "scores.json", {**kept, "step": 39})
    assert facts.scores(WORDS, run, {}) == ([], "")


@pytest.mark.parametrize(
    ("number", "title"), [(3, "Digits #3 · "), (0, "Digits · "), (10**400, "Digits · "), ("3", "Digits · ")]
)
def test_the_title_numbers_the_runs_of_a_data_set(run, number, title):
    write_json(run / "status.json", {**read_object(run / "status.json"), "number": number})
    report(run)
    assert f"<h1>{title}" in raw(run)
