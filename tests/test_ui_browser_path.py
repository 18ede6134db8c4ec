"""The generator in the visitor's own browser: the same numbers and pictures as the server's, without the server, and the server where that can't be."""

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from gan.latent.point import Point
from gan.latent.sampling import latent, mixed_label, slerp
from gan.models import ModelSpec
from tests.browsing import SLOW
from tests.exploring import bar, changes, here, large, visit
from tests.generators import RUN, tiny_spec, write_lively, write_run, write_weights

pytestmark = pytest.mark.browser

CLASSES = "20250102-040506-faces-modern"
TEXTBOOK = "20250102-050607-faces-dcgan"
LIVE = "20250102-060708-digits-modern"
COLOUR, DCGAN = tiny_spec(3, channels=3, z_dim=20, looks=4), ModelSpec("dcgan", 64, 3, 21, 8)
SERVER = "Drawn by the server"
# Both round the same float32 picture, whose sums were taken in another order: where one lies on the edge of two grey values, they may choose differently.
ROUNDING, SELDOM = 1, 0.01


@pytest.fixture(scope="module")
def runs(shelf):
    write_run(shelf, RUN, tiny_spec(z_dim=40), created=1.0)
    write_run(shelf, CLASSES, COLOUR, classes=["cat", "dog", "owl"], created=2.0)
    write_run(shelf, TEXTBOOK, DCGAN, created=3.0)
    write_lively(shelf / CLASSES / "live.safetensors", COLOUR)
    write_lively(shelf / TEXTBOOK / "live.safetensors", DCGAN)
    write_run(shelf, LIVE, tiny_spec(), state="running", created=4.0)
    return shelf


@pytest.fixture(scope="module")
def desktop(browser):
    context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-US", accept_downloads=True)
    context.set_default_timeout(SLOW / 4)
    yield context
    context.close()


@pytest.fixture(scope="module")
def page(desktop, address):
    """One page for all tests that only move about."""
    page = desktop.new_page()
    visit(page, address)
    here(page)
    yield page
    page.close()


def go(page: Page, point: str) -> np.ndarray:
    """The large picture of a point that the address names, (H, W, 3), once it is drawn."""
    width, pixels = page.evaluate(
        """(hash) => new Promise((done, failed) => {
          setTimeout(() => failed(new Error("not drawn")), 15000);
          const explorer = document.querySelector("gan-explorer");
          explorer.addEventListener("gan:drawn", () => {
            const { width, height } = document.querySelector(".xp-canvas");
            done([width, Array.from(document.querySelector(".xp-canvas").getContext("2d").getImageData(0, 0, width, height).data)]);
          }, { once: true });
          history.replaceState(null, "", `#${hash}`);
          dispatchEvent(new HashChangeEvent("hashchange"));
        })""", point)  # fmt: skip
    return np.array(pixels).reshape(-1, width, 4)[:, :, :3]


def served(page: Page, address: str, query: str) -> np.ndarray:
    """The server's picture of a query, (H, W, 3)."""
    reply = page.request.get(f"{address}gradio_api/gan/image?{query}")
    return np.asarray(Image.open(io.BytesIO(reply.body())).convert("RGB")).astype(int)


def test_seeds_give_the_same_numbers(page):
    seeds, opposite = [0, 1, 7, 12345, 2**31 - 1], (-latent(3, 33)).tolist()
    found = page.evaluate("""async ([seeds, opposite]) => {
      const { latent, mixedLabel, slerp } = await import("/gradio_api/gan/static/explore/latent.js");
      const [a, b] = [latent(3, 33), latent(4, 33)];
      const ways = [[a, b], [b, a], [a, a], [a, new Float32Array(33)], [a, Float32Array.from(opposite)]];
      return {
        z: seeds.map((seed) => Array.from(latent(seed, 65))), labels: seeds.map((seed) => mixedLabel(seed, 10)),
        walks: ways.map(([from, to]) => [0, 0.3, 1].map((part) => Array.from(slerp(from, to, part)))),
      };
    }""", [seeds, opposite])
    wanted = np.stack([latent(seed, 65) for seed in seeds])
    np.testing.assert_array_max_ulp(np.array(found["z"], np.float32), wanted, maxulp=1)
    assert found["labels"] == [mixed_label(seed, 10) for seed in seeds]
    a, b = latent(3, 33), latent(4, 33)
    for walk, (start, end) in zip(found["walks"], [(a, b), (b, a), (a, a), (a, 0 * a), (a, -a)], strict=True):
        assert np.abs(np.array(walk) - slerp(start, end, [0, 0.3, 1])).max() < 1e-6


def written(z: np.ndarray) -> str:
    """A z as addresses carry it."""
    return base64.urlsafe_b64encode((z * 4096).round().astype("<i2").tobytes()).decode().rstrip("=")


