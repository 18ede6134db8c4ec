// Handles Train: sends the form to the server, and announces the answer. Gradio's button calls this by its
// global name.
import { request } from "../../core/api.js";
import { must } from "../../core/dom.js";
import { ANSWER, SUBMIT } from "../../core/events.js";
import { OWN_POINTS } from "../catalogue.js";
import { asAsked } from "./settings.js";
import { own as ours } from "../runs/own-runs.js";

let busy = false;

window.ganSubmit = async (data, own, recipe, minutes, start, ...values) => {
  if (busy) return;
  busy = true;
  dispatchEvent(new CustomEvent(SUBMIT));
  /** @type {AnswerDetail} */
  const answer = await submit(data, own, recipe, minutes, start.id, values).catch((error) => ({ error }));
  busy = false;
  if (answer.run) ours(answer.run);
  dispatchEvent(new CustomEvent(ANSWER, { detail: answer }));
};

/**
 * @param {string} data
 * @param {?OwnValue} own
 * @param {string} recipe
 * @param {Budget} minutes
 * @param {string} start the id of the model to start from, or ""
 * @param {Setting[]} values
 */
async function submit(data, own, recipe, minutes, start, values) {
  /** @type {?HTMLSelectElement} */
  const choice = document.querySelector("gan-gpus select");
  const gpus = Number(choice?.value ?? 1);
  const flavor = document.querySelector("gan-where")?.flavor ?? "";
  if (data === OWN_POINTS) {
    const points = (await document.querySelector("gan-points")?.settled()) ?? null; // waits for a running upload
    const fitting = await asAsked({ data, recipe, points }, values);
    return request("runs", {
      method: "POST",
      value: { data, recipe, minutes, flavor, values: fitting, gpus, files: points ? [points.path] : [] },
    });
  }
  if (data !== "own")
    return request("runs", { method: "POST", value: { data, recipe, minutes, start, flavor, values, gpus } });
  // Waits for a running upload or survey.
  const pictures = must((await document.querySelector("gan-own")?.settled()) ?? own, "pictures");
  const asked = await asAsked({ data, recipe, own: pictures }, values);
  // A data set of the Hub that is not there yet is refused by the server.
  const from = pictures.hub
    ? { hub: pictures.hub.set ?? "" }
    : { files: pictures.files.map((file) => file.path) };
  return request("runs", {
    method: "POST",
    value: { data, recipe, minutes, start, flavor, values: asked, gpus, ...from },
  });
}
