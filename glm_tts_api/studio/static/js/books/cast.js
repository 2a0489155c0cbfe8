// Who speaks which lines of a book: the names that lines of the text begin with, and a voice for each.

import { debounce, h } from "../dom.js";
import { onLanguage, t } from "../i18n.js";
import { isBook } from "../store.js";
import { speakersOf } from "../voices/moods.js";

const LINE =
  /^\s*([^：:（(\n，。！？,.!?“”"#*-]{1,20}?)\s*(?:[（(][^（()）\n]{0,60}[)）]\s*)?[：:](?!\/\/)/gmu;
const LEAST_LINES = 2; // one line with a colon is no role
const MOST_NAMES = 12;
const TYPING_PAUSE_MS = 250;

/** The names that begin two lines or more of the text, in their order. */
export function namesIn(text) {
  const lines = new Map();
  for (const [, name] of text.matchAll(LINE)) {
    if (/\p{L}/u.test(name)) lines.set(name, (lines.get(name) ?? 0) + 1);
  }
  const names = [...lines].filter(([, n]) => n >= LEAST_LINES).map(([name]) => name);
  return names.slice(0, MOST_NAMES);
}

/** A voice to choose beside each name, while the text is a book's. Returns how to ask what is chosen. */
export function createCast(root, { store }) {
  const chosen = new Map(); // name -> voice; it stays for a name that goes and comes again
  const title = h("legend", { class: "hint" });
  const fields = h("div", { class: "cast-names" });
  root.append(h("fieldset", { class: "cast" }, title, fields));
  let names = [];

  function find() {
    const { text } = store.get();
    const found = isBook(store.get()) ? namesIn(text) : [];
    if (found.join("\n") === names.join("\n")) return;
    names = found;
    show();
  }

  function show() {
    const voices = speakersOf(store.get().voices);
    root.hidden = names.length === 0;
    title.textContent = t("books.cast");
    fields.replaceChildren(...names.map((name) => field(name, voices)));
  }

  function field(name, voices) {
    const option = (voice) =>
      h("option", { value: voice, selected: chosen.get(name) === voice }, voice || t("books.noRole"));
    const on = { change: ({ target }) => chosen.set(name, target.value) };
    return h("label", { class: "field" }, name, h("select", { on }, ["", ...voices].map(option)));
  }

  const findSoon = debounce(find, TYPING_PAUSE_MS);
  store.on("text", findSoon);
  store.on("mayWrite", findSoon);
  store.on("voices", show);
  onLanguage(show);

  /** { name: voice }, or null where no name has one. */
  return () => {
    const { text, voices } = store.get();
    const there = new Set(speakersOf(voices));
    const cast = namesIn(text)
      .map((name) => [name, chosen.get(name)])
      .filter(([, voice]) => there.has(voice));
    return cast.length ? Object.fromEntries(cast) : null;
  };
}
