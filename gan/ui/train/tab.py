"""Lay out the Train tab: the form in Gradio with our own pickers, and the stage as a custom element.

The stage polls the runs itself.
"""

from typing import Any

import gradio as gr
from starlette.routing import BaseRoute

from gan.ui.server.services import Services
from gan.ui.train import fields, form
from gan.ui.train.routes import train_routes as routes_of

STYLES = (  # in gan/web
    "train/train.css",
    "train/form/own-pictures.css",
    "train/stage/eyes/eyes.css",
    "train/stage/present.css",
)
SCRIPT = "train/train.js"
FIRST = "digits"  # the data set that the form begins with

# Our pickers are custom elements that fire "choose". This script binds one to the value of its gr.HTML, both
# ways.
_BIND = """
const picker = element.querySelector("[data-picker]");
picker.dataset.value = JSON.stringify(props.value);
picker.addEventListener("choose", (event) => { props.value = event.detail; });
watch("value", () => {
  picker.dataset.value = JSON.stringify(props.value); // for a picker that is still being built
  picker.dispatchEvent(new CustomEvent("offer", { detail: props.value }));
});
"""
# The browser looks defaults up in its own table. A server's answer could overwrite what the visitor types
# meanwhile.
_DEFAULTS = "(...values) => window.ganDefaults(...values)"
# Without a saved form the values stay untouched, at once. Waiting for our scripts would overwrite what the
# visitor types meanwhile.
_RESTORE = """async (...values) => {
  const scripts = async () => { while (!window.ganForm) await new Promise((later) => setTimeout(later, 20)); };
  const tell = (form) => dispatchEvent(new CustomEvent("gan:form", { detail: form }));
  const leave = values.map(() => ({ __type__: "update" }));
  let kept = null;
  try { kept = sessionStorage.getItem("gan_form"); } catch { } // storage is closed to us in some embedded frames
  if (!kept) { scripts().then(() => tell(values)); return leave; }
  await scripts();
  const form = await window.ganForm();
  tell(form ?? values);
  return form ?? leave;
}"""  # noqa: E501
# Send the form's values to <gan-cost>, which shows the cost of the run.
_TELL = "(...values) => { dispatchEvent(new CustomEvent('gan:form', { detail: values })); }"
# Train posts to our own route, and our own elements show its answer. No Python is called through Gradio
# (gan.ui.server.requests.guard).
_SUBMIT = """async (...values) => {
  while (!window.ganSubmit) await new Promise((later) => setTimeout(later, 20));
  window.ganSubmit(...values);
}"""


def build(services: Services) -> None:
    """Lay out the tab; called inside its gr.Tab."""
    i18n = gr.I18n()
    with gr.Row(elem_id="train", equal_height=False):
        with gr.Column(elem_id="train-form", scale=0, min_width=0):
            gr.HTML('<gan-step number="1" text="train.step_data"></gan-step>', apply_default_css=False)
            data = _picker("gan-data", "digits")
            with gr.Column(elem_id="train-own", elem_classes="needs-control"):
                own = _picker("gan-own", {"files": []})
            with gr.Column(elem_id="train-points", elem_classes="needs-control"):
                points = _picker("gan-points", None)
            gr.HTML('<gan-step number="2" text="train.step_recipe"></gan-step>', apply_default_css=False)
            recipe = _picker("gan-recipe", "modern")
            with gr.Column(elem_classes="gan-kind gan-kind-images", min_width=0):
                start = _picker("gan-start", {"id": "", "settings": {}})
            with gr.Accordion(i18n("train.advanced"), open=False, elem_id="train-advanced"):
                controls: dict[str, fields.Control] = {}
                for part in fields.PARTS.values():
                    first = part.sets[0] if part.sets else FIRST
                    controls |= part.controls(i18n, form.start(first, part.main[0]))
            gr.HTML('<gan-step number="3" text="train.step_time"></gan-step>', apply_default_css=False)
            minutes = _picker("gan-time", 5)
            gr.HTML("<gan-gpus></gan-gpus>", apply_default_css=False)
            gr.HTML("<gan-where></gan-where>", apply_default_css=False)
            gr.HTML("<gan-cost></gan-cost>", apply_default_css=False)
            with gr.Column(elem_id="train-go"):
                gr.HTML("<gan-answer></gan-answer>", apply_default_css=False, elem_id="train-answer")
                button = gr.Button(
                    i18n("train.start"),
                    variant="primary",
                    size="lg",
                    elem_id="train-button",
                    elem_classes="needs-control",
                )
                gr.HTML("<gan-watching></gan-watching><gan-role></gan-role>", apply_default_css=False)
        with gr.Column(elem_id="train-stage", scale=1, min_width=0):
            gr.HTML("<gan-stage></gan-stage>", apply_default_css=False)
    settings = list(controls.values())
    choices = [data, recipe, own, start, points]
    for source in choices:
        source.change(None, [*choices, *settings], settings, js=_DEFAULTS, api_visibility="private")
    everything: list[gr.HTML | fields.Control] = [data, own, recipe, minutes, start, *settings]
    page = gr.context.Context.root_block
    assert page is not None, "build is called inside gr.Blocks"
    page.load(None, everything, everything, js=_RESTORE, api_visibility="private")
    gr.on([one.change for one in everything], None, everything, js=_TELL, api_visibility="private")
    button.click(None, everything, None, js=_SUBMIT, api_visibility="private")


def routes(services: Services) -> list[BaseRoute]:
    """Return the routes of this tab."""
    return routes_of(services)


def _picker(tag: str, value: Any) -> gr.HTML:
    return gr.HTML(
        value=value,
        html_template=f"<{tag} data-picker></{tag}>",
        js_on_load=_BIND,
        apply_default_css=False,
        elem_id=tag,
    )
