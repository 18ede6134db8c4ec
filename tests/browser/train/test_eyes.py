"""Test the panel that shows how real each sample looks to D, and its three histograms."""

import base64
import io
import json

import pytest
from PIL import Image
from playwright.sync_api import expect

from gan.files import write_bytes
from gan.worker.run_dir import EYES
from tests.browser.train.test_stage_layout import PHONE, PROJECTOR, SHIFTS, curves

pytestmark = pytest.mark.browser

FLAT, LEFT, RIGHT = [16] * 16, [32] * 8 + [0] * 8, [0] * 8 + [32] * 8
TOLD = {
    "step": 40, "images": 1000, "sheet": 40, "low": -2.5, "high": 1.25,
    "trained": RIGHT, "held_out": LEFT, "fakes": LEFT, "tiles": [30, None, 90, 0, *[50] * 60],
}  # fmt: skip


@pytest.fixture
def seen(runs, ended):
    """Make a finished run in which D said this; None for a run without D's answers."""

    def make(told: dict | None = TOLD, **status) -> str:
        run_id = ended(**{"held_out": 256, **status})
        curves(runs.root / run_id)
        if told:
            write_bytes(runs.root / run_id / EYES, json.dumps(told).encode())
        return run_id

    return make


def opened(page):
    page.locator(".tr-eyes > summary").click()
    return page


def numbers(page) -> list[str]:
    return page.locator(".tr-tile b").all_inner_texts()


def test_each_tile_has_its_number_and_they_are_sorted_both_ways(visit, seen):
    seen()
    page = opened(visit())
    assert numbers(page)[:5] == ["30", "–", "90", "0", "50"]
    third = page.locator(".tr-tile i").nth(2).evaluate("one => getComputedStyle(one).backgroundPosition")
    page.get_by_role("button", name="Most real first").click()
    assert [numbers(page)[at] for at in (0, 1, 61, 62, 63)] == ["90", "50", "30", "0", "–"]
    first = page.locator(".tr-tile i").first.evaluate("one => getComputedStyle(one).backgroundPosition")
    assert first == third, "the picture moves with its number"
    page.get_by_role("button", name="Least real first").click()
    assert [numbers(page)[at] for at in (0, 1, 62, 63)] == ["0", "30", "90", "–"]
    expect(page.get_by_role("button", name="Least real first")).to_have_attribute("aria-pressed", "true")
    widths = (
        page.locator(".tr-tile")
        .nth(62)
        .evaluate("one => [getComputedStyle(one.querySelector('u')).backgroundImage, one.style.cssText]")
    )
    assert "90%" in widths[0]


def test_the_tiles_are_those_of_the_sheet_that_d_judged(visit, seen):
    run_id = seen()
    page = opened(visit())
    page.wait_for_function("document.querySelector('.tr-tiles').style.getPropertyValue('--sheet')")
    assert f"{run_id}/samples/00000040.webp" in page.locator(".tr-tiles").get_attribute("style")


def test_the_overlaps_are_told_in_a_sentence(visit, seen):
    seen()
    page = opened(visit())
    heart, tell = (page.locator(f".tr-seen[data-question={name}] .tr-note") for name in ("heart", "tell"))
    expect(heart).to_contain_text("Overlap 0 %")
    expect(heart).to_contain_text("It knows them by heart.")
    expect(tell).to_contain_text("Overlap 100 %")
    expect(tell).to_contain_text("D can hardly tell fakes")
    expect(page.locator(".tr-ends").first).to_have_text("−2.5D's output: fake to real1.3")


def test_the_panel_speaks_chinese(visit, seen):
    seen()
    page = opened(visit("zh-CN"))
    expect(page.locator(".tr-seen[data-question=heart] .tr-note")).to_contain_text("它把图片背下来了")


