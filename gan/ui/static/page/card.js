// What there is to know of the generator on its page: where it comes from, what may be done with it, and that its pictures are made by a machine.
import { clock, device, h, known, t, whole } from "../common.js";

const named = (room, name) => (known(`${room}.${name}`) ? t(`${room}.${name}`) : name);

export class Card {
  constructor(model) {
    const { data, data_licence: licence, data_credit: credit, recipe, images, seconds, hardware } = model.card;
    const trained = [images && t("page.images", { count: whole(images) }), seconds && clock(seconds), hardware && device(hardware)].filter(Boolean).join(" · ");
    const facts = [["page.data", data && named("data", data)], ["page.credit", credit], ["page.licence", licence], ["page.recipe", recipe && named("recipe", recipe)], ["page.trained", trained]];
    this.element = h("section", { class: "xp-facts", "aria-label": t("page.card") }, h("h2", {}, t("page.card")),
      h("dl", {}, facts.filter(([, value]) => value).map(([key, value]) => h("div", {}, h("dt", {}, t(key)), h("dd", {}, value)))),
      h("p", {}, t("page.mark")), h("p", {}, t("page.licence_hint")), h("p", {}, t("page.offline"), " ", notices()));
  }
}

/** The licences of what is inside ONNX Runtime, as a file. */
function notices() {
  const packed = document.getElementById("gan-notices").textContent;
  return h("a", { href: `data:application/gzip;base64,${packed}`, download: "onnxruntime-notices.txt.gz" }, t("page.notices"));
}
