// What the history keeps.

/** The newest takes are kept: so many, with so many bytes of audio, whichever is reached first. */
export const LIMIT = { takes: 50, bytes: 256 * 2 ** 20 };

/** Newest first. */
export function newestFirst(takes) {
  return [...takes].sort((a, b) => b.createdAt - a.createdAt);
}

/** Those of `takes` that go so that the rest is within `limit`; the newest stays, however large it is. */
export function surplus(takes, limit = LIMIT) {
  let bytes = 0;
  const isSurplus = (take, index) => {
    bytes += take.audio.size;
    return index > 0 && (index >= limit.takes || bytes > limit.bytes);
  };
  return newestFirst(takes).filter(isSurplus);
}

/** In which voice a take is made again: the one that is chosen now, or else the next one of the list. */
export function otherVoice(take, chosen, voices) {
  const others = voices.filter((voice) => voice !== take.voice);
  if (others.includes(chosen)) return chosen;
  return others.find((voice) => voices.indexOf(voice) > voices.indexOf(take.voice)) ?? others[0] ?? null;
}
