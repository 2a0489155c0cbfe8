import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";

const STATIC = new URL("../../glm_tts_api/studio/static/", import.meta.url);
const [en, zh] = await Promise.all(["en", "zh"].map(textsOf));
const placeholders = (text) => (text.match(/\{\w+\}/g) ?? []).sort();

/** All of a language's texts: those that the page opens with, and the parts that it loads later. */
async function textsOf(language) {
  const texts = new URL("js/texts/", STATIC);
  const parts = readdirSync(new URL(`${language}/`, texts)).map((name) => `${language}/${name}`);
  const files = await Promise.all([`${language}.js`, ...parts].map((name) => import(new URL(name, texts))));
  return Object.assign({}, ...files.map((file) => file.default));
}

test("both languages have the same texts, with the same values in them", () => {
  assert.deepEqual(Object.keys(zh).sort(), Object.keys(en).sort());
  for (const [key, text] of Object.entries(en)) {
    if (typeof text === "string" && typeof zh[key] === "string") {
      assert.deepEqual(placeholders(zh[key]), placeholders(text), key);
    }
  }
});

test("every text that the page names is there", () => {
  const scripts = readdirSync(STATIC, { recursive: true }).filter((name) => name.endsWith(".js"));
  const source = ["index.html", ...scripts]
    .map((name) => readFileSync(new URL(name, STATIC), "utf8"))
    .join("\n");
  const named = source.matchAll(/(?:\bt\(|data-i18n(?:-\w+)?=)"([\w.]+)"/g);
  const missing = [...named].map(([, key]) => key).filter((key) => !(key in en));
  assert.deepEqual(missing, []);
});
