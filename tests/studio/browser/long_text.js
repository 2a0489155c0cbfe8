// A long text: what the page keeps is the audio as 16-bit samples and little else, however long it speaks.
//
// TEXT: some twenty minutes of it; LOOK_EVERY_S: how often it prints what the page keeps.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { inStudio, launch, nSpeaking, until } from "./harness.js";
import { say, textOf } from "./studio.js";

const MB = 2 ** 20;
const { TEXT, LOOK_EVERY_S = "1" } = process.env;
let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

test("a page that speaks for long does not grow without bound", () =>
  inStudio(browser, {}, async (page) => {
    const devtools = await page.createCDPSession();
    const before = await figures(page, devtools);
    console.log(line("before", before));
    await say(page, TEXT);
    await until(() => page.evaluate(() => window.watched.mostSources), "the first of it is there");
    const begun = await figures(page, devtools);
    while (await nSpeaking()) {
      await sleep(Number(LOOK_EVERY_S) * 1000);
      console.log(line("speaking", await figures(page, devtools)));
    }
    await page.waitForSelector("li.take");
    const done = await figures(page, devtools);
    console.log(line("done", done));
    const grown = done.bytes - before.bytes;
    const audio = (await secondsShown(page)) * 24_000 * 2;
    assert.ok(
      audio > 15 * 60 * 48_000 && grown < 1.2 * audio + 10 * MB,
      `${grown} bytes for ${audio} of audio`,
    );
    assert.ok(done.nodes < begun.nodes + 500, "its elements do not grow with the sound");
    assert.ok(done.mostSources < 100, "only what is heard next is in the audio graph");

    await page.click("#options summary");
    await page.waitForSelector("#option-format");
    await page.select("#option-format", "mp3");
    await page.click("#take-actions button");
    const refused = () => textOf(page, "#take-actions").then((words) => words.includes("Save it as WAV"));
    await until(refused, "it is said that the server takes no recording as long");
  }));

/** How long the sound in the player is. */
async function secondsShown(page) {
  const [, minutes, seconds] = /\/ (\d+):(\d+)/.exec(await textOf(page, "#clock"));
  return 60 * Number(minutes) + Number(seconds);
}

async function figures(page, devtools) {
  await devtools.send("HeapProfiler.collectGarbage");
  const heap = await devtools.send("Runtime.getHeapUsage");
  const { Nodes: nodes } = await page.metrics();
  const { mostSources } = await page.evaluate(() => window.watched);
  return {
    nodes,
    mostSources,
    bytes: heap.usedSize + heap.backingStorageSize,
    resident: await residentBytes(),
  };
}

/** Of the process that shows the page: the largest of the browser"s renderers. */
async function residentBytes() {
  const target = await browser.target().createCDPSession();
  const { processInfo } = await target.send("SystemInfo.getProcessInfo");
  const renderers = processInfo.filter(({ type }) => type === "renderer");
  return Math.max(
    ...renderers.map(({ id }) => {
      const [, pages] = readFileSync(`/proc/${id}/statm`, "utf8").split(" ");
      return Number(pages) * 4096;
    }),
  );
}

function line(when, { bytes, nodes, mostSources, resident }) {
  const mb = (n) => (n / MB).toFixed(0);
  return `${when}: ${mb(bytes)} MB kept, ${mb(resident)} MB resident, ${nodes} nodes, ${mostSources} sources at most`;
}
