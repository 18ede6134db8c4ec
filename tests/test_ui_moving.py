"""Ways to move through latent space in a real browser: pad, wheel, keys, touch, random walk, loops, favourites, arithmetic and blended classes."""

import base64
import io
import json
import re

import av
import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from gan.latent.loop import Classes, Loop, between
from gan.latent.sampling import latents
from tests.browsing import PHONE, SLOW
from tests.exploring import changes, large, sliders, visit
from tests.generators import RUN, tiny_spec, write_lively, write_run
from tests.test_ui_browser_path import here

pytestmark = pytest.mark.browser

CLASSES = "20250102-040506-faces-modern"
COLOUR = tiny_spec(3, channels=3, z_dim=20, looks=4)
READY = "() => document.querySelector('gan-explorer').local.ready(document.querySelector('gan-explorer').model)"


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    root = tmp_path_factory.mktemp("runs")
    write_run(root, RUN, tiny_spec(z_dim=40), created=1.0)
    write_run(root, CLASSES, COLOUR, classes=["cat", "dog", "owl"], created=2.0)
    write_lively(root / CLASSES / "live.safetensors", COLOUR)
    return root


@pytest.fixture(scope="module")
def desktop(browser):
    context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-US", accept_downloads=True)
    context.set_default_timeout(SLOW / 2)
    yield context
    context.close()


@pytest.fixture
def page(desktop, address):
    page = desktop.new_page()
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    visit(page, address)
    page.wait_for_function(READY)
    yield page
    assert errors == []
    page.evaluate("localStorage.clear()")
    page.close()


@pytest.fixture(scope="module")
def phone(browser, address):
    context = browser.new_context(**PHONE, locale="en-US", accept_downloads=True)
    context.set_default_timeout(SLOW / 2)
    page = context.new_page()
    visit(page, address, f"run:{CLASSES}")
    page.wait_for_function(READY)
    yield page
    context.close()


def point(page: Page) -> dict:
    return page.evaluate("document.querySelector('gan-explorer').point")


def view(page: Page, name: str) -> None:
    page.get_by_role("tab", name=name, exact=True).click()
    expect(page.get_by_role("tab", name=name, exact=True)).to_have_attribute("aria-selected", "true")


def middle(page: Page, place: str) -> tuple[float, float, float]:
    """The middle of an element on the screen, and its width."""
    page.locator(place).scroll_into_view_if_needed()
    box = page.locator(place).bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, box["width"]


def swipe(page: Page, start: tuple[float, float], end: tuple[float, float], steps: int = 10) -> None:
    """A finger that goes down, moves and lifts, as the browser itself hears it."""
    client = page.context.new_cdp_session(page)
    for step in range(steps + 1):
        x, y = (a + (b - a) * step / steps for a, b in zip(start, end, strict=True))
        client.send("Input.dispatchTouchEvent", {"type": "touchStart" if step == 0 else "touchMove", "touchPoints": [{"x": x, "y": y}]})
        page.wait_for_timeout(20)
    client.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def saved(page: Page, act) -> tuple[str, bytes]:
    with page.expect_download() as info:
        act()
    return info.value.suggested_filename, info.value.path().read_bytes()


# Hands ------------------------------------------------------------------------------------------------------------------------------------------------------


def test_the_pad_moves_two_directions_at_once(page):
    view(page, "Walk")
    x, y, width = middle(page, ".xp-pad")
    page.mouse.move(x, y)
    page.mouse.down()
    seen = [large(page)]
    for part in (0.1, 0.2, 0.3):
        seen.append(changes(page, lambda part=part: page.mouse.move(x + part * width, y - part * width)))
    page.mouse.up()
    assert len(set(seen)) == 4
    assert point(page)["d"] == pytest.approx([1.8, -1.8], abs=0.05)
    assert [sliders(page).nth(k).input_value() for k in (0, 1)] == ["1.8", "-1.8"]
    expect(page.locator(".xp-pad")).to_have_attribute("aria-label", "Drag pad: direction 1 at 1.8, direction 2 at -1.8")
    page.locator(".xp-steer").get_by_label("Direction across").select_option("4")
    assert point(page)["axes"] == [4, 1]
    page.locator(".xp-pad").press("ArrowRight")
    page.locator(".xp-pad").press("Shift+ArrowDown")
    assert point(page)["d"] == pytest.approx([1.8, -1.3, 0, 0, 0.1], abs=0.05)
    page.locator(".xp-pad").dblclick()
    assert [point(page)["d"][k] for k in (1, 4)] == [0, 0]


