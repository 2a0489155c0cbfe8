// The voices: loaded, chosen, heard, added, changed and deleted.

import { announce, h, icon, needStyle } from "../dom.js";
import { needTexts, onLanguage, sayError, t } from "../i18n.js";
import { createCards } from "./cards.js";
import { hush } from "./listening.js";
import { notedOf, speakersOf } from "./moods.js";
import { toast } from "./toast.js";

const MANY = 6; // voices, from which on they can be searched

/** The voices in `root`. This part keeps the store's `voices`, `voice` and `mayWrite`. */
export function mountVoices(root, { store, api }) {
  const shelf = createShelf(store, api);
  const cards = createCards({
    api,
    onChoose: (voice) => store.set({ voice }),
    onEdit: edit,
    onPlay: () => store.set({ playing: false }),
  });
  const add = h("button", { type: "button", class: "button", on: { click: () => openNew() } });
  const whyNot = h("p", { class: "hint" });
  const search = h("input", { type: "search", class: "input", on: { input: showCards } });
  root.append(shelf.trouble, search, cards.element, add, whyNot);

  /** `index`: the voice to record moods of, in place of a new one. */
  async function openNew(index) {
    const { addVoices } = await import("./add.js"); // now and then
    await addVoices({ api, store, load: shelf.load, index });
  }

  async function edit(voice) {
    const [{ openEdit }] = await Promise.all([import("./edit.js"), needNotes(), needStyle("edit_voice")]);
    const done = await openEdit({ api, voice, mayWrite: store.get().mayWrite });
    if (done === "delete") shelf.remove(voice.index);
    if (done === "moods") return openNew(voice.index);
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
  let notes = null;

  async function showCards() {
    const voices = store.get().voices ?? [];
    const isMany = voices.length >= MANY;
    if (!notes && (isMany || voices.some(hasNotes))) [notes] = await needNotes();
    search.hidden = !isMany;
    if (notes) search.placeholder = search.ariaLabel = t("voices.search");
    const found = search.hidden
      ? store.get().voices
      : voices.filter((each) => notes.isFound(each, search.value.trim()));
    cards.show(found, store.get().voice, notes);
  }

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

const hasNotes = (voice) => Boolean(notedOf(voice).length || voice.description || voice.moods?.length);

const needNotes = () => Promise.all([import("./notes.js"), needTexts("voice_notes")]);

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
    const isThere = speakersOf(voices).includes(chosen);
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
