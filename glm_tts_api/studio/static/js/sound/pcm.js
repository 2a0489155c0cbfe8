// 16 bit PCM, mono: as it comes over the network, in pieces of any number of bytes; as it is kept; as a WAV file.

const KEPT_LOOSE_BYTES = 2 ** 20;
const HEADER_BYTES = 44; // of a WAV file

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

/** What stands before `nBytes` of samples. */
function wavHeader(nBytes, sampleRate) {
  const view = new DataView(new ArrayBuffer(HEADER_BYTES));
  const word = (at, text) => [...text].forEach((char, i) => view.setUint8(at + i, char.charCodeAt(0)));
  word(0, "RIFF");
  view.setUint32(4, 36 + nBytes, true);
  word(8, "WAVEfmt ");
  view.setUint32(16, 16, true); // bytes of the format that follows
  view.setUint16(20, 1, true); // PCM
  view.setUint16(22, 1, true); // one channel
  view.setUint32(24, sampleRate, true);
  view.setUint32(28, 2 * sampleRate, true); // bytes a second
  view.setUint16(32, 2, true); // bytes a sample
  view.setUint16(34, 16, true); // bits a sample
  word(36, "data");
  view.setUint32(40, nBytes, true);
  return view.buffer;
}

/** The samples of a Blob that `wavBlob` made. */
export const pcmOf = (wav) => wav.slice(HEADER_BYTES);

/** `parts`: Blobs or arrays of little-endian 16 bit samples. */
export function wavBlob(parts, sampleRate) {
  const pcm = new Blob(parts);
  return new Blob([wavHeader(pcm.size, sampleRate), pcm], { type: "audio/wav" });
}
