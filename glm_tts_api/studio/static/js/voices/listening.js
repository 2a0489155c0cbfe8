// Plays recordings, one at a time.

let current = null;

/** A player that was pressed: a phone lets it play, also if its sound comes long after the press. */
export function pressed() {
  const audio = new Audio();
  audio.play().catch(() => {}); // nothing is there yet
  return audio;
}

/** Plays `blob` alone. `onTime` gets the seconds as they pass; `onEnd` comes once. `audio`: of `pressed`. */
export function listen(blob, { onTime = () => {}, onEnd = () => {}, audio = new Audio() } = {}) {
  hush();
  const url = (audio.src = URL.createObjectURL(blob));
  const playing = (current = { stop });
  let frame = requestAnimationFrame(tick);
  audio.addEventListener("ended", stop);
  audio.addEventListener("error", stop);
  audio.play().catch(stop);

  function tick() {
    onTime(audio.currentTime);
    frame = requestAnimationFrame(tick);
  }

  function stop() {
    if (current !== playing) return;
    current = null;
    cancelAnimationFrame(frame);
    leave(audio, url);
    onEnd();
  }
}

/** `other`, which has a `stop()`, plays from now on in place of whatever is playing here. */
export function hushFor(other) {
  if (current !== other) hush();
  current = other;
}

export const hush = () => current?.stop();

/** How long a recording lasts; null if the browser cannot tell. */
export async function secondsOf(blob) {
  const url = URL.createObjectURL(blob);
  const audio = new Audio();
  const known = new Promise((resolve) => (audio.onloadedmetadata = audio.onerror = resolve));
  audio.src = url;
  await known;
  const { duration } = audio;
  leave(audio, url);
  return Number.isFinite(duration) ? duration : null;
}

/** Lets go of a recording. The player goes first: a slow machine still loads what it is about to play. */
function leave(audio, url) {
  audio.removeAttribute("src");
  audio.load();
  URL.revokeObjectURL(url);
}
