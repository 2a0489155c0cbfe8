// A take as a file.

import { ApiError } from "../api.js";
import { pcmOf } from "../sound/wav.js";
import { srt } from "./srt.js";

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
