"""Test a visitor's own images on the real page: the survey before Train, and the form's settings."""

import pytest
from playwright.sync_api import expect

from tests.support.page.browsing import PHONE
from tests.support.page.train_form import HEIC, loose, pets, picture, zipped

pytestmark = pytest.mark.browser
EVIL = "<img src=x onerror=document.title='evil'>"


def test_a_zip_is_told_before_train_and_learnt_by_class(own):
    form = own()
    page = form.page
    form.add(("pets.zip", pets(**{"cat/a.png": b"\x89PNG\r\n\x1a\n cut", "dog/IMG_1.heic": HEIC})))
    found = form.found
    expect(found).to_contain_text("16 images")
    expect(found).to_contain_text("2 classes: cat (8), dog (8)")
    expect(found).to_contain_text("Left out 2")
    expect(found).to_contain_text("1 damaged: cat/a.png")
    expect(found).to_contain_text("HEIC")
    expect(found).to_contain_text(
        "1 of a format that can't be read (HEIC; export it as JPEG or PNG): dog/IMG_1.heic"
    )
    expect(page.get_by_role("switch", name="Class-conditional")).to_be_checked()
    form.open_settings()
    expect(form.field("conditional")).to_be_checked()
    expect(form.field("batch")).to_have_value("16")
    config = form.train_and_stop()
    assert (config["conditional"], config["batch"]) == (True, 16)


def test_ten_pictures_just_work(own):
    form = own()
    page = form.page
    form.add(*loose(10))
    expect(form.found).to_contain_text("10 images")
    expect(page.locator("gan-cost.is-refused")).to_have_count(0)
    assert form.train_and_stop()["batch"] == 10


def test_train_may_be_pressed_before_anything_was_read(own):
    form = own()
    page = form.page
    held = []
    page.route("**/gradio_api/gan/pictures", lambda route: held.append(route))
    form.add(*loose(10))
    expect(page.locator("gan-own .ow-status")).to_have_text("Reading the images…")
    page.click("#train-button")
    page.wait_for_timeout(300)
    with page.expect_response("**/gradio_api/gan/runs") as answer:
        held[0].continue_()
    assert form.stopped(answer.value.json())["batch"] == 10


def test_what_is_typed_by_hand_stays(visit_own):
    form = visit_own()
    page = form.page
    form.open_settings()
    form.set("batch", 4)
    form.add(*loose(10))
    expect(form.found).to_contain_text("10 images")
    page.wait_for_timeout(300)
    expect(form.field("batch")).to_have_value("4")
    form.set("batch", 32)
    expect(page.locator("gan-cost .tr-cost-lead")).to_contain_text("larger than the data set of 10 images")
    assert form.press_train()["error"]["key"] == "train.batch_too_large"
    told = page.locator(":is(gan-cost, gan-answer) p").filter(has_text="larger than", visible=True)
    expect(told).to_have_count(1)
    expect(told).to_be_in_viewport()
    form.remove()
    form.add(*loose(12))
    expect(form.found).to_contain_text("12 images")
    page.wait_for_timeout(300)
    expect(form.field("batch")).to_have_value("32")


