// Sounds for the tests: float samples at 16 kHz.

export const RATE = 16000;

/** A made voice: a buzz of 150 Hz, as loud as `peak`, that comes and goes four times a second as syllables do. */
export function voice(seconds, peak = 0.5) {
  const samples = new Float32Array(Math.round(seconds * RATE));
  return samples.map((_, i) => {
    const time = i / RATE;
    const syllable = Math.max(0, Math.sin(2 * Math.PI * 4 * time)) ** 0.5;
    return peak * syllable * Math.sin(2 * Math.PI * 150 * time);
  });
}

export const silence = (seconds) => new Float32Array(Math.round(seconds * RATE));

/** The same noise in each run. */
export function noise(samples, peak) {
  let seed = 1;
  return samples.map((x) => {
    seed = (seed * 16807) % 2147483647;
    return x + peak * ((2 * seed) / 2147483647 - 1);
  });
}

export function sequence(...parts) {
  return Float32Array.from(parts.flatMap((part) => [...part]));
}
