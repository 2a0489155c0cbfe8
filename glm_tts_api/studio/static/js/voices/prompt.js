// What is to be read aloud, in either language, and another in its place.

import { h } from "../dom.js";
import { getLanguage, t } from "../i18n.js";
import { textButton } from "./dialog.js";
import { sentence } from "./sentences.js";

export function createPrompt() {
  let language = getLanguage();
  let turn = 0;
  const words = h("p", { class: "prompt-words" });
  const choices = ["zh", "en"].map((code) => {
    const on = { click: () => show(code, turn) };
    return h("button", { type: "button", lang: code, on }, t(`voices.in.${code}`));
  });

  function show(nextLanguage, nextTurn) {
    [language, turn] = [nextLanguage, nextTurn];
    words.textContent = sentence(language, turn);
    words.lang = language;
    for (const choice of choices) choice.setAttribute("aria-pressed", choice.lang === language);
  }

  show(language, turn);
  const head = h(
    "div",
    { class: "prompt-head" },
    h("h3", {}, t("voices.readAloud")),
    h("div", { class: "segmented", role: "group", "aria-label": t("voices.promptLanguage") }, choices),
    textButton("button quiet small", "voices.another", () => show(language, turn + 1)),
  );
  return { element: h("div", { class: "prompt" }, head, words), sentence: () => sentence(language, turn) };
}