def test_other_pictures_ask_for_other_settings(own):
    form = own()
    form.open_settings()
    for count in (10, 12):
        form.add(("pets.zip", pets(count // 2)))
        expect(form.found).to_contain_text(f"{count} images")
        expect(form.field("batch")).to_have_value(str(count))
        expect(form.found).to_contain_text(f"Off at first: too few images in one class ({count // 2}).")
    form.remove()
    expect(form.field("batch")).to_have_value("32")
    expect(form.zone).to_be_visible()


def test_the_switch_beside_the_sentence_and_the_one_in_the_form_are_one(visit_own):
    form = visit_own()
    page = form.page
    form.add(("pets.zip", pets()))
    switch = page.get_by_role("switch", name="Class-conditional")
    expect(switch).to_be_checked()
    switch.click()
    expect(form.found).to_contain_text("the model learns all classes as one")
    form.open_settings()
    expect(form.field("conditional")).not_to_be_checked()
    page.click("#field-conditional input")
    expect(switch).to_be_checked()
    switch.click()
    expect(form.field("conditional")).not_to_be_checked()
    assert form.train_and_stop()["conditional"] is False


def test_grey_and_transparent_pictures_say_how_they_are_trained(visit_own):
    form = visit_own()
    form.add(*((f"{n}.png", picture(40 + 20 * (n // 2), "L", 20)) for n in range(8)))
    found = form.found
    expect(found).to_contain_text("All are grey: trained as grey images.")
    expect(found).to_contain_text("4 of 8 are copies of another image.")
    expect(found).to_contain_text("None is larger than 20 px: trained at 28 px.")
    config = form.train_and_stop()
    assert (config["channels"], config["size"]) == (1, 28)
    found.get_by_role("radio", name="Colour").check()
    expect(found).to_contain_text("All are grey, but trained in colour.")
    assert form.train_and_stop()["channels"] == 3
    form.add(
        ("icons.zip", zipped({f"{n}.png": picture(20 * n, "RGBA" if n < 6 else "RGB") for n in range(8)})),
    )
    expect(found).to_contain_text("6 of 8 are partly transparent; the background becomes white.")
    found.get_by_role("radio", name="Black").check()
    expect(found).to_contain_text("the background becomes black")
    assert form.train_and_stop()["background"] == "black"


def test_many_classes_are_cut_short_and_names_are_only_text(own):
    form = own()
    page = form.page
    form.add(
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
    expect(form.found).to_contain_text("26 classes: ")
    expect(form.found).to_contain_text("and 14 more")
    expect(form.found).to_contain_text("<img src=x")
    expect(page.locator("gan-own img")).to_have_count(0)
    assert page.title() != "evil"


def test_folders_that_are_no_classes_are_told_as_they_are(own):
    form = own()
    found = form.found
    for places in (["one/{}"], ["{}", "more/{}", "x{}"], ["train/{}", "test/{}"]):
        form.add(
            (
                "pets.zip",
                zipped({place.format(f"{n}.png"): picture(9 * n) for n in range(4) for place in places}),
            ),
        )
        expect(form.count).to_have_text(f"{4 * len(places)} images")
        expect(found).to_contain_text("No classes: these images are not sorted into folders by class.")
    places = ("cat/{}", "dog/{}", "{}", "a{}", "b{}")
    form.add(("loose.zip", zipped({p.format(f"{n}.png"): picture(9 * n) for n in range(2) for p in places})))
    expect(found).to_contain_text("No classes: 6 of 10 images lie outside the class folders.")
    form.add(("many.zip", zipped({f"kind {n}/a.png": picture(n % 255, side=8) for n in range(1100)})))
    expect(found).to_contain_text(
        "1,100 folders are more than the 1,000 classes that a model can learn, so they are not used as "
        "classes."
    )


def test_numbered_folders_are_learnt_by_class_only_when_asked(visit_own):
    form = visit_own("zh-CN")
    page = form.page
    form.add(("years.zip", zipped({f"{2019 + (n > 8)}/{n}.png": picture(9 * n) for n in range(20)})))
    found, switch = form.found, page.get_by_role("switch", name="类别条件")
    expect(found).to_contain_text("2019（9）、2020（11）")
    expect(found).to_contain_text(
        "默认关闭：文件夹以数字命名，或内含同名文件夹，可能只是同一批图片的几个部分，而不是类别。"
    )
    expect(switch).not_to_be_checked()
    expect(found).to_contain_text("按 28 px 训练。只有 20 张")
    switch.click()
    expect(found).to_contain_text("之后可以选择样本的类别。")


def test_a_recipe_without_classes_does_not_blame_the_pictures(visit_own):
    form = visit_own()
    page = form.page
    form.add(("pets.zip", pets()))
    page.get_by_text("Textbook DCGAN", exact=True).click()
    expect(form.found).to_contain_text("Off: the model learns all classes as one.")


def test_a_change_of_language_keeps_the_pictures(visit_own):
    form = visit_own()
    page = form.page
    form.add(("pets.zip", pets()))
    page.get_by_role("switch", name="Class-conditional").click()
    page.click(".gan-lang")
    expect(form.found).to_contain_text("2 个类别：cat（8）、dog（8）")
    expect(page.locator("gan-own .ow-switch")).not_to_be_checked()
    config = form.train_and_stop()
    assert (config["conditional"], config["batch"]) == (False, 16)


def test_no_files_say_so(own):
    form = own("zh-CN")
    page = form.page
    page.click("#train-button")
    expect(form.answer).to_contain_text("还没有图片")


def test_the_panel_fits_a_phone_and_is_named(visit_own):
    form = visit_own(**PHONE)
    page = form.page
    form.add(("pets.zip", pets(**{"cat/" + "long" * 40 + ".png": b"\x89PNG\r\n\x1a\n cut"})))
    expect(form.found).to_contain_text("Left out 1")
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
    controls = "[...document.querySelectorAll('gan-own button, gan-own label')]"
    assert (
        page.evaluate(f"() => {controls}.filter((one) => one.offsetParent && one.offsetHeight < 32).length")
        == 0
    )


def test_what_needs_a_gpu_is_not_offered_without_one(own, known_machine):
    form = own()
    page = form.page
    page.click("gan-recipe summary")
    card = page.locator("gan-recipe [role=radio]", has_text="Projected GAN")
    if known_machine.torch_name == "cuda":
        expect(card).to_be_enabled()
        return
    expect(card).to_be_disabled()
    expect(card).to_contain_text("Needs a GPU")
