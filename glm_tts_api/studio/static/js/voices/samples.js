// Samples from one shape into another. Pure.

const SILENT = 1e-3; // as the server sees it: below is hum, not a voice

/** One channel of several: the mean of those that are not silent. */
export function mixed(channels) {
  const heard = channels.filter((channel) => channel.some((x) => Math.abs(x) >= SILENT));
  if (heard.length < 2) return heard[0] ?? channels[0];
  return Float32Array.from(
    heard[0],
    (_, i) => heard.reduce((sum, channel) => sum + channel[i], 0) / heard.length,
  );
}

/** The blocks of a recording, end to end. */
export function joined(blocks) {
  const whole = new Float32Array(blocks.reduce((total, block) => total + block.length, 0));
  let at = 0;
  for (const block of blocks) {
    whole.set(block, at);
    at += block.length;
  }
  return whole;
}

/** What lies between two times, in seconds. */
export function cut({ samples, sampleRate }, from, to) {
  return {
    samples: samples.subarray(Math.round(from * sampleRate), Math.round(to * sampleRate)),
    sampleRate,
  };
}

/** Float samples as bytes of s16le; what is too loud is clipped. */
export function toPcm16(samples) {
  const view = new DataView(new ArrayBuffer(samples.length * 2));
  samples.forEach((x, i) => view.setInt16(i * 2, Math.round(Math.min(1, Math.max(-1, x)) * 32767), true));
  return new Uint8Array(view.buffer);
}
