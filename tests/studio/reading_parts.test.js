import assert from "node:assert/strict";
import { test } from "node:test";

import { readingParts } from "../../glm_tts_api/web/studio/static/js/speak/reading_parts.js";

const reading = (marked, segments, changes) => ({
  marked,
  segments: segments.map((text) => ({ text })),
  changes: changes.map(([written, said]) => ({
    written,
    said,
    start: charsBefore(marked, written),
    rule: null,
  })),
});
const charsBefore = (text, part) => Array.from(text.slice(0, text.indexOf(part))).length;
const shown = (parts) =>
  parts.map((segment) => segment.map(({ text, said, written }) => text ?? [written, said]));

test("changes are found in the segments that they are spoken in", () => {
  const segments = ["预计三到五天送到，", "一共三十九点八元。", "hello two you"];
  const changes = [
    ["3-5", "三到五"],
    ["￥39.8", "三十九点八"],
    ["2", "two"],
  ];
  assert.deepEqual(
    shown(readingParts(reading("预计3-5天送到，一共￥39.8元。Hello 2 you", segments, changes))),
    [
      ["预计", ["3-5", "三到五"], "天送到，"],
      ["一共", ["￥39.8", "三十九点八"], "元。"],
      ["hello ", ["2", "two"], " you"],
    ],
  );
});

test("the same words are not mistaken for a change", () => {
  const parts = readingParts(reading("三人，3人", ["三人，三人"], [["3", "三"]]));
  assert.deepEqual(shown(parts), [["三人，", ["3", "三"], "人"]]);
});

test("a change that two segments share is written once, and said in both", () => {
  const segments = ["电话是幺三八，零零幺三。", "八零零零。"];
  const parts = readingParts(
    reading("电话是13800138000。", segments, [["13800138000", "幺三八零零幺三八零零零"]]),
  );
  assert.deepEqual(shown(parts), [
    ["电话是", ["13800138000", "幺三八，零零幺三。"]],
    [["", "八零零零"], "。"],
  ]);
});

test("what is dropped stands where it was, and characters beyond the basic plane count as one", () => {
  const changes = [
    ["😀", ""],
    ["3", "三"],
  ];
  assert.deepEqual(shown(readingParts(reading("好😀共3天", ["好共三天"], changes))), [
    ["好", ["😀", ""], "共", ["3", "三"], "天"],
  ]);
});

test("the segments' texts are whole whatever the changes are", () => {
  const segments = ["一二三。", "四五六"];
  const changes = [
    { written: "9", said: "七八九十十一十二十三", start: 0, rule: null },
    { written: "x", said: "y", start: 99, rule: null },
  ];
  const parts = readingParts({ marked: "9", segments: segments.map((text) => ({ text })), changes });
  assert.deepEqual(
    parts.map((segment) => segment.map(({ text, said }) => text ?? said).join("")),
    segments,
  );
  assert.deepEqual(
    readingParts({ marked: "😀", segments: [], changes: [{ written: "😀", said: "", start: 0 }] }),
    [],
  );
});
