import assert from "node:assert/strict";
import { test } from "node:test";

import { readingMark, wordAt } from "../../glm_tts_api/studio/static/js/control/tools.js";

const found = (text, start, end = start) => {
  const at = wordAt(text, start, end, "zh");
  return at && [text.slice(at.start, at.end), at.word, at.reading];
};

test("a selection is the word, without the blanks around it", () => {
  assert.deepEqual(found("我在 重庆 。", 2, 6), ["重庆", "重庆", ""]);
});

test("a caret means the word that it stands in or right behind", () => {
  const text = "第一行\nhello 重庆。";
  for (const caret of [10, 11, 12]) assert.deepEqual(found(text, caret), ["重庆", "重庆", ""]);
  assert.deepEqual(found(text, 9), ["hello", "hello", ""]);
});

test("a word that has a mark is found with its reading", () => {
  const text = "我在[[重庆|chong2 qing4]]。";
  for (const caret of [2, 6, 21]) {
    assert.deepEqual(found(text, caret), ["[[重庆|chong2 qing4]]", "重庆", "chong2 qing4"]);
  }
  assert.deepEqual(found(text, 4, 6)[0], "[[重庆|chong2 qing4]]");
});

test("there is no word where nothing can be marked", () => {
  assert.equal(found("", 0), null);
  assert.equal(found("。 ", 2), null);
  assert.equal(found("a  b", 1, 3), null);
  assert.equal(found("a\nb", 0, 3), null);
  assert.equal(found("他[[重庆|chong2 qing4]]说", 0, 5), null);
});

test("a mark is written as the server takes it", () => {
  assert.equal(readingMark("绿", " lv4 "), "[[绿|lv4]]");
});
