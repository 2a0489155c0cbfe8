// Typing, hearing, stopping.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { DESKTOP, inStudio, launch, nSpeaking, PHONE, until } from "./harness.js";
import { makeTake, say, textOf, write } from "./studio.js";

const LONG = "今天的天气很好，我们一起去公园走走，然后去湖边的小店里喝一杯热茶吧。".repeat(3);
const watched = (page) => page.evaluate(() => window.watched);
let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

test("what is typed is shown as it will be read", () =>
  inStudio(browser, {}, async (page) => {
    await write(page, "预计3天送到。");
    await page.waitForFunction(() => document.querySelector("#reading").textContent.includes("三天"));
    assert.match(await textOf(page, "#text-facts"), /7 characters/);
    await write(page, '<speak>你好<break time="2s"/>再见</speak>');
    await page.waitForFunction(() => document.querySelector("#reading .tag")?.textContent === "pause 2 s");
    await page.reload();
    await page.waitForSelector("body[data-ready]");
    assert.match(await page.$eval("#text", (box) => box.value), /^<speak>/);
  }));

test("the voice that was chosen is chosen in the next tab", () =>
  inStudio(browser, {}, async (page) => {
    const other = await page.waitForSelector(".voice input:not(:checked)");
    const name = await other.evaluate((input) => (input.click(), input.value));
    const tab = await page.browserContext().newPage();
    await tab.goto(page.url());
    const chosen = await tab.waitForSelector(".voice input:checked");
    assert.equal(await chosen.evaluate((input) => input.value), name);
  }));

test("sound comes while the rest is still being made, and can be sought in when it is whole", () =>
  inStudio(browser, {}, async (page) => {
    await say(page, LONG);
    const heardAt = await until(async () => (await watched(page)).heardAt, "something is heard");
    assert.equal(await nSpeaking(), 1, "the server is still at it");
    assert.ok(await page.$("#seek:disabled"));
    const last = await page.waitForSelector("#lines li:last-child button");
    await last.evaluate((line) => line.click()); // its sound is not there yet: nothing happens
    const endedAt = await until(() => page.evaluate(endOfSpeech), "the browser notes when it had all");
    assert.ok(heardAt < endedAt, `heard at ${heardAt} ms; the last of it came at ${endedAt} ms`);

    await page.waitForSelector("#seek:not(:disabled)");
    await page.waitForSelector("#lines [aria-current]");
    await page.waitForSelector("#stages li:nth-child(8)"); // queue to send
    const isShown = () => page.$eval("#stages", (stages) => stages.checkVisibility());
    assert.equal(await isShown(), false, "words of operators are folded");
    await page.click("#figures summary");
    assert.equal(await isShown(), true);
    assert.match(await textOf(page, "#stages .hint"), /s of sound, made in/);
    await page.focus("#seek");
    await page.keyboard.press("End");
    await page.waitForFunction(() => {
      const [at, of] = document.querySelector("#clock").textContent.split(" / ");
      return at === of && at !== "0:00";
    });
  }));

test("on a phone the player comes into view with the first sound, and the text keeps its case", () =>
  inStudio(browser, { viewport: PHONE }, async (page) => {
    await page.waitForSelector(".voice input:checked");
    assert.equal(await page.$eval("#player", (player) => getComputedStyle(player).display), "none");
    await write(page, "Hello Tom. Mary is in Paris.");
    await page.click("#speak");
    await page.waitForSelector("#lines [aria-current]");
    const { top, bottom } = await page.$eval("#player .stage", (stage) =>
      stage.getBoundingClientRect().toJSON(),
    );
    const bar = await page.$eval(".speak-bar", (element) => element.getBoundingClientRect().top);
    assert.ok(top >= 0 && bottom <= bar, `the picture stands at ${top} to ${bottom} of ${bar}`);
    assert.match(await textOf(page, "#lines"), /Hello Tom\. Mary is in Paris/);
  }));

test("a stop frees the row, and is silent", () =>
  inStudio(browser, {}, async (page) => {
    await say(page, LONG);
    await until(async () => (await watched(page)).heardAt, "something is heard");
    assert.equal(await nSpeaking(), 1);
    await page.keyboard.press("Escape");
    await until(async () => (await nSpeaking()) === 0, "the row is free");
    const stopped = await watched(page);
    await sleep(1000);
    const later = await watched(page);
    assert.ok(later.heardUntil - stopped.heardUntil < 500, "nothing is heard any more");
  }));

for (const [language, viewport, ended, after] of [
  ["en", DESKTOP, /^Not completed, after \d+\.\d s\. There is nothing/, /of sound, made in/],
  ["zh", PHONE, /^未完成，用时 \d+\.\d 秒。这段文字里没有/, /秒语音/],
]) {
  test(`a refused request is told as one, not as a table of zeros (${language})`, () =>
    inStudio(browser, { viewport, language }, async (page) => {
      await page.waitForSelector(".voice input:checked");
      await say(page, "……");
      await page.waitForSelector("#speak-error:not([hidden])");
      const told = () => textOf(page, "#stages .hint");
      await until(async () => ended.test(await told()), "the server tells of the refused one");
      const stages = await page.$$eval("#stages .figure", (all) => all.map((one) => one.textContent));
      assert.ok(!stages.length || stages.some((seconds) => parseFloat(seconds) > 0), stages.join());
      await write(page, "another text");
      await page.waitForSelector("#speak-error[hidden]");
      await makeTake(page, "hello");
      await until(async () => after.test(await told()), "the server tells of the next one");
      await page.waitForSelector("#stages li");
    }));
}

/** When the last byte of the speech was there, in ms since the page began. */
function endOfSpeech() {
  const requests = performance.getEntriesByType("resource");
  return requests.findLast(({ name }) => name.endsWith("/api/v1/tts"))?.responseEnd;
}
