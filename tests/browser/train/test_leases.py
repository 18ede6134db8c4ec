"""Test the chain of leases on the page of a Space's visitor, with the real `spaces` and a fake service."""

import pytest
from playwright.sync_api import Page, expect

from gan.ui.server.people.visitors import COOKIE
from tests.fakes import gpus
from tests.fakes.runs import LONG, reaches
from tests.support.page.browsing import PHONE
from tests.support.processes.leasing import made, zero_space

pytest.importorskip("spaces", reason="the package spaces is not installed")
pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def space(tmp_path_factory):
    with zero_space(tmp_path_factory.mktemp("zero")) as space:
        yield space


@pytest.fixture
def page(browser, space):
    """The Train tab on the phone of somebody who is signed in, so that the proxy adds a token."""
    context = browser.new_context(**PHONE, locale="en-US", extra_http_headers={"x-ip-token": gpus.TOKEN})
    page = context.new_page()
    page.goto(f"{space.address}#tab=train")
    page.wait_for_function("() => document.documentElement.dataset.control")
    yield page
    context.close()


def brings(page: Page, space, folder, name: str, **settings) -> str:
    """Give the visitor a run that waits for its first lease, and show it. Returns its id."""
    visit = next(cookie["value"] for cookie in page.context.cookies() if COOKIE in cookie["name"])
    run = space.owns(visit, made(folder, name, **settings))
    page.evaluate(f"location.hash = 'tab=train&run={run}'")
    return run


def finished(page: Page) -> None:
    expect(page.locator(".tr-verdict")).to_contain_text("Finished")
    expect(page.locator(".tr-lease")).to_be_hidden()


def seconds_of(leases) -> list[str]:
    return [lease["durationSeconds"] for lease in leases]


def test_the_page_drives_a_run_from_lease_to_lease_to_its_end(page, space, tmp_path):
    before = len(space.service.of("/schedule"))
    run = brings(page, space, tmp_path, "driven")
    finished(page)
    leases = space.service.of("/schedule")[before:]
    assert len(leases) >= 2
    assert {lease["token"] for lease in leases} == {gpus.TOKEN}
    assert space.store.status(run)["state"] == "finished"


def test_in_a_lease_the_page_says_who_trains_and_offers_nothing_else(page, space, tmp_path):
    """The run is long, because the page may miss a short lease between two polls."""
    run = brings(page, space, tmp_path, "long", steps=LONG, seed=0)
    expect(page.locator(".tr-lease .tr-said")).to_contain_text("A GPU trains this run, on your quota.")
    for name in ("Seconds of your GPU time", "Go on with a GPU", "Go on on the CPU"):
        expect(page.get_by_text(name)).to_be_hidden()
    page.request.post(f"{space.address}gradio_api/gan/runs/{run}/stop")
    reaches(space.store, run, "stopped")


def test_a_refusal_shows_its_offer_which_then_drives_the_run(page, space, tmp_path):
    space.service.refuse(left=25, wait=600)
    brings(page, space, tmp_path, "offered")
    panel = page.locator(".tr-lease")
    expect(panel).to_contain_text(
        "Only 25 s of your GPU time are left, and 30 s were asked for. Go on with 24 s"
    )
    expect(page.get_by_label("Seconds of your GPU time")).to_have_value("24")
    expect(page.get_by_role("button", name="Go on on the CPU")).to_be_enabled()
    before = len(space.service.of("/schedule"))
    page.wait_for_timeout(3000)  # more than one poll
    assert len(space.service.of("/schedule")) == before, "the page asks for nothing by itself"
    page.get_by_role("button", name="Go on with a GPU").click()
    finished(page)
    asked = seconds_of(space.service.of("/schedule")[before:])
    assert len(asked) >= 2
    assert set(asked) == {"24"}


def test_without_an_offer_the_cpu_goes_on(page, space, tmp_path):
    space.service.refuse(left=5, wait=600)
    run = brings(page, space, tmp_path, "processor")
    expect(page.locator(".tr-lease")).to_contain_text("5 s are left, and 30 s were asked for.")
    page.get_by_role("button", name="Go on on the CPU").click()
    finished(page)
    assert space.store.status(run)["leased"] is False


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_mirror_and_what_it_restored_fit_a_phone(page, space, tmp_path, scheme):
    """A long name and a long reason have the whole width, and nothing sticks out."""
    page.emulate_media(color_scheme=scheme)
    place = "datasets/alice/" + "all_runs_of_the_class" * 4
    event = {"time": 0.0, "key": "restored", "values": {"place": place, "step": 12345}}
    reason = {"key": "hub.down", "values": {"name": place, "status": 503}, "text": ""}

    def answer(route):
        reply = route.fetch()
        body = reply.json()
        if body.get("run"):
            body["run"].update(mirror={"step": 12345, "error": reason}, events=[event])
        route.fulfill(response=reply, json=body)

    page.route("**/gan/poll*", answer)
    space.service.refuse(left=5, wait=600)
    brings(page, space, tmp_path, f"mirrored-{scheme}")
    expect(page.locator(".tr-events")).to_contain_text(f"{place}, at step 12,345.")
    fact = page.locator(".is-mirror")
    expect(fact).to_contain_text("Not mirrored. The Hub has a problem of its own (status 503)")
    expect(page.locator(".tr-lease")).to_contain_text("5 s are left")
    expect(page.locator(".tr-lease")).to_be_visible()
    facts, lease = page.locator(".tr-facts").bounding_box(), page.locator(".tr-lease").bounding_box()
    assert fact.bounding_box()["width"] == pytest.approx(facts["width"], abs=1)
    assert lease["y"] >= facts["y"] + facts["height"] + 12
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["viewport"]["width"]
