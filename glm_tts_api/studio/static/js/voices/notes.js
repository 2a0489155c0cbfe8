// What a card says of its voice beside its words: notes and moods; the search for them; and a sentence to say.

import { h } from "../dom.js";
import { t } from "../i18n.js";
import { inMood, moodsOf } from "./moods.js";

const SENTENCES = {
  zh: "你好，很高兴认识你，今天由我来为你朗读。",
  en: "Hello, it is good to meet you. Today I will read to you.",
};

/** A sentence of the voice's language, said by `name`: the voice, or the voice in a mood. */
export async function spoken(api, { language }, name) {
  const text = language === "en" ? SENTENCES.en : SENTENCES.zh;
  const fields = { input_text: text, index: name, stream: false, response_format: "wav" };
  return new Response((await api.speak(fields)).body).blob();
}

/** Its language, gender and description in the page's words; empty where nobody has noted the last two. */
export function notesOf({ language, gender, description }) {
  const known = [gender && t(`voices.gender.${gender}`), description].filter(Boolean);
  return known.length ? [t(`voices.language.${language}`), ...known].join(" · ") : "";
}

/** Whether all of `words` stand in its name, notes or moods; its gender begins with one: "male" is no "female". */
export function isFound(voice, words) {
  const { index, language, gender, description } = voice;
  const lower = (...texts) => texts.join(" ").toLowerCase();
  const said = lower(index, t(`voices.language.${language}`), description ?? "", ...moodsOf(voice));
  const isSaid = (word) =>
    said.includes(word) || (gender && lower(t(`voices.gender.${gender}`)).startsWith(word));
  return lower(words).split(/\s+/).every(isSaid);
}

/** The voice's moods to choose from; null where it has none. */
export function moodRow(voice, onChoose) {
  const { index } = voice;
  if (!moodsOf(voice).length) return null;
  const buttons = ["", ...moodsOf(voice)].map((mood) => {
    const speaker = inMood(index, mood);
    const on = { click: () => onChoose(speaker) };
    return h("button", { type: "button", "data-speaker": speaker, on }, mood || t("voices.plain"));
  });
  const named = { role: "group", "aria-label": t("voices.moodsOf", { index }) };
  return h("div", { class: "voice-moods segmented", ...named }, buttons);
}
