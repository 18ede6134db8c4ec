// The search for a model's attributes, while the visitor already uses its PCA directions.
import { h, setText } from "../../../core/dom.js";
import { t } from "../../../core/i18n.js";
import { lively } from "../../../widgets/slider.js";

/**
 * `element` is the line that tells of the search. It keeps its height while the search lasts and after its end,
 * so that the list below it stays where it is.
 */
export class AttributeSearch {
  element = h("p", { class: "xp-hint", "aria-live": "polite", hidden: true });
  /** Whether the visitor has pressed or focused anything in Explore since the start. */ touched = false;
  /** What the visitor had moved at the start. */ before = "";
  turn = {};

  /**
   * @param {Explorer} explorer
   * @param {HTMLElement} list of directions, which the attributes would replace
   */
  constructor(explorer, list) {
    this.explorer = explorer;
    this.list = list;
    // On a phone the list has the sliders and other controls below it, which another list would move.
    for (const name of ["pointerdown", "focusin"])
      explorer.addEventListener(name, () => {
        this.touched = true;
      });
  }

  /**
   * Tell of a search until its end. Resolves to whether the list should now show the attributes: there are
   * some, and nothing would move under the visitor's hand.
   * @param {Promise<FoundDirection[]>} searching
   */
  async follow(searching) {
    const mine = (this.turn = {});
    this.touched = false;
    this.before = this.#moved();
    this.#tell("explore.attributes_searched");
    const found = await searching.catch(() => null);
    if (this.turn !== mine) return false;
    if (!found) this.#tell("explore.attributes_failed");
    else if (!found.some(lively)) this.#tell("explore.none_found");
    else if (this.#inUse()) this.#tell("explore.attributes_ready");
    else return true;
    return false;
  }

  /** Follow the search no longer. */
  end() {
    this.turn = {};
    this.element.hidden = true;
  }

  #inUse() {
    return this.touched || this.#moved() !== this.before || this.list.matches(":hover");
  }

  #moved() {
    const { d, x } = this.explorer.point;
    return JSON.stringify([d, x, scrollY]);
  }

  /** @param {string} key */
  #tell(key) {
    setText(this.element, t(key));
    this.element.hidden = false;
  }
}
