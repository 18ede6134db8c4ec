"""Test the tray of favourites in a real browser: storage over a reload, export, import, and arithmetic."""

import base64
import json

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from gan.latent.sampling import latents
from tests.support.inputs.generators import RUN
from tests.support.page.explorer.explorer import Explorer
from tests.support.page.explorer.favourites import Tray
from tests.support.page.explorer.loop import LoopView
from tests.support.page.exploring import bar, changes, still
from tests.support.page.moving import CLASSES, again, point, saved, view, write_models

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def runs(runs_folder):
    return write_models(runs_folder)


def keep(page: Page, seed: int) -> None:
    page.get_by_label("Seed", exact=True).fill(str(seed))
    Explorer(page).wait_for_seed(seed)
    heart = page.get_by_role("button", name="Favourite", exact=True)
    heart.click()
    expect(heart).to_have_attribute("aria-pressed", "true")


def test_favourites_survive_a_reload_and_lead_back(page, address):
    view(page, "Favourites")
    expect(page.get_by_text("No favourites yet")).to_be_visible()
    changes(page, lambda: bar(page, "p1").fill("2"))
    keep(page, 7)
    seven = still(page)
    keep(page, 9)
    page.get_by_label("Name").first.fill("nine")
    page.get_by_label("Name").first.press("Enter")
    again(page)
    expect(Tray(page).entries).to_have_count(2)
    assert [field.input_value() for field in page.get_by_label("Name").all()] == ["nine", "Seed 7"]
    changes(page, lambda: page.get_by_role("button", name="Go to “Seed 7”").click())
    assert point(page)["seed"] == 7
    assert still(page) == seven
    expect(page.get_by_role("button", name="Go to “Seed 7”")).to_have_attribute("aria-current", "true")
    Tray(page).wait_for_picture(1)
    page.evaluate(
        "(id) => dispatchEvent(new CustomEvent('gan:explore', { detail: { model: id } }))", f"run:{CLASSES}"
    )
    expect(Tray(page).other_models.first).to_be_visible()
    page.get_by_role("button", name="Go to “nine”").click()
    Explorer(page).wait_for_model(f"run:{RUN}")
    assert (point(page)["seed"], point(page)["view"]) == (9, "favourites")
    page.get_by_role("button", name="Remove “nine”").click()
    expect(Tray(page).entries).to_have_count(1)
    page.get_by_role("button", name="Go to “Seed 7”").click()
    page.get_by_role("button", name="Favourite", exact=True).click()
    expect(page.get_by_text("No favourites yet")).to_be_visible()


def test_favourites_leave_as_a_file_and_come_back(page):
    view(page, "Favourites")
    for seed in (3, 4):
        keep(page, seed)
    name, data = saved(page, lambda: page.get_by_role("button", name="Export", exact=True).click())
    assert name == "ganarium-favourites.json"
    value = json.loads(data)
    assert [one["point"] for one in value["favourites"]] == [{"seed": "4"}, {"seed": "3"}]
    page.get_by_role("button", name="Remove “Seed 3”").click()
    Tray(page).give(data)
    expect(page.get_by_text("1 favourites were imported.")).to_be_visible()
    expect(Tray(page).entries).to_have_count(2)


BAD_POINTS = [[], {"seed": 5}, {"seed": "1" * 30000}]
EVIL = '<img src=x onerror="window.harmed = 1">'
GOOD = {
    "model": f"run:{RUN}",
    "name": EVIL,
    "title": EVIL,
    "point": {
        "seed": "5",
        "d": "1",
        "at": '"><script>',
        "view": "walk",
        "__proto__": "x",
        "onclick": "harm()",
    },
}


JUNK = [b"", b"\xff\xfe\x00", b"[]", b"null", b'"text"', b"{}", b'{"format": "other", "favourites": []}',
    b'{"format": "ganarium-favourites-1"}',
        b"[" * 100_000, b" " * 2**20 + b"{}"]  # fmt: skip


def test_what_is_no_file_of_favourites_is_refused(page):
    view(page, "Favourites")
    for count, junk in enumerate(JUNK):
        Tray(page).give(junk, f"f{count}.json")
        expect(
            page.get_by_text(
                f"“f{count}.json” is not a file of favourites. Choose one that was exported here."
            )
        ).to_be_visible()


def test_odd_entries_are_left_out_and_nothing_is_run(page):
    view(page, "Favourites")
    odd = [
        None,
        1,
        [],
        {},
        {"model": "run:../../etc", "point": {}},
        {"model": "javascript:alert(1)", "point": {}},
        {"model": f"run:{RUN}", "name": 5, "point": {}},
        *({"model": f"run:{RUN}", "point": bad} for bad in BAD_POINTS),
    ]
    Tray(page).give(
        json.dumps({"format": "ganarium-favourites-1", "favourites": [*odd, GOOD, GOOD]}).encode()
    )
    expect(
        page.get_by_text(
            f"1 favourites were imported. {len(odd)} entries could not be read and were skipped."
        )
    ).to_be_visible()
    expect(Tray(page).entries).to_have_count(1)
    kept = json.loads(page.evaluate("localStorage.getItem('gan.favourites')"))["favourites"]
    assert kept[0]["point"] == {"seed": "5", "d": "1"}
    assert page.get_by_label("Name").first.input_value() == EVIL[:60]
    page.wait_for_timeout(300)
    assert page.evaluate("window.harmed") is None
    page.evaluate("localStorage.setItem('gan.favourites', '{broken')")
    again(page)
    expect(page.get_by_text("No favourites yet")).to_be_visible()


