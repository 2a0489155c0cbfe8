// The question that comes before a file becomes a book: its title and its voice.

import { h } from "../dom.js";
import { t } from "../i18n.js";
import { ask, foot, textButton } from "../voices/dialog.js";
import { speakersOf } from "../voices/moods.js";

/** `title` and `voice` are proposals. The promise has `{ title, voice }`, or null if the person left. */
export function askAbout(file, { title, voice, voices }) {
  const titleField = h("input", { class: "input", value: title, placeholder: t("books.ask.ownTitle") });
  const options = speakersOf(voices).map((name) => h("option", { value: name }, name));
  const voiceField = h("select", { class: "input" }, options);
  voiceField.value = voice;
  return ask(t("books.ask", { file: file.name }), (answer) => [
    h("label", { class: "field" }, t("books.ask.title"), titleField),
    h("label", { class: "field" }, t("books.ask.voice"), voiceField),
    ...(/\.srt$/i.test(file.name) ? [h("p", { class: "hint" }, t("books.ask.srt"))] : []),
    foot(
      null,
      textButton("button quiet", "books.ask.leave", () => answer(null)),
      textButton("button primary", "books.ask.make", () =>
        answer({ title: titleField.value.trim(), voice: voiceField.value }),
      ),
    ),
  ]);
}
