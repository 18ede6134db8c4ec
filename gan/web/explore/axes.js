// The two directions along which the pad, the large picture and the neighbours move the point. The Time view
// uses the first.
import { h, must } from "../core/dom.js";
import { familyOf } from "./families.js";
import { lively, usualName } from "../widgets/slider.js";

/** @type {[string, string]} */
// The principal directions with most variance; they stay the same when the server measures effects again.
const FIRST = ["p0", "p1"];

/**
 * The pair that a point names in `axes`, else the first two. `select` makes an element to choose a direction,
 * and `show` updates all of them.
 */
export class Axes {
  /** @type {{element: HTMLSelectElement, place: number}[]} */
  selects = [];

  /** @param {Explorer} explorer */
  constructor(explorer) {
    this.explorer = explorer;
  }

  /**
   * The ids that the reader can choose: every slider's direction in order, then those of the address. There
   * are at least two.
   */
  ids() {
    const own = this.#chosen?.ids() ?? [];
    const named = (this.explorer.point.axes ?? []).filter((id) => !own.includes(id) && this.#offered(id));
    const ids = [...own, ...named];
    return ids.length > 1 ? ids : [...new Set([...ids, ...FIRST])].slice(0, 2);
  }

  /** The two ids: to the right, and up. @returns {[string, string]} */
  get pair() {
    const ids = this.ids();
    const [across, up] = this.explorer.point.axes ?? FIRST;
    const other = (/** @type {string} */ taken) =>
      must(
        ids.find((id) => id !== taken),
        "second direction",
      );
    const first = ids.includes(across) ? across : other(up);
    return [first, up !== first && ids.includes(up) ? up : other(first)];
  }

  /**
   * A direction's name, as the reader may have renamed it.
   * @param {string} id
   */
  name(id) {
    const title = this.explorer.families.about(id)?.title;
    return this.#chosen?.name(id, title) ?? usualName(id, title);
  }

  /**
   * Choose another direction to the right (0) or up (1). If it is the other one of the pair, both swap.
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
      if (JSON.stringify(options) !== JSON.stringify(wanted))
        element.replaceChildren(...wanted.map(([value, name]) => h("option", { value }, name)));
      element.value = pair[place];
    }
  }

  /** The reader's list, as soon as it belongs to the shown model. */
  get #chosen() {
    const { chosen, point } = this.explorer;
    return chosen.model?.id === point.model ? chosen : null;
  }

  /**
   * Whether the reader may choose a direction without a slider: it is not hidden, and no known fact speaks
   * against it.
   * @param {string} id
   */
  #offered(id) {
    const { families } = this.explorer;
    const directions = this.#chosen?.model?.directions;
    if (this.#chosen?.hidden.includes(id)) return false;
    const about = families.about(id) ?? directions?.find((direction) => direction.id === id);
    if (about) return lively(about);
    // The family is not loaded yet.
    return familyOf(id) === "principal" ? !directions : !families.found[familyOf(id)];
  }
}
