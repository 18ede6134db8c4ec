"""Test who sees the real images that a run learns from, and when a run keeps them."""

import io

from PIL import Image

from gan.files import write_bytes
from gan.recipes import make_config
from gan.ui.server.requests.http import PREFIX
from gan.worker.run_dir import REALS
from gan.worker.worker import work
from tests.fakes.runs import past, tiny
from tests.support.page.visiting import key_of, served, visitor

TOKEN = "a token of the class"


def with_reals(store, config):
    return past(store, config, lambda folder: write_bytes(folder / REALS, b"reals"), state="finished")


def test_own_images_are_for_those_who_control_the_run(tmp_path):
    services = served(tmp_path / "runs", token=TOKEN)
    own = with_reals(services.store, make_config(str(tmp_path / "ann.zip"), "modern", 28, 1))
    named = with_reals(services.store, tiny())
    teacher, pupil = visitor(services, visit=False), visitor(services, visit=False)
    teacher.post(f"{PREFIX}/access", json={"token": TOKEN})
    assert teacher.get(f"{PREFIX}/runs/{own}/reals.webp").content == b"reals"
    assert key_of(pupil.get(f"{PREFIX}/runs/{own}/reals.webp")) == (403, "access.needed")
    assert pupil.get(f"{PREFIX}/runs/{named}/reals.webp").content == b"reals"


def test_a_server_that_everybody_controls_shows_them_to_nobody(client, services, store, tmp_path):
    own = with_reals(store, make_config(str(tmp_path / "ann.zip"), "modern", 28, 1))
    services.host = "0.0.0.0"
    assert key_of(client.get(f"{PREFIX}/runs/{own}/reals.webp")) == (403, "access.own_images")
    without = past(store, tiny(), state="finished")
    assert key_of(client.get(f"{PREFIX}/runs/{without}/reals.webp")) == (404, "runs.no_reals")


def test_a_run_keeps_sixteen_of_its_images(store):
    run = store.create(tiny(steps=1))
    work(store.path(run))
    picture = (store.path(run) / REALS).read_bytes()
    assert Image.open(io.BytesIO(picture)).size == (4 * 28, 4 * 28)
    other = store.create(tiny(steps=1, seed=5))
    work(store.path(other))
    assert (store.path(other) / REALS).read_bytes() == picture, "seeds are compared with the same images"
