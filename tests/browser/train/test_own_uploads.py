"""Test how own images come to the real page: added, dropped, and refused with a sentence."""

import json

import pytest
from playwright.sync_api import Page, expect

from gan.ui.server.requests.uploads import MAX_FILE, MAX_FILES, MAX_REQUEST
from tests.support.page.train_form import HEIC, loose, pets, picture, zipped

pytestmark = pytest.mark.browser
# Every member has the flag of a password.
LOCKED = (
    pets()
    .replace(b"PK\x01\x02\x14\x03\x14\0\0", b"PK\x01\x02\x14\x03\x14\0\x01")
    .replace(b"PK\x03\x04\x14\0\0", b"PK\x03\x04\x14\0\x01")
)


@pytest.mark.parametrize(("lang", "name", "content", "sentence"), [
    ("en-US", "note.txt", b"text", "“note.txt” is not a usable image."),
    ("zh-CN", "note.txt", b"text", "“note.txt”不是可用的图片。"),
    ("en-US", "cats.zip", b"no zip", "“cats.zip” is neither a folder nor a zip of images."),
    ("en-US", "locked.zip", LOCKED, "“locked.zip” needs a password"),
])  # fmt: skip
def test_what_can_not_be_used_is_said_where_it_was_added(lang, name, content, sentence, own):
    form = own(lang)
    page = form.page
    form.add((name, content))
    error = form.refusal
    expect(error).to_contain_text(sentence)
    expect(form.zone).to_be_visible()
    page.wait_for_timeout(200)
    expect(error).to_be_visible()
    form.add(*loose(3))
    expect(error).to_be_hidden()
    expect(form.count).to_contain_text("3")
    expect(
        page.locator("gan-own .tr-error, .toast-body, [data-testid=toast-body]").locator("visible=true")
    ).to_have_count(0)


def test_limits_stand_beside_the_drop_zone_and_are_judged_before_anything_is_sent(own):
    form = own()
    page = form.page
    numbers = (
        f"up to {MAX_FILES:,} files. At most {MAX_FILE >> 20} MB per file, {MAX_REQUEST >> 20} MB in total."
    )
    expect(page.locator("gan-own .ow-limits")).to_contain_text(numbers)
    sent = []
    page.on(
        "request", lambda request: sent.append(request.url) if "/gradio_api/upload" in request.url else None
    )
    form.add(*loose(3))
    expect(form.count).to_have_text("3 images")
    sent.clear()
    drop = """(files) => document.querySelector("gan-own").add(files.map(([name, size]) => {
      const file = new File([], name);
      Object.defineProperty(file, "size", { value: size });
      return file;
    }))"""
    error = form.refusal
    for files, sentence in (
        (
            [["photos.zip", 476 << 20]],
            "“photos.zip” has 476 MB; a file may have 200 MB. Pack fewer or smaller images",
        ),
        ([["IMG_1.jpg", 201 << 20]], "Make it smaller"),
        ([[f"IMG_{n}.jpg", 100 << 20] for n in range(6)], "600 MB together; 512 MB are allowed. Add fewer"),
        ([[f"{n}.jpg", 1] for n in range(1001)], "Pack them into a zip"),
    ):
        page.evaluate(drop, files)
        expect(error).to_contain_text(sentence)
    expect(form.count).to_have_text("3 images")
    assert sent == []


def test_what_the_server_does_not_take_is_a_sentence_that_stays(own):
    form = own()
    page = form.page
    answers = iter(
        [
            {
                "status": 413,
                "body": "The server has no room for this much now.",
                "content_type": "text/plain",
            },
            {"status": 413, "body": "<html>nginx</html>", "content_type": "text/html"},
            {"status": 200, "body": "[]"},
            None,
        ]
    )

    def answer(route):
        said = next(answers)
        route.fulfill(**said) if said else route.abort()

    page.route("**/gradio_api/upload", answer)
    for sentence in (
        "The server has no room for this much now.",
        "refuses uploads of this size",
        "refused these files",
        "The connection broke",
    ):
        form.add(*loose(3))
        expect(form.refusal).to_contain_text(sentence)
        expect(form.zone).to_be_visible()


