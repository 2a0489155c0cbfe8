// Joins the parts.

import { createApi } from "./api.js";
import { mountBooks } from "./books/books.js";
import { mountTools } from "./control/tools.js";
import { byId, icon } from "./dom.js";
import { chooseLanguage, getLanguage, onLanguage, preferredLanguage, setLanguage, t } from "./i18n.js";
import { mountSee } from "./see/see.js";
import { mountComposer } from "./speak/composer.js";
import { mountPlayer } from "./speak/player.js";
import { mountReading } from "./speak/reading.js";
import { createSpeaking } from "./speak/speaking.js";
import { keepChoices, local } from "./storage.js";
import { INITIAL, createStore } from "./store.js";
import { mountTakes } from "./takes/list.js";
import { mountSave } from "./takes/more.js";
import { toast } from "./voices/toast.js";
import { mountVoices } from "./voices/voices.js";

const THEME_KEPT = "glm-tts-theme";
const THEMES = { auto: "theme", light: "sun", dark: "moon" };

const store = createStore(INITIAL);
keepChoices(store);
const api = createApi(() => store.get().needsKey || store.set({ needsKey: {} }));

await setLanguage(preferredLanguage());
mountTheme(store);
mountLanguage(byId("language"));

const speaking = createSpeaking({ store, api });
const books = mountBooks(byId("books"), { store, api });
mountComposer(byId("composer"), { store, speaking, books });
mountReading(byId("reading"), { store, api });
mountPlayer(byId("player"), { store });
mountSee({ store, api });
mountVoices(byId("voice-cards"), { store, api });
byId("options").addEventListener("toggle", async () => {
  (await import("./control/options.js")).mountOptions(byId("options-body"), { store });
});
mountTools(byId("text-tools"), { store, api });
store.on("health", (health) => {
  if (health?.recogniser) import("./control/hearing.js").then((part) => part.mountHearing({ store, api }));
});
mountSave(byId("take-actions"), { store, api });
mountTakes(byId("take-list"), { store, api, speaking });

document.body.dataset.ready = "";

// Parts that are loaded with the first press of their button, from a server that may be gone by then.
addEventListener("unhandledrejection", ({ reason }) => {
  if (/imported module/.test(reason?.message)) toast(t("error.page"));
});

/** The button has the other language's name, in that language. */
function mountLanguage(button) {
  const other = () => (getLanguage() === "en" ? "zh" : "en");
  onLanguage(() => {
    button.textContent = t("page.other");
    button.lang = other();
  });
  button.addEventListener("click", () => chooseLanguage(other()));
}

/** Light, dark, or as the system has it: each press goes to the next. */
function mountTheme(store) {
  const button = byId("theme");
  const show = () => {
    const { theme } = store.get();
    document.documentElement.dataset.theme = theme;
    button.replaceChildren(icon(THEMES[theme]));
    button.title = t(`theme.${theme}`);
    button.setAttribute("aria-label", button.title);
  };
  const chosen = local.getItem(THEME_KEPT);
  store.set({ theme: chosen in THEMES ? chosen : "auto" });
  store.on("theme", show);
  onLanguage(show);
  button.addEventListener("click", () => {
    const names = Object.keys(THEMES);
    const theme = names[(names.indexOf(store.get().theme) + 1) % names.length];
    local.setItem(THEME_KEPT, theme);
    store.set({ theme });
  });
}
