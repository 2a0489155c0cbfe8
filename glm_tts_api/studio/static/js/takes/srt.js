// Subtitles in SubRip's format.

/** A cue for each of `segments`: its text, from `start` to `end` in seconds. */
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
