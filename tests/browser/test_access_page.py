"""Test the teacher lock in a real browser: a class watches, one controls, and nothing shows the token."""

import json
import time

import pytest
from playwright.sync_api import Page, expect

from gan.ui.server.people.access import FREE, PACE
from tests.fakes.runs import children
from tests.reliability.attacker.raw_http import Case, Wire
from tests.support.page.browsing import PHONE, serve_program, spare_is_ready
from tests.support.page.exploring import sliders

pytestmark = pytest.mark.browser
TOKEN = "zebra-4711-quokka"


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """The URL of a server with a token, the folder of its runs, and its log."""
    folder = tmp_path_factory.mktemp("locked")
    with serve_program(folder / "runs", token=TOKEN, log=folder / "server.log") as address:
        spare_is_ready(folder / "runs")
        yield address, folder


@pytest.fixture
def visit(browser, served):
    """Open the Train tab as a new visitor."""
    contexts = []

    def open_page(lang: str = "en-US", **options) -> Page:
        context = browser.new_context(
            **{"viewport": {"width": 1280, "height": 800}, "locale": lang, **options}
        )
        contexts.append(context)
        page = context.new_page()
        page.goto(f"{served[0]}#tab=train")
        page.wait_for_selector("gan-time [aria-checked=true]")
        page.wait_for_function("() => document.documentElement.dataset.control")
        return page

    yield open_page
    for context in contexts:
        context.close()


WATCH_SHIFTS = """() => {
  window.shifts = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifts += entry.value;
  }).observe({ type: "layout-shift" });
}"""


def unlock(page: Page, token: str = TOKEN) -> None:
    page.click(".gan-lock")
    page.get_by_label("Teacher token", exact=True).fill(token)
    page.keyboard.press("Enter")


def test_a_class_watches_what_one_controls(visit, served):
    teacher, student = visit(), visit("zh-CN", **PHONE)
    expect(teacher.locator("#train-button")).to_be_hidden()
    expect(teacher.locator("#train-go gan-watching")).to_contain_text(
        "to start or change runs, click the lock"
    )
    unlock(teacher, "not the token")
    expect(teacher.locator(".gan-token-error")).to_have_text(
        "This is not the teacher token. Check it and try again."
    )
    unlock_again = teacher.get_by_label("Teacher token", exact=True)
    unlock_again.fill(TOKEN)
    unlock_again.press("Enter")
    expect(teacher.locator(".gan-told")).to_have_text("You control the runs in this browser.")
    expect(teacher.locator(".gan-token")).to_be_hidden()
    expect(teacher.locator("#train-go gan-watching")).to_be_hidden()
    student.evaluate(WATCH_SHIFTS)
    teacher.click("#train-button")
    expect(teacher.locator("[data-command=pause]")).to_be_visible()
    expect(student.locator(".tr-bar")).to_be_in_viewport()
    assert student.evaluate("shifts") < 0.05, "the first run moves nothing under the finger"
    expect(student.locator(".gan-pill")).to_be_visible()
    covered = "(pill) => pill.getBoundingClientRect().left - "
    covered += "document.getElementById('tab-train-button').getBoundingClientRect().right"
    assert student.locator(".gan-pill").evaluate(covered) >= -8, "the pill leaves the tab readable"
    expect(student.locator(".tr-picture[src]:not([hidden])")).to_be_visible()
    assert student.locator("[data-command]:visible").count() == 0
    expect(student.locator(".tr-controls gan-watching")).to_contain_text("仅供查看")
    assert student.evaluate("() => document.documentElement.scrollWidth") <= 390
    student.click("#tab-explore-button")
    expect(sliders(student).first).to_be_enabled()
    teacher.click("[data-command=stop]")
    teacher.click("[data-command=stop]")
    expect(teacher.locator(".tr-verdict")).to_contain_text("Stopped.")


def test_control_outlives_the_page_and_is_given_up_by_hand(visit):
    page = visit()
    unlock(page)
    expect(page.locator("#train-button")).to_be_visible()
    page.reload()
    page.wait_for_function("() => document.documentElement.dataset.control === 'yes'")
    page.click(".gan-lock")
    expect(page.locator(".gan-token")).to_contain_text("You control the runs in this browser.")
    page.click(".gan-token button:visible")
    expect(page.locator("#train-button")).to_be_hidden()


def test_a_page_whose_session_has_ended_says_so(visit):
    page = visit()
    unlock(page)
    expect(page.locator("#train-button")).to_be_visible()
    page.context.clear_cookies()
    # at once, before the page notices by itself and hides the button
    page.evaluate("document.querySelector('#train-button').click()")
    expect(page.locator("gan-answer .tr-error")).to_contain_text("This needs the teacher token")
    expect(page.locator("#train-button")).to_be_hidden()


def test_the_lock_works_with_keys_alone(visit):
    page = visit()
    page.locator(".gan-lock").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Teacher token", exact=True)).to_be_focused()
    assert page.locator("#gan-header").bounding_box()["height"] == 56, "the page below stays where it is"
    page.keyboard.press("Escape")
    expect(page.locator(".gan-token")).to_be_hidden()
    expect(page.locator(".gan-lock")).to_be_focused()
    box = page.locator(".gan-lock").bounding_box()
    assert min(box["width"], box["height"]) >= 40


def test_the_token_appears_nowhere(visit, served):
    """The token is in no URL, answer, page or page storage.

    It is in no file of the runs and not in the server's log. No worker has it in its environment or
    arguments.
    """
    address, folder = served
    page = visit()
    asked: set[str] = set()
    page.on("request", lambda request: request.method == "GET" and asked.add(request.url))
    unlock(page)
    expect(page.locator("#train-button")).to_be_visible()
    page.reload()
    page.wait_for_selector("gan-time [aria-checked=true]")
    held = page.evaluate(
        "() => JSON.stringify([document.cookie, {...localStorage}, {...sessionStorage}, location.href, "
        "document.documentElement.outerHTML])"
    )
    assert "ganarium-control" not in held  # a cookie that scripts can't read
    replies = [page.context.request.get(url) for url in sorted(asked) if url.startswith(address)]
    assert len(replies) > 20
    assert not any(TOKEN in text for text in [*asked, held, *(repr(reply.headers) for reply in replies)])
    assert not any(TOKEN.encode() in reply.body() for reply in replies)
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert {"server.log", ".spare.log"} <= {path.name for path in files}
    assert [path for path in files if TOKEN.encode() in path.read_bytes()] == []
    workers = [
        worker
        for server in children()
        if str(folder) in " ".join(server.cmdline())
        for worker in server.children(recursive=True)
    ]
    assert workers
    for worker in workers:
        assert TOKEN not in repr([worker.cmdline(), worker.environ()])


def test_invented_addresses_neither_speed_guessing_nor_lock_the_teacher_out(served):
    """Keep this test the last one of the module.

    Its wrong tokens count against this machine from then on.
    """
    wire = Wire(served[0])

    def status(token: str, address: str) -> int:
        headers = ((b"X-Forwarded-For", address.encode()),)
        return wire.ask(
            Case("tokens", b"/gradio_api/gan/access", b"POST", headers, json.dumps({"token": token}).encode())
        ).status

    begin = time.monotonic()
    assert {status("wrong token", f"8.8.4.{number}") for number in range(FREE + 4)} == {403}
    assert time.monotonic() - begin > 3 * PACE
    assert status(TOKEN, "8.8.4.1") == 200
