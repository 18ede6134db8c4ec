// The left column of the tab: one view at a time, each another way to find places in latent space. The large picture and the sliders stay beside it.
import { h } from "../core/dom.js";
import { t } from "../core/i18n.js";

/**
 * Name -> the title on its tab and what fetches its module when it is first opened, with a class `View`; the first has no module, it is always there. A view
 * is made with the explorer (<gan-explorer>), whose `point`, `model`, `change(patch, dragging)`, `drawn(point)`, `sheet(path, query, points, columns)` and
 * `say(error)` it may use. It has an `element`, and where it wants to know: `open()` and `close()`, `place()` after each move of the point, and `renew()` for
 * another model or newer weights of the same. The last two are called only while it is open; `renew` and `place` are called after `open` as well.
 */
/** @type {Record<string, {title: () => string, module?: () => Promise<ViewModule>}>} */
const VIEWS = {
  samples: { title: () => t("explore.view_samples") },
  directions: { title: () => t("explore.view_directions"), module: () => import("./views/directions/directions.js") },
  map: { title: () => t("explore.view_map"), module: () => import("./views/map/map.js") },
  inside: { title: () => t("explore.view_inside"), module: () => import("./views/inside/inside.js") },
  find: { title: () => t("explore.view_find"), module: () => import("./views/find/find.js") },
  drag: { title: () => t("explore.view_drag"), module: () => import("./views/drag/drag.js") },
  walk: { title: () => t("explore.view_walk"), module: () => import("./views/walk/walk.js") },
  loop: { title: () => t("explore.view_loop"), module: () => import("./views/loop/loop.js") },
  favourites: { title: () => t("explore.view_favourites"), module: () => import("./views/favourites/favourites.js") },
  time: { title: () => t("explore.view_time"), module: () => import("./views/time/time.js") },
};

/**
 * @typedef {string} ViewName a key of VIEWS
 * @typedef {{element: HTMLElement, open?(): void, close?(): void, place?(): void, renew?(): unknown}} OpenedView
 * @typedef {{View: new (explorer: Explorer) => OpenedView}} ViewModule
 */

/**
 * A view's module, once the style sheet of the same name beside it is there as well.
 * @param {Promise<ViewModule>} module
 * @param {string} name
 */
async function styled(module, name) {
  const href = new URL(`views/${name}/${name}.css`, import.meta.url).href;
  const sheet = h("link", { rel: "stylesheet", href });
  await Promise.all([module, new Promise((done, failed) => {
    Object.assign(sheet, { onload: done, onerror: () => failed(new Error(`${name}.css`)) });
    document.head.append(sheet);
  })]);
  return module;
}

/** The tabs and the open view. `home` are the elements of the first view, which is always there. */
export class Views {
  /** @type {Partial<Record<ViewName, OpenedView>>} */
  views = {};
  /** @type {Partial<Record<ViewName, Promise<ViewModule>>>} */
  modules = {};
  /** @type {ViewName} */
  current = "samples";
  /** @type {?OpenedView} */
  opened = null;
  /** @type {?ViewName} */
  marked = null;
  turn = {}; // another object for each view that is being opened

  /**
   * @param {Explorer} explorer
   * @param {HTMLElement[]} home
   */
  constructor(explorer, home) {
    this.explorer = explorer;
    this.home = home;
    this.tabs = Object.entries(VIEWS).map(([name, { title }]) => h("button", { type: "button", role: "tab", id: `xp-tab-${name}`, value: name, "aria-controls": "xp-view", onclick: () => this.#choose(name) }, title()));
    this.list = h("div", { class: "xp-views", role: "tablist", "aria-label": t("explore.views"), onkeydown: (event) => this.#key(event) }, this.tabs);
    this.panel = h("div", { class: "xp-view", id: "xp-view", role: "tabpanel" }, home);
    this.element = h("div", { class: "xp-left" }, this.list, this.panel);
  }

  /** The point has moved: open the view that it names, and tell it. */
  place() {
    const wanted = this.explorer.point.view in VIEWS ? this.explorer.point.view : "samples";
    if (wanted !== this.current) this.#open(wanted);
    else this.opened?.place?.();
    this.#mark();
  }

  /** Another model, or newer weights. */
  renew() {
    this.opened?.renew?.();
  }

  /**
   * A view that could not be loaded is tried again.
   * @param {ViewName} name
   */
  #choose(name) {
    if (name === this.current && name !== "samples" && !this.opened) this.#open(name);
    this.explorer.change({ view: name });
  }

  /**
   * Close what is open, and open another as soon as it is there; one whose turn is over by then, because the next was chosen, is not opened.
   * @param {ViewName} name
   */
  async #open(name) {
    this.opened?.close?.();
    Object.assign(this, { current: name, opened: null });
    const mine = this.turn = {};
    try {
      const module = await this.#module(name);
      if (this.turn !== mine) return;
      if (module) this.opened = this.views[name] ??= new module.View(this.explorer);
    } catch (error) {
      if (this.turn !== mine) return;
      this.panel.replaceChildren();
      this.explorer.say({ text: t("explore.view_failed", { reason: error.message }) });
      return;
    }
    this.panel.replaceChildren(...(this.opened ? [this.opened.element] : this.home));
    this.opened?.open?.();
    this.opened?.renew?.();
    this.opened?.place?.();
  }

  /** @param {ViewName} name */
  async #module(name) {
    const { module } = VIEWS[name];
    if (module) {
      this.modules[name] ??= styled(module(), name).catch((error) => {
        delete this.modules[name]; // to be tried again when it is chosen again
        throw error;
      });
    }
    return this.modules[name];
  }

  #mark() {
    if (this.marked === this.current) return;
    this.marked = this.current;
    for (const tab of this.tabs) {
      const chosen = tab.value === this.current;
      tab.setAttribute("aria-selected", String(chosen));
      tab.tabIndex = chosen ? 0 : -1;
      if (!chosen) continue;
      this.panel.setAttribute("aria-labelledby", tab.id);
      this.#reveal(tab);
    }
  }

  /**
   * Bring a tab into sight where they stand in one row that can be pushed sideways; the page stays where it is.
   * @param {HTMLElement} tab
   */
  #reveal(tab) {
    const { list } = this;
    const [left, right] = [tab.offsetLeft - list.offsetLeft, tab.offsetLeft - list.offsetLeft + tab.offsetWidth];
    if (left < list.scrollLeft || right > list.scrollLeft + list.clientWidth) list.scrollLeft = left - (list.clientWidth - tab.offsetWidth) / 2;
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const from = this.tabs.findIndex((tab) => tab === document.activeElement);
    /** @type {Record<string, number>} */
    const steps = { ArrowLeft: from - 1, ArrowRight: from + 1, Home: 0, End: this.tabs.length - 1 };
    const tab = this.tabs[steps[event.key]];
    if (from < 0 || !tab) return;
    event.preventDefault();
    tab.focus();
    tab.click();
  }
}
