import assert from "node:assert/strict";
import { test } from "node:test";

import { timedSegments } from "../../glm_tts_api/studio/static/js/speak/take.js";

const said = (...texts) => ({ segments: texts.map((text) => ({ parts: [{ text }] })) });
const reading = said("a", "b", "c");
const spans = (segments) => segments.map(({ text, start, end }) => [text, start, end]);

test("a segment starts where the one before it ends, and the last one ends with the sound", () => {
  assert.deepEqual(spans(timedSegments(reading, [1, 2.5, 4], 4)), [
    ["a", 0, 1],
    ["b", 1, 2.5],
    ["c", 2.5, 4],
  ]);
});

test("while they are made, those that are not there yet start never", () => {
  assert.deepEqual(spans(timedSegments(reading, [1], 1.5)), [
    ["a", 0, 1],
    ["b", 1, Infinity],
    ["c", Infinity, Infinity],
  ]);
});

test("nothing is said of segments of which nothing is known", () => {
  assert.deepEqual(timedSegments(reading, null, 4), []);
  assert.deepEqual(timedSegments(reading, [1, 2, 3, 4], 4), []);
  assert.deepEqual(timedSegments(null, [1], 4), []);
  assert.deepEqual(spans(timedSegments(said("a"), null, 2)), [["a", 0, 2]]);
});
