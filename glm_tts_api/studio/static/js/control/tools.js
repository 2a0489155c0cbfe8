// The tools under the text: how a word is said, a pause, another voice from here on. Each writes a mark into it
// (docs/pronunciation.md). Positions are those of JavaScript's strings.

import { isSsml } from "../api.js";
import { byId, h } from "../dom.js";
import { getLanguage, needTexts, onLanguage, t } from "../i18n.js";
import { speakersOf } from "../voices/moods.js";

const PAUSE_S = 0.5;
const MARK = /\[\[([^[\]|\n]+)\|([^[\]|\n]*)\]\]/g;
const UNMARKABLE = /[[\]|\n]/;

export function mountTools(root, { store, api }) {
  const text = byId("text");
  let panel = null; // made once it is wanted
  const word = h("button", { type: "button", class: "button small quiet", on: { click: openPanel } });
  const pause = h("button", { type: "button", class: "button small quiet", on: { click: insertPause } });
  const voice = h("select", { class: "small-select", on: { change: changeVoice } });
  root.append(h("div", { class: "tools" }, word, pause, voice));

  /** The word that the caret stands in, or that is selected. */
  function current() {
    return wordAt(text.value, text.selectionStart, text.selectionEnd, getLanguage());
  }

  async function makePanel() {
    const [{ createReadingPanel }] = await Promise.all([import("./reading_panel.js"), needTexts("word")]);
    const made = createReadingPanel({ api, done: () => text.focus() });
    word.setAttribute("aria-controls", made.element.id);
    store.on("text", made.close); // its word may stand elsewhere now
    root.append(made.element);
    return made;
  }

  async function openPanel() {
    panel ??= makePanel();
    (await panel).open(current(), (at, reading) => {
      write(text, at.start, at.end, reading ? readingMark(at.word, reading) : at.word);
    });
  }

  function insertPause() {
    write(text, text.selectionEnd, text.selectionEnd, pauseMark(PAUSE_S));
  }

  function changeVoice() {
    write(text, text.selectionStart, text.selectionStart, voiceMark(voice.value));
    voice.selectedIndex = 0;
  }

  function say() {
    word.textContent = t("control.pronounce");
    pause.textContent = t("control.pause");
    pause.title = t("control.pause.hint", { seconds: PAUSE_S });
    voice.setAttribute("aria-label", t("control.voiceHere.hint"));
    showVoices();
  }

  function showVoices() {
    const names = speakersOf(store.get().voices).map((name) => h("option", { value: name }, name));
    voice.replaceChildren(h("option", { value: "" }, t("control.voiceHere")), ...names);
  }

  onLanguage(say);
  store.on("voices", showVoices);
  // SSML has tags of its own for all of this.
  store.on("text", (words) => (root.hidden = isSsml(words)));
}

/** Puts `mark` in place of that part of the text. */
function write(text, start, end, mark) {
  text.focus();
  text.setSelectionRange(start, end);
  // Obsolete by the letter, but the one way to write that Ctrl-Z takes back.
  document.execCommand("insertText", false, mark);
}

/**
 * The word that a selection means, or the caret in it: `{start, end, word, reading}`, where `start` and `end` hold
 * the whole mark if it has one already. null where there is none.
 */
export function wordAt(text, start, end, language) {
  const mark = [...text.matchAll(MARK)].find((m) => m.index <= start && end <= m.index + m[0].length);
  if (mark) {
    return { start: mark.index, end: mark.index + mark[0].length, word: mark[1], reading: mark[2] };
  }
  const span = start === end ? segmentAt(text, start, language) : trimmed(text, start, end);
  const word = span && text.slice(...span);
  if (!word || UNMARKABLE.test(word)) return null;
  return { start: span[0], end: span[1], word, reading: "" };
}

function segmentAt(text, caret, language) {
  // Its line is enough, and a text may be long.
  const begin = text.lastIndexOf("\n", caret - 1) + 1;
  const line = text.slice(begin).split("\n", 1)[0];
  const words = [...new Intl.Segmenter(language, { granularity: "word" }).segment(line)]
    .filter(({ isWordLike }) => isWordLike)
    .map(({ index, segment }) => [begin + index, begin + index + segment.length]);
  // The caret may stand right behind the word: that is where typing leaves it.
  return words.find(([from, to]) => from <= caret && caret < to) ?? words.find(([, to]) => to === caret);
}

function trimmed(text, start, end) {
  const selected = text.slice(start, end);
  const from = start + selected.length - selected.trimStart().length;
  return [from, from + selected.trim().length];
}

export function readingMark(word, reading) {
  return `[[${word}|${reading.trim()}]]`;
}

function pauseMark(seconds) {
  return `[[pause ${seconds}]]`;
}

function voiceMark(name) {
  return `[[voice ${name}]]`;
}
