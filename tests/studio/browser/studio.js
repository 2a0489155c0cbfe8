// What a person does again and again in the studio.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Puts the text into the box, as a paste comes. */
export async function write(page, text) {
  await page.focus("#text");
  await page.evaluate((words) => {
    document.activeElement.select();
    document.execCommand("insertText", false, words);
  }, text);
}

/** Writes the text and presses Ctrl-Enter. */
export async function say(page, text) {
  await write(page, text);
  await page.waitForSelector("#speak:not(:disabled)");
  await page.keyboard.down("Control");
  await page.keyboard.press("Enter");
  await page.keyboard.up("Control");
}

/** Says it, and waits until the take is there. */
export async function makeTake(page, text) {
  const rows = await page.$$eval("li.take", ({ length }) => length);
  await say(page, text);
  await page.waitForFunction((n) => document.querySelectorAll("li.take").length > n, {}, rows);
}

/** The text of the first element that the selector finds. */
export const textOf = (page, selector) => page.$eval(selector, (element) => element.textContent);

/** Presses the first of the selector's buttons that has these words. */
export async function press(page, selector, words) {
  for (const button of await page.$$(selector)) {
    const text = await button.evaluate((element) => element.textContent);
    if (text.toLowerCase().includes(words.toLowerCase())) return button.click();
  }
  throw new Error(`no ${selector} says ${words}`);
}

/** With axe-core, which has nothing serious to say of the page as it is. */
export async function findNothing(page, state) {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => window.axe.run());
  const serious = violations.filter(({ impact }) => ["serious", "critical"].includes(impact));
  const lines = serious.map(({ help, nodes }) => `${help}: ${nodes.map(({ target }) => target).join(", ")}`);
  assert.deepEqual(lines, [], state);
}
