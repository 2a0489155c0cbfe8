// An address that speaks, in the browser's own player: it plays, and its seek bar works. Not the studio's page.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { inStudio, launch } from "./harness.js";

const SECONDS = 20;
const ADDRESS = "api/v1/tts?input_text=hello&index=exampleA";
let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

test("an answer that is whole can be sought in at once", () =>
  inStudio(browser, {}, async (page) => {
    await canSeek(page, `${ADDRESS}&response_format=wav&stream=false`);
  }));

test("a stream plays while it is made; played again, it can be sought in", () =>
  inStudio(browser, {}, async (page) => {
    await page.evaluate(playToTheEnd, `${ADDRESS}&seed=7`);
    await canSeek(page, `${ADDRESS}&seed=7`);
  }));

async function canSeek(page, address) {
  const { duration, seekable, from, to } = await page.evaluate(seekInto, address, SECONDS / 2);
  assert.ok(
    Math.abs(duration - SECONDS) < 0.2 && Math.abs(seekable - SECONDS) < 0.2,
    `${duration} ${seekable}`,
  );
  assert.ok(from >= SECONDS / 2 && to > from, `it played from ${from} to ${to}`);
}

// These two run in the page.

async function playToTheEnd(address) {
  const audio = new Audio(address);
  audio.muted = true; // for which no gesture is needed
  audio.playbackRate = 8;
  await audio.play();
  await new Promise((ended) => audio.addEventListener("ended", ended));
}

async function seekInto(address, place) {
  const audio = new Audio(address);
  audio.muted = true;
  const hears = (event) => new Promise((heard) => audio.addEventListener(event, heard, { once: true }));
  await hears("loadedmetadata");
  const seekable = audio.seekable.length ? audio.seekable.end(0) : 0;
  const sought = hears("seeked");
  audio.currentTime = place;
  await sought;
  const from = audio.currentTime;
  await audio.play();
  await hears("timeupdate");
  while (audio.currentTime <= from) await hears("timeupdate");
  return { duration: audio.duration, seekable, from, to: audio.currentTime };
}