@pytest.mark.parametrize(
    ("told", "status", "sentence"),
    [
        (None, {}, "No answers of D are kept for this run."),
        (None, {"state": "running", "where": {"kind": "job", "id": "a1", "flavor": "t4"}}, "in a job"),
        (None, {"held_out": 3}, "fewer than 5 images are held out"),
        (None, {"state": "paused"}, "after 1,000 images"),
    ],
)
def test_a_sentence_says_why_there_is_nothing_to_see(visit, seen, told, status, sentence):
    seen(told, **status)
    page = opened(visit())
    expect(page.locator(".tr-eyes > .tr-note")).to_contain_text(sentence)
    expect(page.locator(".tr-eyes-body")).to_be_hidden()


def test_few_held_out_images_are_told(visit, seen):
    seen({**TOLD, "held_out": [2] * 16}, held_out=32)
    page = opened(visit())
    expect(page.locator(".tr-seens > .tr-note")).to_have_text(
        "Only 32 images are held out, so these answers are uncertain."
    )


@pytest.mark.parametrize("viewport", [PROJECTOR, PHONE])
def test_new_answers_move_nothing_but_the_curves(visit, runs, seen, viewport):
    run_id = seen()
    page = opened(visit(viewport=viewport))
    expect(page.locator(".tr-seen[data-question=tell] .tr-note")).to_contain_text("100 %")
    page.wait_for_timeout(600)  # the shifts that follow a press do not count
    page.evaluate(SHIFTS)
    write_bytes(
        runs.root / run_id / EYES,
        json.dumps({**TOLD, "step": 39, "fakes": FLAT, "tiles": [7] * 64}).encode(),
    )
    page.evaluate("import('./gradio_api/gan/static/shell/run-feed.js').then((feed) => feed.refresh())")
    expect(page.locator(".tr-tile b").first).to_have_text("7")
    expect(page.locator(".tr-seen[data-question=tell] .tr-note")).to_contain_text("Overlap 50 %")
    assert sum(value for value, _ in page.evaluate("window.shifts")) < 0.05
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]


# A closer look. The server's children are tested elsewhere; these answers are like theirs.


def webp(side: int) -> str:
    file = io.BytesIO()
    Image.effect_noise((side, side), 80).save(file, "WEBP", lossless=True)
    return base64.b64encode(file.getvalue()).decode()


NEAREST = {
    "step": 40, "images": 320, "by": "pixels, 16x16", "among": 54, "of": 54, "samples": webp(224),
    "found": webp(56), "tiles": [[[at % 9, 0.5 + at], [8, 70.25], [7, 80]] for at in range(64)],
    "usual": 5.25, "nearer": [0.0, 0.004, *[0.63] * 62],
}  # fmt: skip
SLOPES = [100] * 392 + [-100] * 391 + [0]
MAP = {"step": 40, "images": 320, "size": 28, "map": SLOPES, "sample": webp(28)}


def answering(page, **changes):
    """Let the server answer a look with NEAREST and MAP. Returns the paths that the page asks for."""
    asked = []

    def answer(route):
        asked.append(route.request.url.rsplit("/runs/")[1].partition("/")[2].split("?")[0])
        found = NEAREST if asked[-1] == "nearest" else MAP
        route.fulfill(json={**found, **changes})

    page.route("**/runs/*/nearest", answer)
    page.route("**/runs/*/saliency/*", answer)
    return asked


def chosen(page, number: int):
    page.locator(".tr-tiles button").nth(number).click()
    return page.locator(".tr-closer")


def test_a_press_on_a_sample_shows_its_nearest_training_images(visit, seen):
    seen()
    page = opened(visit())
    asked = answering(page)
    expect(page.locator(".tr-closer")).to_be_hidden()
    closer = chosen(page, 2)
    expect(closer.locator("h4")).to_have_text("Sample 3: more real to D than 90 of 100 held-out images")
    assert asked == [], "with many images nothing is looked for unasked"
    closer.get_by_role("button", name="Find the nearest training images").click()
    expect(closer.locator("figcaption")).to_have_text(["sample", "2.50", "70.25", "80.00"])
    expect(closer).to_contain_text("usually 5.25 away from theirs, and 63 of 100 lie nearer.")
    expect(closer).not_to_contain_text("as near as a copy")
    chosen(page, 1)
    expect(closer.locator("figcaption").nth(1)).to_have_text("1.50")
    expect(closer).to_contain_text("So this sample is as near as a copy.")
    assert asked == ["nearest"], "one answer holds all samples"
    assert closer.locator("h4").inner_text() == "Sample 2", "it has no number"


