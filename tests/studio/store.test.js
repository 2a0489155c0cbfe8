import assert from "node:assert/strict";
import { test } from "node:test";

import { createStore } from "../../glm_tts_api/studio/static/js/store.js";

test("who watches a key is told its value, then each other one", () => {
  const store = createStore({ text: "a", voice: null });
  const heard = [];
  const stop = store.on("text", (text) => heard.push(text));
  store.set({ text: "b", voice: "x" });
  store.set({ text: "b" });
  store.set({ voice: "y" });
  assert.deepEqual(heard, ["a", "b"]);
  assert.deepEqual(store.get(), { text: "b", voice: "y" });
  stop();
  store.set({ text: "c" });
  assert.deepEqual(heard, ["a", "b"]);
});

test("a watcher may change the state", () => {
  const store = createStore({ text: "", count: 0 });
  store.on("text", (text) => store.set({ count: text.length }));
  store.set({ text: "four" });
  assert.equal(store.get().count, 4);
});
