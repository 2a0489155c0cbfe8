// The question that comes before a file becomes a book: its title and voice; of subtitles, also whether they keep their
// times, and the voices of their speakers.

import { h } from "../dom.js";
import { t } from "../i18n.js";
import { ask, foot, textButton } from "../voices/dialog.js";
import { speakersOf } from "../voices/moods.js";
import { castOf, rolesOf, speakersIn } from "./cast.js";

/** `title` and `voice` are proposals. The promise has { title, voice, timing, cast }, or null if the person left. */
export async function askAbout(file, { title, voice, voices }) {
  const hasTimes = /\.(srt|vtt|ass)$/i.test(file.name);
  const speakers = hasTimes ? speakersIn(await file.text()) : [];
  const titleField = h("input", { class: "input", value: title, placeholder: t("books.ask.ownTitle") });
  const options = speakersOf(voices).map((name) => h("option", { value: name }, name));
  const voiceField = h("select", { class: "input" }, options);
  voiceField.value = voice;
  const exact = h("input", { type: "checkbox", on: { change: () => say() } });
  const hint = h("p", { class: "hint" });
  const say = () => (hint.textContent = t(exact.checked ? "books.ask.exact.hint" : "books.ask.srt"));
  say();
  const cast = new Map();
  return ask(t("books.ask", { file: file.name }), (answer) => [
    h("label", { class: "field" }, t("books.ask.title"), titleField),
    h("label", { class: "field" }, t("voices.title"), voiceField),
    ...(hasTimes ? [h("label", { class: "panel-row" }, exact, t("books.ask.exact")), hint] : []),
    ...(speakers.length ? [rolesOf(speakers, voices, cast)] : []),
    foot(
      null,
      textButton("button quiet", "books.ask.leave", () => answer(null)),
      textButton("button primary", "books.ask.make", () =>
        answer({
          title: titleField.value.trim(),
          voice: voiceField.value,
          timing: exact.checked && "exact",
          cast: castOf(speakers, voices, cast),
        }),
      ),
    ),
  ]);
}
