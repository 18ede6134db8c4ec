// The press on Train: the form goes to the server, and what became of it to the elements that show it. Gradio's button calls this by its global name.
import { request } from "../common.js";
import { own } from "./own.js";

let busy = false;

window.ganSubmit = async (data, files, recipe, minutes, ...values) => {
  if (busy) return;
  busy = true;
  dispatchEvent(new CustomEvent("gan:submit"));
  const value = { data, recipe, minutes, values, files: (files ?? []).map((file) => file.path) };
  const answer = await request("runs", { method: "POST", value }).catch((error) => ({ error }));
  busy = false;
  if (answer.run) own(answer.run);
  dispatchEvent(new CustomEvent("gan:answer", { detail: answer }));
};