AT = written(latent(77, 40) * 1.5)
POINTS = {
    f"run:{RUN}": ["seed=5", "seed=5&psi=0.4", "seed=5&d=1.5,0,-2", "seed=5&to=9&t=0.35", "seed=5&z=3:1.5,39:-2", "seed=6&psi=0.7&d=0,1&to=2&t=0.8&z=0:3",
                   "seed=5&x=s0:1.5,s2:-2", "seed=5&psi=0.5&d=1&x=s1:-3&to=9&t=0.3", f"seed=5&at={AT}", f"seed=5&at={AT}&psi=0.6&d=1&to=2&t=0.3"],
    f"run:{CLASSES}": ["seed=1", "seed=2", "seed=3&label=1", "seed=3&label=2&d=1", "seed=1&to=2&t=0.7", "seed=3&z=19:-2.5", "seed=3&z=19:0.3",
                       "seed=3&label=0&label2=1&mix=0.4", "seed=3&label2=2&mix=0.25&d=1&z=19:0.3", "seed=3&label=1&label2=2&mix=0"],
    f"run:{TEXTBOOK}": ["seed=1", "seed=3&d=2,1", "seed=1&psi=0"],
    "shipped:digits": ["seed=8", "seed=9&label=4&d=-2.5&psi=0.9", "seed=9&label=4&label2=9&mix=0.5",
                       "seed=9&label=4&x=slant:2.5,s3:-1"],
    "shipped:faces": ["seed=8", "seed=10&d=1,1,1"], "shipped:landscapes": ["seed=8", "seed=9&d=3"],
}  # fmt: skip


@pytest.mark.parametrize("model", POINTS)
def test_pictures_are_those_of_the_server(page, address, model):
    if any("slant" in point for point in POINTS[model]):
        page.request.get(f"{address}gradio_api/gan/attributes?id={model}", timeout=SLOW)  # found by now: no picture waits for it
    go(page, f"model={model}")
    here(page)
    for point in POINTS[model]:
        drawn = go(page, f"model={model}&{point}")
        here(page)
        difference = np.abs(drawn - served(page, address, f"id={model}&{point}"))
        assert drawn.std() > 2, point
        assert difference.max() <= ROUNDING, point
        assert (difference > 0).mean() < SELDOM, point


def test_a_point_means_the_same_z(page):
    ways = {name: np.random.default_rng(seed).normal(size=40).astype(np.float32) / 6 for seed, name in enumerate(("s0", "night", "p"))}
    query = {"seed": "12", "to": "4", "t": "0.4", "psi": "0.7", "d": "1.5", "x": "night:-2.25,s0:0.5", "z": "3:1.5"}
    found = page.evaluate("""async ([texts, ways]) => {
      const [{ pointZ }, { fresh }] = await Promise.all(["latent", "point"].map((name) => import(`/gradio_api/gan/static/explore/${name}.js`)));
      const point = { ...fresh(), seed: 12, to: 4, t: 0.4, psi: 0.7, d: [1.5], x: { night: -2.25, s0: 0.5 }, z: { 3: 1.5 } };
      const vector = (id) => ways[id] && Float32Array.from(ways[id]);
      let refused = "";
      try { pointZ({ ...point, x: { dusk: 1 } }, 40, vector("p"), vector); } catch (error) { refused = error.message; }
      return [Array.from(pointZ(point, 40, vector("p"), vector)), refused];
    }""", [query, {name: way.tolist() for name, way in ways.items()}])
    wanted = Point.parse(query, tiny_spec(z_dim=40)).z(40, lambda: ways["p"][None], ways.__getitem__)
    assert np.abs(np.array(found[0]) - wanted).max() < 1e-6
    assert "dusk" in found[1]


def test_a_z_is_written_and_read_as_the_server_reads_it(page):
    z = np.array([0, 1, -1, 7.75, -8, 9, 1 / 3], np.float32)
    text, back = page.evaluate("""async (z) => {
      const { read16, written16 } = await import("/gradio_api/gan/static/explore/point.js");
      return [written16(z), Array.from(read16(written16(z), z.length))];
    }""", z.tolist())
    assert text == written(np.clip(z, -8, 8 - 1 / 4096))
    assert np.abs(np.array(back) - np.clip(z, -8, 8)).max() <= 1 / 4096


def test_sliders_need_no_server(page):
    go(page, f"model=run:{RUN}&seed=2")
    here(page)
    page.route("**/gan/image*", lambda route: route.abort())
    seen = {large(page)}
    for value in ("1", "2", "-1.5"):
        seen.add(changes(page, lambda value=value: bar(page, "p0").fill(value)))
    seen.add(changes(page, lambda: page.get_by_role("button", name="Randomise").click()))
    page.unroute("**/gan/image*")
    assert len(seen) == 5
    expect(page.locator(".xp-note")).to_be_hidden()


