// A few words at the bottom of the page that go by themselves, with something to press if there is.

import { h } from "../dom.js";

const SHOWN_MS = 10_000;
let current = null;

/**
 * Shows it in place of the one that is there. `onGone` is called when it goes without `onAct`, also when another
 * takes its place.
 */
export function toast(words, { act, onAct, onGone = () => {} } = {}) {
  current?.go();
  const button = act
    ? h("button", { type: "button", class: "button small", on: { click: pressed } }, act)
    : null;
  const element = h("div", { class: "toast", role: "alert" }, h("span", {}, words), button);
  const timer = setTimeout(go, SHOWN_MS);
  const shown = { go };
  current = shown;
  const before = document.activeElement;
  document.body.append(element);
  button?.focus();

  function leave() {
    clearTimeout(timer);
    if (element.contains(document.activeElement)) before.focus({ preventScroll: true });
    element.remove();
    if (current === shown) current = null;
  }

  function pressed() {
    leave();
    onAct();
  }

  function go() {
    leave();
    onGone();
  }
}
