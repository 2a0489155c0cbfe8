import assert from "node:assert/strict";
import { test } from "node:test";

import { lastRequest, shares } from "../../glm_tts_api/studio/static/js/see/figures.js";

const request = (id) => ({ request_id: id });

test("the page's own request is the last one, if the server still knows it", () => {
  const recent = [request("a"), { ...request("b"), outcome: "queue_full" }, request("b"), request("c")];
  assert.equal(lastRequest(recent, "b"), recent[2], "asked for again, its latest end counts");
  assert.equal(lastRequest(recent, "unknown").request_id, "c");
  assert.equal(lastRequest([], "b"), undefined);
});

test("the longest stage fills its bar, the others their share of it", () => {
  const bars = shares({ queue: 0, decode: 2, flow: 1 });
  assert.deepEqual(
    bars.map(({ stage, share }) => [stage, share]),
    [
      ["queue", 0],
      ["decode", 1],
      ["flow", 0.5],
    ],
  );
  assert.deepEqual(
    shares({ queue: 0, decode: 0 }).map(({ share }) => share),
    [0, 0],
  );
});
