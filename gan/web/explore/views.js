// The left column of the tab. It shows one view at a time; each finds places in latent space by another method.
import { h } from "../core/dom.js";
import { t } from "../core/i18n.js";

/**
 * Title and module of each view. The first view has no module, because it is always loaded.
 * A module exports a class `View`, which gets the explorer. It may use the explorer's `point`, `model`, `change(patch,
 * dragging)`, `drawn(point)`, `sheet(path, query, points, columns)` and `say(error)`.
 * A view has an `element`. It may have `open()` and `close()`, `place()` for each movement of the point, and `renew()`
 * for another model or newer weights. The last two are called after `open`, and while the view is open.
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
 * A view's module, after the style sheet of the same name has loaded.
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

/** The tabs and the open view. `home` are the elements of the first view. */
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

  /** Open the view that the point names, or tell the open view that the point has moved. */
  place() {
    const wanted = this.explorer.point.view in VIEWS ? this.explorer.point.view : "samples";
    if (wanted !== this.current) this.#open(wanted);
    else this.opened?.place?.();
    this.#mark();
  }

  /** Tell the open view about another model or newer weights. */
  renew() {
    this.opened?.renew?.();
  }

  /**
   * Choose a view. A view that failed to load is tried again.
   * @param {ViewName} name
   */
  #choose(name) {
    if (name === this.current && name !== "samples" && !this.opened) this.#open(name);
    this.explorer.change({ view: name });
  }

  /**
   * Close the open view and open another as soon as it has loaded, unless the reader has chosen a third meanwhile.
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
        delete this.modules[name]; // the next choice tries again
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
   * Scroll the row of tabs, never the page, until a tab is visible.
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
