// WAV files of 16 bit PCM, mono.

/** The 44 bytes before `nBytes` of samples. */
export function wavHeader(nBytes, sampleRate) {
  const view = new DataView(new ArrayBuffer(44));
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

const HEADER_BYTES = 44;

/** The samples of a Blob that `wavBlob` made. */
export const pcmOf = (wav) => wav.slice(HEADER_BYTES);

/** `parts`: Blobs or arrays of little-endian 16 bit samples. */
export function wavBlob(parts, sampleRate) {
  const pcm = new Blob(parts);
  return new Blob([wavHeader(pcm.size, sampleRate), pcm], { type: "audio/wav" });
}
