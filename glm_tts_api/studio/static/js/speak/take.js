// A take: something that was said, and all that is needed to hear it, to say it again, and to tell about it.

import { wavBlob } from "../sound/pcm.js";

/**
 * @param wanted text, voice and options, as they were when it was asked for
 * @param ends seconds at which the segments end; null if the server said nothing of them
 */
export function makeTake({ id, wanted, reading, recording, peaks, sampleRate, ends, complete }) {
  const seconds = recording.seconds();
  return {
    id,
    text: wanted.text,
    voice: wanted.voice,
    options: wanted.options,
    sampleRate,
    seconds,
    segments: saidSegments(timedSegments(reading, ends, seconds), seconds),
    audio: wavBlob(recording.parts(), sampleRate),
    peaks: peaks.all().slice(),
    createdAt: Date.now(),
    complete,
  };
}

/**
 * The segments, with when they start and end; Infinity where that is not known yet. None if the server said
 * nothing of their ends (null), unless there is only one.
 */
export function timedSegments(reading, ends, seconds) {
  const texts = reading?.segments.map(({ parts }) => parts.map(({ text }) => text).join("")) ?? [];
  if (texts.length > 1 && (ends === null || ends.length > texts.length)) return [];
  const starts = [0, ...(ends ?? [])];
  return texts.map((text, i) => {
    const start = starts[i] ?? Infinity;
    const isLast = i === texts.length - 1;
    return { text, start, end: isLast && start < Infinity ? seconds : (starts[i + 1] ?? Infinity) };
  });
}

/** Of a sound that was stopped: those that are in it. */
const saidSegments = (segments, seconds) =>
  segments
    .filter(({ start }) => start < seconds)
    .map((segment) => ({ ...segment, end: Math.min(segment.end, seconds) }));