def test_few_held_out_images_allow_no_comparison(visit, seen):
    seen()
    page = opened(visit())
    answering(page, usual=None, nearer=None, of=90_000)
    closer = chosen(page, 0)
    closer.locator("[data-look=nearest]").click()
    expect(closer).to_contain_text("54 of 90,000 training images were searched.")
    expect(closer).to_contain_text("Too few images are held out")


def test_the_map_is_blue_where_brighter_looks_more_real_and_orange_where_darker_does(visit, seen):
    seen()
    page = opened(visit())
    asked = answering(page)
    closer = chosen(page, 2)
    expect(closer.locator("canvas")).to_be_hidden()
    closer.get_by_role("button", name="Show what D reacts to").click()
    expect(closer).to_contain_text("This is a gradient")
    pixel = """(canvas, y) => [...canvas.getContext("2d").getImageData(3, y, 1, 1).data]"""
    canvas = closer.locator("canvas")
    assert canvas.evaluate(pixel, 2)[:3] == [11, 99, 181]
    assert canvas.evaluate(pixel, 20)[:3] == [224, 115, 0]
    chosen(page, 5)
    expect(canvas).to_be_hidden()
    assert asked == ["saliency/2"]


def test_the_nearest_images_of_a_small_set_are_shown_unasked_once(visit, seen):
    seen(held_out=60)
    page = visit()
    asked = answering(page)
    assert asked == []
    opened(page)
    expect(page.locator(".tr-nearest figure")).to_have_count(4)
    expect(page.locator(".tr-closer h4")).to_contain_text("Sample 3")
    page.locator(".tr-eyes > summary").click()
    page.locator(".tr-eyes > summary").click()
    page.wait_for_timeout(300)
    assert asked == ["nearest"]


def test_a_refusal_is_told_and_the_button_works_again(visit, seen):
    seen()
    page = opened(visit())
    error = {"key": "runs.images_gone", "values": {}, "text": "Gone."}
    page.route("**/runs/*/nearest", lambda route: route.fulfill(status=400, json={"error": error}))
    closer = chosen(page, 0)
    closer.locator("[data-look=nearest]").click()
    expect(closer).to_contain_text("The images that this run learnt from are not on this computer.")
    expect(closer.locator("[data-look=nearest]")).to_be_enabled()


def test_who_does_not_control_a_run_is_offered_no_own_images(visit, seen):
    seen(held_out=60)
    page = visit()
    asked = answering(page)

    def someone_elses(route):
        reply = route.fetch()
        answer = reply.json()
        if answer.get("run"):
            answer["run"]["own_data"] = "shown"
        route.fulfill(json=answer)

    page.route("**/gradio_api/gan/poll*", someone_elses)
    page.evaluate(
        "import('./gradio_api/gan/static/core/control.js')"
        ".then((control) => control.setAccess({ needed: true, control: false }))"
    )
    page.wait_for_function("document.querySelector('gan-stage').eyes.run?.own_data")
    opened(page)
    closer = chosen(page, 0)
    expect(closer).to_contain_text("Only those who control this run see them.")
    expect(closer.locator("[data-look=nearest]")).to_be_hidden()
    expect(closer.locator("[data-look=saliency]")).to_be_visible()
    assert asked == []


