// Pictures of the studio's main states: OUT/zh-dark-phone-spoken.png.

import { after, before, test } from "node:test";

import { DESKTOP, inStudio, launch, OUT, PHONE } from "./harness.js";
import { say, write } from "./studio.js";

const DEVICES = { laptop: DESKTOP, phone: PHONE, "4k": { width: 3840, height: 2160 } };
const TEXTS = {
  en: "Good evening. On 3 May 2026 at 9:45 the price fell by 12.5% to $39.80. It is good to hear from you again.",
  zh: "晚上好，很高兴又收到你的消息。2026年5月3日9:45，价格下跌12.5%，只要￥39.8元，预计3-5天送到。",
};
let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

for (const [device, viewport] of Object.entries(DEVICES)) {
  for (const language of Object.keys(TEXTS)) {
    for (const scheme of ["light", "dark"]) {
      test(`${language}, ${scheme}, ${device}`, () =>
        inStudio(browser, { viewport, language }, async (page) => {
          await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
          const shot = (state) =>
            page.screenshot({ path: `${OUT}/${language}-${scheme}-${device}-${state}.png` });
          await page.waitForSelector(".voice input:checked");
          await shot("empty");
          await write(page, TEXTS[language]);
          await page.waitForSelector("#reading li");
          await shot("read");
          await say(page, TEXTS[language]);
          await page.waitForSelector("#lines [aria-current]");
          await shot("speaking");
          await page.waitForSelector("li.take");
          await page.screenshot({
            path: `${OUT}/${language}-${scheme}-${device}-spoken.png`,
            fullPage: true,
          });
          await page.click("#voices .button:not(.small)");
          await page.waitForSelector("dialog[open] .record");
          await shot("new-voice");
        }));
    }
  }
}
