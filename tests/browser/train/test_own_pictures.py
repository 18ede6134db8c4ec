"""Test a visitor's own images on the real page: the survey before Train, form settings, and refusals."""

import io
import json
import re
import urllib.request
import zipfile

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from gan.ui.server.uploads import MAX_FILE, MAX_FILES, MAX_REQUEST
from tests.support.browsing import PHONE, serve, spare_is_ready

pytestmark = pytest.mark.browser
HEIC = b"\0\0\0\x18ftypheic" + bytes(80)
EVIL = "<img src=x onerror=document.title='evil'>"


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    return tmp_path_factory.mktemp("own") / "runs"


@pytest.fixture(scope="module")
def address(runs):
    with serve(runs) as address:
        spare_is_ready(runs)
        yield address


@pytest.fixture
def visit(browser, address):
    """Open the Train tab as a new visitor who chooses own images. Any script error fails the test."""
    contexts, faults = [], []

    def open_page(lang: str = "en-US", **options) -> Page:
        contexts.append(
            browser.new_context(**{"viewport": {"width": 1280, "height": 1000}, "locale": lang, **options})
        )
        page = contexts[-1].new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(f"{address}#tab=train")
        page.wait_for_selector("gan-time [aria-checked=true]")
        page.click("gan-data .tr-own")
        expect(page.locator(".ow-limits")).not_to_be_empty()
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert faults == []


def picture(number: int, mode: str = "RGB", side: int = 24) -> bytes:
    out = io.BytesIO()
    Image.new(
        mode, (side, side), {"L": number, "RGB": (number, 90, 40), "RGBA": (number, 90, 40, 99)}[mode]
    ).save(out, "PNG")
    return out.getvalue()


