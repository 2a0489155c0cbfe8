// A bar beside its figure; the figure says it all, so the bar is for the eye alone.

import { h } from "../dom.js";

/** @param share of the whole length, from 0 to 1 */
export function figureRow(label, figure, share) {
  const filled = h("div", { style: { width: `${100 * share}%` } });
  return h(
    "li",
    { class: "figure-row" },
    h("span", {}, label),
    h("span", { class: "figure" }, figure),
    h("div", { class: "bar", "aria-hidden": "true" }, filled),
  );
}
