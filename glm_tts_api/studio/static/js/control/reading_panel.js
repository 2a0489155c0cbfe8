// Where a word's reading is typed: an English word as it sounds, a Chinese word as pinyin, which can also be put together
// from the readings that the server knows.

import { h } from "../dom.js";
import { onLanguage, t } from "../i18n.js";

/** @param done called when the person has left the panel */
export function createReadingPanel({ api, done }) {
  const title = h("p", { class: "panel-title" });
  const known = h("div", { class: "readings" });
  const input = h("input", { class: "input", id: "pinyin", autocomplete: "off", spellcheck: false });
  const label = h("label", { htmlFor: input.id, class: "visually-hidden" });
  const apply = h("button", { type: "submit", class: "button small primary" });
  const remove = h("button", { type: "button", class: "button small", on: { click: () => finish("") } });
  const cancel = h("button", { type: "button", class: "button small quiet", on: { click: leave } });
  const field = h("div", { class: "panel-row" }, label, input, apply, remove, cancel);
  const element = h("form", { id: "reading-panel", class: "panel", hidden: true }, title, known, field);
  let at = null; // see wordAt
  let write; // what to do with the reading
  let syllables; // what is chosen of each character's readings

  element.addEventListener("submit", (event) => {
    event.preventDefault();
    finish(input.value.trim());
  });
  element.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.isComposing) return;
    event.stopPropagation(); // it would stop what is being spoken
    leave();
  });
  onLanguage(say);

  function say() {
    label.textContent = t("control.pinyin");
    const isChinese = !at || /\p{Script=Han}/u.test(at.word);
    input.placeholder = isChinese ? t("control.pinyin.example") : "";
    apply.textContent = t("control.apply");
    remove.textContent = t("control.unmark");
    cancel.textContent = t("control.cancel");
    const question = isChinese ? "control.wordIsSaid" : "control.englishIsSaid";
    title.textContent = at ? t(question, { word: at.word }) : t("control.noWord");
  }

  function open(word, writer) {
    at = word;
    write = writer;
    element.hidden = false;
    field.hidden = !at;
    known.replaceChildren();
    say();
    if (!at) return;
    remove.hidden = !at.reading;
    input.value = at.reading;
    input.focus();
    offer(word);
  }

  /** A word that the dictionary does not know, or a server that does not answer: there is the field to type in. */
  async function offer(word) {
    const characters = await api.readings(word.word).catch(() => []);
    if (at !== word) return; // another was opened meanwhile
    syllables = characters.map(({ readings }) => readings[0]);
    if (!syllables.every(Boolean)) return;
    if (!input.value) fill();
    known.replaceChildren(...characters.map(choice));
  }

  /** A character's readings as buttons; one that has a single reading is no choice, and shown all the same. */
  function choice({ character, readings }, index) {
    const buttons = readings.map((reading) =>
      h(
        "button",
        { type: "button", "aria-pressed": reading === syllables[index], on: { click: pick } },
        reading,
      ),
    );
    function pick({ currentTarget }) {
      syllables[index] = currentTarget.textContent;
      buttons.forEach((button) => button.setAttribute("aria-pressed", button === currentTarget));
      fill();
    }
    const name = h("span", { class: "character" }, character);
    return h("div", { class: "segmented", role: "group", "aria-label": character }, name, buttons);
  }

  function fill() {
    input.value = syllables.join(" ");
  }

  function finish(reading) {
    if (!reading && !at.reading) return input.focus();
    const [word, writer] = [at, write];
    leave();
    writer(word, reading);
  }

  function leave() {
    close();
    done();
  }

  function close() {
    at = null;
    element.hidden = true;
  }

  return { element, open, close };
}
