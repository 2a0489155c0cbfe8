// The voices: loaded, chosen, heard, added, changed and deleted.

import { announce, h, icon, needStyle } from "../dom.js";
import { needTexts, onLanguage, sayError, t } from "../i18n.js";
import { createCards } from "./cards.js";
import { hush } from "./listening.js";
import { toast } from "./toast.js";

/** The voices in `root`. This part keeps the store's `voices`, `voice` and `mayWrite`. */
export function mountVoices(root, { store, api }) {
  const shelf = createShelf(store, api);
  const cards = createCards({
    api,
    onChoose: (voice) => store.set({ voice }),
    onEdit: edit,
    onPlay: () => store.set({ playing: false }),
  });
  const add = h("button", { type: "button", class: "button", on: { click: openNew } });
  const whyNot = h("p", { class: "hint" });
  root.append(shelf.trouble, cards.element, add, whyNot);

  async function openNew() {
    const names = (store.get().voices ?? []).map(({ index }) => index);
    const needed = [import("./add.js"), needTexts("new_voice"), needStyle("recording")]; // now and then
    const [{ openAdd }] = await Promise.all(needed);
    const index = await openAdd({ api, names });
    if (!index) return;
    await shelf.load(index);
    if (store.get().voice === index) toast(t("voices.added", { index }));
  }

  async function edit(voice) {
    const { openEdit } = await import("./edit.js");
    const done = await openEdit({ api, voice, mayWrite: store.get().mayWrite });
    if (done === "delete") shelf.remove(voice.index);
    if (done !== "changed") return;
    await shelf.load();
    announce(t("voices.changed", { index: voice.index }));
  }

  function showMayWrite() {
    const { mayWrite, needsKey } = store.get();
    add.hidden = mayWrite === false;
    add.disabled = mayWrite === null;
    whyNot.hidden = !needsKey && mayWrite !== false;
    whyNot.textContent = t(needsKey ? "error.unauthorized" : "voices.mayNotWrite");
  }

  store.on("mayWrite", showMayWrite);
  store.on("needsKey", showMayWrite);
  const showCards = () => cards.show(store.get().voices, store.get().voice);
  store.on("voices", showCards);
  store.on("voice", cards.choose);
  store.on("playing", (playing) => playing && hush());
  onLanguage(() => {
    add.replaceChildren(icon("plus"), t("voices.new"));
    showMayWrite();
    showCards();
  });
  store.on("needsKey", (needsKey) => needsKey || shelf.load());
}

/** What the server has, but for the voices that the person has just deleted. */
function createShelf(store, api) {
  const leaving = new Set();
  const trouble = h("div", { class: "notice", role: "alert", hidden: true });
  let fault = null;

  async function load(chosen = store.get().voice) {
    try {
      const { prompts, writable } = await api.voices.list();
      store.set({ mayWrite: writable });
      fault = null;
      show(prompts, chosen);
    } catch (error) {
      fault = error.keyRefused ? null : error;
    }
    showTrouble();
  }

  function showTrouble() {
    trouble.hidden = !fault;
    if (!fault) return;
    const on = { click: () => load() };
    trouble.replaceChildren(
      sayError(fault),
      h("button", { type: "button", class: "button small", on }, t("voices.retry")),
    );
  }

  onLanguage(showTrouble);
  store.on("health", (health) => fault?.passesWith(health) && load());

  /** `chosen`, or else the first of them, is the one that speaks. */
  function show(prompts, chosen) {
    const voices = prompts.filter(({ index }) => !leaving.has(index));
    const isThere = voices.some(({ index }) => index === chosen);
    store.set({ voices, voice: isThere ? chosen : (voices[0]?.index ?? null) });
  }

  async function removeForGood(index) {
    const failure = await api.voices.remove(index).catch((error) => error);
    leaving.delete(index);
    await load();
    if (failure instanceof Error) toast(sayError(failure));
  }

  /** Only once it can no longer be undone: whoever closes the page before that has lost nothing. */
  function remove(index) {
    const { voices, voice } = store.get();
    leaving.add(index);
    show(voices, voice);
    toast(t("voices.deleted", { index }), {
      act: t("voices.undo"),
      onAct() {
        leaving.delete(index);
        load(voice);
      },
      onGone: () => removeForGood(index),
    });
  }

  return { trouble, load, remove };
}
