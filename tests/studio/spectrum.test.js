import assert from "node:assert/strict";
import { test } from "node:test";

import { createSpectrum } from "../../glm_tts_api/studio/static/js/sound/spectrogram.js";

const N = 256;
const sine = (bin, loud = 32767) =>
  Int16Array.from({ length: N }, (_, i) => loud * Math.sin((2 * Math.PI * bin * i) / N));

test("a sine is in its bin, at its power", () => {
  const spectrum = createSpectrum(N);
  for (const bin of [3, 40, 100]) {
    const power = spectrum(sine(bin));
    assert.equal(power.length, N / 2 + 1);
    assert.equal(power.indexOf(Math.max(...power)), bin);
    assert.ok(Math.abs(power[bin] - 1) < 1e-3);
    assert.ok(power[(bin + 20) % 120] < 1e-6);
  }
  assert.ok(Math.abs(spectrum(sine(40, 3276.7))[40] - 0.01) < 1e-4);
});

test("silence has no power, and a sound that ends early is silent after it", () => {
  const spectrum = createSpectrum(N);
  assert.ok(Math.max(...spectrum(new Int16Array(N))) === 0);
  assert.ok(spectrum(sine(40).subarray(0, N / 2))[40] > 0.2);
});
