"""Test a generator exported as a web page: from a disk, without a network, it draws the server's samples."""

import base64
import io
import json
import re

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from gan.cli.export import main
from gan.export.card import short_card
from gan.export.webpage import POINT, webpage
from gan.files import append_line
from gan.images import XMP
from gan.latent.catalogue import read_run, read_shipped
from gan.latent.directions.saved import Choice
from gan.latent.generator import Model
from gan.latent.point import Point, write_at
from tests.support.inputs.generators import RUN, tiny_spec, write_lively, write_run
from tests.support.page.browsing import PHONE, ROOT
from tests.support.page.webpage import WebPage

pytestmark = pytest.mark.browser

# Both round the same float32 sample, but added in another order. A value between two grey levels may be
# rounded either way.
ROUNDING, SELDOM = 1, 0.01
SHIPPED = ("digits", "landscapes")
TITLE = "<b>Cats & </script><script>window.hit = 1</script>"
HOSTILE = "<img src=x onerror=window.hit=1></script>"
CHOSEN = Choice(("s2", "s0", "slant", "p3"), {"s0": HOSTILE, "p9": "not on a slider"}, ("p1",))
CLASSES = ["cat", "</script><img src=x onerror=window.hit=1>", "owl"]


def shipped(name: str) -> Model:
    return Model(read_shipped(f"shipped:{name}", ROOT / "checkpoints" / name))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The pages of two shipped models, and that of a run whose name contains HTML."""
    folder = tmp_path_factory.mktemp("home")
    for name in SHIPPED:
        model = shipped(name)
        (folder / f"{name}.html").write_bytes(webpage(model, short_card(model.entry)))
    digits = shipped("digits")
    (folder / "chosen.html").write_bytes(webpage(digits, short_card(digits.entry), CHOSEN))
    run = write_run(
        folder, RUN, tiny_spec(3, channels=3, z_dim=20, clusters=4), classes=CLASSES, state="running"
    )
    write_lively(run / "live.safetensors", tiny_spec(3, channels=3, z_dim=20, clusters=4))
    (run / "name.txt").write_text(TITLE)
    for unit, key in (("2.5", "more_minutes"), ("4", "more_images")):
        append_line(run / "events.jsonl", {"key": key, "values": {"more": unit, "images": 1500}})
    entry = read_run(f"run:{RUN}", run)
    (folder / "run.html").write_bytes(webpage(Model(entry), short_card(entry)))
    return folder


def offline(browser, **options):
    """A browser that can open only files. `context.asked` records its other requests."""
    context = browser.new_context(
        **{"viewport": {"width": 1440, "height": 900}, "locale": "en-US", "accept_downloads": True, **options}
    )
    context.set_offline(True)
    context.asked = []
    context.on(
        "request",
        lambda request: (
            None if request.url.startswith(("file:", "data:", "blob:")) else context.asked.append(request.url)
        ),
    )
    context.route(lambda url: not url.startswith(("file:", "data:", "blob:")), lambda route: route.abort())
    return context


@pytest.fixture(scope="module")
def desktop(browser):
    context = offline(browser)
    yield context
    context.close()


def visit(context, folder, name: str) -> Page:
    page = context.new_page()
    page.wrong = []
    page.on("pageerror", lambda error: page.wrong.append(str(error)))
    page.on("console", lambda message: message.type == "error" and page.wrong.append(message.text))
    page.goto(f"file://{folder}/{name}.html")
    WebPage(page).ready()
    return page


def served(model: Model, point: Point) -> np.ndarray:
    """Return the server's sample (H, W, 3) of a point."""
    return np.asarray(Image.open(io.BytesIO(model.image(point))).convert("RGB")).astype(int)


def same(found: np.ndarray, wanted: np.ndarray) -> None:
    difference = np.abs(found - wanted)
    assert found.std() > 2
    assert difference.max() <= ROUNDING
    assert (difference > 0).mean() < SELDOM


@pytest.mark.parametrize("name", SHIPPED)
def test_its_pictures_are_those_of_the_server(desktop, folder, name):
    model, page = shipped(name), visit(desktop, folder, name)
    shown = WebPage(page)
    expect(page.locator("h1")).to_have_text(name.capitalize())
    expect(shown.sliders).to_have_count(10)
    seed = page.get_by_label("Seed", exact=True)
    same(shown.drawn_by(lambda: seed.fill("7")), served(model, Point(7)))
    same(
        shown.drawn_by(lambda: shown.slider("p0").fill("2")),
        served(model, Point(7, amounts=(2.0,))),
    )
    same(
        shown.drawn_by(lambda: page.get_by_role("slider", name="Truncation ψ").fill("0.5")),
        served(model, Point(7, 0.5, amounts=(2.0,))),
    )
    found = shown.drawn_by(lambda: page.get_by_role("button", name="Randomise").click())
    same(found, served(model, Point(int(seed.input_value()), 0.5)))
    page.get_by_label("Seed to interpolate to").fill("9")
    found = shown.drawn_by(lambda: page.get_by_role("slider", name="Position t").fill("0.3"))
    same(found, served(model, Point(int(seed.input_value()), 0.5, to=9, t=0.3)))
    if model.spec.num_classes:
        choices = shown.class_list
        chips = page.get_by_role("group", name="Class").get_by_role("button")
        found = shown.drawn_by(
            lambda: choices.select_option("3") if choices.count() else chips.nth(4).click()
        )
        same(found, served(model, Point(int(seed.input_value()), 0.5, 3, to=9, t=0.3)))
    assert page.wrong == []
    assert desktop.asked == []
    page.close()