def test_the_picture_follows_the_pad_at_every_frame(page):
    view(page, "Walk")
    drawn = page.evaluate("""async () => {
      const pad = document.querySelector(".xp-pad"), { left, top, width } = pad.getBoundingClientRect();
      const explorer = document.querySelector("gan-explorer"), drawn = [];
      explorer.addEventListener("gan:drawn", (event) => drawn.push(event.detail.point.d[0]));
      const send = (type, part) => pad.dispatchEvent(new PointerEvent(type, { pointerId: 1, isPrimary: true, button: 0, clientX: left + part * width, clientY: top + width / 2 }));
      pad.setPointerCapture = () => {};
      for (let step = 0; step <= 40; step += 1) {
        send(step ? "pointermove" : "pointerdown", step / 40);
        await new Promise(requestAnimationFrame);
      }
      while (drawn.at(-1) !== 3) await new Promise(requestAnimationFrame);
      send("pointerup", 1);
      return drawn;
    }""")
    assert len(drawn) > 15
    assert drawn == sorted(drawn)


def test_the_large_picture_hears_keys(page):
    figure = page.locator(".xp-large")
    figure.focus()
    changes(page, lambda: [page.keyboard.press("ArrowRight") for _ in range(8)])
    page.keyboard.press("ArrowUp")
    assert point(page)["d"] == pytest.approx([0.8, -0.1])
    page.keyboard.press("Home")
    assert point(page)["d"] == [0, 0]
    changes(page, lambda: page.keyboard.press("r"))
    assert point(page)["seed"] != 0
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement === document.body")


def test_the_wheel_moves_only_what_has_the_focus(page):
    x, y, _ = middle(page, ".xp-large")
    page.mouse.move(x, y)
    page.mouse.wheel(0, 200)
    page.wait_for_function("scrollY > 0")
    assert point(page)["d"] == []
    page.evaluate("scrollTo(0, 0)")
    page.mouse.click(x, y)
    changes(page, lambda: page.mouse.wheel(0, -300))
    assert point(page)["d"] == pytest.approx([0.6, 0])
    page.keyboard.down("Shift")
    page.mouse.wheel(0, -100)
    page.keyboard.up("Shift")
    page.wait_for_function("() => document.querySelector('gan-explorer').point.d[1] !== 0")
    assert point(page)["d"] == pytest.approx([0.6, 0.2])
    assert page.evaluate("scrollY") == 0
    sliders(page).nth(2).focus()
    sliders(page).nth(2).hover()
    changes(page, lambda: page.mouse.wheel(0, -100))
    assert float(sliders(page).nth(2).input_value()) == pytest.approx(0.1)
    sliders(page).nth(3).hover()
    page.mouse.wheel(0, -100)
    page.wait_for_timeout(200)
    assert sliders(page).nth(3).input_value() == "0"


def test_the_large_picture_is_dragged_with_the_mouse(page):
    x, y, _ = middle(page, ".xp-canvas")
    side = page.locator(".xp-canvas").bounding_box()["width"]
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 2, y)
    assert point(page)["d"] == []
    changes(page, lambda: page.mouse.move(x + side / 6, y + side / 12))
    page.mouse.up()
    page.mouse.move(x, y)
    assert point(page)["d"] == pytest.approx([1, 0.5], abs=0.02)


def test_a_finger_moves_the_point_sideways_and_scrolls_the_page_otherwise(phone):
    phone.evaluate("scrollTo(0, 0)")
    x, y, _ = middle(phone, ".xp-canvas")
    before = phone.evaluate("scrollY")
    changes(phone, lambda: swipe(phone, (x, y), (x + 100, y)))
    assert point(phone)["d"][0] > 0.5
    moved = point(phone)["d"]
    swipe(phone, (x, y + 60), (x, y - 100))
    phone.wait_for_function(f"scrollY > {before} + 20")
    assert point(phone)["d"] == moved
    view(phone, "Walk")
    x, y, width = middle(phone, ".xp-pad")
    changes(phone, lambda: swipe(phone, (x, y), (x + width / 4, y + width / 4)))
    assert point(phone)["d"][:2] == pytest.approx([1.5, 1.5], abs=0.2)


# Walks ------------------------------------------------------------------------------------------------------------------------------------------------------


