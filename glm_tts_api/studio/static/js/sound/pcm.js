// 16 bit PCM as it comes over the network: in pieces of any number of bytes.

const KEPT_LOOSE_BYTES = 2 ** 20;

/** Makes samples of bytes; a sample that is cut in two waits for its other half. */
export function createPcmReader() {
  let half = null;
  return function samplesOf(bytes) {
    const nBytes = bytes.length + (half === null ? 0 : 1);
    const whole = new Uint8Array(nBytes - (nBytes % 2));
    const others = bytes.subarray(0, bytes.length - (nBytes % 2));
    whole.set(others, whole.length - others.length);
    if (half !== null && whole.length) whole[0] = half;
    if (nBytes % 2) half = bytes.length ? bytes[bytes.length - 1] : half;
    else half = null;
    return new Int16Array(whole.buffer); // little-endian, as every machine with a browser is
  };
}

/** Keeps samples for later. Blobs need not stay in memory, so that an hour of speech is no burden. */
export function createRecording(sampleRate) {
  const parts = [];
  let loose = [];
  let nLooseBytes = 0;
  let nSamples = 0;

  return {
    add(samples) {
      loose.push(samples);
      nSamples += samples.length;
      nLooseBytes += samples.byteLength;
      if (nLooseBytes < KEPT_LOOSE_BYTES) return;
      parts.push(new Blob(loose));
      loose = [];
      nLooseBytes = 0;
    },
    parts: () => [...parts, ...loose],
    seconds: () => nSamples / sampleRate,
  };
}
