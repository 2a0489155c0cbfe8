import assert from "node:assert/strict";
import { test } from "node:test";

import { createSchedule } from "../../glm_tts_api/studio/static/js/speak/live_audio.js";

const RATE = 24000;
const PIECE = 2400; // samples, 0.1 s

const near = (actual, expected) =>
  assert.ok(Math.abs(actual - expected) < 1 / RATE, `${actual}, not ${expected}`);

test("pieces lie end to end, to the sample, however unevenly they come", () => {
  const schedule = createSchedule(RATE);
  const first = schedule.place(5, 2401);
  assert.ok(first > 5);
  near(schedule.place(5.001, 1), first + 2401 / RATE);
  near(schedule.place(5.1, PIECE), first + 2402 / RATE);
  near(schedule.aheadS(5.1), first + (2402 + PIECE) / RATE - 5.1);
  assert.equal(schedule.nDry(), 0);
});

test("after it ran dry the next piece starts anew, later each time", () => {
  const schedule = createSchedule(RATE);
  const leads = [];
  let now = 0;
  for (let i = 0; i < 4; i++) {
    const at = schedule.place(now, PIECE);
    leads.push(at - now);
    now = at + 0.2; // the piece is over by then
  }
  assert.equal(schedule.nDry(), 3);
  for (let i = 1; i < leads.length; i++) assert.ok(leads[i] > leads[i - 1], String(leads));
  assert.equal(schedule.aheadS(now), 0);
});

test("pieces that come after a dry spell do not overlap", () => {
  const schedule = createSchedule(RATE);
  schedule.place(0, PIECE);
  const second = schedule.place(1, PIECE);
  near(schedule.place(1, PIECE), second + PIECE / RATE);
});

test("the moment that is heard stands still while nothing is", () => {
  const schedule = createSchedule(RATE);
  assert.equal(schedule.position(1), 0);
  const first = schedule.place(0, PIECE);
  near(schedule.position(first + 0.05), 0.05);
  near(schedule.position(0.9), 0.1);
  const second = schedule.place(1, PIECE);
  near(schedule.position((1 + second) / 2), 0.1);
  near(schedule.position(second + 0.05), 0.15);
  near(schedule.position(second + 9), 0.2);
});
