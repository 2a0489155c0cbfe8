// What else a take is good for, in the player and in its row: files, commands that make it again, and its end.

import { ApiError } from "../api.js";
import { announce, h, icon } from "../dom.js";
import { onLanguage, sayError, t } from "../i18n.js";
import { FORMATS } from "../store.js";

const SNIPPETS = ["curl", "python", "javascript"];
const SAID_MS = 2500;

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
    const files = formats.map((format) => chip(t(`takes.file.${format}`), () => download(take, format, api)));
    const commands = SNIPPETS.map((name) => chip(t(`takes.${name}`), () => copy(name)));
    const end = h(
      "button",
      { type: "button", class: "button small danger", on: { click: remove } },
      t("takes.delete"),
    );
    panel.replaceChildren(group(t("takes.save"), files), group(t("takes.copy"), commands), end);
  }

  async function copy(name) {
    const snippets = await import("./snippets.js");
    const server = { base: document.baseURI, keyed: api.hasKey() };
    await writeToClipboard(snippets[`${name}Snippet`](take, store.get().options.format, server));
    return t("takes.copied");
  }

  return { button, panel, show };
}

async function download(take, format, api) {
  const { audioFile, fileName, save, srtFile } = await import("./download.js");
  const blob = format === "srt" ? srtFile(take) : await audioFile(take, format, api);
  save(blob, fileName(take, format));
}

/** See createActing. */
export function chip(words, act) {
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

/** The button that saves the take in the player, in the format that is chosen. */
export function mountSave(root, { store, api }) {
  const words = document.createTextNode("");
  const button = createActing({ class: "button" }, () => {
    const { take, options } = store.get();
    return download(take, options.format, api);
  });
  button.append(icon("download"), words);
  root.append(button);
  store.on("take", (take) => (root.hidden = take === null));
  onLanguage(show);
  store.on("options", show);

  function show() {
    words.data = t("takes.saveAs", { format: t(`takes.file.${store.get().options.format}`) });
  }
}

/**
 * A button that takes its time. While `act` is at work a press does nothing; the button says for a moment what `act`
 * returned, or what went wrong. It stays enabled, for a disabled one would lose the focus.
 */
function createActing(props, act) {
  let busy = false;
  const button = h("button", { type: "button", ...props });
  button.addEventListener("click", async () => {
    if (busy) return;
    busy = true;
    button.setAttribute("aria-busy", true);
    const said = await act().catch(sayError);
    button.removeAttribute("aria-busy");
    if (said) await sayFor(button, said);
    busy = false;
  });
  return button;
}

async function sayFor(button, words) {
  const before = [...button.childNodes];
  announce(words);
  button.replaceChildren(words);
  await new Promise((resolve) => setTimeout(resolve, SAID_MS));
  button.replaceChildren(...before);
}