def test_it_has_the_sliders_that_were_chosen(desktop, folder):
    model, page = shipped("digits"), visit(desktop, folder, "chosen")
    shown = WebPage(page)
    assert shown.slider_names.all_text_contents() == [
        "SeFa 3",
        HOSTILE,
        "Slant",
        "Direction 4",
    ]
    assert page.evaluate("window.hit") is None
    model.attributes()
    same(
        shown.drawn_by(lambda: shown.slider("s0").fill("2")),
        served(model, Point(moves=(("s0", 2.0),))),
    )
    same(
        shown.drawn_by(lambda: shown.slider("slant").fill("-1.5")),
        served(model, Point(moves=(("s0", 2.0), ("slant", -1.5)))),
    )
    page.wait_for_function("() => location.hash.includes('x=s0:2,slant:-1.5')")
    page.goto(f"file://{folder}/chosen.html#x=s0:2,s1:1&at=AAAA&lang=en")
    page.reload()
    shown.ready()
    expect(shown.slider("s0")).to_have_value("2")
    assert shown.point()["x"] == {"s0": 2}, "what the page has not is left out"
    assert shown.point()["at"] is None, "a z of another size"
    assert page.wrong == []
    page.close()


BEGUN = {"seed": "9", "psi": "0.8", "d": "0,1.5", "x": "s0:2,slant:-1.5", "label": "4"}


def visit_at(context, folder, name: str, point: str) -> Page:
    """Open a page in which this text stands as its point."""
    whole = (folder / f"{name}.html").read_text(encoding="utf-8")
    moved = whole.replace(POINT, POINT.replace("><", f">{point}<", 1))
    (folder / "begun.html").write_text(moved, encoding="utf-8")
    return visit(context, folder, "begun")


def test_it_opens_where_it_was_taken(desktop, folder):
    model = shipped("digits")
    model.attributes()
    page = visit_at(desktop, folder, "chosen", json.dumps(BEGUN))
    shown = WebPage(page)
    point = Point(9, 0.8, 4, (0.0, 1.5), moves=(("s0", 2.0), ("slant", -1.5)))
    same(shown.drawn_by(shown.draw), served(model, point))
    same(
        shown.drawn_by(lambda: page.get_by_role("button", name="Reset").click()),
        served(model, Point(9, label=4)),
    )
    assert page.wrong == []
    page.close()
    place = write_at(model.latent(Point(77)))
    page = visit_at(desktop, folder, "chosen", json.dumps({"at": place, "seed": "3"}))
    expect(page.get_by_label("Seed", exact=True)).to_have_value("")
    assert WebPage(page).canvas.get_attribute("aria-label").endswith("custom latent vector")
    assert page.wrong == []
    page.close()


@pytest.mark.parametrize(
    "wrong", ["[", "7", "null", '{"seed": -1, "d": 3, "at": "AAAA", "label": "99", "x": {"a": 1}}']
)
def test_it_opens_at_seed_0_where_its_point_is_none(desktop, folder, wrong):
    page = visit_at(desktop, folder, "run", wrong)
    expect(page.get_by_label("Seed", exact=True)).to_have_value("0")
    assert page.wrong == []
    page.close()


def test_samples_strip_and_look(desktop, folder):
    model, page = shipped("digits"), visit(desktop, folder, "digits")
    shown = WebPage(page)
    shown.wait_for_sheets()
    wall = shown.samples()
    wanted = np.asarray(Image.open(io.BytesIO(model.wall(0))).convert("RGB")).astype(int)
    assert wall.shape == (224, 224, 3)
    same(wall, wanted)
    found = shown.drawn_by(lambda: page.get_by_role("button", name="Seed 5", exact=True).click())
    same(found, served(model, Point(5)))
    found = shown.drawn_by(lambda: page.get_by_role("slider", name="Cluster").fill("1.5"))
    same(found, served(model, Point(5, overrides=((model.spec.z_dim - 1, 1.5),))))
    page.close()


