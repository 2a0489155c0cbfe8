import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { bestRange, judge } from "../../glm_tts_api/studio/static/js/voices/judge.js";
import { RATE, noise, sequence, silence, voice } from "./sounds.js";

const TWENTY = "清晨的阳光照进厨房我泡了一壶热茶慢慢翻"; // for five seconds
const codes = (samples, transcript = TWENTY) => judge(samples, RATE, transcript).map(({ code }) => code);
const isRefused = (samples, transcript = TWENTY) =>
  judge(samples, RATE, transcript).some(({ isBad }) => isBad);

test("a clear recording of five seconds with its words has nothing wrong", () => {
  assert.deepEqual(codes(noise(voice(5), 0.0005)), []);
});

test("the voices that come with the server have nothing wrong", () => {
  const words = {
    exampleA: "大家好，我是播音员，很高兴和大家见面。",
    exampleB: "欢迎收听我们的节目，祝您下午愉快。",
  };
  for (const [name, transcript] of Object.entries(words)) {
    const file = readFileSync(new URL(`../../glm_tts_api/assets/mini/prompts/${name}.wav`, import.meta.url));
    const samples = Float32Array.from(
      { length: (file.length - 44) / 2 },
      (_, i) => file.readInt16LE(44 + 2 * i) / 32768,
    );
    assert.deepEqual(judge(samples, file.readUInt32LE(24), transcript), [], name);
  }
});

test("its length: what the server refuses cannot be saved, what is merely short or long can", () => {
  for (const [seconds, code, refused] of [
    [0.9, "tooShort", true],
    [2, "short", false],
    [20, "long", false],
    [31, "tooLong", true],
  ]) {
    const transcript = "字".repeat(Math.ceil(4 * seconds));
    assert.deepEqual(codes(voice(seconds), transcript), [code]);
    assert.equal(isRefused(voice(seconds), transcript), refused, code);
  }
});

test("silence cannot be saved, whatever its words", () => {
  assert.deepEqual(codes(silence(5)), ["silent"]);
  assert.ok(isRefused(silence(5)));
});

test("a voice that is cut off at full scale has clipped; one that only touches it has not", () => {
  const clip = (samples) => samples.map((x) => Math.max(-1, Math.min(1, x)));
  assert.deepEqual(codes(clip(voice(5, 3))), ["clipped"]);
  const bang = clip(voice(0.05, 50));
  assert.deepEqual(codes(sequence(voice(5, 0.008), bang)), ["clipped"], "not too loud and too quiet at once");
  assert.deepEqual(codes(sequence(voice(4), [1, -1], voice(1))), []);
});

test("a far voice is quiet; one above a loud room is noisy", () => {
  assert.deepEqual(codes(voice(5, 0.008)), ["quiet"]);
  assert.deepEqual(codes(noise(voice(5, 0.3), 0.1)), ["noisy"]);
});

test("silence at either end, and a long pause, are to be cut away", () => {
  assert.deepEqual(codes(sequence(silence(1), voice(5))), ["edges"]);
  assert.deepEqual(codes(sequence(voice(5), silence(1))), ["edges"]);
  assert.deepEqual(codes(sequence(voice(2.5), silence(2), voice(2.5))), ["pause"]);
});

test("words that do not fit the length", () => {
  assert.deepEqual(codes(voice(5), TWENTY.repeat(4)), ["moreTextThanVoice"]);
  assert.deepEqual(codes(voice(5), "你好"), ["moreVoiceThanText"]);
  assert.deepEqual(codes(voice(5), "  "), ["noTranscript"]);
  assert.ok(isRefused(voice(5), ""));
});

test("words are judged by their rate alone: of another language's that fit in time, nothing is said", () => {
  assert.deepEqual(codes(voice(5), "The early train was almost empty, so I took a seat."), []);
  assert.deepEqual(codes(voice(5), "清晨的阳光照进厨房，我泡了一壶热茶。"), []);
  assert.deepEqual(codes(voice(5), "Утренний поезд был почти пустым, и я сел у окна."), []);
  assert.deepEqual(codes(voice(5), "朝の光が台所に差し込んで、私はお茶をいれました。"), []);
});

test("the rate is that of the speech, without its pauses", () => {
  assert.deepEqual(codes(sequence(voice(3), silence(2), voice(2)), "清晨的阳光照进厨"), ["pause"]);
});

test("what cannot be saved is named first", () => {
  assert.deepEqual(codes(sequence(silence(1), voice(1.5)), ""), ["noTranscript", "short", "edges"]);
});

test("the best of a recording is its voice with a little air", () => {
  const [from, to] = bestRange(sequence(silence(2), voice(4), silence(1)), RATE);
  assert.ok(from > 1.7 && from < 2, `${from}`);
  assert.ok(to > 5.9 && to < 6.3, `${to}`);
  assert.deepEqual(bestRange(silence(3), RATE), [0, 3]);
});

test("the best of a long recording ends in a pause, so that no word is cut", () => {
  const phrase = sequence(voice(4.9), silence(0.6));
  const [from, to] = bestRange(sequence(...Array(8).fill(phrase)), RATE);
  assert.equal(from, 0);
  assert.ok(to > 10.4 && to < 11, `${to}`);
});
