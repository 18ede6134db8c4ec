// The left column of the tab shows one view at a time. The large picture and the sliders stay beside it.
import { h, icon, must } from "../core/dom.js";
import { refusal, t } from "../core/i18n.js";

/** The tabs, in their order: name -> title. A group of several views has a second row of tabs for them. */
/** @type {Record<string, () => string>} */
const GROUPS = {
  samples: () => t("explore.view_samples"),
  map: () => t("explore.view_map"),
  directions: () => t("explore.view_directions"),
  edit: () => t("explore.group_edit"),
  layers: () => t("explore.view_inside"),
  timeline: () => t("explore.view_time"),
  saved: () => t("explore.group_saved"),
};

/** Groups whose tab shows an icon instead of the title, so that all tabs fit into one row. */
/** @type {Record<string, string>} */
const ICONS = { saved: "heart" };

/**
 * Name -> the group, the title, and a function that fetches the module when the view is first opened. The
 * module has a class `View`. The first view needs no module, because its elements always exist.
 *
 * The constructor gets the explorer (<gan-explorer>) and may use its `point`, `model`, `change(patch,
 * dragging)`, `drawn(point)`, `say(error)` and `sheet(path, query, points, columns)`. A view has an
 * `element`, and may have:
 *   open(), close()   when it is shown and hidden
 *   place()           after each move of the point, while it is open
 *   renew()           after a change of the model or its weights, while it is open `renew` and `place` also
 * run after `open`.
 */
/** @type {Record<string, {group: string, title: () => string, module?: () => Promise<ViewModule>}>} */
const VIEWS = {
  samples: { group: "samples", title: () => t("explore.view_samples") },
  map: { group: "map", title: () => t("explore.view_map"), module: () => import("./views/map/map.js") },
  directions: {
    group: "directions",
    title: () => t("explore.view_axes"),
    module: () => import("./views/directions/directions.js"),
  },
  walk: {
    group: "directions",
    title: () => t("explore.view_walk"),
    module: () => import("./views/walk/walk.js"),
  },
  find: { group: "edit", title: () => t("explore.view_find"), module: () => import("./views/find/find.js") },
  drag: { group: "edit", title: () => t("explore.view_drag"), module: () => import("./views/drag/drag.js") },
  inside: {
    group: "layers",
    title: () => t("explore.view_inside"),
    module: () => import("./views/inside/inside.js"),
  },
  time: {
    group: "timeline",
    title: () => t("explore.view_time"),
    module: () => import("./views/time/time.js"),
  },
  favourites: {
    group: "saved",
    title: () => t("explore.view_favourites"),
    module: () => import("./views/favourites/favourites.js"),
  },
  loop: { group: "saved", title: () => t("explore.view_loop"), module: () => import("./views/loop/loop.js") },
};

/**
 * @typedef {{element: HTMLElement, open?(): void, close?(): void, place?(): void, renew?(): unknown}}
 *    OpenedView
 * @typedef {{View: new (explorer: Explorer) => OpenedView}} ViewModule
 */

/** The names of a group's views. @param {string} group */
const members = (group) => Object.keys(VIEWS).filter((name) => VIEWS[name].group === group);

/**
 * A view's module, after the style sheet of the same name has loaded.
 * @param {Promise<ViewModule>} module
 * @param {string} name
 */
async function styled(module, name) {
  const href = new URL(`views/${name}/${name}.css`, import.meta.url).href;
  const sheet = h("link", { rel: "stylesheet", href });
  await Promise.all([
    module,
    new Promise((done, failed) => {
      Object.assign(sheet, { onload: done, onerror: () => failed(new Error(`${name}.css`)) });
      document.head.append(sheet);
    }),
  ]);
  return module;
}

/** The tabs and the open view. `home` holds the elements of the first view. */
export class Views {
  /** @type {Record<string, OpenedView>} */
  views = {};
  /** @type {Record<string, Promise<ViewModule>>} */
  modules = {};
  current = "samples";
  /** @type {?OpenedView} */
  opened = null;
  /** @type {?string} */
  marked = null;
  turn = {}; // another object for each view that is being opened
  // The view that each group opens.
  last = Object.fromEntries(Object.keys(GROUPS).map((group) => [group, members(group)[0]]));

  /**
   * @param {Explorer} explorer
   * @param {HTMLElement[]} home
   */
  constructor(explorer, home) {
    this.explorer = explorer;
    this.home = home;
    this.list = this.#row(
      Object.keys(GROUPS).map((group) => this.#groupTab(group)),
      { class: "xp-views", "aria-label": t("explore.views") },
    );
    const shared = Object.keys(GROUPS).filter((group) => members(group).length > 1);
    this.rows = Object.fromEntries(
      shared.map((group) => [
        group,
        this.#row(
          members(group).map((name) => this.#viewTab(name)),
          { class: "xp-subviews", "aria-label": GROUPS[group](), hidden: true },
        ),
      ]),
    );
    this.panel = h("div", { class: "xp-view", id: "xp-view", role: "tabpanel" }, home);
    this.element = h("div", { class: "xp-left" }, this.list, Object.values(this.rows), this.panel);
  }

