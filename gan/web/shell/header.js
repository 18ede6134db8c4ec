// <gan-header>: name, device, the running run, the lock, language and theme.
import { place } from "../core/api.js";
import { controls } from "../core/control.js";
import { find, h, icon, setText } from "../core/dom.js";
import { THEME } from "../core/events.js";
import { clock, device } from "../core/format.js";
import { t } from "../core/i18n.js";
import { numbered } from "../core/run-name.js";
import { recall, remember } from "../core/storage.js";
import { languageButton } from "../widgets/buttons.js";
import { Lock } from "./access.js";
import { subscribe, view } from "./run-feed.js";
import { openTab } from "./tabs.js";
import { keepForm } from "../train/form/settings.js";

const THEMES = ["auto", "light", "dark"];
/** @type {Record<string, string>} */
const THEME_ICONS = { auto: "auto", light: "sun", dark: "moon" };

class GanHeader extends HTMLElement {
  built = false;
  device = h("span", { class: "gan-device" }, icon("chip"), h("span"));
  pill = h(
    "button",
    { class: "gan-pill", type: "button", hidden: true, onclick: () => this.openRun() },
    h("i"),
    h("span"),
    h("b"),
  );
  pause = h(
    "button",
    { class: "gan-ghost gan-pause", type: "button", hidden: true, onclick: () => this.pauseRun() },
    icon("pause"),
  );
  /** Id of the run in the pill. @type {?string} */
  run = null;

  connectedCallback() {
    if (this.built) return;
    this.built = true;

    const mark = h(
      "a",
      {
        class: "gan-name",
        href: "#",
        "aria-label": "GANarium",
        onclick: (event) => {
          event.preventDefault();
          openTab("explore");
        },
      },
      h("img", { src: new URL("../mark.svg", import.meta.url).href, alt: "", width: "26", height: "26" }),
      h("span", {}, "GANarium"),
    );
    const lock = new Lock();
    this.pause.title = t("stage.pause");
    this.pause.setAttribute("aria-label", t("header.pause"));
    this.append(
      h(
        "header",
        { class: "gan-header" },
        mark,
        h("span", { class: "gan-space" }),
        this.pill,
        this.pause,
        this.device,
        lock.button,
        languageButton(changeLanguage),
        themeSwitch(),
      ),
      lock.row,
      lock.told,
    );
    subscribe((feed) => this.show(feed));
  }

  /** @param {Feed} feed */
  show({ poll }) {
    if (!poll) return;
    setText(find(this.device, "span"), device(poll.device) ?? "");
    this.device.hidden = !poll.device;
    const run = poll.active_run;
    this.pill.hidden = !run;
    this.pause.hidden = run?.state !== "running" || run.id !== poll.run?.id || !controls(run.id);
    this.run = run?.id ?? null;
    if (!run) return;
    const [, label, rest] = this.pill.children;
    const state = run.silent ? "silent" : run.state;
    this.pill.dataset.state = state;
    setText(label, t(`state.${state}`));
    setText(rest, state === "running" && run.eta !== null ? clock(run.eta) : "");
    this.pill.setAttribute(
      "aria-label",
      t("header.open_run", { state: t(`state.${state}`), data: run.name ?? numbered(run) }),
    );
  }

  /** Press the pause of the stage, which also says what came of it. */
  pauseRun() {
    /** @type {?HTMLButtonElement} */ (document.querySelector("gan-stage [data-command=pause]"))?.click();
  }

  openRun() {
    openTab("train");
    view(this.run);
  }
}

/** Change the language of the page, and keep the form. @param {string} other */
async function changeLanguage(other) {
  await keepForm().catch(() => {}); // the language changes even if the form can't be stored
  remember("gan_lang", other);
  document.cookie = `gan_lang=${other}; path=${place()}; max-age=31536000; samesite=lax`;
  const url = new URL(location.href);
  url.searchParams.delete("lang");
  if (url.href === location.href) location.reload();
  else location.replace(url);
}

function themeSwitch() {
  let theme = recall("gan_theme") ?? "auto";
  const button = h("button", { class: "gan-ghost", type: "button" });
  const show = () => {
    button.replaceChildren(icon(THEME_ICONS[theme] ?? "auto"));
    button.setAttribute("aria-label", t(`header.theme_${theme}`));
    button.title = t(`header.theme_${theme}`);
  };
  button.addEventListener("click", () => {
    theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
    remember("gan_theme", theme);
    window.ganEarly?.applyTheme(theme);
    show();
    dispatchEvent(new CustomEvent(THEME));
  });
  show();
  return button;
}

customElements.define("gan-header", GanHeader);