def test_the_other_language_keeps_the_place(browser, folder):
    context = offline(browser)
    page = visit(context, folder, "digits")
    shown = WebPage(page)
    found = shown.drawn_by(lambda: page.get_by_label("Seed", exact=True).fill("31"))
    page.wait_for_function("() => location.hash.includes('seed=31')")
    page.get_by_role("button", name="切换到中文").click()
    expect(page.locator("h1")).to_have_text("手写数字")
    shown.ready()
    assert np.array_equal(shown.drawn_by(lambda: page.get_by_label("种子", exact=True).fill("31")), found)
    assert "explore." not in page.locator("body").inner_text()
    assert "page." not in page.locator("body").inner_text()
    context.close()


def test_what_is_saved_says_that_a_machine_made_it(desktop, folder):
    page = visit(desktop, folder, "digits")
    wanted = served(shipped("digits"), Point(3))
    WebPage(page).drawn_by(lambda: page.get_by_label("Seed", exact=True).fill("3"))
    for button, times in (("PNG", 1), ("PNG, enlarged 8 times", 8)):
        with page.expect_download() as info:
            page.get_by_role("button", name=button, exact=True).click()
        saved = Image.open(info.value.path())
        saved.load()
        assert saved.info["Software"] == "GANarium"
        assert saved.info["XML:com.adobe.xmp"] == XMP
        same(np.asarray(saved.convert("RGB")).astype(int)[::times, ::times], wanted)
    page.close()


def test_a_name_is_no_part_of_the_page(desktop, folder):
    page = visit(desktop, folder, "run")
    assert page.title() == f"{TITLE} · GANarium"
    expect(page.locator("h1")).to_have_text(TITLE)
    expect(page.get_by_role("group", name="Class").get_by_role("button").nth(2)).to_have_text(CLASSES[1])
    facts = page.get_by_role("region", name="About this generator")
    expect(facts).to_contain_text("Given more time")
    expect(facts).to_contain_text("2.5 min at 1,500 images · 4 thousand images at 1,500 images")
    assert page.evaluate("window.hit") is None
    assert page.wrong == []
    page.close()


@pytest.mark.parametrize(("locale", "card"), [("en-US", "About this generator"), ("zh-CN", "关于这个生成器")])
def test_fits_a_phone_and_tells_where_it_comes_from(browser, folder, locale, card):
    context = offline(browser, locale=locale, **PHONE)
    page = visit(context, folder, "landscapes")
    shown = WebPage(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    facts = page.get_by_role("region", name=card)
    expect(facts).to_contain_text("CC0")
    assert shown.too_low() == []
    before = shown.pixels()
    bar = shown.sliders.first
    bar.scroll_into_view_if_needed()
    box = bar.bounding_box()
    page.touchscreen.tap(box["x"] + 0.9 * box["width"], box["y"] + box["height"] / 2)
    shown.wait_for_other_pixels(before)
    assert page.wrong == []
    assert context.asked == []
    context.close()


def test_without_webassembly_it_says_what_to_do(browser, folder):
    context = offline(browser)
    context.add_init_script("delete window.WebAssembly")
    page = context.new_page()
    page.goto(f"file://{folder}/digits.html")
    expect(WebPage(page).note).to_contain_text("Open the file in a current Chrome")
    context.close()


def test_the_file_holds_what_it_promises(folder):
    text = (folder / "digits.html").read_text(encoding="utf-8")
    assert len(text) < 5.5e6
    assert not re.search(r'(src|href)="(?!data:)', text), "nothing is fetched"
    assert "Copyright (c) Microsoft Corporation" in text[:6000]
    assert "trainedAlgorithmicMedia" in text[:6000]
    assert "CC BY-SA 3.0" in text[:6000]
    data = json.loads(re.search(r'id="gan-data">(.*?)</script>', text)[1])
    assert data["model"]["card"]["images"] > 1000
    assert set(data["texts"]["en"]) == set(data["texts"]["zh"])
    runtime = base64.b64decode(re.search(r'id="gan-wasm">(.*?)</script>', text)[1])
    assert (
        runtime
        == (ROOT / "gan/web/vendor/onnxruntime-web-1.22.0/ort-wasm-simd-threaded.wasm.gz").read_bytes()
    )


def test_the_command(tmp_path, capsys):
    run = write_run(tmp_path, RUN, tiny_spec())
    assert main(["webpage", str(run), str(tmp_path / "out.html")]) == 0
    assert (tmp_path / "out.html").read_bytes().startswith(b"<!doctype html>")
    assert " MB" in capsys.readouterr().out
    assert main(["webpage", "nothing", str(tmp_path / "out.html")]) == 2
    assert main(["webpage", str(run), str(run)]) == 2
    assert capsys.readouterr().err.count("\n") == 2
