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

/** Those of a file of subtitles; WebVTT and ASS have a place for them. */
export function speakersIn(subtitles) {
  const places = subtitles.matchAll(/<v(?:\.[^ >]*)? +([^>]+)>|^Dialogue:(?:[^,\n]*,){4}([^,\n]*),/gm);
  const placed = new Set([...places].map(([, vtt, ass]) => (vtt ?? ass).trim()).filter(Boolean));
  if (placed.size || /^Dialogue:/m.test(subtitles)) return [...placed].slice(0, MOST_NAMES);
  return namesIn(subtitles.replace(/^\s*[-–—]\s*/gm, ""));
}

/** A voice to choose beside each name, which goes into `chosen`. */
export function rolesOf(names, voices, chosen) {
  const option = (name) => (voice) =>
    h("option", { value: voice, selected: chosen.get(name) === voice }, voice || t("books.noRole"));
  const field = (name) => {
    const on = { change: ({ target }) => chosen.set(name, target.value) };
    const options = ["", ...speakersOf(voices)].map(option(name));
    return h("label", { class: "field" }, name, h("select", { on }, options));
  };
  const fields = h("div", { class: "cast-names" }, names.map(field));
  return h("fieldset", { class: "cast" }, h("legend", { class: "hint" }, t("books.cast")), fields);
}

/** { name: voice } as JSON, or null where no name has one. */
export function castOf(names, voices, chosen) {
  const there = new Set(speakersOf(voices));
  const cast = names.map((name) => [name, chosen.get(name)]).filter(([, voice]) => there.has(voice));
  return cast.length ? JSON.stringify(Object.fromEntries(cast)) : null;
}

/** The same beside each name in the text, while it is a book's. Returns how to ask what is chosen. */
export function createCast(root, { store }) {
  const chosen = new Map(); // name -> voice; it stays for a name that goes and comes again
  let names = [];

  function find() {
    const { text } = store.get();
    const found = isBook(store.get()) ? namesIn(text) : [];
    if (found.join("\n") === names.join("\n")) return;
    names = found;
    show();
  }

  function show() {
    root.hidden = names.length === 0;
    root.replaceChildren(rolesOf(names, store.get().voices, chosen));
  }

  const findSoon = debounce(find, TYPING_PAUSE_MS);
  store.on("text", findSoon);
  store.on("mayWrite", findSoon);
  store.on("voices", show);
  onLanguage(show);

  return () => castOf(namesIn(store.get().text), store.get().voices, chosen);
}
