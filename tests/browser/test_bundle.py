"""Test the bundler: modules in one script behave as they did apart, and it refuses what it can't bundle."""

import re

import pytest

from gan.export.bundle import bundle
from tests.support.page.browsing import ROOT

PAGE = ROOT / "gan" / "web" / "takeaway" / "page.js"


def write(folder, **modules):
    for name, source in modules.items():
        (folder / f"{name}.js").write_text(source)
    return folder / "main.js"


@pytest.mark.browser
def test_modules_keep_their_names_and_their_order(tmp_path, browser):
    entry = write(
        tmp_path, first="(window.order ??= []).push('first');\n", last="window.order.push('last');\n",
        main='import { add as plus, ONE } from "./sum.js";\nimport { twice } from "./twice.js";\nimport '
            '"./last.js";\n\n'
             "window.answer = [plus(ONE, 2), twice(4), window.order];\n",
        sum=(
            'import "./first.js";\n\nexport const ONE = 1;\nexport function add(a, b) {\n  return a + '
            'b;\n}\n'
        ),
        twice='import { add } from "./sum.js";\n\nconst doubled = (value) => add(value, '
            'value);\nwindow.order.push("twice");\n'
              "export { doubled as twice, add as default };\n",
    )  # fmt: skip
    page = browser.new_context().new_page()
    page.set_content(f'<script type="module">{bundle(entry)}</script>')
    assert page.evaluate("window.answer") == [3, 8, ["first", "twice", "last"]]
    page.close()


@pytest.mark.parametrize(("source", "told"), [
    ('import other from "./sum.js";\n', "import other"), ("export default 3;\n", "export default"),
    ('export * from "./sum.js";\n', "export *"),
    ('import { add } from "elsewhere";\n', "elsewhere"), ("const text = '</script>';\n", "ends it"),
    ("const text = '<!--';\n", "ends it"),
    ('import { a } from "./main.js";\n', "imports itself"),
])  # fmt: skip
def test_what_it_does_not_know_is_refused(tmp_path, source, told):
    with pytest.raises(ValueError, match=re.escape(told)):
        bundle(write(tmp_path, main=source, sum="export const add = 1;\n"))


def test_every_module_of_the_page_is_in_it_once():
    script = bundle(PAGE)
    for name in ("page.js", "dom.js", "sampling.js", "slider.js", "ort.wasm.min.mjs"):
        assert script.count(f"// {name}\n") == 1
    assert script.index("// dom.js\n") < script.index("// slider.js\n") < script.index("// page.js\n")