def test_a_random_walk_plays_pauses_and_stays_where_it_stops(page):
    view(page, "Walk")
    page.wait_for_timeout(300)
    assert point(page)["at"] is None, "nothing moves by itself"
    page.get_by_role("button", name="Play", exact=True).click()
    seen = {changes(page, lambda: None) for _ in range(4)}
    page.get_by_role("button", name="Pause", exact=True).click()
    page.wait_for_timeout(200)
    stopped, end = point(page)["at"], large(page)
    page.wait_for_timeout(300)
    assert (point(page)["at"], large(page)) == (stopped, end)
    assert len(seen) == 4
    changes(page, lambda: sliders(page).nth(0).fill("1.5"))
    assert point(page)["at"] == stopped
    page.wait_for_function(f"() => location.hash.includes('at={stopped}')")
    page.locator(".xp-large").focus()
    changes(page, lambda: page.keyboard.press(" "))
    assert point(page)["at"] != stopped
    assert point(page)["d"][0] == 1.5
    page.keyboard.press(" ")
    expect(page.get_by_role("button", name="Start a random walk")).to_be_visible()


def test_a_walk_ends_with_a_hidden_page_and_another_model(page):
    page.get_by_role("button", name="Start a random walk").click()
    page.wait_for_function("() => document.querySelector('gan-explorer').point.at")
    page.evaluate("""() => {
      Object.defineProperty(document, "hidden", { value: true, configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
      delete document.hidden;
    }""")
    assert page.evaluate("document.querySelector('gan-explorer').player") is None
    page.get_by_role("button", name="Start a random walk").click()
    page.evaluate("(id) => dispatchEvent(new CustomEvent('gan:explore', { detail: { model: id } }))", f"run:{CLASSES}")
    page.wait_for_function("() => !document.querySelector('gan-explorer').player")


def test_a_walk_stays_where_seeds_are_and_comes_everywhere(page):
    lengths, cosines, steps = page.evaluate("""async () => {
      const { Wander } = await import("/gradio_api/gan/static/explore/wander.js");
      const { latent } = await import("/gradio_api/gan/static/explore/latent.js");
      const norm = (z) => Math.hypot(...z), dot = (a, b) => a.reduce((sum, value, index) => sum + value * b[index], 0);
      const lengths = [], cosines = [], steps = [];
      for (let seed = 0; seed < 8; seed += 1) {
        const start = Array.from(latent(seed, 64), (value) => value * (seed % 2 ? 1 : 2));
        const wander = new Wander(start);
        let before = wander.z;
        for (let step = 0; step < 2000; step += 1) {
          wander.further(0.02);
          const angle = Math.acos(Math.min(1, dot(before, wander.z) / norm(before) / norm(wander.z)));
          steps.push(angle);
          before = wander.z;
        }
        lengths.push(norm(wander.z));
        cosines.push(dot(start, wander.z) / norm(start) / norm(wander.z));
      }
      return [lengths, cosines, steps];
    }""")
    assert lengths == pytest.approx([8] * 8, abs=1e-3)  # the square root of 64, whatever it began with
    assert steps == pytest.approx([0.02] * len(steps), abs=1e-6)  # evenly, and along the sphere
    # After 40 radians nothing is left of the start: cosines of independent directions in 64 dimensions have a standard deviation of 1/8.
    assert np.abs(cosines).max() < 0.6
    assert abs(np.mean(cosines)) < 0.25


# Loops ------------------------------------------------------------------------------------------------------------------------------------------------------


def three_keys(page: Page) -> None:
    view(page, "Loop")
    page.get_by_role("button", name="Add this picture").click()
    for _ in range(2):
        page.get_by_role("button", name="Add a random one").click()
    expect(page.locator(".xp-key")).to_have_count(3)


def test_key_frames_are_added_moved_and_removed_by_keyboard(page):
    view(page, "Loop")
    expect(page.get_by_text("No key frames yet")).to_be_visible()
    expect(page.get_by_role("button", name="Save", exact=True)).to_be_disabled()
    three_keys(page)
    keys = "() => document.querySelector('gan-explorer').views.views.loop.keys.map((key) => key.at)"
    a, b, c = page.evaluate(keys)
    page.locator(".xp-key").nth(2).focus()
    page.keyboard.press("Shift+ArrowLeft")
    assert page.evaluate(keys) == [a, c, b]
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".xp-key").nth(0)).to_be_focused()
    page.keyboard.press("Enter")
    assert point(page)["at"] == a
    page.keyboard.press("Delete")
    assert page.evaluate(keys) == [c, b]
    expect(page.locator(".xp-key").nth(0)).to_be_focused()
    page.get_by_role("button", name="Move later").click()
    assert page.evaluate(keys) == [b, c]
    page.get_by_role("button", name="Remove (Delete)").click()
    expect(page.get_by_text("One more, and there is a loop.")).to_be_visible()


