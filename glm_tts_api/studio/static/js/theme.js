// Light, dark, or as the system has it.

import { byId, icon } from "./dom.js";
import { onLanguage, t } from "./i18n.js";
import { local } from "./storage.js";

const CHOICE = "glm-tts-theme";
const THEMES = { auto: "theme", light: "sun", dark: "moon" };

export function mountTheme(store) {
  const button = byId("theme");
  const show = () => {
    const { theme } = store.get();
    document.documentElement.dataset.theme = theme;
    button.replaceChildren(icon(THEMES[theme]));
    button.title = t(`theme.${theme}`);
    button.setAttribute("aria-label", button.title);
  };
  const chosen = local.getItem(CHOICE);
  store.set({ theme: chosen in THEMES ? chosen : "auto" });
  store.on("theme", show);
  onLanguage(show);
  button.addEventListener("click", () => {
    const names = Object.keys(THEMES);
    const theme = names[(names.indexOf(store.get().theme) + 1) % names.length];
    local.setItem(CHOICE, theme);
    store.set({ theme });
  });
}
