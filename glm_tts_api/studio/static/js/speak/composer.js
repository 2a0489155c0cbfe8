// Where the text is written: how long it is, examples to start with, the keys that speak and stop.

import { byId, h } from "../dom.js";
import { duration, onLanguage, t } from "../i18n.js";

const SAMPLES = ["greeting", "numbers", "mixed"];

export function mountComposer(root, { store, speaking }) {
  const box = byId("text");
  const samples = byId("samples");

  box.addEventListener("input", () => store.set({ text: box.value }));
  root.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) speaking.start();
  });
  addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.isComposing) return; // an input method has keys of its own
    if (!document.querySelector("dialog[open]")) speaking.stop();
  });
  store.on("text", (text) => {
    if (box.value !== text) box.value = text;
  });

  const sampleChip = (name) =>
    h(
      "button",
      { type: "button", class: "chip", on: { click: () => use(t(`sample.${name}.text`)) } },
      t(`sample.${name}`),
    );
  const use = (text) => {
    store.set({ text });
    box.focus();
  };
  onLanguage(() => samples.replaceChildren(...SAMPLES.map(sampleChip)));
  showFacts(store, samples);
}

/** Characters, lane and seconds; examples as long as there is no text. */
function showFacts(store, samples) {
  const facts = byId("text-facts");
  const show = () => {
    const { text, stats, reading, options } = store.get();
    const nChars = Array.from(text).length;
    const threshold = stats?.config.concurrency.threshold;
    const lane = nChars > threshold ? "speak.longLane" : "speak.shortLane";
    const parts = [
      t("speak.chars", { n: nChars }),
      threshold && t(lane),
      reading && t("speak.about", { duration: duration(reading.seconds / options.speed) }),
    ];
    facts.replaceChildren(...parts.filter(Boolean).map((part) => h("span", {}, part)));
    facts.hidden = nChars === 0;
    samples.hidden = nChars > 0;
  };
  for (const key of ["text", "stats", "reading", "options"]) store.on(key, show);
  onLanguage(show);
}
