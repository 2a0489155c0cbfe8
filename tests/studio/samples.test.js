import assert from "node:assert/strict";
import { test } from "node:test";

import { freeName } from "../../glm_tts_api/studio/static/js/voices/check.js";
import {
  cut,
  joined,
  meterOf,
  mixed,
  peakOf,
  rmsDb,
  toPcm16,
} from "../../glm_tts_api/studio/static/js/voices/samples.js";

test("levels: a full sine is 3 dB below full scale, a constant is silence", () => {
  const sine = Float32Array.from({ length: 1600 }, (_, i) => Math.sin((2 * Math.PI * i) / 16));
  assert.ok(Math.abs(rmsDb(sine) + 3.01) < 0.01);
  assert.equal(rmsDb(new Float32Array(100).fill(0.5)), -90);
  assert.equal(rmsDb(new Float32Array(0)), -90);
  assert.equal(peakOf(Float32Array.of(0.25, -0.75)), 0.75);
  assert.deepEqual([0, -30, -60, -90].map(meterOf), [1, 0.5, 0, 0]);
});

test("channels are mixed, but for those that are silent", () => {
  const loud = Float32Array.of(0.5, -0.5);
  const hum = Float32Array.of(0.0001, -0.0001);
  assert.deepEqual(mixed([loud, hum]), loud);
  assert.deepEqual(mixed([loud, Float32Array.of(0, 0.5)]), Float32Array.of(0.25, 0));
  assert.deepEqual(mixed([hum, hum]), hum);
});

test("blocks are joined, and cut at times", () => {
  const samples = joined([Float32Array.of(1, 2, 3), Float32Array.of(4, 5)]);
  assert.deepEqual(samples, Float32Array.of(1, 2, 3, 4, 5));
  assert.deepEqual(cut({ samples, sampleRate: 10 }, 0.1, 0.3).samples, Float32Array.of(2, 3));
  assert.deepEqual(joined([]), new Float32Array(0));
});

test("16 bit samples, little-endian, what is too loud clipped", () => {
  const bytes = toPcm16(Float32Array.of(0, 1, -1, 2, -0.5));
  const view = new DataView(bytes.buffer);
  const values = [0, 1, 2, 3, 4].map((i) => view.getInt16(2 * i, true));
  assert.deepEqual(values, [0, 32767, -32767, 32767, -16383]);
});

test("a name for a voice from any file's name, not one that is taken", () => {
  assert.equal(freeName("my-voice", []), "my-voice");
  assert.equal(freeName("my-voice", ["my-voice", "my-voice-2"]), "my-voice-3");
  assert.equal(freeName("Zoë's Take #3", []), "Zoë-s-Take-3");
  assert.equal(freeName("我的录音", []), "我的录音");
  assert.equal(freeName("x".repeat(80), ["x".repeat(60)]), `${"x".repeat(60)}-2`);
});
