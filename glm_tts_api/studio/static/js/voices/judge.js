// What is wrong with a recording that is to be a voice. Pure; the words for it are in texts/, by these codes.

import { frameLevels, peakOf, speechSpans, voiceAndNoise } from "./samples.js";

/** What the server takes, in seconds, unless it was told otherwise. */
export const LIMITS = { least: 1, most: 30 };
const GOOD = { least: 3, most: 12 };
const CLIPPED = 0.985;
const CLIPPED_RUN = 3; // a peak alone may touch full scale
const SILENT_PEAK = 1e-3;
const QUIET_DB = -38;
const NOISE_GAP_DB = 15; // voice this much above the noise between words
const NOISE_UNHEARD_DB = -60;
const EDGE_S = 0.6;
const AIR_S = 0.2;
const PAUSE_S = 1.2;
const BREATH_S = 0.5; // a longer gap is no part of the speech
const PACE = { least: 1.5, most: 9 }; // syllables a second of speech; a reader says 3 to 6

/**
 * The findings on `samples` as they are to be saved with `transcript`, worst first:
 * {code, isBad, values}. `isBad`: the server would not take it, or it would be of no use.
 */
export function judge(samples, sampleRate, transcript) {
  const seconds = samples.length / sampleRate;
  if (peakOf(samples) < SILENT_PEAK) return [bad("silent")];
  const levels = frameLevels(samples, sampleRate);
  const spans = speechSpans(levels);
  const findings = [
    ...ofLength(seconds),
    ...ofLoudness(samples, levels),
    ...ofSilence(spans, seconds),
    ...ofRate(transcript, spokenSeconds(spans)),
  ];
  return findings.sort((a, b) => b.isBad - a.isBad);
}

/**
 * What is best kept, as [from, to] in seconds: the voice with a little air. Of more than the server takes, its
 * beginning, until a pause.
 */
export function bestRange(samples, sampleRate) {
  const seconds = samples.length / sampleRate;
  const spans = speechSpans(frameLevels(samples, sampleRate));
  if (!spans.length) return [0, Math.min(seconds, LIMITS.most)];
  const from = Math.max(0, spans[0][0] - AIR_S);
  const last = spans.at(-1)[1];
  if (last - from <= LIMITS.most - AIR_S) return [from, Math.min(seconds, last + AIR_S)];
  const isPause = ([, end], i) => end < from + GOOD.most && spans[i + 1][0] - end > AIR_S;
  const before = spans.slice(0, -1).findLast(isPause);
  return [from, before ? before[1] + AIR_S / 2 : from + GOOD.most];
}

/**
 * About how many syllables `text` has: one for each Chinese character and digit, for each vowel group of Latin
 * script, and for two letters of any other.
 */
function syllables(text) {
  const count = (pattern) => text.match(pattern)?.length ?? 0;
  const words = text.toLowerCase().match(/[\p{Script=Latin}]+/gu) ?? [];
  const ofWords = words.reduce((sum, word) => sum + Math.max(1, vowelGroups(word)), 0);
  const others = count(/(?![\p{Script=Han}\p{Script=Latin}])\p{L}/gu);
  return count(/[\p{Script=Han}\p{N}]/gu) + ofWords + Math.round(others / 2);
}

const vowelGroups = (word) =>
  word.replace(/(?<=..)(?<![^aeiouy]l)e$/, "").match(/[aeiouyàáèéìíòóùúü]+/g)?.length ?? 0;

const bad = (code, values = {}) => ({ code, isBad: true, values });
const doubtful = (code, values = {}) => ({ code, isBad: false, values });

function ofLength(seconds) {
  const values = { seconds };
  if (seconds < LIMITS.least) return [bad("tooShort", values)];
  if (seconds > LIMITS.most) return [bad("tooLong", values)];
  if (seconds < GOOD.least) return [doubtful("short", values)];
  return seconds > GOOD.most ? [doubtful("long", values)] : [];
}

function ofLoudness(samples, levels) {
  const { voiceDb, noiseDb } = voiceAndNoise(levels);
  const findings = [];
  if (hasClipped(samples)) findings.push(doubtful("clipped"));
  else if (voiceDb < QUIET_DB) findings.push(doubtful("quiet", { db: voiceDb }));
  if (noiseDb > NOISE_UNHEARD_DB && voiceDb - noiseDb < NOISE_GAP_DB) {
    findings.push(doubtful("noisy", { db: voiceDb - noiseDb }));
  }
  return findings;
}

function hasClipped(samples) {
  let run = 0;
  return samples.some((x) => {
    run = Math.abs(x) >= CLIPPED ? run + 1 : 0;
    return run >= CLIPPED_RUN;
  });
}

function ofSilence(spans, seconds) {
  if (!spans.length) return [];
  const findings = [];
  if (spans[0][0] > EDGE_S || seconds - spans.at(-1)[1] > EDGE_S) findings.push(doubtful("edges"));
  const pause = Math.max(0, ...spans.slice(1).map(([from], i) => from - spans[i][1]));
  if (pause > PAUSE_S) findings.push(doubtful("pause", { seconds: pause }));
  return findings;
}

/** From the first of the voice to its last, without its pauses. */
function spokenSeconds(spans) {
  if (!spans.length) return 0;
  const gaps = spans.slice(1).map(([from], i) => from - spans[i][1]);
  const pauses = gaps.filter((gap) => gap > BREATH_S).reduce((sum, gap) => sum + gap, 0);
  return spans.at(-1)[1] - spans[0][0] - pauses;
}

/** Whether the words can have been said in that time. The time does not tell whether they were. */
function ofRate(transcript, seconds) {
  if (!transcript.trim()) return [bad("noTranscript")];
  const pace = syllables(transcript) / Math.max(seconds, 0.1);
  if (pace > PACE.most) return [doubtful("moreTextThanVoice", { seconds })];
  return pace < PACE.least ? [doubtful("moreVoiceThanText", { seconds })] : [];
}
