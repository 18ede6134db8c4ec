"""Test loops in a real browser: key frames, the animation through them, and the exported files."""

import base64
import io
import re
from urllib.parse import parse_qs, urlparse

import av
import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from gan.latent.loop import Classes
from tests.fakes.runs import wait_until
from tests.support.inputs.generators import RUN
from tests.support.page.explorer.explorer import Explorer
from tests.support.page.explorer.loop import LoopView
from tests.support.page.exploring import changes, still
from tests.support.page.moving import again, point, saved, view, write_models

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def runs(runs_folder):
    return write_models(runs_folder)


def test_key_frames_are_added_moved_and_removed_by_keyboard(page):
    loop = LoopView(page)
    view(page, "Loop")
    expect(page.get_by_text("No key frames yet")).to_be_visible()
    expect(page.get_by_role("button", name="Save", exact=True)).to_be_disabled()
    loop.add_three()
    a, b, c = (key["at"] for key in loop.key_frames())
    loop.key(2).focus()
    page.keyboard.press("Shift+ArrowLeft")
    assert [key["at"] for key in loop.key_frames()] == [a, c, b]
    page.keyboard.press("ArrowLeft")
    expect(loop.key(0)).to_be_focused()
    page.keyboard.press("Enter")
    assert point(page)["at"] == a
    page.keyboard.press("Delete")
    assert [key["at"] for key in loop.key_frames()] == [c, b]
    expect(loop.key(0)).to_be_focused()
    page.get_by_role("button", name="Move later").click()
    assert [key["at"] for key in loop.key_frames()] == [b, c]
    page.get_by_role("button", name="Remove (Delete)").click()
    expect(page.get_by_text("Add one more key frame to make a loop.")).to_be_visible()


def test_keys_keep_the_units_that_were_changed(page):
    explorer, loop = Explorer(page), LoopView(page)
    explorer.change(u={"0.1": 0, "1.2": 4})
    off = still(page)
    loop.add_three()
    page.get_by_role("button", name="Reset", exact=True).click()
    assert still(page) != off
    loop.key(0).click()
    assert point(page)["u"] == {"0.1": 0, "1.2": 4}
    # z is rounded to 1/4096, which may change a pixel by one step
    wanted, there = (
        Image.open(io.BytesIO(base64.b64decode(each.decode().partition(",")[2]))).convert("L")
        for each in (off, still(page))
    )
    assert np.abs(np.asarray(wanted).astype(int) - np.asarray(there)).max() <= 2
    page.get_by_label("Frames between keys").fill("2")
    with page.expect_request("**/gan/loop*") as asked:
        saved(page, lambda: page.get_by_role("button", name="Save", exact=True).click())
    keys = parse_qs(urlparse(asked.value.url).query)["keys"][0].split(";")
    assert [key.split(",", 4)[4] for key in keys] == ["0.1:0,1.2:4"] * 3
    explorer.change(u={f"1.{unit}": 0 for unit in range(64)})
    # more units than this small generator has
    expect(explorer.note).to_contain_text("has no unit")
    add, note = page.get_by_role("button", name="Add this sample"), explorer.note
    # The server's answer about the units may arrive after the click, and then replaces the sentence.
    wait_until(lambda: add.click() or "At most 64 units" in note.text_content(), 60)
    expect(loop.frames).to_have_count(3)


def test_key_frames_outlive_the_page_and_what_is_no_key_of_this_model_is_left_out(page):
    loop = LoopView(page)
    Explorer(page).change(u={"0.1": 0, "1.2": 4})
    loop.add_three()
    before = loop.key_frames()
    again(page)
    expect(loop.frames).to_have_count(3)
    assert loop.key_frames() == before
    loop.key(1).click()
    assert point(page)["at"] == before[1]["at"]
    page.keyboard.press("Delete")
    good = page.evaluate("localStorage.getItem('gan.loops')")
    odd = [
        "null",
        "[]",
        "{",
        '{"format":"ganarium-loops-1","loops":[null,{"model":7,"keys":[]},{"model":"run:x"}]}',
        good.replace('"at":"', '"at":"AA'),
        good.replace('"at"', '"label":"7","at"'),
        good.replace('"at":"', '"at":["').replace('",', '"],'),
    ]
    for text in odd:
        page.evaluate("(text) => localStorage.setItem('gan.loops', text)", text)
        opened_anew(page)
        expect(page.get_by_text("No key frames yet")).to_be_visible()
    page.evaluate("(text) => localStorage.setItem('gan.loops', text)", good)
    again(page)
    assert loop.key_frames() == [before[0], before[2]]


def opened_anew(page: Page) -> None:
    """Open the view as the first one of a page does, which reads what is stored."""
    view(page, "Samples")
    Explorer(page).forget_view("loop")
    view(page, "Loop")


def test_a_loop_plays_in_the_large_picture(page):
    LoopView(page).add_three()
    page.get_by_role("button", name="Play", exact=True).click()
    seen = {changes(page, lambda: None) for _ in range(5)}
    assert len(seen) == 5
    page.get_by_role("button", name="Pause", exact=True).click()
    at = point(page)["at"]
    page.wait_for_timeout(300)
    assert point(page)["at"] == at is not None


@pytest.mark.parametrize("form", ["gif", "webp", "mp4"])
def test_a_loop_is_saved(page, form):
    LoopView(page).add_three()
    page.get_by_label("Frames between keys").fill("5")
    expect(page.get_by_text("15 frames, 1.3 s")).to_be_visible()
    page.get_by_label("File format").select_option(form)
    name, data = saved(page, lambda: page.get_by_role("button", name="Save", exact=True).click())
    assert name == f"ganarium-loop-run-{RUN}.{form}"
    assert b"trainedAlgorithmicMedia" in data
    if form == "mp4":
        with av.open(io.BytesIO(data)) as container:
            frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
        assert (len(frames), frames[0].shape) == (15, (252, 252, 3))
    else:
        picture = Image.open(io.BytesIO(data))
        assert (picture.n_frames, picture.size) == (15, (252, 252))
    expect(page.get_by_text(re.compile("^Saved, "))).to_be_visible()


def test_saving_tells_how_far_it_is_and_can_be_cancelled(page):
    LoopView(page).add_three()
    page.get_by_label("Frames between keys").fill("120")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text(re.compile(r"^Frame \d+ of 360$"))).to_be_visible()
    assert 0 < page.locator("progress").evaluate("(bar) => bar.value") < 1
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("Cancelled.")).to_be_visible()
    expect(page.get_by_role("button", name="Save", exact=True)).to_be_focused()


def test_what_the_server_says_against_a_loop_is_told(page):
    LoopView(page).add_three()
    page.route(
        "**/gan/loop*",
        lambda route: route.fulfill(
            body='{"done": 0, "of": 9}\n{"error": {"key": "latent.film_failed", "values": {}, "text": "?"}}'
        ),
    )
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("could not be encoded")).to_be_visible()
    page.route("**/gan/loop*", lambda route: route.abort())
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("No connection")).to_be_visible()


UNITS = [{}, {"1.11": 4, "0.2": 0}, {}, {"0.2": 2}]
KEYS = [Classes(0, 0, 0.0), Classes(1, 2, 0.25), Classes(2, 2, 0.0), Classes(2, 1, 0.6)]
