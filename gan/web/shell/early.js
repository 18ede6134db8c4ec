// Runs before Gradio, and sets language and theme, so that nothing is drawn twice.
(() => {
  const remembered = (/** @type {string} */ name) => {
    try {
      return localStorage.getItem(name);
    } catch {
      return null; // some embedded frames forbid storage
    }
  };
  const THEMES = ["light", "dark"];
  const asked = new URLSearchParams(location.search);
  const wanted = asked.get("lang") || remembered("gan_lang") || navigator.language || "en";
  const lang = wanted.toLowerCase().startsWith("zh") ? "zh" : "en";
  const locale = lang === "zh" ? "zh-CN" : "en";
  Object.defineProperty(navigator, "language", { get: () => locale, configurable: true });
  Object.defineProperty(navigator, "languages", { get: () => [locale], configurable: true });
  document.documentElement.lang = locale;

  const dark = matchMedia("(prefers-color-scheme: dark)");
  const root = document.documentElement;
  let chosen = remembered("gan_theme");
  // The reader's choice wins over the address: a page around this one writes its own theme there.
  const apply = (choice = chosen) => {
    chosen = choice;
    const found = [choice, asked.get("__theme")].find((theme) => theme && THEMES.includes(theme));
    root.dataset.theme = found ?? (dark.matches ? "dark" : "light");
    document.body?.classList.toggle("dark", root.dataset.theme === "dark");
  };
  // Gradio sets the class "dark" on the body by the system's theme alone, and again whenever that changes.
  const guard = () => {
    apply();
    new MutationObserver(() => {
      if (document.body.classList.contains("dark") !== (root.dataset.theme === "dark")) apply();
    }).observe(document.body, { attributes: true, attributeFilter: ["class"] });
  };
  apply();
  dark.addEventListener("change", () => apply());
  if (document.body) guard();
  else addEventListener("DOMContentLoaded", guard);
  window.ganEarly = { lang, applyTheme: apply };
})();
