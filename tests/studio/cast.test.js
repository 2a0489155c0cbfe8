import assert from "node:assert/strict";
import { test } from "node:test";

import { namesIn, speakersIn } from "../../glm_tts_api/studio/static/js/books/cast.js";

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

test("subtitles name their speakers, each format in its own way", () => {
  const srt = "1\n00:00:01,000 --> 00:00:02,000\n- Ann: Hi.\n- Ann: Go.\n";
  const vtt = "WEBVTT\n\n00:01.000 --> 00:02.000\n<v.loud Ann>Hi\n<v 小王>你好";
  const ass = "Dialogue: 0,0:00:01.00,0:00:02.00,Default,Ann,0,0,0,,Hi, you";
  assert.deepEqual([srt, vtt, ass].map(speakersIn), [["Ann"], ["Ann", "小王"], ["Ann"]]);
});
