// Books: a long text and a file become jobs of the server, which are followed, heard, saved and ended. Speech that
// fits. The server has a key (KEY).

import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { after, before, test } from "node:test";

import { ask, inStudio, launch, OUT, PHONE, release, STUDIO_URL, until } from "./harness.js";
import { findNothing, makeTake, press, say, textOf, write } from "./studio.js";

const CHAPTER = Array(12).fill("春江潮水连海平，海上明月共潮生。".repeat(6)).join("\n\n");
const SAID = "小王：春天来了。\n\n小王：我们走吧。"; // in a voice of the cast, without the name
const TEXT = `第一章 春江\n\n${SAID}\n\n${CHAPTER}\n\n第二章 花月\n\n${CHAPTER}`;
const FILM = `1
00:00:01,000 --> 00:00:03,000
小王：下雪了。

2
00:00:03,000 --> 00:00:03,300
江南的春天来得很早。

3
00:00:03,400 --> 00:00:05,000
小王：回家吧。
`;
const FACTS = "li.book .hint";
const { KEY: key } = process.env;
let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

test("a long text becomes a book, which is followed, heard while it is made, and saved", () =>
  inStudio(browser, {}, async (page) => {
    await enter(page);
    await write(page, "hello");
    assert.match(await textOf(page, "#speak"), /^Speak/);
    assert.ok(await page.$("#books[hidden]"));
    await write(page, TEXT);
    await page.waitForSelector("#cast select");
    await page.select("#cast select", "exampleB");
    await say(page, TEXT);
    await page.waitForFunction(
      (facts) => /[1-9]\d* of \d+ seg/.test(document.querySelector(facts)?.textContent),
      {},
      FACTS,
    );
    assert.match(await textOf(page, "#speak"), /^Make a book/);
    await page.click("li.book summary");
    await page.waitForSelector(".book-chapters button");
    await findNothing(page, "a cast, and a book that is made");
    await press(page, "li.book .book-do button", "Pause");
    await page.waitForFunction(
      (facts) => /^Paused/.test(document.querySelector(facts).textContent),
      {},
      FACTS,
    );
    await page.click('li.book button[aria-label^="Play"]');
    const heard = () => page.$eval("li.book audio", ({ currentTime }) => currentTime);
    await until(async () => (await heard()) > 0, "it is heard while it is made");
    const source = await page.$eval("li.book audio", ({ src }) => src);
    assert.ok(source.startsWith(`${STUDIO_URL}/api/v1/jobs/`), "the player need not wait for all of it");
    assert.ok(!source.includes(key), "nor does it tell the key");
    // What is sent while it is encoded has no length before all of it is there.
    await page.waitForFunction(() => Number.isFinite(document.querySelector("li.book audio").duration));
    const duration = await page.$eval("li.book audio", (audio) => audio.duration);
    await page.$eval("li.book audio", (audio) => (audio.currentTime = audio.duration));
    release();
    await press(page, "li.book .book-do button", "Go on");
    await until(async () => (await heard()) > duration, "it is heard beyond what there was");

    await page.reload();
    await page.waitForSelector("li.book");
    await page.waitForFunction((facts) => /^Done/.test(document.querySelector(facts).textContent), {}, FACTS);
    for (const extension of ["m4b", "mp3", "srt"]) {
      await press(page, "li.book .chip", extension);
      await until(
        () => readdirSync(OUT).some((name) => name.endsWith(`.${extension}`)),
        `${extension} is saved`,
      );
    }
    await page.click("li.book summary");
    await page.waitForSelector(".book-chapters button");
    await press(page, ".book-chapters button", "第二章");
    await until(async () => (await heard().catch(() => 0)) > duration, "the second chapter is heard");
  }));

test("another browser has the book, takes a file for another, and deletes one", () =>
  inStudio(browser, { viewport: PHONE }, async (page) => {
    await enter(page);
    await page.click("#language");
    await page.waitForSelector("li.book");
    await drop(page, "春江.md", TEXT);
    await page.waitForSelector("#cast select"); // its speakers have no voices yet
    assert.equal(await page.$eval("#text", ({ value }) => value), TEXT);
    assert.equal((await ask("/api/v1/jobs", { key })).count, 1);
    await drop(page, "江南.srt", FILM);
    await page.waitForSelector("dialog[open] select");
    await findNothing(page, "the question before a book");
    assert.equal(await page.$eval("dialog[open] input", ({ value }) => value), "江南");
    assert.match(await textOf(page, "dialog[open] .hint"), /不保留时间/);
    await page.click("dialog[open] [type=checkbox]");
    assert.match(await textOf(page, "dialog[open] .hint"), /在它的时间开始/);
    await page.select("dialog[open] .cast select", "exampleA"); // of 小王
    await page.select("dialog[open] select", "exampleB");
    await press(page, "dialog[open] button", "开始制作");
    await page.waitForSelector("li.book:nth-child(2)");
    assert.equal(await textOf(page, "li.book .ellipsis"), "江南");
    assert.ok(await page.$eval("li.book", isInView), "the row of the book is in view");
    await page.waitForFunction(
      (facts) => /^已完成/.test(document.querySelector(facts).textContent),
      {},
      FACTS,
    );
    await page.$eval("li.book details:not([hidden]) summary", (summary) => summary.click());
    await page.waitForSelector("li.book td");
    assert.match(await textOf(page, "li.book tr.warning"), /^2/);
    await findNothing(page, "a report on subtitles");
    const chip = await page.waitForSelector("li.book details .chip");
    await chip.evaluate((button) => button.click());
    await until(() => readdirSync(OUT).includes("江南.小王.wav"), "one voice is saved");
    const remove = () => page.$eval("li.book .danger", (button) => button.click()); // a toast may lie over it
    await remove();
    await press(page, ".toast button", "撤销");
    await page.waitForSelector("li.book:nth-child(2)");
    await remove();
    await page.waitForSelector("li.book:nth-child(2)", { hidden: true });
    await remove(); // the first deletion can no longer be undone
    await until(async () => (await ask("/api/v1/jobs", { key })).count === 1, "one is deleted");
  }));

test("speech lasts as long as it is wanted, or the page says which lengths are possible", () =>
  inStudio(browser, {}, async (page) => {
    await enter(page);
    await page.click("#options summary");
    const duration = await page.waitForSelector("#option-duration");
    await duration.type("0.4");
    await page.type("#option-loudness", "-20");
    await page.select("#option-format", "mulaw");
    await findNothing(page, "options of speech that fits");
    await say(page, "hello");
    await page.waitForSelector("#speak-error:not([hidden])");
    assert.match(await textOf(page, "#speak-error"), /in 0.4 s it does not: ask for such a length/);
    await duration.click({ count: 3 });
    await duration.type("1.2");
    await makeTake(page, "hello");
    await press(page, "#take-actions button", "Save μ-law");
    await until(() => readdirSync(OUT).includes("exampleA-42.mulaw"), "it is saved");
  }));

function isInView(element) {
  const { top, bottom } = element.getBoundingClientRect();
  return top < innerHeight && bottom > 0;
}

function drop(page, name, words) {
  return page.evaluate(
    (fileName, text) => {
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File([text], fileName));
      document
        .querySelector("#text")
        .dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
    },
    name,
    words,
  );
}

async function enter(page) {
  await page.waitForSelector("dialog[open] #api-key");
  await page.type("#api-key", key);
  await page.keyboard.press("Enter");
  await page.waitForSelector(".voice input:checked");
}