def test_a_loop_plays_in_the_large_picture(page):
    three_keys(page)
    page.get_by_role("button", name="Play", exact=True).click()
    seen = {changes(page, lambda: None) for _ in range(5)}
    assert len(seen) == 5
    page.get_by_role("button", name="Pause", exact=True).click()
    at = point(page)["at"]
    page.wait_for_timeout(300)
    assert point(page)["at"] == at is not None


@pytest.mark.parametrize("form", ["gif", "webp", "mp4"])
def test_a_loop_is_saved(page, form):
    three_keys(page)
    page.get_by_label("Frames per key").fill("5")
    expect(page.get_by_text("15 frames, 1.3 s")).to_be_visible()
    page.get_by_label("Kind of file").select_option(form)
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
    three_keys(page)
    page.get_by_label("Frames per key").fill("120")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text(re.compile(r"^Frame \d+ of 360$"))).to_be_visible()
    assert 0 < page.locator("progress").evaluate("(bar) => bar.value") < 1
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("Cancelled.")).to_be_visible()
    expect(page.get_by_role("button", name="Save", exact=True)).to_be_focused()


def test_what_the_server_says_against_a_loop_is_told(page):
    three_keys(page)
    page.route("**/gan/loop*", lambda route: route.fulfill(body='{"done": 0, "of": 9}\n{"error": {"key": "latent.film_failed", "values": {}, "text": "?"}}'))
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("could not be packed")).to_be_visible()
    page.route("**/gan/loop*", lambda route: route.abort())
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("No connection")).to_be_visible()


KEYS = [Classes(0, 0, 0.0), Classes(1, 2, 0.25), Classes(2, 2, 0.0), Classes(2, 1, 0.6)]


def test_a_loop_is_the_same_here_and_there(page):
    found = page.evaluate("""async ([keys, size]) => {
      const { frameOf, between, keyText } = await import("/gradio_api/gan/static/explore/keys.js");
      const { latent } = await import("/gradio_api/gan/static/explore/latent.js");
      const { read16, written16 } = await import("/gradio_api/gan/static/explore/point.js");
      const all = keys.map(([label, other, share], seed) => ({ at: written16(latent(seed, size)), label, other, share }));
      const frames = Array.from({ length: 6 * all.length }, (_, frame) => frameOf(all, 6, frame, size));
      return { text: all.map(keyText).join(";"), frames: frames.map((f) => [Array.from(read16(f.at, size)), f.label, f.other, f.share]) };
    }""", [[list(key) for key in KEYS], 20])
    points = Loop.parse({"keys": found["text"], "steps": "6"}, COLOUR).points(3)
    assert len(points) == len(found["frames"]) == 24
    for wanted, (z, label, other, share) in zip(points, found["frames"], strict=True):
        assert np.abs(np.array(wanted.at) - z).max() <= 0.5 / 4096 + 1e-6
        assert wanted.label == label
        assert wanted.blend(3) == pytest.approx((other if share else label, share))
    assert between(*KEYS[:2], 1.0) == KEYS[1]


# Favourites ---------------------------------------------------------------------------------------------------------------------------------------------------


def keep(page: Page, seed: int) -> None:
    page.get_by_label("Seed", exact=True).fill(str(seed))
    page.wait_for_function("(seed) => document.querySelector('gan-explorer').point.seed === seed", arg=seed)
    heart = page.get_by_role("button", name="Favourite", exact=True)
    heart.click()
    expect(heart).to_have_attribute("aria-pressed", "true")


