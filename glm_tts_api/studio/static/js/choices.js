// What the person has written and chosen: it outlives a reload, and goes with the tab. What would be lost by it, the
// browser asks about first.

import { GOING } from "./speak/speaking.js";
import { session } from "./storage.js";
import { INITIAL } from "./store.js";

const KEPT = "glm-tts-choices";

/** To be called before the parts are mounted that show it. */
export function keepChoices(store) {
  const { text, voice, options } = JSON.parse(session.getItem(KEPT)) ?? INITIAL;
  store.set({ text, voice, options: { ...INITIAL.options, ...options } });
  addEventListener("pagehide", () => {
    const { text, voice, options } = store.get();
    session.setItem(KEPT, JSON.stringify({ text, voice, options }));
  });
  addEventListener("beforeunload", (event) => {
    const isUnsaved = document.querySelector("dialog .cutting"); // a recording
    if (isUnsaved || GOING.includes(store.get().speaking.state)) event.preventDefault();
  });
}
