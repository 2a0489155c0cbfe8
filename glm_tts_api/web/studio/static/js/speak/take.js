// A take: something that was said, and all that is needed to hear it, to say it again, and to tell about it.

import { wavBlob } from "../sound/wav.js";

/**
 * @param wanted text, inputType, voice and options, as they were when it was asked for
 * @param ends seconds at which the segments end
 */
export function makeTake({ id, wanted, reading, recording, peaks, sampleRate, ends, complete }) {
  const seconds = recording.seconds();
  return {
    id,
    requestId: id,
    text: wanted.text,
    inputType: wanted.inputType,
    voice: wanted.voice,
    options: wanted.options,
    sampleRate,
    seconds,
    segments: timedSegments(reading, ends, seconds),
    audio: wavBlob(recording.parts(), sampleRate),
    peaks: peaks.all().slice(),
    createdAt: Date.now(),
    complete,
  };
}

/**
 * The segments that are known to begin by `seconds`, with when they start and end. The one that is being made
 * ends where the sound ends so far. None if nothing is known of their ends and there are several.
 */
export function timedSegments(reading, ends, seconds) {
  const texts = reading?.segments.map((segment) => segment.text) ?? [];
  if (ends.length > texts.length || (!ends.length && texts.length > 1)) return [];
  return texts.slice(0, ends.length + 1).map((text, i) => ({
    text,
    start: ends[i - 1] ?? 0,
    end: i === texts.length - 1 ? seconds : (ends[i] ?? seconds),
  }));
}
