// A real browser at the studio of a real server. Chromium is driven over CDP, Firefox over WebDriver BiDi.
//
// Its surroundings, which test_browsers.py sets:
//   STUDIO_URL      where the server is
//   BROWSER         chrome | firefox, and BROWSER_PATH, its program
//   OUT             a folder for what Python looks at afterwards
//   MICROPHONE      a WAV file that Chromium hears in place of a microphone (Firefox hears its own fake)

import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

import puppeteer from "puppeteer-core";

import { watchPage } from "./watch.js";

export const { STUDIO_URL, BROWSER, OUT } = process.env;
const LONGEST_MS = 180_000; // for a machine that is busy with other things
const LOST_MS = 30_000; // longer than any question to the page takes
export const DESKTOP = { width: 1280, height: 900 };
export const PHONE = {
  width: 390,
  height: 844,
  deviceScaleFactor: 2,
  isMobile: BROWSER === "chrome",
  hasTouch: BROWSER === "chrome",
};

const CHROME_FLAGS = [
  "--no-sandbox", // tests may run as root
  "--disable-dev-shm-usage", // in a container it is small
  "--autoplay-policy=user-gesture-required", // as on a person's machine
  "--use-fake-ui-for-media-stream", // allows the microphone
  "--use-fake-device-for-media-stream",
];
const FIREFOX_PREFERENCES = {
  "media.navigator.permission.disabled": true, // allows the microphone
  "media.navigator.streams.fake": true,
  "dom.events.testing.asyncClipboard": true, // allows to read what was copied
};

/** The browser, of a person who reads English. */
export function launch() {
  const { BROWSER_PATH: executablePath, MICROPHONE } = process.env;
  const chrome = {
    args: [...CHROME_FLAGS, "--accept-lang=en-US", `--use-file-for-fake-audio-capture=${MICROPHONE}`],
  };
  const firefox = { extraPrefsFirefox: { ...FIREFOX_PREFERENCES, "intl.accept_languages": "en-US" } };
  return puppeteer.launch({
    browser: BROWSER,
    executablePath,
    headless: true,
    defaultViewport: DESKTOP,
    protocolTimeout: LONGEST_MS,
    ...(BROWSER === "chrome" ? chrome : firefox),
  });
}

/**
 * Opens the studio as somebody who has never been here, and runs `use(page)`. Besides what `use` asserts, nothing
 * may be thrown, refused by the Content-Security-Policy, or asked of another machine; `isCutOff`: the browser may say
 * that it reaches nobody.
 */
export async function inStudio(browser, { viewport = DESKTOP, language = "en", isCutOff = false }, use) {
  const downloads = { downloadBehavior: { policy: "allow", downloadPath: OUT } };
  const context = await browser.createBrowserContext(BROWSER === "chrome" ? downloads : {});
  const page = await context.newPage();
  const faults = faultsOf(page, isCutOff);
  try {
    page.setDefaultTimeout(LONGEST_MS);
    await page.setViewport(viewport);
    await page.evaluateOnNewDocument(watchPage);
    await page.goto(STUDIO_URL);
    await page.waitForSelector("body[data-ready]");
    if (language !== "en") await page.click("#language");
    await use(page);
  } catch (error) {
    error.message += `\nfaults of the page: ${faults.join("\n") || "none"}\nit shows: ${await shownBy(page)}`;
    throw error;
  } finally {
    await context.close();
  }
  assert.deepEqual(faults, []);
}

/** What a page that did not come on has to say for itself. */
function shownBy(page) {
  const shown = page.evaluate(() =>
    JSON.stringify({
      progress: document.querySelector("#progress")?.textContent,
      error: document.querySelector("#speak-error")?.textContent,
      ...window.watched,
    }),
  );
  return Promise.race([shown.catch(String), sleep(LOST_MS, "nothing, it does not answer", { ref: false })]);
}

function faultsOf(page, isCutOff) {
  const faults = [];
  page.on("pageerror", (error) => faults.push(`thrown: ${error.message ?? error}`));
  page.on("console", (message) => {
    // Chromium writes down every answer that is an error, also those that the page expects.
    const expected = `Failed to load resource: ${isCutOff ? "" : "the server responded"}`;
    if (message.type() === "error" && !message.text().startsWith(expected))
      faults.push(`console: ${message.text()}`);
  });
  page.on("request", (request) => {
    const { protocol, origin } = new URL(request.url());
    if (protocol.startsWith("http") && origin !== STUDIO_URL)
      faults.push(`asked elsewhere: ${request.url()}`);
  });
  return faults;
}

/** Waits until `holds()` gives something true, and gives it back. Firefox' driver now and then loses an answer under
 * load: then it is asked again. */
export async function until(holds, what) {
  const end = Date.now() + LONGEST_MS;
  for (;;) {
    const found = await Promise.race([holds(), sleep(LOST_MS, null, { ref: false })]);
    if (found) return found;
    assert.ok(Date.now() < end, `waited ${LONGEST_MS} ms until ${what}`);
    await sleep(50);
  }
}

/** Lets what a server of tones holds back (test_browsers.py) go on; `hold` holds it back again. */
export const release = () => writeFileSync(`${OUT}/go-on`, "");
export const hold = () => rmSync(`${OUT}/go-on`);

/** What the server says of itself at `path`. */
export async function ask(path, { key } = {}) {
  const answer = await fetch(STUDIO_URL + path, { headers: key ? { "X-API-Key": key } : {} });
  assert.ok(answer.ok, `${path}: ${answer.status}`);
  return answer.json();
}

/** How many requests are spoken now. */
export async function nSpeaking(options) {
  const { stats } = await ask("/api/v1/stats/concurrency", options);
  return stats.short_text.active + stats.long_text.active;
}
