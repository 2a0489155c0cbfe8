import assert from "node:assert/strict";
import { test } from "node:test";

import { lastRequest } from "../../glm_tts_api/studio/static/js/see/figures.js";

const request = (id) => ({ request_id: id });

test("the page's own request is the last one, if the server still knows it", () => {
  const recent = [request("a"), { ...request("b"), outcome: "queue_full" }, request("b"), request("c")];
  assert.equal(lastRequest(recent, "b"), recent[2], "asked for again, its latest end counts");
  assert.equal(lastRequest(recent, "unknown").request_id, "c");
  assert.equal(lastRequest([], "b"), undefined);
});
