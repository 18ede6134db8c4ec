// What every room of the page shares: texts, addresses, requests, small DOM builders, icons, numbers for people.

const BASE = new URL("..", import.meta.url); // .../gradio_api/gan/

export const lang = window.ganEarly?.lang ?? "en";

let texts = window.ganTexts ?? {}; // a page without a server brings its texts along

export const ready = window.ganTexts ? Promise.resolve() : fetch(address(`strings/${lang}.json`), { cache: "no-cache" })
  .then((reply) => reply.json())
  .then((table) => { texts = table; })
  .catch((error) => console.error("texts", error));

/** The address of one of our routes: address("image", {id, seed}). */
export function address(path, query = {}) {
  const url = new URL(path, BASE);
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null) url.searchParams.set(name, value);
  }
  return url.href;
}

/** The path below which the page lies, as the browser sees it: proxies may show it anywhere on a host. */
export const place = () => new URL("../..", BASE).pathname;

/** A text in the reader's language with its {gaps} filled; an unknown key is shown as it is, so that it is noticed. */
export function t(key, values = {}) {
  const text = texts[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (gap, name) => (name in values ? String(values[name]) : gap));
}

/** Whether there is a text for this key. */
export const known = (key) => key in texts;

/** The sentence of an error the server sent: {key, values, text}. */
export function sentence(error) {
  if (!error) return "";
  if (!error.key || !known(`error.${error.key}`)) return error.text || t("common.failed");
  const { name, state } = error.values ?? {};
  const told = { ...error.values };
  if (error.key.startsWith("config.") && known(`field.${name}`)) told.name = t(`field.${name}`); // people know a setting by its label
  if (known(`state.${state}`)) told.state = t(`state.${state}`).toLowerCase();
  return t(`error.${error.key}`, told);
}

/** fetch of one of our routes as JSON, with a value to send; throws {key, values, text} where the server refuses, {offline: true} where it can't be reached. */
export async function request(path, { query, method = "GET", value, signal } = {}) {
  const sent = value === undefined ? {} : { body: JSON.stringify(value), headers: { "Content-Type": "application/json" } };
  let reply;
  try {
    reply = await fetch(address(path, query), { method, signal, cache: "no-store", ...sent });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw { offline: true, text: t("common.offline") };
  }
  const answer = await reply.json().catch(() => ({}));
  if (answer.error?.key === "access.needed") dispatchEvent(new CustomEvent("gan:locked")); // this page took itself for unlocked
  if (!reply.ok) throw answer.error ?? { text: t("common.failed") };
  return answer;
}

