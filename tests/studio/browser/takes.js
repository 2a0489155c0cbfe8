// The history: kept, compared, saved as files, copied as commands.

import assert from "node:assert/strict";
import { readdirSync, writeFileSync } from "node:fs";
import { after, before, test } from "node:test";

import { ask, inStudio, launch, OUT, PHONE, STUDIO_URL, until } from "./harness.js";
import { makeTake, press, textOf } from "./studio.js";

let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

test("takes are compared, kept over a reload, saved, copied and cleared", () =>
  inStudio(browser, {}, async (page) => {
    await makeTake(page, "今天天气很好。");
    await press(page, "li.take .take-do > button", "seed");
    await until(async () => (await nKept(page)) === 2, "both are kept");

    await page.reload();
    await page.waitForSelector("li.take:nth-child(2)");
    await compare(page);

    await press(page, "li.take:last-child .take-do > button", "More");
    await saveEach(page);
    await copyEach(page);

    await press(page, ".takes-foot button:not([hidden])", "Clear");
    await page.click(".takes-foot .danger");
    await page.waitForSelector("li.take", { hidden: true });
    await until(async () => (await nKept(page)) === 0, "none is kept");
    await page.reload();
    await page.waitForSelector(".takes-empty:not([hidden])");
    assert.equal(await page.$("li.take"), null);
  }));

test("on a phone, too, it can be read which takes are compared, and how long each is", () =>
  inStudio(browser, { viewport: PHONE }, async (page) => {
    await makeTake(page, "hi");
    await press(page, "li.take .take-do > button", "seed");
    await page.waitForSelector("li.take:nth-child(2)");
    assert.match(await textOf(page, "li.take .hint"), / · \d\.\d s · /);
    await compare(page);
    const sides = await page.$$eval(".compare-sides button", (buttons) =>
      buttons.map(({ textContent, scrollWidth, clientWidth }) => [textContent, scrollWidth <= clientWidth]),
    );
    for (const [words, isWhole] of sides) assert.ok(isWhole && /seed \d/.test(words), words);
  }));

/** How many takes the browser keeps; they come and go on the page a little before. */
function nKept(page) {
  return page.evaluate(async () => {
    const resultOf = (request) =>
      new Promise((resolve) => (request.onsuccess = () => resolve(request.result)));
    const database = await resultOf(indexedDB.open("glm-tts-studio"));
    const n = await resultOf(database.transaction("takes").objectStore("takes").count());
    database.close();
    return n;
  });
}

async function compare(page) {
  await page.click("li.take:first-child [role=group] button:first-child");
  await page.click("li.take:last-child [role=group] button:last-child");
  await page.waitForSelector(".compare:not([hidden])");
  const heard = () => page.$$eval(".compare-sides button", (sides) => sides.map((side) => side.ariaPressed));
  assert.deepEqual(await heard(), ["true", "false"]);
  await page.keyboard.press("x");
  assert.deepEqual(await heard(), ["false", "true"]);
}

/** What is saved was heard: nothing is spoken for it. */
async function saveEach(page) {
  const nSpoken = async () => (await ask("/api/v1/stats/concurrency")).stats.short_text.total;
  const before = await nSpoken();
  const formats = ["wav", "flac", "mp3", "opus", "aac", "pcm", "srt"];
  for (const format of formats) {
    await press(page, ".take-more .chips:first-of-type .chip", format);
    await until(() => readdirSync(OUT).some((name) => name.endsWith(`.${format}`)), `${format} is saved`);
  }
  assert.equal(await nSpoken(), before);
}

async function copyEach(page) {
  await page
    .browserContext()
    .overridePermissions(STUDIO_URL, ["clipboard-read", "clipboard-sanitized-write"]);
  for (const [words, file] of Object.entries({
    curl: "curl.sh",
    Python: "package.py",
    JavaScript: "fetch.mjs",
  })) {
    await page.evaluate(() => navigator.clipboard.writeText(""));
    await press(page, ".take-more .chips:nth-of-type(2) .chip", words);
    const copied = await until(
      () => page.evaluate(() => navigator.clipboard.readText()),
      `${words} is copied`,
    );
    writeFileSync(`${OUT}/${file}`, copied);
  }
}
