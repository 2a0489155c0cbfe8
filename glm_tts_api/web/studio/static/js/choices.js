// What the person has written and chosen: it outlives a reload, and goes with the tab.

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
}
