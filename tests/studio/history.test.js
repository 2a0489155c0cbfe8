import assert from "node:assert/strict";
import { test } from "node:test";

import { LIMIT, newestFirst, surplus } from "../../glm_tts_api/studio/static/js/takes/database.js";
import { otherVoice } from "../../glm_tts_api/studio/static/js/takes/row.js";

const MB = 2 ** 20;
const takes = (...megabytes) =>
  megabytes.map((size, createdAt) => ({ id: createdAt, createdAt, audio: { size: size * MB } }));
const ids = (list) => list.map(({ id }) => id);

test("what is within the limit stays", () => {
  assert.deepEqual(surplus(takes(...Array(LIMIT.takes).fill(1))), []);
});

test("the oldest goes when there are too many", () => {
  assert.deepEqual(ids(surplus(takes(...Array(LIMIT.takes + 2).fill(1)))), [1, 0]);
});

test("the oldest go when they are too large together", () => {
  assert.deepEqual(ids(surplus(takes(100, 1, 58, 100, 58))), [0]);
  assert.deepEqual(ids(surplus(takes(1, 100, 58, 100, 58))), [1, 0]);
});

test("the newest stays, however large it is", () => {
  assert.deepEqual(ids(surplus(takes(1, 1, 300))), [1, 0]);
});

test("the newest is first, in whatever order they come", () => {
  const [a, b, c] = takes(1, 1, 1);
  assert.deepEqual(ids(newestFirst([b, c, a])), [2, 1, 0]);
});

test("a take is made again in the voice that is chosen, or else in the next one", () => {
  const voices = ["a", "b", "c"];
  assert.equal(otherVoice({ voice: "a" }, "c", voices), "c");
  assert.equal(otherVoice({ voice: "b" }, "b", voices), "c");
  assert.equal(otherVoice({ voice: "c" }, "c", voices), "a");
  assert.equal(otherVoice({ voice: "gone" }, "gone", voices), "a");
  assert.equal(otherVoice({ voice: "a" }, "a", ["a"]), null);
});
