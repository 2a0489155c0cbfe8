// Every visible word, in the person's language.

import { local } from "./storage.js";

const LANGUAGES = ["en", "zh"];
const CHOICE = "glm-tts-language";
const watchers = new Set();
let language = "en";
let texts = {}; // of that language
const parts = new Set(); // of texts, beside those that the page opens with
let loading = Promise.resolve();

/** The text of that key; {name} in it stands for a value, and a text that is a function is called with them. */
export function t(key, values = {}) {
  const text = texts[key] ?? key;
  if (typeof text === "function") return text(values);
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

/** A length of time in words; `digits` behind the point where it is less than a minute. */
export function duration(seconds, digits = 0) {
  if (seconds < 59.5) return t("time.seconds", { n: Math.max(seconds, 10 ** -digits).toFixed(digits) });
  const whole = Math.round(seconds);
  return t("time.minutes", { n: Math.floor(whole / 60), seconds: whole % 60 });
}

export const getLanguage = () => language;

/** What was chosen here before, else the first of the browser's languages that the page has. */
export function preferredLanguage() {
  const wanted = [local.getItem(CHOICE), ...navigator.languages];
  const known = wanted.map((tag) => tag?.slice(0, 2)).find((code) => LANGUAGES.includes(code));
  return known ?? "en";
}

export function chooseLanguage(code) {
  local.setItem(CHOICE, code);
  return setLanguage(code);
}

/** Puts the page's fixed words into that language, then tells who makes others. */
export async function setLanguage(code) {
  await loadTexts(code);
  document.documentElement.lang = code === "zh" ? "zh-CN" : code;
  translate(document);
  for (const watcher of watchers) watcher(code);
}

/** To be awaited before words of that part (a file in texts/en/ and texts/zh/) are shown. */
export async function needTexts(part) {
  parts.add(part);
  await loadTexts();
}

/** One after the other: a part that comes late is in the language that was chosen meanwhile. */
function loadTexts(chosen) {
  const load = async () => {
    const code = chosen ?? language;
    const names = [code, ...[...parts].map((part) => `${code}/${part}`)];
    const files = await Promise.all(names.map((name) => import(`./texts/${name}.js`)));
    texts = Object.assign({}, ...files.map((file) => file.default));
    language = code;
  };
  loading = loading.then(load, load);
  return loading;
}

/** Calls `watcher` now and whenever the language changes. */
export function onLanguage(watcher) {
  watchers.add(watcher);
  watcher(language);
}

/** The elements in `root` that name their words: data-i18n their text, the others an attribute of theirs. */
function translate(root) {
  for (const element of root.querySelectorAll("[data-i18n]")) element.textContent = t(element.dataset.i18n);
  for (const element of root.querySelectorAll("[data-i18n-label]")) {
    element.setAttribute("aria-label", t(element.dataset.i18nLabel));
  }
  for (const element of root.querySelectorAll("[data-i18n-placeholder]")) {
    element.placeholder = t(element.dataset.i18nPlaceholder);
  }
}

/** The page's own words for the kinds of error that it knows; else what the server said, which is a sentence. */
export function sayError(error) {
  const own = `error.${error.code}`;
  return t(own in texts ? own : "error.other", { seconds: error.retryAfterS, message: error.message });
}
