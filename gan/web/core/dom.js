// Builders of elements, and questions to elements.

/**
 * Build an element: h("button", {class: "x", onclick}, "text", child, ...). Text goes in as text, never as
 * HTML.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Attributes} attributes strings become attributes; other values become properties where the element
 *    has them
 * @param {...(Child | Child[])} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), /** @type {EventListener} */ (value));
    else if (name in element && typeof value !== "string") Object.assign(element, { [name]: value });
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(
    ...children.flat().filter((child) => child !== null && child !== undefined && child !== false),
  );
  return element;
}

/**
 * A value that is always there. Throws an error that names what is missing.
 * @template Value
 * @param {Value | null | undefined} value
 * @param {string} name
 * @returns {Value}
 */
export function must(value, name) {
  if (value === null || value === undefined) throw new Error(`no ${name}`);
  return value;
}

/**
 * The first element of this tag within another. Throws if there is none.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {ParentNode} parent
 * @param {Tag} tag
 */
export const find = (parent, tag) => must(parent.querySelector(tag), `<${tag}>`);

/**
 * The 2D context of a canvas.
 * @param {HTMLCanvasElement} canvas
 * @param {CanvasRenderingContext2DSettings} [settings]
 */
export const context2d = (canvas, settings) => must(canvas.getContext("2d", settings), "2D context");

/** The element that has the focus. */
export const focused = () => /** @type {?HTMLElement} */ (document.activeElement);

/**
 * The element on which an event happened.
 * @param {Event} event
 */
export const targetOf = (event) => /** @type {HTMLElement} */ (event.target);

/** @type {Record<string, string>} */
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
  brush:
    "M4 20c3 0 4-1.500 4-3.500a2.500 2.500 0 1 1 4 2C10.500 20.500 8 21 4 20zM11 14.500L19 4.500l1.500 1.500-8 10",
  eraser: "M4 15.500L13 6.500l5.500 5.500-7 7H7.500zM8.500 11l5.500 5.500M12 19h8",
  search: "M10.500 17a6.500 6.500 0 1 0 0-13 6.500 6.500 0 0 0 0 13zM15.500 15.500L20.500 20.500",
  arrow: "M6 18L18 6M9 6h9v9",
  swap: "M12 4a8 8 0 1 0 0 16zM12 4a8 8 0 0 1 0 16",
  minus: "M5 12h14",
  hide: "M3 12s3.500-6 9-6 9 6 9 6-3.500 6-9 6-9-6-9-6zM12 14.500a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5zM4 20L20 4",
  pencil: "M5 19l1-4L16.500 4.500l3 3L9 18z",
  plus: "M12 5v14M5 12h14",
  upload: "M12 15V4M7 8l5-5 5 5M5 20h14",
  heart:
    "M12 20S4 15 4 9.300C4 6.700 6 5 8.200 5 9.800 5 11.200 5.900 12 7.300 12.800 5.900 14.200 5 15.800 5 18 5 20 6.700 20 9.300 20 15 12 20 12 20z",
  bin: "M5 7h14M9.500 7V4h5v3M7 7l1 13h8l1-13M10.500 11v5M13.500 11v5",
};

/**
 * Build an SVG element.
 * @template {keyof SVGElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, string | number>} attributes
 * @param {...(Node | string)} children
 */
export function shape(tag, attributes, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}

/**
 * A line icon of 20 px. Screen readers skip it, so its control needs a name.
 * @param {string} name
 */
export function icon(name) {
  return shape(
    "svg",
    { viewBox: "0 0 24 24", class: "gan-icon", "aria-hidden": "true", focusable: "false" },
    shape("path", { d: PATHS[name] ?? "" }),
  );
}

/**
 * Set an element's text only if it changed. Otherwise a screen reader would read it again, and a selection
 * would be lost.
 * @param {Node} element
 * @param {?string} text
 */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * Whether a wheel event is for an element: only while that has the focus, so that page scrolling is never
 * hijacked. A click gives the focus and Escape takes it away. With Ctrl the wheel zooms the page.
 * @param {WheelEvent} event
 * @param {HTMLElement} element
 */
export const wheelMeant = (event, element) => document.activeElement === element && !event.ctrlKey;
