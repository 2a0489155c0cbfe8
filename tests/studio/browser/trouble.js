// What goes wrong is said, and got over. The server has a key (KEY), one place and no line.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { DESKTOP, hold, inStudio, launch, nSpeaking, PHONE, release, STUDIO_URL, until } from "./harness.js";
import { say, textOf, write } from "./studio.js";

const { KEY: key } = process.env;
let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

test("the key is asked for, a wrong one is refused, the right one is kept for the session alone", () =>
  inStudio(browser, {}, async (page) => {
    await enter(page, "wrong");
    await page.waitForSelector("dialog[open] .notice:not([hidden])");
    await enter(page, key);
    await page.waitForSelector(".voice input:checked");
    await page.reload();
    await page.waitForSelector(".voice input:checked");
    assert.equal(await page.$("dialog[open]"), null);
    const kept = await page.evaluate(() => JSON.stringify({ ...localStorage }) + document.cookie);
    assert.ok(!kept.includes(key));
  }));

for (const [language, viewport, wanted] of [
  ["en", DESKTOP, /^This server asks for a key/],
  ["zh", PHONE, /^这台服务器需要密钥/],
]) {
  test(`a missing key is asked for in the dialog, and is no error behind it (${language})`, () =>
    inStudio(browser, { viewport }, async (page) => {
      await nothingBehind(page);
      assert.doesNotMatch(await textOf(page, "#gauges"), /\d/, "figures that are not known are not zeros");
      assert.equal(await textOf(page, "#stages .hint"), "…");
      assert.ok(await page.$("#voices .button:not(.small):disabled"), "nor is it known who may add a voice");
      await enter(page, "wrong");
      await page.waitForSelector("dialog[open] .notice:not([hidden])");
      await nothingBehind(page);
      await page.keyboard.press("Escape");
      if (language !== "en") await page.click("#language");
      await page.waitForSelector(`html[lang^=${language}]`);
      assert.match(await textOf(page, "#voice-cards > .hint"), wanted);

      await page.click("#key button");
      await enter(page, key);
      await page.waitForSelector(".voice input:checked");
      assert.ok(await page.$("#voice-cards > .hint[hidden]"));
      await page.click("#key button");
      await page.click("dialog[open] .button.quiet"); // forget the key
      await page.waitForSelector("dialog[open]");
      await page.keyboard.press("Escape");
      await say(page, "hello"); // with no key, it is asked for again
      await page.waitForSelector("dialog[open]");
      await nothingBehind(page);
    }));
}

test("a full line is said, counted down, and tried again", () =>
  inStudio(browser, {}, async (page) => {
    await enter(page, key);
    await page.waitForSelector(".voice input:checked");
    const other = occupy();
    await until(() => nSpeaking({ key }), "somebody else is spoken for");
    await say(page, "hello");
    await page.waitForFunction(() => /again in \d+ s/.test(document.querySelector("#progress").textContent));
    release();
    await page.waitForSelector("li.take");
    assert.match(await textOf(page, "#progress"), /2\.0 s of speech/);
    await other;
    hold();
  }));

test("waiting for a free place can be given up", () =>
  inStudio(browser, {}, async (page) => {
    await enter(page, key);
    await page.waitForSelector(".voice input:checked");
    const other = occupy();
    await until(() => nSpeaking({ key }), "somebody else is spoken for");
    await say(page, "hello");
    await page.waitForFunction(() => /again in/.test(document.querySelector("#progress").textContent));
    await page.click("#speak");
    await page.waitForFunction(() => document.querySelector("#progress").textContent === "Stopped");
    release();
    await other;
    hold();
    assert.equal(await page.$("li.take"), null);
  }));

test("what a server that was away did not answer is asked again once it is back", () =>
  inStudio(browser, { isCutOff: true }, async (page) => {
    await enter(page, key);
    await page.waitForSelector(".voice input:checked");
    await page.setOfflineMode(true);
    await write(page, "hello");
    await page.waitForFunction(() => /does not answer/.test(document.querySelector("#reading").textContent));
    await page.waitForSelector("[data-status=unreachable]");
    assert.doesNotMatch(await textOf(page, "#gauges"), /\d/);
    await page.setOfflineMode(false);
    await page.waitForSelector("#reading li");
    await page.waitForFunction(() => /\d/.test(document.querySelector("#gauges").textContent));
  }));

test("who leaves the page while it speaks is asked first", () =>
  inStudio(browser, {}, async (page) => {
    await enter(page, key);
    await page.waitForSelector(".voice input:checked");
    const asked = new Promise((resolve) => page.once("dialog", resolve));
    await say(page, "hello");
    await until(() => nSpeaking({ key }), "it is spoken");
    await page.evaluate(() => setTimeout(() => location.reload()));
    const dialog = await asked;
    assert.equal(dialog.type(), "beforeunload");
    await dialog.dismiss();
    release();
    await page.waitForSelector("li.take"); // it was spoken to its end
  }));

/** While the key's dialog is open, no error is shown but in it. */
async function nothingBehind(page) {
  await page.waitForSelector("dialog[open] #api-key");
  await until(() => page.evaluate(hasAsked, "/api/v1/prompts"), "the list of voices was refused");
  assert.equal(await page.$("main .notice:not(.calm, [hidden])"), null);
}

function hasAsked(path) {
  return performance.getEntriesByType("resource").some(({ name }) => name.endsWith(path));
}

async function enter(page, words) {
  await page.waitForSelector("dialog[open] #api-key");
  await page.type("#api-key", words);
  await page.keyboard.press("Enter");
}

/** Somebody else's request takes the only place. */
async function occupy() {
  const body = new URLSearchParams({ input_text: "hello", index: "exampleA" });
  const answer = await fetch(`${STUDIO_URL}/api/v1/tts`, {
    method: "POST",
    body,
    headers: { "X-API-Key": key },
  });
  assert.equal(answer.status, 200);
}
