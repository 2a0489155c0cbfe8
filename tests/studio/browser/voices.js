// A voice of one's own: recorded in the browser, trimmed, saved, spoken with, deleted.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { after, before, test } from "node:test";

import { ask, BROWSER, DESKTOP, inStudio, launch, OUT, PHONE, until } from "./harness.js";
import { press, say, textOf } from "./studio.js";

const WORDS = "欢迎收听我们的节目，祝您下午愉快。"; // of the recording in MICROPHONE
const names = async () => (await ask("/api/v1/prompts")).prompts.map(({ index }) => index);
let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

test("a voice is recorded and saved, and speaks", () =>
  inStudio(browser, {}, async (page) => {
    await page.waitForSelector("#voices .button:not(.small, :disabled)");
    await page.click("#voices .button:not(.small)");
    await page.waitForSelector("dialog[open] .record");
    await page.click("dialog[open] .record");
    await page.waitForSelector(".record[data-state=recording]");
    await page.waitForFunction(() => document.querySelector("dialog[open] .clock").textContent >= "0:04");
    await page.click("dialog[open] .record");

    const [start] = await page.$$("dialog[open] .trim input");
    const length = await textOf(page, "dialog[open] output");
    await start.focus();
    for (let i = 0; i < 20; i++) await page.keyboard.press("ArrowRight");
    assert.notEqual(await textOf(page, "dialog[open] output"), length, "the handle cuts");
    await page.waitForSelector("dialog[open] .verdict li");

    const index = await page.$eval("dialog[open] input[pattern]", ({ value }) => value);
    await page.click("dialog[open] summary"); // the notes about it
    await page.select("dialog[open] .voice-notes select", "female");
    await page.type("dialog[open] .voice-notes label:last-child input", "agreed to it");
    await page.waitForSelector("dialog[open] .primary:not(:disabled)");
    await page.click("dialog[open] .primary");
    await page.waitForSelector(`[data-index="${index}"] input:checked`);
    const { gender, consent, description } = (await ask(`/api/v1/prompts/${index}`)).prompt;
    assert.deepEqual([gender, consent, description], ["female", "agreed to it", null]);

    await say(page, "你好。");
    await page.waitForSelector("li.take");
    assert.ok((await textOf(page, "li.take")).includes(index));

    await addMood(page, index);
    await page.waitForSelector(`[data-speaker="${index}:calm"][aria-pressed=true]`); // it speaks from now on
    await page.click(`[data-index="${index}"] > button:nth-of-type(2)`);
    await page.waitForSelector(`[data-index="${index}"] > [data-playing]`); // a sentence of its language
    if (BROWSER === "chrome") await saveAndBring(page, index); // where a browser of tests saves files
    await remove(page, index);
  }));

for (const [language, viewport, said] of [
  ["en", DESKTOP, /^Length.*nothing is wrong with them\. The words fit what is said\.$/],
  ["zh", PHONE, /^时长.*没有发现问题。 ?文字与所说的相符。$/],
]) {
  test(`a recording without fault has its tick once its words are heard in it (${language})`, () =>
    inStudio(browser, { viewport, language }, async (page) => {
      await page.waitForSelector(`html[lang^=${language}]`);
      const add = await page.waitForSelector("#voices .button:not(.small, :disabled)");
      await add.evaluate((button) => button.scrollIntoView({ block: "center" })); // not below a bar
      await add.click();
      const file = await page.waitForSelector("dialog[open] input[type=file]");
      await file.uploadFile(process.env.MICROPHONE);
      await page.waitForSelector("dialog[open] .verdict .is-bad"); // its words are missing
      await page.type("dialog[open] textarea", "字".repeat(60));
      await page.waitForSelector("dialog[open] .verdict .is-doubtful"); // nobody says as many in 4 s
      await page.evaluate(() => {
        window.fetch = async () => Response.json({ checks: [{ name: "words", status: "ok" }] }); // a recogniser's
      });
      await page.$eval("dialog[open] textarea", (box) => box.select());
      await page.keyboard.type(WORDS);
      await until(async () => said.test(await textOf(page, "dialog[open] .verdict")), "its tick");
      assert.ok(await page.$("dialog[open] .verdict .is-good"));
    }));
}

