// Seeds: the same text, voice, options and seed give the same sound.

/** Another seed for what is spoken next, unless it is locked. */
export function drawSeed(store) {
  const { options } = store.get();
  if (!options.seedLocked) store.set({ options: { ...options, seed: drawnSeed() } });
}

/** At most six digits: one that a person can say and type. */
export function drawnSeed() {
  return Math.floor(Math.random() * 1_000_000);
}
