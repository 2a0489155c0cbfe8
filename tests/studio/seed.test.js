import assert from "node:assert/strict";
import { test } from "node:test";

import { INITIAL, createStore, drawSeed } from "../../glm_tts_api/studio/static/js/store.js";

test("a locked seed stays: who changes nothing hears the same again", () => {
  const store = createStore(INITIAL);
  drawSeed(store);
  assert.equal(store.get().options, INITIAL.options);
});

test("without the lock each one is another, and nothing else changes", () => {
  const options = { ...INITIAL.options, seedLocked: false };
  const store = createStore({ ...INITIAL, options });
  const seeds = new Set();
  for (let i = 0; i < 5; i++) {
    drawSeed(store);
    const { seed, ...others } = store.get().options;
    seeds.add(seed);
    assert.deepEqual({ ...others, seed: 42 }, options);
    assert.ok(Number.isInteger(seed) && seed >= 0 && seed < 1_000_000);
  }
  assert.ok(seeds.size > 1);
});