for (const [language, viewport] of [
  ["en", DESKTOP],
  ["zh", PHONE],
]) {
  test(`the voice and the options that were chosen outlive a reload (${language})`, () =>
    inStudio(browser, { viewport, language }, async (page) => {
      const chosen = async () => [
        await page.$eval(".voice input:checked", ({ value }) => value),
        await page.$eval("#option-speed", ({ value }) => value),
      ];
      await page.waitForSelector(`html[lang^=${language}]`);
      await page.waitForSelector(".voice input:checked");
      await page.click('[data-index="exampleB"] .voice-choice');
      await page.$eval("#options summary", (summary) => summary.scrollIntoView({ block: "center" })); // not below a bar
      await page.click("#options summary");
      await page.waitForSelector("#options[open] #option-speed");
      await page.focus("#option-speed");
      await page.keyboard.press("ArrowRight");
      const before = await chosen();
      assert.deepEqual(before, ["exampleB", "1.05"]);
      await page.reload();
      await page.waitForSelector(".voice input:checked");
      await page.$eval("#options summary", (summary) => summary.click());
      await page.waitForSelector("#option-speed");
      assert.deepEqual(await chosen(), before);
    }));
}

/** A mood of the voice from a file; the next one that is offered is left. */
async function addMood(page, index) {
  await page.click(`[data-index="${index}"] > button:nth-of-type(3)`);
  await page.waitForSelector("dialog[open] .mood-list");
  await page.click("dialog[open] .mood-list ~ .button");
  const file = await page.waitForSelector("dialog[open] input[type=file]");
  await file.uploadFile(process.env.MICROPHONE);
  await page.waitForSelector("dialog[open] textarea");
  await page.type("dialog[open] textarea", WORDS);
  await page.waitForSelector("dialog[open] .primary:not(:disabled)");
  await page.click("dialog[open] .primary");
  await page.waitForSelector(`[data-speaker="${index}:calm"]`);
  await page.waitForSelector("dialog[open] .record");
  await page.keyboard.press("Escape");
  await page.waitForSelector("dialog[open]", { hidden: true });
}

/** Saves the voice as a file, and adds that: it is there already. */
async function saveAndBring(page, index) {
  await page.click(`[data-index="${index}"] > button:nth-of-type(3)`);
  await page.waitForSelector("dialog[open] .mood-list");
  await press(page, "dialog[open] .button", "save as a file");
  await until(async () => existsSync(`${OUT}/${index}.zip`), "the file is saved");
  await page.keyboard.press("Escape");
  await page.waitForSelector("dialog[open]", { hidden: true });
  await page.click("#voices .button:not(.small)");
  const file = await page.waitForSelector("dialog[open] input[type=file]");
  await file.uploadFile(`${OUT}/${index}.zip`);
  const told = `There already: ${index}, ${index}:calm.`;
  await page.waitForFunction((words) => document.querySelector(".toast")?.textContent === words, {}, told);
  await page.waitForSelector("dialog[open]", { hidden: true });
}

/** Deletes it, thinks better of it, and deletes it after all. */
async function remove(page, index) {
  const card = `[data-index="${index}"]`;
  const discard = async () => {
    await page.click(`${card} > button:nth-of-type(3)`);
    await page.waitForSelector("dialog[open] .danger");
    await page.click("dialog[open] .danger");
    await page.waitForSelector(card, { hidden: true });
  };
  await discard();
  await press(page, ".toast button", "");
  await page.waitForSelector(card);
  await page.waitForSelector(".voice:focus-within"); // whoever uses the keyboard is still there
  assert.ok((await names()).includes(index));
  await discard();
  await until(async () => !(await names()).includes(index), "it is gone from the server");
}
