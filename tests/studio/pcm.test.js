import assert from "node:assert/strict";
import { test } from "node:test";

import { createPcmReader, createRecording, wavBlob } from "../../glm_tts_api/studio/static/js/sound/pcm.js";
import { createPeaks } from "../../glm_tts_api/studio/static/js/sound/waveform.js";

test("samples are whole, wherever the network cuts their bytes", () => {
  const bytes = new Uint8Array(new Int16Array([1, -2, 300, -32768, 32767]).buffer);
  for (const sizes of [[10], [1, 9], [3, 0, 1, 1, 5], [2, 3, 4, 1], Array(10).fill(1)]) {
    const samplesOf = createPcmReader();
    let at = 0;
    const read = sizes.flatMap((size) => [...samplesOf(bytes.subarray(at, (at += size)))]);
    assert.deepEqual(read, [1, -2, 300, -32768, 32767], String(sizes));
  }
});

test("a recording is kept in order, in memory and in blobs", async () => {
  const recording = createRecording(24000);
  const piece = Int16Array.from({ length: 200_000 }, (_, i) => i % 1000);
  for (let i = 0; i < 6; i++) recording.add(piece.map((sample) => sample + i));
  assert.equal(recording.seconds(), 50);
  const samples = new Int16Array(await new Blob(recording.parts()).arrayBuffer());
  assert.equal(samples.length, 1_200_000);
  for (let i = 0; i < 6; i++) assert.equal(samples[200_000 * i + 1234], 234 + i);
});

test("peaks are the loudest samples of each hundredth of a second, across pieces", () => {
  const peaks = createPeaks(24000);
  const samples = new Int16Array(500);
  [samples[10], samples[239], samples[240]] = [100, -16384, 8192];
  peaks.add(samples.subarray(0, 100));
  peaks.add(samples.subarray(100));
  assert.deepEqual([...peaks.all()], [0.5, 0.25, 0]);
});

test("a WAV file has a header that counts its parts, and their bytes in order", async () => {
  const file = wavBlob([new Int16Array([1, -2]), new Blob([new Uint8Array([3, 0])])], 32000);
  const view = new DataView(await file.arrayBuffer());
  const ascii = (at) => String.fromCharCode(...new Uint8Array(view.buffer, at, 4));
  assert.deepEqual([0, 8, 12, 36].map(ascii), ["RIFF", "WAVE", "fmt ", "data"]);
  assert.equal(view.getUint32(4, true), view.byteLength - 8);
  const sixteen = [20, 22, 32, 34].map((at) => view.getUint16(at, true));
  assert.deepEqual(sixteen, [1, 1, 2, 16]);
  const thirtyTwo = [24, 28, 40].map((at) => view.getUint32(at, true));
  assert.deepEqual(thirtyTwo, [32000, 64000, 6]);
  const samples = [44, 46, 48].map((at) => view.getInt16(at, true));
  assert.deepEqual(samples, [1, -2, 3]);
  assert.equal(file.type, "audio/wav");
});
