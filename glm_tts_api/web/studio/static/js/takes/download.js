// A take as a file.

import { speechFields } from "../fields.js";
import { srt } from "./srt.js";

/** exampleA-42.mp3 */
export function fileName({ voice, options }, extension) {
  return `${voice}-${options.seed}.${extension}`;
}

/** What was heard, as it was; any other format is the same request once more, for the same seed gives the same. */
export async function audioFile(take, format, api) {
  if (format === "wav") return take.audio;
  const { body } = await api.speak({ ...speechFields(take), response_format: format });
  return new Response(body).blob();
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