def test_pictures_can_be_added_and_dropped(own):
    form = own()
    page = form.page
    form.add(*loose(3))
    expect(form.count).to_have_text("3 images")
    form.add(("one more.png", picture(200)))
    expect(form.count).to_have_text("4 images")
    expect(page.locator("gan-own .ow-file b")).to_have_text("4 files")
    dragged = (
        "const drop = new DataTransfer(); drop.items.add(new File([new Uint8Array(bytes)], 'pets.zip')); "
        "return drop"
    )
    drop = page.evaluate_handle(f"(bytes) => {{ {dragged}; }}", list(pets()))
    page.dispatch_event("gan-own", "drop", {"dataTransfer": drop})
    expect(form.count).to_have_text("16 images")
    expect(page.locator("gan-own .ow-file b")).to_have_text("pets.zip")


def test_dropped_folders_are_refused_at_once_and_nothing_is_sent(visit_own, tmp_path):
    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "0.png").write_bytes(picture(1))
    form = visit_own()
    page = form.page
    sent = []
    page.on(
        "request", lambda request: sent.append(request.url) if "/gradio_api/upload" in request.url else None
    )
    drop(page, tmp_path / "cat", tmp_path / "dog")
    error = form.refusal
    expect(error).to_have_text(
        "Folders can't be dropped here. Pack them as a zip; its sub-folders become the classes."
    )
    expect(form.zone).to_be_visible()
    page.click(".gan-lang")
    expect(error).to_contain_text("文件夹不能拖放到这里")
    assert sent == []
    (tmp_path / "pets.zip").write_bytes(pets())
    drop(page, tmp_path / "pets.zip")
    expect(form.count).to_have_text("16 张图片")
    expect(error).to_be_hidden()
    drop(page, tmp_path / "cat", tmp_path / "pets.zip")
    expect(error).to_contain_text("文件夹不能拖放到这里")
    expect(form.count).to_have_text("16 张图片")


def drop(page: Page, *paths) -> None:
    """Drop files or folders of this machine on the page, as a person does."""
    box = page.locator("gan-own").bounding_box()
    what = {"items": [], "files": list(map(str, paths)), "dragOperationsMask": 1}
    session = page.context.new_cdp_session(page)
    for step in ("dragEnter", "dragOver", "drop"):
        session.send(
            "Input.dispatchDragEvent", {"type": step, "x": box["x"] + 60, "y": box["y"] + 30, "data": what}
        )


def test_pictures_can_be_added_one_at_a_time(visit_own):
    form = visit_own()
    page = form.page
    form.add(("a.png", picture(1)))
    error = form.refusal
    expect(error).to_have_text("One image is not enough to learn from. Add at least one more.")
    expect(page.locator("gan-own .ow-file b")).to_have_text("a.png")
    assert form.press_train()["error"]["key"] == "ui.one_picture"
    page.click(".gan-lang")
    expect(error).to_have_text("只有一张图片无法训练。请至少再添加一张。")
    expect(page.get_by_role("button", name="继续添加")).to_be_visible()
    form.add(("notes.txt", b"text"))
    expect(error).to_contain_text("这 2 个文件中只有一张可用的图片（1 个无法使用：notes.txt）")
    form.add(("b.png", picture(2)))
    expect(form.count).to_have_text("2 张图片")
    expect(page.locator("gan-own .ow-left")).to_contain_text("1 个不是图片：notes.txt")
    expect(error).to_be_hidden()
    page.get_by_role("button", name="移除").click()
    expect(form.zone).to_be_visible()


def test_a_refusal_stays_in_the_new_language(visit_own):
    form = visit_own()
    page = form.page
    error = form.refusal
    form.add(("phone.zip", zipped({f"{n}.heic": HEIC for n in range(12)})))
    expect(error).to_contain_text("“phone.zip” holds 12 images in formats that can't be read: HEIC.")
    page.click(".gan-lang")
    expect(error).to_contain_text("“phone.zip”中有 12 张图片的格式无法读取：HEIC。")
    form.add(("IMG_1.heic", HEIC))
    expect(error).to_contain_text("“IMG_1.heic”的图片格式无法读取（HEIC）。")
    refused = {"key": "ui.too_large", "values": {"megabytes": 512}}
    answer = {
        "status": 413,
        "body": "多了",
        "content_type": "text/plain",
        "headers": {"X-Refusal": json.dumps(refused)},
    }
    page.route("**/gradio_api/upload", lambda route: route.fulfill(**answer))
    form.add(*loose(3))
    expect(error).to_contain_text("512 MB")
    page.click(".gan-lang")
    expect(error).to_have_text(
        "This is more than 512 MB, so the server refused it. Make the images smaller, or add fewer."
    )