def test_favourites_survive_a_reload_and_lead_back(page, address):
    view(page, "Favourites")
    expect(page.get_by_text("No favourites yet")).to_be_visible()
    changes(page, lambda: sliders(page).nth(1).fill("2"))
    keep(page, 7)
    page.wait_for_timeout(300)
    seven = large(page)
    keep(page, 9)
    page.get_by_label("Name").first.fill("nine")
    page.get_by_label("Name").first.press("Enter")
    page.reload()
    expect(page.locator(".xp-tray li")).to_have_count(2)
    assert [field.input_value() for field in page.get_by_label("Name").all()] == ["nine", "Seed 7"]
    page.wait_for_function(READY)
    changes(page, lambda: page.get_by_role("button", name="Go to “Seed 7”").click())
    assert point(page)["seed"] == 7
    page.wait_for_timeout(300)
    assert large(page) == seven
    expect(page.get_by_role("button", name="Go to “Seed 7”")).to_have_attribute("aria-current", "true")
    page.wait_for_function("() => document.querySelectorAll('.xp-tray canvas')[1].width === 28")
    page.evaluate("(id) => dispatchEvent(new CustomEvent('gan:explore', { detail: { model: id } }))", f"run:{CLASSES}")
    expect(page.locator(".xp-tray small").first).to_be_visible()
    page.get_by_role("button", name="Go to “nine”").click()
    page.wait_for_function("(id) => document.querySelector('gan-explorer').point.model === id", arg=f"run:{RUN}")
    assert (point(page)["seed"], point(page)["view"]) == (9, "favourites")
    page.get_by_role("button", name="Remove “nine”").click()
    expect(page.locator(".xp-tray li")).to_have_count(1)
    page.get_by_role("button", name="Go to “Seed 7”").click()
    page.get_by_role("button", name="Favourite", exact=True).click()
    expect(page.get_by_text("No favourites yet")).to_be_visible()


def test_favourites_leave_as_a_file_and_come_back(page):
    view(page, "Favourites")
    for seed in (3, 4):
        keep(page, seed)
    name, data = saved(page, lambda: page.get_by_role("button", name="Export").click())
    assert name == "ganarium-favourites.json"
    value = json.loads(data)
    assert [one["point"] for one in value["favourites"]] == [{"seed": "4"}, {"seed": "3"}]
    page.get_by_role("button", name="Remove “Seed 3”").click()
    give(page, data)
    expect(page.get_by_text("1 favourites came in.")).to_be_visible()
    expect(page.locator(".xp-tray li")).to_have_count(2)


def give(page: Page, data: bytes) -> None:
    page.locator(".xp-moving input[type=file]").set_input_files({"name": "f.json", "mimeType": "application/json", "buffer": data})


BAD_POINTS = [[], {"seed": 5}, {"seed": "1" * 30000}]
EVIL = '<img src=x onerror="window.harmed = 1">'
GOOD = {"model": f"run:{RUN}", "name": EVIL, "title": EVIL, "point": {"seed": "5", "d": "1", "at": '"><script>', "view": "walk", "__proto__": "x", "onclick": "harm()"}}


@pytest.mark.parametrize("junk", [b"", b"\xff\xfe\x00", b"[]", b"null", b'"text"', b"{}", b'{"format": "other", "favourites": []}', b'{"format": "ganarium-favourites-1"}',
                                  b"[" * 100_000, b" " * 2**20 + b"{}"], ids=map(str, range(10)))  # fmt: skip
def test_what_is_no_file_of_favourites_is_refused(page, junk):
    view(page, "Favourites")
    give(page, junk)
    expect(page.get_by_text("“f.json” is no file of favourites. Choose one that was exported here.")).to_be_visible()


def test_odd_entries_are_left_out_and_nothing_is_run(page):
    view(page, "Favourites")
    odd = [None, 1, [], {}, {"model": "run:../../etc", "point": {}}, {"model": "javascript:alert(1)", "point": {}},
           {"model": f"run:{RUN}", "name": 5, "point": {}}, *({"model": f"run:{RUN}", "point": bad} for bad in BAD_POINTS)]
    give(page, json.dumps({"format": "ganarium-favourites-1", "favourites": [*odd, GOOD, GOOD]}).encode())
    expect(page.get_by_text(f"1 favourites came in. {len(odd)} entries could not be read and were left out.")).to_be_visible()
    expect(page.locator(".xp-tray li")).to_have_count(1)
    kept = json.loads(page.evaluate("localStorage.getItem('gan.favourites')"))["favourites"]
    assert kept[0]["point"] == {"seed": "5", "d": "1"}
    assert page.get_by_label("Name").first.input_value() == EVIL[:60]
    page.wait_for_timeout(300)
    assert page.evaluate("window.harmed") is None
    page.evaluate("localStorage.setItem('gan.favourites', '{broken')")
    page.reload()
    expect(page.get_by_text("No favourites yet")).to_be_visible()


