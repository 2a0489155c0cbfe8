// Float samples in [-1, 1]: from one shape into another, and how loud they are. Knows no page.

const SILENT = 1e-3; // as the server sees it: below is hum, not a voice
const FRAME_S = 0.02;
const FLOOR_DB = -90;
const METER_FLOOR_DB = -60;
const MIN_SPEECH_FRAMES = 3; // a click is shorter
const ABOVE_NOISE_DB = 9;
const BELOW_SPEECH_DB = 32;

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

const toDb = (amplitude) => Math.max(FLOOR_DB, 20 * Math.log10(amplitude || 1e-9));

/** The root mean square of `samples` in dB below full scale, without their mean: a constant is no sound. */
export function rmsDb(samples) {
  let sum = 0;
  let squares = 0;
  for (const x of samples) {
    sum += x;
    squares += x * x;
  }
  const mean = sum / (samples.length || 1);
  return toDb(Math.sqrt(Math.max(0, squares / (samples.length || 1) - mean * mean)));
}

/** The largest magnitude in `samples`. */
export function peakOf(samples) {
  let peak = 0;
  for (const x of samples) peak = Math.max(peak, Math.abs(x));
  return peak;
}

/** Where a meter stands that shows `db`: 0 is silence, 1 full scale. */
export function meterOf(db) {
  return Math.min(1, Math.max(0, 1 - db / METER_FLOOR_DB));
}

/** The level of each 20 ms of `samples`, in dB. */
export function frameLevels(samples, sampleRate) {
  const size = Math.round(sampleRate * FRAME_S);
  const count = Math.floor(samples.length / size);
  return Float32Array.from({ length: count }, (_, i) => rmsDb(samples.subarray(i * size, (i + 1) * size)));
}

/** The level that a `share` of the frames lies below. */
function percentile(levels, share) {
  if (!levels.length) return FLOOR_DB;
  const sorted = Float32Array.from(levels).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
}

/** The level of the voice and of what is heard between its words, in dB. */
export function voiceAndNoise(levels) {
  return { voiceDb: percentile(levels, 0.9), noiseDb: percentile(levels, 0.05) };
}

/** The stretches of voice as [from, to) in seconds, in order; short gaps between words are gaps. */
export function speechSpans(levels) {
  const { voiceDb, noiseDb } = voiceAndNoise(levels);
  const isEven = voiceDb - noiseDb < ABOVE_NOISE_DB; // voice throughout, or noise: no pause to be found
  const threshold = isEven ? noiseDb : Math.max(noiseDb + ABOVE_NOISE_DB, voiceDb - BELOW_SPEECH_DB);
  const spans = [];
  let since = -1;
  for (let i = 0; i <= levels.length; i++) {
    const isVoice = i < levels.length && levels[i] >= threshold;
    if (isVoice && since < 0) since = i;
    if (isVoice || since < 0) continue;
    if (i - since >= MIN_SPEECH_FRAMES) spans.push([since * FRAME_S, i * FRAME_S]);
    since = -1;
  }
  return spans;
}