  /**
   * @param {HTMLButtonElement[]} tabs
   * @param {Attributes} attributes
   */
  #row(tabs, attributes) {
    return h("div", { role: "tablist", ...attributes, onkeydown: (event) => this.#key(event, tabs) }, tabs);
  }

  /** The tab of a group. If the group has one view, it is the tab of that view. @param {string} group */
  #groupTab(group) {
    const [first, second] = members(group);
    const id = second ? `xp-group-${group}` : `xp-tab-${first}`;
    return h(
      "button",
      {
        type: "button",
        role: "tab",
        id,
        value: group,
        "aria-controls": "xp-view",
        onclick: () => this.#choose(this.last[group]),
        ...(group in ICONS && { "aria-label": GROUPS[group](), title: GROUPS[group]() }),
      },
      group in ICONS ? icon(ICONS[group]) : GROUPS[group](),
    );
  }

  /** @param {string} name */
  #viewTab(name) {
    return h(
      "button",
      {
        type: "button",
        role: "tab",
        id: `xp-tab-${name}`,
        value: name,
        "aria-controls": "xp-view",
        onclick: () => this.#choose(name),
      },
      VIEWS[name].title(),
    );
  }

  /** The point has moved: open the view that it names, and pass the move on to it. */
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

  /** Open a view by its tab. If the view failed to load, try again. @param {string} name */
  #choose(name) {
    if (name === this.current && name !== "samples" && !this.opened) this.#open(name);
    this.explorer.change({ view: name });
  }

  /**
   * Close the open view, and open another once its module is here. If the reader has made a later choice
   * meanwhile, that one wins.
   * @param {string} name
   */
  async #open(name) {
    this.opened?.close?.();
    Object.assign(this, { current: name, opened: null });
    const mine = (this.turn = {});
    try {
      const module = await this.#module(name);
      if (this.turn !== mine) return;
      if (module) this.opened = this.views[name] ??= new module.View(this.explorer);
    } catch (error) {
      if (this.turn !== mine) return;
      this.panel.replaceChildren();
      this.explorer.say({ text: t("explore.view_failed", { reason: refusal(error).message }) });
      return;
    }
    this.panel.replaceChildren(...(this.opened ? [this.opened.element] : this.home));
    this.opened?.open?.();
    this.opened?.renew?.();
    this.opened?.place?.();
  }

  /** @param {string} name @returns {Promise<ViewModule | undefined>} */
  async #module(name) {
    const { module } = VIEWS[name];
    if (!module) return undefined;
    this.modules[name] ??= styled(module(), name).catch((error) => {
      delete this.modules[name]; // the next choice tries again
      throw error;
    });
    return this.modules[name];
  }

  /** Mark the tabs of the current view, and show the row of its group. */
  #mark() {
    if (this.marked === this.current) return;
    this.marked = this.current;
    const { group } = VIEWS[this.current];
    this.last[group] = this.current;
    for (const [name, row] of Object.entries(this.rows)) row.hidden = name !== group;
    const main = select(this.list, group);
    this.panel.setAttribute(
      "aria-labelledby",
      (this.rows[group] ? select(this.rows[group], this.current) : main).id,
    );
    this.#reveal(main);
  }

  /**
   * Scroll the row of tabs sideways until this one is visible. The page does not move.
   * @param {HTMLElement} tab
   */
  #reveal(tab) {
    const { list } = this;
    const [left, right] = [
      tab.offsetLeft - list.offsetLeft,
      tab.offsetLeft - list.offsetLeft + tab.offsetWidth,
    ];
    if (left < list.scrollLeft || right > list.scrollLeft + list.clientWidth)
      list.scrollLeft = left - (list.clientWidth - tab.offsetWidth) / 2;
  }

  /**
   * @param {KeyboardEvent} event
   * @param {HTMLButtonElement[]} tabs
   */
  #key(event, tabs) {
    const from = tabs.findIndex((tab) => tab === document.activeElement);
    /** @type {Record<string, number>} */
    const steps = { ArrowLeft: from - 1, ArrowRight: from + 1, Home: 0, End: tabs.length - 1 };
    const tab = tabs[steps[event.key]];
    if (from < 0 || !tab) return;
    event.preventDefault();
    tab.focus();
    tab.click();
  }
}

/**
 * Select the tab with this value, and return it. Only this one is reached by the Tab key.
 * @param {HTMLElement} row
 * @param {string} value
 */
function select(row, value) {
  const tabs = [...row.querySelectorAll("button")];
  for (const tab of tabs) {
    tab.setAttribute("aria-selected", String(tab.value === value));
    tab.tabIndex = tab.value === value ? 0 : -1;
  }
  return must(
    tabs.find((tab) => tab.value === value),
    `tab of ${value}`,
  );
}
