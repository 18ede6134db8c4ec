// Runs first, in old JavaScript. In a browser that lacks a needed feature, it shows a message in place of an
// empty page. Features that the page can do without are not checked: OffscreenCanvas, workers, WebAssembly,
// :has() in styles.
(function () {
  var NEEDED = [
    "Promise",
    "fetch",
    "customElements",
    "ResizeObserver",
    "IntersectionObserver",
    "AbortController",
    "PointerEvent",
    "createImageBitmap",
    "structuredClone",
    "Array.prototype.at",
    "Array.prototype.findLast",
    "Array.prototype.findLastIndex",
    "Object.hasOwn",
    "String.prototype.replaceAll",
    "Element.prototype.replaceChildren",
    "Blob.prototype.arrayBuffer",
    "Intl.RelativeTimeFormat",
  ];
  var SYNTAX =
    "class A { #a = 1; #b() { return this?.c ?? (this.d ??= this.#a); } }; async () => { for await (const x of y) {} }; /(?<!a)b/u";
  var TEXT = {
    en: "This page needs a newer browser: Chrome or Edge 98, Firefox 104, Safari 16.4, or later. This one lacks: ",
    zh: "此页面需要较新的浏览器：Chrome 或 Edge 98、Firefox 104、Safari 16.4 或更高版本。当前浏览器缺少：",
  };
  var script = document.currentScript;
  // Features that an exported page needs too. Its policy forbids new functions, so its syntax is not checked.
  var more = (script && script.getAttribute("data-more")) || "";
  var said = false;

  /** @param {string} path */
  function has(path) {
    /** @type {any} */
    var at = window;
    var parts = path.split(".");
    for (var place = 0; place < parts.length; place += 1) {
      at = at[parts[place]];
      if (!at) return false;
    }
    return true;
  }

  function understands() {
    if (!script || !("noModule" in script)) return false;
    try {
      new Function(SYNTAX);
      return true;
    } catch (error) {
      return !(error instanceof SyntaxError); // a policy forbids new functions, so the syntax stays unchecked
    }
  }

  /** @returns {Lang} */
  function language() {
    /** @type {?string} */
    var lang = (/[?&]lang=([^&]*)/.exec(location.search) || [])[1];
    try {
      lang = lang || localStorage.getItem("gan_lang");
    } catch (error) {
      // some embedded frames forbid storage
    }
    return (lang || navigator.language || "en").toLowerCase().indexOf("zh") === 0 ? "zh" : "en";
  }

  /** @param {string} missing */
  function say(missing) {
    if (said) return;
    said = true;
    var lang = language();
    var note = document.createElement("p");
    note.id = "gan-old";
    note.lang = lang === "zh" ? "zh-CN" : "en";
    note.setAttribute("role", "alert");
    note.style.cssText =
      "position: relative; z-index: 1000; margin: 0; padding: 16px 24px; background: #fff3c4; color: #1f1a00; font: 16px/1.5 sans-serif";
    note.appendChild(document.createTextNode(TEXT[lang] + missing + (lang === "zh" ? "。" : ".")));
    function show() {
      document.body.insertBefore(note, document.body.firstChild);
    }
    if (document.body) show();
    else document.addEventListener("DOMContentLoaded", show);
  }

  var missing = [];
  var wanted = NEEDED.concat(more ? more.split(" ") : []);
  for (var place = 0; place < wanted.length; place += 1) {
    if (!has(wanted[place])) missing.push(wanted[place]);
  }
  if (!more && !understands()) missing.push("JavaScript 2022");
  if (missing.length) say(missing.join(", "));
  // Errors before the page is ready also mean an old browser: a script that it can't parse, or an unknown
  // name.
  window.addEventListener("error", function (event) {
    var error = event.error;
    var old =
      error &&
      (error.name === "SyntaxError" ||
        error.name === "ReferenceError" ||
        /is not a (function|constructor)|undefined is not/.test(error.message));
    if (old && document.documentElement.getAttribute("data-gan") !== "ready")
      say(String(error.message).slice(0, 120));
  });
})();
