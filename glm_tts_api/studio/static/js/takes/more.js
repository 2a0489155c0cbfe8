// What else a take is good for: files, commands that make it again, and its end.

import { ApiError } from "../api.js";
import { h } from "../dom.js";
import { FORMATS } from "../control/options.js";
import { t } from "../i18n.js";
import { createActing } from "./acting.js";
import { audioFile, fileName, save, srtFile } from "./download.js";

const SNIPPETS = ["curl", "python", "javascript"];

/** A button, and the panel that it opens. */
export function createMore(take, { api, store }, remove) {
  const panel = h("div", { class: "take-more", hidden: true });
  const button = h("button", { type: "button", class: "button small quiet", "aria-expanded": false });
  button.addEventListener("click", () => {
    panel.hidden = !panel.hidden;
    button.setAttribute("aria-expanded", !panel.hidden);
    show();
  });

  function show() {
    button.textContent = t("takes.more");
    if (panel.hidden) return panel.replaceChildren(); // rows are many, and few of them open
    const formats = take.segments.length ? [...FORMATS, "srt"] : FORMATS; // when they end may not be known
    const files = formats.map((format) => chip(t(`takes.file.${format}`), () => download(format)));
    const commands = SNIPPETS.map((name) => chip(t(`takes.${name}`), () => copy(name)));
    const end = h(
      "button",
      { type: "button", class: "button small danger", on: { click: remove } },
      t("takes.delete"),
    );
    panel.replaceChildren(group(t("takes.save"), files), group(t("takes.copy"), commands), end);
  }

  async function download(format) {
    const blob = format === "srt" ? srtFile(take) : await audioFile(take, format, api);
    save(blob, fileName(take, format));
  }

  async function copy(name) {
    const snippets = await import("./snippets.js");
    const server = { base: document.baseURI, keyed: api.hasKey() };
    await writeToClipboard(snippets[`${name}Snippet`](take, store.get().options.format, server));
    return t("takes.copied");
  }

  return { button, panel, show };
}

function chip(words, act) {
  const button = createActing({ class: "chip" }, act);
  button.textContent = words;
  return button;
}

function group(words, buttons) {
  return h(
    "div",
    { class: "chips", role: "group", "aria-label": words },
    h("span", { class: "hint" }, words),
    buttons,
  );
}

async function writeToClipboard(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // A page has no clipboard over plain http but from localhost, or may not write to it.
    if (!copySelected(text)) throw new ApiError({ code: "not_copied" });
  }
}

function copySelected(text) {
  const area = h("textarea", { class: "visually-hidden", value: text });
  document.body.append(area);
  area.select();
  const isCopied = document.execCommand("copy");
  area.remove();
  return isCopied;
}
