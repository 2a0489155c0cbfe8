// What the browser keeps for the page: for good, or until the tab is closed.

import { GOING, INITIAL } from "./store.js";

export const local = storage("localStorage");
export const session = storage("sessionStorage");
const CHOICES = "glm-tts-choices";
const VOICE = "glm-tts-voice";

/** A browser may refuse it, as it does when it blocks all cookies: then it lasts as long as the page. */
function storage(name) {
  try {
    return window[name] ?? inMemory();
  } catch {
    return inMemory();
  }
}

function inMemory() {
  const items = new Map();
  return {
    getItem: (key) => items.get(key) ?? null,
    setItem: (key, value) => items.set(key, value),
    removeItem: (key) => items.delete(key),
  };
}

/**
 * What the person has written and chosen outlives a reload, and goes with the tab; the voice stays for good. What
 * would be lost by a reload, the browser asks about first. To be called before the parts are mounted that show it.
 */
export function keepChoices(store) {
  const { text, options } = JSON.parse(session.getItem(CHOICES)) ?? INITIAL;
  store.set({ text, voice: local.getItem(VOICE), options: { ...INITIAL.options, ...options } });
  store.on("voice", (voice) => voice && local.setItem(VOICE, voice));
  addEventListener("pagehide", () => {
    const { text, options } = store.get();
    session.setItem(CHOICES, JSON.stringify({ text, options }));
  });
  addEventListener("beforeunload", (event) => {
    const isUnsaved = document.querySelector("dialog .cutting"); // a recording
    if (isUnsaved || GOING.includes(store.get().speaking.state)) event.preventDefault();
  });
}
