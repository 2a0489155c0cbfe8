import assert from "node:assert/strict";
import { test } from "node:test";

import { srt } from "../../glm_tts_api/studio/static/js/takes/download.js";

test("a cue for each segment", () => {
  const segments = [
    { text: "第一句。", start: 0, end: 1.5 },
    { text: " Two. ", start: 1.5, end: 3661.0004 },
  ];
  assert.equal(
    srt(segments),
    "1\n00:00:00,000 --> 00:00:01,500\n第一句。\n\n2\n00:00:01,500 --> 01:01:01,000\nTwo.\n",
  );
});

test("a time just under the full minute is carried", () => {
  assert.match(srt([{ text: "a", start: 0, end: 59.9999 }]), /--> 00:01:00,000/);
});