def test_two_hundred_are_the_most(page):
    many = [{"model": f"run:{RUN}", "name": str(seed), "title": "", "point": {"seed": str(seed)}} for seed in range(1, 221)]
    page.evaluate("(text) => localStorage.setItem('gan.favourites', text)", json.dumps({"format": "ganarium-favourites-1", "favourites": many}))
    page.reload()
    page.wait_for_function("() => document.querySelector('gan-explorer')?.favourites?.all.length === 200")
    expect(sliders(page).first).to_be_enabled()
    page.get_by_role("button", name="Favourite", exact=True).click()
    expect(page.locator(".xp-note")).to_contain_text("200 favourites are the most")


def stands(page: Page) -> np.ndarray:
    """The z that the point has written out."""
    text = point(page)["at"]
    return np.frombuffer(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), "<i2") / 4096


def test_arithmetic(page):
    view(page, "Favourites")
    expect(page.get_by_text("Keep at least two favourites")).to_be_visible()
    for seed in (1, 2, 3):
        keep(page, seed)
    for letter, name in zip("ABC", ("Seed 1", "Seed 2", "Seed 3"), strict=True):
        page.get_by_label(letter, exact=True).select_option(name)
    result = page.get_by_role("button", name="Go to A − B + C")
    a, b, c = latents([1, 2, 3], 40)
    wanted = a - b + c
    for usual in (True, False):
        page.get_by_label("Keep the usual length").set_checked(usual)
        expect(result).to_be_enabled()
        page.wait_for_timeout(200)
        changes(page, lambda: result.click())
        scale = np.linalg.norm([a, b, c], axis=1).mean() / np.linalg.norm(wanted) if usual else 1
        assert np.abs(stands(page) - np.clip(scale * wanted, -8, 8)).max() < 2 / 4096  # each of the three was written in units of 1/4096
    view(page, "Loop")
    page.get_by_role("button", name="Add favourites").click()
    expect(page.locator(".xp-key")).to_have_count(3)


# Classes ------------------------------------------------------------------------------------------------------------------------------------------------------


def test_two_classes_are_blended(page, address):
    visit(page, address, f"run:{CLASSES}", "&seed=3")
    here(page)
    page.get_by_role("button", name="cat", exact=True).click()
    page.wait_for_function("() => document.querySelector('gan-explorer').point.label === 0")
    page.wait_for_timeout(300)
    cat = large(page)
    share = page.get_by_label("Share of it")
    expect(share).to_be_hidden()
    half = changes(page, lambda: page.get_by_label("Blend with", exact=True).select_option("dog"))
    expect(page.locator(".xp-mix .xp-value")).to_have_text("50%")
    page.wait_for_function("() => location.hash.includes('label2=1') && location.hash.includes('mix=0.5')")
    dog = changes(page, lambda: share.fill("1"))
    assert changes(page, lambda: share.fill("0")) == cat
    assert len({cat, half, dog}) == 3
    changes(page, lambda: share.fill("0.3"))
    page.get_by_label("Blend with", exact=True).select_option("No other class")
    expect(share).to_be_hidden()
    page.wait_for_timeout(300)
    assert large(page) == cat
    page.get_by_role("button", name="dog", exact=True).click()
    page.wait_for_timeout(500)
    assert large(page) == dog


# Small screens ------------------------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("lang", "names"), [("en-US", ["Walk", "Loop", "Favourites"]), ("zh-CN", ["漫步", "循环", "收藏"])])
def test_the_views_fit_a_phone(browser, address, lang, names):
    context = browser.new_context(**PHONE, locale=lang)
    page = context.new_page()
    visit(page, address, f"run:{CLASSES}")
    for key in ("keep", "add"):
        if key == "keep":
            page.locator(".xp-heart").click()
    for name in names:
        view(page, name)
        if name == names[1]:
            page.locator(".xp-moving .xp-row button").nth(2).click()
            expect(page.locator(".xp-key")).to_have_count(1)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        small = page.locator(".xp-moving button:not(.xp-help), .xp-moving select, .xp-moving input:not([type=checkbox])").evaluate_all(
            "(all) => all.filter((e) => e.offsetParent && e.getBoundingClientRect().height < 39.5).map((e) => e.className)")
        assert small == []
    context.close()
