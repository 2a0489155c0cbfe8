// What a recogniser of the server hears: the option, the report on a take, and that on a book.

import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { after, before, test } from "node:test";

import { inStudio, launch, OUT, until } from "./harness.js";
import { findNothing, makeTake, press, say, textOf } from "./studio.js";

const REPORT = "#lines + div";
const { TEXT, OTHER } = process.env;
let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

test("where other words are heard than the text has is said of a take, and saved of a book", () =>
  inStudio(browser, {}, async (page) => {
    await page.click("#options summary");
    await (await page.waitForSelector("#option-verify")).click();
    await makeTake(page, TEXT);
    await page.waitForSelector(`${REPORT}:not([hidden])`);
    assert.match(await textOf(page, REPORT), new RegExp(`should say “${TEXT}”, but “${OTHER}” is heard`));
    await findNothing(page, "a report");
    await makeTake(page, TEXT);
    await page.waitForFunction(
      (report) => /^Heard as it is written/.test(document.querySelector(report).textContent),
      {},
      REPORT,
    );
    await say(page, Array(300).fill(TEXT).join("\n\n"));
    await page.waitForFunction(() =>
      /^[^·]*[1-9]\d* of/.test(document.querySelector("li.book .hint")?.textContent.split(" · ").at(1)),
    );
    await press(page, "li.book .book-do button", "What is heard");
    await until(async () => readdirSync(OUT).some((name) => name.endsWith(".verified.json")), "it is saved");
  }));