def zipped(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def pets(each: int = 8, **more: bytes) -> bytes:
    return zipped(
        {
            **{
                f"{name}/{n}.png": picture(20 * n + at)
                for at, name in enumerate(("cat", "dog"))
                for n in range(each)
            },
            **more,
        }
    )


# Every member has the flag of a password.
LOCKED = (
    pets()
    .replace(b"PK\x01\x02\x14\x03\x14\0\0", b"PK\x01\x02\x14\x03\x14\0\x01")
    .replace(b"PK\x03\x04\x14\0\0", b"PK\x03\x04\x14\0\x01")
)


def add(page: Page, *files: tuple[str, bytes]) -> None:
    """Choose files {name, content}."""
    page.set_input_files(
        "gan-own input[type=file]",
        [
            {"name": name, "mimeType": "application/octet-stream", "buffer": content}
            for name, content in files
        ],
    )


def loose(count: int) -> list[tuple[str, bytes]]:
    return [(f"photo {n}.png", picture(9 * n)) for n in range(count)]


def open_settings(page: Page) -> None:
    page.click("#train-advanced > button")
    page.wait_for_selector("#field-seed input")
    page.evaluate(
        "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => "
        "setTimeout(done, 50))))"
    )


def press(page: Page) -> dict:
    """Press Train. Returns the server's answer."""
    with page.expect_response("**/gradio_api/gan/runs") as answer:
        page.click("#train-button")
    return answer.value.json()


def end(page: Page, run: dict) -> dict:
    """Return the settings of a run that has just started, and end it."""
    address = page.url.split("#")[0]
    with urllib.request.urlopen(f"{address}gradio_api/gan/poll?run={run['run']}", timeout=60) as reply:
        config = json.load(reply)["run"]["config"]
    page.request.post(f"{address}gradio_api/gan/runs/{run['run']}/stop")
    return config


def test_a_zip_is_told_before_train_and_learnt_by_class(visit):
    page = visit()
    add(page, ("pets.zip", pets(**{"cat/a.png": b"\x89PNG\r\n\x1a\n cut", "dog/IMG_1.heic": HEIC})))
    found = page.locator(".ow-found")
    expect(found).to_contain_text("16 images")
    expect(found).to_contain_text("2 classes: cat (8), dog (8)")
    expect(found).to_contain_text("Left out 2")
    expect(found).to_contain_text("1 damaged: cat/a.png")
    expect(found).to_contain_text("HEIC")
    expect(found).to_contain_text(
        "1 of a format that can't be read (HEIC; export it as JPEG or PNG): dog/IMG_1.heic"
    )
    expect(page.get_by_role("switch", name="Class-conditional")).to_be_checked()
    open_settings(page)
    expect(page.locator("#field-conditional input")).to_be_checked()
    expect(page.locator("#field-batch input")).to_have_value("16")
    config = end(page, press(page))
    assert (config["conditional"], config["batch"]) == (True, 16)


def test_ten_pictures_just_work(visit):
    page = visit()
    add(page, *loose(10))
    expect(page.locator(".ow-found")).to_contain_text("10 images")
    expect(page.locator("gan-cost.is-refused")).to_have_count(0)
    assert end(page, press(page))["batch"] == 10


def test_train_may_be_pressed_before_anything_was_read(visit):
    page = visit()
    held = []
    page.route("**/gradio_api/gan/pictures", lambda route: held.append(route))
    add(page, *loose(10))
    expect(page.locator(".ow-status")).to_have_text("Reading the images…")
    page.click("#train-button")
    page.wait_for_timeout(300)
    with page.expect_response("**/gradio_api/gan/runs") as answer:
        held[0].continue_()
    assert end(page, answer.value.json())["batch"] == 10


def test_what_is_typed_by_hand_stays(visit):
    page = visit()
    open_settings(page)
    page.fill("#field-batch input", "4")
    page.press("#field-batch input", "Tab")
    add(page, *loose(10))
    expect(page.locator(".ow-found")).to_contain_text("10 images")
    page.wait_for_timeout(300)
    expect(page.locator("#field-batch input")).to_have_value("4")
    page.fill("#field-batch input", "32")
    page.press("#field-batch input", "Tab")
    expect(page.locator("gan-cost .tr-cost-lead")).to_contain_text("larger than the data set of 10 images")
    assert press(page)["error"]["key"] == "train.batch_too_large"
    # the sentence occurs once
    expect(page.locator("#train-go")).to_have_text(
        re.compile("^(?!.*larger than.*larger than).*larger than", re.DOTALL)
    )
    page.click(".ow-row .ow-tool:has-text('Remove')")
    add(page, *loose(12))
    expect(page.locator(".ow-found")).to_contain_text("12 images")
    page.wait_for_timeout(300)
    expect(page.locator("#field-batch input")).to_have_value("32")


def test_other_pictures_ask_for_other_settings(visit):
    page = visit()
    open_settings(page)
    for count in (10, 12):
        add(page, ("pets.zip", pets(count // 2)))
        expect(page.locator(".ow-found")).to_contain_text(f"{count} images")
        expect(page.locator("#field-batch input")).to_have_value(str(count))
        expect(page.locator(".ow-found")).to_contain_text(
            f"Off at first: too few images in one class ({count // 2})."
        )
    page.click(".ow-tool:has-text('Remove')")
    expect(page.locator("#field-batch input")).to_have_value("32")
    expect(page.locator(".ow-zone")).to_be_visible()


def test_the_switch_beside_the_sentence_and_the_one_in_the_form_are_one(visit):
    page = visit()
    add(page, ("pets.zip", pets()))
    switch = page.get_by_role("switch", name="Class-conditional")
    expect(switch).to_be_checked()
    switch.click()
    expect(page.locator(".ow-found")).to_contain_text("the model learns all classes as one")
    open_settings(page)
    expect(page.locator("#field-conditional input")).not_to_be_checked()
    page.click("#field-conditional input")
    expect(switch).to_be_checked()
    switch.click()
    expect(page.locator("#field-conditional input")).not_to_be_checked()
    assert end(page, press(page))["conditional"] is False


def test_grey_and_transparent_pictures_say_how_they_are_trained(visit):
    page = visit()
    add(page, *((f"{n}.png", picture(40 + 20 * (n // 2), "L", 20)) for n in range(8)))
    found = page.locator(".ow-found")
    expect(found).to_contain_text("All are grey: trained as grey images.")
    expect(found).to_contain_text("4 of 8 are copies of another image.")
    expect(found).to_contain_text("None is larger than 20 px: trained at 28 px.")
    config = end(page, press(page))
    assert (config["channels"], config["size"]) == (1, 28)
    found.get_by_role("radio", name="Colour").check()
    expect(found).to_contain_text("All are grey, but trained in colour.")
    assert end(page, press(page))["channels"] == 3
    add(
        page,
        ("icons.zip", zipped({f"{n}.png": picture(20 * n, "RGBA" if n < 6 else "RGB") for n in range(8)})),
    )
    expect(found).to_contain_text("6 of 8 are partly transparent; the background becomes white.")
    found.get_by_role("radio", name="Black").check()
    expect(found).to_contain_text("the background becomes black")
    assert end(page, press(page))["background"] == "black"


def test_many_classes_are_cut_short_and_names_are_only_text(visit):
    page = visit()
    add(
        page,
        (
            "many.zip",
            zipped(
                {
                    f"{EVIL if k == 0 else f'k{k:02d}'}/{n}.png": picture(9 * k + n)
                    for k in range(26)
                    for n in range(2)
                }
            ),
        ),
    )
    expect(page.locator(".ow-found")).to_contain_text("26 classes: ")
    expect(page.locator(".ow-found")).to_contain_text("and 14 more")
    expect(page.locator(".ow-found")).to_contain_text("<img src=x")
    expect(page.locator("gan-own img")).to_have_count(0)
    assert page.title() != "evil"


@pytest.mark.parametrize(("lang", "name", "content", "sentence"), [
    ("en-US", "note.txt", b"text", "“note.txt” is not a usable image."),
    ("zh-CN", "note.txt", b"text", "“note.txt”不是可用的图片。"),
    ("en-US", "cats.zip", b"no zip", "“cats.zip” is neither a folder nor a zip of images."),
    ("en-US", "locked.zip", LOCKED, "“locked.zip” needs a password"),
])  # fmt: skip
def test_what_can_not_be_used_is_said_where_it_was_added(lang, name, content, sentence, visit):
    page = visit(lang)
    add(page, (name, content))
    error = page.locator("gan-own .tr-error")
    expect(error).to_contain_text(sentence)
    expect(page.locator(".ow-zone")).to_be_visible()
    page.wait_for_timeout(200)
    expect(error).to_be_visible()
    add(page, *loose(3))
    expect(error).to_be_hidden()
    expect(page.locator(".ow-count")).to_contain_text("3")
    expect(
        page.locator("gan-own .tr-error, .toast-body, [data-testid=toast-body]").locator("visible=true")
    ).to_have_count(0)


def test_limits_stand_beside_the_drop_zone_and_are_judged_before_anything_is_sent(visit):
    page = visit()
    numbers = (
        f"up to {MAX_FILES:,} files. At most {MAX_FILE >> 20} MB per file, {MAX_REQUEST >> 20} MB in total."
    )
    expect(page.locator(".ow-limits")).to_contain_text(numbers)
    sent = []
    page.on(
        "request", lambda request: sent.append(request.url) if "/gradio_api/upload" in request.url else None
    )
    add(page, *loose(3))
    expect(page.locator(".ow-count")).to_have_text("3 images")
    sent.clear()
    drop = """(files) => document.querySelector("gan-own").add(files.map(([name, size]) => {
      const file = new File([], name);
      Object.defineProperty(file, "size", { value: size });
      return file;
    }))"""
    error = page.locator("gan-own .tr-error")
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
    expect(page.locator(".ow-count")).to_have_text("3 images")
    assert sent == []


def test_what_the_server_does_not_take_is_a_sentence_that_stays(visit):
    page = visit()
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
        add(page, *loose(3))
        expect(page.locator("gan-own .tr-error")).to_contain_text(sentence)
        expect(page.locator(".ow-zone")).to_be_visible()


def test_pictures_can_be_added_and_dropped(visit):
    page = visit()
    add(page, *loose(3))
    expect(page.locator(".ow-count")).to_have_text("3 images")
    add(page, ("one more.png", picture(200)))
    expect(page.locator(".ow-count")).to_have_text("4 images")
    expect(page.locator(".ow-file b")).to_have_text("4 files")
    dragged = (
        "const drop = new DataTransfer(); drop.items.add(new File([new Uint8Array(bytes)], 'pets.zip')); "
        "return drop"
    )
    drop = page.evaluate_handle(f"(bytes) => {{ {dragged}; }}", list(pets()))
    page.dispatch_event("gan-own", "drop", {"dataTransfer": drop})
    expect(page.locator(".ow-count")).to_have_text("16 images")
    expect(page.locator(".ow-file b")).to_have_text("pets.zip")


def test_dropped_folders_are_refused_at_once_and_nothing_is_sent(visit, tmp_path):
    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "0.png").write_bytes(picture(1))
    page = visit()
    sent = []
    page.on(
        "request", lambda request: sent.append(request.url) if "/gradio_api/upload" in request.url else None
    )
    drop(page, tmp_path / "cat", tmp_path / "dog")
    error = page.locator("gan-own .tr-error")
    expect(error).to_have_text(
        "Folders can't be dropped here. Pack them as a zip; its sub-folders become the classes."
    )
    expect(page.locator(".ow-zone")).to_be_visible()
    page.click(".gan-lang")
    expect(error).to_contain_text("文件夹不能拖放到这里")
    assert sent == []
    (tmp_path / "pets.zip").write_bytes(pets())
    drop(page, tmp_path / "pets.zip")
    expect(page.locator(".ow-count")).to_have_text("16 张图片")
    expect(error).to_be_hidden()
    drop(page, tmp_path / "cat", tmp_path / "pets.zip")
    expect(error).to_contain_text("文件夹不能拖放到这里")
    expect(page.locator(".ow-count")).to_have_text("16 张图片")


def drop(page: Page, *paths) -> None:
    """Drop files or folders of this machine on the page, as a person does."""
    box = page.locator("gan-own").bounding_box()
    what = {"items": [], "files": list(map(str, paths)), "dragOperationsMask": 1}
    session = page.context.new_cdp_session(page)
    for step in ("dragEnter", "dragOver", "drop"):
        session.send(
            "Input.dispatchDragEvent", {"type": step, "x": box["x"] + 60, "y": box["y"] + 30, "data": what}
        )


def test_pictures_can_be_added_one_at_a_time(visit):
    page = visit()
    add(page, ("a.png", picture(1)))
    error = page.locator("gan-own .tr-error")
    expect(error).to_have_text("One image is not enough to learn from. Add at least one more.")
    expect(page.locator(".ow-file b")).to_have_text("a.png")
    assert press(page)["error"]["key"] == "ui.one_picture"
    page.click(".gan-lang")
    expect(error).to_have_text("只有一张图片无法训练。请至少再添加一张。")
    expect(page.get_by_role("button", name="继续添加")).to_be_visible()
    add(page, ("notes.txt", b"text"))
    expect(error).to_contain_text("这 2 个文件中只有一张可用的图片（1 个无法使用：notes.txt）")
    add(page, ("b.png", picture(2)))
    expect(page.locator(".ow-count")).to_have_text("2 张图片")
    expect(page.locator(".ow-left")).to_contain_text("1 个不是图片：notes.txt")
    expect(error).to_be_hidden()
    page.get_by_role("button", name="移除").click()
    expect(page.locator(".ow-zone")).to_be_visible()


def test_a_refusal_stays_in_the_new_language(visit):
    page = visit()
    error = page.locator("gan-own .tr-error")
    add(page, ("phone.zip", zipped({f"{n}.heic": HEIC for n in range(12)})))
    expect(error).to_contain_text("“phone.zip” holds 12 images in formats that can't be read: HEIC.")
    page.click(".gan-lang")
    expect(error).to_contain_text("“phone.zip”中有 12 张图片的格式无法读取：HEIC。")
    add(page, ("IMG_1.heic", HEIC))
    expect(error).to_contain_text("“IMG_1.heic”的图片格式无法读取（HEIC）。")
    refused = {"key": "ui.too_large", "values": {"megabytes": 512}}
    answer = {
        "status": 413,
        "body": "多了",
        "content_type": "text/plain",
        "headers": {"X-Refusal": json.dumps(refused)},
    }
    page.route("**/gradio_api/upload", lambda route: route.fulfill(**answer))
    add(page, *loose(3))
    expect(error).to_contain_text("512 MB")
    page.click(".gan-lang")
    expect(error).to_have_text(
        "This is more than 512 MB, so the server refused it. Make the images smaller, or add fewer."
    )


def test_folders_that_are_no_classes_are_told_as_they_are(visit):
    page = visit()
    found = page.locator(".ow-found")
    for places in (["one/{}"], ["{}", "more/{}", "x{}"], ["train/{}", "test/{}"]):
        add(
            page,
            (
                "pets.zip",
                zipped({place.format(f"{n}.png"): picture(9 * n) for n in range(4) for place in places}),
            ),
        )
        expect(page.locator(".ow-count")).to_have_text(f"{4 * len(places)} images")
        expect(found).to_contain_text(
            "No classes: most of these images are not sorted into folders by class."
        )
    add(page, ("many.zip", zipped({f"kind {n}/a.png": picture(n % 255, side=8) for n in range(1100)})))
    expect(found).to_contain_text(
        "1,100 folders are more than the 1,000 classes that a model can learn, so they are not used as "
        "classes."
    )


def test_numbered_folders_are_learnt_by_class_only_when_asked(visit):
    page = visit("zh-CN")
    add(page, ("years.zip", zipped({f"{2019 + (n > 8)}/{n}.png": picture(9 * n) for n in range(20)})))
    found, switch = page.locator(".ow-found"), page.get_by_role("switch", name="类别条件")
    expect(found).to_contain_text("2019（9）、2020（11）")
    expect(found).to_contain_text("默认关闭：文件夹以数字命名，可能只是同一批图片的几个部分，而不是类别。")
    expect(switch).not_to_be_checked()
    expect(found).to_contain_text("按 28 px 训练。只有 20 张")
    switch.click()
    expect(found).to_contain_text("之后可以选择样本的类别。")


def test_a_recipe_without_classes_does_not_blame_the_pictures(visit):
    page = visit()
    add(page, ("pets.zip", pets()))
    page.get_by_text("Textbook DCGAN", exact=True).click()
    expect(page.locator(".ow-found")).to_contain_text("Off: the model learns all classes as one.")


def test_a_change_of_language_keeps_the_pictures(visit):
    page = visit()
    add(page, ("pets.zip", pets()))
    page.get_by_role("switch", name="Class-conditional").click()
    page.click(".gan-lang")
    expect(page.locator(".ow-found")).to_contain_text("2 个类别：cat（8）、dog（8）")
    expect(page.locator(".ow-switch")).not_to_be_checked()
    config = end(page, press(page))
    assert (config["conditional"], config["batch"]) == (False, 16)


def test_no_files_say_so(visit):
    page = visit("zh-CN")
    page.click("#train-button")
    expect(page.locator("gan-answer .tr-error")).to_contain_text("还没有图片")


def test_the_panel_fits_a_phone_and_is_named(visit):
    page = visit(**PHONE)
    add(page, ("pets.zip", pets(**{"cat/" + "long" * 40 + ".png": b"\x89PNG\r\n\x1a\n cut"})))
    expect(page.locator(".ow-found")).to_contain_text("Left out 1")
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
    controls = "[...document.querySelectorAll('gan-own button, gan-own label')]"
    assert (
        page.evaluate(f"() => {controls}.filter((one) => one.offsetParent && one.offsetHeight < 32).length")
        == 0
    )


def test_what_needs_a_gpu_is_not_offered_without_one(visit, known_machine):
    page = visit()
    page.click("gan-recipe summary")
    card = page.locator("gan-recipe [role=radio]", has_text="Projected GAN")
    if known_machine.torch_name == "cuda":
        expect(card).to_be_enabled()
        return
    expect(card).to_be_disabled()
    expect(card).to_contain_text("Needs a GPU")
