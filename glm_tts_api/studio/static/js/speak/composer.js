// Where the text is written: how long it is, examples to start with, the button and the keys that speak and stop, and
// how far it is.

import { announce, byId, h, icon } from "../dom.js";
import { duration, onLanguage, sayError, t } from "../i18n.js";
import { GOING, isBook } from "../store.js";

const SAMPLES = ["greeting", "numbers", "mixed"];

export function mountComposer(root, { store, speaking, books }) {
  const box = byId("text");
  const samples = byId("samples");

  box.addEventListener("input", () => store.set({ text: box.value }));
  const start = () => (isBook(store.get()) ? books.begin() : speaking.start());
  root.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) start();
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
  mountProgress({ store, start, stop: speaking.stop });
}

/** Characters and seconds; examples as long as there is no text. */
function showFacts(store, samples) {
  const facts = byId("text-facts");
  const show = () => {
    const { text, reading, options } = store.get();
    const nChars = Array.from(text).length;
    const parts = [
      t("speak.chars", { n: nChars }),
      reading &&
        t("speak.about", { duration: duration(options.duration || reading.seconds / options.speed) }),
    ];
    facts.replaceChildren(...parts.filter(Boolean).map((part) => h("span", {}, part)));
    facts.hidden = nChars === 0;
    samples.hidden = nChars > 0;
  };
  for (const key of ["text", "reading", "options"]) store.on(key, show);
  onLanguage(show);
}

/** The button, and the line beside it that says how far it is. */
function mountProgress({ store, start, stop }) {
  const button = byId("speak");
  const line = byId("progress");
  const notice = byId("speak-error");
  let said = "";

  const show = () => {
    const { speaking: now, text, voice } = store.get();
    const isGoing = GOING.includes(now.state);
    const words = isBook(store.get()) ? "speak.book" : "speak.button";
    button.replaceChildren(icon(isGoing ? "stop" : "play"), t(isGoing ? "speak.stop" : words));
    if (!isGoing) button.append(h("kbd", {}, isMac() ? "⌘↵" : "Ctrl ↵"));
    button.classList.toggle("primary", !isGoing);
    button.disabled = !isGoing && (!text.trim() || !voice);
    line.textContent = progressWords(now);
    line.classList.toggle("is-going", isGoing);
    notice.hidden = now.state !== "failed";
    notice.textContent = now.state === "failed" ? sayError(now.error) : "";
    tell(now);
  };

  /** A listener is told of each new state, not of each second. */
  function tell(now) {
    const words = now.retryInS ? sayError(now.error) : now.state === "failed" ? "" : progressWords(now);
    const news = `${now.state} ${now.place} ${now.segment} ${Boolean(now.retryInS)}`;
    if (news !== said && words) announce(words);
    said = news;
  }

  button.addEventListener("click", () => (GOING.includes(store.get().speaking.state) ? stop() : start()));
  for (const key of ["speaking", "text", "voice", "mayWrite"]) store.on(key, show);
  onLanguage(show);
}

function progressWords({ state, error, retryInS, place, segment, segments, seconds, firstSoundS }) {
  switch (state) {
    case "waiting":
      if (retryInS) return `${sayError(error)} ${t("progress.retry", { n: retryInS })}`;
      if (place) return t("progress.inLine", { n: place });
      return segments ? t("progress.segment", { segment, segments }) : t("progress.starting");
    case "speaking":
      return segments ? t("progress.segment", { segment, segments }) : t("progress.speaking");
    case "done":
      return t("progress.done", { duration: duration(seconds, 1), first: duration(firstSoundS, 1) });
    case "stopped":
      return t("progress.stopped");
    default:
      return "";
  }
}

const isMac = () => /Mac|iPhone|iPad/.test(navigator.platform);
