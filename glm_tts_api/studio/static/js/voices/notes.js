// What a card says of its voice beside its words: notes and moods; the search for them; and a sentence to say.

import { h } from "../dom.js";
import { t } from "../i18n.js";
import { inMood, moodsOf, notedOf } from "./moods.js";

const SENTENCES = {
  zh: "你好，很高兴认识你，今天由我来为你朗读。",
  en: "Hello, it is good to meet you. Today I will read to you.",
};

/** A sentence of the voice's language, said by `name`: the voice, or the voice in a mood. */
export async function spoken(api, { language }, name) {
  const text = SENTENCES[language] ?? SENTENCES.zh;
  const fields = { input_text: text, index: name, stream: false, response_format: "wav" };
  return new Response((await api.speak(fields)).body).blob();
}

/** Its language, other attributes and description in the page's words; empty where nobody has noted the others. */
export function notesOf(voice) {
  const known = [...namesOf(voice), voice.description].filter(Boolean);
  return known.length ? [t(`voices.language.${voice.language}`), ...known].join(" · ") : "";
}

const namesOf = (voice) => notedOf(voice).map((note) => t(`voices.${note}.${voice[note]}`));

/** Whether all of `words` stand in its name, notes or moods; an attribute begins with one: "male" is no "female". */
export function isFound(voice, words) {
  const lower = (...texts) => texts.join(" ").toLowerCase();
  const language = t(`voices.language.${voice.language}`);
  const said = lower(voice.index, language, voice.description ?? "", ...moodsOf(voice));
  const isSaid = (word) => said.includes(word) || namesOf(voice).some((name) => lower(name).startsWith(word));
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
