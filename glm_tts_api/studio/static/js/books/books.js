// Books: long texts and files that the server speaks as jobs. What is needed before there is one: the ways to begin it.

import { byId, h, icon, needStyle } from "../dom.js";
import { needTexts, onLanguage, t } from "../i18n.js";
import { isBook } from "../store.js";

const FILES = ".txt,.md,.epub,.srt,.vtt,.ass";

/** The books in `root`, whose code is loaded once the server has one or one is begun. */
export function mountBooks(root, { store, api }) {
  let panel = null; // a promise

  function load() {
    panel ??= Promise.all([import("./panel.js"), needTexts("books"), needStyle("books")])
      .then(([{ createPanel }]) => createPanel(root, { store, api }))
      .catch((error) => {
        panel = null;
        throw error;
      });
    return panel;
  }

  /** The text, or a file in its place. */
  async function begin(file = null) {
    (await load()).begin(file);
  }

  mountFile(byId("book-file"), { store, begin });
  takeDropped(begin);
  store.on("mayWrite", async (mayWrite) => {
    if (!mayWrite) return;
    const jobs = await api.jobs.list().catch(() => []);
    if (jobs.length || isBook(store.get())) await load();
  });
  store.on("text", () => isBook(store.get()) && load());

  return { begin: () => begin() };
}

/** The button that takes a file, while there is no text. */
function mountFile(root, { store, begin }) {
  const input = h("input", { type: "file", accept: FILES, class: "visually-hidden", tabIndex: -1 });
  const button = h("button", { type: "button", class: "chip", on: { click: () => input.click() } });
  input.setAttribute("aria-hidden", true);
  input.addEventListener("change", () => {
    if (input.files[0]) begin(input.files[0]);
    input.value = ""; // the same file may be taken again
  });
  root.append(button, input);
  const show = () => (root.hidden = !store.get().mayWrite || store.get().text !== "");
  store.on("text", show);
  store.on("mayWrite", show);
  onLanguage(() => button.replaceChildren(icon("upload"), t("books.file")));
}

/** A file that is let fall anywhere on the page; the browser would open it in the page's place. */
function takeDropped(begin) {
  const isForBooks = (event) =>
    event.dataTransfer?.types.includes("Files") && !document.querySelector("dialog[open]");
  addEventListener("dragover", (event) => isForBooks(event) && event.preventDefault());
  addEventListener("drop", (event) => {
    if (!isForBooks(event)) return;
    event.preventDefault();
    if (event.dataTransfer.files[0]) begin(event.dataTransfer.files[0]);
  });
}
