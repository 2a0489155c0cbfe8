// For everybody: axe-core, a phone, the keyboard alone, nothing that jumps or moves unasked.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { DESKTOP, inStudio, launch, PHONE, until } from "./harness.js";
import { findNothing, makeTake, write } from "./studio.js";

let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

for (const viewport of [DESKTOP, PHONE]) {
  test(`axe-core finds nothing serious at ${viewport.width} px`, () =>
    inStudio(browser, { viewport }, async (page) => {
      await findNothing(page, "empty");
      await makeTake(page, "预计3天送到。");
      await page.click("#options summary");
      await page.click("li.take .take-do > button:last-child");
      // A phone has the same colours.
      for (const scheme of viewport === PHONE ? ["light"] : ["light", "dark"]) {
        await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
        for (const language of ["zh", "en"]) {
          await page.click("#language");
          await page.waitForSelector(`html[lang^=${language}]`);
          await findNothing(page, `${scheme}, ${language}`);
        }
        await page.click("#voices .button:not(.small)");
        await page.waitForSelector("dialog[open] .record");
        await findNothing(page, `${scheme}, a new voice`);
        await page.keyboard.press("Escape");
      }
    }));
}

test("a phone shows all of it, and the button that speaks at any time", () =>
  inStudio(browser, { viewport: PHONE }, async (page) => {
    await write(page, "很长的文字，".repeat(800)); // 4,800 characters
    const width = await page.evaluate(() => document.scrollingElement.scrollWidth);
    assert.ok(width <= PHONE.width, `${width} px wide`);
    for (const end of [0, 1e6]) {
      await page.evaluate((y) => scrollTo(0, y), end);
      const { top, bottom } = await page.$eval("#speak", (button) => button.getBoundingClientRect().toJSON());
      assert.ok(top > 0 && bottom <= PHONE.height, `the button is at ${top} to ${bottom} px`);
    }
  }));

for (const viewport of [DESKTOP, PHONE]) {
  test(`the demonstration model is named in full, with the way to the real one, at ${viewport.width} px`, () =>
    inStudio(browser, { viewport }, async (page) => {
      for (const [language, named] of Object.entries({ en: /Demonstration model/, zh: /演示模型/ })) {
        if (language !== "en") await page.click("#language");
        await page.waitForSelector(`html[lang^=${language}]`);
        const link = await page.waitForSelector("#status a:not([hidden])");
        assert.match(await link.evaluate((element) => element.textContent), named);
        const cut = await page.$$eval("#status *", (all) =>
          all
            .filter(
              (one) => one.scrollWidth > one.clientWidth && getComputedStyle(one).overflow !== "visible",
            )
            .map((one) => one.textContent),
        );
        assert.deepEqual(cut, []);
        const [header, bar] = await page.$$eval(".top, #status", (all) =>
          all.map((one) => one.getBoundingClientRect().height),
        );
        assert.ok(bar <= header && header < 80, `the header is ${header} px high`);
        await page.evaluate(() => scrollTo(0, 0));
        await link.click();
        const commands = await page.waitForSelector("#about pre");
        assert.match(await commands.evaluate((element) => element.textContent), /download_model\.sh/);
        await page.waitForFunction(
          (shown) => shown.getBoundingClientRect().top < innerHeight, // the page has scrolled there
          {},
          commands,
        );
      }
    }));
}

test("the keyboard alone is enough", () =>
  inStudio(browser, {}, async (page) => {
    await page.waitForSelector(".voice input:checked");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter"); // skip to the text
    await page.keyboard.type("hello");
    const passed = await tabTo(page, "#speak");
    await page.keyboard.press("Enter");
    await page.waitForSelector("li.take");
    const later = [...passed, ...(await tabTo(page, "li.take button"))];
    assert.deepEqual(
      later.filter(({ ring }) => !ring),
      [],
      "each shows that it has the focus",
    );
    await page.waitForSelector('#play[aria-label="Play"]');
    await page.keyboard.press("Space");
    await page.waitForSelector('#play[aria-label="Pause"]');
  }));

test("a browser that lets the page keep nothing shows all of it", () =>
  inStudio(browser, {}, async (page) => {
    await page.evaluateOnNewDocument(() => {
      const refuse = () => {
        throw new DOMException("refused", "SecurityError");
      };
      for (const name of ["localStorage", "sessionStorage", "indexedDB"])
        Object.defineProperty(window, name, { get: refuse });
    });
    await page.reload();
    await page.waitForSelector("body[data-ready]");
    await page.click("#language");
    await page.waitForSelector("html[lang^=zh]");
  }));

test("nothing jumps, and nothing moves for who wants it still", () =>
  inStudio(browser, {}, async (page) => {
    await page.emulateMediaFeatures([{ name: "prefers-reduced-motion", value: "reduce" }]);
    await page.evaluate(() => {
      window.shifted = 0;
      const add = (entries) => entries.forEach(({ value }) => (window.shifted += value));
      new PerformanceObserver((list) => add(list.getEntries())).observe({
        type: "layout-shift",
        buffered: true,
      });
    });
    await makeTake(page, "预计3天送到。");
    const shifted = await page.evaluate(() => window.shifted);
    assert.ok(shifted < 0.1, `layout shift ${shifted}`); // what Lighthouse calls good
    assert.equal(await page.evaluate(() => document.getAnimations().length), 0);
  }));

test("opening it loads less than 150 kB, before compression", () =>
  inStudio(browser, {}, async (page) => {
    await page.waitForSelector(".voice input:checked");
    const nBytes = await page.evaluate(() => {
      const files = performance.getEntriesByType("resource").filter(({ name }) => name.includes("/studio/"));
      const all = [...performance.getEntriesByType("navigation"), ...files];
      return all.reduce((sum, { decodedBodySize }) => sum + decodedBodySize, 0);
    });
    console.log(`opening it loads ${nBytes} bytes`);
    assert.ok(nBytes > 100_000 && nBytes < 150_000, String(nBytes));
  }));

/** Presses Tab until it has the focus; returns what had it on the way, and whether one could see that. */
async function tabTo(page, selector) {
  const passed = [];
  await until(async () => {
    await page.keyboard.press("Tab");
    const [name, ring, isThere] = await page.evaluate((wanted) => {
      const { activeElement: element } = document;
      const shown = [element, element.parentElement, element.labels?.[0], element.closest(".sheet")];
      const ring = shown.some((one) => one && getComputedStyle(one).outlineStyle !== "none");
      return [element.outerHTML.slice(0, 80), ring || element.id === "text", element.matches(wanted)];
    }, selector);
    passed.push({ name, ring });
    return isThere;
  }, `Tab reaches ${selector}`);
  return passed;
}
