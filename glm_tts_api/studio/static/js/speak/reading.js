// Shows how the text will be read while it is being written: in which segments, and what numbers become.

import { ApiError, readingFields } from "../api.js";
import { debounce, h } from "../dom.js";
import { onLanguage, sayError, t } from "../i18n.js";
import { isBook } from "../store.js";

const TYPING_PAUSE_MS = 250;

export function mountReading(root, { store, api }) {
  let asked = new AbortController();
  let error = null;

  async function ask() {
    asked.abort();
    asked = new AbortController();
    error = null;
    if (!store.get().text.trim() || isBook(store.get())) {
      store.set({ reading: null });
      return show();
    }
    try {
      store.set({ reading: await api.normalize(readingFields(store.get()), asked) });
    } catch (failure) {
      if (!(failure instanceof ApiError)) return; // aborted: the text is another now
      error = failure;
      store.set({ reading: null });
      show();
    }
  }

  function show() {
    const { reading, text } = store.get();
    if (reading && text.trim())
      root.replaceChildren(h("ol", {}, segmentItems(reading)), ...warnings(reading));
    else root.replaceChildren(h("p", { class: "hint" }, error ? sayError(error) : t(emptyWords())));
  }

  const emptyWords = () => (isBook(store.get()) ? "reading.book" : "reading.empty");
  const askSoon = debounce(ask, TYPING_PAUSE_MS);
  store.on("reading", show);
  onLanguage(show);
  for (const key of ["text", "voice", "options", "needsKey", "mayWrite"]) store.on(key, askSoon);
  store.on("health", (health) => error?.passesWith(health) && askSoon());
}

function segmentItems(reading) {
  return reading.segments.map(({ parts, pause, voice, speed }) => {
    const marks = [
      pause > 0 && t("reading.pause", { seconds: pause }),
      voice,
      speed !== 1 && t("reading.speed", { speed }),
    ];
    return h(
      "li",
      {},
      marks.filter(Boolean).map((mark) => h("span", { class: "tag" }, mark)),
      parts.map(partElement),
    );
  });
}

function partElement({ text, written }) {
  if (written === null) return text;
  if (!text) return h("del", { title: t("reading.dropped") }, written);
  return h("span", { class: "change" }, written ? h("span", { class: "written" }, written) : null, text);
}

const warnings = ({ warnings: sentences }) =>
  sentences.map((sentence) => h("p", { class: "hint warning" }, sentence));