def test_another_run_begins_without_a_chosen_sample(visit, runs, seen):
    seen()
    page = opened(visit())
    answering(page)
    chosen(page, 2).locator("[data-look=nearest]").click()
    expect(page.locator(".tr-nearest figure")).to_have_count(4)
    other = seen({**TOLD, "tiles": [11] * 64})
    page.evaluate(f"location.hash = '#tab=train&run={other}'")
    expect(page.locator(".tr-tile b").first).to_have_text("11")
    expect(page.locator(".tr-closer")).to_be_hidden()
    assert page.locator(".tr-tile [aria-pressed=true]").count() == 0
    chosen(page, 3)
    expect(page.locator(".tr-nearest figure")).to_have_count(0)


# The game


REAL = [0, 1] * 10
GAME = {
    "step": 40, "images": 320, "sheet": webp(224), "real": REAL, "d": [0] * 10 + REAL[10:], "labels": None,
}  # fmt: skip


def playing(page, games: int = 3, **changes):
    """Let the server answer a game with GAME, and count it. Returns what the page asks for and tells."""
    asked = []

    def pairs(route):
        asked.append("pairs")
        route.fulfill(json={**GAME, **changes})

    def played(route):
        asked.append(route.request.post_data_json)
        route.fulfill(json={"games": games, "right": 17, "d": 25})

    page.route("**/runs/*/pairs", pairs)
    page.route("**/gradio_api/gan/played", played)
    return asked


def test_the_reader_and_d_answer_the_same_ten_pairs(visit, seen):
    run_id = seen()
    page = opened(visit())
    asked = playing(page)
    page.get_by_role("button", name="Play").click()
    said = page.locator(".tr-game [role=status]")
    for pair in range(1, 11):
        expect(said).to_have_text(f"Pair {pair} of 10: which one is real?")
        side = "left" if pair < 5 or pair == 8 else "right"
        page.get_by_role("button", name=f"The {side} one is real").click()
    # Real are left, right, left, ...: five of D's answers are right, and the reader's 1, 3, 6 and 10.
    expect(said).to_contain_text("You: 4 of 10. D after 320 images: 5 of 10.")
    expect(said).to_contain_text("All 3 games on this run together: players 17 of 30, D 25 of 30.")
    assert asked == ["pairs", {"run": run_id, "right": 4, "d": 5}]
    results = page.locator(".tr-results li")
    expect(results).to_have_count(10)
    expect(results.nth(0).locator("span")).to_have_text("you ✓ · D ✓")
    expect(results.nth(4).locator("span")).to_have_text("you ✗ · D ✓")
    expect(results.nth(5).locator("span")).to_have_text("you ✓ · D ✗")
    framed = results.evaluate_all(
        "all => all.map((one) => [...one.querySelectorAll('i')].findIndex((i) => i.matches('.is-real')))"
    )
    assert framed == REAL[:10]


def test_a_second_game_has_other_pairs_and_a_third_asks_for_new_ones(visit, seen):
    seen()
    page = opened(visit())
    asked = playing(page, games=1)
    for count in (1, 1, 2):
        page.locator("[data-look=game]").click()
        page.wait_for_selector(".tr-pick")
        for _ in range(10):
            page.locator(".tr-pick").first.click()
        expect(page.locator(".tr-results li")).to_have_count(10)
        expect(page.locator("[data-look=game]")).to_have_text("Play again")
        assert asked.count("pairs") == count
        expect(page.locator(".tr-game [role=status]")).not_to_contain_text("together")
    assert [one["d"] for one in asked if one != "pairs"] == [5, 10, 5]


def test_a_game_goes_by_keyboard_and_names_the_class(visit, runs, seen):
    seen(classes=["cat", "dog"])
    page = opened(visit())
    playing(page, labels=[1, 0] * 10)
    page.locator("[data-look=game]").click()
    expect(page.locator(".tr-game [role=status]")).to_have_text("Pair 1 of 10, class dog: which one is real?")
    page.locator(".tr-pick").last.focus()
    for _ in range(10):
        page.keyboard.press("Enter")
    expect(page.locator(".tr-results li")).to_have_count(10)
