// A take as a file.

import { ApiError } from "../api.js";
import { pcmOf } from "../sound/pcm.js";

/** exampleA-42.mp3 */
export function fileName({ voice, options }, extension) {
  return `${voice}-${options.seed}.${extension}`;
}

/** What was heard: nothing is said again. The server encodes it, which is no more than it takes as an upload. */
export async function audioFile({ audio, sampleRate }, format, api) {
  if (format === "wav") return audio;
  const pcm = pcmOf(audio);
  if (format === "pcm") return pcm;
  return api.encode(pcm, { format, sampleRate }).catch((error) => {
    throw error.code === "body_too_large" ? new ApiError({ ...error, code: "take_too_long" }) : error;
  });
}

export function srtFile({ segments }) {
  return new Blob([srt(segments)], { type: "application/x-subrip" });
}

export function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // the browser reads it after the click
}

/** Subtitles in SubRip's format: a cue for each of `segments`, its text from `start` to `end` in seconds. */
export function srt(segments) {
  const cue = ({ text, start, end }, i) =>
    `${i + 1}\n${timecode(start)} --> ${timecode(end)}\n${text.trim()}\n`;
  return segments.map(cue).join("\n");
}

/** 3661.5 -> "01:01:01,500" */
function timecode(seconds) {
  const ms = Math.round(seconds * 1000);
  const two = (n) => String(Math.floor(n)).padStart(2, "0");
  const [h, m, s] = [ms / 3600000, (ms / 60000) % 60, (ms / 1000) % 60];
  return `${two(h)}:${two(m)}:${two(s)},${String(ms % 1000).padStart(3, "0")}`;
}
