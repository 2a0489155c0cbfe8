// The history: what was made, newest first, kept in this browser.

import { h } from "../dom.js";
import { onLanguage, t } from "../i18n.js";
import { drawnSeed } from "../store.js";
import { LIMIT, newestFirst, openTakes } from "./database.js";
import { createRow } from "./row.js";

const MB = 2 ** 20;

export async function mountTakes(root, { store, api, speaking }) {
  const rows = new Map(); // id -> {take, element, show}
  let compare = null; // its code is loaded with the first press
  const empty = h("p", { class: "hint takes-empty" });
  const list = h("ol", { class: "take-rows" });
  const foot = createFoot({ clear });
  const fault = h("p", { class: "notice calm", hidden: true });
  const actions = {
    play,
    again,
    remove,
    compare: choose,
    isOn: (side, id) => compare?.on(side, id) ?? false,
  };
  root.append(empty, list, foot.element, fault);
  root.addEventListener("keydown", (event) => compare?.pressed(event));

  const kept = await openTakes().catch(() => null);
  const before = (await kept?.all().catch(() => null)) ?? []; // what cannot be read is no reason to keep nothing
  newestFirst(before).reverse().forEach(put);
  show();
  onLanguage(show);
  store.on("voice", showRows);
  store.on("voices", showRows);
  store.on("speaking", showStates);
  store.on("playing", (playing) => {
    if (playing) compare?.pause();
    showStates();
  });
  store.on("made", (take) => take && add(take));

  function put(take) {
    const row = createRow(take, { store, api }, actions);
    rows.set(take.id, { take, ...row });
    list.prepend(row.element);
  }

  /** A take that the browser has no room for, or may not keep, is in the list until the page is left. */
  async function add(take) {
    put(take);
    show();
    const gone = kept ? await kept.add(take).catch(() => null) : null;
    fault.hidden = gone !== null;
    gone?.forEach(drop);
    show();
  }

  async function choose(side, take) {
    const { createCompare } = await import("./compare.js");
    if (!compare) {
      compare = createCompare({ onChange: showRows, onPlay: () => store.set({ playing: false }) });
      root.prepend(compare.element);
    }
    compare.choose(side, take);
  }

  function play(take) {
    const { playing, take: shown } = store.get();
    store.set({ take });
    store.set({ playing: !(playing && take.id === shown?.id) });
  }

  /** The same text once more, with what is different; with another seed if nothing is. */
  function again(take, different) {
    const seed = different.voice ? take.options.seed : drawnSeed();
    const { text, voice, options } = { ...take, ...different };
    store.set({ text, voice, options: { ...options, seed, seedLocked: true } });
    speaking.start();
  }

  async function remove(take) {
    const { element } = rows.get(take.id);
    const neighbour = element.nextElementSibling ?? element.previousElementSibling;
    neighbour?.querySelector("button").focus(); // whoever uses the keyboard stays in the list
    drop(take.id);
    show();
    await kept?.remove(take.id);
  }

  async function clear() {
    [...rows.keys()].forEach(drop);
    show();
    await kept?.clear();
  }

  function drop(id) {
    rows.get(id)?.element.remove();
    rows.delete(id);
    compare?.forget(id);
  }

  function showRows() {
    for (const row of rows.values()) row.show();
  }

  function showStates() {
    for (const row of rows.values()) row.showState();
  }

  function show() {
    empty.textContent = t("takes.empty");
    empty.hidden = rows.size > 0;
    fault.textContent = t("takes.notKept");
    foot.show([...rows.values()].map(({ take }) => take));
    showRows();
  }
}

/** How much is kept, and the button that clears it, which asks once more. */
function createFoot({ clear }) {
  const facts = h("p", { class: "hint" });
  const ask = h("button", { type: "button", class: "button small quiet" });
  const yes = h("button", { type: "button", class: "button small danger" });
  const no = h("button", { type: "button", class: "button small quiet" });
  const element = h("div", { class: "takes-foot" }, facts, ask, yes, no);
  const asks = (asked) => {
    ask.hidden = asked;
    yes.hidden = no.hidden = !asked;
  };
  ask.addEventListener("click", () => {
    asks(true);
    no.focus();
  });
  no.addEventListener("click", () => {
    asks(false);
    ask.focus();
  });
  yes.addEventListener("click", () => {
    asks(false);
    clear();
  });
  asks(false);

  function show(takes) {
    element.hidden = takes.length === 0;
    const megabytes = takes.reduce((sum, take) => sum + take.audio.size, 0) / MB;
    const values = {
      n: takes.length,
      most: LIMIT.takes,
      megabytes: megabytes.toFixed(1),
      room: LIMIT.bytes / MB,
    };
    facts.textContent = t("takes.kept", values);
    ask.textContent = t("takes.clear");
    yes.textContent = t("takes.clearAll", { n: takes.length });
    no.textContent = t("takes.keep");
  }

  return { element, show };
}
