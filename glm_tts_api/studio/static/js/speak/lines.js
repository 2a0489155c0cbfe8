// The segments of a sound, of which the one that is heard is lit; pressing one goes to where it begins.

import { h } from "../dom.js";

export function createLines(list, onPress) {
  let shown = []; // their texts
  let lit = -1;

  function rebuild(segments) {
    const line = ({ text }, i) =>
      h("li", {}, h("button", { type: "button", on: { click: () => onPress(starts[i]) } }, text));
    list.replaceChildren(...segments.map(line));
    shown = segments.map(({ text }) => text);
    lit = -1;
  }

  let starts = [];

  return {
    show(segments, at, canSeek) {
      starts = segments.map(({ start }) => start);
      if (segments.length !== shown.length || segments.some(({ text }, i) => text !== shown[i]))
        rebuild(segments);
      list.classList.toggle("can-seek", canSeek);
      light(segments.findLastIndex(({ start }) => start <= at + 0.01));
    },
  };

  function light(i) {
    if (i === lit) return;
    list.children[lit]?.removeAttribute("aria-current");
    list.children[i]?.setAttribute("aria-current", "true");
    lit = i;
    const line = list.children[i];
    if (line) list.scrollTo({ top: line.offsetTop - list.clientHeight / 2 + line.offsetHeight / 2 });
  }
}
