import assert from "node:assert/strict";
import { test } from "node:test";

import { namesIn } from "../../glm_tts_api/studio/static/js/books/cast.js";

test("names are those that begin two lines or more; times, addresses and sentences are none", () => {
  const text = [
    "旁白：天亮了。",
    "小王（轻声）：早。",
    "Tom: Good morning.",
    "小王：走吧。",
    "  Tom (loud): Now!",
    "旁白：他们走了。",
    "老李：我只说一句。",
    "12:30 出发",
    "12:40 到达",
    "http://a.example",
    "http://b.example",
    "他说了三件事，第一：早起",
    "他说了三件事，第一：早睡",
  ].join("\n\n");
  assert.deepEqual(namesIn(text), ["旁白", "小王", "Tom"]);
});