/** An element: h("button", {class: "x", onclick}, "text", child, ...). Text goes in as text, never as HTML. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name in element && typeof value !== "string") element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

const PATHS = {
  pause: "M8 5v14M16 5v14",
  play: "M7 4.500v15l12-7.500z",
  stop: "M6 6h12v12H6z",
  camera: "M4 8h3l2-3h6l2 3h3v11H4zM12 16.500a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7z",
  save: "M5 4h11l3 3v13H5zM8 4v5h7V4M8 20v-7h8v7",
  compass: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM15.500 8.500l-2 5-5 2 2-5z",
  lock: "M6 11h12v9H6zM8.500 11V8a3.500 3.500 0 0 1 7 0v3",
  unlock: "M6 11h12v9H6zM8.500 11V8a3.500 3.500 0 0 1 6.700-1.500",
  sun: "M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM12 2v3M12 19v3M2 12h3M19 12h3M5 5l2 2M17 17l2 2M5 19l2-2M17 7l2-2",
  moon: "M20 14.500A8.500 8.500 0 0 1 9.500 4 8.500 8.500 0 1 0 20 14.500z",
  auto: "M12 21a9 9 0 1 0 0-18zM12 3a9 9 0 0 1 0 18",
  close: "M6 6l12 12M18 6L6 18",
  link: "M10 14a4 4 0 0 0 5.700 0l3-3a4 4 0 0 0-5.700-5.700l-1.200 1.200M14 10a4 4 0 0 0-5.700 0l-3 3a4 4 0 0 0 5.700 5.700l1.200-1.200",
  sliders: "M4 8h9M19 8h1M4 16h1M11 16h9M16 5.500v5M8 13.500v5",
  check: "M5 12.500l4.500 4.500L19 7.500",
  chevron: "M6 9l6 6 6-6",
  chip: "M7 7h10v10H7zM10 3v4M14 3v4M10 17v4M14 17v4M3 10h4M3 14h4M17 10h4M17 14h4",
  dice: "M5 5h14v14H5zM9 9h.01M15 15h.01M15 9h.01M9 15h.01M12 12h.01",
  reset: "M4 5v5h5M4.600 15a8 8 0 1 0 1-7.500L4 10",
  download: "M12 4v11M7 11l5 5 5-5M5 20h14",
  back: "M15 5l-7 7 7 7",
  next: "M9 5l7 7-7 7",
  brush: "M4 20c3 0 4-1.500 4-3.500a2.500 2.500 0 1 1 4 2C10.500 20.500 8 21 4 20zM11 14.500L19 4.500l1.500 1.500-8 10",
  eraser: "M4 15.500L13 6.500l5.500 5.500-7 7H7.500zM8.500 11l5.500 5.500M12 19h8",
  search: "M10.500 17a6.500 6.500 0 1 0 0-13 6.500 6.500 0 0 0 0 13zM15.500 15.500L20.500 20.500",
  arrow: "M6 18L18 6M9 6h9v9",
  swap: "M12 4a8 8 0 1 0 0 16zM12 4a8 8 0 0 1 0 16",
  minus: "M5 12h14",
  hide: "M3 12s3.500-6 9-6 9 6 9 6-3.500 6-9 6-9-6-9-6zM12 14.500a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5zM4 20L20 4",
  pencil: "M5 19l1-4L16.500 4.500l3 3L9 18z",
  plus: "M12 5v14M5 12h14",
  upload: "M12 15V4M7 8l5-5 5 5M5 20h14",
  heart: "M12 20S4 15 4 9.300C4 6.700 6 5 8.200 5 9.800 5 11.200 5.900 12 7.300 12.800 5.900 14.200 5 15.800 5 18 5 20 6.700 20 9.300 20 15 12 20 12 20z",
  bin: "M5 7h14M9.500 7V4h5v3M7 7l1 13h8l1-13M10.500 11v5M13.500 11v5",
};

/** An element of SVG with its attributes and what is in it. */
export function shape(tag, attributes, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** A line icon of 20 px, hidden from readers of the screen: give the control a name. */
export function icon(name) {
  return shape("svg", { viewBox: "0 0 24 24", class: "gan-icon", "aria-hidden": "true", focusable: "false" }, shape("path", { d: PATHS[name] ?? "" }));
}

/** Seconds as 0:42, 12:05 or 3:07:00. */
export function clock(seconds) {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return "–";
  const whole = Math.max(0, Math.round(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (value) => String(value).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

/** A whole number with the separators of the reader's language. */
export const whole = (value) => new Intl.NumberFormat(document.documentElement.lang).format(Math.round(value));

/** A count in three figures or so: 950, 12.3k, 4.56M. */
export function short(value) {
  if (value === null || value === undefined) return "–";
  if (value >= 1e6) return `${(value / 1e6).toPrecision(3)}M`;
  if (value >= 1e4) return `${(value / 1e3).toPrecision(3)}k`;
  return whole(value);
}

/** A number of bytes in three figures or so: 512 kB, 12.3 MB, 1.23 GB. */
export function fileSize(bytes) {
  const [unit, size] = [["GB", 1e9], ["MB", 1e6]].find(([, least]) => bytes >= least) ?? ["kB", 1e3];
  const value = bytes / size;
  return `${value >= 100 ? Math.round(value) : Number(value.toPrecision(value < 1 ? 1 : 3))} ${unit}`;
}

/** "3 minutes ago", in the reader's language, for a unix time. */
export function ago(unix) {
  const form = new Intl.RelativeTimeFormat(document.documentElement.lang, { numeric: "auto", style: "short" });
  const seconds = unix - Date.now() / 1000;
  for (const [unit, length] of [["day", 86400], ["hour", 3600], ["minute", 60]]) {
    if (Math.abs(seconds) >= length) return form.format(Math.round(seconds / length), unit);
  }
  return form.format(Math.round(Math.min(0, seconds)), "second");
}

/** A device in the reader's language: the engine's label for a processor is English, a GPU has its own name. */
export function device(label) {
  const threads = /^CPU, (\d+) threads?$/.exec(label ?? "")?.[1];
  return threads ? t(threads === "1" ? "common.cpu_one" : "common.cpu", { threads }) : label;
}

export function remember(name, value) {
  try {
    localStorage.setItem(name, value);
  } catch {
    // storage is closed to us in some embedded frames: the choice then lasts as long as the page
  }
}

/** Show a tab by name; it is Gradio's own tab button that is pressed. */
export function openTab(name) {
  document.getElementById(`tab-${name}-button`)?.click();
}

/** Put new text into an element only where it changed, so that a screen reader and a selection are left in peace. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** What stands behind the # of the address: names and values. */
export const readHash = () => new URLSearchParams(location.hash.slice(1));

/** Names and values as they are written there, so that people can read them. */
export const hashText = (hash) => hash.toString().replaceAll("%3A", ":").replaceAll("%2C", ",");

let turned = false;

/** Write what stands behind the #: into the entry of the browser's history where we are, or as a `turn` into a new one. All turns of one press make one. */
export function writeHash(hash, turn = false) {
  const text = `${location.pathname}${location.search}#${hashText(hash)}`;
  if (turn && !turned) history.pushState(history.state, "", text);
  else history.replaceState(history.state, "", text);
  if (!turn) return;
  turned = true;
  setTimeout(() => { turned = false; });
}

/** Which tab the address names ("#tab=train"), so that a refresh, a shared link, back and forward open where one was; without a name it is the first. */
function followAddress() {
  const first = () => document.querySelector('[role="tab"][data-tab-id]')?.dataset.tabId;
  const named = () => readHash().get("tab") ?? first();
  const button = (name) => document.getElementById(`tab-${name}-button`);
  let wanted = readHash().get("tab");
  document.addEventListener("click", (event) => {
    const name = event.target.closest?.('[role="tab"][data-tab-id]')?.dataset.tabId;
    if (!name) return;
    wanted = null;
    if (name === named()) return;
    const hash = readHash();
    hash.set("tab", name);
    writeHash(hash, true);
  });
  addEventListener("hashchange", () => named() && openTab(named()));
  if (!wanted) return;
  const watch = new MutationObserver(() => {
    if (wanted && !button(wanted)) return;
    watch.disconnect();
    if (wanted) openTab(wanted);
  });
  watch.observe(document.body, { childList: true, subtree: true });
}

followAddress();
