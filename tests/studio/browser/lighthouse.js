// Lighthouse's scores of the studio, on a laptop and on a phone.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import lighthouse, { desktopConfig } from "lighthouse";

import { launch, STUDIO_URL } from "./harness.js";

const LEAST = 0.95;
let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

for (const [device, config] of Object.entries({ laptop: desktopConfig, phone: undefined })) {
  test(`accessibility and best practices on a ${device}`, async () => {
    const page = await browser.newPage();
    const flags = { onlyCategories: ["accessibility", "best-practices"], logLevel: "error" };
    const { lhr } = await lighthouse(STUDIO_URL, flags, config, page);
    for (const { title, score, auditRefs } of Object.values(lhr.categories)) {
      const missed = auditRefs
        .map(({ id }) => lhr.audits[id])
        .filter(({ score }) => score !== null && score < 1);
      console.log(
        `${device}: ${title} ${Math.round(100 * score)}`,
        missed.map(({ title }) => title),
      );
      assert.ok(score >= LEAST, `${title}: ${score}`);
    }
    await page.close();
  });
}
