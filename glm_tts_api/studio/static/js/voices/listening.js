// Plays recordings, one at a time.

let current = null;

/** Plays `blob` in place of whatever is playing here. `onTime` gets the seconds as they pass; `onEnd` comes once. */
export function listen(blob, { onTime = () => {}, onEnd = () => {} } = {}) {
  hush();
  const url = URL.createObjectURL(blob);
  const audio = new Audio(url);
  const playing = { stop };
  current = playing;
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
    audio.pause();
    URL.revokeObjectURL(url);
    onEnd();
  }
}

/** `other`, which has a `stop()`, plays from now on in place of whatever is playing here. */
export function hushFor(other) {
  if (current !== other) hush();
  current = other;
}

export function hush() {
  current?.stop();
}

/** How long a recording lasts; null if the browser cannot tell. */
export async function secondsOf(blob) {
  const url = URL.createObjectURL(blob);
  const audio = new Audio();
  audio.preload = "metadata";
  try {
    await new Promise((resolve, reject) => {
      audio.addEventListener("loadedmetadata", resolve);
      audio.addEventListener("error", reject);
      audio.src = url;
    });
    return Number.isFinite(audio.duration) ? audio.duration : null;
  } catch {
    return null;
  } finally {
    URL.revokeObjectURL(url);
  }
}
