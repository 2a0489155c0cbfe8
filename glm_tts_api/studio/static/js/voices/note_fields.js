// The notes about a voice as fields: language, gender, description, consent.

import { h } from "../dom.js";
import { t } from "../i18n.js";
import { CHOICES } from "./moods.js";

const MOST_NOTE = 500; // characters, as the server takes them

/** `voice`: what is noted by now. `changed()`: the notes that the person has changed, as the server takes them. */
export function createNoteFields(voice, { mayWrite = true } = {}) {
  const input = (value) => h("input", { maxLength: MOST_NOTE, readOnly: !mayWrite, value });
  const texts = ["description", "consent"].map((note) => [note, input(voice[note] ?? "")]);
  const choices = Object.entries(CHOICES)
    .filter(([note]) => voice[note] || note !== "language")
    .map(([note, values]) => {
      const chosen = voice[note] ?? "none";
      const option = (value) =>
        h("option", { value, selected: value === chosen }, t(`voices.${note}.${value}`));
      const all = values.includes(chosen) ? values : [chosen, ...values];
      return [note, h("select", { disabled: !mayWrite }, all.map(option))];
    });
  const fields = [...choices, ...texts];
  const first = new Map(fields.map(([note, field]) => [note, field.value]));

  function changed() {
    const others = fields.filter(([note, field]) => field.value !== first.get(note));
    return Object.fromEntries(others.map(([note, field]) => [note, field.value.trim() || " "])); // blank: it goes
  }

  const label = ([note, field]) => h("label", { class: "field" }, t(`voices.${note}`), field);
  return { element: h("div", { class: "voice-notes" }, fields.map(label)), changed };
}
