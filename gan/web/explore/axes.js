// The two directions that hands move: on the pad, on the large picture and in the grid of neighbours. Time shows the first.
import { h, must } from "../core/dom.js";
import { familyOf } from "./families.js";
import { lively, usualName } from "../widgets/slider.js";

/** @type {[string, string]} */
const FIRST = ["p0", "p1"]; // where nobody has chosen: what varies most, which stays the same where effects are measured anew

/** Those that a point names (`axes`, their ids) or else the first, for an explorer; `select` makes an element to choose one with, which `show` keeps up to date. */
export class Axes {
  /** @type {{element: HTMLSelectElement, place: number}[]} */
  selects = [];

  /** @param {Explorer} explorer */
  constructor(explorer) {
    this.explorer = explorer;
  }

  /** What can be chosen: every direction that has a slider, in their order, and what an address names, unless that is no slider here. Always two at least. */
  ids() {
    const own = this.#chosen?.ids() ?? [];
    const named = (this.explorer.point.axes ?? []).filter((id) => !own.includes(id) && this.#offered(id));
    const ids = [...own, ...named];
    return ids.length > 1 ? ids : [...new Set([...ids, ...FIRST])].slice(0, 2);
  }

  /** The two ids: across, and up. @returns {[string, string]} */
  get pair() {
    const ids = this.ids();
    const [across, up] = this.explorer.point.axes ?? FIRST;
    const other = (/** @type {string} */ taken) => must(ids.find((id) => id !== taken), "second direction");
    const first = ids.includes(across) ? across : other(up);
    return [first, up !== first && ids.includes(up) ? up : other(first)];
  }

  /**
   * A direction's name as the visitor has it.
   * @param {string} id
   */
  name(id) {
    const title = this.explorer.families.about(id)?.title;
    return this.#chosen?.name(id, title) ?? usualName(id, title);
  }

  /**
   * Another direction across (0) or up (1); if it is the other one, they change places.
   * @param {number} place
   * @param {string} id
   */
  turn(place, id) {
    const pair = [...this.pair];
    if (pair[1 - place] === id) pair[1 - place] = pair[place];
    pair[place] = id;
    this.explorer.change({ axes: pair });
  }

  /**
   * @param {number} place
   * @param {string} label
   */
  select(place, label) {
    const element = h("select", { "aria-label": label });
    element.addEventListener("change", () => this.turn(place, element.value));
    this.selects.push({ element, place });
    this.show();
    return element;
  }

  show() {
    const { pair } = this;
    const wanted = this.ids().map((id) => [id, this.name(id)]);
    for (const { element, place } of this.selects) {
      const options = [...element.options].map(({ value, text }) => [value, text]);
      if (JSON.stringify(options) !== JSON.stringify(wanted)) element.replaceChildren(...wanted.map(([value, name]) => h("option", { value }, name)));
      element.value = pair[place];
    }
  }

  /** The visitor's list, once it is that of the model which is shown. */
  get #chosen() {
    const { chosen, point } = this.explorer;
    return chosen.model?.id === point.model ? chosen : null;
  }

  /**
   * Whether a direction that has no slider may be chosen all the same: it is not hidden, and worth one as far as is known.
   * @param {string} id
   */
  #offered(id) {
    const { families } = this.explorer;
    const directions = this.#chosen?.model?.directions;
    if (this.#chosen?.hidden.includes(id)) return false;
    const about = families.about(id) ?? directions?.find((direction) => direction.id === id);
    if (about) return lively(about);
    return familyOf(id) === "principal" ? !directions : !families.found[familyOf(id)]; // nobody has looked yet
  }
}
