// The press on Train: the form goes to the server, and what became of it to the elements that show it. Gradio's button calls this by its global name.
import { request } from "../common.js";
import { own as ours } from "./own.js";
import { asAsked } from "./settings.js";

let busy = false;

window.ganSubmit = async (data, own, recipe, minutes, ...values) => {
  if (busy) return;
  busy = true;
  dispatchEvent(new CustomEvent("gan:submit"));
  const answer = await submit(data, own, recipe, minutes, values).catch((error) => ({ error }));
  busy = false;
  if (answer.run) ours(answer.run);
  dispatchEvent(new CustomEvent("gan:answer", { detail: answer }));
};

async function submit(data, own, recipe, minutes, values) {
  if (data !== "own") return request("runs", { method: "POST", value: { data, recipe, minutes, values } });
  const pictures = (await document.querySelector("gan-own")?.settled()) ?? own; // what is being sent or read is waited for
  const asked = await asAsked(pictures, recipe, values);
  return request("runs", { method: "POST", value: { data, recipe, minutes, values: asked, files: pictures.files.map((file) => file.path) } });
}