@pytest.mark.parametrize("model", [f"run:{CLASSES}", "shipped:digits"])
def test_sheets_are_those_of_the_server(page, address, model):
    go(page, f"model={model}")
    here(page)
    page.route(re.compile("/gan/(neighbours|strip)"), lambda route: route.abort())
    page.locator(".xp-near").scroll_into_view_if_needed()
    go(page, f"model={model}&seed=5&d=0.5,0,2.5&to=8&axes=p2,s1")
    for sheet in ("neighbours", "way"):
        page.wait_for_function("""(name) => {
          const { sheet } = document.querySelector("gan-explorer")[name];
          return sheet.drawn === JSON.stringify(sheet.query()) && sheet.bitmap instanceof HTMLCanvasElement;
        }""", arg=sheet)
        width, pixels, url = page.evaluate("""async (name) => {
          const { address } = await import("/gradio_api/gan/static/common.js");
          const { bitmap, path, query } = document.querySelector("gan-explorer")[name].sheet;
          const { data } = bitmap.getContext("2d").getImageData(0, 0, bitmap.width, bitmap.height);
          return [bitmap.width, Array.from(data), address(path, query())];
        }""", sheet)
        wanted = np.asarray(Image.open(io.BytesIO(page.request.get(url).body())).convert("RGB")).astype(int)
        assert np.abs(np.array(pixels).reshape(-1, width, 4)[:, :, :3] - wanted).max() <= ROUNDING
    page.unroute(re.compile("/gan/(neighbours|strip)"))


def test_what_is_saved_says_who_made_it(page, address):
    go(page, f"model=run:{RUN}&seed=4&d=1")
    here(page)
    with page.expect_download() as info:
        page.get_by_role("button", name="PNG", exact=True).click()
    saved = Image.open(info.value.path())
    assert saved.info["Software"] == "GANarium"
    assert np.array_equal(np.asarray(saved.convert("RGB")), served(page, address, f"id=run:{RUN}&seed=4&d=1"))


def test_newer_weights_are_fetched(page, runs):
    go(page, f"model=run:{RUN}&seed=4")
    here(page)
    changes(page, lambda: write_weights(runs / RUN / "live.safetensors", tiny_spec(z_dim=40), seed=9))
    here(page)


def test_a_model_that_learns_is_left_to_the_server(page):
    go(page, f"model=run:{LIVE}")
    expect(page.locator(".xp-path")).to_have_text("Drawn by the server while it trains")


@pytest.mark.parametrize("lack", ["delete window.WebAssembly", "Object.defineProperty(navigator, 'connection', { value: { saveData: true } })"])
def test_without_the_means_the_server_draws(desktop, address, lack):
    page = desktop.new_page()
    page.add_init_script(lack)
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    visit(page, address)
    page.wait_for_timeout(1500)
    changes(page, lambda: bar(page, "p0").fill("2"))
    expect(page.locator(".xp-path")).to_have_text(SERVER)
    assert not any("/gan/generator" in url or "onnxruntime" in url for url in asked)
    page.close()


def test_where_the_generator_does_not_come_the_server_draws(desktop, address):
    page = desktop.new_page()
    page.route("**/gan/generator*", lambda route: route.fulfill(body=b"no model", headers={"X-Model-Version": "?"}))
    visit(page, address)
    page.wait_for_timeout(1500)
    changes(page, lambda: bar(page, "p0").fill("2"))
    expect(page.locator(".xp-path")).to_have_text(SERVER)
    page.close()


WORKERS = {
    "slow": "onmessage = () => postMessage({ ms: 500 });", "broken": "throw new Error('no');",
    "out of memory": "onmessage = ({ data }) => postMessage(data.onnx ? { ms: 5 } : { error: 'no memory' });",
}  # fmt: skip


@pytest.mark.parametrize("worker", WORKERS)
def test_where_the_worker_fails_the_server_draws(desktop, address, worker):
    page = desktop.new_page()
    page.route("**/local-worker.js", lambda route: route.fulfill(body=WORKERS[worker], content_type="text/javascript"))
    with page.expect_console_message(lambda message: message.text.startswith("the server draws")):
        visit(page, address)
    changes(page, lambda: bar(page, "p0").fill("2"))
    expect(page.locator(".xp-path")).to_have_text(SERVER)
    expect(page.locator(".xp-note")).to_be_hidden()
    page.close()


def test_the_first_picture_comes_before_the_generator(desktop, address):
    page = desktop.new_page()
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    visit(page, address)
    here(page)
    first = next(place for place, url in enumerate(asked) if "/gan/image" in url)
    heavy = [place for place, url in enumerate(asked) if "/gan/generator" in url or ".wasm.gz" in url]
    assert len(heavy) == 2
    assert first < min(heavy)
    page.close()