def test_two_hundred_are_the_most(page):
    many = [
        {"model": f"run:{RUN}", "name": str(seed), "title": "", "point": {"seed": str(seed)}}
        for seed in range(1, 221)
    ]
    page.evaluate(
        "(text) => localStorage.setItem('gan.favourites', text)",
        json.dumps({"format": "ganarium-favourites-1", "favourites": many}),
    )
    again(page)
    assert Tray(page).kept() == 200
    page.get_by_role("button", name="Favourite", exact=True).click()
    expect(Explorer(page).note).to_contain_text("At most 200 fit")


def stands(page: Page) -> np.ndarray:
    """Return the z that the point spells out."""
    text = point(page)["at"]
    return np.frombuffer(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), "<i2") / 4096


def test_arithmetic(page):
    view(page, "Favourites")
    expect(page.get_by_text("Add at least two favourites")).to_be_visible()
    terms = Tray(page).terms
    for seed in (1, 2, 3):
        keep(page, seed)
        chosen = terms.evaluate_all("(all) => all.map((one) => one.selectedOptions[0]?.text)")
        assert seed == 1 or chosen[1] != chosen[2], "A - B + B would only show A"
    assert len(set(chosen)) == 3
    for letter, name in zip("ABC", ("Seed 1", "Seed 2", "Seed 3"), strict=True):
        page.get_by_label(letter, exact=True).select_option(name)
    result = page.get_by_role("button", name="Go to A − B + C")
    a, b, c = latents([1, 2, 3], 40)
    wanted = a - b + c
    for usual in (True, False):
        page.get_by_label("Normalise the result").set_checked(usual)
        expect(result).to_be_enabled()
        page.wait_for_timeout(200)
        changes(page, lambda: result.click())
        scale = np.linalg.norm([a, b, c], axis=1).mean() / np.linalg.norm(wanted) if usual else 1
        # each of the three z is rounded to 1/4096
        assert np.abs(stands(page) - np.clip(scale * wanted, -8, 8)).max() < 2 / 4096
    view(page, "Loop")
    page.get_by_role("button", name="Add favourites").click()
    expect(LoopView(page).frames).to_have_count(3)


def test_units_follow_the_arithmetic(page):
    """Units follow the arithmetic as classes do: C gains the units that A has and B lacks."""
    explorer = Explorer(page)
    view(page, "Favourites")
    for seed, units in ((1, {"0.1": 0}), (2, {}), (3, {})):
        keep(page, seed)
        page.get_by_role("button", name="Favourite", exact=True).click()
        explorer.change(u=units)
        page.get_by_role("button", name="Favourite", exact=True).click()
    result = page.get_by_role("button", name="Go to A − B + C")
    for terms, wanted in (("123", {"0.1": 0}), ("231", {"0.1": 0}), ("213", {}), ("112", {})):
        explorer.change(at=None)
        for letter, seed in zip("ABC", terms, strict=True):
            page.get_by_label(letter, exact=True).select_option(f"Seed {seed}")
        expect(result).to_be_enabled()
        page.wait_for_timeout(200)
        result.click()
        explorer.wait_for_own_z()
        assert point(page)["u"] == wanted, terms


def test_a_favourite_along_directions_that_have_to_be_found_first_gets_its_picture(page):
    """The server computes a model's named directions at the first request.

    No test has made one for a model that was never open.
    """
    asked, found = [], []

    def image(route):
        if "x=" not in route.request.url or found:
            return route.continue_(url=route.request.url.replace("night", "s0"))
        asked.append(route.request.url)
        return route.fulfill(status=503, json={"error": {"key": "latent.finding", "values": {}, "text": ""}})

    def attributes(route):
        found.append(route.request.url)
        page.wait_for_timeout(300)
        route.fulfill(json={"directions": [], "vectors": "", "fixed": [], "titles": {}})

    page.route("**/gan/image*", image)
    page.route("**/gan/attributes*", attributes)
    give_later = [
        {"model": f"run:{CLASSES}", "name": name, "title": "", "point": {"seed": str(seed), **extra}}
        for seed, name, extra in (
            (5, "bright", {"x": "night:2"}),
            (6, "plain", {}),
            (7, "dark", {"x": "night:-2"}),
        )
    ]
    view(page, "Favourites")
    Tray(page).give(json.dumps({"format": "ganarium-favourites-1", "favourites": give_later}).encode())
    Tray(page).wait_for_pictures(3)
    assert asked
    assert all(f"id=run%3A{CLASSES}" in url for url in [*asked, *found])
    assert len(found) == 1, "once for all that wait"
