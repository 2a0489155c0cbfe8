// A dialog over the page, until it is answered or left.

import { h } from "../dom.js";
import { t } from "../i18n.js";

/**
 * Opens a dialog and calls `build(answer)` for its children. The promise has what `answer` was called with, or null
 * if the person left; `onClosed` is called in either case.
 */
export function ask(title, build, { onClosed = () => {} } = {}) {
  return new Promise((resolve) => {
    let answered = null;
    const dialog = h("dialog", { "aria-labelledby": "dialog-title" }, h("h2", { id: "dialog-title" }, title));
    dialog.append(...build(answer));
    dialog.addEventListener("close", () => {
      dialog.remove();
      onClosed();
      resolve(answered);
    });
    document.body.append(dialog);
    dialog.showModal();

    function answer(value) {
      answered = value;
      dialog.close();
    }
  });
}

/** The last row of a dialog: what comes before `null` stands at its left, the rest at its right. */
export function foot(...children) {
  return h(
    "div",
    { class: "dialog-foot" },
    ...children.map((child) => child ?? h("span", { class: "spring" })),
  );
}

export function textButton(className, key, click) {
  return h("button", { type: "button", class: className, on: { click } }, t(key));
}

/** A line for what went wrong; without words it takes no room. */
export function troubleLine() {
  const element = h("p", { class: "notice", role: "alert", hidden: true });
  return {
    element,
    say(words) {
      element.hidden = !words;
      element.textContent = words;
    },
  };
}
